"""What a plan does to services, foretold before anything is written; and the services that it brings along.

Every service is looked at page by page, and only those are kept that there is something to say about.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ksconfig.errors import KsconfigError, RightMissing
from ksconfig.model.objects import STRUCTURES, WHOLE
from ksconfig.model.plan import FieldEdit, ObjectRef, Plan
from ksconfig.model.releases import Rules
from ksconfig.model.restart import captures, plan_restarts
from ksconfig.model.services.admission import admit
from ksconfig.model.services.impact import (
    Impact,
    ServiceImpact,
    Touched,
    concerned,
    judge,
    new_services,
    ordered,
    touched,
)
from ksconfig.model.services.resolve import resolve, standstill
from ksconfig.model.services.service import KIND, Service, read_service
from ksconfig.model.services.workload import Workload, by_component
from ksconfig.model.services.world import World
from ksconfig.operations.impact_refusals import mode_notices, notices_of, refuse_combinations, refuse_too_many
from ksconfig.operations.pinned import Pinned, find_pinned, followed, with_services
from ksconfig.operations.view import View
from ksconfig.operations.worlds import decides_images, with_field, worlds
from ksconfig.source.port import Source

#: Up to so many services, all workloads are looked at for what else rolls at a restart.
_FEW = 1000


class _Foretold(NamedTuple):
    """What one release does.

    Attributes:
        follow: the components whose version changes along.
        pinned: all whose version could.
    """

    impact: Impact
    follow: tuple[Pinned, ...]
    pinned: tuple[Pinned, ...]
    new: World


@dataclass(frozen=True)
class _Seen:
    """What was seen of all services."""

    impacts: list[ServiceImpact]
    pinned: list[Pinned]
    expected: dict[tuple[str, str, str], str]
    looked_at: int
    unknown: str


def foresee(view: View, plan: Plan, *, bring_along: bool = False) -> Plan:
    """The plan with its impact, and with the edits of services whose version is to follow.

    Args:
        bring_along: whether services whose version is the default that the plan changes get the new one, as a rollback
            does it; then no combination with an old version is refused.

    Raises:
        Refused: services would combine a new repository with an old version; too many services change; such services
            could be among those that may not be read.
    """
    care = view.scope.care
    if not plan.changed:
        return plan
    plan = replace(plan, notices=(*plan.notices, *mode_notices(plan.edits, view.release.likely_rules)))
    if not decides_images(plan.edits):
        return replace(plan, impact=Impact())
    try:
        found = [_foresee(view, plan, rules, bring_along or care.unpin) for rules in view.release.likely_rules]
    except KsconfigError as error:
        if not view.source.submitted:
            raise
        return _with_impact(view, plan, Impact(unknown=error.why))  # a manifest beside it that cannot be read
    if len({one.impact for one in found}) > 1:
        why = f"this may be KServe {view.release}, and these releases differ in it: say which with --kserve-version"
        return _with_impact(view, plan, Impact(looked_at=found[0].impact.looked_at, unknown=why))
    one = found[0]
    if one.follow:
        plan = with_services(view.source, plan, one.follow, one.new)
    refuse_too_many(view, one.impact)
    if not bring_along:
        refuse_combinations(view, one.impact, one.pinned)
    return _with_impact(view, plan, one.impact)


def _with_impact(view: View, plan: Plan, impact: Impact) -> Plan:
    """The plan with its impact; of a cluster, the review of the plan says the rest."""
    notices = notices_of(impact) if view.source.submitted else ()
    return replace(plan, impact=impact, notices=(*plan.notices, *notices))


def _foresee(view: View, plan: Plan, rules: Rules, unpin: bool) -> _Foretold:
    old, new = worlds(view, plan.edits, rules)
    what = touched(old, new)
    graphs, unknown = _graphs(view.source, what)
    if not what and not _edited(plan.edits):
        return _Foretold(Impact(graphs=graphs, unknown=unknown), (), (), new)
    restarts = plan_restarts(plan)
    whole = restarts or any(edit.field == WHOLE for edit in plan.edits)
    seen = _look(view, (old, new), what, plan.edits, whole=whole)
    if not any(edit.object.kind != KIND and edit.field != WHOLE for edit in plan.edits):
        # what only makes or deletes a runtime, or moves services, is not expected to reach any other
        seen = replace(seen, impacts=[one for one in seen.impacts if one.effect != "not-reached"])
    impacts, follow = followed(seen.impacts, seen.pinned, new, unpin, view.scope.care.unpin_services)
    impacts = _as_they_run(view.source, seen, impacts, restarts or captures(plan.edits, impacts))
    impact = Impact(ordered(impacts), seen.looked_at, new_services(old, new, what), seen.unknown or unknown, graphs)
    return _Foretold(impact, follow, tuple(seen.pinned), new)


def _edited(edits: Iterable[FieldEdit]) -> dict[ObjectRef, list[FieldEdit]]:
    found: dict[ObjectRef, list[FieldEdit]] = {}
    for edit in edits:
        if edit.object.kind == KIND:
            found.setdefault(edit.object, []).append(edit)
    return found


def _after(service: Service, edits: Iterable[FieldEdit], world: World) -> Service | None:
    """The service after a plan's own edits of it, as admission then leaves it; None if there are none."""
    spec: Any = None
    for edit in edits:
        value = json.loads(edit.after) if edit.field in STRUCTURES and edit.after else edit.after
        spec = with_field(service.spec if spec is None else spec, edit.field[1:], value)
    return None if spec is None else admit(service._replace(spec=spec), world).service


