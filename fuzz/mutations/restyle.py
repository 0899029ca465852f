"""The same objects in another style: nothing is wrong with these."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz.mutations.documents import load, yaml_as


def _yaml(style: str | None, flow: bool = False) -> Callable[[Random, str], str]:
    def change(random: Random, text: str) -> str:
        documents = load(text)
        return yaml_as(random, documents, style, flow) if documents else text

    return change


def _json(random: Random, text: str) -> str:
    documents = load(text)
    if not documents:
        return text
    whole = documents[0] if len(documents) == 1 else {"apiVersion": "v1", "kind": "List", "items": documents}
    try:
        return json.dumps(
            whole, indent=random.choice((None, 2, 4, "\t")), ensure_ascii=random.random() < 0.5, default=str
        )
    except (ValueError, RecursionError, TypeError):
        return text


def _compact_json(random: Random, text: str) -> str:
    """The JSON of each key set out anew, on one line as often as not."""
    documents = load(text)
    for root in documents or ():
        found = root.get("data") if isinstance(root, dict) else None
        data: dict[Any, Any] = found if isinstance(found, dict) else {}
        for key, text_of_key in data.items():
            try:
                separators = random.choice((None, (",", ":"), (" , ", " : ")))
                data[key] = json.dumps(
                    json.loads(text_of_key), indent=random.choice((None, None, 1, "\t")), separators=separators
                )
            except (ValueError, TypeError, RecursionError):
                continue
    return yaml_as(random, documents, random.choice(("|", None, "'", '"', ">")), False) if documents else text


CHANGES: dict[str, Callable[[Random, str], str]] = {
    "literal": _yaml("|"),
    "folded": _yaml(">"),
    "single quotes": _yaml("'"),
    "double quotes": _yaml('"'),
    "plain": _yaml(None),
    "flow": _yaml('"', flow=True),
    "JSON": _json,
    "other JSON layout": _compact_json,
}
