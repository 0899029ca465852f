"""Unified diffs made from the edits themselves.

Comparing two texts of megabytes takes seconds and may show other lines than those that were edited; the spans are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ksconfig.text.spans import Edit, LineIndex, apply_edits, ordered


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
    """Lines ``first`` to ``last`` (exclusive, from 0) of the old text, and the text that takes their place."""

    first: int
    last: int
    new: str


def unified_diff(patches: Iterable[TextPatch], context: int = 3) -> str:
    """The diff of all texts that change, as ``diff -u`` would print it; "" if none does."""
    return "".join(_one(patch, context) for patch in patches if patch.edits)


def _one(patch: TextPatch, context: int) -> str:
    index = LineIndex(patch.text)
    blocks = _blocks(patch, index)
    count = len(index.starts) - 1 - (patch.text.endswith("\n") or not patch.text)  # lines, the last may be unended
    out = [f"--- {patch.label}\n", f"+++ {patch.label}\n"]
    shift = 0
    for group in _groups(blocks, context):
        first, last = max(0, group[0].first - context), min(count, group[-1].last + context)
        lines: list[str] = []
        position, old, new = first, 0, 0
        for block in group:
            same = _lines(patch.text, index, position, block.first)
            gone = _lines(patch.text, index, block.first, block.last)
            come = _split(block.new)
            lines += [f" {line}" for line in same]
            lines += [f"-{line}" for line in gone] + [f"+{line}" for line in come]
            old, new = old + len(same) + len(gone), new + len(same) + len(come)
            position = block.last
        rest = _lines(patch.text, index, position, last)
        lines += [f" {line}" for line in rest]
        old, new = old + len(rest), new + len(rest)
        out.append(f"@@ -{_range(first, old)} +{_range(first + shift, new)} @@\n")
        out += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
        shift += new - old
    return "".join(out)


def _blocks(patch: TextPatch, index: LineIndex) -> list[_Block]:
    """The edits as whole lines; edits that touch the same or neighbouring lines become one block."""
    text, blocks = patch.text, list[_Block]()
    pending: list[Edit] = []
    first = last = -1

    def close() -> None:
        start, end = index.starts[first], min(index.starts[last], len(text))
        moved = [Edit(edit.start - start, edit.end - start, edit.text) for edit in pending]
        blocks.append(_Block(first, last, apply_edits(text[start:end], moved)))

    for edit in ordered(patch.edits, len(text)):
        edit_first, edit_last = index.line_of(edit.start), index.line_of(edit.end) + 1
        if pending and edit_first <= last:
            last = max(last, edit_last)
        else:
            if pending:
                close()
            pending, first, last = [], edit_first, edit_last
        pending.append(edit)
    if pending:
        close()
    return blocks


def _groups(blocks: list[_Block], context: int) -> list[list[_Block]]:
    groups: list[list[_Block]] = []
    for block in blocks:
        if groups and block.first - groups[-1][-1].last <= 2 * context:
            groups[-1].append(block)
        else:
            groups.append([block])
    return groups


def _lines(text: str, index: LineIndex, first: int, last: int) -> list[str]:
    lines = [text[index.starts[i] : min(index.starts[i + 1], len(text))] for i in range(first, last)]
    return [line for line in lines if line]  # behind a final line feed stands no line


def _split(text: str) -> list[str]:
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _range(first: int, count: int) -> str:
    start = first + 1 if count else first
    return str(start) if count == 1 else f"{start},{count}"
