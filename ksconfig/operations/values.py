"""Plans that set or remove one value of the config, whatever it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ksconfig.errors import InvalidDocument, InvalidReference, PathNotFound, Refused, UsageError, not_done
from ksconfig.model.fields import json_kind, required_kind
from ksconfig.model.images import EXAMPLE_KEY, image_places
from ksconfig.model.plan import ABSENT, Change, Plan
from ksconfig.model.reference import Reference
from ksconfig.model.targets import is_read, why_unread
from ksconfig.operations.draft import Draft
from ksconfig.operations.view import ConfigView, Scope, View, key_path
from ksconfig.source.port import Source
from ksconfig.text.json_path import Path, Step, format_path, walk
from ksconfig.text.json_scanner import names_taken_twice, parse_json
from ksconfig.text.json_write import RawJson, write_json


class Typed(str):
    """A value as a person types it: it takes the JSON type that the field has, or that KServe requires, else string."""

    __slots__ = ()


def plan_set(
    source: Source, path: str | Sequence[Step], value: Any, scope: Scope, *, allow_type_change: bool = False
) -> Plan:
    """A plan that sets one value.

    Args:
        value: Python data, `RawJson`, or `Typed` to take the type that the field has.

    Raises:
        Refused: the JSON type would change without ``allow_type_change``; the key is not there (``--allow new-key``);
            the controller could not start with the result.
        KsconfigError: the path is ambiguous or leads nowhere, or the text is broken.
    """
    from ksconfig.operations.foresight import foresee  # what only plans need is loaded only for them

    steps = key_path(path)
    with not_done(f"{format_path(steps)} was not set"):
        draft = Draft(View(source, scope), "set")
        view = draft.view.need_config()
        key = str(steps[0])
        if key not in view.config.keys and key != EXAMPLE_KEY:
            if "new-key" not in scope.allow:
                _refuse_new_key(view, key)
            _check_new_key(view, key)
            value = _typed(value, required_kind(steps), steps)
            _refuse_twins(value, steps)
            draft.add_key(key, steps[1:], value)
            return foresee(draft.view, draft.plan())
        steps, node = draft.find(steps)
        kind = node.kind if node and node.kind != "null" else required_kind(steps)
        if isinstance(value, Typed):
            value = _typed(value, kind, steps)
        _refuse_twins(value, steps)
        new_kind = parse_json(value).kind if isinstance(value, RawJson) else json_kind(value)
        if kind and new_kind != kind and (node is None or node.kind != new_kind):
            now = f" ({node.source})" if node and len(node.source) < 60 else ""
            if not allow_type_change:
                raise Refused(
                    f"{format_path(steps)} is of JSON type {kind}{now}, and the new value of type {new_kind}",
                    advice="To change the type on purpose use --json (allow_type_change=True).",
                )
            draft.notice("type-change", f"{format_path(steps)} changes its JSON type from {kind} to {new_kind}")
        draft.assign(steps, value)
        _warn_about_image(draft, steps)
        return foresee(draft.view, draft.plan())


def _typed(value: Any, kind: str | None, steps: Path) -> Any:
    """A `Typed` text as a value of the kind; anything else as it is."""
    if not isinstance(value, Typed):
        return value
    where = format_path(steps)
    if kind == "boolean":
        if value not in ("true", "false"):
            raise UsageError(f'{where} is a boolean, and "{value}" is none', advice="Say true or false.")
        return value == "true"
    if kind == "number":
        try:
            if parse_json(value).kind == "number":
                return RawJson(value.strip())
        except InvalidDocument:
            pass
        raise UsageError(f'{where} is a number, and "{value}" is none', advice="Write it as JSON does: 10, -1, 0.5.")
    if kind in ("object", "array"):
        raise UsageError(f"{where} is of JSON type {kind}", advice="Give the whole of it as JSON with --json.")
    return str(value)


def _check_new_key(view: ConfigView, key: str) -> None:
    if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key):
        raise UsageError(
            f'"{key}" cannot be a key of a ConfigMap', advice="A key is made of letters, digits, '-', '_' and '.'."
        )
    _refuse_key_in_other_case(view, key)


def _refuse_key_in_other_case(view: ConfigView, key: str) -> None:
    twin = next((other for other in view.config.keys if other.lower() == key.lower()), None)
    if twin:
        raise Refused(f"{key} differs from the key {twin} only in case", advice=f"Say {twin}.")


def _refuse_twins(value: Any, steps: Path) -> None:
    """Refuse to write names that KServe would take for one another."""
    if not isinstance(value, RawJson | dict | list | tuple):
        return
    for _, node in walk(parse_json(write_json(value))):
        for group in names_taken_twice(node):
            names = " and ".join(node.names[index].source for index in group)
            raise Refused(
                f"the new value of {format_path(steps)} holds {names}, which KServe takes for one another",
                advice="Keep one of them.",
            )


def _refuse_new_key(view: ConfigView, key: str) -> None:
    try:
        view.root(key)
    except PathNotFound as error:
        raise Refused(error.why, allow="new-key", advice=f"{error.advice} A new key needs --allow new-key.") from None


def _warn_about_image(draft: Draft, steps: Path) -> None:
    """`set` writes any value; what `set_image` would refuse is said here."""
    data = {key: draft.present(key).value for key in draft.texts}
    for place in image_places(data):
        inside = (place.key, *place.path)
        if steps[: len(inside)] != inside or len(steps) != len(inside) + 1:
            continue
        if steps[-1] not in (place.field, "defaultImageVersion", "defaultGpuImageVersion"):
            continue
        if not any(is_read(place, rules) for rules in draft.view.release.rules):
            draft.notice("unread", why_unread(place, draft.view.release.rules))
        gpu = str(steps[-1]) == "defaultGpuImageVersion"
        tagged = any(place.key == "predictors" and place.path[0] in r.gpu_tags for r in draft.view.release.likely_rules)
        tag = place.gpu_version if gpu else place.version
        if steps[-1] != place.field and tagged and tag and ("-gpu" in tag) != gpu:
            draft.notice("gpu-rule", f'the tag {tag} {"lacks" if gpu else "holds"} "-gpu": KServe will refuse services')
        try:
            Reference.parse(place.shown)
        except InvalidReference as error:
            draft.notice("no-reference", f"{place.name}: {error.why}")


def plan_unset(source: Source, path: str | Sequence[Step], scope: Scope) -> Plan:
    """A plan that removes one value; without change if it is not there."""
    from ksconfig.operations.foresight import foresee  # what only plans need is loaded only for them

    steps = key_path(path)
    with not_done(f"{format_path(steps)} was not removed"):
        draft = Draft(View(source, scope), "unset")
        view = draft.view.need_config()
        if steps[0] not in view.config.keys:
            _refuse_key_in_other_case(view, str(steps[0]))
            draft.asked.append(Change(view.config.ref, steps, ABSENT, ABSENT, view.config.place, changed=False))
            return foresee(draft.view, draft.plan())
        if steps[0] == EXAMPLE_KEY:
            view.root(EXAMPLE_KEY)
        if len(steps) == 1:
            raise UsageError(f"{steps[0]} is a whole key of the ConfigMap", advice="Name a value inside it.")
        draft.assign(steps, ABSENT)
        return foresee(draft.view, draft.plan())
