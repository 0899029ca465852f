"""What KServe's validating webhook says against services over several nodes (``validateMultiNodeVariables``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.model.plain import mapping, sequence
from ksconfig.model.releases import Rules
from ksconfig.model.services.service import Service, containers

_CLASS = "serving.kserve.io/autoscalerClass"
_GPU_TYPES = "serving.kserve.io/gpu-resource-types"
_SIZES = ("pipelineParallelSize", "tensorParallelSize")
_SIZE_VARIABLES = ("PIPELINE_PARALLEL_SIZE", "TENSOR_PARALLEL_SIZE")
_PLAIN_RESOURCES = frozenset({"cpu", "memory", "storage", "ephemeral-storage"})
_GPUS = frozenset({"nvidia.com/gpu", "amd.com/gpu", "intel.com/gpu", "habana.ai/gaudi"})


def worker_faults(service: Service, rules: Rules) -> Iterator[str]:
    """What is wrong with a service's workers; nothing if it has none."""
    predictor = service.predictor
    worker, model = predictor.get("workerSpec"), predictor.get("model")
    if not rules.worker_runtimes or not isinstance(worker, Mapping):
        return
    if len(containers(worker)) > 1:
        yield "workerSpec has more than one container"
    if isinstance(model, Mapping):
        for variable in map(mapping, sequence(model.get("env"))):
            if variable.get("name") in _SIZE_VARIABLES:
                yield f"a service with workers sets {variable['name']} in the environment"
        yield from _gpu_faults(model, service)
        uri = model.get("storageUri")
        if uri is None or str(uri).partition("://")[0] not in rules.worker_storage:
            yield f"a service with workers has its model at {' or '.join(sorted(rules.worker_storage))}, not at {uri}"
        if service.annotations.get(_CLASS) != "none":
            yield f"a service with workers has the annotation {_CLASS}: none"
    for name in _SIZES:
        size = worker.get(name)
        if isinstance(size, int) and size < 1:
            yield f"workerSpec.{name} is below 1"
    for one in containers(worker):
        yield from _gpu_faults(one, service)


def _gpu_faults(container: Mapping[str, Any], service: Service) -> Iterator[str]:
    """KServe takes all resources that it does not know for GPUs, and wants to be told of them."""
    resources = mapping(container.get("resources"))
    named = {*mapping(resources.get("limits")), *mapping(resources.get("requests"))}
    told: Any = service.annotations.get(_GPU_TYPES)
    known: frozenset[str] = frozenset()
    if told:
        try:
            listed = json.loads(str(told))
        except ValueError:
            listed = None
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) and one for one in listed):
            yield f"the annotation {_GPU_TYPES} is no list of names"
            return
        known = frozenset(listed)
    if unknown := sorted(named - _PLAIN_RESOURCES - _GPUS - known):
        yield f"{unknown[0]} is no GPU that KServe knows; the annotation {_GPU_TYPES} would tell it"
