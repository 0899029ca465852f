"""What Kubernetes takes of a Deployment that KServe would make: resources, names of containers, host names."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.runtimes import Container
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import DEPLOYMENT_MODE
from tests.model.services.builders import Json, model, predictor_of, runtime, service, world

STANDARD: Json = {"deploy": {"defaultDeploymentMode": "Standard"}}
RAW: Json = {"annotations": {DEPLOYMENT_MODE: "RawDeployment"}}


def amounts(requests: Json | None = None, limits: Json | None = None) -> Json:
    """The resources of a container."""
    return {"resources": {"requests": requests or {}, "limits": limits or {}}}


def limited(**limits: str) -> Container:
    """The serving container of a runtime, with limits."""
    return Container(
        "kserve-container", "r/x:1", frozenset(limits), "", tuple(("limits", *one) for one in limits.items())
    )


class TestResources:
    """Requests are not above limits, and devices are requested as they are limited."""

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            (amounts(), ""),
            (amounts({"cpu": "500m"}), ""),
            (amounts({"cpu": 1}), ""),
            (amounts({"cpu": "2"}), "it requests 2 of cpu, and its limit is 1"),
            (amounts({"cpu": "2"}, {"cpu": "2"}), ""),
            (amounts({"cpu": "2"}, {"cpu": "1500m"}), "it requests 2 of cpu, and its limit is 1500m"),
            (amounts({"memory": "9Gi"}), ""),
            (amounts({"x.example/d": "1"}), "it requests x.example/d without a limit, which has to be the same"),
            (amounts({"x.example/d": 1}, {"x.example/d": "2"}), "it requests 1 of x.example/d, and its limit is 2"),
            (amounts({"x.example/d": 1}, {"x.example/d": "1"}), ""),
            (amounts({}, {"nvidia.com/gpu": "1"}), ""),
            (amounts({}, {"ephemeral-storage": "1Gi", "hugepages-2Mi": "4Mi"}), ""),
            (amounts({}, {"gpu": "1"}), "gpu is no resource of Kubernetes, and has no domain before it"),
        ],
    )
    def test_are_laid_over_those_of_a_runtime(self, given: Json, problem: str) -> None:
        where = world(20, STANDARD, runtime("mine", containers=(limited(cpu="1"),)))
        assert predictor_of(service(model(**given)), where).problem == problem

    @pytest.mark.parametrize("minor", range(8, 21))
    def test_matter_where_kserve_makes_the_deployment(self, minor: int) -> None:
        where = world(minor, {}, runtime("mine", containers=(limited(cpu="1"),)))
        assert predictor_of(service(model(**amounts({"cpu": "2"}))), where).problem == ""
        assert predictor_of(service(model(**amounts({"cpu": "2"})), metadata=RAW), where).problem

    @pytest.mark.parametrize(
        ("minor", "config", "problem"),
        [
            (14, {}, "it requests 2Gi of memory, and its limit is 1Gi"),
            (15, {}, ""),
            (
                15,
                {"inferenceService": {"resource": {"memoryRequest": "3Gi"}}},
                "it requests 3Gi of memory, and its limit is 1Gi",
            ),
        ],
    )
    def test_of_containers_of_ones_own_are_completed_by_admission(self, minor: int, config: Json, problem: str) -> None:
        own = {"containers": [{"name": "kserve-container", "image": "me/x:1", **amounts({}, {"memory": "1Gi"})}]}
        assert predictor_of(service(own, metadata=RAW), world(minor, config)).problem == problem
        found = resolve(service(own, metadata=RAW, transformer=own), world(minor, config))
        assert bool(found["transformer"].problem) is bool(problem)

    def test_of_explainers_are_completed_as_well(self) -> None:
        config: Json = {"explainers": {"art": {"image": "r/art", "defaultImageVersion": "1"}}}
        own = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}
        art = {"art": {"runtimeVersion": "1", **amounts({"cpu": "2"})}}
        found = resolve(service(own, metadata=RAW, explainer=art), world(14, config))
        assert found["explainer"].problem == "it requests 2 of cpu, and its limit is 1"


class TestContainers:
    """No two of one pod have one name."""

    @pytest.mark.parametrize("minor", range(7, 21))
    @pytest.mark.parametrize(
        ("names", "twice"),
        [(("a",), ""), (("a", "b"), ""), (("b", "b"), "b"), (("kserve-container",), "kserve-container")],
    )
    def test_of_ones_own(self, names: tuple[str, ...], twice: str, minor: int) -> None:
        own = [{"name": name, "image": "me/x:1"} for name in ("kserve-container", *names)]
        found = predictor_of(service({"containers": own}, metadata=RAW), world(minor))
        assert found.problem == (f"its Deployment would have two containers {twice}" if twice else "")
        assert predictor_of(service({"containers": own}), world(minor)).problem == ""

    @pytest.mark.parametrize("minor", range(15, 21))
    @pytest.mark.parametrize(
        ("mine", "theirs", "twice"),
        [
            ("s", "t", ""),
            ("s", "s", "s"),
            ("transformer-container", "transformer-container", ""),
            ("s", "transformer-container", ""),
        ],
    )
    def test_of_a_runtime_and_a_service(self, mine: str, theirs: str, twice: str, minor: int) -> None:
        serving = Container("kserve-container", "r/x:1")
        where = world(minor, {}, runtime("mine", containers=(serving, Container(mine, "r/y:1"))))
        predictor = {**model(), "containers": [{"name": theirs, "image": "me/t:1"}]}
        found = predictor_of(service(predictor, metadata=RAW), where)
        assert found.problem == (f"its Deployment would have two containers {twice}" if twice else "")


class TestHost:
    """A label of a name has 63 characters at most."""

    LONG = "m" * 50

    @pytest.mark.parametrize("minor", range(7, 21))
    def test_is_made_before_the_deployment_from_0_9_on(self, minor: int) -> None:
        own: Any = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}
        one = service(own, name=self.LONG, metadata=RAW | {"name": self.LONG})
        found = predictor_of(one, world(minor))
        assert ("too long" in found.problem) is (minor >= 9)
        assert found.images == (() if minor >= 9 else ("me/x:1",))

    def test_is_not_kserves_with_knative(self) -> None:
        own: Any = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}
        assert predictor_of(service(own, name=self.LONG), world(20)).problem == ""

    @pytest.mark.parametrize(
        ("template", "fits"),
        [
            ("{{ .Name }}.{{ .Namespace }}.{{ .IngressDomain }}", True),
            ("{{.Namespace}}.example.com", True),
            ("x{{ .Name }}{{ .Annotations.more }}.{{ .IngressDomain }}", False),
            ("{{ .Name | printf }}-{{ .Namespace }}{{ .Namespace }}", True),
        ],
    )
    def test_is_by_the_configs_template(self, template: str, fits: bool) -> None:
        own: Any = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}
        metadata = {"annotations": {**RAW["annotations"], "more": "x" * 9}}
        config = {"ingress": {"domainTemplate": template}}
        found = predictor_of(service(own, name=self.LONG, metadata=metadata), world(20, config))
        assert (found.problem == "") is fits
