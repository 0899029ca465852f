"""Durations as kubectl takes them: 90s, 5m, 1h30m."""

from __future__ import annotations

import re
from typing import Any

import click

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


class Duration(click.ParamType):  # type: ignore[type-arg]  # no older click can be told the type
    """A duration that is longer than nothing, as seconds.

    Args:
        instead: what to do for none at all.
    """

    name = "duration"

    def __init__(self, instead: str) -> None:
        self._instead = instead

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; click's own error if it is none."""
        option = param.opts[-1] if param else "It"
        parts = _PART.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            hint = f"Did you mean {value}s?" if re.fullmatch("[0-9]+", value) else "Write it like 90s, 5m or 1h30m."
            raise click.UsageError(f"{option} is {value!r}, and must be a duration. {hint}", ctx)
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        if seconds <= 0:
            raise click.UsageError(f"{option} is {value!r}, which is no time at all. {self._instead}", ctx)
        return seconds
