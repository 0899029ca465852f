"""The pods of models have the faults that they are asked for, and Knative's stand-in tells them as Knative does."""

from __future__ import annotations

import pytest

from sandbox.api import Object
from sandbox.stages import FAULT, READY_DELAY
from tests.sandbox.kserve import KServe, container_status, is_ready, shortly

SKLEARN = {"sklearn": {"storageUri": "gs://models/iris"}}


def with_image(image: str) -> Object:
    return {"sklearn": {"storageUri": "gs://models/iris", "image": image}}


def waiting_reasons(kserve: KServe, name: str) -> set[str]:
    states = [container_status(pod, "kserve-container").get("state", {}) for pod in kserve.pods(name)]
    return {(state.get("waiting") or {}).get("reason", "") for state in states}


@pytest.mark.kserve("0.7.0")
def test_a_service_is_ready_when_its_pods_are(kserve: KServe) -> None:
    kserve.create("slow", SKLEARN, {READY_DELAY: "2s"})
    shortly("its pod is there", lambda: kserve.pods("slow"))
    assert kserve.condition("slow").get("status") != "True"
    assert not is_ready(kserve.pods("slow")[0])
    kserve.wait_until_ready("slow")
    assert all(is_ready(pod) for pod in kserve.pods("slow"))
    status = kserve.stored("slow")["status"]["components"]["predictor"]
    assert status["latestReadyRevision"] == "slow-predictor-default-00001"


@pytest.mark.kserve("0.7.0")
@pytest.mark.parametrize(
    ("image", "reason"), [("me/does-not-exist:1", "ImagePullBackOff"), ("me/crash:1", "CrashLoopBackOff")]
)
def test_a_revision_that_fails_leaves_the_old_one_serving(kserve: KServe, image: str, reason: str) -> None:
    kserve.create("iris", SKLEARN)
    kserve.wait_until_ready("iris")
    old = kserve.pods("iris")[0]["metadata"]["uid"]
    kserve.api.patch(kserve.service_path("iris"), {"spec": {"predictor": with_image(image)}})
    condition = shortly(
        "the service says why",
        lambda: (now := kserve.condition("iris", "PredictorReady")).get("status") == "False" and now,
    )
    assert condition["reason"] == "RevisionFailed"
    assert reason in waiting_reasons(kserve, "iris")
    assert old in {pod["metadata"]["uid"] for pod in kserve.pods("iris") if is_ready(pod)}
    traffic = kserve.workload("iris")["status"]["traffic"]  # type: ignore[index]
    assert [one["revisionName"] for one in traffic] == ["iris-predictor-default-00001"]

    kserve.api.patch(kserve.service_path("iris"), {"spec": {"predictor": with_image("me/sound:1")}})
    kserve.wait_until_ready("iris")
    shortly("the old pods are gone", lambda: len(kserve.pods("iris")) == 1)
    workload = kserve.workload("iris")
    assert workload is not None
    assert workload["status"]["latestReadyRevisionName"] == "iris-predictor-default-00003"


@pytest.mark.kserve("0.20.0")
def test_in_raw_mode_a_service_stays_ready_while_its_new_image_cannot_be_pulled(kserve: KServe) -> None:
    kserve.create("iris", SKLEARN)
    kserve.wait_until_ready("iris")
    kserve.api.patch(kserve.service_path("iris"), {"spec": {"predictor": {"model": {"image": "me/does-not-exist:1"}}}})
    shortly("the new pod cannot be pulled", lambda: "ImagePullBackOff" in waiting_reasons(kserve, "iris"))
    assert kserve.condition("iris")["status"] == "True"
    assert any(is_ready(pod) for pod in kserve.pods("iris"))


@pytest.mark.kserve("0.20.0")
def test_an_annotation_asks_for_a_fault_whatever_the_image(kserve: KServe) -> None:
    kserve.create("iris", SKLEARN, {FAULT: "crash"})
    shortly("it crashes", lambda: "CrashLoopBackOff" in waiting_reasons(kserve, "iris"))
    assert kserve.condition("iris").get("status") != "True"


@pytest.mark.kserve("0.7.0")
def test_a_service_that_cannot_be_understood_stops_no_other(kserve: KServe) -> None:
    kserve.create("odd", SKLEARN, {"autoscaling.knative.dev/min-scale": "two"})
    condition = shortly(
        "it says why", lambda: (now := kserve.condition("odd", "PredictorReady")).get("message") and now
    )
    assert "ValueError" in condition["message"]
    kserve.create("sound", SKLEARN)
    kserve.wait_until_ready("sound")


@pytest.mark.kserve("0.7.0")
def test_a_long_name_is_cut_for_its_revision(kserve: KServe) -> None:
    name = "a" + "b" * 40
    kserve.create(name, SKLEARN)
    kserve.wait_until_ready(name)


@pytest.mark.kserve("0.7.0")
def test_a_deployment_that_somebody_deleted_comes_back(kserve: KServe) -> None:
    kserve.create("iris", SKLEARN)
    kserve.wait_until_ready("iris")
    path = f"/apis/apps/v1/namespaces/{kserve.namespace}/deployments/iris-predictor-default-00001-deployment"
    old = kserve.api.get(path)["metadata"]["uid"]
    kserve.api.delete(path)
    shortly("there is another", lambda: (kserve.api.find(path) or {"metadata": {"uid": old}})["metadata"]["uid"] != old)
    kserve.wait_until_ready("iris")
