"""A strict RFC 8259 scanner: JSON text in, nodes with offsets out.

KServe reads each key of its config with Go's encoding/json, which is as strict. Nothing is repaired or guessed; a fault
is an `InvalidDocument` with its place and a reason in plain words. Nesting is kept on a list, not on the call stack, so
only memory bounds its depth, and every character is looked at a fixed number of times. Duplicate names parse: whoever
follows a path refuses them there (json_path).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from ksconfig.errors import InvalidDocument
from ksconfig.text.spans import Origin

Kind = Literal["object", "array", "string", "number", "boolean", "null"]

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[\w$.+\-]+")
_LITERALS: dict[str, Kind] = {"true": "boolean", "false": "boolean", "null": "null"}
_ESCAPE = re.compile(r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))")
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_TEMPLATE = "a template stands here, not JSON"
_INTEGER = re.compile(r"-?[0-9]{1,4000}")  # Python refuses to convert integers of more than 4,300 digits


class Node:
    """One JSON value: ``text[start:end]``, offsets in code points.

    Attributes:
        kind: "object", "array", "string", "number", "boolean" or "null".
        start, end: the span of the value in the scanned text, end exclusive.
        children: the value nodes directly inside, in order: of an object the member values, of an array the items.
        names: of an object the nodes of the member names, in step with ``children``; else empty.
    """

    __slots__ = ("children", "end", "kind", "names", "origin", "start", "text")

    def __init__(self, kind: Kind, start: int, end: int, text: str, origin: Origin) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.text = text
        self.origin = origin
        self.children: list[Node] = []
        self.names: list[Node] = []

    def __repr__(self) -> str:
        return f"<{self.kind} {self.start}:{self.end}>"

    @property
    def source(self) -> str:
        """The characters of the value as they stand."""
        return self.text[self.start : self.end]

    @property
    def string(self) -> str:
        """The content of a string node with its escapes resolved; a lone surrogate is U+FFFD, as Go reads it."""
        content = self.text[self.start + 1 : self.end - 1]
        return _ESCAPE.sub(_unescape, content) if "\\" in content else content

    @property
    def value(self) -> Any:
        """The value as Python data; of duplicate names the last counts, as in Go."""
        results: list[Any] = []
        for node in _inside_out(self):
            count = len(node.children)
            inner = results[len(results) - count :]
            del results[len(results) - count :]
            results.append(_own_value(node, inner))
        return results[0]


def _inside_out(root: Node) -> Iterator[Node]:
    """Every node after its children, without recursion."""
    found, pending = [], [root]
    while pending:
        node = pending.pop()
        found.append(node)
        pending += node.children
    return reversed(found)


def _own_value(node: Node, inner: list[Any]) -> Any:
    match node.kind:
        case "object":
            return dict(zip((name.string for name in node.names), inner, strict=True))
        case "array":
            return inner
        case "string":
            return node.string
        case "number":
            source = node.source
            return int(source) if _INTEGER.fullmatch(source) else float(source)
        case "boolean":
            return node.source == "true"
        case "null":
            return None


def _unescape(match: re.Match[str]) -> str:
    high, low, code, simple = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
    if code:
        return "\ufffd" if "d800" <= code.lower() <= "dfff" else chr(int(code, 16))
    return _SIMPLE.get(simple, simple)


def parse_json(text: str, origin: Origin | None = None) -> Node:
    """Scan a JSON text.

    Args:
        text: the whole text; white space around the value is allowed, nothing else is.
        origin: where the text stands, for the places in errors; by default it stands alone.

    Raises:
        InvalidDocument: the text is not RFC 8259 JSON.
    """
    return _Scanner(text, origin or Origin(text)).scan()


class _Scanner:
    def __init__(self, text: str, origin: Origin) -> None:
        self.text = text
        self.origin = origin

    def scan(self) -> Node:
        """The one value of the text."""
        text = self.text
        position = self._skip(0)
        root = self._value(position)
        stack: list[Node] = []
        node = root
        while True:
            # `node` was just begun: an open container, or a complete scalar
            if node.kind in ("object", "array") and node.end == node.start:
                position = self._skip(node.start + 1)
                closing = "}" if node.kind == "object" else "]"
                if text[position : position + 1] == closing:
                    node.end = position + 1
                else:
                    stack.append(node)
                    node = self._member(node, position)
                    continue
            # `node` is complete: go on behind it, closing what ends there
            while stack:
                parent = stack[-1]
                position = self._skip(node.end)
                closing = "}" if parent.kind == "object" else "]"
                character = text[position : position + 1]
                if character == closing:
                    parent.end = position + 1
                    node = stack.pop()
                    continue
                if character != ",":
                    raise self._no_comma(parent, node, position)
                comma, position = position, self._skip(position + 1)
                if text[position : position + 1] in ("}", "]"):
                    raise self._fault(comma, f'a comma too many before "{text[position]}"')
                node = self._member(parent, position)
                break
            else:
                break
        position = self._skip(root.end)
        if position < len(text):
            raise self._wrong(position) or self._fault(
                position, f"text after the end of the JSON value: {self._shown(position)}"
            )
        return root

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def _member(self, parent: Node, position: int) -> Node:
        """Begin the next value inside a container, the name before it included."""
        if parent.kind == "object":
            name = self._name(parent, position)
            position = self._skip(name.end)
            if self.text[position : position + 1] != ":":
                raise self._fault(name.end, f"a colon is missing after the name {name.source}")
            position = self._skip(position + 1)
            parent.names.append(name)
        node = self._value(position, parent)
        parent.children.append(node)
        return node

    def _name(self, parent: Node, position: int) -> Node:
        match = _STRING.match(self.text, position)
        if match:
            return Node("string", position, match.end(), self.text, self.origin)
        character = self.text[position : position + 1]
        if not character:
            raise self._unclosed(parent)
        if character == '"':
            raise self._bad_string(position)
        if character == ",":
            raise self._fault(position, "a comma where a name must stand")
        if character in ("{", "%") and position == parent.start + 1:
            raise self._fault(parent.start, _TEMPLATE)
        raise self._wrong(position) or self._fault(
            position, f"a name in double quotes must stand here, not {self._shown(position)}"
        )

    def _value(self, position: int, parent: Node | None = None) -> Node:
        text = self.text
        character = text[position : position + 1]
        if character == '"':
            match = _STRING.match(text, position)
            if not match:
                raise self._bad_string(position)
            return Node("string", position, match.end(), text, self.origin)
        if character == "{":
            return Node("object", position, position, text, self.origin)
        if character == "[":
            return Node("array", position, position, text, self.origin)
        word = _WORD.match(text, position)
        if word:
            if word.group() in _LITERALS:
                return Node(_LITERALS[word.group()], position, word.end(), text, self.origin)
            number = _NUMBER.match(text, position)
            if number and number.end() == word.end():
                return Node("number", position, word.end(), text, self.origin)
        if not character:
            raise self._unclosed(parent) if parent else self._fault(position, "the text is empty")
        raise self._wrong(position) or self._no_value(position, word.group() if word else "")

    # What went wrong, in plain words. Only reached once, so these may look around.

    def _fault(self, offset: int, reason: str) -> InvalidDocument:
        return self.origin.fault(offset, reason)

    def _shown(self, position: int) -> str:
        word = _WORD.match(self.text, position)
        found = word.group() if word else self.text[position]
        found = found if len(found) <= 40 else found[:40] + "..."
        return found if found.isprintable() and found.strip() else f"U+{ord(self.text[position]):04X}"

    def _wrong(self, position: int) -> InvalidDocument | None:
        """A fault that does not depend on what was expected."""
        rest = self.text[position : position + 2]
        if rest in ("//", "/*") or rest[0] == "#":
            return self._fault(position, "JSON has no comments")
        if rest[0] == "'":
            return self._fault(position, 'JSON strings stand in double quotes (")')
        if rest in ("{{", "{%"):
            return self._fault(position, _TEMPLATE)
        if rest[0] == "\ufeff":
            return self._fault(position, "a byte order mark (U+FEFF) stands here; JSON must begin without one")
        if rest[0] in "\u00a0\u2028\u2029\u0085\x0b\x0c":
            return self._fault(position, f"white space that JSON does not know: {self._shown(position)}")
        return None

    def _no_value(self, position: int, word: str) -> InvalidDocument:
        character = self.text[position]
        if word.lower() in ("nan", "infinity", "-infinity", "+infinity", "inf", "-inf"):
            return self._fault(position, f"{word} is no JSON number")
        if word.lower() in _LITERALS or word in ("None", "undefined", "nil"):
            wanted = word.lower() if word.lower() in _LITERALS else "null"
            return self._fault(position, f"{word} is written {wanted} in JSON")
        if character in "-+.0123456789":
            return self._fault(position, f"{self._shown(position)} is no JSON number")
        if character in ",}]":
            return self._fault(position, f'a value is missing before "{character}"')
        return self._fault(position, f"a value must stand here, not {self._shown(position)}")

    def _unclosed(self, container: Node) -> InvalidDocument:
        place = self.origin.position(container.start)
        closing = "}" if container.kind == "object" else "]"
        return self._fault(
            len(self.text.rstrip(" \t\r\n")),
            f'the {container.kind} that begins at {place} is not closed by "{closing}"',
        )

    def _no_comma(self, parent: Node, before: Node, position: int) -> InvalidDocument:
        if position >= len(self.text):
            return self._unclosed(parent)
        character = self.text[position]
        wrong = self._wrong(position)
        if wrong:
            return wrong
        if character in "]}":
            opening = self.origin.position(parent.start)
            return self._fault(position, f'"{character}" cannot close the {parent.kind} that begins at {opening}')
        if character == ":" and parent.kind == "array":
            return self._fault(position, "a colon inside an array")
        shown = before.source if len(before.source) <= 40 else before.source[:20] + " ... " + before.source[-15:]
        shown = " ".join(shown.split())
        if self.text[before.end - 1 : before.end] in ("}", "]"):
            shown = f'"{self.text[before.end - 1]}"'
        return self._fault(before.end, f"a comma is missing after {shown}")

    def _bad_string(self, start: int) -> InvalidDocument:
        text, position = self.text, start + 1
        while position < len(text):
            character = text[position]
            if character == '"':
                break
            if character in "\n\r":
                return self._fault(position, "a line break inside a string, or its closing quote is missing")
            if character < " ":
                return self._fault(
                    position, f"the control character U+{ord(character):04X} must be written as an escape"
                )
            if character == "\\":
                if text[position + 1 : position + 2] == "u" and not re.match(
                    r"[0-9a-fA-F]{4}", text[position + 2 :][:4]
                ):
                    return self._fault(position, "\\u needs four hexadecimal digits")
                if text[position + 1 : position + 2] not in tuple('"\\/bfnrtu'):
                    return self._fault(position, f"JSON has no escape {text[position : position + 2]}")
                position += 1
            position += 1
        opening = self.origin.position(start)
        return self._fault(len(text), f"the string that begins at {opening} is not closed")


def names_taken_twice(node: Node) -> list[list[int]]:
    """Groups of members (by index) of an object whose names Go takes for one another; only groups of two or more.

    encoding/json matches names to struct fields without regard to case (Unicode simple folding), and of several that
    match, the later wins field by field.
    """
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(node.names):
        groups.setdefault(fold(name.string), []).append(index)
    return [group for group in groups.values() if len(group) > 1]


def fold(name: str) -> str:
    """The form in which Go's encoding/json compares names: letter by letter, upper and lower case the same."""
    if name.isascii():
        return name.lower()
    return "".join(folded if len(folded := letter.casefold()) == 1 else letter for letter in name)
