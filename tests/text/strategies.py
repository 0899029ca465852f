"""What the properties are tried on: JSON texts in odd but valid layouts, and YAML scalars of every style."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from hypothesis import strategies as st

from ksconfig.text.json_path import Path

ALPHABET = st.characters(codec="utf-8")
BREAK_FREE = st.sampled_from("abcXYZ019 :#,'\"\\/-é\u4e2d\U0001f600{}[]&*!|>%@`\t\n\x7f")
NAMES = st.one_of(
    st.sampled_from(["image", "defaultImageVersion", "a.b", "a/b", "~", "", "v1", "-", "0"]), st.text(BREAK_FREE)
)
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(ALPHABET, max_size=12) | st.text(BREAK_FREE, max_size=12)


def no_two_alike(names: list[str]) -> bool:
    """Whether Go tells all the names apart."""
    return len({name.casefold() for name in names}) == len(names)


def objects(values: st.SearchStrategy[Any], min_size: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose names differ in more than case."""
    return st.dictionaries(NAMES, values, min_size=min_size, max_size=4).filter(lambda data: no_two_alike(list(data)))


DATA: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | objects(inner), max_leaves=12
)
OBJECTS = objects(DATA, min_size=1)
GAPS = st.sampled_from(["", "", " ", "\t", "\n", "\r\n", "\n  ", "\r\n\t", "  \n\n "])


def paths_in(data: Any, here: Path = ()) -> list[Path]:
    """The paths of all values inside data, its own left out."""
    found: list[Path] = []
    steps: list[tuple[str | int, Any]] = []
    if isinstance(data, dict):
        steps = list(data.items())
    elif isinstance(data, list):
        steps = list(enumerate(data))
    for step, value in steps:
        found += [(*here, step), *paths_in(value, (*here, step))]
    return found


def at(data: Any, path: Path) -> Any:
    """The value at a path of plain data."""
    for step in path:
        data = data[step]
    return data


@st.composite
def written_json(draw: st.DrawFn, data: Any) -> str:
    """JSON text of data with white space drawn anew at each place where some may stand."""

    def gap() -> str:
        return draw(GAPS)

    def write(value: Any) -> str:
        if isinstance(value, dict):
            members = [f"{gap()}{write(name)}{gap()}:{gap()}{write(item)}{gap()}" for name, item in value.items()]
            return "{" + (",".join(members) or gap()) + "}"
        if isinstance(value, list):
            return "[" + (",".join(f"{gap()}{write(item)}{gap()}" for item in value) or gap()) + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    return gap() + write(data) + gap()


class Place(NamedTuple):
    """A JSON text, what it means, and a path of a value in it."""

    text: str
    data: Any
    path: Path


@st.composite
def places(draw: st.DrawFn) -> Place:
    """A JSON text in any layout and the path of one of its values.

    Half of them hold, off that path, an object with a name given twice, which must not be in the way.
    """
    data = draw(OBJECTS)
    path = draw(st.sampled_from(paths_in(data)))
    text = draw(written_json(data))
    if draw(st.booleans()) and no_two_alike([*data, "twice"]):
        end = text.rindex("}")
        text = text[:end] + ', "twice": {"x": 1, "X": 2, "x": 3}' + text[end:]
        data = {**data, "twice": {"x": 3, "X": 2}}
    return Place(text, data, path)


# YAML scalars: one emitter for each style, none of them used by ksconfig

STYLES = ("literal", "folded", "plain", "single", "double", "json")


class Manifest(NamedTuple):
    """A YAML text in which the value at ``data``, ``key`` is one generated scalar."""

    style: str
    text: str


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """A manifest whose one generated scalar may or may not mean what its emitter thinks: the reader decides."""
    style = draw(st.sampled_from(STYLES))
    content = draw(written_json(draw(OBJECTS))) if draw(st.booleans()) else json.dumps(draw(OBJECTS), indent=2)
    if style == "json":
        return Manifest(style, _json_manifest(draw, content))
    content = _printable(content)
    flow = style not in ("literal", "folded") and draw(st.booleans())
    properties = draw(
        st.sampled_from(["", "", "&a ", "!!str ", "&a !!str ", "!!str\n    &b "] if not flow else ["", "&a "])
    )
    depth = draw(st.sampled_from([0, 2, 4]))
    inner = " " * (depth + 2)
    if style in ("literal", "folded"):
        scalar = _block(draw, style, content, depth + 2)
    elif style == "plain":
        scalar = _plain(content, inner + "  ", flow)
    elif style == "single":
        scalar = _single(draw, content, inner + "  ")
    else:
        scalar = _double(draw, content, inner + "  ")
    comment = draw(st.sampled_from(["", "# before\n", "---\n", "%YAML 1.2\n---\n"]))
    if flow:
        entries = [f"before: x, key: {properties}{scalar}", "after: 'y'"]
        text = f"{comment}kind: ConfigMap\ndata: {{{', '.join(entries)}}}\n"
        return _finish(draw, style, text)
    after = draw(st.sampled_from(["", f"{inner}after: 'y'\n"]))
    entry = f"{inner}before: x\n{inner}key: {properties}{scalar}\n{after}"
    if depth == 0:
        text = f"{comment}kind: ConfigMap\ndata:\n{entry}"
    elif depth == 2:
        text = f"{comment}kind: List\nitems:\n- kind: ConfigMap\n  data:\n{entry}"
    else:
        text = f"{comment}kind: List\nitems:\n  - kind: ConfigMap\n    data:\n{entry}"
    return _finish(draw, style, text)


