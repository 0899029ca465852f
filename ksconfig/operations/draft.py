"""Edits on the config and on other objects, collected, checked and proven, as a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ksconfig.errors import PathNotFound, Refused, UnsupportedEdit
from ksconfig.model.fields import read_type_faults
from ksconfig.model.plan import ABSENT, Change, Field, FieldEdit, ImageChange, Notice, ObjectRef, Plan
from ksconfig.model.start import start_faults
from ksconfig.operations.view import BROKEN_START, ConfigView, View
from ksconfig.text.json_edit import remove_value, set_value
from ksconfig.text.json_path import Path, Step, find, format_path
from ksconfig.text.json_scanner import Node, parse_json
from ksconfig.text.json_write import Layout, RawJson, write_json
from ksconfig.text.proof import prove_json
from ksconfig.text.spans import Edit, EditedText
from ksconfig.text.templates import ADVICE, holds_template, needs_rendering

#: Fields that are Go templates by KServe's own design, so that "{{" in them means nothing to us.
_KSERVE_TEMPLATES = {("ingress", "domainTemplate"), ("ingress", "pathTemplate")}


class Draft:
    """Edits on the keys of one config and on fields of other objects, collected into a plan."""

    def __init__(self, view: View, command: str) -> None:
        self.view = view
        self.command = command
        self.fields: list[FieldEdit] = []
        self.texts: dict[str, EditedText] = {}
        self._read: dict[str, tuple[str, Node]] = {}
        self.done: dict[str, list[tuple[Path, Any]]] = {}
        self.asked: list[Change] = []
        self.images: list[ImageChange] = []
        self.notices: list[Notice] = []

    def notice(self, code: str, message: str) -> None:
        """Add a warning."""
        self.notices.append(Notice(code, message))

    def find(self, path: Path) -> tuple[Path, Node | None]:
        """The path by which a place is named once, and what stands there now, in the text as read.

        Raises:
            KsconfigError: the path is ambiguous, or its key cannot be read.
        """
        found = find(self.view.need_config().root(str(path[0])), path[1:], path[:1])
        return path[:1] + found.path, None if found.rest else found.node

    def present(self, key: str) -> Node:
        """The JSON of a touched key as it stands after the edits so far."""
        text = self.texts[key].text
        if key not in self._read or self._read[key][0] != text:
            untouched = text == self.texts[key].original
            self._read[key] = text, self.view.need_config().roots[key] if untouched else parse_json(text)
        return self._read[key][1]

    def assign(self, path: Path, value: Any) -> None:
        """Set a value of the config, or remove it (`ABSENT`)."""
        path, before = self.find(path)
        key, inner = str(path[0]), path[1:]
        view = self.view.need_config()
        text = self.texts.setdefault(key, EditedText(view.text(key)))
        root = self.present(key)
        edits = remove_value(root, inner, (key,)) if value is ABSENT else set_value(root, inner, value, (key,))
        if before is not None and edits:
            _refuse_template(path, before.value)
        after = before.value if before is not None and not edits else _plain(value)
        before_value = ABSENT if before is None else before.value
        if edits:
            text.edit(edits)
            self.done.setdefault(key, []).append((inner, value))
        self.asked.append(
            Change(
                view.config.ref,
                path,
                before_value,
                after if edits else before_value,
                view.config.place,
                changed=bool(edits),
            )
        )

    def assign_field(self, ref: ObjectRef, field: Field, value: str) -> None:
        """Set a string of another object than the config.

        Raises:
            Ambiguous: several manifests hold the object.
            Refused: the field is a template, or stands there in a way that it cannot be edited.
        """
        target = self.view.the_object(ref)
        before = target.text(field)
        if holds_template(before) and not needs_rendering(before):
            raise Refused(
                f"the image {before} is filled in by KServe for each service, from its name, labels or annotations",
                advice="Change it there, or replace the text by hand.",
            )
        _refuse_template(field, before)
        if before.strip() != before:
            raise UnsupportedEdit(
                f"{target.locate(field)}: {format_path(field)} begins or ends with white space: {before!r}",
                advice="Write it on one line, without it, first.",
            )
        if before != value:
            self.fields.append(FieldEdit(ref, field, before, (Edit(0, len(before), value),)))
        self.asked.append(Change(ref, field, before, value, target.place, changed=before != value))

    def add_key(self, key: str, inner: Path, value: Any) -> None:
        """A new key of ``data`` that holds one value."""
        for step in reversed(inner):
            if isinstance(step, int) and step != 0:
                raise PathNotFound(f"{format_path((key, *inner))} is not there: a new array begins with [0]")
            value = {step: value} if isinstance(step, str) and step != "-" else [value]
        text = EditedText("")
        text.edit([Edit(0, 0, write_json(value, Layout("\n", "    ", ": ", ", ")))])
        self.texts[key] = text
        config = self.view.need_config().config
        self.asked.append(Change(config.ref, (key,), ABSENT, parse_json(text.text).value, config.place))

    def plan(self, more: Sequence[FieldEdit] = ()) -> Plan:
        """Check and prove the whole, and turn it into a plan: runtimes first, then the config.

        Args:
            more: edits that were made elsewhere, of texts that this draft does not touch.
        """
        final = (*self.fields, *more, *(self._config_edits() if self.texts else ()))
        patches = self.view.source.prepare(final) if final else ()
        notices = (*dict.fromkeys(self.notices), *self.view.notices(tuple(self.texts)))
        return Plan(self.command, tuple(self.asked), tuple(self.images), final, patches, notices, self.view.release)

    def _config_edits(self) -> list[FieldEdit]:
        view = self.view.need_config()
        edits = []
        data = dict(view.data)
        for key, text in self.texts.items():
            if text.text == text.original:
                continue
            before = text.original if key in view.config.keys else None
            if before is not None:
                prove_json(before, text.text, self.done[key])
            data[key] = self.present(key).value
            edits.append(FieldEdit(view.config.ref, ("data", key), before, text.edits()))
        self._check_start(view, data)
        self._check_types(view, data)
        return edits

    def _check_types(self, view: ConfigView, data: Mapping[str, Any]) -> None:
        """Say which values Go's decoder would refuse, if it is this change that brings them."""
        for key in self.texts:
            for rules in self.view.release.rules:
                old = read_type_faults(key, view.data.get(key), rules)
                for fault in read_type_faults(key, data.get(key), rules):
                    if fault not in old:
                        self.notice("wrong-type", f"{fault.reason}; KServe will refuse the whole key")

    def _check_start(self, view: ConfigView, data: Mapping[str, Any]) -> None:
        """Refuse what the controller could not start with, if it is this change that brings it."""
        found: list[tuple[str, ...]] = []
        for rules in self.view.release.rules:
            old = start_faults(rules, view.data)
            found.append(tuple(fault.reason for fault in start_faults(rules, data) if fault not in old))
        faults = tuple(dict.fromkeys(fault for group in found for fault in group))
        if not faults:
            return
        if all(found):
            why = f"the controller of KServe {self.view.release} would exit at its next start: {'; '.join(faults)}"
            if BROKEN_START not in self.view.scope.allow:
                raise Refused(why, allow=BROKEN_START, advice="Give a value that it starts with.")
            self.notice(BROKEN_START, why)
            return
        releases = [str(rules.release) for rules, group in zip(self.view.release.rules, found, strict=True) if group]
        self.notice("start", f"the controller of KServe {', '.join(releases)} would not start: {'; '.join(faults)}")


def _refuse_template(path: Path, value: Any) -> None:
    """Refuse to replace what is yet to be filled in by Helm or Jinja, at a path or anywhere below it."""
    pending: list[tuple[_Trail, Any]] = [(None, value)]  # no recursion: a value may be nested as deep as it likes
    while pending:
        trail, item = pending.pop()
        if isinstance(item, str) and holds_template(item):
            place = (*path, *_steps(trail))
            if place not in _KSERVE_TEMPLATES:
                raise Refused(
                    f"the value of {format_path(place)} is a template (Helm or Jinja): {item}",
                    advice=ADVICE,
                )
        inside = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        pending += [((trail, step), below) for step, below in reversed([*inside])]


_Trail = tuple[Any, Step] | None  # the way down to a value, its last step first


def _steps(trail: _Trail) -> Path:
    steps: list[Step] = []
    while trail:
        trail, step = trail
        steps.append(step)
    return tuple(reversed(steps))


def _plain(value: Any) -> Any:
    """A new value as plain data."""
    return parse_json(value).value if isinstance(value, RawJson) else value
