"""Resource quantities and durations as Kubernetes and Go write them."""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,3}))?")
_SUFFIXES = {
    **{f"{letter}i": Fraction(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
    **{letter: Fraction(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{letter: Fraction(1, 1000) ** power for power, letter in enumerate("mun", 1)},
}
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)")


_PROMETHEUS_DURATION = re.compile(r"0|(?:[0-9]+(?:ms|[smhdwy]))+")


def parse_quantity(text: str) -> Fraction | None:
    """The amount that a quantity ("100m", "1Gi", "1e3") stands for; None if it is none (apimachinery quantity.go)."""
    match = _QUANTITY.fullmatch(text)
    if not match:
        return None
    number, suffix, exponent = match.groups()
    return Fraction(number) * (_SUFFIXES[suffix] if suffix else Fraction(10) ** int(exponent or 0))


def is_duration(text: str) -> bool:
    """Whether Go's ``time.ParseDuration`` takes it."""
    return bool(_DURATION.fullmatch(text))


def is_prometheus_duration(text: str) -> bool:
    """Whether Prometheus, whose settings a collector takes, reads it as a duration (it knows days and weeks)."""
    return bool(_PROMETHEUS_DURATION.fullmatch(text))
