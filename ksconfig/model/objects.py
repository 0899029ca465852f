"""Whole objects as texts: what an owner wrote of them, without what the API server sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping
from ksconfig.model.plan import Field

#: The field that stands for an object as a whole.
WHOLE: Field = ()
#: The path of a change that is about an object as a whole.
WHOLE_PATH = ("object",)
#: The fields whose text is the JSON of a structure, and not a string.
STRUCTURES: frozenset[Field] = frozenset({WHOLE, ("spec", "predictor")})
_OWN_METADATA = ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")


def own_part(data: Mapping[str, Any]) -> dict[str, Any]:
    """An object without status and without the metadata that the API server sets."""
    metadata = mapping(data.get("metadata"))
    kept = {name: metadata[name] for name in _OWN_METADATA if metadata.get(name)}
    rest = {name: value for name, value in data.items() if name not in ("metadata", "status")}
    return {**rest, "metadata": kept}


def structure_text(data: Any) -> str:
    """A structure as JSON in one sure form, so that equal ones have equal texts."""
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def object_text(data: Mapping[str, Any]) -> str:
    """An object's own part as text."""
    return structure_text(own_part(data))
