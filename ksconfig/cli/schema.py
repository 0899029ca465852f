"""The JSON Schema of the documents, made of their types; a test holds that the shipped one is the same.

``python -m ksconfig.cli.schema > ksconfig/schema/ksconfig-v1.json`` makes it anew.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

SHIPPED = Path(__file__).parents[1] / "schema" / "ksconfig-v1.json"
_PLAIN = {str: "string", int: "integer", bool: "boolean", NoneType: "null"}


def generate() -> dict[str, Any]:
    """The schema of every document, each by its kind."""
    from ksconfig.cli import documents

    definitions: dict[str, Any] = {}
    kinds = [_schema_of(one, definitions) for one in get_args(documents.Document)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ksconfig/v1",
        "description": "The documents that ksconfig prints with -o json and -o yaml. Fields may be added; none is "
        "taken away, renamed or given another meaning.",
        "oneOf": kinds,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The schema as it is shipped."""
    return json.dumps(generate(), indent=2) + "\n"


def _schema_of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind is Any:
        return {}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if is_typeddict(kind):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # so that a type may hold itself
            definitions[kind.__name__] = _object_schema(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    arguments = get_args(kind)
    if get_origin(kind) is Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
    if get_origin(kind) is list:
        return {"type": "array", "items": _schema_of(arguments[0], definitions)}
    if get_origin(kind) in (Union, UnionType):
        choices = [_schema_of(one, definitions) for one in arguments]
        if all(list(choice) == ["type"] for choice in choices):
            return {"type": [choice["type"] for choice in choices]}
        return {"anyOf": choices}
    raise TypeError(f"no schema for {kind}")


def _object_schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    said = _said(kind)
    properties = {}
    for name, hint in get_type_hints(kind).items():
        described = {"description": said[name]} if name in said else {}
        properties[name] = {**_schema_of(hint, definitions), **described}
    required = [name for name in properties if name in kind.__required_keys__]
    return {"description": said[""], "type": "object", "properties": properties, "required": required}


def _said(kind: Any) -> dict[str, str]:
    """What the docstring says: of the document under "", of each field under its name; those of bases included."""
    found: dict[str, str] = {}
    for base in _bases(kind):
        found |= _said(base)
    head, _, fields = (kind.__doc__ or "").partition("Attributes:")
    found[""] = " ".join(head.split()).replace("``", "")
    for name, words in re.findall(r"^ *(\w+): (.*)$", fields, re.MULTILINE):
        found[name] = words
    return found


def _bases(kind: Any) -> list[Any]:
    """The types that a type extends; at run time it does not know them any more."""
    module = importlib.import_module(kind.__module__)
    classes = (node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef))
    names = next([ast.unparse(base) for base in node.bases] for node in classes if node.name == kind.__name__)
    return [getattr(module, name) for name in names if name != "TypedDict"]


if __name__ == "__main__":
    print(text(), end="")
