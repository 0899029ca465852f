"""Why KServe's validating webhook refuses a service (v1beta1).

From v1beta1/inference_service_validation.go, component.go and the ``Validate`` of each component. What the API server
checks by itself, types and required fields, comes before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.releases import Release, Rules
from ksconfig.model.runtimes import SERVING_CONTAINER, TRANSFORMER_CONTAINER
from ksconfig.model.services.canaries import canaries, canary_faults
from ksconfig.model.services.scaling import scaling_faults, scaling_faults_of
from ksconfig.model.services.service import (
    BLOCKS,
    DEPLOYMENT_MODE,
    EXPLAINERS,
    Service,
    blocks,
    containers,
    has_gpu,
    limits,
)
from ksconfig.model.services.storage import uri_fault, uri_of_containers, uris_faults
from ksconfig.model.services.workers import worker_faults
from ksconfig.model.services.world import World

_LOGGER_MODES = ("all", "request", "response")
_PROTOCOLS = ("v1", "v2")
_OF_STORAGE_SPEC = ("s3://", "hdfs://", "webhdfs://")


def refusals(service: Service, world: World) -> Iterator[str]:
    """Why a service is refused, the reason first that KServe gives."""
    rules = world.rules
    predictor, spec = service.predictor, service.spec
    if "model" in predictor and string(_format_name(predictor)) is None:
        yield "predictor.model has no modelFormat.name"
    yield from _mode_faults(service, rules)
    yield from scaling_faults(service, rules)
    yield from _blocked(service, rules)
    yield from worker_faults(service, rules)
    yield from _collocation_faults(predictor, rules)
    found = implementations(predictor, rules)
    if rules.no_block_names:
        yield from _name_faults(predictor)
    yield from uris_faults(spec, rules)
    for name in ("predictor", "transformer", "explainer"):
        component = spec.get(name)
        if name != "predictor":
            if not isinstance(component, Mapping):
                continue
            found = explainer_kinds(component) if name == "explainer" else ["containers"] * bool(containers(component))
        if len(found) != 1:
            article = "an" if name == "explainer" else "a"
            yield f"{article} {name} is exactly one thing, and this is {' and '.join(found) or 'none'}"
            return
        part = mapping(component)
        if name == "predictor":
            yield from _predictor_faults(part, found[0], world)
        else:
            yield from _companion_faults(part, found[0], world)
        yield from _extension_faults(part)
        yield from scaling_faults_of(part, service, rules)
    yield from canary_faults(service, rules)
    for one in canaries(service, rules):
        part = mapping(one.get("predictor"))
        found = implementations(part, rules)
        if len(found) != 1:
            yield f"the predictor of a canary is exactly one thing, and this is {' and '.join(found) or 'none'}"
            return
        yield from _predictor_faults(part, found[0], world)
        yield from _extension_faults(part)


def implementations(predictor: Mapping[str, Any], rules: Rules) -> list[str]:
    """What a predictor is: its blocks, "model", "containers"."""
    found = list(blocks(predictor, (*BLOCKS, "model")))
    own = containers(predictor)
    if own and rules.named_predictor:
        found += ["containers" for one in own if one.get("name") == SERVING_CONTAINER]
        if not found:
            found.append("containers")
    elif own:
        found.append("containers")
    return found


def explainer_kinds(explainer: Mapping[str, Any]) -> list[str]:
    """What an explainer is: its blocks, "containers"."""
    return [*blocks(explainer, EXPLAINERS), *(["containers"] if containers(explainer) else [])]


def gpu_fault(version: str, gpu: bool) -> str:
    """What is said of a version that does not fit a service with, or without, a GPU."""
    if gpu:
        return f"runtimeVersion {version} lacks -gpu, and the service has a GPU"
    return f"runtimeVersion {version} holds -gpu, and the service has no GPU"


def _format_name(predictor: Mapping[str, Any]) -> Any:
    return mapping(mapping(predictor.get("model")).get("modelFormat")).get("name")


def _mode_faults(service: Service, rules: Rules) -> Iterator[str]:
    """A service that has been deployed in one way cannot be told another."""
    was, told = string(service.status.get("deploymentMode")), service.annotations.get(DEPLOYMENT_MODE)
    if rules.keeps_mode and was and told is not None and told != rules.mode_names.get(was, was):
        yield f"it is deployed as {was}, and cannot become {told}"


def _predictor_faults(predictor: Mapping[str, Any], what: str, world: World) -> Iterator[str]:
    rules = world.rules
    body = mapping(predictor.get(what))
    uri = _uri_of(predictor, what, rules)
    if what == "onnx":
        last = uri.rpartition("/")[2]
        extension = last[last.rfind(".") :] if "." in last else ""
        if extension not in ("", ".onnx"):
            yield f"the storageUri of an onnx model ends in .onnx, not in {extension}"
    if rules.storage_uris_at == "admission" and (fault := uri_fault(uri, world)):
        yield fault
    version = string(body.get("runtimeVersion")) or ""
    if what in rules.gpu_tags:
        gpu = has_gpu(limits(body), rules)
        if gpu != ("-gpu" in version):
            yield gpu_fault(version, gpu)
    if what == "pytorch" and body.get("protocolVersion") == "v2" and rules.converts == "never":
        yield "pytorch does not serve protocol v2"
    if what == "pmml" and rules.release == Release(0, 7):
        yield from _pmml_faults(body)
    if what == "containers" and rules.modes:  # as old as the choice of a way of deployment
        yield from _protocol_faults(containers(predictor)[0])


def _pmml_faults(body: Mapping[str, Any]) -> Iterator[str]:
    for argument in map(str, sequence(body.get("args"))):
        if argument.startswith("--workers"):
            count = argument.partition("=")[2]
            if not count.isdigit() or int(count) > 1:
                yield f"pmml serves with one worker, not with {argument}"


def _protocol_faults(container: Mapping[str, Any]) -> Iterator[str]:
    for variable in map(mapping, sequence(container.get("env"))):
        if variable.get("name") == "PROTOCOL":
            if variable.get("value", "") not in _PROTOCOLS:
                yield f"the environment variable PROTOCOL is none of {', '.join(_PROTOCOLS)}"
            return


def _companion_faults(component: Mapping[str, Any], what: str, world: World) -> Iterator[str]:
    """What is wrong with an explainer or a transformer."""
    uri = uri_of_containers(component) if what == "containers" else string(mapping(component[what]).get("storageUri"))
    if world.rules.storage_uris_at == "admission" and (fault := uri_fault(uri or "", world)):
        yield fault
    storage = mapping(component.get(what)).get("storage") if what != "containers" else None
    if isinstance(storage, Mapping) and world.rules.storage_specs:
        kind = mapping(storage.get("parameters")).get("type")
        given = uri if uri is not None else None if kind is None else f"{kind}://"
        if given is not None and not given.startswith(_OF_STORAGE_SPEC):
            yield f"a storage is of {', '.join(_OF_STORAGE_SPEC)}, not of {given}"


def _uri_of(component: Mapping[str, Any], what: str, rules: Rules) -> str:
    if what != "containers":
        return string(mapping(component.get(what)).get("storageUri")) or ""
    return uri_of_containers(component, named=rules.collocates)


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


def _name_faults(predictor: Mapping[str, Any]) -> Iterator[str]:
    for name in blocks(predictor, (*BLOCKS, "model")):
        if mapping(predictor[name]).get("name"):
            yield "a name in a standard predictor is not allowed"


def _collocation_faults(predictor: Mapping[str, Any], rules: Rules) -> Iterator[str]:
    """A transformer beside the predictor, in its pod, has no model of its own."""
    if not rules.collocates:
        return
    beside = next((one for one in containers(predictor) if one.get("name") == TRANSFORMER_CONTAINER), {})
    if any(mapping(one).get("name") == "STORAGE_URI" for one in sequence(beside.get("env"))):
        yield f"the container {TRANSFORMER_CONTAINER} of a predictor names a storage URI"


def _blocked(service: Service, rules: Rules) -> Iterator[str]:
    if not rules.blocked_env:
        return
    predictor = service.predictor
    worker = mapping(predictor.get("workerSpec"))
    groups = [containers(predictor), [mapping(predictor[name]) for name in blocks(predictor, (*BLOCKS, "model"))]]
    groups += [_initial(predictor), containers(worker), _initial(worker)]
    for name in ("transformer", "explainer"):
        component = mapping(service.spec.get(name))
        groups += [containers(component), _initial(component)]
        groups.append([mapping(component[one]) for one in blocks(component, EXPLAINERS)])
    for container in (one for group in groups for one in group):
        for variable in map(mapping, sequence(container.get("env"))):
            if variable.get("name") in rules.blocked_env:
                yield f"the environment variable {variable['name']} is not allowed"


def _initial(component: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mapping(one) for one in sequence(component.get("initContainers"))]
