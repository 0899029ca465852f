"""One YAML (or JSON) document as a tree of nodes that know where they stand.

ruamel.yaml reads YAML; a document that is JSON is read by our own scanner, which is strict, knows JSON's escapes and
does not mind tabs. Offsets count in the whole file. Nothing here writes.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.scanner import Scanner

from ksconfig.errors import InvalidDocument
from ksconfig.text import json_scanner
from ksconfig.text.spans import Origin
from ksconfig.text.yaml_documents import Document

Style = Literal["plain", "single", "double", "literal", "folded", "json"]
STRING_TAG = "tag:yaml.org,2002:str"
MAP_TAG = "tag:yaml.org,2002:map"
_NULL_TAG = "tag:yaml.org,2002:null"
_STYLES: dict[str | None, Style] = {
    None: "plain",
    "": "plain",
    "'": "single",
    '"': "double",
    "|": "literal",
    ">": "folded",
}


@dataclass(eq=False)
class YamlNode:
    """A node: ``start`` to ``end`` in the file, as the reader marks it (see `yaml_scalar` for exact ends).

    Attributes:
        tag: the resolved tag, ``tag:yaml.org,2002:str`` for a string.
        shared: whether an alias makes this text the value of another place too.
    """

    start: int
    end: int
    tag: str
    shared: bool = field(default=False, init=False)


@dataclass(eq=False)
class YamlScalar(YamlNode):
    """A scalar; ``value`` is the reader's own decoding of it."""

    value: str
    style: Style


@dataclass(eq=False)
class YamlMapping(YamlNode):
    """A mapping, duplicate keys and all; ``column`` is that of its keys (0 in flow style, where it has no meaning)."""

    entries: list[tuple[YamlNode, YamlNode]]
    flow: bool
    column: int

    @cached_property
    def repeated(self) -> tuple[str, ...]:
        """The keys that stand there more than once."""
        counts = Counter(key.value for key, _ in self.items())
        return tuple(key for key, count in counts.items() if count > 1)

    def get(self, *names: str) -> YamlNode | None:
        """The value at a chain of keys (the first of duplicates), or None."""
        node: YamlNode | None = self
        for name in names:
            node = node._by_name.get(name) if isinstance(node, YamlMapping) else None
        return node

    @cached_property
    def _by_name(self) -> dict[str, YamlNode]:
        return {key.value: value for key, value in reversed([*self.items()])}

    @cached_property
    def merge(self) -> YamlScalar | None:
        """The key ``<<`` by which it takes entries from elsewhere, or None."""
        return next((key for key, _ in self.items() if key.value == "<<" and key.style == "plain"), None)

    def items(self) -> Iterator[tuple[YamlScalar, YamlNode]]:
        """The entries whose keys are scalars."""
        for key, value in self.entries:
            if isinstance(key, YamlScalar):
                yield key, value

    def text(self, *names: str) -> str | None:
        """The scalar value at a chain of keys, or None; null is nothing, as the API server takes it."""
        node = self.get(*names)
        return node.value if isinstance(node, YamlScalar) and not is_null(node) else None


@dataclass(eq=False)
class YamlSequence(YamlNode):
    """A sequence."""

    items: list[YamlNode]


def is_null(node: YamlNode) -> bool:
    """Whether a node is null, however that is written."""
    return isinstance(node, YamlScalar) and node.tag == _NULL_TAG


def read_document(document: Document, label: str | None) -> YamlNode | None:
    """The tree of a document, or None for an empty one.

    Raises:
        InvalidDocument: the document is not YAML (or, where it looks like JSON, neither), or holds line breaks that
            YAML readers disagree on.
    """
    refuse_odd_breaks(document, label)
    try:
        return _read_json(document) or _read_yaml(document, label)
    except RecursionError:
        raise InvalidDocument("the YAML is nested too deeply to be read", label=label) from None


def refuse_odd_breaks(document: Document, label: str | None) -> None:
    """Refuse a text whose lines end differently for different readers.

    Raises:
        InvalidDocument: it holds NEL, U+2028, U+2029, or a carriage return without a line feed.
    """
    text, start, end = document
    for character, name in (("\x85", "NEL (U+0085)"), ("\u2028", "U+2028"), ("\u2029", "U+2029")):
        offset = text.find(character, start, end)
        if offset >= 0:
            raise Origin(text, label).fault(
                offset, f"the line break {name} means different things to different YAML readers"
            )
    offset = text.find("\r", start, end)
    while offset >= 0:
        if not text.startswith("\r\n", offset):
            raise Origin(text, label).fault(offset, "a carriage return without a line feed")
        offset = text.find("\r", offset + 2, end)


def _read_json(document: Document) -> YamlNode | None:
    source = document.source
    if not source.lstrip().startswith(("{", "[")):
        return None
    try:
        return _from_json(json_scanner.parse_json(source), document.start)
    except InvalidDocument:
        return None  # perhaps YAML in flow style


def _from_json(node: json_scanner.Node, offset: int) -> YamlNode:
    start, end = node.start + offset, node.end + offset
    children = [_from_json(child, offset) for child in node.children]
    if node.kind == "object":
        names = [_from_json(name, offset) for name in node.names]
        entries = list(zip(names, children, strict=True))
        return YamlMapping(start, end, MAP_TAG, entries, True, 0)
    if node.kind == "array":
        return YamlSequence(start, end, "tag:yaml.org,2002:seq", children)
    if node.kind == "string":
        return YamlScalar(start, end, STRING_TAG, node.string, "json")
    return YamlScalar(start, end, f"tag:yaml.org,2002:{node.kind}", node.source, "plain")


