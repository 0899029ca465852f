"""Services whose version keeps them from following a plan, and the edits that let them follow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ksconfig.model.plan import ABSENT, Change, FieldEdit, Plan
from ksconfig.model.services.impact import Effect, ServiceImpact, canary_share, stands_still, unpinned
from ksconfig.model.services.pins import default_version, set_by_owner, stays_in_place, version_field
from ksconfig.model.services.service import Service
from ksconfig.model.services.world import World
from ksconfig.source.port import Source


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


def find_pinned(
    service: Service, data: Mapping[str, Any], impact: ServiceImpact, old: World, new: World
) -> Pinned | None:
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


def followed(
    impacts: Sequence[ServiceImpact], pinned: Iterable[Pinned], new: World, unpin: bool, named: Collection[str]
) -> tuple[list[ServiceImpact], tuple[Pinned, ...]]:
    """The impacts, with those of services whose version changes along as what they become."""
    follow = tuple(one for one in pinned if (unpin and one.default) or str(one.impact) in named)
    follows = {id(one.impact): one for one in follow}
    result = []
    for impact in impacts:
        if id(impact) not in follows:
            result.append(impact)
            continue
        free = unpinned(follows[id(impact)].service, impact.component, new)
        after = free.image if free else impact.after
        will = default_version(follows[id(impact)].service, impact.component, new)
        why = f"its runtimeVersion {impact.version} becomes {will}" if will else f"runtimeVersion {impact.version} goes"
        share = canary_share(follows[id(impact)].service, impact.component, new)
        effect: Effect = "changes" if share is None else "canary"
        result.append(replace(impact, effect=effect, after=after, reason=why, version=will, traffic=share))
    return result, follow


def with_services(source: Source, plan: Plan, follow: Iterable[Pinned], new: World) -> Plan:
    """The plan with the edits that let services follow: after the config, before the restart."""
    edits: list[FieldEdit] = []
    asked: list[Change] = []
    there = {(edit.object, edit.field) for edit in plan.edits}
    for one in follow:
        service, component = one.service, one.impact.component
        field = version_field(service, component)
        if field is None or (service.ref, field) in there:
            continue
        there.add((service.ref, field))
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
