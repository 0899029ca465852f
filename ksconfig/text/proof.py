"""The proof after every edit, by readers that share nothing with the code that made it.

JSON is read with the standard library and YAML with ruamel.yaml; the wanted result is computed on plain data. If what
was made differs from what was wanted in anything at all, nothing may be written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NoReturn

from ksconfig.errors import InternalError, Refused
from ksconfig.text.json_path import Path, format_path
from ksconfig.text.json_write import RawJson
from ksconfig.text.yaml_tree import YamlMapping, YamlNode, YamlScalar, YamlSequence


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
            raise InternalError("the edited JSON does not read back as planned", advice=_REPORT)
    except RecursionError:
        raise Refused("the JSON is nested too deeply to be proved after an edit") from None
    except ValueError as error:
        raise InternalError(f"the edited JSON does not read back: {error}", advice=_REPORT) from None


_REPORT = "Nothing was written. Please report this with the text that it happened on."


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
    raise InternalError(f"{format_path(path)} leads nowhere", advice=_REPORT)


def prove_yaml(
    before: YamlNode, after: YamlNode | None, replaced: Mapping[int, str], added: Mapping[int, dict[str, str]]
) -> None:
    """Prove that two trees differ exactly in the planned scalars.

    Args:
        before, after: the trees of one document, each as the YAML reader gave it.
        replaced: from the start of a scalar in the old text to its new value.
        added: from the start of a mapping in the old text to the string entries that it gains.

    Raises:
        InternalError: they differ in anything else.
    """
    pending: list[tuple[YamlNode, YamlNode | None]] = [(before, after)]
    seen: set[int] = set()
    while pending:
        old, new = pending.pop()
        if id(old) in seen:
            continue
        seen.add(id(old))
        if type(old) is not type(new) or new is None or old.tag != new.tag:
            raise InternalError("the edited YAML does not read back with the same structure", advice=_REPORT)
        if isinstance(old, YamlScalar) and isinstance(new, YamlScalar):
            if new.value != replaced.get(old.start, old.value):
                raise InternalError("an edited YAML value does not read back as planned", advice=_REPORT)
        elif isinstance(old, YamlMapping) and isinstance(new, YamlMapping):
            entries = _without(new, added.get(old.start, {}))
            if len(entries) != len(old.entries):
                raise InternalError("the edited YAML has gained or lost keys", advice=_REPORT)
            for one, other in zip(old.entries, entries, strict=True):
                pending += zip(one, other, strict=True)
        elif isinstance(old, YamlSequence) and isinstance(new, YamlSequence):
            if len(old.items) != len(new.items):
                raise InternalError("the edited YAML has gained or lost items", advice=_REPORT)
            pending += zip(old.items, new.items, strict=True)


def _without(mapping: YamlMapping, added: dict[str, str]) -> list[tuple[YamlNode, YamlNode]]:
    """The entries without those that were to be added, each of which must be there once, as planned."""
    left = dict(added)
    entries = []
    for key, value in mapping.entries:
        if isinstance(key, YamlScalar) and isinstance(value, YamlScalar) and left.get(key.value) == value.value:
            del left[key.value]
            continue
        entries.append((key, value))
    if left:
        raise InternalError("a new YAML key does not read back as planned", advice=_REPORT)
    return entries
