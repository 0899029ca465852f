"""The image of a predictor that a runtime serves, from 0.8 on (components/predictor.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping, string
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import (
    SERVING_CONTAINER,
    TRANSFORMER_CONTAINER,
    Asked,
    Runtime,
    lists_format,
    speaks,
    template_fault,
)
from ksconfig.model.services.deployable import overdrawn, twice, without_knative
from ksconfig.model.services.placeholders import fill_in
from ksconfig.model.services.resolved import Resolved
from ksconfig.model.services.service import Service, containers, has_gpu, limits
from ksconfig.model.services.tags import update_tag
from ksconfig.model.services.world import World


def on_runtime(service: Service, predictor: Mapping[str, Any], model: Mapping[str, Any], world: World) -> Resolved:
    """The image of a predictor that has a ``model``."""
    rules = world.rules
    asked = _asked(predictor, model)
    framework = asked.framework
    named = string(model.get("runtime"))
    if named is not None:
        runtime = world.named(named, service.namespace)
        problem = _unfit(runtime, asked, rules) if runtime else f"there is no runtime {named}"
        if runtime is None or problem:
            return Resolved((), problem=problem, framework=framework, runtime=(runtime.ref,) if runtime else ())
        chosen: tuple[Runtime, ...] = (runtime,)
        why = f"the service names {runtime.ref}"
    else:
        chosen = world.chosen(service.namespace, asked)
        if not chosen:
            return Resolved((), problem=f"no runtime serves {asked}", framework=framework)
        why = f"{' or '.join(str(one.ref) for one in chosen)} is chosen for {asked}"
    found = [_merged(service, predictor, model, runtime, world) for runtime in chosen]
    images = tuple(dict.fromkeys(image for one in found for image in one.images))
    reasons = (why, *dict.fromkeys(reason for one in found for reason in one.reasons))
    refs = tuple(one.ref for one in chosen)
    return found[0]._replace(images=images, reasons=reasons, framework=framework, runtime=refs)


def _asked(predictor: Mapping[str, Any], model: Mapping[str, Any]) -> Asked:
    form = mapping(model.get("modelFormat"))
    version = form.get("version")
    return Asked(
        string(form.get("name")) or "",
        None if version is None else str(version),
        string(model.get("protocolVersion")),
        isinstance(predictor.get("workerSpec"), Mapping),
    )


def _unfit(runtime: Runtime, asked: Asked, rules: Rules) -> str:
    """Why a service cannot have the runtime that it names; "" if it can."""
    if runtime.disabled:
        return f"{runtime.ref} is disabled"
    if asked.workers and not runtime.workers and rules.worker_runtimes:
        return f"{runtime.ref} has no workers, and the service has, on which the controller crashes"
    if rules.protocol_filter != "never" and not speaks(runtime, asked.protocol):
        return f"{runtime.ref} does not serve protocol {asked.protocol}"
    if not lists_format(runtime, asked, auto=False):
        return f"{runtime.ref} does not list {asked._replace(protocol=None)}"
    return ""


def _pod(runtime: Runtime, predictor: Mapping[str, Any], rules: Rules) -> list[str]:
    """The names of the containers of a pod: the one that serves, the transformer beside it, those of the runtime, and
    those of the service.
    """
    if not rules.named_container:
        return [SERVING_CONTAINER]
    of_runtime = [str(one.name) for one in runtime.containers]
    of_service = [str(one.get("name")) for one in containers(predictor)] if rules.named_predictor else []
    if not rules.named_predictor:  # it leaves out but the one that serves
        of_runtime.remove(SERVING_CONTAINER)
        return [SERVING_CONTAINER, *of_runtime]
    beside = [TRANSFORMER_CONTAINER] * (TRANSFORMER_CONTAINER in of_runtime or TRANSFORMER_CONTAINER in of_service)
    others = [one for one in of_runtime if one not in (SERVING_CONTAINER, TRANSFORMER_CONTAINER)]
    return [SERVING_CONTAINER, *beside, *others, *(one for one in of_service if one != TRANSFORMER_CONTAINER)]


#: What in a model is no text of a container: what it has besides, the image, which is looked at by itself, and amounts.
_NO_TEXT = frozenset(
    {"modelFormat", "runtime", "storageUri", "storage", "runtimeVersion", "protocolVersion", "image", "resources"}
)


def _merged(
    service: Service, predictor: Mapping[str, Any], model: Mapping[str, Any], runtime: Runtime, world: World
) -> Resolved:
    """The image of a runtime's container with the service's laid over it."""
    rules = world.rules
    index = runtime.serving_container(rules)
    if index is None:
        return Resolved((), problem=f"{runtime.ref} has no container named {SERVING_CONTAINER}")
    container = runtime.containers[index]
    if len(runtime.containers) > 1 or "containers" in predictor:
        fault = twice(_pod(runtime, predictor, rules))
        if fault and without_knative(service, world):
            return Resolved((), problem=fault)
    own = string(model.get("image"))
    image = own or container.image or ""
    fault = container.fault or (template_fault(image) if "{{" in image else "")
    if not fault and (texts := model.keys() - _NO_TEXT):
        fault = template_fault([model[name] for name in texts])
    if fault:
        return Resolved((), problem=f"{fault}, and the container is a template of Go", own=bool(own))
    reasons = [f"{'the service' if own else runtime.ref} has image {image}"]
    if "resources" in model and (fault := overdrawn(model, container.amounts, service, world)):
        return Resolved((), problem=fault, own=bool(own))
    filled = fill_in(image, service)
    if filled is None:
        return Resolved((), (*reasons, "a template that is not filled in here"), own=bool(own))
    version = string(model.get("runtimeVersion"))
    gpu = has_gpu(container.limits | limits(model), rules)
    images = update_tag(
        filled, version, gpu=gpu, server=runtime.server(rules), rules=rules, predictors=world.flat_predictors
    )
    digest = rules.keeps_digests and "@sha256:" in filled
    if version is not None:
        reasons.append(f"runtimeVersion is {version}" + (", and a digest stays" if digest else ""))
    elif images != (filled,):
        reasons.append(f"KServe {rules.release} makes {' or '.join(images)} of it {'with' if gpu else 'without'} a GPU")
    return Resolved(images, tuple(reasons), version=None if digest else version, own=bool(own))
