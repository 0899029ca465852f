"""What is printed of services: what a change does to them, and how they run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ksconfig.cli import output
from ksconfig.model.few import and_so_on

if TYPE_CHECKING:
    from ksconfig.cli import document_parts as parts
    from ksconfig.cli import documents
    from ksconfig.model.services.impact import Impact, ServiceImpact
    from ksconfig.operations.models import ServiceState

#: So many of each group a person is shown; machines get all.
_FIRST_FEW = 5
_COMBINED = "the new repository with an old version"
_HEADINGS = {
    "pinned-tag": (f"combines {_COMBINED}", f"combine {_COMBINED}"),
    "invalid": ("could not be served any more",) * 2,
    "changes": ("changes", "change"),
    "canary": ("changes for a share of its traffic", "change for a share of their traffic"),
    "other": ("rolls at the restart for another reason", "roll at the restart for another reason"),
    "next-pod": ("has it from its next pod on", "have it from their next pod on"),
    "not-reached": ("is not reached", "are not reached"),
}


def impact_lines(impact: Impact) -> Iterator[str]:
    """An impact for people: groups with their counts and the first few of each."""
    for effect, group in groupby(impact.services, key=lambda one: one.effect):
        members = list(group)
        singular, plural = _HEADINGS[effect]
        count = len({(each.namespace, each.name) for each in members})
        yield f"{count} service{'s' if count > 1 else ''} {plural if count > 1 else singular}{_load(members)}:"
        by_reason = _by_reason(members) if effect == "not-reached" else members
        for one in by_reason[:_FIRST_FEW]:
            yield f"  {_line(one)}"
        if len(by_reason) > _FIRST_FEW:
            yield f"  ... and {len(by_reason) - _FIRST_FEW} more (-o json lists all)"
    for new in impact.new if impact.looked_at else ():
        yield f"new services of {new.target}: {new.before or 'none'} -> {new.after or 'none'}"
    if impact.graphs:
        some = f"{len(impact.graphs)} InferenceGraphs" if len(impact.graphs) > 1 else "1 InferenceGraph"
        yield f"routers of {some} change at the next reconcile: {and_so_on(impact.graphs, _FIRST_FEW)}"
    if impact.looked_at and not impact.services:
        yield f"no service changes, of {impact.looked_at}"


def _by_reason(members: list[ServiceImpact]) -> list[ServiceImpact]:
    """The first of each reason before more of the same."""
    seen: set[str] = set()
    first = [one for one in members if not (one.reason in seen or seen.add(one.reason))]  # type: ignore[func-returns-value]
    return [*first, *(one for one in members if one not in first)]


def _load(members: list[ServiceImpact]) -> str:
    """The pods and GPUs that restart."""
    if members[0].effect in ("not-reached", "next-pod") or all(one.replicas is None for one in members):
        return ""
    pods, gpus = sum(one.replicas or 0 for one in members), sum(one.gpus or 0 for one in members)
    with_gpus = f" with {gpus} GPU{'s' if gpus > 1 else ''}" if gpus else ""
    return f" ({pods} pods{with_gpus} restart)" if pods != 1 else f" (1 pod{with_gpus} restarts)"


def _line(one: ServiceImpact) -> str:
    where = str(one) if one.component == "predictor" else f"{one} ({one.component})"
    if one.effect == "not-reached":
        return f"{where}: {one.reason}" + (f", {one.before}" if one.before else "")
    line = f"{where}: {one.before or 'none'} -> {one.after or 'none'}"
    return f"{line}, {one.reason}" if one.effect in ("pinned-tag", "invalid", "canary") else line


def impact_content(impact: Impact) -> parts.Impact:
    """An impact for machines."""
    return {
        "lookedAt": impact.looked_at,
        "unknown": impact.unknown or None,
        "services": [
            {
                "namespace": one.namespace or None,
                "name": one.name,
                "component": one.component,
                "effect": one.effect,
                "before": one.before,
                "after": one.after,
                "reason": one.reason,
                "runtime": one.runtime or None,
                "runtimeVersion": one.version,
                "replicas": one.replicas,
                "gpus": one.gpus,
                "traffic": one.traffic,
            }
            for one in impact.services
        ],
        "newServices": output.images_content(impact.new),
        "inferenceGraphs": list(impact.graphs),
    }


def states_table(states: Iterable[ServiceState], limit: int) -> None:
    """How services run, those that lack something first."""
    ordered = sorted(states, key=lambda one: one.up_to_date)
    rows = []
    for one in ordered[:limit]:
        pinned = f"{one.version}{' (default)' if one.by_default else ''}" if one.version else ""
        expected = "" if one.expected == one.running else one.expected
        state = "yes" if one.up_to_date and not one.why else one.why or "yes"
        component = "" if one.component == "predictor" else f" ({one.component})"
        rows.append((f"{one}{component}", one.runtime.rpartition(" ")[2], one.running, expected, pinned, state))
    output.table(("SERVICE", "RUNTIME", "RUNS", "EXPECTED", "PINNED", "UP TO DATE"), rows, only_filled=True)
    if len(ordered) > limit:
        output.result(f"... and {len(ordered) - limit} more (-o json lists all)")


def state_content(one: ServiceState) -> documents.ServiceState:
    """How a service runs, for machines."""
    return {
        "namespace": one.namespace,
        "name": one.name,
        "component": one.component,
        "runtime": one.runtime or None,
        "expected": one.expected or None,
        "running": one.running or None,
        "runtimeVersion": one.version,
        "pinnedByDefault": one.by_default,
        "upToDate": one.up_to_date,
        "why": one.why or None,
    }
