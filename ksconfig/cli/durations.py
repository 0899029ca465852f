"""Durations as kubectl takes them: 90s, 5m, 1h30m."""

from __future__ import annotations

import re

from ksconfig.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


def seconds_of(text: str, option: str = "--timeout") -> float:
    """The seconds of a duration, the value of an option.

    Raises:
        UsageError: it is none, or not longer than nothing.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        hint = f"Did you mean {text}s?" if text.isdigit() else "Write it like 90s, 5m or 1h30m."
        raise UsageError(f'"{text}" is no duration', advice=hint)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        advice = "To wait for nothing: --no-wait." if option == "--timeout" else f"Leave {option} out."
        raise UsageError(f'"{text}" is no time at all', advice=advice)
    return seconds
