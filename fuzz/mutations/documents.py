"""Manifests as data and back, in any of the styles that YAML and JSON have."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import yaml

from fuzz.depth import is_deep

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> list[Any] | None:
    """The documents as data, None where they cannot be read."""
    if is_deep(text):
        return None
    try:
        return list(yaml.load_all(text, Loader=_LOADER))
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def print_as(random: Random, documents: list[Any]) -> str:
    """The documents in a style that is made up for them."""
    if random.random() < 0.25:
        indent = random.choice((None, 2, 4, "\t"))
        try:
            texts = [
                json.dumps(one, indent=indent, ensure_ascii=random.random() < 0.5, default=str) for one in documents
            ]
        except (ValueError, RecursionError, TypeError):
            return ""
        return "\n---\n".join(texts) + random.choice(("", "\n"))
    return yaml_as(random, documents, random.choice(("|", "|", "'", '"', ">", None)), random.random() < 0.15)


def yaml_as(random: Random, documents: list[Any], style: str | None, flow: bool) -> str:
    """The documents as YAML, with texts in one style and much left to chance."""
    dumper = type("Styled", (yaml.SafeDumper,), {})

    def represent(one: Any, value: str) -> yaml.ScalarNode:
        chosen = style if "\n" in value or "{" in value or random.random() < 0.1 else None
        node: yaml.ScalarNode = one.represent_scalar("tag:yaml.org,2002:str", value, style=chosen)
        return node

    dumper.add_representer(str, represent)  # type: ignore[attr-defined]
    try:
        text: str = yaml.dump_all(
            documents, Dumper=dumper, default_flow_style=True if flow else random.choice((False, False, None)),
            indent=random.choice((2, 2, 4, 7)), width=random.choice((20, 80, 10_000)),
            allow_unicode=random.random() < 0.5, sort_keys=False, explicit_start=random.random() < 0.3,
            explicit_end=random.random() < 0.1, line_break=random.choice(("\n", "\n", "\n", "\r\n")),
        )  # fmt: skip
    except (yaml.YAMLError, RecursionError, TypeError, ValueError):
        return ""
    return text