def plain_data(node: YamlNode) -> Any:
    """A node as plain data, scalars as kubectl reads them (yes and on are booleans); merges (<<) are followed.

    Of a key that stands twice the first counts, as in `YamlMapping.get`; who edits it must refuse.

    Raises:
        RecursionError: an alias names what holds it.
    """
    if isinstance(node, YamlSequence):
        return [plain_data(item) for item in node.items]
    if isinstance(node, YamlMapping):
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, value in node.items():
            if key is node.merge:
                for source in value.items if isinstance(value, YamlSequence) else (value,):
                    data = plain_data(source)
                    merged = {**(data if isinstance(data, dict) else {}), **merged}
            else:
                own.setdefault(key.value, plain_data(value))
        return {**merged, **own}
    return _plain_scalar(node) if isinstance(node, YamlScalar) else None


def _plain_scalar(scalar: YamlScalar) -> Any:
    kind, value = scalar.tag.rpartition(":")[2], scalar.value
    if scalar.style == "plain" and value in _BOOLEANS:
        return _BOOLEANS[value]
    if kind == "null":
        return None
    if kind in ("int", "float", "number"):
        for convert in (int, lambda digits: int(digits, 0), float):
            with contextlib.suppress(ValueError):
                return convert(value.replace("_", ""))
    return value


_BOOLEANS = {
    **{word: True for base in ("true", "yes", "on", "y") for word in (base, base.capitalize(), base.upper())},
    **{word: False for base in ("false", "no", "off", "n") for word in (base, base.capitalize(), base.upper())},
}


class _Scanner(Scanner):
    """The reader's own, with a bound on brackets: its time grows with the square of their depth."""

    def fetch_flow_collection_start(self, *arguments: Any, **named: Any) -> Any:
        if len(self.flow_context) >= _DEEPEST:
            raise RecursionError
        return super().fetch_flow_collection_start(*arguments, **named)


_DEEPEST = 200  # brackets of YAML within one another; JSON is read by our own scanner, which has no bound


def _read_yaml(document: Document, label: str | None) -> YamlNode | None:
    text, start, _ = document
    try:
        reader = YAML(typ="safe", pure=True)
        reader.Scanner = _Scanner
        reader.composer.warn_double_anchors = False  # YAML allows to use a name again, and no warning is ours to print
        root = reader.compose(document.source)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        if mark is None:
            raise InvalidDocument(f"not YAML: {reason}", label=label) from None
        raise Origin(text, label).fault(start + min(mark.index, len(text)), f"not YAML: {reason}") from None
    except YAMLError as error:
        offset = getattr(error, "position", None)
        reason = getattr(error, "reason", "not YAML")
        if isinstance(offset, int):
            raise Origin(text, label).fault(start + offset, f"not YAML: {reason}") from None
        raise InvalidDocument(f"not YAML: {' '.join(str(error).split())}", label=label) from None
    except ValueError as error:  # a bad %YAML directive, say
        raise InvalidDocument(f"not YAML: {error}", label=label) from None
    except (AssertionError, KeyError):  # all that the reader says of a version that it does not know
        raise InvalidDocument(
            "the directive %YAML names a version that cannot be read",
            label=label,
            advice="Say %YAML 1.2, or remove the line.",
        ) from None
    return _from_ruamel(root, start, {}) if root is not None else None


_RuamelNode = MappingNode | SequenceNode | ScalarNode


def _from_ruamel(node: _RuamelNode, offset: int, seen: dict[int, YamlNode]) -> YamlNode:
    if id(node) in seen:  # an alias: the reader gives the anchor's own node again
        _mark_shared(seen[id(node)])
        return seen[id(node)]
    tag = str(node.tag)
    start, end = node.start_mark.index + offset, node.end_mark.index + offset
    if isinstance(node, ScalarNode):
        result: YamlNode = YamlScalar(start, end, tag, node.value, _STYLES[node.style])
        seen[id(node)] = result
    elif isinstance(node, MappingNode):
        mapping = YamlMapping(start, end, tag, [], bool(node.flow_style), 0)
        seen[id(node)] = result = mapping
        convert: Callable[[_RuamelNode], YamlNode] = lambda inner: _from_ruamel(inner, offset, seen)  # noqa: E731
        mapping.entries += [(convert(key), convert(value)) for key, value in node.value]
        if node.value and not mapping.flow:
            mapping.column = _column(node.value[0][0])
    else:
        sequence = YamlSequence(start, end, tag, [])
        seen[id(node)] = result = sequence
        sequence.items += [_from_ruamel(item, offset, seen) for item in node.value]
    return result


def _column(key: _RuamelNode) -> int:
    """The column of a block mapping by its first key; behind ``? `` it is that of the question mark."""
    mark = key.start_mark
    before = mark.buffer[mark.pointer - mark.column : mark.pointer] if mark.buffer else ""
    if before.rstrip(" ").endswith("?"):
        return len(before.rstrip(" ")) - 1
    return int(mark.column)


def _mark_shared(root: YamlNode) -> None:
    pending = [root]
    while pending:
        node = pending.pop()
        if node.shared:
            continue
        node.shared = True
        if isinstance(node, YamlMapping):
            pending += [part for entry in node.entries for part in entry]
        elif isinstance(node, YamlSequence):
            pending += node.items
