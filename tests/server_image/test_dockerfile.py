"""The Python version in the FROM lines of a Dockerfile: where it is found, changed, and refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksconfig.errors import Refused, UsageError
from ksconfig.text.spans import apply_edits
from server_image.dockerfile import change_python


def changed(text: str, version: str = "3.8") -> str:
    return apply_edits(text, change_python(text, version).edits)


CHANGES = {
    "plain": ("FROM python:3.9-slim-bullseye\n", "FROM python:3.8-slim-bullseye\n"),
    "no-suffix": ("FROM python:3.9", "FROM python:3.8"),
    "patch": ("FROM python:3.9.17-slim\n", "FROM python:3.8-slim\n"),
    "major": ("FROM python:3\n", "FROM python:3.8\n"),
    "candidate": ("FROM python:3.14.0rc1-slim\n", "FROM python:3.8-slim\n"),
    "candidate-of-a-minor": ("FROM python:3.14-rc-slim\n", "FROM python:3.8-slim\n"),
    "lower-case": ("from python:3.9 as x\n", "from python:3.8 as x\n"),
    "platform": ("FROM --platform=$BUILDPLATFORM python:3.9 AS x\n", "FROM --platform=$BUILDPLATFORM python:3.8 AS x\n"),
    "registry": ("FROM reg.example:5000/mirror/python:3.9-slim\n", "FROM reg.example:5000/mirror/python:3.8-slim\n"),
    "library": ("FROM docker.io/library/python:3.11\n", "FROM docker.io/library/python:3.8\n"),
    "other-image": ("FROM ghcr.io/astral-sh/uv:python3.12-bookworm\n", "FROM ghcr.io/astral-sh/uv:python3.8-bookworm\n"),
    "crlf": ("FROM python:3.9\r\nRUN x\r\n", "FROM python:3.8\r\nRUN x\r\n"),
    "mark": ("\ufeffFROM python:3.9\n", "\ufeffFROM python:3.8\n"),
    "spaces": ("  \tFROM\t  python:3.9  \n", "  \tFROM\t  python:3.8  \n"),
    "quotes": ('FROM "python:3.9"\n', 'FROM "python:3.8"\n'),
    "continued": ("FROM \\\n  # which one\n\n  python:3.9 \\\n  AS x\n", "FROM \\\n  # which one\n\n  python:3.8 \\\n  AS x\n"),
    "continued-crlf": ("FROM \\\r\n python:3.9\r\n", "FROM \\\r\n python:3.8\r\n"),
    "escape": ("# escape=`\nFROM `\n python:3.9\n", "# escape=`\nFROM `\n python:3.8\n"),
    "no-directive-after-a-comment": ("# hi\n# escape=`\nFROM \\\n python:3.9\n", "# hi\n# escape=`\nFROM \\\n python:3.8\n"),
    "comment": ("# FROM python:3.9\nFROM python:3.9\n", "# FROM python:3.9\nFROM python:3.8\n"),
    "here-document": (
        "FROM python:3.9\nRUN <<EOF cat <<-'END'\nFROM python:3.9\nEOF\n\tFROM python:3.9\n\tEND\nFROM python:3.9 AS b\n",
        "FROM python:3.8\nRUN <<EOF cat <<-'END'\nFROM python:3.9\nEOF\n\tFROM python:3.9\n\tEND\nFROM python:3.8 AS b\n",
    ),
    "here-document-of-any-name": (
        "FROM python:3.9\nRUN <<'the-end'\nFROM python:3.9\nthe-end\nFROM python:3.9 AS b\n",
        "FROM python:3.8\nRUN <<'the-end'\nFROM python:3.9\nthe-end\nFROM python:3.8 AS b\n",
    ),
    "here-document-for-later": (
        "FROM python:3.9\nONBUILD RUN <<EOF\nFROM python:3.9\nEOF\nFROM python:3.9 AS b\n",
        "FROM python:3.8\nONBUILD RUN <<EOF\nFROM python:3.9\nEOF\nFROM python:3.8 AS b\n",
    ),
    "no-here-document": (
        'FROM python:3.9\nRUN python -c "print(1 <<n)" && cat <<<word\nFROM python:3.9 AS b\n',
        'FROM python:3.8\nRUN python -c "print(1 <<n)" && cat <<<word\nFROM python:3.8 AS b\n',
    ),
    "no-continuation": (
        "FROM python:3.9\nRUN echo \\\\\nFROM python:3.9 AS b\n",
        "FROM python:3.8\nRUN echo \\\\\nFROM python:3.8 AS b\n",
    ),
    "stages": (
        "FROM python:3.9-slim AS builder\nFROM builder AS more\nFROM python:3.9-slim\nCOPY --from=builder /a /b\n",
        "FROM python:3.8-slim AS builder\nFROM builder AS more\nFROM python:3.8-slim\nCOPY --from=builder /a /b\n",
    ),
    "others-stay": ("FROM golang:1.22 AS go\nFROM python:3.9\nFROM scratch\n", "FROM golang:1.22 AS go\nFROM python:3.8\nFROM scratch\n"),
    "stage-called-python": ("FROM python:3.9 AS Python\nFROM python\n", "FROM python:3.8 AS Python\nFROM python\n"),
    "arg-version": ("ARG PYTHON_VERSION=3.9\nFROM python:${PYTHON_VERSION}-slim\n", "ARG PYTHON_VERSION=3.8\nFROM python:${PYTHON_VERSION}-slim\n"),
    "arg-image": (
        "ARG BASE_IMAGE=python:3.9-slim-bullseye\nFROM ${BASE_IMAGE} AS a\nFROM $BASE_IMAGE AS b\n",
        "ARG BASE_IMAGE=python:3.8-slim-bullseye\nFROM ${BASE_IMAGE} AS a\nFROM $BASE_IMAGE AS b\n",
    ),
    "arg-quoted": ('ARG V="3.9"\nFROM python:$V\n', 'ARG V="3.8"\nFROM python:$V\n'),
    "arg-in-arg": ("ARG V=3.9 S=slim\nARG B=python:${V}-$S\nFROM $B\n", "ARG V=3.8 S=slim\nARG B=python:${V}-$S\nFROM $B\n"),
    "arg-twice": ("ARG V=3.9\nARG V=3.10\nFROM python:$V\n", "ARG V=3.9\nARG V=3.8\nFROM python:$V\n"),
    "arg-again": ("ARG V=3.9\nARG V\nFROM python:$V\n", "ARG V=3.8\nARG V\nFROM python:$V\n"),
    "arg-of-a-stage": ("ARG V=3.9\nFROM python:$V\nARG V=3.7\nRUN x\n", "ARG V=3.8\nFROM python:$V\nARG V=3.7\nRUN x\n"),
    "default-in-from": ("FROM python:${V:-3.9}-slim\n", "FROM python:${V:-3.8}-slim\n"),
    "empty-arg": ("ARG V=\nFROM python:${V:-3.9}\n", "ARG V=\nFROM python:${V:-3.8}\n"),
    "alternative": ("ARG V=1\nFROM python:3.9${V:+-slim}\n", "ARG V=1\nFROM python:3.8${V:+-slim}\n"),
    "unused-arg": ("ARG X=${Y%.*}\nARG Z\nFROM python:3.9\n", "ARG X=${Y%.*}\nARG Z\nFROM python:3.8\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_version_changes_where_it_stands(name: str) -> None:
    before, after = CHANGES[name]
    assert changed(before) == after
    assert changed(after) == after


REFUSALS = {
    "no-from": ("RUN x\n", "no FROM line"),
    "no-python": ("FROM debian:12\n", "line 1: FROM debian:12"),
    "like-python": ("FROM cpython:3.9\n", "no FROM line names"),
    "in-the-name": ("FROM registry.access.redhat.com/ubi8/python-39:1-1\n", "no FROM line names"),
    "no-tag": ("FROM python\n", "says no version"),
    "latest": ("FROM python:latest\n", "says no version"),
    "suffix-alone": ("FROM python:slim\n", "says no version"),
    "digest": ("FROM python:3.9@sha256:" + "0" * 64 + "\n", "held by its digest"),
    "no-default": ("ARG BASE\nFROM $BASE\n", "the ARG BASE, which has no default"),
    "undeclared": ("FROM python:$V\n", "the ARG V, which has no default"),
    "declared-too-late": ("FROM debian:12\nARG V=3.9\nFROM python:$V\n", "the ARG V, which has no default"),
    "two-args": ("ARG A=3\nARG B=9\nFROM python:$A.$B\n", "does not stand in one piece"),
    "half-an-arg": ("ARG B=9\nFROM python:3.$B\n", "does not stand in one piece"),
    "broken-over-lines": ("FROM python:3.\\\n9\n", "does not stand in one piece"),
    "empty": ("ARG A=\nFROM $A\n", "comes to nothing"),
    "no-image": ("FROM --platform=linux/amd64\n", "names no image"),
    "odd-variable": ("ARG A=3.9.1\nFROM python:${A%.*}\n", "not understood"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_changed_is_refused_with_the_reason(name: str) -> None:
    text, reason = REFUSALS[name]
    with pytest.raises(Refused) as caught:
        change_python(text, "3.8")
    assert reason in str(caught.value)
    assert caught.value.advice or name in ("no-image", "empty", "odd-variable")


@pytest.mark.parametrize("version", ["3", "py38", "3.8-slim", "", "3.8\n", "latest"])
def test_a_version_that_is_none(version: str) -> None:
    with pytest.raises(UsageError, match="is no Python version"):
        change_python("FROM python:3.9", version)


def test_lines_that_name_the_old_python_are_told() -> None:
    text = "FROM python:3.9.1\nCOPY --from=x /usr/lib/python3.9/a /b\n# python3.9\nRUN python3.90\nRUN python3.9 -V\n"
    change = change_python(text, "3.8")
    assert [remark.line for remark in change.remarks] == [2, 5]
    assert not change_python(text, "3.9.1").remarks


def test_the_bases_are_told() -> None:
    change = change_python("ARG B=python:3.9\nFROM $B AS a\nFROM a\nFROM scratch\n", "3.8")
    assert [(base.image, base.line, base.stage) for base in change.bases] == [
        ("python:3.9", 2, False),
        ("a", 3, True),
        ("scratch", 4, False),
    ]


_LINES = st.sampled_from(
    [
        "# a comment, FROM python:3.9", "", "RUN echo FROM python:3.9", "RUN a \\", "ENV PYTHON=3.9", "COPY . .",
        "FROM debian:12 AS base", "RUN <<EOF", "EOF", 'CMD ["python", "3.9"]', "ARG A=3.9", "\t", "# escape=`",
        "LABEL é=\U0001f600", "FROM base",
    ]
)  # fmt: skip
_FROMS = st.sampled_from(
    ["FROM python:{}", "from python:{}-slim AS b", "FROM --platform=linux/amd64 \\\n\n  reg:5000/x/python:{}-a AS c"]
)


@given(
    st.lists(_LINES | st.text(st.characters(codec="utf-8", exclude_characters="<"), max_size=20), max_size=5),
    st.lists(st.tuples(_FROMS, st.lists(_LINES, max_size=4)), min_size=1, max_size=3),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["3.9", "3.10.4", "3"]),
)
def test_all_bytes_outside_versions_stay(
    before: list[str], parts: list[tuple[str, list[str]]], end: str, old: str
) -> None:
    lines = [*before, *(line for from_, more in parts for line in (from_.format(old), *more))]
    text = end.join(lines).replace("\r\n", "\n").replace("\n", end)
    try:
        change = change_python(text, "3.8")
    except Refused:
        return  # a line before the first FROM continues into it, say
    position = 0
    for edit in change.edits:
        assert text[edit.start : edit.end] == old
        assert text[: edit.start].endswith("python:")
        assert edit.start >= position
        position = edit.end
    after = apply_edits(text, change.edits)
    pieces = [text[: change.edits[0].start]] if change.edits else [text]
    for edit, following in zip(change.edits, [*change.edits[1:], None], strict=True):
        pieces.append(text[edit.end : following.start if following else len(text)])
    assert after == "3.8".join(pieces)
    assert apply_edits(after, change_python(after, "3.8").edits) == after


@given(st.text())
def test_any_text_is_changed_or_refused(text: str) -> None:
    with_base = f"FROM python:3.9\n{text}"
    with suppress(Refused):
        assert changed(with_base).startswith("FROM python:3.8\n")
    with suppress(Refused):
        change_python(text, "3.8")
