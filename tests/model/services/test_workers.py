"""What admission says against services over several nodes (0.15 on)."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.services.admission import admit
from tests.model.services.builders import Json, limits, model, service, world

SINCE_0_15 = range(15, 21)
NONE = {"serving.kserve.io/autoscalerClass": "none"}
GPU_TYPES = "serving.kserve.io/gpu-resource-types"


def refusal(minor: int, worker: Json | None = None, annotations: Json | None = None, **more: Any) -> str:
    """Why a service with workers is refused; "" if it is not."""
    predictor = {**model(**{"storageUri": "pvc://claim/m", **more}), "workerSpec": worker or {}}
    metadata = {"annotations": {**NONE, **(annotations or {})}}
    return admit(service(predictor, metadata=metadata), world(minor)).refusal


@pytest.mark.parametrize("minor", SINCE_0_15)
def test_a_service_with_workers_is_taken(minor: int) -> None:
    assert refusal(minor) == ""
    assert refusal(minor, {"pipelineParallelSize": 2, "tensorParallelSize": 1, "containers": [{}]}) == ""


@pytest.mark.parametrize("minor", SINCE_0_15)
@pytest.mark.parametrize(
    ("worker", "why"),
    [
        ({"containers": [{}, {}]}, "workerSpec has more than one container"),
        ({"pipelineParallelSize": 0}, "workerSpec.pipelineParallelSize is below 1"),
        ({"tensorParallelSize": -1}, "workerSpec.tensorParallelSize is below 1"),
    ],
)
def test_its_workers_are_one_container_of_some_size(worker: Json, why: str, minor: int) -> None:
    assert refusal(minor, worker) == why


@pytest.mark.parametrize("minor", SINCE_0_15)
@pytest.mark.parametrize("name", ["PIPELINE_PARALLEL_SIZE", "TENSOR_PARALLEL_SIZE"])
def test_their_sizes_are_not_set_in_the_environment(name: str, minor: int) -> None:
    why = f"a service with workers sets {name} in the environment"
    assert refusal(minor, env=[{"name": name, "value": "1"}]) == why


@pytest.mark.parametrize("minor", SINCE_0_15)
@pytest.mark.parametrize(("uri", "since"), [("pvc://claim/m", 15), ("oci://r/m:1", 16), ("gs://m", 99), (None, 99)])
def test_its_model_is_where_all_nodes_find_it(uri: str | None, since: int, minor: int) -> None:
    where = "pvc" if minor == 15 else "oci or pvc"
    why = "" if minor >= since else f"a service with workers has its model at {where}, not at {uri}"
    assert refusal(minor, storageUri=uri) == why


@pytest.mark.parametrize("minor", SINCE_0_15)
@pytest.mark.parametrize("value", ["hpa", "keda", None])
def test_it_is_scaled_by_nobody(value: str | None, minor: int) -> None:
    predictor = {**model(storageUri="pvc://claim/m"), "workerSpec": {}}
    annotations = {"serving.kserve.io/autoscalerClass": value} if value else {}
    why = admit(service(predictor, metadata={"annotations": annotations}), world(minor)).refusal
    assert why == "a service with workers has the annotation serving.kserve.io/autoscalerClass: none"


@pytest.mark.parametrize("minor", SINCE_0_15)
@pytest.mark.parametrize(
    ("name", "told", "fits"),
    [
        ("nvidia.com/gpu", None, True),
        ("amd.com/gpu", None, True),
        ("cpu", None, True),
        ("ephemeral-storage", None, True),
        ("acme.com/gpu", None, False),
        ("acme.com/gpu", '["acme.com/gpu"]', True),
        ("acme.com/gpu", '["other.com/gpu"]', False),
        ("nvidia.com/gpu", '["acme.com/gpu"]', True),
        ("nvidia.com/gpu", "acme.com/gpu", False),
        ("nvidia.com/gpu", "[]", False),
    ],
)
def test_its_gpus_are_known_or_told(name: str, told: str | None, fits: bool, minor: int) -> None:
    annotations = {GPU_TYPES: told} if told else {}
    assert (refusal(minor, annotations=annotations, resources=limits(name)) == "") is fits
    assert (refusal(minor, {"containers": [{"resources": limits(name)}]}, annotations) == "") is fits


@pytest.mark.parametrize("minor", range(8, 15))
def test_nothing_of_it_is_looked_at_before(minor: int) -> None:
    one = service({**model(), "workerSpec": {"containers": [{}, {}], "pipelineParallelSize": 0}})
    assert admit(one, world(minor)).refusal == ""
