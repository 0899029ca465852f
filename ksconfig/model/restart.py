"""Whether a change needs the controller's restart to reach the services that run, and which pods are due for it.

KServe's controller reads the config at every reconcile, and watches neither it nor (to 0.15) its runtimes: a restart is
what makes it look at every service again. Two kinds of change need none: those of runtimes from 0.16 on, which it
watches (controller.go, SetupWithManager), and those of keys that only the pod webhook reads, directly from the API
server from 0.13 on (pkg/webhook/admission/pod); before, it read a cache that may lag behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ksconfig.model.objects import WHOLE
from ksconfig.model.plan import FieldEdit, Plan
from ksconfig.model.releases import Release, Rules
from ksconfig.model.runtimes import STORAGE_KIND
from ksconfig.model.services.impact import ROLLS, ServiceImpact
from ksconfig.model.services.service import KIND as SERVICE_KIND

_POD_KEYS = frozenset({"agent", "logger", "batcher", "storageInitializer", "credentials", "metricsAggregator"})
_UNCACHED_SINCE = Release(0, 13)
_WATCHED_SINCE = Release(0, 16)


def needs_restart(edits: Iterable[FieldEdit], rules: Iterable[Rules]) -> bool:
    """Whether any of the edits reaches running services only through a restart, in any of the releases."""
    releases = [one.release for one in rules]
    return any(_needs_restart(edit, release) for edit in edits for release in releases)


def plan_restarts(plan: Plan) -> bool:
    """Whether carrying out a plan needs a restart.

    As `needs_restart`; and where a runtime comes or goes that services name, or get unasked, which do not change along.
    """
    return needs_restart(plan.edits, plan.release.likely_rules) or (
        plan.impact is not None and captures(plan.edits, plan.impact.services)
    )


def captures(edits: Iterable[FieldEdit], services: Iterable[ServiceImpact]) -> bool:
    """Whether a runtime that is made or deleted changes services that are not written themselves."""
    edits = list(edits)
    if not any(edit.field == WHOLE for edit in edits):
        return False
    along = {(edit.object.namespace, edit.object.name) for edit in edits if edit.object.kind == SERVICE_KIND}
    return any(one.effect in ROLLS and (one.namespace, one.name) not in along for one in services)


def _needs_restart(edit: FieldEdit, release: Release) -> bool:
    if edit.object.kind in (STORAGE_KIND, SERVICE_KIND):
        return False
    if edit.field == WHOLE:  # no release looks at services again because of a new runtime
        return '"autoSelect": true' in (edit.after or edit.before or "")
    if edit.field[0] == "data":
        return not (edit.field[1] in _POD_KEYS and release >= _UNCACHED_SINCE)
    return release < _WATCHED_SINCE


def pods_due(pods: Iterable[Mapping[str, Any]], seen: frozenset[str], written: str, *, strict: bool) -> frozenset[str]:
    """The UIDs of the pods that may run on what stood there before a write.

    Args:
        pods: those that are there.
        seen: the UIDs of those that were seen before the write.
        written: the time of the write by the API server's clock, as Kubernetes writes it (to the second).
        strict: count a pod of the very second of the write as younger. Times have no more than seconds, so one of ours
            is restarted once too often rather than never; of a change by others nothing better is known.
    """
    due = set()
    for pod in pods:
        metadata = pod["metadata"]
        created = metadata.get("creationTimestamp", "")
        older = created < written or (created == written and not strict)
        if metadata["uid"] in seen or older:
            due.add(metadata["uid"])
    return frozenset(due)


def last_written(metadata: Mapping[str, Any], parts: Iterable[str] = ("f:data",), passing_over: str = "") -> str:
    """When one of these parts of an object was last written, as its managed fields tell; its creation at least.

    Args:
        parts: names of top-level fields as in ``fieldsV1``.
        passing_over: a field manager whose writes do not count.
    """
    wanted = set(parts)
    times = [str(metadata.get("creationTimestamp", ""))]
    for entry in metadata.get("managedFields") or ():
        if entry.get("manager") == passing_over:
            continue
        if wanted & set(entry.get("fieldsV1") or ()) and entry.get("time"):
            times.append(str(entry["time"]))
    return max(times)
