"""Documents as nodes: by the standard library if they are JSON, else by PyYAML, else by ruamel.yaml."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from fuzz.depth import is_deep

STRING = "tag:yaml.org,2002:str"
_NULLS = ("tag:yaml.org,2002:null", "NoneType")
_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_DEEP = 100
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Node(NamedTuple):
    """A node of either reader; ``kind`` is scalar, sequence or mapping (with pairs as its value)."""

    kind: str
    tag: str
    value: Any


class Number(NamedTuple):
    """A number by its digits."""

    digits: str


class Members(NamedTuple):
    """An object with its members in order, names that stand twice included."""

    pairs: tuple[tuple[str, Any], ...]


def read_json(text: str) -> Any:
    """Strict JSON; a lone surrogate is U+FFFD, as Go reads it.

    Raises:
        ValueError: it is none.
    """
    return json.loads(
        text,
        parse_int=Number,
        parse_float=Number,
        parse_constant=_refuse,
        object_pairs_hook=lambda pairs: Members(tuple((sound(name), _sound(value)) for name, value in pairs)),
    )


def sound(text: str) -> str:
    """Without lone surrogates."""
    return _SURROGATE.sub("\ufffd", text)


def _sound(value: Any) -> Any:
    """A value that was just read, with its arrays changed in place: they may be nested deeply."""
    pending = [value] if isinstance(value, list) else []
    while pending:
        items = pending.pop()
        for index, item in enumerate(items):
            if isinstance(item, str):
                items[index] = sound(item)
            elif isinstance(item, list):
                pending.append(item)
    return sound(value) if isinstance(value, str) else value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def pieces(text: str) -> list[str]:
    """The stream cut before each line that begins a document or ends one."""
    starts = [match.start() for match in _MARKER.finditer(text)]
    bounds = [0, *(start for start in starts if start), len(text)]
    return [text[one:two] for one, two in itertools.pairwise(bounds)]


def read_piece(piece: str, reader: str | None = None) -> tuple[Node | None, str]:
    """The tree of one document, and which reader read it.

    Args:
        reader: the only one to ask.

    Raises:
        ValueError: none can read it.
    """
    piece = piece.removeprefix("\ufeff")
    readers = {"json": _as_json, "PyYAML": _as_pyyaml, "ruamel.yaml": _as_ruamel}
    for name, read in readers.items():
        if reader in (None, name):
            try:
                return read(piece), name
            except (ValueError, yaml.YAMLError, YAMLError, RecursionError, TypeError, AttributeError, IndexError):
                continue
    raise ValueError("no reader can read it")


def _as_json(piece: str) -> Node:
    body = _MARKER.sub("", piece, count=1)
    if not body.lstrip().startswith(("{", "[")):
        raise ValueError("no JSON")
    return _from_json(read_json(body))


def _from_json(value: Any) -> Node:
    if isinstance(value, Members):
        pairs = [(Node("scalar", STRING, name), _from_json(inner)) for name, inner in value.pairs]
        return Node("mapping", "map", pairs)
    if isinstance(value, list):
        return Node("sequence", "seq", [_from_json(item) for item in value])
    if isinstance(value, str):
        return Node("scalar", STRING, sound(value))
    return Node("scalar", type(value).__name__, value.digits if isinstance(value, Number) else json.dumps(value))


def _as_pyyaml(piece: str) -> Node | None:
    loader = yaml.SafeLoader if is_deep(piece) else _LOADER  # libyaml overflows the stack of the process
    return _from_tree(yaml.compose(piece, Loader=loader))


def _as_ruamel(piece: str) -> Node | None:
    reader = YAML(typ="safe", pure=True)
    reader.composer.warn_double_anchors = False
    return _from_tree(reader.compose(piece))


def _from_tree(root: Any) -> Node | None:
    """The same nodes in our form; an alias gives the node again, so a tree may hold itself."""
    made: dict[int, Node] = {}

    def convert(node: Any) -> Node:
        if id(node) in made:
            return made[id(node)]
        result = made[id(node)] = Node(node.id, str(node.tag), node.value if node.id == "scalar" else [])
        if node.id == "mapping":
            result.value.extend((convert(key), convert(value)) for key, value in node.value)
        elif node.id == "sequence":
            result.value.extend(map(convert, node.value))
        return result

    return convert(root) if root is not None else None


def field(node: Node | None, *steps: str | int) -> Node | None:
    """The node at a chain of keys and indexes, of keys that stand twice the first."""
    for step in steps:
        if node is None:
            return None
        if node.kind == "mapping":
            node = next((value for key, value in node.value if key.kind == "scalar" and key.value == step), None)
        elif node.kind == "sequence" and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def text_at(node: Node | None, *steps: str | int) -> str | None:
    """The characters of a scalar there, or None; null is nothing."""
    found = field(node, *steps)
    return str(found.value) if found is not None and found.kind == "scalar" and found.tag not in _NULLS else None


Place = tuple[str | int, ...]


def objects(root: Node | None) -> Iterator[tuple[Place, Node]]:
    """The objects of a document with their places; those in a List one by one."""
    pending: list[tuple[Place, Node | None, int]] = [((), root, 0)]
    while pending:
        place, node, depth = pending.pop()
        if node is None or node.kind != "mapping" or depth > _DEEP:
            continue
        items = field(node, "items")
        if items is not None and items.kind == "sequence":
            pending += [((*place, "items", index), item, depth + 1) for index, item in enumerate(items.value)]
        else:
            yield place, node
