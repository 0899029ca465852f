"""A new key of a ConfigMap's data, set out like the others."""

from __future__ import annotations

import re

from ksconfig.errors import KsconfigError, UnsupportedEdit
from ksconfig.source.manifest_objects import ManifestConfig
from ksconfig.text.json_write import write_string
from ksconfig.text.spans import Edit
from ksconfig.text.yaml_tree import YamlMapping

# Letters that no YAML reader takes for a number, a boolean or null.
_PLAIN_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z0-9_-]*", re.IGNORECASE)


def new_key(text: str, config: ManifestConfig, key: str, value: str) -> Edit:
    """A new entry of ``data``: at its place if the keys are in order, else at the end.

    Raises:
        UnsupportedEdit: the ConfigMap has no ``data``, or one laid out so that it cannot take a key.
    """
    data = config.entries
    if data is None:
        raise UnsupportedEdit("the ConfigMap has no data to put a new key in")
    if not data.flow and data.entries:
        names = [node.value for node, _ in data.items()]
        smaller = [name for name in names if name < key] if names == sorted(names) else names
        place = _line_after(text, config, data, smaller[-1]) if smaller else None
        if place is None:
            place = _first_line(text, data)
        newline = "\r\n" if "\r\n" in text[: data.start] else "\n"
        indent = " " * data.column
        body = newline.join(f"{indent}  {row}" if row else "" for row in value.split("\n"))
        before = newline if place and text[place - 1] != "\n" else ""
        name = key if _PLAIN_KEY.fullmatch(key) else write_string(key)
        return Edit(place, place, f"{before}{indent}{name}: |-{newline}{body}{newline}")
    opening = text.find("{", data.start, data.end)
    if opening < 0:
        raise UnsupportedEdit("data is laid out in a way that a new key cannot be put into")
    comma = ", " if data.entries else ""
    return Edit(opening + 1, opening + 1, f"{write_string(key)}: {write_string(value)}{comma}")


def _line_after(text: str, config: ManifestConfig, data: YamlMapping, key: str) -> int | None:
    """The start of the line below an entry; None where a line there would change the entry's own text."""
    value = data.get(key)
    try:
        scalar = config.scalar_map(("data", key))
    except KsconfigError:
        return None
    block = scalar.style in ("literal", "folded")
    feed = text.find("\n", scalar.end if block or value is None else value.end)
    if feed >= 0:
        kept = block and scalar.text.endswith("\n\n")  # the blank lines below belong to the text
        return None if kept else feed + 1
    return None if block and "-" not in text[scalar.header : scalar.start] else len(text)


def _first_line(text: str, data: YamlMapping) -> int:
    """The start of the first entry's line, or of the comments that stand above it."""
    line = text.rfind("\n", 0, data.start) + 1
    while line:
        above = text.rfind("\n", 0, line - 1) + 1
        if not text[above:line].lstrip().startswith("#"):
            break
        line = above
    return line
