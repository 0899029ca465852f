"""The world that services get their images from, before a plan and after it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ksconfig.errors import InvalidDocument
from ksconfig.model.objects import WHOLE
from ksconfig.model.plan import Field, FieldEdit, ObjectRef
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND, Runtime, read_runtime
from ksconfig.model.services.world import StorageContainer, World, read_storage_container
from ksconfig.operations.view import View
from ksconfig.text.json_scanner import parse_json

_RUNTIME_KINDS = (CLUSTER_KIND, NAMESPACED_KIND)
#: The keys of the config that decide images.
_OF_FRAMEWORKS = frozenset({"predictors", "explainers"})
_OF_PODS = frozenset({"storageInitializer", "agent"})
_ALONE = frozenset({"router"})


def decides_images(edits: Iterable[FieldEdit]) -> bool:
    """Whether any of the edits may change the image of anything."""
    keys = _OF_FRAMEWORKS | _OF_PODS | _ALONE
    return any(edit.object.kind != "ConfigMap" or edit.field[1] in keys for edit in edits)


def needs_runtimes(edits: Iterable[FieldEdit]) -> bool:
    """Whether other objects must be read to tell what the edits do; the router stands for itself."""
    return any(edit.object.kind != "ConfigMap" or edit.field[1] not in _ALONE for edit in edits)


def worlds(view: View, edits: Sequence[FieldEdit], rules: Rules) -> tuple[World, World]:
    """The world as it is, and as it would be after the edits."""
    whole = needs_runtimes(edits)
    config = dict(view.config.data) if view.config else {}
    runtimes = {one.ref: one for one in view.runtimes} if whole else {}
    storage = _storage(view) if whole else {}
    old = World(rules, config, runtimes.values(), storage.values())
    changed = dict(config)
    for edit in edits:
        if edit.object.kind == "ConfigMap":
            _set_key(changed, str(edit.field[1]), edit.after)
        elif edit.object.kind in _RUNTIME_KINDS and edit.field == WHOLE:
            runtimes.pop(edit.object, None)
            if edit.after is not None:
                runtimes[edit.object] = read_runtime(edit.object, json.loads(edit.after))
        elif edit.object.kind in _RUNTIME_KINDS and edit.object in runtimes:
            runtimes[edit.object] = _runtime_after(view, edit)
        elif edit.object.kind == STORAGE_KIND and edit.object in storage:
            data = with_field(view.first[edit.object].data, edit.field, edit.after)
            storage[edit.object] = read_storage_container(edit.object, data)
    return old, World(rules, changed, runtimes.values(), storage.values())


def present_world(view: View, rules: Rules) -> World:
    """The world as it is."""
    return World(rules, view.config.data if view.config else {}, view.runtimes, _storage(view).values())


def _storage(view: View) -> dict[ObjectRef, StorageContainer]:
    return {ref: read_storage_container(ref, one.data) for ref, one in view.first.items() if ref.kind == STORAGE_KIND}


def _runtime_after(view: View, edit: FieldEdit) -> Runtime:
    return read_runtime(edit.object, with_field(view.first[edit.object].data, edit.field, edit.after))


def _set_key(config: dict[str, Any], key: str, text: str | None) -> None:
    config.pop(key, None)
    if text is not None:
        with suppress(InvalidDocument):  # as good as not there: who writes it has been told
            config[key] = parse_json(text).value


def with_field(data: Any, field: Field, value: Any) -> Any:
    """Plain data with one field replaced; None takes it away."""
    if not field:
        return value
    if value is None and len(field) == 1 and isinstance(data, Mapping):
        return {name: one for name, one in data.items() if name != field[0]}
    step, rest = field[0], field[1:]
    if isinstance(step, int) and isinstance(data, list):
        return [with_field(one, rest, value) if index == step else one for index, one in enumerate(data)]
    if isinstance(data, Mapping):
        return {**data, step: with_field(data.get(str(step)), rest, value)}
    return data
