"""Holds whatever commands print with ``-o json`` to the schema that is shipped."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from ksconfig.cli.schema import SHIPPED


@cache
def _validator() -> Draft202012Validator:
    """Of the schema with every object closed: what is printed and not in it is a fault of ours."""
    schema = json.loads(SHIPPED.read_text())
    for definition in schema["$defs"].values():
        definition["additionalProperties"] = False
    return Draft202012Validator(schema)


def check_document(document: Any) -> None:
    """See that a document is as the schema has it.

    Raises:
        AssertionError: it is not; the message tells what differs.
    """
    validator = _validator()
    kind = str(document.get("kind"))
    assert kind in validator.schema["$defs"], f"the schema knows no {kind}"
    alone = validator.evolve(schema={"$ref": f"#/$defs/{kind}", "$defs": validator.schema["$defs"]})
    faults = [f"{fault.json_path}: {fault.message}" for fault in alone.iter_errors(document)]
    assert not faults, "\n".join(faults)
    validator.validate(document)


def check_output(text: str) -> None:
    """The same for what a command printed, if that is one of our documents."""
    if '"ksconfig/v1"' not in text:
        return
    try:
        document = json.loads(text)
    except ValueError:
        return
    if isinstance(document, dict) and document.get("apiVersion") == "ksconfig/v1":
        check_document(document)
