"""What a command would do: changes, the edits that make them, and what a person should know. Nothing is written yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ksconfig.model.detect import ReleaseGuess
from ksconfig.text.diff import TextPatch, unified_diff
from ksconfig.text.json_path import Path, format_path
from ksconfig.text.proof import ABSENT
from ksconfig.text.spans import Edit, apply_edits

if TYPE_CHECKING:
    from ksconfig.model.services.impact import Impact


@dataclass(frozen=True)
class ObjectRef:
    """A Kubernetes object; ``namespace`` is None where none is given."""

    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        return (
            f"{self.kind.lower()} {self.namespace}/{self.name}"
            if self.namespace
            else f"{self.kind.lower()} {self.name}"
        )


@dataclass(frozen=True)
class Change:
    """One value, before and after, in one object.

    Attributes:
        object: the object that holds it.
        path: ``(key, name or index, ...)`` in the config, ``("spec", ..., "image")`` in other objects.
        before, after: JSON values; `ABSENT` where there is none.
        place: the file, or the object once more on a cluster.
        changed: whether the text changes; False if it means ``after`` already.
    """

    object: ObjectRef
    path: Path
    before: Any
    after: Any
    place: str = ""
    changed: bool = True

    @property
    def written_path(self) -> str:
        """The path as a person writes it."""
        return format_path(self.path)


@dataclass(frozen=True)
class ImageChange:
    """One target of ``set-image``: the image as KServe puts it together, before and after."""

    target: str
    before: str
    after: str


#: A field of an object: ``("data", KEY)``, ``("spec", "containers", 0, "image")``.
Field = tuple[str | int, ...]


class FieldEdit(NamedTuple):
    """The new text of one field of an object, as edits on the text it was computed from.

    Attributes:
        before: the present text; None for a field that is not there, and then ``edits`` insert into "".
        removes: the field goes, with its key; only a rollback does that, to a key that was added.
    """

    object: ObjectRef
    field: Field
    before: str | None
    edits: tuple[Edit, ...]
    removes: bool = False

    @classmethod
    def between(cls, ref: ObjectRef, field: Field, before: str | None, after: str | None) -> FieldEdit:
        """The edit that leads from one text of a field to another, as short as it can be; None is no field."""
        if after is None:
            return cls(ref, field, before, (), removes=True)
        old = before or ""
        start, limit = 0, min(len(old), len(after))
        while start < limit and old[start] == after[start]:
            start += 1
        end = 0
        while end < limit - start and old[-1 - end] == after[-1 - end]:
            end += 1
        return cls(ref, field, before, (Edit(start, len(old) - end, after[start : len(after) - end]),))

    @property
    def after(self) -> str | None:
        """The new text; None if the field goes."""
        return None if self.removes else apply_edits(self.before or "", self.edits)


@dataclass(frozen=True)
class Notice:
    """Something a person should know; ``code`` is for machines."""

    code: str
    message: str


@dataclass(frozen=True)
class Plan:
    """A computed change.

    Attributes:
        command: what it was made by ("set-image").
        asked: every value that was asked for, those that are there already included.
        images: the targets of ``set-image``, those without change included.
        edits: the fields to be written.
        patches: the texts to be written, for the diff.
        notices: warnings.
        release: the KServe release it was made for.
        rollback_of, rollback_to: of a rollback, the revisions that it undoes, and the one whose state it restores.
        impact: what it does to services; None if that was not asked, or if there is nothing to write.
        unstartable: of a plan that needs no restart, why the controller could not start again with what is there; empty
            if it could, or if that is allowed. An older restart that is still due is refused then.
    """

    command: str
    asked: tuple[Change, ...]
    images: tuple[ImageChange, ...]
    edits: tuple[FieldEdit, ...]
    patches: tuple[TextPatch, ...]
    notices: tuple[Notice, ...]
    release: ReleaseGuess
    rollback_of: tuple[int, ...] = ()
    rollback_to: int | None = None
    impact: Impact | None = None
    unstartable: tuple[str, ...] = ()
    #: Makes it once more, from what is there then; None where that is not needed (files).
    again: Callable[[], Plan] | None = field(default=None, repr=False, compare=False)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.edits)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The values that change, none if all are there already."""
        return tuple(change for change in self.asked if change.changed)

    def diff(self) -> str:
        """The change as a unified diff; "" if there is none."""
        return unified_diff(self.patches)


__all__ = ["ABSENT", "Change", "Field", "FieldEdit", "ImageChange", "Notice", "ObjectRef", "Plan"]
