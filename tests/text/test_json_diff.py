"""Differences of JSON values as assignments."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.text.json_diff import json_differences
from ksconfig.text.json_path import Path
from ksconfig.text.proof import ABSENT


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [(("a", "c"), 2, 3)]),
        ({"a": 1}, {}, [(("a",), 1, ABSENT)]),
        ({}, {"a": {"b": 1}}, [(("a",), ABSENT, {"b": 1})]),
        ({"a": [1, 2]}, {"a": [1]}, [(("a",), [1, 2], [1])]),
        ({"a": 1}, {"a": True}, [(("a",), 1, True)]),
        ("x", {"a": 1}, [((), "x", {"a": 1})]),
    ],
)
def test_each_difference_is_as_deep_as_objects_go(old: Any, new: Any, found: list[tuple[Path, Any, Any]]) -> None:
    assert json_differences(old, new) == found
