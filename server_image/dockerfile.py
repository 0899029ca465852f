"""The Python version in the FROM lines of a Dockerfile: where it stands, and the edits that change it. Pure.

A base may be written out (``FROM python:3.9-slim``) or come from ARGs before the first FROM
(``ARG BASE_IMAGE=python:3.9-slim``); the version is changed where it stands. Whatever cannot be changed so is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ksconfig.errors import Refused, UsageError
from ksconfig.text.spans import Edit, position_of
from server_image.words import EMPTY, Instruction, Word, instructions

_WANTED = re.compile(r"\d+\.\d+(\.\d+)?((a|b|rc)\d+)?")
#: A tag of an image python: the version is what it begins with ("3.9", "3.9.17", "3", "3.14-rc", "3.14.0rc1").
_VERSION = re.compile(r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+|-rc)?(?=-|$)")
#: A tag of another image that says which Python is in it ("ghcr.io/astral-sh/uv:python3.12-bookworm").
_NAMED_VERSION = re.compile(r"(?:^|[-_.])python-?(\d+(?:\.\d+)+)(?=-|$)")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])((?:[^{}\\]|\{[^{}]*\})*))?\})", re.ASCII)


class Base(NamedTuple):
    """The image of a FROM line, after its ARGs.

    Attributes:
        image: as the build tool will see it.
        line: of the FROM, from 1.
        stage: whether it is an earlier stage of the same file.
    """

    image: str
    line: int
    stage: bool = False


class Remark(NamedTuple):
    """A line that names the old Python and is left as it is."""

    line: int
    text: str


class PythonChange(NamedTuple):
    """What becomes of a Dockerfile.

    Attributes:
        edits: on its text; none if it has the wanted Python already.
        bases: the FROM lines, as they are before the change.
        remarks: other lines that name the old Python.
        others: the images that other instructions take files from, as they stand there.
    """

    edits: tuple[Edit, ...]
    bases: tuple[Base, ...]
    remarks: tuple[Remark, ...]
    others: tuple[str, ...] = ()


def change_python(text: str, version: str) -> PythonChange:
    """The edits that give every Python base of a Dockerfile another version.

    Raises:
        UsageError: the version is none.
        Refused: there is no Python base, or one whose version cannot be changed where it stands.
    """
    if not _WANTED.fullmatch(version):
        raise UsageError(f'"{version}" is no Python version', advice="Write it like 3.8 or 3.8.20.")
    bases = []
    edits: dict[tuple[int, int], Edit] = {}
    old: set[str] = set()
    found = False
    for from_, image, stage in _froms(text):
        bases.append(Base(image.text, from_.line, stage))
        place = None if stage else _version_in(image, from_.line)
        if place is None:
            continue
        found = True
        start, end = _span(place, image.text, from_.line)
        old.add(text[start:end])
        if text[start:end] != version:
            edits[start, end] = Edit(start, end, version)
    if not found:
        raise _no_python(bases)
    changed = tuple(edits[key] for key in sorted(edits))
    remarks = tuple(_remarks(text, changed, old - {version}))
    return PythonChange(changed, tuple(bases), remarks, tuple(_taken_from(text)))


def _no_python(bases: Iterable[Base]) -> Refused:
    lines = [f"line {base.line}: FROM {base.image}" for base in bases]
    if not lines:
        return Refused("it has no FROM line", advice="Name another file with --file.")
    return Refused(
        f"no FROM line names an image of Python with its version ({'; '.join(lines)})",
        advice="The Python of such a base cannot be changed by its tag: use a base like python:3.9-slim.",
    )


def _froms(text: str) -> Iterator[tuple[Instruction, Word, bool]]:
    """Each FROM with its image, ARGs filled in, and whether that is an earlier stage."""
    arguments: dict[str, Word | None] = {}
    stages: set[str] = set()
    seen = False
    for one in instructions(text):
        if one.name == "ARG" and not seen:
            for word in one.words:
                name, equals, _ = word.text.partition("=")
                value = word.part(len(name) + 1, len(word.text)) if equals else None
                # an ARG again without a default keeps the one that it has
                if value is not None or name not in arguments:
                    arguments[name] = value and _filled(value, arguments, one, quietly=True)
        elif one.name == "FROM":
            seen = True
            words = [word for word in one.words if not word.text.startswith("--")]
            if not words:
                raise Refused(f"line {one.line}: FROM names no image")
            image = _filled(words[0], arguments, one)
            if image is None or not image.text:
                raise Refused(f"line {one.line}: FROM {words[0].text} comes to nothing")
            stage = image.text.lower() in stages
            yield one, image, stage
            if len(words) == 3 and words[1].text.upper() == "AS":
                stages.add(words[2].text.lower())


def _taken_from(text: str) -> Iterator[str]:
    """The images that COPY --from and RUN --mount name which are no stages."""
    stages: set[str] = set()
    count = 0
    for one in instructions(text):
        if one.name == "FROM":
            names = [word.text.lower() for word in one.words if not word.text.startswith("--")]
            stages |= {str(count), *names[2:]}
            count += 1
        for word in one.words:
            option = word.text.strip("\"'")
            if option.startswith("--from="):
                named = option.removeprefix("--from=")
            elif option.startswith("--mount="):
                parts = option.removeprefix("--mount=").split(",")
                named = next((part.removeprefix("from=") for part in parts if part.startswith("from=")), "")
            else:
                continue
            named = named.strip("\"'")
            if named and named.lower() not in stages:
                yield named


def _filled(word: Word, arguments: Mapping[str, Word | None], at: Instruction, *, quietly: bool = False) -> Word | None:
    """A word without its quotes and with its variables filled in.

    Args:
        quietly: give None where a variable has no value; in an ARG that need not matter.
    """
    result, position, quote = EMPTY, 0, ""
    text = word.text
    while position < len(text):
        character = text[position]
        if character == at.escape and quote != "'" and position + 1 < len(text):
            result += word.part(position + 1, position + 2)
            position += 2
        elif character in "\"'" and quote in ("", character):
            quote = "" if quote else character
            position += 1
        elif character == "$" and quote != "'":
            variable = _VARIABLE.match(text, position)
            if variable is None and quietly:
                return None
            if variable is None:
                raise Refused(f"line {at.line}: {text} holds a variable in a form that is not understood")
            value = _value(word, variable, arguments, at)
            if value is None:
                if quietly:
                    return None
                raise _no_default(variable[1] or variable[2], word, at)
            result += value
            position = variable.end()
        else:
            result += word.part(position, position + 1)
            position += 1
    return result


def _value(word: Word, variable: re.Match[str], arguments: Mapping[str, Word | None], at: Instruction) -> Word | None:
    value = arguments.get(variable[1] or variable[2])
    operator = variable[3] or ""
    if not operator:
        return value
    other = word.part(variable.start(4), variable.end(4))
    present = value is not None and (bool(value.text) or ":" not in operator)
    if operator.endswith("+"):
        return _filled(other, arguments, at) if present else EMPTY
    return value if present else _filled(other, arguments, at)


def _no_default(name: str, word: Word, at: Instruction) -> Refused:
    return Refused(
        f"line {at.line}: FROM {word.text} is built from the ARG {name}, which has no default before the first FROM",
        advice=f"Give it one in the Dockerfile, like ARG {name}=..., so that it can be told what the base is.",
    )


def _version_in(image: Word, line: int) -> Word | None:
    """The version in an image of Python; None in any other.

    Raises:
        Refused: it is an image of Python whose tag does not decide the version.
    """
    name, at, _ = image.text.partition("@")
    slash, colon = name.rfind("/"), name.rfind(":")
    repository, tag_at = (name[:colon], colon + 1) if colon > slash else (name, len(name))
    tag = name[tag_at:]
    is_python = repository.rpartition("/")[2] == "python"
    found = _VERSION.match(tag) if is_python else _NAMED_VERSION.search(tag)
    if not is_python and not found:
        return None
    if at:
        raise Refused(
            f"line {line}: FROM {image.text} is held by its digest, so another tag would change nothing",
            advice="Take the digest out of the Dockerfile, or write that of the other Python.",
        )
    if not found:
        raise Refused(
            f"line {line}: FROM {image.text} says no version of Python",
            advice="Write one, like python:3.9-slim, so that it can be changed.",
        )
    start, end = found.span(1 if not is_python else 0)
    return image.part(tag_at + start, tag_at + end)


def _span(version: Word, image: str, line: int) -> tuple[int, int]:
    """Where a version stands in the file, if it stands there in one piece."""
    first = version.offsets[0]
    if first is None or version.offsets != tuple(range(first, first + len(version.text))):
        raise Refused(
            f"line {line}: the version {version.text} of FROM {image} does not stand in one piece",
            advice="Write it in one ARG, like ARG PYTHON_VERSION=3.9.",
        )
    return first, first + len(version.text)


def _remarks(text: str, edits: tuple[Edit, ...], old: Iterable[str]) -> Iterator[Remark]:
    """Lines that the change leaves and that name the old Python: a path to its packages, a COPY from its image."""
    minors = {".".join(version.split(".")[:2]) for version in old if "." in version}
    if not minors:
        return
    versions = "|".join(re.escape(minor) for minor in sorted(minors))
    named = re.compile(rf"python[:\-]?(?:{versions})(?!\d)", re.IGNORECASE)
    changed = {position_of(text, edit.start).line for edit in edits}
    for number, line in enumerate(text.split("\n"), 1):
        if number not in changed and not line.lstrip().startswith("#") and named.search(line):
            yield Remark(number, line.strip())


__all__ = ["Base", "PythonChange", "Remark", "change_python"]
