"""The hook for pre-commit does what docs/gitops.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.stories import ROOT, File, all_stories

(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
EXAMPLE = (ROOT / "examples/inferenceservice-config.yaml").read_text()


def as_shown() -> Any:
    """The configuration of docs/gitops.md."""
    files = [step for story in all_stories() for step in story.steps if isinstance(step, File)]
    (text,) = [file.text for file in files if file.name == ".pre-commit-config.yaml"]
    (hook,) = yaml.safe_load(text)["repos"][0]["hooks"]
    return hook


@pytest.mark.parametrize(("text", "code"), [(EXAMPLE, 0), (EXAMPLE.replace('"1Gi",', '"1Gi",,'), 3)])
def test_the_hook_looks_at_the_directory_that_is_named(tmp_path: Path, text: str, code: int) -> None:
    shown = as_shown()
    assert shown["id"] == HOOK["id"]
    assert HOOK["pass_filenames"] is False
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/kserve.yaml").write_text(text)
    program, *words = HOOK["entry"].split()
    assert (program, HOOK["language"]) == ("ksconfig", "python")
    command = [sys.executable, "-m", program, *words, *shown["args"]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr


def test_without_arguments_it_looks_at_the_whole_repository(tmp_path: Path) -> None:
    (tmp_path / "kserve.yml").write_text(EXAMPLE)
    command = [sys.executable, "-m", *HOOK["entry"].split(), *HOOK["args"]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "taken"), [("a/b.yaml", True), ("b.yml", True), ("b.json", True), ("b.py", False)])
def test_it_runs_for_manifests(name: str, taken: bool) -> None:
    assert bool(re.search(HOOK["files"], name)) is taken
