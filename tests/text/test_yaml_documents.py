"""A stream is split into its documents without being read."""

from __future__ import annotations

import pytest

from ksconfig.text.yaml_documents import kind_of, split_documents


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("", []),
        ("# only\n", []),
        ("\n\n  \n", []),
        ("...\n", []),
        ("a: 1", ["a: 1"]),
        ("a: 1\n---\nb: 2\n", ["a: 1\n", "---\nb: 2\n"]),
        ("---\na: 1\n---\nb: 2", ["---\na: 1\n", "---\nb: 2"]),
        ("--- {a: 1}\n---\tb\n", ["--- {a: 1}\n", "---\tb\n"]),
        ("a: 1\n...\nb: 2\n", ["a: 1\n...\n", "b: 2\n"]),
        ("%YAML 1.2\n---\na: 1\n", ["%YAML 1.2\n---\na: 1\n"]),
        ("a: 1\n...\n%YAML 1.2\n---\nb: 2\n", ["a: 1\n...\n", "%YAML 1.2\n---\nb: 2\n"]),
        ("\ufeff---\na: 1\n", ["---\na: 1\n"]),
        ("\ufeffa: 1\n---\nb: 2\n", ["a: 1\n", "---\nb: 2\n"]),
        ("a: 1\r\n---\r\nb: 2\r\n", ["a: 1\r\n", "---\r\nb: 2\r\n"]),
        ("# c\n---\na: 1\n# d\n---\n# e\nb: 1\n", ["# c\n---\na: 1\n# d\n", "---\n# e\nb: 1\n"]),
        ('a: "x\n  --- y"\nb: 1\n', ['a: "x\n  --- y"\nb: 1\n']),
        ("a: |\n  ---\n  ...\nb: 1\n", ["a: |\n  ---\n  ...\nb: 1\n"]),
        ("---x\na: 1\n----\n", ["---x\na: 1\n----\n"]),
    ],
)
def test_documents_begin_at_markers_that_stand_at_the_start_of_a_line(text: str, documents: list[str]) -> None:
    found = list(split_documents(text))

    assert [document.source for document in found] == documents
    assert all(text[document.start : document.end] == document.source for document in found)


def test_offsets_count_the_byte_order_mark() -> None:
    assert [(d.start, d.end) for d in split_documents("\ufeffa\n---\nb")] == [(1, 3), (3, 8)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("kind: ConfigMap\n", "ConfigMap"),
        ("a: 1\nkind: ConfigMap # c\n", "ConfigMap"),
        ('"kind": "ConfigMap"\n', "ConfigMap"),
        ("'kind' : 'ConfigMap'\r\n", "ConfigMap"),
        ("kind:\tConfigMap\n", "ConfigMap"),
        ("---\nkind: ConfigMap\n", "ConfigMap"),
        ("x:\n  kind: Other\nkind: ConfigMap\n", "ConfigMap"),
        ("kind:\n", ""),
        (" kind: ConfigMap\n", None),
        ('{"kind": "ConfigMap"}', None),
        ("kinds: ConfigMap\n", None),
        ("# kind: ConfigMap\na: 1\n", None),
    ],
)
def test_the_kind_is_the_word_on_the_kind_line_of_the_first_column(text: str, kind: str | None) -> None:
    assert kind_of(next(split_documents(text))) == kind


def test_the_kind_of_another_document_is_not_taken() -> None:
    first, second, third = split_documents("a: 1\n---\nkind: B\n---\nc: 1\n")

    assert [kind_of(first), kind_of(second), kind_of(third)] == [None, "B", None]
