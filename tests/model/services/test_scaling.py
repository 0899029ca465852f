"""What admission says against the way in which a service scales, release by release."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.services.admission import admit
from tests.model.services.builders import Json, service, world

CLASS = "serving.kserve.io/autoscalerClass"
METRIC = "serving.kserve.io/metrics"
SHARE = "serving.kserve.io/targetUtilizationPercentage"
MODE = "serving.kserve.io/deploymentMode"
KNATIVE_HPA = {"autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev"}
RAW, RAW_HPA, RAW_KEDA = ({MODE: "RawDeployment", **more} for more in ({}, {CLASS: "hpa"}, {CLASS: "keda"}))
OWN: Json = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}


def refusal(annotations: Json, minor: int, **more: Any) -> str:
    """Why a service with these annotations, and these fields of its predictor, is refused; "" if it is not."""
    named = dict(annotations)
    if minor >= 16 and MODE in named:
        named[MODE] = "Standard"
    return admit(service({**OWN, **more}, metadata={"annotations": named}), world(minor)).refusal


class TestAnnotations:
    """The class of the autoscaler is looked at from 0.7 on; its metric and share to 0.14."""

    @pytest.mark.parametrize("minor", range(5, 21))
    @pytest.mark.parametrize(("name", "since"), [("hpa", 7), ("external", 12), ("keda", 15), ("none", 15), ("x", 99)])
    def test_name_a_class_that_the_release_has(self, name: str, since: int, minor: int) -> None:
        assert refusal({CLASS: name}, minor).startswith(f"{name} is no autoscaler class: ") is (7 <= minor < since)

    @pytest.mark.parametrize("minor", range(5, 21))
    @pytest.mark.parametrize(("metric", "since"), [("cpu", 7), ("memory", 9), ("rps", 99)])
    def test_name_a_metric_of_pods(self, metric: str, since: int, minor: int) -> None:
        refused = 7 <= minor < min(since, 15)
        why = f"{metric} is no metric of the autoscaler class hpa" if refused else ""
        assert refusal({CLASS: "hpa", METRIC: metric}, minor) == why
        assert refusal({METRIC: metric}, minor) == ""

    @pytest.mark.parametrize("minor", range(5, 21))
    @pytest.mark.parametrize(
        ("share", "fits"),
        [
            ("1", True),
            ("100", True),
            ("+5", True),
            ("0", False),
            ("101", False),
            ("x", False),
            ("", False),
            ("5.0", False),
        ],
    )
    def test_name_a_share_from_1_to_100(self, share: str, fits: bool, minor: int) -> None:
        assert (refusal({SHARE: share}, minor) == "") is (fits or not 7 <= minor < 15)


class TestFields:
    """The fields of a component are looked at from 0.9 on."""

    @pytest.mark.parametrize("minor", range(5, 21))
    @pytest.mark.parametrize(
        ("annotations", "more", "why"),
        [
            # Knative, by requests
            ({}, {"scaleMetric": "concurrency"}, ""),
            ({}, {"scaleMetric": "rps", "scaleTarget": 1}, ""),
            ({}, {"scaleTarget": 0}, ""),
            ({}, {"scaleMetric": "rps", "scaleTarget": 0}, "scaleTarget 0 is below 1"),
            ({}, {"scaleMetric": "cpu"}, "cpu is no metric of Knative"),
            # Knative, by pods
            (KNATIVE_HPA, {"scaleMetric": "cpu", "scaleTarget": 100}, ""),
            (KNATIVE_HPA, {"scaleMetric": "rps"}, "rps is no metric of pods"),
            (KNATIVE_HPA, {"scaleTarget": 0}, "scaleTarget 0 is no share from 1 to 100"),
            (KNATIVE_HPA, {"scaleMetric": "memory", "scaleTarget": 0}, "scaleTarget 0 is below 1"),
            (KNATIVE_HPA, {"scaleMetric": "memory", "scaleTarget": 101}, "scaleTarget 101 is no share from 1 to 100"),
            # Deployments, by pods
            (RAW_HPA, {"scaleMetric": "memory", "scaleTarget": 1}, ""),
            (RAW_HPA, {"scaleMetric": "concurrency"}, "concurrency is no metric of pods"),
        ],
    )
    def test_fit_the_autoscaler(self, annotations: Json, more: Json, why: str, minor: int) -> None:
        assert refusal(annotations, minor, **more) == (why if minor >= 9 else "")

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_of_a_deployment_are_those_of_pods_unless_a_class_is_named_from_0_15_on(self, minor: int) -> None:
        why = "" if minor >= 15 else "rps is no metric of pods"
        assert refusal(RAW, minor, scaleMetric="rps") == why

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_name_no_strategy_on_knative_from_0_13_on(self, minor: int) -> None:
        why = "a deploymentStrategy is for services that are deployed without Knative" if minor >= 13 else ""
        assert refusal({}, minor, deploymentStrategy={"type": "Recreate"}) == why
        assert refusal(RAW_HPA, minor, deploymentStrategy={"type": "Recreate"}) == ""

    @pytest.mark.parametrize("minor", range(9, 21))
    @pytest.mark.parametrize("component", ["transformer", "explainer"])
    def test_of_all_components_are_looked_at(self, component: str, minor: int) -> None:
        other: Json = {component: {**OWN, "scaleMetric": "cpu"}}
        assert admit(service(OWN, **other), world(minor)).refusal == "cpu is no metric of Knative"


RESOURCE = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
}
QUERY = {"metric": {"query": "q"}, "target": {"type": "Value", "value": "1"}}


def aiming(name: str, **target: Any) -> Json:
    """A metric of a resource."""
    return {"type": "Resource", "resource": {"name": name, "target": target}}


class TestKeda:
    """From 0.15 on."""

    @pytest.mark.parametrize("minor", range(15, 21))
    @pytest.mark.parametrize(
        ("metric", "fits"),
        [
            (RESOURCE, True),
            (aiming("memory", type="AverageValue", averageValue="1Gi"), True),
            ({"type": "External", "external": QUERY}, True),
            ({"type": "PodMetric", "podmetric": QUERY}, True),
            ({"type": "Resource"}, False),
            ({"type": "External"}, False),
            ({"type": "Other", "other": {}}, False),
            (aiming("cpu", type="AverageValue", averageValue="1"), False),
            (aiming("memory", type="Value", value="1"), False),
            (aiming("cpu", type="Utilization"), False),
            (aiming("cpu", type="Utilization", averageUtilization=101), False),
            (aiming("cpu", type="Utilization", averageUtilization=0), False),
            ({"type": "External", "external": {**QUERY, "metric": {"query": ""}}}, False),
            ({"type": "External", "external": {**QUERY, "target": {"type": "Value"}}}, False),
            ({"type": "PodMetric", "podmetric": {**QUERY, "target": {"type": "AverageValue", "value": "1"}}}, False),
        ],
    )
    def test_takes_metrics_that_are_whole(self, metric: Json, fits: bool, minor: int) -> None:
        assert (refusal(RAW_KEDA, minor, autoScaling={"metrics": [metric]}) == "") is fits

    @pytest.mark.parametrize("minor", range(15, 21))
    @pytest.mark.parametrize(("amount", "fits"), [("1Mi", True), ("1Gi", True), ("1023Ki", False), ("1", False)])
    def test_takes_a_mebibyte_of_memory_or_more(self, amount: str, fits: bool, minor: int) -> None:
        metric = aiming("memory", type="AverageValue", averageValue=amount)
        assert (refusal(RAW_KEDA, minor, autoScaling={"metrics": [metric]}) == "") is fits

    @pytest.mark.parametrize("minor", range(15, 21))
    def test_takes_no_metric_in_one_word(self, minor: int) -> None:
        assert refusal(RAW_KEDA, minor, scaleMetric="cpu") == "scaleMetric is not for the autoscaler class keda"

    @pytest.mark.parametrize("minor", range(15, 21))
    def test_is_alone_in_taking_more_than_resources(self, minor: int) -> None:
        external = {"metrics": [{"type": "External", "external": QUERY}]}
        assert refusal(RAW_HPA, minor, autoScaling=external).startswith("a metric of type External is not for")
        assert refusal(RAW_HPA, minor, autoScaling={"metrics": [RESOURCE]}) == ""
