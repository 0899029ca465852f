"""The record of one applied plan, kept as a ConfigMap beside the config.

The record is made before the write and its data never changes; an annotation carries its state. After a crash, what
became of a pending one follows from the texts themselves.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ksconfig.errors import InvalidDocument
from ksconfig.model.plan import ABSENT, Change, Field, ImageChange, ObjectRef
from ksconfig.model.services.service import KIND as SERVICE_KIND

FORMAT = 1
#: No revision's texts are longer: objects of Kubernetes have at most 1.5 MiB each.
LARGEST_TEXTS = 64 * 1024 * 1024
PREFIX = "ksconfig-revision-"
LABELS = {"app.kubernetes.io/managed-by": "ksconfig"}
NUMBER_LABEL = "ksconfig/revision"
STATE = "ksconfig/state"
# States. Pending: recorded, the write may or may not have come. Written: so it was stored, and its texts were found
# (never stored itself). Applied: written. Restarted: and nobody waited. Ready: and the controller serves with it.
# Failed: and the controller did not. Closed: never written, and given up.


class FieldText(NamedTuple):
    """The whole text of a field before and after; None where there was none."""

    object: ObjectRef
    field: Field
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Revision:
    """One applied plan.

    Attributes:
        number: from 1, in the order of creation; 0 while it has none yet.
        time: of its creation, by the API server's clock; "" before.
        user: who made it, as far as that is known.
        version: of ksconfig.
        command, reason: what it was made by, and why ("" if nothing was said).
        release: the KServe release it was made for.
        images, changes: what it changed, for people.
        fields: the texts it touched, whole.
        pods: the UIDs of the controller's pods before the write.
        restart: whether a restart was to follow.
        needs_restart: whether it needs one, then or later; None in records of versions that did not say it.
        rollback_of: the revisions that it undid.
        rollback_to: the revision whose state it restored; None if it is no rollback.
        state: see the top of the module.
    """

    number: int
    time: str
    user: str
    version: str
    command: str
    reason: str
    release: str
    images: tuple[ImageChange, ...]
    changes: tuple[Change, ...]
    fields: tuple[FieldText, ...]
    pods: tuple[str, ...] = ()
    restart: bool = True
    needs_restart: bool | None = None
    rollback_of: tuple[int, ...] = ()
    rollback_to: int | None = None
    state: str = "pending"

    @property
    def name(self) -> str:
        """The name of its ConfigMap."""
        return f"{PREFIX}{self.number:06d}"

    @property
    def unfinished(self) -> bool:
        """Whether it was written, and the process that wrote it did not come to its end."""
        return self.state == "written" or (self.state == "applied" and self.restart)

    @property
    def is_rollback(self) -> bool:
        """Whether it restored an older state."""
        return self.rollback_to is not None


def to_config_map(revision: Revision, namespace: str) -> dict[str, Any]:
    """The object that holds a revision."""
    data = {
        "format": FORMAT,
        "user": revision.user,
        "ksconfig": revision.version,
        "command": revision.command,
        "reason": revision.reason,
        "release": revision.release,
        "images": [list(map(str, (one.target, one.before, one.after))) for one in revision.images],
        "changes": [_change(one) for one in revision.changes],
        "fields": [
            {**_object(one.object), "field": list(one.field), "before": _hash(one.before), "after": _hash(one.after)}
            for one in revision.fields
        ],
        "pods": list(revision.pods),
        "restart": revision.restart,
        "needsRestart": revision.needs_restart,
        "rollbackOf": list(revision.rollback_of),
        "rollbackTo": revision.rollback_to,
    }
    texts = json.dumps([[one.before, one.after] for one in revision.fields]).encode()
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "immutable": True,
        "metadata": {
            "name": revision.name,
            "namespace": namespace,
            "labels": {**LABELS, NUMBER_LABEL: str(revision.number)},
            "annotations": {STATE: revision.state},
        },
        "data": {"revision.json": json.dumps(data, indent=1, ensure_ascii=False)},
        # mtime: the same texts are the same bytes
        "binaryData": {"texts.json.gz": base64.b64encode(gzip.compress(texts, mtime=0)).decode()},
    }


def _unpacked(data: bytes) -> bytes:
    """What gzip has packed, up to a bound: a ConfigMap of a mebibyte may unpack to a gibibyte.

    Raises:
        ValueError: it is longer, or cut off.
    """
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked = unpacking.decompress(data, LARGEST_TEXTS)
    if unpacking.unconsumed_tail:
        raise ValueError(f"its texts are longer than {LARGEST_TEXTS >> 20} MiB")
    if not unpacking.eof:
        raise ValueError("its texts are cut off")
    return unpacked


def from_config_map(obj: Mapping[str, Any]) -> Revision:
    """Read a revision.

    Raises:
        InvalidDocument: it is none that this version can read.
    """
    metadata = obj["metadata"]
    name = metadata.get("name", "")
    try:
        data = json.loads(obj["data"]["revision.json"])
        if data["format"] > FORMAT:
            raise InvalidDocument(f"configmap {name} was written by a newer ksconfig", advice="Update ksconfig.")
        texts = json.loads(_unpacked(base64.b64decode(obj["binaryData"]["texts.json.gz"])))
        fields = tuple(
            FieldText(_ref(one), tuple(one["field"]), *text) for one, text in zip(data["fields"], texts, strict=True)
        )
        number = int(name.removeprefix(PREFIX))
        if str(number) != metadata["labels"][NUMBER_LABEL]:
            raise InvalidDocument(f"configmap {name} has the label {NUMBER_LABEL}={metadata['labels'][NUMBER_LABEL]}")
        return Revision(
            number=number,
            time=metadata.get("creationTimestamp", ""),
            user=data["user"],
            version=data["ksconfig"],
            command=data["command"],
            reason=data["reason"],
            release=data["release"],
            images=tuple(ImageChange(*one) for one in data["images"]),
            changes=tuple(_read_change(one) for one in data["changes"]),
            fields=fields,
            pods=tuple(data["pods"]),
            restart=data["restart"],
            needs_restart=data.get("needsRestart"),
            rollback_of=tuple(data["rollbackOf"]),
            rollback_to=data["rollbackTo"],
            state=(metadata.get("annotations") or {}).get(STATE, "pending"),
        )
    except InvalidDocument:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error, RecursionError) as error:
        raise InvalidDocument(
            f"configmap {name} is no revision that can be read: {type(error).__name__} {error}",
            advice="If somebody changed it by hand, delete it.",
        ) from None


def _object(ref: ObjectRef) -> dict[str, Any]:
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _ref(data: Mapping[str, Any]) -> ObjectRef:
    return ObjectRef(data["kind"], data["namespace"], data["name"])


def _change(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = {**_object(change.object), "path": list(change.path)}
    for name, value in (("before", change.before), ("after", change.after)):
        if value is not ABSENT:
            found[name] = value
    return found


def _read_change(data: Mapping[str, Any]) -> Change:
    before, after = data.get("before", ABSENT), data.get("after", ABSENT)
    return Change(_ref(data), tuple(data["path"]), before, after, str(_ref(data)))


def _hash(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


# What became of revisions

#: The present text of a field; None if there is none.
Live = Callable[[ObjectRef, Field], "str | None"]


def settled(revisions: Iterable[Revision], live: Live) -> tuple[Revision, ...]:
    """The revisions, oldest first, with pending ones judged by the texts that are there now.

    One whose texts are those after it, or whose traces a later one built upon, was written; one whose texts are those
    before it was not (it stays pending); anything else was changed since, and counts as written.
    """
    ordered = sorted(revisions, key=lambda one: one.number)
    found = []
    for index, one in enumerate(ordered):
        if one.state == "pending" and _took_effect(one, ordered[index + 1 :], live):
            found.append(replace(one, state="written"))
        else:
            found.append(one)
    return tuple(found)


def _took_effect(one: Revision, later: Sequence[Revision], live: Live) -> bool:
    for text in one.fields:
        follower = next(
            (
                other
                for record in later
                if record.state != "pending"
                for other in record.fields
                if (other.object, other.field) == (text.object, text.field)
            ),
            None,
        )
        now = follower.before if follower else live(text.object, text.field)
        if now != text.before:
            return True
    return False


def undone(revisions: Iterable[Revision]) -> frozenset[int]:
    """The numbers of the revisions that are undone now: one that a later rollback brought back is not."""
    after: dict[int, frozenset[int]] = {0: frozenset()}  # what was undone right after each revision
    gone: frozenset[int] = frozenset()
    seen: list[int] = []
    for one in sorted((one for one in revisions if one.state in EFFECTIVE), key=lambda one: one.number):
        if one.rollback_to is None:
            seen.append(one.number)
        else:
            target = one.rollback_to
            then = after[max(number for number in after if number <= target)]
            gone = then | {number for number in seen if number > target}
        after[one.number] = gone
    return gone


#: The states of revisions that took effect.
EFFECTIVE = ("written", "applied", "restarted", "ready", "failed")


def newest_to_undo(revisions: Sequence[Revision]) -> Revision | None:
    """The newest revision that took effect, is not undone and is no rollback itself."""
    gone = undone(revisions)
    candidates = [one for one in revisions if one.state in EFFECTIVE and not one.is_rollback and one.number not in gone]
    return max(candidates, key=lambda one: one.number, default=None)


def changed_outside(revisions: Sequence[Revision], live: Live) -> frozenset[int]:
    """The numbers of the revisions after which somebody else changed one of the texts that they wrote."""
    found = set()
    last: dict[tuple[ObjectRef, Field], tuple[int, str | None]] = {}
    for one in revisions:
        if one.state not in EFFECTIVE:
            continue
        for text in one.fields:
            if text.object.kind == SERVICE_KIND:
                continue  # its owner's to change at any time
            before = last.get((text.object, text.field))
            if before and before[1] != text.before:
                found.add(before[0])
            last[text.object, text.field] = one.number, text.after
    for (ref, field), (number, after) in last.items():
        if live(ref, field) != after:
            found.add(number)
    return frozenset(found)


class Wanted(NamedTuple):
    """What a field is to hold again, and what it held last as far as the records know."""

    object: ObjectRef
    field: Field
    known: str | None
    wanted: str | None


def texts_to_restore(revisions: Sequence[Revision], number: int) -> tuple[Wanted, ...]:
    """The state right after revision ``number`` (0: before the first), for all fields that records know.

    Where records between the last one of a field and that state are missing (pruned, perhaps), it is what the next one
    found there.
    """
    present = {one.number for one in revisions}
    made: dict[tuple[ObjectRef, Field], int] = {}
    first: dict[tuple[ObjectRef, Field], str | None] = {}
    at: dict[tuple[ObjectRef, Field], str | None] = {}
    last: dict[tuple[ObjectRef, Field], str | None] = {}
    for one in sorted((one for one in revisions if one.state in EFFECTIVE), key=lambda one: one.number):
        for text in one.fields:
            place = (text.object, text.field)
            if one.number <= number:
                at[place], made[place] = text.after, one.number
            elif place in first or not (one.is_rollback and text.object.kind == SERVICE_KIND):
                first.setdefault(place, text.before)
            else:
                continue  # a service that a rollback brought along: what it had before was our doing
            last[place] = text.after
    whole = {place: at[place] for place in at if present.issuperset(range(made[place], number + 1))}
    wanted = {**at, **first, **whole}
    return tuple(Wanted(*place, last[place], wanted[place]) for place in last if place in first)


def to_prune(revisions: Sequence[Revision], limit: int, recent: Callable[[Revision], bool]) -> tuple[Revision, ...]:
    """The revisions that may go, oldest first, so that at most ``limit`` stay.

    The first one, the first of each text (it holds the original), the newest that took effect and recent ones stay in
    any case.
    """
    ordered = sorted(revisions, key=lambda one: one.number)
    newest = max((one.number for one in ordered if one.state in EFFECTIVE), default=0)
    originals: dict[tuple[ObjectRef, Field], int] = {}
    for one in ordered:
        for text in one.fields:
            originals.setdefault((text.object, text.field), one.number)
    kept = {newest, *originals.values()}
    spare = [one for one in ordered[1:] if one.number not in kept and not recent(one)]
    return tuple(spare[: max(0, len(ordered) - limit)])
