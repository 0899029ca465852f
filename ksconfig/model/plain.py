"""Plain data of objects that people wrote: what is not of the type it must be counts as absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> Sequence[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else ()


def string(value: Any) -> str | None:
    """A string, or None."""
    return value if isinstance(value, str) else None
