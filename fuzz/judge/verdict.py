"""Every difference between two texts, and whether it was planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fuzz.judge.expected import NOT_THERE, Impossible, assigned, look_up
from fuzz.judge.reading import (
    STRING,
    Node,
    Place,
    field,
    objects,
    pieces,
    read_json,
    read_piece,
    text_at,
)
from fuzz.judge.spans import Span, fault_in_bytes

_MOST_STEPS = 400_000


class Planned(NamedTuple):
    """One value that a plan changes: as it was and as it will be, read like JSON; `NOT_THERE` for none.

    Attributes:
        path: in a config the key, then the place inside its JSON; in another object the place of a string.
        sure: whether ``before`` can be compared (a number may have lost digits on the way).
    """

    kind: str
    namespace: str | None
    name: str
    path: Place
    before: Any
    after: Any
    sure: bool = True

    @property
    def field(self) -> Place:
        """The place of the text that holds it."""
        return ("data", *self.path[:1]) if self.kind == "ConfigMap" else self.path


class Verdict(NamedTuple):
    """What was found: a fault, or None; and by which reader ("" if there was none to ask)."""

    fault: str | None
    reader: str


class _Difference(NamedTuple):
    """Two nodes at one place that are not the same; None where there is none."""

    place: Place
    before: Node | None
    after: Node | None


def judge(before: bytes, after: bytes, spans: Sequence[Span], planned: Sequence[Planned]) -> Verdict:
    """Whether ``after`` is ``before`` with what was planned, and nothing else."""
    if fault := fault_in_bytes(before, after, spans):
        return Verdict(fault, "bytes")
    old, new = pieces(before.decode("utf-8")), pieces(after.decode("utf-8"))
    if len(old) != len(new):
        return Verdict(f"{len(old)} documents became {len(new)}", "bytes")
    readers = []
    left = list(planned)
    for one, two in zip(old, new, strict=True):
        if one == two:
            continue
        try:
            was, reader = read_piece(one)
        except ValueError:
            return Verdict(None, "")
        try:
            now, _ = read_piece(two, reader)
        except ValueError:
            return Verdict(f"{reader} reads the document no longer", reader)
        readers.append(reader)
        mine = [change for change in left if any(_is(root, change) for _, root in objects(was))]
        left = [change for change in left if change not in mine]
        try:
            fault = _fault_in_document(was, now, mine)
        except _TooMany:
            return Verdict(None, "")
        if fault:
            return Verdict(fault, reader)
    if left:
        return Verdict(f"nothing was written of {left[0].path} in {left[0].kind} {left[0].name}", "bytes")
    return Verdict(None, readers[0] if readers else "bytes")


class _TooMany(Exception):
    """More nodes than can be looked at: aliases upon aliases."""


def _is(root: Node, change: Planned) -> bool:
    namespace = text_at(root, "metadata", "namespace") or None
    if change.kind.startswith("Cluster"):
        namespace = None
    names = (text_at(root, "kind"), namespace, text_at(root, "metadata", "name") or "")
    return names == (change.kind, change.namespace, change.name)


def _fault_in_document(before: Node | None, after: Node | None, planned: Sequence[Planned]) -> str | None:
    wanted: dict[Place, list[Planned]] = {}
    for change in planned:
        place = next(place for place, root in objects(before) if _is(root, change))
        wanted.setdefault((*place, *change.field), []).append(change)
    for difference in _differences(before, after):
        changes = wanted.pop(difference.place, None)
        if changes is None:
            return f"{difference.place} changed, which was not planned (or changed twice)"
        if fault := _fault_in_field(difference, changes):
            return f"{difference.place}: {fault}"
    if wanted:
        return f"{next(iter(wanted))} did not change"
    return None


def _fault_in_field(difference: _Difference, changes: Sequence[Planned]) -> str | None:
    before, after = difference.before, difference.after
    if after is None or after.kind != "scalar" or after.tag != STRING:
        return "it is no string any more"
    if before is not None and (before.kind != "scalar" or before.tag != STRING):
        return "it was no string before"
    if changes[0].kind != "ConfigMap":
        was, now = before.value if before else NOT_THERE, after.value
        if (was, now) != (changes[0].before, changes[0].after):
            return f"{was!r} became {now!r}, and {changes[0].before!r} should have become {changes[0].after!r}"
        return None
    try:
        data = read_json(before.value) if before is not None else NOT_THERE
        for change in changes:
            was = look_up(data, change.path[1:])
            if change.sure and was != change.before:
                return f"{change.path} was {was!r}, not {change.before!r}"
            data = assigned(data, change.path[1:], change.after)
        now = read_json(after.value)
    except (ValueError, Impossible) as error:
        return f"{error}"
    except RecursionError:
        raise _TooMany from None
    return None if now == data else "the JSON does not hold exactly what was planned"


def _differences(before: Node | None, after: Node | None) -> Iterator[_Difference]:
    pending: list[tuple[Place, Node | None, Node | None]] = [((), before, after)]
    steps = 0
    while pending:
        place, old, new = pending.pop()
        steps += 1
        if steps > _MOST_STEPS:
            raise _TooMany
        if old is None or new is None or old.kind != new.kind or old.tag != new.tag:
            if old is not new:
                yield _Difference(place, old, new)
        elif old.kind == "scalar":
            if old.value != new.value:
                yield _Difference(place, old, new)
        elif old.kind == "sequence":
            if len(old.value) != len(new.value):
                yield _Difference(place, old, new)
            else:
                pending += [((*place, n), *both) for n, both in enumerate(zip(old.value, new.value, strict=True))]
        else:
            pending += _in_mappings(place, old, new)


def _in_mappings(place: Place, old: Node, new: Node) -> list[tuple[Place, Node | None, Node | None]]:
    """The pairs of values to compare; keys that one of them lacks are compared with nothing."""
    pairs: list[tuple[Place, Node | None, Node | None]] = []
    rest = list(new.value)
    for key, value in old.value:
        step = key.value if key.kind == "scalar" else "?"
        if rest and key.kind == "scalar" and (rest[0][0].kind, rest[0][0].value) != (key.kind, key.value):
            added_key, added = rest.pop(0)
            pairs.append(((*place, str(added_key.value)), None, added))
        if not rest:
            pairs.append(((*place, step), value, None))
            continue
        new_key, new_value = rest.pop(0)
        pairs.append(((*place, "key of", step), key, new_key))
        pairs.append(((*place, step), value, new_value))
    pairs += [((*place, str(key.value)), None, value) for key, value in rest]
    return pairs


__all__ = ["Planned", "Verdict", "field", "judge"]