def _finish(draw: st.DrawFn, style: str, text: str) -> Manifest:
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    if draw(st.integers(0, 3)) == 0 and text.startswith("kind"):
        text = "\ufeff" + text
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    return Manifest(style, text)


def _printable(content: str) -> str:
    """The content with what YAML cannot hold raw taken out, CRLF made LF (YAML readers join the two)."""
    content = content.replace("\r\n", "\n")
    return re.sub("[^\\t\\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufdff\U00010000-\U0001fffd]", "?", content)


def _json_manifest(draw: st.DrawFn, content: str) -> str:
    value = json.dumps(content, ensure_ascii=draw(st.booleans())).replace("\x7f", "\\u007f")
    value = re.sub("[\x85\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", value)
    if draw(st.booleans()):
        value = value.replace("/", "\\/")
    gap = draw(st.sampled_from(["", " ", "\n", "\n\t", "\r\n  "]))
    return f'{{{gap}"kind": "ConfigMap",{gap}"data":{gap}{{"key":{gap}{value},{gap}"after": "y"}}{gap}}}{gap}'


def _block(draw: st.DrawFn, style: str, content: str, column: int) -> str:
    chomping = draw(st.sampled_from(["", "-", "+"]))
    unit = draw(st.integers(1, 4))
    explicit = draw(st.booleans())
    digit = str(unit) if explicit else ""
    header = draw(st.sampled_from([chomping + digit, digit + chomping])) + draw(st.sampled_from(["", "  # why"]))
    trail = "\n" * draw(st.integers(0, 2))
    indent = " " * (column + unit)
    blank = st.sampled_from(["", indent, " " * column])
    lines = [indent + line if line else draw(blank) for line in content.split("\n")]
    return ("|" if style == "literal" else ">") + header + "\n" + "\n".join(lines) + trail


def _plain(content: str, indent: str, flow: bool) -> str:
    """A plain scalar cannot begin with a brace, so the JSON is a member of something."""
    content = re.sub(r"[\n\t ]*[\n][\n\t ]*", "\n" + indent, content.strip())
    content = "json" + content.replace(" #", "#").replace(":", ".")
    return re.sub(r"[\[\]{},]", "", content) if flow else content


def _single(draw: st.DrawFn, content: str, indent: str) -> str:
    lines = content.replace("'", "''").split("\n")
    return "'" + _folded_lines(draw, lines, indent) + "'"


def _double(draw: st.DrawFn, content: str, indent: str) -> str:
    """Raw characters, escapes of each kind, folded lines and escaped line breaks, as drawn."""
    out = ""
    for character in content:
        choice = draw(st.integers(0, 11))
        code = ord(character)
        if character in '"\\':
            out += draw(st.sampled_from(["\\" + character, f"\\x{code:02x}", f"\\u{code:04X}"]))
        elif character == "\n":
            blank = draw(st.sampled_from(["", " ", "\t"]))
            out += draw(
                st.sampled_from(["\\n", "\\x0a", f"{blank}\n\n{indent}", f"\\n\\\n{indent}", f"\n{blank}\n{indent}"])
            )
        elif character == "/" and choice < 4:
            out += "\\/"
        elif character == "\t":
            out += draw(st.sampled_from(["\\t", "\t", "\\\t"]))
        elif character == " " and choice < 3:
            out += draw(st.sampled_from(["\\ ", f"\n{indent}", f"\\\n{indent}\\ "]))
        elif choice == 0:
            out += f"\\U{code:08x}"
        elif choice == 1:
            out += f"\\\n{indent}{character}" if character != " " else " "
        else:
            out += character
    return f'"{out}"'


def _folded_lines(draw: st.DrawFn, lines: list[str], indent: str) -> str:
    return ("\n" + draw(st.sampled_from(["", " "])) + "\n" + indent).join(lines)
