"""Services that get their models one by one (TrainedModels): their pods have an agent that fetches them.

From ``IsMMSPredictor`` (controller/v1beta1/inferenceservice/utils/utils.go) and ``IsMMS`` of each predictor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.services.service import BLOCKS, Service, blocks, containers
from ksconfig.model.services.world import World

_NEVER = "huggingface"  # takes its model from elsewhere if it has no URI
_MULTI_MODEL = "multimodelserver"


def fetches_models(service: Service, world: World) -> bool:
    """Whether a service is for models that come one by one."""
    predictor, rules = service.predictor, world.rules
    name = next(blocks(predictor, ("model", *BLOCKS)), None)
    own = containers(predictor)
    if name is None or (own and rules.predictors == "unread"):
        return bool(own) and bool(rules.modes) and _says_so(own[0])
    body = mapping(predictor[name])
    if body.get("storageUri") is not None or (rules.storage_specs and isinstance(body.get("storage"), Mapping)):
        return False
    if rules.predictors != "unread":
        return mapping(_entry(name, body, world)).get(_MULTI_MODEL) is True
    if rules.several_uris and sequence(predictor.get("storageUris")):
        return False
    framework = mapping(body.get("modelFormat")).get("name") if name == "model" else name
    return framework != _NEVER or _NEVER not in rules.v2_frameworks


def _says_so(container: Mapping[str, Any]) -> bool:
    return any(
        one.get("name") == "MULTI_MODEL_SERVER" and one.get("value") == "true"
        for one in map(mapping, sequence(container.get("env")))
    )


def _entry(name: str, body: Mapping[str, Any], world: World) -> Mapping[str, Any] | None:
    """The block of ``predictors`` that says it; of pytorch that is always v1."""
    framework = string(mapping(body.get("modelFormat")).get("name")) or "" if name == "model" else name
    spoken = body.get("protocolVersion")
    if name == "model":
        protocol = "v2" if spoken == "v2" else "v1"
    else:
        protocol = "v1" if spoken in (None, "v1") or framework == "pytorch" else "v2"
    return world.predictor(framework, protocol)
