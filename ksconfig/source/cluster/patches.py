"""Field edits as JSON Patches: each tests the text that it was computed from, and replaces nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ksconfig.model.objects import STRUCTURES
from ksconfig.model.plan import Field, FieldEdit


def json_patch(obj: Mapping[str, Any], edits: Sequence[FieldEdit]) -> list[dict[str, Any]]:
    """The JSON Patch (RFC 6902) of all edits of an object as it was read.

    The object's UID is tested, since another may have been made under its name; and its version where a field is to be
    added, since a patch cannot test that something is not there.
    """
    metadata = obj["metadata"]
    operations = [_test("/metadata/uid", metadata["uid"])]
    if any(edit.before is None for edit in edits):
        operations.append(_test("/metadata/resourceVersion", metadata["resourceVersion"]))
    for top in dict.fromkeys(str(edit.field[0]) for edit in edits if obj.get(str(edit.field[0])) is None):
        operations.append({"op": "add", "path": pointer((top,)), "value": {}})  # a ConfigMap may have no data yet
    for edit in edits:
        path = pointer(edit.field)
        if edit.before is not None:
            operations.append(_test(path, _value(edit.field, edit.before)))
        if edit.removes:
            operations.append({"op": "remove", "path": path})
        else:
            value = _value(edit.field, edit.after)
            operations.append({"op": "add" if edit.before is None else "replace", "path": path, "value": value})
    return operations


def _value(field: Field, text: str | None) -> Any:
    return json.loads(text or "null") if field in STRUCTURES else text


def _test(path: str, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def pointer(field: Field) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in field)
