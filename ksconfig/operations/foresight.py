"""What a plan does to services, foretold before anything is written; and the services that it brings along.

Every service is looked at page by page, and only those are kept that there is something to say about.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ksconfig.errors import KsconfigError, Refused, RightMissing
from ksconfig.model.objects import STRUCTURES, WHOLE
from ksconfig.model.plan import ABSENT, Change, FieldEdit, Notice, ObjectRef, Plan
from ksconfig.model.releases import Rules
from ksconfig.model.restart import plan_restarts
from ksconfig.model.services.admission import admit
from ksconfig.model.services.impact import (
    Effect,
    Impact,
    ServiceImpact,
    Touched,
    canary_share,
    concerned,
    judge,
    new_services,
    ordered,
    repository,
    stands_still,
    touched,
    unpinned,
)
from ksconfig.model.services.pins import default_version, set_by_owner, stays_in_place, version_field
from ksconfig.model.services.resolve import resolve, standstill
from ksconfig.model.services.service import KIND, Service, read_service
from ksconfig.model.services.workload import Workload, by_component
from ksconfig.model.services.world import World
from ksconfig.operations.view import PINNED_TAGS, UNKNOWN_IMPACT, View
from ksconfig.operations.worlds import decides_images, with_field, worlds
from ksconfig.source.port import Source

#: Up to so many services, all workloads are looked at for what else rolls at a restart.
_FEW = 1000
_NAMED = 5


class Pinned(NamedTuple):
    """A component whose version can be changed so that it follows a plan.

    Attributes:
        service: as it is stored.
        impact: what would become of it otherwise.
        default: whether its version is the default of the config, and not its owner's wish.
    """

    service: Service
    data: Mapping[str, Any]
    impact: ServiceImpact
    default: bool


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
    if not decides_images(plan.edits):
        return replace(plan, impact=Impact())
    try:
        found = [_foresee(view, plan, rules, bring_along or care.unpin) for rules in view.release.likely_rules]
    except KsconfigError as error:
        if not view.source.submitted:
            raise
        return _with_impact(view, plan, Impact(unknown=error.why))  # a manifest beside it that cannot be read
    if len({impact for impact, _, _ in found}) > 1:
        why = f"this may be KServe {view.release}, and these releases differ in it: say which with --kserve-version"
        return _with_impact(view, plan, Impact(looked_at=found[0][0].looked_at, unknown=why))
    impact, follow, new = found[0]
    if follow:
        plan = _with_services(view.source, plan, follow, new)
    _refuse_too_many(view, impact)
    if not bring_along:
        _refuse(view, plan, impact, found[0][1])
    return _with_impact(view, plan, impact)


def _with_impact(view: View, plan: Plan, impact: Impact) -> Plan:
    """The plan with its impact; of a cluster, the review of the plan says the rest."""
    notices = notices_of(impact) if view.source.submitted else ()
    return replace(plan, impact=impact, notices=(*plan.notices, *notices))


def _foresee(view: View, plan: Plan, rules: Rules, unpin: bool) -> tuple[Impact, tuple[Pinned, ...], World]:
    old, new = worlds(view, plan.edits, rules)
    what = touched(old, new)
    graphs, unknown = _graphs(view.source, what)
    if not what and not _edited(plan.edits):
        return Impact(graphs=graphs, unknown=unknown), (), new
    restarts = plan_restarts(plan)
    seen = _look(view, (old, new), what, plan.edits, whole=restarts)
    if not any(edit.object.kind != KIND and edit.field != WHOLE for edit in plan.edits):
        # what only makes or deletes a runtime, or moves services, is not expected to reach any other
        seen = replace(seen, impacts=[one for one in seen.impacts if one.effect != "not-reached"])
    impacts, follow = _followed(seen, new, unpin, view.scope.care.unpin_services)
    impacts = _as_they_run(view.source, seen, impacts, restarts)
    impact = Impact(ordered(impacts), seen.looked_at, new_services(old, new, what), seen.unknown or unknown, graphs)
    return impact, follow, new


def _edited(edits: Iterable[FieldEdit]) -> dict[ObjectRef, list[FieldEdit]]:
    found: dict[ObjectRef, list[FieldEdit]] = {}
    for edit in edits:
        if edit.object.kind == KIND:
            found.setdefault(edit.object, []).append(edit)
    return found


def _after(service: Service, edits: Iterable[FieldEdit]) -> Service | None:
    """The service after a plan's own edits of it; None if there are none."""
    spec: Any = None
    for edit in edits:
        value = json.loads(edit.after) if edit.field in STRUCTURES and edit.after else edit.after
        spec = with_field(service.spec if spec is None else spec, edit.field[1:], value)
    return None if spec is None else service._replace(spec=spec)


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
            later = _after(service, edited.get(service.ref, ()))
            for impact in judge(service, old, new, what, later):
                impacts.append(impact)
                if later is None and impact.version is not None and (one := _pinned(service, data, impact, old, new)):
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


def _pinned(service: Service, data: Mapping[str, Any], impact: ServiceImpact, old: World, new: World) -> Pinned | None:
    """A component whose version would have to change for it to follow; None if that changes nothing."""
    field = version_field(service, impact.component)
    if stands_still(service, new):
        return None  # whatever its version is, nothing comes of it
    if field is None or not stays_in_place(service, impact.component, new):
        return None
    was, will = default_version(service, impact.component, old), default_version(service, impact.component, new)
    if impact.version == will:
        return None
    if impact.effect != "pinned-tag" and was != impact.version:
        return None
    return Pinned(service, data, impact, was == impact.version and not set_by_owner(service, field))


