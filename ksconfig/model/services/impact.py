"""What a change does to services: which get another image, from which to which, and which do not and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from ksconfig.errors import InvalidReference
from ksconfig.model.fields import go_fields
from ksconfig.model.plain import mapping, string
from ksconfig.model.plan import ImageChange
from ksconfig.model.reference import Reference
from ksconfig.model.runtimes import CLUSTER_KIND
from ksconfig.model.services.admission import admit
from ksconfig.model.services.pins import canary_index, without_version
from ksconfig.model.services.resolve import Resolved, resolve, standstill
from ksconfig.model.services.service import (
    AUTO_UPDATE_OFF,
    BLOCKS,
    EXPLAINERS,
    Service,
    blocks,
    containers,
    deployment_mode,
    read_service,
)
from ksconfig.model.services.storage import pod_images
from ksconfig.model.services.world import World
from ksconfig.text.json_scanner import fold

#: changes: its workload rolls. canary: a share of its traffic gets the change. next-pod: pods that are made from then
#: on have it. pinned-tag: it would combine a new repository with its old version. invalid: KServe could not serve it
#: any more. not-reached: it keeps what it has. other: its workload rolls at the restart for another reason.
Effect = Literal["changes", "canary", "next-pod", "pinned-tag", "invalid", "not-reached", "other"]
EFFECTS: tuple[Effect, ...] = ("pinned-tag", "invalid", "changes", "canary", "other", "next-pod", "not-reached")
#: The effects by which a workload changes, or would have to.
ROLLS: tuple[Effect, ...] = ("changes", "canary", "pinned-tag", "invalid")
#: The blocks of ``predictors`` whose GPU tag 0.8 and 0.9 give to services on runtimes of the same repository.
_LEND_GPU_TAGS = ("tensorflow", "pytorch")


@dataclass(frozen=True)
class ServiceImpact:
    """What a change does to one component of a service.

    Attributes:
        component: "predictor", "explainer", "transformer", "canary" (v1alpha2), "canary/NAME" (0.20),
            "storage-initializer" or "agent".
        effect: see `Effect`.
        before, after: the images; ``before`` is what runs, where that was looked at, else what KServe would make of the
            present state. "a or b" where KServe's order decides and is not defined.
        reason: why, for people.
        runtime: what it runs on, from 0.8 on; "" otherwise.
        version: the runtimeVersion that pins it, or None.
        replicas, gpus: of the workload that rolls; None where it was not looked at.
        traffic: of a canary, the per cent of its traffic that get the change.
    """

    namespace: str
    name: str
    component: str
    effect: Effect
    before: str
    after: str
    reason: str = ""
    runtime: str = ""
    version: str | None = None
    replicas: int | None = None
    gpus: int | None = None
    traffic: int | None = None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Impact:
    """What a change does to all services.

    Attributes:
        services: those that change or that one would expect to, by effect, namespace and name.
        looked_at: how many services there are.
        new: what services that are created from then on get, by framework.
        unknown: why services could not be looked at; "" if all were.
        graphs: the InferenceGraphs whose router changes at their next reconcile, as NAMESPACE/NAME.
    """

    services: tuple[ServiceImpact, ...] = ()
    looked_at: int = 0
    new: tuple[ImageChange, ...] = ()
    unknown: str = ""
    graphs: tuple[str, ...] = ()

    def having(self, *effects: Effect) -> tuple[ServiceImpact, ...]:
        """Those with one of these effects."""
        return tuple(one for one in self.services if one.effect in effects)


class Touched(NamedTuple):
    """What a change touches of all that decides images.

    Attributes:
        frameworks: whose images it may change: "sklearn", "explainer/art".
        pods: whether it changes what the pod webhook adds.
        router: whether it changes the router of InferenceGraphs.
        gpu_tags: whether it changes ``predictors`` that lend their GPU tag to services on any runtime (0.8, 0.9).
    """

    frameworks: frozenset[str]
    pods: bool = False
    router: bool = False
    gpu_tags: bool = False

    def __bool__(self) -> bool:
        return bool(self.frameworks) or self.pods


def touched(old: World, new: World) -> Touched:
    """What differs between two worlds."""
    frameworks = set()
    for key, prefix in (("predictors", ""), ("explainers", "explainer/")):
        before, after = go_fields(old.config.get(key)), go_fields(new.config.get(key))
        names = {fold(name): name for name in (*old.rules.frameworks, *EXPLAINERS)}
        frameworks |= {
            prefix + names.get(name, name)
            for name in before.keys() | after.keys()
            if before.get(name) != after.get(name)
        }
    gpu_tags = old.rules.predictors == "leftovers" and not frameworks.isdisjoint(_LEND_GPU_TAGS)
    was, will = ({one.ref: one for one in world.runtimes} for world in (old, new))
    for ref in was.keys() | will.keys():
        if was.get(ref) != will.get(ref):
            frameworks |= {name for one in (was.get(ref), will.get(ref)) if one for name in one.format_names}
    pods = old.storage != new.storage or any(
        old.image_of(key) != new.image_of(key) for key in ("storageInitializer", "agent")
    )
    return Touched(frozenset(frameworks), pods, old.image_of("router") != new.image_of("router"), gpu_tags)


def concerned(service: Service, what: Touched) -> bool:
    """Whether a change may have to do with a service: a first look, so that most need no other."""
    if what.pods or service.api == "v1alpha2" or "canary" in service.spec:
        return True  # more than one predictor: these are few, and are looked at whole
    frameworks = what.frameworks
    predictor = service.predictor
    model = predictor.get("model")
    if isinstance(model, Mapping):
        if what.gpu_tags or string(mapping(model.get("modelFormat")).get("name")) in frameworks:
            return True
    elif containers(predictor):
        return True
    # a block beside a model counts: releases without runtimes do not know the model
    if any(name in frameworks for name in blocks(predictor, BLOCKS)):
        return True
    explainer = service.spec.get("explainer")
    return isinstance(explainer, Mapping) and any(f"explainer/{name}" in frameworks for name in explainer)


def stands_still(service: Service, world: World) -> str:
    """Why the controller leaves a service as it is now, whatever its images should be; "" if it does not."""
    stands = standstill(service, world.rules, mapping(world.config.get("deploy")))
    if not stands and world.rules.auto_update_off and service.annotations.get(AUTO_UPDATE_OFF) == "true":
        stands = f"its annotation {AUTO_UPDATE_OFF} keeps it as it is while it is ready" if service.ready else ""
    return stands


def judge(
    service: Service, old: World, new: World, what: Touched, later: Service | None = None
) -> Iterator[ServiceImpact]:
    """What becomes of the components of a service when one world becomes the other.

    Args:
        later: the service as it is then, if it changes along.
    """
    was, now = resolve(service, old), resolve(later or service, new)
    service = later or service  # one that is written itself is not told of as not reached
    stands = stands_still(service, new)
    rolls = False
    for component, after in now.items():
        before = was[component]
        told = _told(service, component, before, after)
        if before.images == after.images and before.problem == after.problem:
            if later is None and _expected(component, after, what):
                yield replace(told, reason=stands or _why_not(service, component, after, (old, new)))
        elif stands:
            yield replace(told, after=told.before, reason=stands)
        else:
            rolls = True
            effect, reason = _effect(service, component, before, after, new)
            if effect == "pinned-tag" and later is not None:
                effect, reason = "changes", f"its runtimeVersion becomes {after.version}"
            share = canary_share(service, component, new)
            if effect == "changes" and share is not None:
                reason = f"{share} % of its traffic ({'t' if '/' in component else 'canaryT'}rafficPercent)"
                yield replace(told, effect="canary", reason=reason, traffic=share)
            else:
                yield replace(told, effect=effect, reason=reason)
    if what.pods and not rolls and not stands:
        yield from _at_next_pod(service, old, new)


def canary_share(service: Service, component: str, world: World) -> int | None:
    """The per cent of a component's traffic that its new revision gets; None if all of it, as without Knative."""
    if service.api == "v1alpha2":
        share = service.spec.get("canaryTrafficPercent") if component == "canary" else None
    elif component.startswith("canary/"):
        index = canary_index(service, component)
        share = None if index is None else mapping(service.spec["canary"][index]).get("trafficPercent")
        return share if isinstance(share, int) and share < 100 else None  # they are for services without Knative
    else:
        share = mapping(service.spec.get(component)).get("canaryTrafficPercent")
    if not isinstance(share, int) or share >= 100:
        return None
    mode = deployment_mode(service, world.rules, mapping(world.config.get("deploy"))) if world.rules.modes else ""
    return None if mode == "Standard" else share


