"""Each release is the real KServe: it serves, defaults, decides images, and does on a restart what it does anywhere."""

from __future__ import annotations

import json
import subprocess

import pytest

from sandbox.api import JSON_PATCH, Object
from tests.sandbox.kserve import KServe, container_status

MOVED = "reg.local:5000/team/sk"
SKLEARN = {"sklearn": {"storageUri": "gs://models/iris"}}


def of_format(name: str, **more: object) -> dict[str, object]:
    return {"model": {"modelFormat": {"name": name}, "storageUri": "gs://models/iris", **more}}


@pytest.mark.parametrize(
    "release", [pytest.param(name, marks=pytest.mark.kserve(name)) for name in ("0.7.0", "0.8.0", "0.20.0")]
)
def test_a_dry_run_comes_back_defaulted_by_the_real_webhook(kserve: KServe, kubectl: str, release: str) -> None:
    service = json.dumps(kserve.service("iris", SKLEARN))
    done = subprocess.run(
        [kubectl, "--kubeconfig", str(kserve.sandbox.kubeconfig), "create", "--dry-run=server", "-o", "json", "-f", "-"],
        input=service, capture_output=True, text=True, check=True,
    )  # fmt: skip
    predictor = json.loads(done.stdout)["spec"]["predictor"]
    if release == "0.7.0":
        assert predictor["sklearn"]["runtimeVersion"] == "v0.7.0"
        assert predictor["sklearn"]["protocolVersion"] == "v1"
    else:
        assert predictor["model"]["modelFormat"]["name"] == "sklearn"
        assert predictor["model"].get("runtime") == ("kserve-sklearnserver" if release == "0.8.0" else None)
    assert kserve.api.find(kserve.service_path("iris")) is None


@pytest.mark.kserve("0.7.0")
def test_in_0_7_a_restart_takes_the_repository_from_the_config_and_the_tag_from_the_stored_service(
    kserve: KServe,
) -> None:
    stored = kserve.create("old", SKLEARN)
    assert stored["spec"]["predictor"]["sklearn"]["runtimeVersion"] == "v0.7.0"
    kserve.wait_for_image("old", "kserve/sklearnserver:v0.7.0")
    kserve.wait_until_settled("old")
    before, processes = kserve.controller(), kserve.processes()

    predictors = json.loads(kserve.config()["predictors"])
    predictors["sklearn"]["v1"].update(image=MOVED, defaultImageVersion="v9")
    kserve.set_config(predictors=json.dumps(predictors))
    kserve.create("new", SKLEARN)
    kserve.wait_for_image("new", f"{MOVED}:v9")  # admission and the first reconcile read the config anew
    assert kserve.image("old") == "kserve/sklearnserver:v0.7.0"  # nothing has told the controller to look at it

    kserve.restart()
    kserve.wait_for_image("old", f"{MOVED}:v0.7.0")
    after = kserve.controller()
    assert after["metadata"]["name"] == before["metadata"]["name"]  # a StatefulSet's
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert container_status(after)["containerID"] != container_status(before)["containerID"]
    assert len(kserve.processes()) == 1
    assert not kserve.processes() & processes

    kserve.api.patch(kserve.service_path("old"), {"spec": {"predictor": {"sklearn": {"runtimeVersion": None}}}})
    kserve.wait_for_image("old", f"{MOVED}:v9")


