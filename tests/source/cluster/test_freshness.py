"""Answers that are older than what is known already."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.source.cluster.freshness import Freshness

PODS = "/api/v1/namespaces/kserve/pods"
MAPS = "/api/v1/namespaces/kserve/configmaps"
CONFIG = f"{MAPS}/inferenceservice-config"


def listed(version: int | str) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version)}, "items": []}


def stored(version: int | str) -> dict[str, Any]:
    return {"metadata": {"name": "x", "resourceVersion": str(version)}}


#: Requests that came before (method, path, answer), the one that comes now, and whether its answer is old.
CASES = [
    ("a list after a newer one", [("GET", PODS, listed(9))], ("GET", PODS, listed(8)), True),
    ("a list as new as one before", [("GET", PODS, listed(9))], ("GET", PODS, listed(9)), False),
    ("a list from before a write", [("PATCH", CONFIG, stored(9))], ("GET", MAPS, listed(8)), True),
    ("a list from before something was made", [("POST", MAPS, stored(9))], ("GET", MAPS, listed(8)), True),
    ("a list from before a deletion", [("DELETE", f"{PODS}/a", stored(9))], ("GET", PODS, listed(8)), True),
    ("an object from before a write", [("PATCH", CONFIG, stored(9))], ("GET", CONFIG, stored(8)), True),
    ("an object that is older than a list", [("GET", MAPS, listed(9))], ("GET", CONFIG, stored(2)), False),
    ("an object that is older than another", [("GET", f"{MAPS}/a", stored(9))], ("GET", CONFIG, stored(2)), False),
    ("a list of another resource", [("GET", PODS, listed(9))], ("GET", MAPS, listed(8)), False),
    ("a list of all namespaces", [("GET", "/api/v1/pods", listed(9))], ("GET", PODS, listed(8)), True),
    ("a runtime", [("PATCH", "/apis/g/v1/rs/a", stored(9))], ("GET", "/apis/g/v1/rs", listed(8)), True),
    ("an answer to a write", [("GET", PODS, listed(9))], ("DELETE", f"{PODS}/a", stored(8)), False),
    ("versions that are no numbers", [("GET", PODS, listed("b"))], ("GET", PODS, listed("a")), False),
    ("an answer without a version", [("GET", PODS, listed(9))], ("GET", PODS, {"status": "x"}), False),
]


@pytest.mark.parametrize(("before", "now", "old"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_answer_is_old_if_its_resource_was_seen_newer(
    before: list[tuple[str, str, dict[str, Any]]], now: tuple[str, str, dict[str, Any]], old: bool
) -> None:
    freshness = Freshness()
    for method, path, answer in before:
        assert not freshness.is_older(method, path, {}, answer)
    method, path, answer = now
    assert freshness.is_older(method, path, {}, answer) is old


def test_later_pages_are_of_the_moment_of_the_first_and_dry_runs_of_none() -> None:
    freshness = Freshness()
    assert not freshness.is_older("GET", PODS, {"limit": "500"}, listed(7))
    assert not freshness.is_older("POST", PODS, {}, stored(9))
    assert not freshness.is_older("GET", PODS, {"limit": "500", "continue": "x"}, listed(7))
    assert not freshness.is_older("PATCH", CONFIG, {"dryRun": "All"}, stored(99))
    assert not freshness.is_older("GET", CONFIG, {}, stored(5))
    assert freshness.is_older("GET", PODS, {"limit": "500"}, listed(7))
