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
from functools import cache

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

from ksconfig.errors import InvalidDocument, UnsupportedEdit
from ksconfig.text.json_write import string_content
from ksconfig.text.spans import Edit, apply_edits, position_of
from ksconfig.text.yaml_decode import Builder, Segment, after_properties, decode_block, decode_plain, decode_quoted
from ksconfig.text.yaml_tree import STRING_TAG, YamlScalar


class ScalarMap:
    """The decoded text of one scalar and its way back to the file.

    Attributes:
        text: the decoded text.
        header: where the scalar begins, behind its anchor and tag.
        start, end: the span of the scalar's content in the file (inside the quotes, behind a block header).
    """

    def __init__(self, source: str, scalar: YamlScalar, column: int, flow: bool, label: str | None = None) -> None:
        """Decode a scalar.

        Args:
            source: the whole file.
            scalar: a string scalar of it.
            column: the column of the mapping that holds it (a block scalar's indentation counts from there).
            flow: whether that mapping is in flow style.
            label: what the scalar is called in errors.

        Raises:
            InvalidDocument: the decoding differs from the YAML reader's.
        """
        self.source = source
        self.style = scalar.style
        self._flow = flow
        self._column = column
        self.header = after_properties(source, scalar.start)
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
                label=label,
                advice="Write the value as a literal block (|-).",
            )

    def _decode(self, source: str, plain_end: int) -> tuple[Builder, int, int, int]:
        builder, start = Builder(source), self.header
        if self.style in ("literal", "folded"):
            return builder, *decode_block(builder, start, self._column, self.style == "folded")
        if self.style == "plain":
            decode_plain(builder, start, plain_end)
            return builder, start, plain_end, 0
        return builder, start + 1, decode_quoted(builder, start, self.style), 0

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
            result.append(self._to_source_edit(edit))
        if not self._holds(result, apply_edits(self.text, edits)):
            raise self._cannot_hold("the change without altering the lines around it")
        return tuple(result)

    def _to_source_edit(self, edit: Edit) -> Edit:
        """One edit; what stands for no text behind it (a line's indentation, say) stays, unless it must go too."""
        start, far = self.to_source(edit.start), self.to_source(edit.end)
        near = self._end_before(edit.end) if edit.end > edit.start else far
        mapped = Edit(start, near, self._encode(edit.text, near))
        if near == far or self._holds([mapped], apply_edits(self.text, [edit])):
            return mapped
        return Edit(start, far, self._encode(edit.text, far))

    def _end_before(self, offset: int) -> int:
        """The place in the file behind the character before an offset."""
        segment = self.segments[bisect_right(self._starts, offset - 1) - 1]
        return segment.source_start + offset - segment.start if _is_verbatim(segment) else segment.source_end

    def _refuse_inside(self, offset: int) -> None:
        index = bisect_right(self._starts, offset) - 1
        segment = self.segments[index] if index >= 0 else None
        if segment and segment.start < offset < segment.end and not _is_verbatim(segment):
            raise UnsupportedEdit("the change would cut an escape of the YAML scalar in two")

    def _holds(self, edits: list[Edit], wanted: str) -> bool:
        """Decode the scalar again as it would stand: folds and trimmed spaces show here."""
        grown = sum(len(edit.text) - (edit.end - edit.start) for edit in edits)
        written = apply_edits(self.source, edits)
        builder, _, _, _ = self._decode(written, self._plain_end + grown)
        if "".join(builder.parts) != wanted:
            return False
        if self.style == "plain":
            self._check_plain(written[self.header : self._plain_end + grown], wanted)
        return True

    # Encoding

    def _encode(self, text: str, source_end: int) -> str:
        if self.style == "json":
            return string_content(text)
        if self.style == "double":
            return _encode_double(text)
        if unprintable := _find_unprintable(text):
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
        if self._flow and ":" in (wanted[:1], wanted[-1:]):
            raise self._cannot_hold(f'the value "{wanted}"')  # readers differ, and the same one from place to place
        try:
            node = YAML(typ="safe", pure=True).compose(f"{{k: {written}}}" if self._flow else f"k: {written}")
            value = node.value[0][1] if len(node.value) == 1 else None
        except YAMLError:
            value = None
        string = isinstance(value, ScalarNode) and not value.style and value.tag == STRING_TAG
        if value is None or not string or value.value != wanted or _BASE_60.fullmatch(wanted):
            raise self._cannot_hold(f'the value "{wanted}"')

    def _cannot_hold(self, what: str) -> UnsupportedEdit:
        place = position_of(self.source, self.start)
        return UnsupportedEdit(
            f"the {self.style} YAML scalar at {place} cannot hold {what}",
            advice="Write the value as a literal block (|-) or in double quotes first.",
        )


# A number to YAML 1.1, which many still read: an image `1:20` would be 80.
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")


def _is_verbatim(segment: Segment) -> bool:
    return segment.end - segment.start == segment.source_end - segment.source_start


# What YAML does not allow raw in a file (the reader's own rule), line breaks apart.
_UNPRINTABLE = "[^\\t\\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"


@cache
def _unprintable() -> re.Pattern[str]:
    """Compiled when first needed: it takes longer than the edit of most files."""
    return re.compile(_UNPRINTABLE)


def _find_unprintable(text: str) -> re.Match[str] | None:
    return None if text.isascii() and text.replace("\n", "").isprintable() else _unprintable().search(text)


def _encode_double(text: str) -> str:
    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        named = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
        return named.get(code) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")

    special = r'["\\\n\t]'
    return re.sub(special if _find_unprintable(text) is None else f"{special}|{_UNPRINTABLE}", escape, text)
