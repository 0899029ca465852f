"""What KServe's webhooks make of a service that is submitted: what they write into it, or why they refuse it.

From v1beta1/inference_service_defaults.go, inference_service_validation.go and the ``Validate`` of each component; for
0.2 to 0.4 from v1alpha2/framework_*.go. Told is what decides images, and the refusals that a manifest can run into
whatever else it holds; the API server's own check of types comes before all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.releases import Release, Rules
from ksconfig.model.runtimes import SERVING_CONTAINER
from ksconfig.model.services.resolve import protocol_block
from ksconfig.model.services.service import (
    BLOCKS,
    DEPLOYMENT_MODE,
    EXPLAINERS,
    MODELMESH,
    Service,
    blocks,
    containers,
    has_gpu,
    limits,
)
from ksconfig.model.services.storage import uri_fault, uri_of_containers
from ksconfig.model.services.world import World

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z", re.ASCII)
_LOGGER_MODES = ("all", "request", "response")
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
    return Admitted(stored, next(_refusals(stored, world), ""))


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
    given = service.annotations.get(DEPLOYMENT_MODE)
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
    if rules.converts == "never" and not _too_many(predictor, rules):
        predictor = _versioned(predictor, world)
    spec["predictor"] = predictor
    explainer = spec.get("explainer")
    if isinstance(explainer, Mapping) and len(_explainers(explainer)) == 1:
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
    if isinstance(model_now, Mapping) and mapping(model_now.get("modelFormat")).get("name") in rules.v2_formats:
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


# What is refused


def _implementations(predictor: Mapping[str, Any], rules: Rules) -> list[str]:
    found = list(blocks(predictor, (*BLOCKS, "model")))
    own = containers(predictor)
    if own and rules.named_predictor:
        found += ["containers" for one in own if one.get("name") == SERVING_CONTAINER]
        if not found:
            found.append("containers")
    elif own:
        found.append("containers")
    return found


def _too_many(predictor: Mapping[str, Any], rules: Rules) -> bool:
    return len(_implementations(predictor, rules)) != 1


def _explainers(explainer: Mapping[str, Any]) -> list[str]:
    return [*blocks(explainer, EXPLAINERS), *(["containers"] if containers(explainer) else [])]


def _refusals(service: Service, world: World) -> Iterator[str]:
    rules = world.rules
    predictor, spec = service.predictor, service.spec
    model = mapping(predictor.get("model"))
    if "model" in predictor and not string(mapping(model.get("modelFormat")).get("name")):
        yield "predictor.model has no modelFormat.name"
    found = _implementations(predictor, rules)
    if len(found) != 1:
        yield f"a predictor is exactly one thing, and this is {' and '.join(found) or 'none'}"
        return
    if rules.no_block_names and found[0] != "containers" and mapping(predictor[found[0]]).get("name"):
        yield "a name in a standard predictor is not allowed"
    yield from _blocked(service, rules)
    yield from _predictor_faults(predictor, found[0], world)
    yield from _extension_faults(predictor)
    for name, parts in (("transformer", None), ("explainer", _explainers)):
        component = spec.get(name)
        if not isinstance(component, Mapping):
            continue
        among = parts(component) if parts else ["containers"] * bool(containers(component))
        if len(among) != 1:
            yield f"a {name} is exactly one thing, and this is {' and '.join(among) or 'none'}"
            return
        yield from _extension_faults(component)
        if rules.storage_uris_at == "admission" and (fault := uri_fault(_uri_of(component, among[0]), world)):
            yield fault


def _predictor_faults(predictor: Mapping[str, Any], what: str, world: World) -> Iterator[str]:
    rules = world.rules
    body = mapping(predictor.get(what))
    uri = _uri_of(predictor, what)
    if what == "onnx":  # the only one whose storageUri is looked at in another way
        extension = PurePosixPath(uri).suffix if uri else ""
        if extension not in ("", ".onnx"):
            yield f"the storageUri of an onnx model ends in .onnx, not in {extension}"
    elif rules.storage_uris_at == "admission" and (fault := uri_fault(uri, world)):
        yield fault
    version = string(body.get("runtimeVersion")) or ""
    if what in rules.gpu_tags:
        gpu = has_gpu(limits(body), rules)
        if gpu != ("-gpu" in version):
            yield _gpu_fault(version, gpu)
    if what == "pytorch" and body.get("protocolVersion") == "v2" and rules.converts == "never":
        yield "pytorch does not serve protocol v2"
    if what == "pmml" and rules.release == Release(0, 7):
        yield from _worker_faults(body)


def _gpu_fault(version: str, gpu: bool) -> str:
    if gpu:
        return f"runtimeVersion {version} lacks -gpu, and the service has a GPU"
    return f"runtimeVersion {version} holds -gpu, and the service has no GPU"


def _worker_faults(body: Mapping[str, Any]) -> Iterator[str]:
    for argument in map(str, sequence(body.get("args"))):
        if argument.startswith("--workers"):
            count = argument.partition("=")[2]
            if not count.isdigit() or int(count) > 1:
                yield f"pmml serves with one worker, not with {argument}"


def _uri_of(component: Mapping[str, Any], what: str) -> str:
    if what != "containers":
        return string(mapping(component.get(what)).get("storageUri")) or ""
    return uri_of_containers(component)


def _extension_faults(component: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the fields that all components share."""

    def number(name: str, default: int) -> int:
        value = component.get(name)
        return value if isinstance(value, int) else default

    lowest, highest = number("minReplicas", 1), number("maxReplicas", 0)
    if number("containerConcurrency", 0) < 0:
        yield "containerConcurrency is below 0"
    if lowest < 0 or highest < 0:
        yield "minReplicas or maxReplicas is below 0"
    if highest and lowest > highest:
        yield f"minReplicas {lowest} is above maxReplicas {highest}"
    logger = component.get("logger")
    if isinstance(logger, Mapping) and logger.get("mode") not in _LOGGER_MODES:
        yield f"logger.mode {logger.get('mode')} is none of {', '.join(_LOGGER_MODES)}"


def _blocked(service: Service, rules: Rules) -> Iterator[str]:
    if not rules.blocked_env:
        return
    predictor = service.predictor
    groups = [containers(predictor), [mapping(predictor[name]) for name in blocks(predictor, (*BLOCKS, "model"))]]
    for name in ("transformer", "explainer"):
        component = mapping(service.spec.get(name))
        groups += [containers(component), [mapping(component[one]) for one in blocks(component, EXPLAINERS)]]
    for container in (one for group in groups for one in group):
        for variable in map(mapping, sequence(container.get("env"))):
            if variable.get("name") in rules.blocked_env:
                yield f"the environment variable {variable['name']} is not allowed"


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
                return Admitted(service, _gpu_fault(version, gpu))
            endpoint["predictor"] = {**predictor, framework: body}
        explainer = endpoint.get("explainer")
        if isinstance(explainer, Mapping):
            endpoint["explainer"] = _explained(explainer, world)
        spec[part] = endpoint
    return Admitted(service._replace(spec=spec))