@pytest.mark.kserve("0.7.0")
def test_in_0_7_each_framework_has_the_image_that_the_config_says(kserve: KServe) -> None:
    gpu = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    uri = {"storageUri": "gs://models/x"}
    expected: dict[str, tuple[Object, str]] = {
        "sklearn-two": ({"sklearn": {**uri, "protocolVersion": "v2"}}, "docker.io/seldonio/mlserver:0.2.1"),
        "own-image": ({"sklearn": {**uri, "image": "me/sk:1"}}, "me/sk:1"),
        "tensorflow": ({"tensorflow": uri}, "tensorflow/serving:1.14.0"),
        "tensorflow-gpu": ({"tensorflow": {**uri, **gpu}}, "tensorflow/serving:1.14.0-gpu"),
        "torchserve": ({"pytorch": uri}, "pytorch/torchserve-kfs:0.4.1"),
        "pytorch": ({"pytorch": {**uri, "modelClassName": "Net"}}, "kserve/pytorchserver:v0.7.0"),
        "custom": ({"containers": [{"image": "my/own:1"}]}, "my/own:1"),
    }
    for name, (predictor, _) in expected.items():
        kserve.create(name, predictor)
    for name, (_, image) in expected.items():
        kserve.wait_for_image(name, image)


@pytest.mark.kserve("0.8.0")
def test_in_0_8_a_runtime_is_looked_at_again_after_a_restart(kserve: KServe) -> None:
    kserve.create("old", of_format("sklearn"))
    kserve.create("pinned", of_format("sklearn", runtimeVersion="v0.7.0"))
    kserve.wait_for_image("old", "kserve/sklearnserver:v0.8.0")
    kserve.wait_for_image("pinned", "kserve/sklearnserver:v0.7.0")
    kserve.wait_until_settled("old")
    before, processes = kserve.controller(), kserve.processes()

    kserve.set_runtime_image("kserve-sklearnserver", f"{MOVED}:v9")
    kserve.create("new", of_format("sklearn"))
    kserve.wait_for_image("new", f"{MOVED}:v9")
    assert kserve.image("old") == "kserve/sklearnserver:v0.8.0"

    kserve.restart()
    kserve.wait_for_image("old", f"{MOVED}:v9")
    kserve.wait_for_image("pinned", "reg.local:v0.7.0")  # this release cuts the reference at its first colon
    assert kserve.controller()["metadata"]["uid"] != before["metadata"]["uid"]
    assert not kserve.processes() & processes


@pytest.mark.kserve("0.20.0")
def test_in_0_20_a_runtime_moves_its_services_without_a_restart_but_not_those_that_opted_out(kserve: KServe) -> None:
    kserve.create("follows", of_format("sklearn"))
    kserve.create("stays", of_format("sklearn"), {"serving.kserve.io/disable-auto-update": "true"})
    for name in ("follows", "stays"):
        kserve.wait_for_image(name, "kserve/sklearnserver:v0.20.0")
        kserve.wait_until_ready(name)
    before, processes = kserve.controller(), kserve.processes()

    kserve.set_runtime_image("kserve-sklearnserver", f"{MOVED}:v9")
    kserve.wait_for_image("follows", f"{MOVED}:v9")
    assert kserve.image("stays") == "kserve/sklearnserver:v0.20.0"
    assert kserve.controller()["metadata"]["uid"] == before["metadata"]["uid"]

    kserve.restart()
    kserve.create("new", of_format("sklearn"))
    kserve.wait_for_image("new", f"{MOVED}:v9")  # so the new process leads, and has seen all services
    assert kserve.image("stays") == "kserve/sklearnserver:v0.20.0"
    assert kserve.controller()["metadata"]["uid"] != before["metadata"]["uid"]
    assert not kserve.processes() & processes


@pytest.mark.kserve("0.20.0")
def test_in_0_20_an_explainer_keeps_the_tag_that_admission_has_stored(kserve: KServe) -> None:
    service = kserve.service("cifar", of_format("sklearn"))
    service["spec"]["explainer"] = {"art": {"type": "SquareAttack"}}
    stored = kserve.api.create(service)
    assert stored["spec"]["explainer"]["art"]["runtimeVersion"] == "latest"
    runtimes = "/apis/serving.kserve.io/v1alpha1/clusterservingruntimes/kserve-sklearnserver"
    body = [{"op": "test", "path": "/spec/containers/0/name", "value": "kserve-container"}]
    assert kserve.api.patch(runtimes, body, JSON_PATCH)["spec"]["containers"][0]["image"]  # as released
