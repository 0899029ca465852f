"""Workloads as they run: whose they are, what they run, and what they lack to be wholly on their present template."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from ksconfig.model.services.workload import PodFailure, Workload, by_component, read_failure, read_workload
from tests.model.services.builders import Json

ISVC = "serving.kserve.io/inferenceservice"
OLD_ISVC = "serving.kubeflow.org/inferenceservice"
SERVING: Json = {"name": "kserve-container", "image": "r/x:1"}
DONE: Json = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


def gpus(count: Any, name: str = "nvidia.com/gpu") -> Json:
    return {**SERVING, "resources": {"limits": {name: count, "cpu": "4"}}}


def obj(
    *containers: Json, status: Json | None = None, labels: Json | None = None, in_template: Json | None = None, **spec: Any
) -> Json:  # fmt: skip
    """A workload of the predictor of team/m, in its second generation."""
    return {
        "metadata": {
            "name": "m-predictor",
            "namespace": "team",
            "generation": 2,
            "labels": {ISVC: "m", "component": "predictor"} if labels is None else labels,
        },
        "spec": {
            "template": {
                "metadata": {"labels": in_template or {}},
                "spec": {"containers": list(containers) or [SERVING]},
            },
            **spec,
        },
        "status": status or {},
    }


def read(data: Json, kind: Literal["Service", "Deployment"] = "Deployment") -> Workload:
    """A workload; there must be one."""
    found = read_workload(data, kind)
    assert found is not None
    return found


class TestOwner:
    """Whose workload it is."""

    @pytest.mark.parametrize("label", [ISVC, OLD_ISVC])
    def test_is_told_by_a_label_of_either_api_group(self, label: str) -> None:
        found = read(obj(labels={label: "m", "component": "transformer"}))
        assert (found.namespace, found.service, found.component) == ("team", "m", "transformer")
        assert (found.kind, found.name) == ("Deployment", "m-predictor")

    def test_has_its_component_from_the_template_where_the_object_does_not_say_it(self) -> None:
        assert read(obj(labels={ISVC: "m"}, in_template={"component": "explainer"})).component == "explainer"

    def test_is_a_predictor_where_neither_says_it(self) -> None:
        assert read(obj(labels={ISVC: "m"})).component == "predictor"

    @pytest.mark.parametrize("labels", [{}, {"app": "m"}, {ISVC: ""}], ids=str)
    def test_is_nobody_without_the_label(self, labels: Json) -> None:
        assert read_workload(obj(labels=labels), "Deployment") is None

    @pytest.mark.parametrize("data", [{}, {"metadata": {"labels": {ISVC: "m"}}}, {"metadata": None, "spec": None}])
    def test_is_nobody_without_containers(self, data: Json) -> None:
        assert read_workload(data, "Deployment") is None

    def test_has_a_revision_where_knative_made_the_deployment(self) -> None:
        labels = {ISVC: "m", "component": "predictor", "serving.knative.dev/revision": "m-00002"}
        assert read(obj(labels=labels)).revision == "m-00002"
        assert read(obj()).revision == ""


class TestImage:
    """What it runs."""

    @pytest.mark.parametrize("name", ["kserve-container", "kfserving-container"])
    def test_is_that_of_the_container_with_kserves_name(self, name: str) -> None:
        assert read(obj({"name": "proxy", "image": "r/p:1"}, {"name": name, "image": "r/x:1"})).image == "r/x:1"

    def test_is_that_of_the_first_where_none_has_it(self) -> None:
        assert read(obj({"name": "a", "image": "r/a:1"}, {"name": "b", "image": "r/b:1"})).image == "r/a:1"

    def test_may_be_missing(self) -> None:
        assert read(obj({"name": "kserve-container"})).image == ""


class TestLoad:
    """What restarts with it."""

    @pytest.mark.parametrize(("spec", "replicas"), [({"replicas": 3}, 3), ({"replicas": 0}, 0), ({}, None)])
    def test_is_as_many_pods_as_are_wanted(self, spec: Json, replicas: int | None) -> None:
        assert read(obj(**spec)).replicas == replicas

    @pytest.mark.parametrize(
        ("containers", "count"),
        [
            ([gpus("2")], 2),
            ([gpus(2)], 2),
            ([gpus("1"), gpus("2")], 3),
            ([gpus("1", "amd.com/gpu")], 1),
            ([gpus("1", "example.com/gpu-shared")], 1),
            ([gpus("1", "gpu.example/memory")], 0),
            ([gpus("all")], 0),
            ([SERVING], 0),
        ],
    )
    def test_is_the_gpus_of_all_containers_of_a_pod(self, containers: list[Json], count: int) -> None:
        assert read(obj(*containers)).gpus == count


class TestDeployment:
    """It lacks nothing when all of its pods, and only those, are of the present template and available."""

    @pytest.mark.parametrize(
        ("status", "missing"),
        [
            (DONE, ""),
            ({**DONE, "observedGeneration": 3}, ""),
            ({**DONE, "observedGeneration": 1}, "the change was not looked at yet"),
            ({}, "the change was not looked at yet"),
            ({**DONE, "updatedReplicas": 2}, "2 of 3 pods updated"),
            ({"observedGeneration": 2}, "0 of 3 pods updated"),
            ({**DONE, "availableReplicas": 1}, "1 of 3 pods available"),
            ({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3}, "0 of 3 pods available"),
            ({**DONE, "replicas": 4}, "1 old pods are still there"),
            ({**DONE, "replicas": 5, "availableReplicas": 5}, "2 old pods are still there"),
        ],
    )
    def test_of_three_pods(self, status: Json, missing: str) -> None:
        assert read(obj(status=status, replicas=3)).missing == missing

    @pytest.mark.parametrize(
        ("status", "missing"),
        [
            ({"observedGeneration": 2}, "0 of 1 pods updated"),
            ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, ""),
        ],
    )
    def test_wants_one_pod_where_it_does_not_say_how_many(self, status: Json, missing: str) -> None:
        assert read(obj(status=status)).missing == missing

    def test_scaled_to_none_lacks_none(self) -> None:
        assert read(obj(status={"observedGeneration": 2}, replicas=0)).missing == ""
        left = {"observedGeneration": 2, "replicas": 1}
        assert read(obj(status=left, replicas=0)).missing == "1 old pods are still there"


READY: Json = {
    "observedGeneration": 2,
    "latestCreatedRevisionName": "m-00002",
    "latestReadyRevisionName": "m-00002",
    "conditions": [{"type": "Ready", "status": "True"}],
}


class TestKnativeService:
    """It lacks nothing when its newest revision is ready: at whatever scale, none included."""

    @pytest.mark.parametrize(
        ("more", "missing"),
        [
            ({}, ""),
            ({"conditions": None}, ""),
            ({"observedGeneration": 1}, "the change was not looked at yet"),
            ({"latestReadyRevisionName": "m-00001"}, "revision m-00002 is not ready"),
            ({"latestReadyRevisionName": None}, "revision m-00002 is not ready"),
            (
                {"latestReadyRevisionName": None, "latestCreatedRevisionName": None},
                "revision (none) is not ready",
            ),
            (
                {"conditions": [{"type": "Ready", "status": "False", "message": "no pull", "reason": "Failed"}]},
                "it is not ready: no pull",
            ),
            (
                {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "Uninitialized"}]},
                "it is not ready: Uninitialized",
            ),
            ({"conditions": [{"type": "Ready", "status": "False"}]}, "it is not ready: no reason given"),
            ({"conditions": [{"type": "RoutesReady", "status": "False"}, {"type": "Ready", "status": "True"}]}, ""),
        ],
    )
    def test_with_its_revisions(self, more: Json, missing: str) -> None:
        assert read(obj(status={**READY, **more}), "Service").missing == missing

    def test_has_no_pods_of_its_own(self) -> None:
        assert read(obj(status=READY), "Service").replicas is None


def workload(name: str = "m-predictor", kind: Literal["Service", "Deployment"] = "Deployment", **more: Any) -> Workload:
    """A workload of the predictor of team/m."""
    found = Workload("team", "m", "predictor", kind, name, "", "r/x:1", 1, 0, "")
    return found._replace(**more)


class TestByComponent:
    """The one workload that stands for a component."""

    KEY = ("team", "m", "predictor")

    def test_is_the_deployment_where_there_is_no_knative(self) -> None:
        one, other = workload(), workload("m-explainer", component="explainer")
        elsewhere = workload(namespace="other")
        assert by_component([one, other, elsewhere]) == {
            self.KEY: one,
            ("team", "m", "explainer"): other,
            ("other", "m", "predictor"): elsewhere,
        }

    @pytest.mark.parametrize("turned", [False, True])
    def test_is_knatives_service_with_the_pods_of_its_newest_revision(self, turned: bool) -> None:
        found = [
            workload(kind="Service", replicas=None, image="r/x:2", missing="not yet"),
            workload("m-1", revision="m-00001", replicas=5, gpus=1, image="r/x:1"),
            workload("m-2", revision="m-00002", replicas=2, gpus=4, image="r/x:2"),
        ]
        expected = found[0]._replace(replicas=2, gpus=4)
        assert by_component(found[::-1] if turned else found) == {self.KEY: expected}

    @pytest.mark.parametrize("turned", [False, True])
    def test_tells_revisions_beyond_the_number_of_their_digits(self, turned: bool) -> None:
        found = [
            workload(kind="Service", replicas=None),
            workload("m-99999", revision="m-99999", replicas=1),
            workload("m-100000", revision="m-100000", replicas=2),
        ]
        assert by_component(found[::-1] if turned else found)[self.KEY].replicas == 2

    @pytest.mark.parametrize("turned", [False, True])
    def test_is_the_deployment_with_the_shortest_name_of_several(self, turned: bool) -> None:
        found = [workload("m-predictor"), workload("m-predictor-canary")]
        assert by_component(found[::-1] if turned else found) == {self.KEY: found[0]}

    @pytest.mark.parametrize("turned", [False, True])
    def test_is_knatives_where_a_deployment_is_left_of_another_mode(self, turned: bool) -> None:
        found = [workload("m"), workload("m-predictor", "Service")]
        assert by_component(found[::-1] if turned else found)[self.KEY].kind == "Service"

    def test_is_the_revisions_where_knatives_service_cannot_be_seen(self) -> None:
        one = workload(revision="m-00002")
        assert by_component([one]) == {self.KEY: one}

    def test_is_nothing_of_nothing(self) -> None:
        assert by_component([]) == {}


def pod(*statuses: Json, init: tuple[Json, ...] = (), labels: Json | None = None, **metadata: Any) -> Json:
    """A pod of team/m."""
    return {
        "metadata": {"name": "m-1", "namespace": "team", "labels": {ISVC: "m"} if labels is None else labels, **metadata},
        "spec": {"containers": [{"name": "queue-proxy", "image": "r/q:1"}, SERVING]},
        "status": {"initContainerStatuses": list(init), "containerStatuses": list(statuses)},
    }  # fmt: skip


def waiting(reason: str, message: str | None = None) -> Json:
    return {"name": "kserve-container", "state": {"waiting": {"reason": reason, "message": message}}}


class TestFailure:
    """What is proven against a pod."""

    @pytest.mark.parametrize(
        "reason",
        [
            "ImagePullBackOff",
            "ErrImagePull",
            "InvalidImageName",
            "CrashLoopBackOff",
            "CreateContainerConfigError",
            "CreateContainerError",
            "RunContainerError",
        ],
    )
    def test_is_what_does_not_go_away_by_itself(self, reason: str) -> None:
        found = read_failure(pod({"state": {"running": {}}}, waiting(reason, "gone")))
        assert found == PodFailure("team", "m", "m-1", "r/x:1", f"{reason}: gone")

    def test_may_have_no_message(self) -> None:
        found = read_failure(pod(waiting("CrashLoopBackOff")))
        assert found is not None
        assert found.reason == "CrashLoopBackOff"

    def test_may_be_of_a_container_that_comes_first_and_names_the_image_that_serves(self) -> None:
        found = read_failure(pod(waiting("PodInitializing"), init=(waiting("ErrImagePull"),)))
        assert found is not None
        assert (found.reason, found.image) == ("ErrImagePull", "r/x:1")

    def test_is_told_by_the_label_of_the_older_group_too(self) -> None:
        found = read_failure(pod(waiting("ErrImagePull"), labels={OLD_ISVC: "m"}))
        assert found is not None
        assert found.service == "m"

    @pytest.mark.parametrize(
        "data",
        [
            pod({"state": {"running": {}}}),
            pod({"state": {"terminated": {"reason": "Error"}}}),
            pod(waiting("ContainerCreating")),
            pod(waiting("PodInitializing")),
            pod(),
            pod(waiting("ErrImagePull"), labels={}),
            pod(waiting("ErrImagePull"), deletionTimestamp="2020-01-01T00:00:00Z"),
            {},
        ],
        ids=["runs", "ended", "is made", "initialises", "unknown", "nobody's", "goes", "empty"],
    )
    def test_is_nothing_where_it_may_still_run(self, data: Json) -> None:
        assert read_failure(data) is None
