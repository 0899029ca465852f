"""The history as it stands: judged by the texts that are there, and which restart it leaves due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ksconfig.errors import ClusterFailure, RightMissing
from ksconfig.model.owners import FIELD_MANAGER
from ksconfig.model.plan import ABSENT, Change, FieldEdit, Notice, Plan
from ksconfig.model.releases import Rules
from ksconfig.model.restart import last_written, needs_restart, pods_due
from ksconfig.model.revision import EFFECTIVE, Revision, settled, undone
from ksconfig.operations.site import Site

COMPLETED = "completed"


def close_older(site: Site, revision: Revision | None) -> None:
    """The controller serves with what is there: whatever of it was written earlier is done as well.

    Args:
        revision: the one whose restart that was; those before it are meant, or all that are known.
    """
    known = {one.number: one for one in (*site.records.known, *([revision] if revision else []))}
    older = [one for one in known.values() if revision is None or one.number < revision.number]
    if not any(one.state in ("pending", "applied", "failed") for one in older):
        return
    gone = undone(known.values())
    with suppress(ClusterFailure):  # what became of them follows from the texts
        for one in settled(known.values(), site.source.text_now):
            done = one.state in ("written", "applied", "failed") and one.number not in gone
            if done and (revision is None or one.number < revision.number):
                site.records.mark(one, "ready")


def restart_due(
    site: Site, rules: Sequence[Rules], pods: Sequence[Mapping[str, Any]], records: Sequence[Revision]
) -> tuple[frozenset[str], Revision | None]:
    """The pods that run on older texts than those that are there, and the revision whose restart was not seen to end.

    A restart is of the whole controller, so it is due whichever text has changed.

    Args:
        pods: the controller's that are not going.
        records: the history, settled.
    """
    due: frozenset[str] = frozenset()
    unfinished = None
    gone = undone(records)
    for one in records:
        if one.number in gone:
            continue
        if one.state in ("written", "applied", "failed") and _needs_restart(one, rules):
            # by UIDs: the pods that were seen before the write
            due |= pods_due(pods, frozenset(one.pods), one.time, strict=True)
            unfinished = one
    # Our own writes are judged by the records, where there are any.
    ours = FIELD_MANAGER if any(one.state in EFFECTIVE for one in records) else ""
    for config in site.source.configs():
        written = last_written(config.metadata, passing_over=ours)
        if written > str(config.metadata.get("creationTimestamp", "")):
            due |= pods_due(pods, frozenset(), written, strict=True)
    return due, unfinished


def _needs_restart(one: Revision, rules: Sequence[Rules]) -> bool:
    if one.needs_restart is not None:
        return one.needs_restart
    return needs_restart((FieldEdit.between(*text) for text in one.fields), rules)


def readable(site: Site) -> tuple[Revision, ...]:
    """The history as far as it may be read."""
    try:
        return effective(site)
    except RightMissing:
        return ()


def effective(site: Site) -> tuple[Revision, ...]:
    """The revisions, with pending ones judged by the texts that are there."""
    return settled(site.records.list(), site.source.text_now)


def newest_effective(site: Site) -> Revision | None:
    """The newest revision that took effect, as far as the history may be read; None if there is none."""
    return max((one for one in readable(site) if one.state in EFFECTIVE), key=lambda one: one.number, default=None)


def with_the_rest(site: Site, plan: Plan) -> Plan:
    """A plan whose values are there already, with what an interrupted run of it has left unwritten.

    That run recorded all that it was to write: a runtime, the config, services that were to follow.
    """
    if plan.changed or not (plan.asked or plan.images):
        return plan
    newest = newest_effective(site)
    if newest is None or newest.state != "written" or newest.command != plan.command:
        return plan
    if not _asks_the_same(plan, newest):
        return plan
    whole = with_what_is_left(site, plan, newest)
    if not whole.changed:
        return plan
    message = f"revision {newest.number} was interrupted: what it has left unwritten is written now"
    return replace(whole, notices=(*plan.notices, Notice(COMPLETED, message)))


def with_what_is_left(site: Site, plan: Plan, revision: Revision) -> Plan:
    """A plan that writes what a revision was to write and has not: where the text is still the one before it."""
    left = [
        FieldEdit.between(text.object, text.field, text.before, text.after)
        for text in revision.fields
        if text.before != text.after and site.source.text_now(text.object, text.field) == text.before
        if site.source.has(text.object) or text.before is None
    ]
    changes = tuple(
        Change(one.object, one.field, _shown(one.before), _shown(one.after), str(one.object)) for one in left
    )
    return replace(plan, edits=tuple(left), patches=site.source.prepare(left), asked=(*plan.asked, *changes))


def _asks_the_same(plan: Plan, revision: Revision) -> bool:
    if plan.images:
        images = {one.target: one.after for one in revision.images}
        return all(images.get(one.target) == one.after for one in plan.images)
    recorded = {(one.object, one.path): one.after for one in revision.changes}
    return all(recorded.get((one.object, one.path)) == one.after for one in plan.asked)


def _shown(text: str | None) -> Any:
    return ABSENT if text is None else text
