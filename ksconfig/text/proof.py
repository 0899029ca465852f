"""The proof after every edit of JSON, by a reader that shares nothing with the code that made it.

JSON is read with the standard library (YAML with ruamel.yaml: `ksconfig.text.yaml_proof`); the wanted result is
computed on plain data. If what was made differs from what was wanted in anything at all, nothing may be written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from ksconfig.errors import InternalError, Refused
from ksconfig.text.json_path import Path, format_path
from ksconfig.text.json_write import RawJson


class Absent:
    """The value of what is not there (`None` is JSON's null)."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()


class _Number(NamedTuple):
    """A number by its characters: 1.0 is not 1, 1e400 not infinite, and 1 not "1"."""

    digits: str


class _Object(NamedTuple):
    """An object with its members in order, duplicates included; never equal to an array."""

    members: tuple[tuple[str, Any], ...]


def prove_json(before: str, after: str, assignments: Iterable[tuple[Path, Any]]) -> None:
    """Prove that ``after`` is JSON and differs from ``before`` exactly by the assignments.

    Args:
        assignments: path and new value in the order they were made; `ABSENT` for a removal.

    Raises:
        InternalError: it does not.
        Refused: the text is nested too deeply for the standard library to read.
    """
    try:
        wanted = _read(before)
        for path, value in assignments:
            wanted = _assign(wanted, path, ABSENT if value is ABSENT else _as_read(value))
        if _read(after) != wanted:
            raise InternalError("the edited JSON does not read back as planned", advice=REPORT)
    except RecursionError:
        raise Refused("the JSON is nested too deeply to be proved after an edit") from None
    except ValueError as error:
        raise InternalError(f"the edited JSON does not read back: {error}", advice=REPORT) from None


REPORT = "Nothing was written. Please report this with the text that it happened on."


def _read(text: str) -> Any:
    return json.loads(
        text,
        parse_float=_Number,
        parse_int=_Number,
        parse_constant=_refuse_constant,
        object_pairs_hook=lambda members: _Object(tuple(members)),
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _as_read(value: Any) -> Any:
    return _read(value if isinstance(value, RawJson) else json.dumps(value))


def _assign(data: Any, path: Path, value: Any) -> Any:
    """``data`` with one value set, inserted or removed; a plain restatement of what an edit means."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(data, _Object):
        members = data.members
        index = next((i for i, (name, _) in enumerate(members) if name == step), len(members))
        below = members[index][1] if index < len(members) else ABSENT
        if below is ABSENT and value is ABSENT:
            return data
        member = [] if rest == () and value is ABSENT else [(str(step), _assign(below, rest, value))]
        return _Object((*members[:index], *member, *members[index + 1 :]))
    if isinstance(data, list):
        index = len(data) if step == "-" else int(step)
        below = data[index] if index < len(data) else ABSENT
        item = [] if rest == () and value is ABSENT else [_assign(below, rest, value)]
        return data if below is ABSENT and value is ABSENT else [*data[:index], *item, *data[index + 1 :]]
    if data is ABSENT and isinstance(step, str):
        return _Object(((step, _assign(ABSENT, rest, value)),))
    if data is ABSENT and step == 0:
        return [_assign(ABSENT, rest, value)]
    raise InternalError(f"{format_path(path)} leads nowhere", advice=REPORT)
