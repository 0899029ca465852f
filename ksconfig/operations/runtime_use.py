"""A plan that moves services to a runtime."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ksconfig.errors import NotFound, Refused, UsageError, not_done
from ksconfig.model.few import and_so_on, first_few
from ksconfig.model.new_runtime import bound_servers
from ksconfig.model.objects import structure_text
from ksconfig.model.plain import mapping, string
from ksconfig.model.plan import Field, FieldEdit, Notice, Plan
from ksconfig.model.runtimes import NAMESPACED_KIND, Asked, Runtime, lists_format, speaks
from ksconfig.model.services.admission import admit
from ksconfig.model.services.impact import repository
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import Service, containers, read_service
from ksconfig.model.services.world import World
from ksconfig.operations.impact_refusals import combined
from ksconfig.operations.runtimes import find_runtime, plan_of, rules_of
from ksconfig.operations.view import PINNED_TAGS, Scope, View
from ksconfig.operations.worlds import present_world
from ksconfig.source.cluster.source import ClusterSource

_PREDICTOR: Field = ("spec", "predictor")
_RUNTIME: Field = (*_PREDICTOR, "model", "runtime")
_VERSION: Field = (*_PREDICTOR, "model", "runtimeVersion")


@dataclass(frozen=True)
class Chosen:
    """Which services are meant: named ones, those with labels, or all of a framework; in one namespace.

    Attributes:
        namespace: theirs; None for all.
        names: of services.
        labels: that they must have.
        framework: "sklearn", or None.
    """

    namespace: str | None
    names: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    framework: str | None = None


class _Found(NamedTuple):
    """A service that is meant.

    Attributes:
        service: as it is stored.
        admitted: as the next write of it leaves it: in the form with ``model``.
        data: its object.
    """

    service: Service
    admitted: Service
    data: Mapping[str, Any]

    @property
    def model(self) -> Mapping[str, Any]:
        """Its model; empty where a container of its own serves."""
        return mapping(self.admitted.predictor.get("model"))

    @property
    def framework(self) -> str:
        """The framework of its model."""
        return string(mapping(self.model.get("modelFormat")).get("name")) or ""

    def __str__(self) -> str:
        return f"{self.service.namespace}/{self.service.name}"


def plan_use(source: ClusterSource, scope: Scope, name: str, chosen: Chosen, *, clear_version: bool = False) -> Plan:
    """A plan that moves services to a runtime.

    Raises:
        NotFound: there is no such runtime or service.
        Refused: a service cannot run on it, or would have its image with an old version.
    """
    with not_done("no service was moved"):
        view = View(source, scope)
        world = present_world(view, rules_of(view))
        if not (chosen.names or chosen.labels or chosen.framework):
            raise UsageError("no service was named", advice="Name services, or say --selector or --all-of.")
        runtime = find_runtime(view, name, chosen.namespace)
        found = list(_chosen_services(source, chosen, world))
        if not found:
            raise NotFound(
                "no service has these labels or this framework here", advice="See them with: ksconfig status."
            )
        if any(one.model.get("runtime") == runtime.ref.name for one in found):
            # as in `certain.planned`: of those that are moved already no write would show that what was read was old
            found = list(_chosen_services(source, chosen, world))
        edits: list[FieldEdit] = []
        for one in found:
            refuse_unfit(one.admitted, runtime, world)
            source.keep(one.data)
            edits += move(source, one.service, world, runtime, clear_version=clear_version)
        if not clear_version and PINNED_TAGS not in scope.allow:
            _refuse_combinations(found, runtime, world)
        return plan_of(view, "runtime use", edits, [*_notices(found), *_left_behind(found, runtime, world)])


def _chosen_services(source: ClusterSource, chosen: Chosen, world: World) -> Iterator[_Found]:
    seen = set()
    everything = []
    for data in source.services((chosen.namespace,) if chosen.namespace else ()):
        service = read_service(data)
        everything.append(service.name)
        labels = mapping(service.metadata.get("labels"))
        if chosen.names and service.name not in chosen.names:
            continue
        if any(labels.get(name) != value for name, value in chosen.labels):
            continue
        one = _Found(service, admit(service, world).service, data)
        if chosen.framework is not None and one.framework != chosen.framework:
            continue
        seen.add(service.name)
        yield one
    for name in chosen.names:
        if name not in seen:
            near = difflib.get_close_matches(name, everything, 3, 0.5)
            where = f" in namespace {chosen.namespace}" if chosen.namespace else ""
            hint = f"Did you mean {' or '.join(near)}?" if near else "Another namespace is named with -n."
            raise NotFound(f"there is no InferenceService {name}{where}", advice=hint)


def refuse_unfit(service: Service, runtime: Runtime, world: World) -> None:
    """Refuse to move a service, in the form that admission gives it, to a runtime that cannot serve it.

    Raises:
        Refused: it has no runtime at all; the runtime is disabled, of another namespace, of another name in its
            namespace, of other formats, or of another protocol.
    """
    model = mapping(service.predictor.get("model"))
    form = mapping(model.get("modelFormat"))
    version = form.get("version")
    asked = Asked(
        string(form.get("name")) or "",
        None if version is None else str(version),
        string(model.get("protocolVersion")),
    )
    where = f"{service.namespace}/{service.name}"
    if not model:
        own = "a container of its own" if containers(service.predictor) else "no model"
        raise Refused(f"{where} has {own}, and so no runtime")
    if runtime.disabled:
        raise Refused(f"{runtime.ref} is disabled", advice="Enable it, or use another one.")
    if runtime.ref.kind == NAMESPACED_KIND and runtime.ref.namespace != service.namespace:
        raise Refused(
            f"{runtime.ref} serves its own namespace only, and {where} is in another",
            advice="Make it there, or for the whole cluster (runtime create --cluster).",
        )
    meant = world.named(runtime.ref.name, service.namespace)
    if meant is not None and meant.ref != runtime.ref:
        raise Refused(
            f"in namespace {service.namespace} the name {runtime.ref.name} stands for {meant.ref}, and not for "
            f"{runtime.ref}",
            advice="KServe takes the namespace's own runtime first: give one of them another name.",
        )
    formats = {one.name for one in runtime.formats}
    if not lists_format(runtime, asked, auto=False):
        raise Refused(
            f"{runtime.ref} does not list {asked._replace(protocol=None)}, which {where} is of",
            advice=f"It lists {', '.join(sorted(formats)) or 'nothing'}; runtime create --format says what one serves.",
        )
    if world.rules.protocol_filter != "never" and not speaks(runtime, asked.protocol):
        raise Refused(f"{runtime.ref} does not serve protocol {asked.protocol}, which {where} names")


def _refuse_combinations(found: Sequence[_Found], runtime: Runtime, world: World) -> None:
    """Refuse what would give services the image of the runtime with the version that is written in them."""
    listed = []
    for one in found:
        predictor = {**one.admitted.predictor, "model": {**one.model, "runtime": runtime.ref.name}}
        later = one.admitted._replace(spec={**one.admitted.spec, "predictor": predictor})
        was, now = (resolve(each, world)["predictor"] for each in (one.service, later))
        if now.version is not None and now.images and repository(now.image) != repository(was.image):
            listed.append(f"  {one}: {was.image or 'none'} -> {now.image}, its runtimeVersion is {now.version}")
    if listed:
        raise combined(f"the image of {runtime.ref}", listed, "Say --clear-version to take it away with the move.")


def _notices(found: Sequence[_Found]) -> Iterator[Notice]:
    own = [str(one) for one in found if string(one.model.get("image"))]
    if own:
        yield Notice("own-image", f"{and_so_on(own)} names an image of its own, which it keeps on any runtime")


def _left_behind(found: Sequence[_Found], runtime: Runtime, world: World) -> Iterator[Notice]:
    """What 0.8's admission writes into services of a runtime by its name, and again at each write of them."""
    if world.rules.converts == "named" and runtime.server(world.rules) in bound_servers(world.rules):
        where = f"environment and labels for {runtime.ref} into {first_few(found, 1)}"
        why = f"KServe {world.rules.release} writes {where}, which a rollback leaves there"
        yield Notice("left-behind", why)


def move(
    source: ClusterSource, service: Service, world: World, runtime: Runtime | None, *, clear_version: bool = False
) -> list[FieldEdit]:
    """The edits that give a service a runtime, or None for none; no edits if it has that already."""
    name = runtime.ref.name if runtime else None
    model = service.predictor.get("model")
    if isinstance(model, Mapping):
        edits = []
        before = string(model.get("runtime"))
        if before != name:
            edits.append(FieldEdit.between(service.ref, _RUNTIME, before, name))
        version = string(model.get("runtimeVersion"))
        if clear_version and version is not None:
            edits.append(FieldEdit.between(service.ref, _VERSION, version, None))
        return edits
    # stored in the form of 0.7: what KServe's admission makes of it at its next write, with the runtime
    predictor = dict(admit(service, world).service.predictor)
    body = {**mapping(predictor.get("model")), "runtime": name}
    if clear_version:
        body.pop("runtimeVersion", None)
    predictor["model"] = {key: value for key, value in body.items() if value is not None}
    old, new = structure_text(service.predictor), structure_text(predictor)
    return [source.as_kept([FieldEdit.between(service.ref, _PREDICTOR, old, new)], _PREDICTOR)]