def _look(view: View, both: tuple[World, World], what: Touched, edits: Sequence[FieldEdit], *, whole: bool) -> _Seen:
    """Look at every service once."""
    old, new = both
    impacts: list[ServiceImpact] = []
    pinned: list[Pinned] = []
    expected: dict[tuple[str, str, str], str] = {}
    count, unknown = 0, ""
    care = view.scope.care
    edited = _edited(edits)
    try:
        for data in view.source.services(care.impact_namespaces):
            count += 1
            service = read_service(data)
            if view.source.submitted:
                service = admit(service, old).service
            if whole and count <= _FEW:
                _note_expected(expected, service, old)
            if not concerned(service, what) and service.ref not in edited:
                continue
            later = _after(service, edited.get(service.ref, ()), new)
            for impact in judge(service, old, new, what, later):
                impacts.append(impact)
                if (
                    later is None
                    and impact.version is not None
                    and (one := find_pinned(service, data, impact, old, new))
                ):
                    pinned.append(one)
    except RightMissing as missing:
        unknown = missing.why
    if care.impact_namespaces and not unknown:
        unknown = f"only services in {', '.join(care.impact_namespaces)} were looked at"
    return _Seen(impacts, pinned, expected if count <= _FEW else {}, count, unknown)


def _note_expected(expected: dict[tuple[str, str, str], str], service: Service, old: World) -> None:
    if standstill(service, old.rules, old.config.get("deploy") or {}):
        return
    for component, resolved in resolve(service, old).items():
        if len(resolved.images) == 1:
            expected[service.namespace, service.name, component] = resolved.image


# What runs


def _as_they_run(source: Source, seen: _Seen, impacts: list[ServiceImpact], restarts: bool) -> list[ServiceImpact]:
    """The impacts with what runs now, and what else a restart rolls."""
    names = {(one.namespace, one.name) for one in impacts if one.effect != "not-reached"}
    whole = restarts and bool(seen.expected)
    if not names and not whole:
        return impacts
    try:
        running = by_component(source.workloads(None if whole else names))
    except RightMissing:
        return impacts
    result = [_with_workload(one, running) for one in impacts]
    if whole:
        result += _others(seen, {(one.namespace, one.name, one.component) for one in impacts}, running)
    return result


def _with_workload(one: ServiceImpact, running: Mapping[tuple[str, str, str], Workload]) -> ServiceImpact:
    found = running.get((one.namespace, one.name, one.component))
    if found is None or one.effect == "not-reached":
        return one
    replicas = found.replicas
    gpus = None if replicas is None else replicas * found.gpus
    return replace(one, before=found.image or one.before, replicas=replicas, gpus=gpus)


def _others(
    seen: _Seen, told: Collection[tuple[str, str, str]], running: Mapping[tuple[str, str, str], Workload]
) -> Iterator[ServiceImpact]:
    """What rolls at the restart though the plan has nothing to do with it: it runs another image than it should."""
    for key, image in seen.expected.items():
        found = running.get(key)
        if found is None or key in told or found.image == image:
            continue
        yield ServiceImpact(
            *key, "other", found.image, image, "an earlier change has not reached it yet",
            replicas=found.replicas, gpus=None if found.replicas is None else found.replicas * found.gpus,
        )  # fmt: skip


def _graphs(source: Source, what: Touched) -> tuple[tuple[str, ...], str]:
    if not what.router:
        return (), ""
    try:
        return tuple(source.graphs()), ""
    except RightMissing as missing:
        return (), missing.why
