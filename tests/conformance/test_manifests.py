"""What is read of a folder of manifests."""

from __future__ import annotations

from pathlib import Path

from conformance.manifests import read

SERVICE = "{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: %s}, spec: {}}"


def test_files_of_all_folders_are_read_document_by_document(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.yaml").write_text(f"{SERVICE % 'one'}\n---\n# nothing\n---\n{SERVICE % 'two'}\n...\n")
    (tmp_path / "b" / "c.yml").write_text("kind: List\nitems:\n- " + SERVICE % "three")
    (tmp_path / "d.json").write_text('{"kind": "Namespace", "metadata": {"name": "n"}}')
    (tmp_path / "e.txt").write_text(SERVICE % "four")
    assert [str(one) for one in read(tmp_path)] == [
        "a.yaml InferenceService one",
        "a.yaml InferenceService two",
        "b/c.yml InferenceService three",
        "d.json Namespace n",
    ]


def test_a_broken_document_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        f"{SERVICE % 'one'}\n---\na: [b\n---\njust words\n---\nkind: X\n---\n{SERVICE % 'two'}"
    )
    found = read(tmp_path)
    assert [bool(one.problem) for one in found] == [False, True, True, True, False]
    assert found[1].problem.startswith("no YAML")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in read(tmp_path)[0].problem


def test_a_date_is_a_string(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{kind: X, metadata: {name: n, labels: {day: 2026-01-01}}}")
    assert read(tmp_path)[0].object["metadata"]["labels"] == {"day": "2026-01-01"}