def _told(service: Service, component: str, before: Resolved, after: Resolved) -> ServiceImpact:
    """What there is to tell of a component that is not reached."""
    return ServiceImpact(
        service.namespace, service.name, component, "not-reached", before.image, after.image,
        runtime=" or ".join(map(str, after.runtime)), version=after.version,
    )  # fmt: skip


def _effect(service: Service, component: str, before: Resolved, after: Resolved, new: World) -> tuple[Effect, str]:
    """The effect on a component whose image changes, and why."""
    if after.problem:
        return "invalid", after.problem
    if bad := _no_reference(after) if not _no_reference(before) else "":
        return "invalid", bad
    if after.version is not None and not _same_repository(before, after):
        free = unpinned(service, component, new)
        if free is not None and free.images != after.images:
            new_one = f", where a new service gets {free.image}" if free.images else ""
            return "pinned-tag", f"runtimeVersion {after.version} stays{new_one}"
    return "changes", "; ".join(after.reasons)


def unpinned(service: Service, component: str, world: World) -> Resolved | None:
    """What a component would have without its version; None if it could not be."""
    free = without_version(service, component)
    if free is None:
        return None
    admitted = admit(free, world)
    return None if admitted.refusal else resolve(admitted.service, world).get(component)


def _same_repository(before: Resolved, after: Resolved) -> bool:
    return {repository(image) for image in before.images} == {repository(image) for image in after.images}


