"""The content of YAML scalars in every style, decoded with the place of each stretch in the file.

Folding, escapes, chomping and indentation follow the YAML specification as ruamel.yaml reads it; `yaml_scalar` compares
the two.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Segment(NamedTuple):
    """A stretch of decoded text and the stretch of the file that it stands for.

    Of equal length, they correspond character by character; otherwise (an escape, a fold, CRLF) only as a whole.
    """

    start: int
    end: int
    source_start: int
    source_end: int


class Builder:
    """Collects decoded stretches in order."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[str] = []
        self.segments: list[Segment] = []
        self.length = 0

    def verbatim(self, start: int, end: int) -> None:
        if end > start:
            self.unit(self.source[start:end], start, end)

    def unit(self, text: str, start: int, end: int) -> None:
        if text:
            self.parts.append(text)
            self.segments.append(Segment(self.length, self.length + len(text), start, end))
            self.length += len(text)


_PROPERTY = re.compile(r"[&!][^\s]*(?:[ \t]|\r?\n|#[^\n]*\n)*")
_BREAK = re.compile(r"\r?\n")


def after_properties(source: str, start: int) -> int:
    while match := _PROPERTY.match(source, start):
        start = match.end()
    return start


# Flow scalars: plain, single-quoted, double-quoted

_PLAIN_RUN = re.compile(r"[^\s]+")
_SINGLE_RUN = re.compile(r"[^\s']+")
_DOUBLE_RUN = re.compile(r'[^\s"\\]+')
_BLANKS = re.compile(r"[ \t]*")
_ESCAPES = {
    "0": "\0", "a": "\x07", "b": "\x08", "t": "\t", "\t": "\t", "n": "\n", "v": "\x0b", "f": "\x0c", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "\\": "\\", "/": "/", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}


def decode_quoted(builder: Builder, start: int, style: str) -> int:
    """Decode from the opening quote; the offset of the closing one."""
    source, position = builder.source, start + 1
    while position < len(source):
        character = source[position]
        if style == "single":
            if character == "'" and source[position + 1 : position + 2] == "'":
                builder.unit("'", position, position + 2)
                position += 2
                continue
            if character == "'":
                return position
            position = _decode_run(builder, position, _SINGLE_RUN)
            continue
        if character == '"':
            return position
        if character == "\\":
            position = _decode_escape(builder, position, style)
        elif style == "json":
            end = _first(source, position, '"\\')
            builder.verbatim(position, end)
            position = end
        else:
            position = _decode_run(builder, position, _DOUBLE_RUN)
    return position


def _first(source: str, position: int, characters: str) -> int:
    ends = [end for character in characters if (end := source.find(character, position)) >= 0]
    return min(ends, default=len(source))


def _decode_escape(builder: Builder, position: int, style: str) -> int:
    source = builder.source
    code = source[position + 1]
    if code in "\r\n":  # an escaped line break joins the lines; empty lines behind it count
        return _line_breaks(builder, position + 1, keep_first=False)
    if code in _HEX:
        end = position + 2 + _HEX[code]
        value = int(source[position + 2 : end], 16)
        if style == "json" and 0xD800 <= value < 0xDC00 and source.startswith("\\u", end):
            low = int(source[end + 2 : end + 6], 16)
            if 0xDC00 <= low < 0xE000:
                value, end = 0x10000 + ((value & 0x3FF) << 10) + (low & 0x3FF), end + 6
        if style == "json" and 0xD800 <= value < 0xE000:
            value = 0xFFFD
        builder.unit(chr(value), position, end)
        return end
    builder.unit(_ESCAPES.get(code, code), position, position + 2)
    return position + 2


def _decode_run(builder: Builder, position: int, run: re.Pattern[str], end: int | None = None) -> int:
    """Decode characters without meaning, or white space with the line breaks in it."""
    source = builder.source
    if match := run.match(source, position, len(source) if end is None else end):
        builder.verbatim(position, match.end())
        return match.end()
    blanks = _BLANKS.match(source, position)
    after = blanks.end() if blanks else position
    if not _BREAK.match(source, after):
        after = max(after, position + 1)
        builder.verbatim(position, after)
        return after
    return _line_breaks(builder, after, keep_first=True, fold_start=position)


