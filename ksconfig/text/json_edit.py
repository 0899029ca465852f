"""Edits on JSON text: replace, insert and remove one value, in the layout of its neighbours.

Each function takes nodes of a scanned text and returns edits on that text. Nothing outside the value, its name and one
comma is touched; of a string only the characters between the quotes.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from ksconfig.errors import UsageError
from ksconfig.text.json_path import Found, Path, find, format_path, missing, refuse_other_case
from ksconfig.text.json_scanner import Node, names_taken_twice, parse_json
from ksconfig.text.json_write import ONE_LINE, Layout, RawJson, string_content, write_json, write_string
from ksconfig.text.spans import Edit


def set_value(root: Node, path: Path, value: Any, prefix: Path = ()) -> tuple[Edit, ...]:
    """Edits after which the value at ``path`` is ``value``; missing parents are made.

    Args:
        value: Python data with a JSON form, or `RawJson`.
        prefix: the path of ``root`` itself, for messages.

    Returns:
        No edit at all if the text already means that value.

    Raises:
        Ambiguous, PathNotFound: as in `find`; PathNotFound also for an index beyond the end of an array.
        Refused: a name of the path is there in other case.
    """
    found = find(root, path, prefix)
    if not found.rest:
        return _replace(found, value)
    refuse_other_case(found, prefix + path)
    first, *others = found.rest
    for step in reversed(others):
        value = {step: value} if isinstance(step, str) else [value]
        if isinstance(step, int) and step != 0:
            raise missing(found, prefix + path)
    if found.node.kind == "array":
        if first != len(found.node.children):
            raise missing(found, prefix + path)
        return _insert(root, found, None, value)
    return _insert(root, found, str(first), value)


def remove_value(root: Node, path: Path, prefix: Path = ()) -> tuple[Edit, ...]:
    """Edits after which nothing stands at ``path``; none at all if that is so already.

    Raises:
        Ambiguous: as in `find`.
        Refused: the name is there in another case.
        UsageError: the path is that of the whole text.
    """
    if not path:
        raise UsageError(f"{format_path(prefix)} is a whole text", advice="Name a value inside it.")
    found = find(root, path, prefix)
    parent, index = found.parent, found.at
    if found.rest:
        refuse_other_case(found, prefix + path)
    if found.rest or parent is None or index is None:
        return ()
    starts = [node.start for node in parent.names or parent.children]
    if len(starts) == 1:
        return (Edit(parent.start + 1, parent.end - 1, ""),)
    if index == 0:
        return (Edit(starts[0], starts[1], ""),)
    return (Edit(parent.children[index - 1].end, found.node.end, ""),)


def same_value(node: Node, value: Any) -> bool:
    """Whether a node means the value: same JSON types, members in any order, numbers equal to the last digit.

    1 and 1.0 differ: Go reads only the first into an integer. An object with duplicate names means nothing certain.
    """
    pending = [(node, parse_json(write_json(value)))]
    while pending:
        one, other = pending.pop()
        if one.kind != other.kind or len(one.children) != len(other.children):
            return False
        if one.kind == "object":
            members = {name.string: child for name, child in zip(other.names, other.children, strict=True)}
            if names_taken_twice(one) or names_taken_twice(other):
                return False
            if members.keys() != {name.string for name in one.names}:
                return False
            pending += [(child, members[name.string]) for name, child in zip(one.names, one.children, strict=True)]
        elif one.kind == "array":
            pending += zip(one.children, other.children, strict=True)
        elif one.kind == "number":
            if not _same_number(one.source, other.source):
                return False
        elif one.source != other.source and one.value != other.value:
            return False
    return True


def _same_number(one: str, other: str) -> bool:
    if one == other:
        return True
    from decimal import Decimal  # seldom needed, and not small

    whole = [source.lstrip("-").isdigit() for source in (one, other)]
    return whole[0] == whole[1] and max(len(one), len(other)) < 1000 and Decimal(one) == Decimal(other)


def _replace(found: Found, value: Any) -> tuple[Edit, ...]:
    node = found.node
    if same_value(node, value):
        return ()
    if node.kind == "string" and isinstance(value, str) and not isinstance(value, RawJson):
        return (Edit(node.start + 1, node.end - 1, string_content(value)),)
    return (Edit(node.start, node.end, write_json(value, _layout_at(node))),)


def _insert(root: Node, found: Found, name: str | None, value: Any) -> tuple[Edit, ...]:
    container = found.node
    if not container.children:
        return (_fill(root, found, name, value),)
    text = container.text
    firsts = container.names or container.children
    gaps = [text[before.end : after.start] for before, after in zip(container.children, firsts[1:], strict=False)]
    first_gap = text[container.start + 1 : firsts[0].start]
    gap = _usual(gaps) if gaps else "," + (first_gap if "\n" in first_gap or text[container.end - 2].isspace() else " ")
    colons = [text[n.end : c.start] for n, c in zip(container.names, container.children, strict=False)]
    colon = _usual(colons) if colons else ": "
    newline = re.search(r"\r?\n[ \t]*", gap)
    layout = Layout(newline[0] if newline else "", _unit(root), colon, ", ")
    written = write_json(value, layout)
    if name is not None:
        written = write_string(name) + colon + written
    end = container.children[-1].end
    return (Edit(end, end, gap + written),)


def _fill(root: Node, found: Found, name: str | None, value: Any) -> Edit:
    """The first member of an empty container: on a line of its own where its surroundings are set out so."""
    container = found.node
    inner = container.text[container.start + 1 : container.end - 1]
    layout = _layout_at(container)
    if "\n" in inner:
        before_close = inner[inner.rindex("\n") :]
        layout = Layout(before_close, _unit(root), ": ", ", ")
    written = write_json(value, layout._replace(newline=layout.newline + layout.unit if layout.newline else ""))
    if name is not None:
        written = write_string(name) + layout.colon + written
    if layout.newline:
        written = layout.newline + layout.unit + written + layout.newline
    return Edit(container.start + 1, container.end - 1, written)


def _layout_at(node: Node) -> Layout:
    """The layout for a container that begins where ``node`` does, read off the line that it stands on."""
    text = node.text
    line_start = text.rfind("\n", 0, node.start) + 1
    if not line_start and "\n" not in text:
        return ONE_LINE
    if not line_start and node.start == len(text) - len(text.lstrip()):
        return Layout("\n", _unit(node), ": ", ", ")
    indent = re.match(r"[ \t]*", text[line_start:])
    opening = text[line_start : node.start]
    if opening.count("{") + opening.count("[") > opening.count("}") + opening.count("]"):
        return ONE_LINE  # the container around it is set out on this one line
    return Layout("\n" + (indent[0] if indent else ""), _unit(node), ": ", ", ")


def _unit(node: Node) -> str:
    """One level of indentation, as the text's outermost object has it; four spaces when nothing tells."""
    text = node.text
    outer = re.search(r"[{\[][ \t\r]*\n([ \t]+)", text)
    if not outer:
        return "    "
    before = text[text.rfind("\n", 0, outer.start()) + 1 : outer.start()]
    base = before[: len(before) - len(before.lstrip())]
    return outer[1].removeprefix(base) or "    "


def _usual(texts: list[str]) -> str:
    """The most frequent; of equals the last."""
    counts = Counter(reversed(texts))
    return counts.most_common(1)[0][0]
