"""What KServe's webhooks make of a service that is submitted: what they write into it, or why they refuse it.

From v1beta1/inference_service_defaults.go; for 0.2 to 0.4 from v1alpha2/framework_*.go. Why v1beta1 is refused is told
in `refusals`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.releases import Release, Rules
from ksconfig.model.services.refusals import explainer_kinds, gpu_fault, implementations, refusals
from ksconfig.model.services.resolve import protocol_block
from ksconfig.model.services.service import (
    BLOCKS,
    DEPLOYMENT_MODE,
    EXPLAINERS,
    MODELMESH,
    Service,
    blocks,
    has_gpu,
    limits,
)
from ksconfig.model.services.world import World

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z", re.ASCII)
#: The runtime that 0.8 writes into a service of each framework; those of v2 where another one serves it.
_RUNTIMES_IN_0_8 = {
    "sklearn": "kserve-sklearnserver",
    "xgboost": "kserve-xgbserver",
    "tensorflow": "kserve-tensorflow-serving",
    "pytorch": "kserve-torchserve",
    "triton": "kserve-tritonserver",
    "onnx": "kserve-tritonserver",
    "pmml": "kserve-pmmlserver",
    "lightgbm": "kserve-lgbserver",
    "paddle": "kserve-paddleserver",
}
_V1_IN_0_8 = frozenset({"sklearn", "tensorflow", "xgboost", "pmml", "lightgbm", "paddle"})
_OF_BLOCK_ALONE = ("modelClassName",)  # what a block has beside the fields that it shares with model


class Admitted(NamedTuple):
    """A service after admission.

    Attributes:
        service: as it is stored; as it was submitted if it is refused.
        refusal: why it is refused; "" if it is not.
    """

    service: Service
    refusal: str = ""


def admit(service: Service, world: World) -> Admitted:
    """Submit a service."""
    if not _NAME.match(service.name):
        return Admitted(service, f'the name "{service.name}" does not begin with a letter, or holds more than a-z0-9-')
    if service.api == "v1alpha2":
        return _admit_v1alpha2(service, world)
    try:
        stored = _defaulted(_pruned(service, world.rules), world)
    except _Crash as crash:
        return Admitted(service, str(crash))
    return Admitted(stored, next(refusals(stored, world), ""))


class _Crash(Exception):
    """The webhook panics or returns an error."""


# What is written


def _pruned(service: Service, rules: Rules) -> Service:
    """The service without what the release's API does not know: the API server drops it."""
    predictor = service.predictor
    gone = [name for name in blocks(predictor, BLOCKS) if name not in known_blocks(rules)]
    if not rules.runtimes and "model" in predictor:
        gone.append("model")
    spec: dict[str, Any] = dict(service.spec)
    if gone:
        spec["predictor"] = {name: value for name, value in predictor.items() if name not in gone}
    if isinstance(explainer := spec.get("explainer"), Mapping):
        unknown = [name for name in blocks(explainer, EXPLAINERS) if name not in rules.explainers]
        spec["explainer"] = {name: value for name, value in explainer.items() if name not in unknown}
    return service._replace(spec=spec)


def known_blocks(rules: Rules) -> frozenset[str]:
    """The framework blocks that the API v1beta1 of a release has."""
    of_code = frozenset(rules.frameworks) or frozenset(_RUNTIMES_IN_0_8)
    return of_code | (rules.v2_frameworks & {"huggingface"})


def _defaulted(service: Service, world: World) -> Service:
    rules = world.rules
    metadata, spec = dict(service.metadata), dict(service.spec)
    service = service._replace(metadata=metadata, spec=spec)
    mode = mapping(world.config.get("deploy")).get("defaultDeploymentMode")
    mode = rules.mode_names.get(str(mode), mode)
    given = service.annotations.get(DEPLOYMENT_MODE)
    if rules.renames_modes and given in rules.mode_names:
        given = rules.mode_names[str(given)]
        metadata["annotations"] = {**service.annotations, DEPLOYMENT_MODE: given}
    if rules.converts == "bare" and given is None and mode in ("RawDeployment", "Standard", MODELMESH):
        if rules.release == Release(0, 9) and not service.annotations:
            raise _Crash("the webhook of v0.9.0 crashes on a service without annotations in this deployment mode")
        metadata["annotations"] = {**service.annotations, DEPLOYMENT_MODE: mode}
    # the mode that the config has just lent counts only in 0.9; later releases look at what was submitted
    seen = mode if given is None and rules.release == Release(0, 9) else given
    modelmesh = seen == MODELMESH
    predictor = service.predictor
    if rules.converts != "never" and not modelmesh:
        predictor = _converted(predictor, rules)
    if rules.converts == "never" and len(implementations(predictor, rules)) == 1:
        predictor = _versioned(predictor, world)
    spec["predictor"] = predictor
    explainer = spec.get("explainer")
    if isinstance(explainer, Mapping) and len(explainer_kinds(explainer)) == 1:
        spec["explainer"] = _explained(explainer, world)
    return service