def _followed(
    seen: _Seen, new: World, unpin: bool, named: Collection[str]
) -> tuple[list[ServiceImpact], tuple[Pinned, ...]]:
    """The impacts, with those of services whose version changes along as what they become."""
    follow = tuple(one for one in seen.pinned if (unpin and one.default) or str(one.impact) in named)
    follows = {id(one.impact): one for one in follow}
    impacts = []
    for impact in seen.impacts:
        if id(impact) not in follows:
            impacts.append(impact)
            continue
        free = unpinned(follows[id(impact)].service, impact.component, new)
        after = free.image if free else impact.after
        will = default_version(follows[id(impact)].service, impact.component, new)
        why = f"its runtimeVersion {impact.version} becomes {will}" if will else f"runtimeVersion {impact.version} goes"
        share = canary_share(follows[id(impact)].service, impact.component, new)
        effect: Effect = "changes" if share is None else "canary"
        impacts.append(replace(impact, effect=effect, after=after, reason=why, version=will, traffic=share))
    return impacts, follow


def _with_services(source: Source, plan: Plan, follow: Iterable[Pinned], new: World) -> Plan:
    """The plan with the edits that let services follow: after the config, before the restart."""
    edits: list[FieldEdit] = []
    asked: list[Change] = []
    there = {(edit.object, edit.field) for edit in plan.edits}
    for one in follow:
        service, component = one.service, one.impact.component
        field = version_field(service, component)
        if field is None or (service.ref, field) in there:
            continue
        after = default_version(service, component, new)
        edits.append(FieldEdit.between(service.ref, field, one.impact.version, after))
        asked.append(
            Change(service.ref, field, one.impact.version, ABSENT if after is None else after, str(service.ref))
        )
        source.keep(one.data)
    if not edits:
        return plan
    patches = source.prepare(edits)
    return replace(
        plan,
        edits=(*plan.edits, *edits),
        patches=(*plan.patches, *patches),
        asked=(*plan.asked, *asked),
    )


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


# What is refused


def _refuse(view: View, plan: Plan, impact: Impact, follow: Sequence[Pinned]) -> None:
    care, allow = view.scope.care, view.scope.allow
    unmatched = set(care.unpin_services) - {str(one.impact) for one in follow}
    if unmatched and not impact.unknown:
        raise Refused(
            f"{', '.join(sorted(unmatched))} has no runtimeVersion that keeps it from following",
            advice="Leave --unpin-service out for it.",
        )
    combined = impact.having("pinned-tag")
    if combined and PINNED_TAGS not in allow:
        raise _combined(combined, view.source.submitted)
    moved = [one for one in impact.new if repository(one.before) != repository(one.after) and one.before]
    if impact.unknown and moved and UNKNOWN_IMPACT not in allow and not view.source.submitted:
        raise Refused(
            f"services may be pinned to an old version, which would be combined with the new repository, and not all "
            f"can be looked at: {impact.unknown}",
            allow=UNKNOWN_IMPACT,
            advice="Have somebody plan it who may list InferenceServices in all namespaces, or change the tag only "
            f"(:TAG); to go on all the same: --allow {UNKNOWN_IMPACT}.",
        )


def _refuse_too_many(view: View, impact: Impact) -> None:
    bound = view.scope.care.max_affected
    if bound is None:
        return
    if impact.unknown and not view.source.submitted:
        raise Refused(
            f"how many services would change is not known: {impact.unknown}",
            advice="Leave --max-affected out, or have somebody plan it who may list InferenceServices.",
        )
    count = len({(one.namespace, one.name) for one in impact.having("changes", "canary", "pinned-tag", "invalid")})
    if count > bound:
        raise Refused(
            f"{count} service{'s' if count > 1 else ''} would change, and --max-affected is {bound}",
            advice="See them with --dry-run, and raise the bound if you want them all.",
        )


_ON_CLUSTER = (
    "--unpin lets those follow whose version is KServe's old default; --unpin-service NAMESPACE/NAME one whose owner "
    "wrote it."
)
_IN_FILES = (
    "On a cluster --unpin lets services follow; in files, write the runtimeVersion into theirs that they are to have "
    "with the new repository."
)


def _combined(found: Sequence[ServiceImpact], in_files: bool) -> Refused:
    listed = "\n".join(f"  {one}: {one.before} -> {one.after}" for one in found[:_NAMED])
    if len(found) > _NAMED:
        listed += f"\n  ... and {len(found) - _NAMED} more"
    some = f"{len(found)} services" if len(found) > 1 else "a service"
    return Refused(
        f"{some} would get the new repository with an old version, since a runtimeVersion is written in "
        f"{'them' if len(found) > 1 else 'it'}; whether such an image exists is not known",
        allow=PINNED_TAGS,
        picture=listed,
        advice=f"{_IN_FILES if in_files else _ON_CLUSTER} To change the tag only, say :TAG. If the images exist: "
        f"--allow {PINNED_TAGS}.",
    )


def notices_of(impact: Impact) -> tuple[Notice, ...]:
    """What a person should know of it besides the list."""
    found = []
    if impact.unknown:
        found.append(Notice("unknown-impact", f"which services change is not wholly known: {impact.unknown}"))
    invalid = impact.having("invalid")
    if invalid:
        listed = ", ".join(str(one) for one in invalid[:_NAMED]) + (", ..." if len(invalid) > _NAMED else "")
        found.append(Notice("invalid", f"KServe could not serve {listed} any more: {invalid[0].reason}"))
    return tuple(found)