def repository(image: str) -> str:
    """An image without tag and digest."""
    rest = image.partition("@")[0]
    colon = rest.rfind(":")
    return rest[:colon] if colon > rest.rfind("/") else rest


def _no_reference(resolved: Resolved) -> str:
    for image in resolved.images:
        try:
            Reference.parse(image)
        except InvalidReference as error:
            return error.why
    return ""


def _expected(component: str, after: Resolved, what: Touched) -> bool:
    """Whether one would expect the change to reach a component: of its framework, or a server that hides what it is."""
    if after.framework in what.frameworks:
        return True
    hidden = component in ("predictor", "canary") and after.own and not after.framework
    return hidden and any(not name.startswith("explainer/") for name in what.frameworks)


def _why_not(service: Service, component: str, after: Resolved, worlds: tuple[World, World]) -> str:
    """Why a change does not reach a component that one would expect it to reach."""
    if after.problem:
        return f"it is not served as it is: {after.problem}"
    if after.own:
        return "it names its own image" if after.framework else "its container is its own"
    if after.version is not None and not after.runtime:
        free = [unpinned(service, component, world) for world in worlds]
        if all(free) and free[0] == free[1]:
            return after.reasons[0]  # another block than the one that changes
        return f"pinned: its runtimeVersion is {after.version}"
    other = [ref for ref in after.runtime if ref.kind != CLUSTER_KIND]
    if other:
        return f"{other[0]} serves it"
    if after.version is not None:
        return f"pinned: its runtimeVersion is {after.version}"
    return f"{' or '.join(map(str, after.runtime))} serves it" if after.runtime else "; ".join(after.reasons[:1])


