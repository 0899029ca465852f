"""Quantities and durations (apimachinery's quantity.go, Go's time.ParseDuration)."""

from __future__ import annotations

import pytest

from ksconfig.model.quantities import is_duration, is_prometheus_duration, parse_quantity


@pytest.mark.parametrize(
    "text", ["0", "1", "100m", "1.5", ".5", "5.", "1Gi", "1e3", "1E-3", "+1", "-1", "10n", "3k", "2E"]
)
def test_quantities(text: str) -> None:
    assert parse_quantity(text) is not None


@pytest.mark.parametrize(
    "text", ["", ".", "m", "1 Gi", "1gi", "1GB", "1O0m", "1.2.3", "1e", "0x1", "1Mi ", "\u0663", "--1"]
)
def test_what_is_no_quantity(text: str) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("more", "less"),
    [("1", "999m"), ("1Gi", "1G"), ("1Ki", "1000"), ("1.5", "1499m"), ("1e3", "999"), ("1m", "999u"), ("0", "-1"),
     ("1E", "1P"), ("1Ei", "1E"), ("0.1Gi", "100Mi")],
)  # fmt: skip
def test_amounts_are_compared_exactly(more: str, less: str) -> None:
    high, low = parse_quantity(more), parse_quantity(less)
    assert high is not None
    assert low is not None
    assert high.exceeds(low)
    assert not low.exceeds(high)
    assert not high.exceeds(high)


@pytest.mark.parametrize("text", ["0", "5s", "1m30s", "1.5h", "100ms", "-1s", "5\u00b5s"])
def test_durations(text: str) -> None:
    assert is_duration(text)


@pytest.mark.parametrize("text", ["", "5", "5 s", "1d", "s", "5sec"])
def test_what_is_no_duration(text: str) -> None:
    assert not is_duration(text)


def test_prometheus_knows_days() -> None:
    assert is_prometheus_duration("1d12h")
    assert not is_prometheus_duration("1.5h")
