"""What ksconfig's model says of a service, from what is in the cluster before it is submitted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from conformance.case import Case, Object, merged
from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import Release, rules_of
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND, Runtime, read_runtime
from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import resolve, standstill
from ksconfig.model.services.service import Service, deployment_mode, read_service
from ksconfig.model.services.storage import pod_images
from ksconfig.model.services.world import StorageContainer, World, read_storage_container


@dataclass(frozen=True)
class Component:
    """What becomes of a component.

    Attributes:
        images: of its workload; several if any of them may be; empty if there is to be none.
        problem: why there is to be none.
        reasons: the steps to it, for people.
    """

    images: tuple[str, ...] = ()
    problem: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """What becomes of a service.

    Attributes:
        refusal: why admission refuses it; "" if it does not.
        components: by name, if it does not.
        pod: the images that the webhook adds to a pod of its predictor, by container; None if it is not told.
    """

    refusal: str = ""
    components: Mapping[str, Component] = field(default_factory=dict)
    pod: Mapping[str, str] | None = None

    @property
    def refused(self) -> bool:
        """Whether admission refuses it, or the controller gives it no predictor."""
        return bool(self.refusal) or not self.components.get("predictor", Component()).images

    @property
    def awaited(self) -> tuple[str, ...]:
        """The components that are to have a workload."""
        return tuple(name for name, one in self.components.items() if one.images)

    def as_json(self) -> Object:
        """It as plain data."""
        components = {name: asdict(one) for name, one in self.components.items()}
        return {"refusal": self.refusal, "components": components, "pod": self.pod}


def world_of(
    release: str, config: Mapping[str, str], runtimes: list[Object], storage: list[Object] | None = None
) -> World:
    """What decides images, from objects as a cluster has them.

    Args:
        config: the data of the config; a key that does not parse is left out.
        runtimes: ServingRuntimes and ClusterServingRuntimes.
        storage: ClusterStorageContainers.
    """
    data = {}
    for key, text in config.items():
        with contextlib.suppress(ValueError):
            data[key] = json.loads(text)
    return World(
        rules_of(Release.parse(release)),
        data,
        [_runtime(one) for one in runtimes],
        [_storage(one) for one in storage or ()],
    )


def with_runtimes(world: World, runtimes: Iterable[Object]) -> World:
    """A world with more ServingRuntimes and ClusterServingRuntimes."""
    return World(world.rules, world.config, [*world.runtimes, *map(_runtime, runtimes)], world.storage)


def _runtime(obj: Object) -> Runtime:
    kind = NAMESPACED_KIND if obj["kind"] == NAMESPACED_KIND else CLUSTER_KIND
    metadata = obj["metadata"]
    return read_runtime(ObjectRef(kind, metadata.get("namespace"), metadata["name"]), obj)


def _storage(obj: Object) -> StorageContainer:
    return read_storage_container(ObjectRef(STORAGE_KIND, None, obj["metadata"]["name"]), obj)


def predict(case: Case, world: World) -> Prediction:
    """What becomes of a case."""
    first = _of(read_service(case.service), world)
    if case.then is None or first.prediction.refusal:
        return first.prediction
    # as the controller has stored it before the update
    mode = deployment_mode(first.stored, world.rules, _deploy(world))
    if not world.rules.mode_names:
        mode = {"Knative": "Serverless", "Standard": "RawDeployment"}.get(mode, mode)
    status = {"deploymentMode": mode} if world.rules.keeps_mode else {}
    stored = {**case.service, "metadata": first.stored.metadata, "spec": first.stored.spec, "status": status}
    updated = _of(read_service(merged(stored, case.then)), world).prediction
    before = first.prediction.components
    kept = {name: _kept(one, before.get(name)) for name, one in updated.components.items()}
    return Prediction(updated.refusal, kept)


def _kept(now: Component, before: Component | None) -> Component:
    """A component after an update: that of before, if the controller cannot make the new one."""
    if not now.problem or before is None or not before.images:
        return now
    return Component(before.images, reasons=(*before.reasons, f"and it stays, since {now.problem}"))


class _Foretold(NamedTuple):
    prediction: Prediction
    stored: Service


def _of(service: Service, world: World) -> _Foretold:
    """What becomes of a service that is submitted."""
    admitted = admit(service, world)
    if admitted.refusal:
        return _Foretold(Prediction(refusal=admitted.refusal), admitted.service)
    still = standstill(admitted.service, world.rules, _deploy(world))
    found = {}
    for name, one in resolve(admitted.service, world).items():
        problem = still or one.problem
        images = () if problem else one.images
        found[name] = Component(images, problem or ("" if images else "the model cannot tell"), one.reasons)
    return _Foretold(Prediction("", found, dict(pod_images(admitted.service, world))), admitted.service)


def _deploy(world: World) -> Mapping[str, Any]:
    deploy = world.config.get("deploy")
    return deploy if isinstance(deploy, Mapping) else {}


def naive(case: Case, world: World) -> Prediction:
    """What one says who knows but the default image of each framework, and that containers are used as given.

    The yardstick: cases that it gets right prove little.
    """
    spec: Any = case.service["spec"] if case.then is None else merged(case.service["spec"], case.then.get("spec", {}))
    found = {}
    for name in ("predictor", "explainer", "transformer"):
        part = spec.get(name)
        if isinstance(part, dict):
            image = _default_image(part, world) or _own_image(part)
            found[name] = Component((image,) if image else ())
    return Prediction(components=found)


def _own_image(part: Object) -> str:
    containers = part.get("containers") or [{}]
    return str(containers[0].get("image", ""))


def _default_image(part: Object, world: World) -> str:
    """The image that a framework's name stands for in the config or among the cluster's runtimes."""
    framework = next((name for name, value in part.items() if isinstance(value, dict) and _knows(name, world)), "")
    body = part.get("model")
    if isinstance(body, dict):
        framework = str(body.get("modelFormat", {}).get("name", ""))
    if world.rules.runtimes and framework not in world.rules.explainers:
        first = next((one for one in world.runtimes if framework in one.format_names and _is_cluster(one)), None)
        return (first.containers[0].image or "") if first else ""
    config: Any = world.config
    entry = config.get("predictors", {}).get(framework) or config.get("explainers", {}).get(framework) or {}
    entry = entry.get("v1", entry)
    return f"{entry['image']}:{entry['defaultImageVersion']}" if entry else ""


def _is_cluster(runtime: Runtime) -> bool:
    return runtime.ref.kind == CLUSTER_KIND


def _knows(name: str, world: World) -> bool:
    listed = {form for one in world.runtimes for form in one.format_names}
    return name in world.rules.frameworks or name in world.rules.explainers or name in listed
