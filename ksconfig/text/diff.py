"""Unified diffs made from the edits themselves.

Comparing two texts of megabytes takes seconds and may show other lines than those that were edited; the spans are
known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ksconfig.text.spans import Edit, apply_edits, ordered


class TextPatch(NamedTuple):
    """A text and the edits on it: what is shown before a write and done by it.

    Attributes:
        label: what the text is called in a diff (a file name).
        text: the text before.
        edits: offsets in that text.
    """

    label: str
    text: str
    edits: tuple[Edit, ...]

    @property
    def after(self) -> str:
        """The text after the edits."""
        return apply_edits(self.text, self.edits)


class _Block(NamedTuple):
    """The old text from ``start`` to ``end``, whole lines, and the text that takes its place."""

    start: int
    end: int
    new: str


def unified_diff(patches: Iterable[TextPatch], context: int = 3) -> str:
    """The diff of all texts that change, as ``diff -u`` would print it; "" if none does."""
    return "".join(_one(patch, context) for patch in patches if patch.edits)


def _one(patch: TextPatch, context: int) -> str:
    text = patch.text
    out = [f"--- {patch.label}\n", f"+++ {patch.label}\n"]
    counted, line, shift = 0, 0, 0  # lines before the offset `counted`, and how many more the new text has
    for group in _groups(text, _blocks(patch), context):
        first, last = _back(text, group[0].start, context), _forward(text, group[-1].end, context)
        rows: list[str] = []
        position = first
        for block in group:
            rows += [f" {row}" for row in _rows(text[position : block.start])]
            rows += [f"-{row}" for row in _rows(text[block.start : block.end])]
            rows += [f"+{row}" for row in _rows(block.new)]
            position = block.end
        rows += [f" {row}" for row in _rows(text[position:last])]
        line += text.count("\n", counted, first)
        counted = first
        old = sum(row[0] != "+" for row in rows)
        new = sum(row[0] != "-" for row in rows)
        out.append(f"@@ -{_range(line, old)} +{_range(line + shift, new)} @@\n")
        out += [row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows]
        shift += new - old
    return "".join(out)


def _blocks(patch: TextPatch) -> list[_Block]:
    """The edits as whole lines; edits that touch the same or neighbouring lines become one block."""
    text = patch.text
    groups: list[tuple[int, int, list[Edit]]] = []
    for edit in ordered(patch.edits, len(text)):
        start = _back(text, edit.start, 0)
        whole_lines = edit.start == start and edit.end == _back(text, edit.end, 0) and edit.text.endswith("\n")
        end = edit.end if whole_lines else _forward(text, edit.end, 1)
        if groups and start <= groups[-1][1]:
            groups[-1][2].append(edit)
            groups[-1] = (groups[-1][0], max(end, groups[-1][1]), groups[-1][2])
        else:
            groups.append((start, end, [edit]))
    blocks = []
    for start, end, edits in groups:
        moved = [Edit(edit.start - start, edit.end - start, edit.text) for edit in edits]
        blocks.append(_Block(start, end, apply_edits(text[start:end], moved)))
    return blocks


def _groups(text: str, blocks: list[_Block], context: int) -> list[list[_Block]]:
    """Blocks that are so near to each other that they share a hunk."""
    groups: list[list[_Block]] = []
    for block in blocks:
        if groups and block.start <= _forward(text, groups[-1][-1].end, 2 * context):
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _back(text: str, offset: int, lines: int) -> int:
    """The start of the line that holds the offset, or of a line that many above it."""
    start = text.rfind("\n", 0, offset) + 1
    for _ in range(lines):
        start = text.rfind("\n", 0, max(start - 1, 0)) + 1
    return start


def _forward(text: str, offset: int, lines: int) -> int:
    """The offset behind that many line ends from here."""
    for _ in range(lines):
        end = text.find("\n", offset)
        if end < 0:
            return len(text)
        offset = end + 1
    return offset


def _rows(text: str) -> list[str]:
    """The lines with their ends; only a line feed ends a line."""
    rows = text.split("\n")
    return [f"{row}\n" for row in rows[:-1]] + ([rows[-1]] if rows[-1] else [])


def _range(before: int, count: int) -> str:
    start = before + 1 if count else before
    return str(start) if count == 1 else f"{start},{count}"
