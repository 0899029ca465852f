"""The text inside a YAML scalar, with a map from each of its places back to the file.

A config key is JSON inside a YAML scalar. To replace some characters of the JSON and nothing else, their span is taken
through this map to a span of the file, and only the replacement is encoded, in the style that the scalar already has.
Styles are never changed: what a style cannot hold is an `UnsupportedEdit`.

Our own decoding is compared with that of the YAML reader before it is used, so a layout that is misread here cannot
lead to a wrong edit.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

from ksconfig.errors import InvalidDocument, UnsupportedEdit
from ksconfig.text.json_write import string_content
from ksconfig.text.spans import Edit, apply_edits, position_of
from ksconfig.text.yaml_tree import STRING_TAG, YamlScalar


class Segment(NamedTuple):
    """A stretch of decoded text and the stretch of the file that it stands for.

    Of equal length, they correspond character by character; otherwise (an escape, a fold, CRLF) only as a whole.
    """

    start: int
    end: int
    source_start: int
    source_end: int


class _Builder:
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


class ScalarMap:
    """The decoded text of one scalar and its way back to the file.

    Attributes:
        text: the decoded text.
        start, end: the span of the scalar's content in the file (inside the quotes, behind a block header).
    """

    def __init__(self, source: str, scalar: YamlScalar, column: int, flow: bool) -> None:
        """Decode a scalar.

        Args:
            source: the whole file.
            scalar: a string scalar of it.
            column: the column of the mapping that holds it (a block scalar's indentation counts from there).
            flow: whether that mapping is in flow style.

        Raises:
            InvalidDocument: the decoding differs from the YAML reader's.
        """
        self.source = source
        self.style = scalar.style
        self._flow = flow
        self._column = column
        self._header = _after_properties(source, scalar.start)
        self._plain_end = scalar.end
        builder, self.start, self.end, self._indent = self._decode(source, self._plain_end)
        self.text = "".join(builder.parts)
        self.segments = builder.segments
        self._starts = [segment.start for segment in self.segments]
        if self.text != scalar.value:
            place = position_of(source, scalar.start)
            raise InvalidDocument(
                f"the {self.style} scalar is laid out in a way that ksconfig does not read like other YAML readers",
                line=place.line,
                column=place.column,
                advice="Write the value as a literal block (|-).",
            )

    def _decode(self, source: str, plain_end: int) -> tuple[_Builder, int, int, int]:
        builder, start = _Builder(source), self._header
        if self.style in ("literal", "folded"):
            return builder, *_decode_block(builder, start, self._column, self.style == "folded")
        if self.style == "plain":
            _decode_plain(builder, start, plain_end)
            return builder, start, plain_end, 0
        return builder, start + 1, _decode_quoted(builder, start, self.style), 0

    def to_source(self, offset: int) -> int:
        """The place in the file of an offset in the decoded text; of its end, the end of the content."""
        if not self.segments:
            return self.start
        segment = self.segments[bisect_right(self._starts, offset) - 1]
        if offset >= segment.end:
            return segment.source_end
        if _is_verbatim(segment):
            return segment.source_start + offset - segment.start
        return segment.source_start

    def to_source_edits(self, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        """Edits of the decoded text as edits of the file.

        Raises:
            UnsupportedEdit: the style cannot hold a replacement, or an edit begins or ends inside a character of the
                file that stands for several of the text.
        """
        result = []
        for edit in edits:
            self._refuse_inside(edit.start)
            self._refuse_inside(edit.end)
            end = self.to_source(edit.end)
            result.append(Edit(self.to_source(edit.start), end, self._encode(edit.text, end)))
        self._check_held(result, apply_edits(self.text, edits))
        return tuple(result)

    def _refuse_inside(self, offset: int) -> None:
        index = bisect_right(self._starts, offset) - 1
        segment = self.segments[index] if index >= 0 else None
        if segment and segment.start < offset < segment.end and not _is_verbatim(segment):
            raise UnsupportedEdit("the change would cut an escape of the YAML scalar in two")

    def _check_held(self, edits: list[Edit], wanted: str) -> None:
        """Decode the scalar again as it would stand: folds and trimmed spaces show here."""
        grown = sum(len(edit.text) - (edit.end - edit.start) for edit in edits)
        written = apply_edits(self.source, edits)
        builder, _, _, _ = self._decode(written, self._plain_end + grown)
        if "".join(builder.parts) != wanted:
            raise self._cannot_hold("the change without altering the lines around it")
        if self.style == "plain":
            self._check_plain(written[self._header : self._plain_end + grown], wanted)

    # Encoding

    def _encode(self, text: str, source_end: int) -> str:
        if self.style == "json":
            return string_content(text)
        if self.style == "double":
            return _encode_double(text)
        if unprintable := _UNPRINTABLE.search(text):
            raise self._cannot_hold(f"the character U+{ord(unprintable[0]):04X}")
        if self.style in ("literal", "folded"):
            newline = self._line_break()
            first, *others = text.split("\n")
            ends_line = self.source[source_end : source_end + 1] in ("", "\r", "\n")
            indented = [" " * self._indent + line if line else "" for line in others]
            if indented and not others[-1] and not ends_line:
                indented[-1] = " " * self._indent
            return newline.join([first, *indented])
        if "\n" in text:
            raise self._cannot_hold("a line break")
        return text.replace("'", "''") if self.style == "single" else text

    def _line_break(self) -> str:
        line_end = self.source.find("\n", self.start)
        if line_end < 0:
            line_end = self.source.find("\n")
        return "\r\n" if line_end > 0 and self.source[line_end - 1] == "\r" else "\n"

    def _check_plain(self, written: str, wanted: str) -> None:
        """A plain scalar holds only what reads back as the same string; let the YAML reader itself say."""
        try:
            node = YAML(typ="safe", pure=True).compose(f"{{k: {written}}}" if self._flow else f"k: {written}")
            value = node.value[0][1] if len(node.value) == 1 else None
        except YAMLError:
            value = None
        if not isinstance(value, ScalarNode) or value.style or value.tag != STRING_TAG or value.value != wanted:
            raise self._cannot_hold(f'the value "{wanted}"')

    def _cannot_hold(self, what: str) -> UnsupportedEdit:
        place = position_of(self.source, self.start)
        return UnsupportedEdit(
            f"the {self.style} YAML scalar at {place} cannot hold {what}",
            advice="Write the value as a literal block (|-) or in double quotes first.",
        )


def _is_verbatim(segment: Segment) -> bool:
    return segment.end - segment.start == segment.source_end - segment.source_start


# What YAML does not allow raw in a file (the reader's own rule), line breaks apart.
_UNPRINTABLE = re.compile("[^\\t\\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_PROPERTY = re.compile(r"[&!][^\s]*(?:[ \t]|\r?\n|#[^\n]*\n)*")
_BREAK = re.compile(r"\r?\n")


def _after_properties(source: str, start: int) -> int:
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


def _decode_quoted(builder: _Builder, start: int, style: str) -> int:
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


def _decode_escape(builder: _Builder, position: int, style: str) -> int:
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


def _decode_run(builder: _Builder, position: int, run: re.Pattern[str]) -> int:
    """Decode characters without meaning, or white space with the line breaks in it."""
    source = builder.source
    if match := run.match(source, position):
        builder.verbatim(position, match.end())
        return match.end()
    blanks = _BLANKS.match(source, position)
    after = blanks.end() if blanks else position
    if not _BREAK.match(source, after):
        after = max(after, position + 1)
        builder.verbatim(position, after)
        return after
    return _line_breaks(builder, after, keep_first=True, fold_start=position)


def _line_breaks(builder: _Builder, position: int, *, keep_first: bool, fold_start: int | None = None) -> int:
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
        for start, end in feeds:
            builder.unit("\n", start, end)
    elif keep_first and fold_start is not None:
        # as one character of the text, unless source and text happen to be of equal length anyway
        builder.unit(" ", fold_start, after)
    return after


def _decode_plain(builder: _Builder, start: int, end: int) -> None:
    position = start
    while position < end:
        position = _decode_run(builder, position, _PLAIN_RUN)


# Block scalars: literal and folded


class _Line(NamedTuple):
    """A line of a block scalar: its content (behind the indentation), and the line break after it."""

    start: int
    end: int
    break_end: int

    @property
    def broken(self) -> bool:
        return self.break_end > self.end


def _decode_block(builder: _Builder, start: int, column: int, folded: bool) -> tuple[int, int, int]:
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
    """The indentation of the first line that is not blank; at least one more than the mapping's."""
    widest = 0
    while position < len(source):
        end = source.find("\n", position)
        end = len(source) if end < 0 else end
        line = source[position:end].rstrip("\r")
        spaces = len(line) - len(line.lstrip(" "))
        if spaces < len(line):
            return max(spaces, column + 1)
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


def _decode_lines(builder: _Builder, lines: list[_Line], chomping: str, folded: bool) -> None:
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


def _feed(builder: _Builder, line: _Line) -> None:
    if line.broken:
        builder.unit("\n", line.end, line.break_end)


def _encode_double(text: str) -> str:
    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        named = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
        return named.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")

    return re.sub(f'["\\\\\\n\\t]|{_UNPRINTABLE.pattern}', escape, text)
