"""Edits as spans on a text, and the places of a text as a person names them.

An `Edit` replaces ``text[start:end]``; offsets are code points of the *original* text, end exclusive. Edits of one
set do not overlap; two insertions at the same offset are not allowed either, so a set has one meaning whatever its
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ksconfig.errors import InvalidDocument


class Edit(NamedTuple):
    """Replace the code points ``start`` to ``end`` (exclusive) of a text by ``text``."""

    start: int
    end: int
    text: str


def ordered(edits: Iterable[Edit], length: int) -> tuple[Edit, ...]:
    """The edits by their place; ValueError when two touch the same place or one lies outside a text of that length."""
    result = tuple(sorted(edits))
    last_end, last_start = 0, -1
    for edit in result:
        if not last_end <= edit.start <= edit.end <= length or edit.start == last_start:
            raise ValueError(f"edit {edit.start}:{edit.end} overlaps another one or leaves the text (length {length})")
        last_end, last_start = edit.end, edit.start
    return result


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits; everything outside their spans is the same."""
    pieces: list[str] = []
    position = 0
    for edit in ordered(edits, len(text)):
        pieces += (text[position : edit.start], edit.text)
        position = edit.end
    pieces.append(text[position:])
    return "".join(pieces)


def invert_edits(text: str, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits that turn ``apply_edits(text, edits)`` back into ``text``."""
    inverse, shift = [], 0
    for edit in _joined(ordered(edits, len(text))):
        start = edit.start + shift
        inverse.append(Edit(start, start + len(edit.text), text[edit.start : edit.end]))
        shift += len(edit.text) - (edit.end - edit.start)
    return tuple(inverse)


def _joined(edits: Iterable[Edit]) -> list[Edit]:
    """Edits that touch, as one; their inverses would else begin at the same place."""
    result: list[Edit] = []
    for edit in edits:
        if result and result[-1].end == edit.start:
            edit = Edit(result[-1].start, edit.end, result.pop().text + edit.text)  # noqa: PLW2901
        result.append(edit)
    return result


class EditedText:
    """A text under a series of edits, each made on the result of those before it.

    It remembers which stretches of the original are still there (a piece table), so that at the end the whole series
    can be said as one set of edits on the original text.
    """

    def __init__(self, original: str) -> None:
        self.original = original
        self.text = original
        self._pieces: _Pieces = [(0, len(original))]

    def edit(self, edits: Iterable[Edit]) -> None:
        """Make edits whose offsets count in the present text."""
        pending = ordered(edits, len(self.text))
        for edit in reversed(pending):
            head, rest = _split(self._pieces, edit.start)
            _, tail = _split(rest, edit.end - edit.start)
            self._pieces = [*head, edit.text, *tail]
        self.text = apply_edits(self.text, pending)

    def edits(self) -> tuple[Edit, ...]:
        """All of it as edits on the original text; stretches that ended as they began are left out."""
        result, position, new = [], 0, ""
        for piece in [*self._pieces, (len(self.original), len(self.original))]:
            if isinstance(piece, str):
                new += piece
                continue
            start, end = piece
            if self.original[position:start] != new:
                result.append(Edit(position, start, new))
            position, new = end, ""
        return tuple(result)


# A stretch of the original by its span (not by its characters, which would be a copy), or new text.
_Piece = tuple[int, int] | str
_Pieces = list[_Piece]


def _split(pieces: _Pieces, offset: int) -> tuple[_Pieces, _Pieces]:
    for index, piece in enumerate(pieces):
        length = len(piece) if isinstance(piece, str) else piece[1] - piece[0]
        if offset < length:
            if offset == 0:
                return pieces[:index], pieces[index:]
            before, behind = _cut(piece, offset)
            return [*pieces[:index], before], [behind, *pieces[index + 1 :]]
        offset -= length
    return pieces, []


def _cut(piece: _Piece, offset: int) -> tuple[_Piece, _Piece]:
    if isinstance(piece, str):
        return piece[:offset], piece[offset:]
    middle = piece[0] + offset
    return (piece[0], middle), (middle, piece[1])


class Position(NamedTuple):
    """A place in a text: line and column, both counted from 1, the column in code points."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


def position_of(text: str, offset: int) -> Position:
    """Line and column of an offset; a line ends at a line feed."""
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


class Lines:
    """A text whose places are asked for many times: each answer costs a block of it, not all that stands before."""

    _BLOCK = 1 << 16

    def __init__(self, text: str) -> None:
        self.text = text
        self._counts = [0]  # the line feeds before each block, as far as asked for

    def position(self, offset: int) -> Position:
        """As `position_of`."""
        block = offset // self._BLOCK
        for index in range(len(self._counts) - 1, block):
            start = index * self._BLOCK
            self._counts.append(self._counts[-1] + self.text.count("\n", start, start + self._BLOCK))
        line = self._counts[block] + self.text.count("\n", block * self._BLOCK, offset) + 1
        return Position(line, offset - self.text.rfind("\n", 0, offset))


_PICTURE_WIDTH = 60


def picture_of(text: str, offset: int) -> str:
    """The line of an offset with a caret under it, cut to fit a terminal of 80 columns."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : len(text) if end < 0 else end].rstrip("\r")
    caret = min(offset - start, len(line))
    first = max(0, min(caret - _PICTURE_WIDTH * 2 // 3, len(line) - _PICTURE_WIDTH))
    shown = line[first : first + _PICTURE_WIDTH]
    lead = "..." if first else ""
    tail = "..." if first + _PICTURE_WIDTH < len(line) else ""
    visible = "".join(c if c.isprintable() else "\u00b7" if c != "\t" else " " for c in shown)
    number = f"{text.count(chr(10), 0, start) + 1}"
    return f"  {number} | {lead}{visible}{tail}\n  {' ' * len(number)} | {' ' * (len(lead) + caret - first)}^"


def _same(offset: int) -> int:
    return offset


class Origin(NamedTuple):
    """Where a text stands inside a larger one, so that its faults can be shown where a person finds them.

    Attributes:
        source: the text that a person would open (a file); the text itself if it stands alone.
        label: what that is called ("kserve.yaml", "configmap kserve/inferenceservice-config"), or None.
        to_source: from an offset in the text to one in ``source``.
    """

    source: str
    label: str | None = None
    to_source: Callable[[int], int] = _same

    def position(self, offset: int) -> Position:
        """Line and column in ``source`` of an offset in the text."""
        return position_of(self.source, self.to_source(offset))

    def picture(self, offset: int) -> str:
        """The line of ``source`` with a caret."""
        return picture_of(self.source, self.to_source(offset))

    def fault(self, offset: int, reason: str) -> InvalidDocument:
        """The error for a fault at an offset of the text, with its place and picture."""
        line, column = self.position(offset)
        return InvalidDocument(reason, line=line, column=column, label=self.label, picture=self.picture(offset))