def _converted(predictor: Mapping[str, Any], rules: Rules) -> Mapping[str, Any]:
    """A framework's block turned into ``model``; only the first in KServe's order is."""
    order = [name for name in _ORDER if isinstance(predictor.get(name), Mapping)]
    result = dict(predictor)
    if order:
        framework = order[0]
        body = {name: value for name, value in mapping(result.pop(framework)).items() if name not in _OF_BLOCK_ALONE}
        model: dict[str, Any] = {**body, "modelFormat": {"name": framework}}
        if framework in rules.v2_frameworks:
            model.setdefault("protocolVersion", "v2")
        if rules.converts == "named":
            if framework in _V1_IN_0_8:
                model.setdefault("protocolVersion", "v1")
            v2 = framework in ("sklearn", "xgboost") and model["protocolVersion"] == "v2"
            model["runtime"] = "kserve-mlserver" if v2 else _RUNTIMES_IN_0_8[framework]
        result["model"] = model
    model_now = result.get("model")
    if isinstance(model_now, Mapping) and string(mapping(model_now.get("modelFormat")).get("name")) in rules.v2_formats:
        result["model"] = {"protocolVersion": "v2", **model_now}
    return result


# in which the defaulter looks for a block
_ORDER = (
    "sklearn", "tensorflow", "xgboost", "pytorch", "triton", "onnx", "huggingface", "pmml", "lightgbm", "paddle",
)  # fmt: skip


def _versioned(predictor: Mapping[str, Any], world: World) -> Mapping[str, Any]:
    """A framework's block with the version and protocol that 0.5 to 0.7 write into it."""
    framework = next(blocks(predictor, BLOCKS), None)
    if framework is None:
        return predictor
    body = dict(mapping(predictor[framework]))
    nested = world.rules.frameworks[framework] == "protocols"
    if body.get("runtimeVersion") is None:
        protocol = _default_block(framework, body)
        entry = world.predictor(framework, protocol)
        if nested and framework != "pytorch" and world.predictor(framework, "v1") is None:
            protocol, entry = "v1", None  # it looks at v1 first, whatever the protocol is
        if entry is None:
            raise _Crash(f"the config has no predictors.{framework}.{protocol}, and the webhook crashes on it")
        gpu = framework in world.rules.gpu_tags and has_gpu(limits(body), world.rules)
        field = "defaultgpuimageversion" if gpu else "defaultimageversion"
        body["runtimeVersion"] = string(entry.get(field)) or ""
    if nested and body.get("protocolVersion") is None:
        body["protocolVersion"] = "v1"
    return {**predictor, framework: body}


def _default_block(framework: str, body: Mapping[str, Any]) -> str:
    """Which block of a framework with protocols the version comes from.

    Of a protocol that is neither v1 nor v2 the webhook takes v1, where the controller takes v2 for the image.
    """
    if body.get("protocolVersion") == "v2":
        return "v2"
    return protocol_block(framework, {**body, "protocolVersion": None})


def _explained(explainer: Mapping[str, Any], world: World) -> Mapping[str, Any]:
    name = next(blocks(explainer, EXPLAINERS), None)
    if name is None:
        return explainer
    body = dict(mapping(explainer[name]))
    if body.get("runtimeVersion") is None:
        body["runtimeVersion"] = string(world.explainer(name).get("defaultimageversion")) or ""
    return {**explainer, name: body}


# 0.2 to 0.4


def _admit_v1alpha2(service: Service, world: World) -> Admitted:
    spec = dict(service.spec)
    for part in ("default", "canary"):
        endpoint = spec.get(part)
        if not isinstance(endpoint, Mapping):
            continue
        endpoint = dict(endpoint)
        predictor = mapping(endpoint.get("predictor"))
        framework = next(blocks(predictor, BLOCKS), None)
        if framework is not None:
            body = dict(mapping(predictor[framework]))
            entry = world.predictor(framework, "") or {}
            gpu = has_gpu(limits(body), world.rules)
            by_gpu = framework in world.rules.gpu_tags
            if not body.get("runtimeVersion"):
                field = "defaultgpuimageversion" if gpu and by_gpu else "defaultimageversion"
                body["runtimeVersion"] = string(entry.get(field)) or ""
            version = str(body["runtimeVersion"])
            allowed = entry.get("allowedimageversions")
            if world.rules.version_list and version not in sequence(allowed):
                why = f"runtimeVersion {version} is not among the allowedImageVersions of {framework}"
                return Admitted(service, why)
            if by_gpu and gpu != ("-gpu" in version):
                return Admitted(service, gpu_fault(version, gpu))
            endpoint["predictor"] = {**predictor, framework: body}
        explainer = endpoint.get("explainer")
        if isinstance(explainer, Mapping):
            explainer = endpoint["explainer"] = _explained(explainer, world)
            for name in blocks(explainer, EXPLAINERS):
                version = str(mapping(explainer[name]).get("runtimeVersion"))
                if world.rules.version_list and version not in sequence(
                    world.explainer(name).get("allowedimageversions")
                ):
                    why = f"runtimeVersion {version} is not among the allowedImageVersions of {name}"
                    return Admitted(service, why)
        spec[part] = endpoint
    return Admitted(service._replace(spec=spec))