def _at_next_pod(service: Service, old: World, new: World) -> Iterator[ServiceImpact]:
    before, after = pod_images(service, old), pod_images(service, new)
    for name in after:
        if before.get(name) != after[name]:
            yield ServiceImpact(
                service.namespace, service.name, name, "next-pod", before.get(name, ""), after[name],
                "pods that are made from then on have it",
            )  # fmt: skip


# New services


def new_services(old: World, new: World, what: Touched) -> tuple[ImageChange, ...]:
    """What services of the touched frameworks get that are created then, where that is another image than now."""
    found: list[ImageChange] = []
    for target in sorted(what.frameworks):
        for shown, service in _samples(target, new):
            before, after = (_image_of_new(service, world, target) for world in (old, new))
            change = ImageChange(shown, before, after)
            without_gpu = found[-1:] == [replace(change, target=shown.removesuffix(_WITH_GPU))]
            if before != after and not without_gpu:
                found.append(change)
    return tuple(found)


def _samples(target: str, world: World) -> Iterator[tuple[str, Service]]:
    """Services of a framework that name nothing but it: each with the words that tell it apart."""
    group, slash, explainer = target.partition("/")
    if slash:
        custom = {"containers": [{"name": "kserve-container", "image": "x"}]}
        yield target, _sample({"predictor": custom, "explainer": {explainer: {}}})
        return
    for shown, body in _plain(group, world):
        protocol = body.get("protocolVersion")
        if world.rules.runtimes:
            yield shown, _sample({"predictor": {"model": {"modelFormat": {"name": group}, **body}}})
        elif group == "pytorch":
            # its two servers are told apart by the class of the model, not by the protocol
            named = shown if protocol else shown.replace("pytorch", "pytorch/v1", 1)
            server = {"protocolVersion": None} if protocol else {"modelClassName": "Net"}
            yield named, _sample({"predictor": {"pytorch": {**body, **server}}})
        elif world.rules.v1alpha2:
            if not protocol:
                yield shown, _sample({"default": {"predictor": {group: body}}}, "v1alpha2")
        elif not protocol or world.rules.frameworks.get(group) == "protocols":
            yield shown, _sample({"predictor": {group: body}})


_WITH_GPU = " with a GPU"
_ONE_GPU: Mapping[str, Any] = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}


def _plain(framework: str, world: World) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a service may say of a framework: nothing, the other protocol, and a GPU where that has a tag of its own."""
    gpu = framework in world.rules.gpu_tags or (world.rules.gpu_suffix and framework in _LEND_GPU_TAGS)
    for shown, body in ((framework, {}), (f"{framework}/v2", {"protocolVersion": "v2"})):
        yield shown, body
        if gpu:
            yield f"{shown}{_WITH_GPU}", {**body, **_ONE_GPU}


def _sample(spec: Mapping[str, Any], api: str = "v1beta1") -> Service:
    return read_service({"apiVersion": f"serving.kserve.io/{api}", "metadata": {"name": "new"}, "spec": spec})


def _image_of_new(service: Service, world: World, target: str) -> str:
    admitted = admit(service, world)
    if admitted.refusal:
        return ""
    resolved = resolve(admitted.service, world)["explainer" if "/" in target else "predictor"]
    return resolved.image


def unusable(image: str) -> str:
    """Why an image, or one of several, is no reference that anything could pull; "" if it is one."""
    return _no_reference(Resolved(tuple(image.split(" or ")))) if image else ""


def ordered(impacts: list[ServiceImpact]) -> tuple[ServiceImpact, ...]:
    """By effect, namespace, name and component."""
    return tuple(sorted(impacts, key=lambda one: (EFFECTS.index(one.effect), one.namespace, one.name, one.component)))