def _line_breaks(builder: Builder, position: int, *, keep_first: bool, fold_start: int | None = None) -> int:
    """Decode a line break and the blank lines behind it: one break is a space, each further one a line feed."""
    source = builder.source
    match = _BREAK.match(source, position)
    position = match.end() if match else position
    feeds: list[tuple[int, int]] = []
    while True:
        blanks = _BLANKS.match(source, position)
        after = blanks.end() if blanks else position
        match = _BREAK.match(source, after)
        if not match:
            break
        feeds.append((after, match.end()))
        position = match.end()
    if feeds:
        if fold_start is not None:  # the first line feed stands for the break before it too
            feeds[0] = (fold_start, feeds[0][1])
        for start, end in feeds:
            builder.unit("\n", start, end)
    elif keep_first and fold_start is not None:
        builder.unit(" ", fold_start, after)
    return after


def decode_plain(builder: Builder, start: int, end: int) -> None:
    position = start
    while position < end:
        position = _decode_run(builder, position, _PLAIN_RUN, end)


# Block scalars: literal and folded


class _Line(NamedTuple):
    """A line of a block scalar: its content (behind the indentation), and the line break after it."""

    start: int
    end: int
    break_end: int

    @property
    def broken(self) -> bool:
        return self.break_end > self.end


def decode_block(builder: Builder, start: int, column: int, folded: bool) -> tuple[int, int, int]:
    """Decode from the block header; start and end of the content, and its indentation."""
    source = builder.source
    header_end = source.find("\n", start)
    header = source[start + 1 : len(source) if header_end < 0 else header_end].split("#")[0].strip()
    chomping = next((c for c in header if c in "+-"), "")
    digits = [c for c in header if c.isdigit()]
    position = len(source) if header_end < 0 else header_end + 1
    begin = position
    indent = max(column, 0) + int(digits[0]) if digits else _detect_indent(source, position, column)
    lines: list[_Line] = []
    while position < len(source):
        line = _read_line(source, position, indent)
        if line is None:
            break
        lines.append(line)
        position = line.break_end
        if not line.broken:
            break
    _decode_lines(builder, lines, chomping, folded)
    content = [line for line in lines if line.end > line.start]
    return begin, content[-1].end if content else begin, indent


def _detect_indent(source: str, position: int, column: int) -> int:
    """The indentation of the first line that is not blank; at least one more than the mapping's.

    A blank line above it that is wider counts too, and makes the scalar unreadable: so do YAML readers see it.
    """
    widest = 0
    while position < len(source):
        end = source.find("\n", position)
        end = len(source) if end < 0 else end
        line = source[position:end].rstrip("\r")
        spaces = len(line) - len(line.lstrip(" "))
        if spaces < len(line):
            return max(spaces, widest, column + 1)
        widest = max(widest, spaces)
        position = end + 1
    return max(widest, column + 1)


def _read_line(source: str, position: int, indent: int) -> _Line | None:
    """The line at ``position``, or None if it no longer belongs to the block."""
    feed = source.find("\n", position)
    break_end = len(source) if feed < 0 else feed + 1
    end = break_end if feed < 0 else feed - (source[feed - 1 : feed] == "\r")
    end = max(end, position)
    start = position
    while start < end and start < position + indent and source[start] == " ":
        start += 1
    if start < position + indent and start < end:
        return None  # less indented, and not blank
    return _Line(start, end, break_end)


def _decode_lines(builder: Builder, lines: list[_Line], chomping: str, folded: bool) -> None:
    content = [index for index, line in enumerate(lines) if line.end > line.start]
    first, last = (content[0], content[-1]) if content else (len(lines), -1)
    for line in lines[:first] if content else []:
        _feed(builder, line)
    for index in range(first, last + 1):
        line = lines[index]
        if line.end == line.start:
            continue  # a blank line, decoded together with the content line before it
        builder.verbatim(line.start, line.end)
        if index == last:
            break
        blanks = index + 1
        while lines[blanks].end == lines[blanks].start:
            blanks += 1
        after = lines[blanks]
        source = builder.source
        if folded and source[line.start] not in " \t" and source[after.start] not in " \t":
            if blanks == index + 1:
                builder.unit(" ", line.end, line.break_end)
        else:
            _feed(builder, line)
        for blank in lines[index + 1 : blanks]:
            _feed(builder, blank)
    if chomping == "-":
        return
    if content and lines[last].broken:
        _feed(builder, lines[last])
    if chomping == "+":
        for line in lines[last + 1 :]:
            _feed(builder, line)


def _feed(builder: Builder, line: _Line) -> None:
    if line.broken:
        builder.unit("\n", line.end, line.break_end)
