"""What counts as agreement between a prediction and what came of a service."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.compare import compare
from conformance.predict import Component, Prediction
from conformance.submit import Observed


def runs(*images: str, problem: str = "", **more: Component) -> Prediction:
    """A prediction about a predictor, and other components."""
    return Prediction(components={"predictor": Component(images, problem), **more})


def seen(predictor: str | None = None, **more: Any) -> Observed:
    """What came of a service."""
    images = {"predictor": predictor} if predictor is not None else {}
    return Observed("x", **{"images": images, "control": True, **more})


REFUSED = Prediction(refusal="no")


@pytest.mark.parametrize(
    ("foretold", "came"),
    [
        (runs("a"), seen("a")),
        (runs("a", "b"), seen("b")),
        (REFUSED, seen(refusal="denied")),
        (runs(problem="no runtime"), seen()),
        (runs("a", transformer=Component(("t",))), seen(images={"predictor": "a", "transformer": "t"})),
        (runs("a", explainer=Component((), "bad")), seen("a")),
    ],
)
def test_agreement(foretold: Prediction, came: Observed) -> None:
    assert compare(foretold, came).difference == ""


@pytest.mark.parametrize(
    ("foretold", "came", "said"),
    [
        (runs("a"), seen("b"), "runs b"),
        (runs("a", "b"), seen("c"), "foretold a or b"),
        (runs("a"), seen(complaints=["no such thing"]), "no such thing"),
        (runs("a"), seen(refusal="denied"), "it was admitted, but really denied"),
        (REFUSED, seen("a"), "really it is admitted"),
        (runs(problem="no runtime"), seen("a"), "foretold no workload (no runtime)"),
        (runs(problem="no runtime"), seen(control=False), "nothing came of the service submitted after it"),
        (runs("a"), seen(images={"predictor": "a", "transformer": "t"}), "transformer: foretold no workload"),
        (runs("a", transformer=Component(("t",))), seen("a"), "transformer: foretold t"),
        (REFUSED, seen(), "really it is admitted"),
    ],
)
def test_difference(foretold: Prediction, came: Observed, said: str) -> None:
    assert said in compare(foretold, came).difference


def test_an_update_is_refused_and_not_what_came_before_it() -> None:
    assert compare(REFUSED, seen("a", refusal="denied", of_update=True), updated=True).difference == ""
    assert "before its update" in compare(REFUSED, seen(refusal="denied"), updated=True).difference


def test_one_of_several_is_told_apart() -> None:
    assert compare(runs("a", "b"), seen("a")).one_of
    assert not compare(runs("a"), seen("a")).one_of
    assert not compare(runs("a", "b"), seen("c")).one_of
