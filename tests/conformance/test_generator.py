"""The cases that are made: of every dimension, a fifth of them refused, most of them no matter of defaults."""

from __future__ import annotations

from collections import Counter

import pytest

from conformance.case import Case
from conformance.compare import compare
from conformance.generator import cases_for, dimensions
from conformance.predict import Prediction, naive, predict, with_runtimes
from conformance.submit import Observed
from ksconfig.model.services.world import World
from tests.conformance.worlds import shipped_like

RELEASES = ("0.7.0", "0.8.0", "0.20.0")


def made(release: str, count: int, seed: int = 1) -> tuple[World, list[Case], list[Prediction]]:
    """Cases, the world with their runtimes in it, and what is foretold of them."""
    world = shipped_like(release)
    cases = cases_for(world, count, seed)
    objects = [
        {**obj, "metadata": {**obj["metadata"], "creationTimestamp": f"2026-01-02T00:00:0{wave}Z"}}
        for case in cases
        for wave, group in enumerate((case.runtimes, case.younger))
        for obj in group
    ]
    world = with_runtimes(world, objects)
    return world, cases, [predict(case, world) for case in cases]


def as_foretold(prediction: Prediction) -> Observed:
    """What is seen if all comes as foretold."""
    images = {name: one.images[0] for name, one in prediction.components.items() if one.images}
    return Observed("", refusal=prediction.refusal, of_update=True, images=images, control=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fifth_of_the_cases_is_refused(seed: int) -> None:
    found = [one for release in RELEASES for one in made(release, 200, seed)[2]]
    assert len(found) >= 150
    assert sum(one.refused for one in found) >= len(found) / 5
    assert any(one.refusal for one in found)
    assert any(one.refused and not one.refusal for one in found)


@pytest.mark.parametrize("release", RELEASES)
def test_defaults_do_not_get_most_of_them_right(release: str) -> None:
    world, cases, foretold = made(release, 200)
    right = sum(
        not compare(naive(case, world), as_foretold(prediction), case.then is not None).difference
        for case, prediction in zip(cases, foretold, strict=True)
    )
    assert 0 < right < 0.6 * len(cases)


@pytest.mark.parametrize("release", RELEASES)
def test_every_dimension_of_a_release_has_its_share(release: str) -> None:
    world, cases, _ = made(release, 60)
    names = [name for name, _ in dimensions(world.rules)]
    assert ("pytorch's two servers" in names) is (release == "0.7.0")
    assert ("runtime: workers" in names) is (release == "0.20.0")
    assert Counter(case.dimension for case in cases).keys() == set(names)


def test_the_same_seed_makes_the_same_cases_and_another_makes_others() -> None:
    assert made("0.8.0", 80)[1] == made("0.8.0", 80)[1]
    assert made("0.8.0", 80)[1] != made("0.8.0", 80, seed=2)[1]


def test_where_the_dimensions_end_cases_are_random() -> None:
    cases = made("0.20.0", 1000)[1]
    assert len(cases) == 1000
    assert cases[-1].dimension == "mixed"
    assert len({case.name for case in cases}) == 1000


@pytest.mark.parametrize("release", RELEASES)
def test_a_namespaced_runtime_has_its_namespace_for_itself_or_away_from_all(release: str) -> None:
    cases = made(release, 1000)[1]
    shared = Counter(case.namespace for case in cases)
    for case in cases:
        for runtime in (*case.runtimes, *case.younger):
            if runtime["kind"] == "ServingRuntime":
                namespace = runtime["metadata"]["namespace"]
                assert shared[namespace] == (1 if namespace == case.namespace else 0)
