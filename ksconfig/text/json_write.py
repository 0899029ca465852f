"""JSON text for new values, laid out like the text around them.

Used for what is inserted or replaced, never for text that is already there.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from ksconfig.errors import UsageError

# What JSON demands, and what a YAML scalar cannot hold raw: controls, NEL, line separators, BOM.
_MUST_ESCAPE = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


class RawJson(str):
    """A JSON text to be written as it stands (a number with its own digits, a value given as JSON)."""

    __slots__ = ()


class Layout(NamedTuple):
    """How the surrounding text sets out a container.

    Attributes:
        newline: the white space between a break and a member at this depth (break included), or "" for one line.
        unit: one more level of indentation.
        colon: what stands between a name and its value.
        comma: what stands between members on one line.
    """

    newline: str
    unit: str
    colon: str
    comma: str


ONE_LINE = Layout("", "", ": ", ", ")


def write_string(value: str) -> str:
    """A JSON string with its quotes."""
    return f'"{string_content(value)}"'


def string_content(value: str) -> str:
    """A string as it stands between its quotes.

    Raises:
        UsageError: it holds a lone surrogate (bytes that were no UTF-8).
    """
    if lone := _SURROGATE.search(value):
        raise UsageError(
            f"the new value holds U+{ord(lone[0]):04X}, which is no character", advice="Give it in valid UTF-8."
        )
    return _MUST_ESCAPE.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}", value)


def write_json(value: Any, layout: Layout = ONE_LINE) -> str:
    """The JSON text of a Python value (dict, list, tuple, str, int, float, bool, None or `RawJson`).

    Raises:
        UsageError: the value has no JSON form (NaN, a set, a name that is no string, data nested too deeply).
    """
    try:
        return _write(value, layout)
    except RecursionError:
        raise UsageError("the new value is nested too deeply to be written") from None
    except ValueError as error:  # an integer of more digits than Python converts
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"the new value cannot be written: {error}") from None


def _write(value: Any, layout: Layout) -> str:
    if isinstance(value, RawJson):
        return str(value)
    if isinstance(value, str):
        return write_string(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UsageError(f"{value} is no JSON number")
        return repr(float(value))
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise UsageError(f"{name!r} cannot be a name in JSON: names are strings")
        inner = _deeper(layout)
        return _enclose(
            "{", [write_string(name) + layout.colon + _write(item, inner) for name, item in value.items()], "}", layout
        )
    if isinstance(value, list | tuple):
        return _enclose("[", [_write(item, _deeper(layout)) for item in value], "]", layout)
    raise UsageError(f"{value!r} ({type(value).__name__}) has no JSON form")


def _deeper(layout: Layout) -> Layout:
    return layout._replace(newline=layout.newline + layout.unit) if layout.newline else layout


def _enclose(opening: str, members: list[str], closing: str, layout: Layout) -> str:
    if not members:
        return opening + closing
    if not layout.newline:
        return opening + layout.comma.join(members) + closing
    inner = layout.newline + layout.unit
    return opening + inner + f",{inner}".join(members) + layout.newline + closing
