"""Which releases a test runs on."""

from __future__ import annotations

import os

import pytest
from _pytest.mark.structures import ParameterSet

from sandbox.releases import RELEASES, USUAL

#: With KSCONFIG_ALL_RELEASES=1 the tests that fit every release run on every one; building those takes a while.
ALL = bool(os.environ.get("KSCONFIG_ALL_RELEASES"))


def releases(since: str = "0.7.0") -> list[ParameterSet]:
    """The releases from ``since`` on that a test is to run on, as parameters with their marks."""
    known = list(RELEASES)
    chosen = [name for name in known[known.index(since) :] if ALL or name in USUAL]
    return [pytest.param(name, marks=pytest.mark.kserve(name)) for name in chosen]
