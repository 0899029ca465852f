"""Serving runtimes, which services run on each, and what all plans on them have in common."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ksconfig.errors import NotFound, Refused, RightMissing
from ksconfig.model.objects import STRUCTURES, WHOLE_PATH
from ksconfig.model.plain import mapping, string
from ksconfig.model.plan import ABSENT, Change, FieldEdit, Notice, ObjectRef, Plan
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import Runtime
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import Service, read_service
from ksconfig.model.services.world import World
from ksconfig.operations.foresight import foresee
from ksconfig.operations.view import Scope, View
from ksconfig.operations.worlds import present_world
from ksconfig.source.cluster.source import ClusterSource


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
    users = users_of(view)
    found = []
    for runtime in view.runtimes:
        index = runtime.serving_container(view.release.likely_rules[-1])
        image = runtime.containers[index].image if index is not None else None
        names = tuple(f"{one.name}:{one.version}" if one.version else one.name for one in runtime.formats)
        auto = tuple(dict.fromkeys(one.name for one in runtime.formats if one.auto_select))
        services = None if users is None else tuple(sorted(users.get(runtime.ref, ())))
        found.append(RuntimeUse(runtime.name, image or "", names, auto, runtime.protocols, runtime.disabled, services))
    return tuple(found)


def users_of(view: View) -> dict[ObjectRef, list[str]] | None:
    """The services that run on each runtime or name it, by the rules of the release; None if they may not be read."""
    world = present_world(view, view.release.likely_rules[-1])
    users: dict[ObjectRef, list[str]] = {}
    try:
        for data in view.source.services():
            service = read_service(data)
            found = {ref for one in resolve(service, world).values() for ref in one.runtime}
            for ref in found | {one.ref for one in (named_runtime(service, world),) if one}:
                users.setdefault(ref, []).append(f"{service.namespace}/{service.name}")
    except RightMissing:
        return None
    return users


def named_runtime(service: Service, world: World) -> Runtime | None:
    """The runtime that a service's predictor names, if there is one of that name for its namespace."""
    name = string(mapping(service.predictor.get("model")).get("runtime"))
    return world.named(name, service.namespace) if name else None


def find_runtime(view: View, name: str, namespace: str | None) -> Runtime:
    """A runtime by its name: the namespace's own first, else the cluster's; or by its target's name (runtime/NAME).

    Raises:
        NotFound: there is none; the nearest names are told.
    """
    bare = name.removeprefix("runtime/")
    by_name = {one.name.removeprefix("runtime/"): one for one in view.runtimes}
    # the name of a target stands for that one alone: "runtime/NAME" is the whole cluster's
    found = by_name.get(f"{namespace}/{bare}") if bare == name else None
    found = found or by_name.get(bare)
    if found is not None:
        return found
    elsewhere = [one.ref.namespace for one in view.runtimes if one.ref.name == bare and one.ref.namespace]
    near = difflib.get_close_matches(bare, by_name, 3, 0.5)
    advice = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(by_name) or 'none'}."
    if elsewhere:
        advice = (
            f"There is one in namespace {', '.join(map(str, elsewhere))}: -n names it; other namespaces cannot use it."
        )
    where = f"in namespace {namespace} nor for the whole cluster" if namespace else "for the whole cluster"
    raise NotFound(f"there is no runtime {bare} {where}", advice=advice)


def rules_of(view: View) -> Rules:
    """The rules of the release.

    Raises:
        Refused: it has no serving runtimes.
    """
    rules = view.release.likely_rules[-1]
    if not rules.runtimes:
        raise Refused(f"KServe {view.release} has no serving runtimes: they came with 0.8", advice="See: set-image.")
    return rules


def plan_of(view: View, command: str, edits: Sequence[FieldEdit], notices: Collection[Notice]) -> Plan:
    """A plan of these edits, with its impact."""
    patches = view.source.prepare(edits) if edits else ()
    asked = tuple(_as_change(edit) for edit in edits)
    plan = Plan(command, asked, (), tuple(edits), patches, (*notices, *view.release_notices()), view.release)
    return foresee(view, plan)


def _as_change(edit: FieldEdit) -> Change:
    def value(text: str | None) -> Any:
        if text is None:
            return ABSENT
        return text if edit.field not in STRUCTURES else json.loads(text)

    path = edit.field or WHOLE_PATH
    return Change(edit.object, path, value(edit.before), value(edit.after), str(edit.object))
