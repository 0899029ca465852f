"""Diffs come from the edits and are what ``diff -u`` prints and ``patch`` takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ksconfig.text.diff import TextPatch, unified_diff
from ksconfig.text.spans import Edit
from tests.text.test_spans import edit_sets

PATCH = shutil.which("patch")
NUMBERS = "".join(f"{i}\n" for i in range(30))


@pytest.mark.parametrize(
    ("text", "edits", "hunks"),
    [
        ("a\nb\nc\n", [Edit(2, 3, "B")], "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"),
        ("a\nb\nc\n", [Edit(0, 1, "A"), Edit(2, 3, "B")], "@@ -1,3 +1,3 @@\n-a\n-b\n+A\n+B\n c\n"),
        ("abc\n", [Edit(0, 1, "A"), Edit(2, 3, "C")], "@@ -1 +1 @@\n-abc\n+AbC\n"),
        (
            "a\nb",
            [Edit(2, 3, "B")],
            "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n",
        ),
        ("a\nb", [Edit(0, 1, "A")], "@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n"),
        ("a", [Edit(1, 1, "\n")], "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        ("a\r\nb\r\n", [Edit(3, 4, "B")], "@@ -1,2 +1,2 @@\n a\r\n-b\r\n+B\r\n"),
        ("", [Edit(0, 0, "x\n")], "@@ -0,0 +1 @@\n+x\n"),
        ("a\nb\n", [Edit(0, 2, "")], "@@ -1,2 +1 @@\n-a\n-b\n+b\n"),
        (
            NUMBERS,
            [Edit(0, 1, "A"), Edit(50, 52, "B\nC")],
            "@@ -1,4 +1,4 @@\n-0\n+A\n 1\n 2\n 3\n@@ -18,7 +18,8 @@\n 17\n 18\n 19\n-20\n+B\n+C\n 21\n 22\n 23\n",
        ),
    ],
)
def test_an_edit_is_shown_with_the_lines_around_it(text: str, edits: list[Edit], hunks: str) -> None:
    assert unified_diff([TextPatch("f", text, tuple(edits))]) == f"--- f\n+++ f\n{hunks}"


@pytest.mark.parametrize(("apart", "hunks"), [(6, 1), (7, 2)])
def test_edits_share_a_hunk_when_their_contexts_meet(apart: int, hunks: int) -> None:
    at = NUMBERS.index(f"\n{apart + 1}\n") + 1

    shown = unified_diff([TextPatch("f", NUMBERS, (Edit(0, 1, "A"), Edit(at, at + 1, "B")))])
    assert shown.count("@@ -") == hunks


def test_texts_without_edits_are_not_shown() -> None:
    assert unified_diff([TextPatch("f", "a\n", ())]) == ""


@pytest.mark.skipif(PATCH is None, reason="the program patch is not there")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_patch_program_makes_the_text_after_of_the_text_before(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.text("ab\n", min_size=1, max_size=60))
    edits = data.draw(edit_sets(len(text)).filter(bool))
    patch = TextPatch("f", text, edits)
    if patch.after in (text, ""):
        return
    (tmp_path / "f").write_bytes(text.encode())
    assert PATCH is not None
    command = [PATCH, "--silent", "--fuzz=0", "--no-backup-if-mismatch", "f"]
    done = subprocess.run(command, input=unified_diff([patch]).encode(), cwd=tmp_path, capture_output=True, check=False)

    assert (done.returncode, (tmp_path / "f").read_bytes()) == (0, patch.after.encode())
