"""What is foretold of a case."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.case import Case, merged
from conformance.predict import naive, predict
from tests.conformance.worlds import shipped_like


def case(spec: dict[str, Any], then: dict[str, Any] | None = None, **metadata: Any) -> Case:
    """A service of a spec, and its update."""
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m", "namespace": "n", **metadata},
        "spec": spec,
    }
    return Case("x", "x", service, then=then)


SKLEARN = {"predictor": {"sklearn": {"storageUri": "gs://m"}}}


def test_each_component_has_its_image() -> None:
    spec = {**SKLEARN, "transformer": {"containers": [{"image": "t"}]}, "explainer": {"art": {"type": "x"}}}
    found = predict(case(spec), shipped_like("0.20.0"))
    assert {name: one.images for name, one in found.components.items()} == {
        "predictor": ("kserve/sklearnserver:v1",),
        "transformer": ("t",),
        "explainer": ("r/x:1",),
    }
    assert found.awaited == ("predictor", "transformer", "explainer")


def test_a_service_that_stands_still_has_no_workload() -> None:
    found = predict(case(SKLEARN, annotations={"serving.kserve.io/stop": "true"}), shipped_like("0.20.0"))
    assert found.refused
    assert found.awaited == ()


def test_an_update_meets_what_admission_wrote_before() -> None:
    then = {"spec": {"predictor": {"sklearn": {"protocolVersion": "v2"}}}}
    found = predict(case(SKLEARN, then), shipped_like("0.7.0"))
    assert found.components["predictor"].images == ("r/x2:1",)


def test_an_update_that_cannot_be_made_leaves_the_workload() -> None:
    then = {"spec": {"predictor": {"model": {"storageUri": "ftp://m"}}}}
    found = predict(case(SKLEARN, then), shipped_like("0.20.0")).components["predictor"]
    assert (found.images, found.problem) == (("kserve/sklearnserver:v1",), "")
    assert "ftp://m" in found.reasons[-1]


@pytest.mark.parametrize("release", ["0.7.0", "0.8.0", "0.20.0"])
def test_who_knows_but_defaults_refuses_nothing(release: str) -> None:
    world = shipped_like(release)
    assert naive(case({"predictor": {"sklearn": {"image": "me/own:1"}}}), world).components["predictor"].images != ()
    assert naive(case({"predictor": {"containers": [{"image": "o"}]}}), world).components["predictor"].images == ("o",)
    both = naive(case({"predictor": {"sklearn": {}, "xgboost": {}}}), world)
    assert (both.refusal, both.refused) == ("", False)


def test_a_merge_patch_takes_away_with_null() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": None}, "d": [4]}) == {"a": {"c": 2}, "d": [4]}
    assert merged([1], {"a": 1}) == {"a": 1}
