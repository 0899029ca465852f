"""What should have become of the JSON of a key, computed on plain data."""

from __future__ import annotations

import json
from typing import Any

from fuzz.judge.reading import Members, read_json

Steps = tuple[str | int, ...]


class NotThere:
    """The value of what is not there."""


NOT_THERE = NotThere()


class Impossible(Exception):
    """The path of a change leads nowhere."""


def as_read(value: Any, is_json: bool) -> Any:
    """A value as `read_json` gives it."""
    return read_json(value if is_json else json.dumps(value))


def look_up(data: Any, path: Steps) -> Any:
    """The value at a path, or `NOT_THERE`; of names that stand twice the first."""
    for step in path:
        if isinstance(data, Members):
            data = next((value for name, value in data.pairs if name == step), NOT_THERE)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return NOT_THERE
    return data


def assigned(data: Any, path: Steps, value: Any) -> Any:
    """The data with one value replaced, added at the end, or taken out (`NOT_THERE`); missing parents are objects."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    gone = value is NOT_THERE and not rest
    if data is NOT_THERE:
        data = [] if step in (0, "-") else Members(())
    if isinstance(data, Members) and isinstance(step, str):
        found = [index for index, (name, _) in enumerate(data.pairs) if name == step]
        at = found[0] if found else len(data.pairs)
        below = data.pairs[at][1] if found else NOT_THERE
        new = () if gone else ((step, assigned(below, rest, value)),)
        return Members((*data.pairs[:at], *new, *data.pairs[at + 1 :]))
    if isinstance(data, list) and (step == "-" or isinstance(step, int)):
        at = len(data) if step == "-" else int(step)
        if at > len(data):
            raise Impossible(f"item {at} of {len(data)}")
        below = data[at] if at < len(data) else NOT_THERE
        return [*data[:at], *([] if gone else [assigned(below, rest, value)]), *data[at + 1 :]]
    raise Impossible(f"{step!r} in {type(data).__name__}")
