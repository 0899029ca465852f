"""Resource quantities and durations as Kubernetes, Go and Prometheus write them."""

from __future__ import annotations

import re
from typing import NamedTuple

_QUANTITY = re.compile(r"([+-]?)([0-9]*)\.?([0-9]*)(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,3}))?")
_BINARY = {f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {letter: power for power, letter in zip(range(-9, 19, 3), ("n", "u", "m", "", "k", *"MGTPE"), strict=True)}
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)")
_PROMETHEUS_DURATION = re.compile(r"0|(?:[0-9]+(?:ms|[smhdwy]))+")


class Quantity(NamedTuple):
    """An amount: ``digits`` times ten to the power of ``exponent``, exactly."""

    digits: int
    exponent: int

    def exceeds(self, other: Quantity) -> bool:
        """Whether it is more."""
        least = min(self.exponent, other.exponent)
        mine, theirs = self.digits * _ten(self.exponent - least), other.digits * _ten(other.exponent - least)
        return mine > theirs


def _ten(exponent: int) -> int:
    return int("1" + "0" * exponent)


def parse_quantity(text: str) -> Quantity | None:
    """The amount that a quantity ("100m", "1Gi", "1e3") stands for; None if it is none (apimachinery quantity.go)."""
    match = _QUANTITY.fullmatch(text)
    if not match or not (match[2] or match[3]):
        return None
    sign, whole, fraction, suffix, exponent = match.groups()
    digits = int(f"{sign}{whole}{fraction}") * _BINARY.get(suffix or "", 1)
    return Quantity(digits, _DECIMAL.get(suffix or "", 0) + int(exponent or 0) - len(fraction))


def is_duration(text: str) -> bool:
    """Whether Go's ``time.ParseDuration`` takes it."""
    return bool(_DURATION.fullmatch(text))


def is_prometheus_duration(text: str) -> bool:
    """Whether Prometheus, whose settings a collector takes, reads it as a duration (it knows days and weeks)."""
    return bool(_PROMETHEUS_DURATION.fullmatch(text))
