"""Plans on serving runtimes: make one for some services, move services to it, make it the standard, take it away."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ksconfig.errors import NotFound, Refused, RightMissing, UsageError, not_done
from ksconfig.model.check_runtimes import RuntimeFacts, runtime_faults
from ksconfig.model.new_runtime import FROM, NewRuntime, build_runtime, lost_with_the_name
from ksconfig.model.objects import WHOLE, WHOLE_PATH, object_text, structure_text
from ksconfig.model.plain import mapping, string
from ksconfig.model.plan import ABSENT, Change, Field, FieldEdit, ImageChange, Notice, ObjectRef, Plan
from ksconfig.model.reference import Reference
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import NAMESPACED_KIND, Asked, Runtime, lists_format, read_runtime, speaks
from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import Service, read_service
from ksconfig.operations.foresight import foresee
from ksconfig.operations.view import RENAMED_RUNTIME, Scope, View
from ksconfig.operations.worlds import present_world
from ksconfig.source.cluster.source import ClusterSource

_NAMED = 5
_RUNTIME: Field = ("spec", "predictor", "model", "runtime")
_VERSION: Field = ("spec", "predictor", "model", "runtimeVersion")


@dataclass(frozen=True)
class RuntimeUse:
    """A serving runtime, and the services that run on it.

    Attributes:
        name: as a target: "runtime/NAME", "runtime/NAMESPACE/NAME".
        image: of its serving container; "" if it has none.
        formats: what it lists, with the version if there is one; ``auto`` those that it gets unasked.
        services: as NAMESPACE/NAME; None if they may not be read.
    """

    name: str
    image: str
    formats: tuple[str, ...]
    auto: tuple[str, ...]
    protocols: tuple[str, ...]
    disabled: bool
    services: tuple[str, ...] | None


def list_runtimes(source: ClusterSource, scope: Scope) -> tuple[RuntimeUse, ...]:
    """Every serving runtime with the services that run on it."""
    view = View(source, scope)
    users = _users(view)
    found = []
    for runtime in view.runtimes:
        index = runtime.serving_container(view.release.likely_rules[-1])
        image = runtime.containers[index].image if index is not None else None
        names = tuple(f"{one.name}:{one.version}" if one.version else one.name for one in runtime.formats)
        auto = tuple(dict.fromkeys(one.name for one in runtime.formats if one.auto_select))
        services = None if users is None else tuple(sorted(users.get(runtime.ref, ())))
        found.append(RuntimeUse(runtime.name, image or "", names, auto, runtime.protocols, runtime.disabled, services))
    return tuple(found)


def _users(view: View) -> dict[ObjectRef, list[str]] | None:
    """The services that run on each runtime, by the rules of the release; None if they may not be read."""
    world = present_world(view, view.release.likely_rules[-1])
    users: dict[ObjectRef, list[str]] = {}
    try:
        for data in view.source.services():
            service = read_service(data)
            for ref in resolve(service, world)["predictor"].runtime:
                users.setdefault(ref, []).append(f"{service.namespace}/{service.name}")
    except RightMissing:
        return None
    return users


def find_runtime(view: View, name: str, namespace: str | None) -> Runtime:
    """A runtime by its name: the namespace's own first, else the cluster's; or by its target's name.

    Raises:
        NotFound: there is none; the nearest names are told.
    """
    bare = name.removeprefix("runtime/")
    by_name = {one.name.removeprefix("runtime/"): one for one in view.runtimes}
    found = by_name.get(f"{namespace}/{bare}") or by_name.get(bare)
    if found is not None:
        return found
    elsewhere = [one.ref.namespace for one in view.runtimes if one.ref.name == bare and one.ref.namespace]
    near = difflib.get_close_matches(bare, by_name, 3, 0.5)
    advice = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(by_name) or 'none'}."
    if elsewhere:
        advice = (
            f"There is one in namespace {', '.join(map(str, elsewhere))}: -n names it; other namespaces cannot use it."
        )
    raise NotFound(f"there is no runtime {bare} in namespace {namespace} nor for the whole cluster", advice=advice)


def _rules(view: View) -> Rules:
    rules = view.release.likely_rules[-1]
    if not rules.runtimes:
        raise Refused(f"KServe {view.release} has no serving runtimes: they came with 0.8", advice="See: set-image.")
    return rules


# Create


def plan_create(source: ClusterSource, scope: Scope, wanted: NewRuntime) -> Plan:
    """A plan that makes a runtime.

    Raises:
        UsageError: the image is no reference; nothing says what it serves.
        Refused: it is there already; KServe would refuse it, or it could not work.
    """
    with not_done(f"runtime {wanted.name} was not made"):
        Reference.parse(wanted.image)
        view = View(source, scope)
        rules = _rules(view)
        base = find_runtime(view, wanted.base, wanted.namespace) if wanted.base else None
        data = view.first[base.ref].data if base else {}
        made = build_runtime(wanted, base, data, rules)
        ref = ObjectRef(made["kind"], wanted.namespace, wanted.name)
        if ref in view.first:
            raise Refused(f"{ref} is there already", advice="Change its image with: ksconfig set-image runtime/NAME.")
        notices = _check_new(view, ref, made, base, scope)
        stored = source.as_stored(made, ref.kind)
        text = object_text({**stored, "apiVersion": made["apiVersion"], "kind": ref.kind})
        return _plan(view, "runtime create", [FieldEdit.between(ref, WHOLE, None, text)], notices)


def _check_new(view: View, ref: ObjectRef, made: Mapping[str, Any], base: Runtime | None, scope: Scope) -> list[Notice]:
    """What a person should know of a new runtime.

    Raises:
        Refused: KServe would refuse it, or it could not work.
    """
    rules = _rules(view)
    facts = [RuntimeFacts(one, view.first[one.ref].data) for one in view.runtimes]
    old = set(runtime_faults(facts, rules))
    mine = RuntimeFacts(read_runtime(ref, made), made)
    notices = []
    for fault in runtime_faults([*facts, mine], rules):
        if fault in old:
            continue
        if fault.effect.breaks:
            raise Refused(f"{fault.what}: {fault.effect.text}", advice=fault.mend)
        notices.append(Notice(fault.code, fault.what))
    for lost in lost_with_the_name(base, mine.runtime, rules) if base else ():
        why = f"under another name than {base.ref.name if base else ''} KServe {rules.release} does not give it {lost}"
        if RENAMED_RUNTIME not in scope.allow:
            name = base.ref.name if base else ""
            raise Refused(
                why,
                allow=RENAMED_RUNTIME,
                advice=f"Make a copy of the same name in a namespace (runtime create {name} --from {name} -n "
                f"NAMESPACE), or set it by hand with --env and --arg and say --allow {RENAMED_RUNTIME}.",
            )
        notices.append(Notice(RENAMED_RUNTIME, why))
    return notices


# Use


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


def _chosen_services(source: ClusterSource, chosen: Chosen) -> Iterator[tuple[Service, Mapping[str, Any]]]:
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
        if chosen.framework is not None and _framework(service) != chosen.framework:
            continue
        seen.add(service.name)
        yield service, data
    for name in chosen.names:
        if name not in seen:
            near = difflib.get_close_matches(name, everything, 3, 0.5)
            where = f" in namespace {chosen.namespace}" if chosen.namespace else ""
            hint = f"Did you mean {' or '.join(near)}?" if near else "Another namespace is named with -n."
            raise NotFound(f"there is no InferenceService {name}{where}", advice=hint)


def _framework(service: Service) -> str:
    model = mapping(service.predictor.get("model"))
    if model:
        return string(mapping(model.get("modelFormat")).get("name")) or ""
    return next((name for name, value in service.predictor.items() if isinstance(value, Mapping)), "")


def plan_use(source: ClusterSource, scope: Scope, name: str, chosen: Chosen, *, clear_version: bool = False) -> Plan:
    """A plan that moves services to a runtime.

    Raises:
        NotFound: there is no such runtime or service.
        Refused: a service cannot run on it.
    """
    with not_done("no service was moved"):
        view = View(source, scope)
        rules = _rules(view)
        if not (chosen.names or chosen.labels or chosen.framework):
            raise UsageError("no service was named", advice="Name services, or say --selector or --all-of.")
        runtime = find_runtime(view, name, chosen.namespace)
        edits: list[FieldEdit] = []
        count = 0
        for service, data in _chosen_services(source, chosen):
            count += 1
            _refuse_unfit(service, runtime, rules)
            source.keep(data)
            edits += _move(service, view, runtime.ref.name, clear_version=clear_version)
        if not count:
            raise NotFound(
                "no service has these labels or this framework here", advice="See them with: ksconfig status."
            )
        return _plan(view, "runtime use", edits, [])


def _refuse_unfit(service: Service, runtime: Runtime, rules: Rules) -> None:
    model = mapping(service.predictor.get("model"))
    form = mapping(model.get("modelFormat"))
    version = form.get("version")
    asked = Asked(_framework(service), None if version is None else str(version), string(model.get("protocolVersion")))
    where = f"{service.namespace}/{service.name}"
    if service.predictor.get("containers") and not model:
        raise Refused(f"{where} has a container of its own, and no runtime")
    if runtime.disabled:
        raise Refused(f"{runtime.ref} is disabled", advice="Enable it, or use another one.")
    if runtime.ref.kind == NAMESPACED_KIND and runtime.ref.namespace != service.namespace:
        raise Refused(
            f"{runtime.ref} serves its own namespace only, and {where} is in another",
            advice="Make it there, or for the whole cluster (runtime create --cluster).",
        )
    formats = {one.name for one in runtime.formats}
    if not lists_format(runtime, asked, auto=False):
        raise Refused(
            f"{runtime.ref} does not list {asked._replace(protocol=None)}, which {where} is of",
            advice=f"It lists {', '.join(sorted(formats)) or 'nothing'}; runtime create --format says what one serves.",
        )
    if rules.protocol_filter != "never" and not speaks(runtime, asked.protocol):
        raise Refused(f"{runtime.ref} does not serve protocol {asked.protocol}, which {where} names")


def _move(service: Service, view: View, name: str | None, *, clear_version: bool = False) -> list[FieldEdit]:
    """The edits that give a service a runtime, or none."""
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
    world = present_world(view, _rules(view))
    predictor = dict(admit(service, world).service.predictor)
    body = {**mapping(predictor.get("model")), "runtime": name}
    if clear_version:
        body.pop("runtimeVersion", None)
    predictor["model"] = {key: value for key, value in body.items() if value is not None}
    old, new = structure_text(service.predictor), structure_text(predictor)
    return [FieldEdit.between(service.ref, ("spec", "predictor"), old, new)]


# Promote and delete


def plan_promote(source: ClusterSource, scope: Scope, name: str, namespace: str | None, to: str | None = None) -> Plan:
    """A plan that gives the image of a tried runtime to the standard one, and its services back to that.

    Args:
        to: the standard runtime; by default the one that the tried one was made from.
    """
    with not_done(f"{name} was not promoted"):
        view = View(source, scope)
        rules = _rules(view)
        tried = find_runtime(view, name, namespace)
        annotations = mapping(mapping(view.first[tried.ref].data.get("metadata")).get("annotations"))
        origin = to or string(annotations.get(FROM))
        if origin is None:
            raise UsageError(
                f"{tried.ref} was not made by ksconfig, so its standard is not known", advice="Say --to RUNTIME."
            )
        standard = find_runtime(view, origin, None)
        if standard.ref == tried.ref:
            raise UsageError(f"{tried.ref} is the standard itself")
        place, other = standard.serving_container(rules), tried.serving_container(rules)
        if place is None or other is None:
            raise Refused(f"{standard.ref} or {tried.ref} has no container that serves")
        before, after = standard.containers[place].image, tried.containers[other].image
        edits = []
        if before != after:
            field: Field = ("spec", "containers", place, "image")
            edits.append(FieldEdit.between(standard.ref, field, before, after))
        world = present_world(view, rules)
        for data in source.services((tried.ref.namespace,) if tried.ref.namespace else ()):
            service = read_service(data)
            model = mapping(service.predictor.get("model"))
            if (
                string(model.get("runtime")) != tried.ref.name
                or world.named(tried.ref.name, service.namespace) != tried
            ):
                continue
            source.keep(data)
            free = service._replace(spec={**service.spec, "predictor": {**service.predictor, "model": {
                key: value for key, value in model.items() if key != "runtime"}}})  # fmt: skip
            unasked = resolve(free, world)["predictor"].runtime == (standard.ref,)
            edits += _move(service, view, None if unasked else standard.ref.name)
        images = (ImageChange(standard.name, before or "", after or ""),)
        return replace(_plan(view, "runtime promote", edits, []), images=images)


def plan_delete(source: ClusterSource, scope: Scope, name: str, namespace: str | None) -> Plan:
    """A plan that deletes a runtime.

    Raises:
        Refused: services run on it, or may.
    """
    with not_done(f"{name} was not deleted"):
        view = View(source, scope)
        _rules(view)
        runtime = find_runtime(view, name, namespace)
        users = _users(view)
        if users is None:
            raise Refused(f"which services run on {runtime.ref} is not known: they may not be listed")
        if found := sorted(users.get(runtime.ref, ())):
            listed = ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
            raise Refused(f"{listed} run on {runtime.ref}", advice="Move them first: ksconfig runtime use, or promote.")
        before = object_text(view.first[runtime.ref].data)
        return _plan(view, "runtime delete", [FieldEdit.between(runtime.ref, WHOLE, before, None)], [])


def _plan(view: View, command: str, edits: Sequence[FieldEdit], notices: Collection[Notice]) -> Plan:
    patches = view.source.prepare(edits) if edits else ()
    asked = tuple(_as_change(edit) for edit in edits)
    plan = Plan(command, asked, (), tuple(edits), patches, (*notices, *view.release_notices()), view.release)
    return foresee(view, plan)


def _as_change(edit: FieldEdit) -> Change:
    def value(text: str | None) -> Any:
        if text is None:
            return ABSENT
        return text if edit.field not in (WHOLE, ("spec", "predictor")) else json.loads(text)

    path = edit.field or WHOLE_PATH
    return Change(edit.object, path, value(edit.before), value(edit.after), str(edit.object))
