"""Which images KServe gives a service as it is stored, and by which steps it comes to them.

To 0.7 (and for services that 0.8 and 0.9 have not converted yet) by the framework's block of ``predictors``
(v1beta1/predictor_*.go, v1alpha2/framework_*.go); from 0.8 on by a runtime (components/predictor.go); explainers by the
config in every release (v1beta1/explainer_*.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping, string
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import SERVING_CONTAINER
from ksconfig.model.services.canaries import canaries, canary_predictor
from ksconfig.model.services.deployable import overdrawn, twice, without_knative
from ksconfig.model.services.hosts import host_fault
from ksconfig.model.services.resolved import Resolution, Resolved
from ksconfig.model.services.resources import lent_resources
from ksconfig.model.services.runtime_images import on_runtime
from ksconfig.model.services.service import (
    BLOCKS,
    DEPLOYMENT_MODE,
    EXPLAINERS,
    MODELMESH,
    STOPPED,
    Service,
    blocks,
    containers,
    deployment_mode,
)
from ksconfig.model.services.storage import model_fault
from ksconfig.model.services.world import World

__all__ = ["COMPONENTS", "Resolution", "Resolved", "protocol_block", "resolve", "standstill"]

#: The components whose images are told, in this order. "canary" is the other predictor of v1alpha2; those of 0.20 are
#: "canary/NAME".
COMPONENTS = ("predictor", "canary", "explainer", "transformer")


def resolve(service: Service, world: World) -> Resolution:
    """The images of the components of a service, by component."""
    if service.api == "v1alpha2" and world.rules.v1alpha2:
        return _v1alpha2(service, world)
    explainer, transformer = service.spec.get("explainer"), service.spec.get("transformer")
    made = _predictor(service, service.predictor, world)
    found = {"predictor": _judged(made, service, "predictor", service.predictor, world)}
    # in the order in which the controller makes them: it stops at the first that it cannot make
    for one in canaries(service, world.rules):
        name, predictor = _canary(service, one, found["predictor"], world)
        found[f"canary/{name}"] = _judged(_predictor(service, predictor, world), service, "predictor", predictor, world)
    if isinstance(transformer, Mapping):
        made = _own(containers(transformer), service, world, named=False)
        found["transformer"] = _judged(made, service, "transformer", transformer, world)
    if isinstance(explainer, Mapping):
        made = _explainer(service, explainer, world)
        found["explainer"] = _judged(made, service, "explainer", explainer, world)
    return _to_the_first_problem(found) if len(found) > 1 else found


def _judged(made: Resolved, service: Service, kind: str, component: Mapping[str, Any], world: World) -> Resolved:
    """A component, unless the controller does not take its model or its name."""
    if made.problem:
        return made
    fault = model_fault(component, world, named=kind == "predictor" and world.rules.collocates)
    if not fault and (fault := host_fault(service, kind, component, world)) and not without_knative(service, world):
        fault = ""
    return made._replace(images=(), problem=fault) if fault else made


def _to_the_first_problem(found: dict[str, Resolved]) -> Resolution:
    """Components, of which the controller makes none after the first that it cannot make."""
    broken = ""
    for name, one in found.items():
        if broken:
            found[name] = one._replace(images=(), problem=one.problem or f"it comes after the {broken}, which fails")
        elif one.problem:
            broken = name
    return found


def standstill(service: Service, rules: Rules, deploy: Mapping[str, Any]) -> str:
    """Why this controller leaves a service as it is whatever its images should be; "" if it does not."""
    mode = deployment_mode(service, rules, deploy) if rules.modes else ""
    if mode == MODELMESH:
        return "ModelMesh serves it"
    told = service.annotations.get(DEPLOYMENT_MODE)
    if rules.checks_mode and mode == "Standard" and rules.mode_names.get(str(told), told) not in (None, "", mode):
        return f"{told} is no way to deploy it (annotation {DEPLOYMENT_MODE})"
    if rules.refuses_knative and told == "Knative" and not service.status.get("deploymentMode"):
        return f"KServe {rules.release} refuses its own first update of a service that says Knative"
    stops = rules.stops == "always" or (rules.stops == "knative" and mode == "Knative")
    if stops and str(service.annotations.get(STOPPED)).lower() == "true":
        return "it is stopped (annotation serving.kserve.io/stop)"
    return ""


# 0.2 to 0.4


def _v1alpha2(service: Service, world: World) -> Resolution:
    found = {}
    for part, name in (("default", "predictor"), ("canary", "canary")):
        endpoint = mapping(service.spec.get(part))
        predictor, explainer = endpoint.get("predictor"), endpoint.get("explainer")
        if isinstance(predictor, Mapping):
            found[name] = _of_config(service, predictor, world, v1alpha2=True)
        if isinstance(explainer, Mapping) and part == "default":
            found["explainer"] = _explainer(service, explainer, world)
    return found or {"predictor": Resolved((), problem="it has no predictor")}


# Predictors


def _predictor(service: Service, predictor: Mapping[str, Any], world: World) -> Resolved:
    rules = world.rules
    if rules.runtimes:
        model = predictor.get("model")
        if isinstance(model, Mapping):
            return on_runtime(service, predictor, model, world)
        if not rules.frameworks and (block := next(blocks(predictor, BLOCKS), "")):
            image = string(mapping(predictor[block]).get("image")) or ""
            if image:
                return Resolved((image,), ("the service's own image",), framework=block, own=True)
            why = f"KServe {rules.release} no longer knows an image for predictor.{block} until the service is updated"
            return Resolved((), problem=why, framework=block)
    return _of_config(service, predictor, world)


def _canary(
    service: Service, canary: Mapping[str, Any], stable: Resolved, world: World
) -> tuple[str, Mapping[str, Any]]:
    """The name and the predictor of a canary."""
    chosen = world.named(stable.runtime[0].name, service.namespace) if len(stable.runtime) == 1 else None
    predictor = canary_predictor(service.predictor, canary, chosen)
    return str(predictor.get("name", "")), predictor


def _own(found: list[Mapping[str, Any]], service: Service, world: World, *, named: bool) -> Resolved:
    """The image of containers of one's own.

    Args:
        named: whether of several the one with KServe's name serves, where the release knows such; it then takes the
            place of the first. Elsewhere it is the first, and gets that name.
    """
    chosen = found[0] if found else None
    if len(found) > 1:
        if named and world.rules.named_predictor:
            chosen = next((one for one in found if one.get("name") == SERVING_CONTAINER), None)
            if chosen is None:
                return Resolved((), problem=f"none of its containers is named {SERVING_CONTAINER}", own=True)
        names = [SERVING_CONTAINER, *(str(one.get("name")) for one in found[1:])]
        if (fault := twice(names)) and without_knative(service, world):
            return Resolved((), problem=fault, own=True)
    image = string(chosen.get("image")) if chosen else None
    lent = lent_resources(world)
    for one in found:
        if "resources" in one and (fault := overdrawn(one, lent, service, world)):
            return Resolved((), problem=fault, own=True)
        lent = ()  # it is the first that admission writes into
    if not image:
        return Resolved((), problem="it names no image", own=True)
    return Resolved((image,), ("a container of its own",), own=True)


def _of_config(service: Service, predictor: Mapping[str, Any], world: World, *, v1alpha2: bool = False) -> Resolved:
    """A predictor whose image is that of its framework in ``predictors``."""
    block = next(blocks(predictor, BLOCKS), None)
    if block is None:
        custom = mapping(predictor.get("custom")).get("container") if v1alpha2 else None
        return _own([mapping(custom)] if custom else containers(predictor), service, world, named=True)
    body = mapping(predictor[block])
    image, version = string(body.get("image")), string(body.get("runtimeVersion"))
    if image and not v1alpha2:
        return Resolved((image,), ("the service's own image",), framework=block, version=None, own=True)
    protocol = protocol_block(block, body)
    entry = world.predictor(block, protocol)
    if block == "pytorch" and protocol == "v2" and world.predictor(block, "v1") is None:
        protocol, entry = "v1", None  # whose multiModelServer is looked at in any case
    split = world.rules.frameworks.get(block) == "protocols"
    path = ("predictors", block, protocol) if split else ("predictors", block)
    place = ".".join(path)
    if block not in world.rules.frameworks:
        return Resolved((), problem=f"KServe {world.rules.release} does not know {block}", framework=block)
    if entry is None:
        return Resolved((), problem=f"the config has no {place}, and the controller crashes on it", framework=block)
    if version is None:
        return Resolved((), problem="it has no runtimeVersion, which admission writes", framework=block)
    if "resources" in body and (fault := overdrawn(body, lent_resources(world), service, world)):
        return Resolved((), problem=fault, framework=block, version=version)
    repository = string(entry.get("image")) or ""
    reasons = (f"{place}.image is {repository or 'not there'}", f"runtimeVersion is {version}")
    return Resolved((f"{repository}:{version}",), reasons, framework=block, version=version, place=path)


def protocol_block(framework: str, body: Mapping[str, Any]) -> str:
    """Which block of a framework with protocols a service takes (GetContainer of its predictor).

    Of pytorch, v1 is KServe's own server and v2 is TorchServe, which a service gets that names no class of its model.
    """
    if framework == "pytorch":
        spoken = body.get("protocolVersion") in (None, "", "v1")
        return "v1" if spoken and body.get("modelClassName") else "v2"
    return "v1" if body.get("protocolVersion") in (None, "v1") else "v2"


# Explainers


def _explainer(service: Service, explainer: Mapping[str, Any], world: World) -> Resolved:
    name = next(blocks(explainer, EXPLAINERS), None)
    if name is None:
        custom = mapping(explainer.get("custom")).get("container")
        return _own([mapping(custom)] if custom else containers(explainer), service, world, named=False)
    body = mapping(explainer[name])
    framework = f"explainer/{name}"
    if name not in world.rules.explainers:
        return Resolved((), problem=f"KServe {world.rules.release} has no explainer {name}", framework=framework)
    image, version = string(body.get("image")), string(body.get("runtimeVersion"))
    if "resources" in body and (fault := overdrawn(body, lent_resources(world), service, world)):
        return Resolved((), problem=fault, framework=framework)
    if image and name in world.rules.own_images:
        return Resolved((image,), ("the service's own image",), framework=framework, own=True)
    if version is None:
        return Resolved((), problem="it has no runtimeVersion, which admission writes", framework=framework)
    entry = world.explainer(name)
    repository = string(entry.get("image")) or ""
    reasons = (f"explainers.{name}.image is {repository or 'not there'}", f"runtimeVersion is {version}")
    place = ("explainers", name)
    return Resolved((f"{repository}:{version}",), reasons, framework=framework, version=version, place=place)
