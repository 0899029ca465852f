"""Record and write: a revision is stored before anything is written, and what is planned anew is what the user saw."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from ksconfig import __version__
from ksconfig.errors import ClusterFailure, Conflict, Refused, RightMissing
from ksconfig.model.owners import FIELD_MANAGER, UNRECORDED
from ksconfig.model.plan import Plan
from ksconfig.model.restart import plan_restarts
from ksconfig.model.revision import FieldText, Revision, to_prune
from ksconfig.operations.site import Options, Site

_RECENT_SECONDS = 3600


def write(site: Site, plan: Plan, options: Options) -> tuple[Revision | None, Plan]:
    """Record and write; if somebody else was quicker, plan again and go on while the values are those the user saw."""
    first = plan
    patience = site.patience.another(options.timeout)
    while True:
        try:
            return write_once(site, plan, options), plan
        except Conflict as conflict:
            if first.again is None or patience.left <= 0 or conflict.left:
                raise
            site.source.refresh()
            options.say("somebody else wrote meanwhile: planning again")
            plan = replace(first.again(), again=first.again)
            _refuse_other_values(first, plan, conflict)
            if not plan.changed:
                return None, plan


def _refuse_other_values(first: Plan, now: Plan, conflict: Conflict) -> None:
    """Go on only if what is to be replaced is what the user saw, or what the user wants already."""
    seen = {(one.object, one.path): one for one in first.asked}
    for change in now.asked:
        before = seen.get((change.object, change.path))
        if before is None or (change.changed and change.before != before.before):
            shown = f"{change.written_path} was {before.before!r}, " if before else ""
            raise Conflict(
                f"{conflict.why}: {shown}now it is {change.before!r}",
                advice="Nothing of yours was written. Look at it, and run the command again if you still want it.",
            ) from None


def write_once(site: Site, plan: Plan, options: Options) -> Revision | None:
    """Record and write, once."""
    revision = record(site, plan, options) if options.history else None
    try:
        site.source.write(plan.edits, FIELD_MANAGER if revision else UNRECORDED)
    except (Conflict, ClusterFailure) as error:
        if error.left:
            error.not_done = f"only {', '.join(error.left)} was written"
            options.written(revision.number if revision else None)
        elif revision is not None and (isinstance(error, Conflict) or 400 <= error.status < 500):
            site.records.delete([revision])
        raise
    options.written(revision.number if revision else None)
    site.source.refresh()
    return mark(site, revision, "applied")


def record(site: Site, plan: Plan, options: Options) -> Revision:
    """Store the revision before anything is written."""
    newest = max((one.number for one in site.records.list()), default=0)
    pods = site.workload.pods() if site.workload else []
    revision = Revision(
        number=0,
        time="",
        user=site.user,
        version=__version__,
        command=plan.command,
        reason=options.reason,
        release=str(plan.release),
        images=plan.images,
        changes=plan.changes,
        fields=tuple(FieldText(one.object, one.field, one.before, one.after) for one in plan.edits),
        pods=tuple(pod["metadata"]["uid"] for pod in pods),
        restart=options.restart and plan_restarts(plan),
        needs_restart=plan_restarts(plan),
        rollback_of=plan.rollback_of,
        rollback_to=plan.rollback_to,
    )
    try:
        return site.records.add(revision, newest)
    except RightMissing as error:
        raise Refused(
            f"no record of the change can be made, so there would be no way back: {error.why}",
            advice="Get that right, or go on without a record: --no-history.",
        ) from None


def mark(site: Site, revision: Revision | None, state: str) -> Revision | None:
    """Write a state to a record, if there is one; that it cannot be written is no failure of the change."""
    if revision is None:
        return None
    try:
        return site.records.mark(revision, state)
    except ClusterFailure:
        return revision  # what became of it follows from the texts


def prune(site: Site, options: Options, number: int | None) -> None:
    """Delete the oldest records that may go, once there are more than are to be kept."""
    if options.history and options.history_limit > 0 and number:
        import datetime

        now = datetime.datetime.now(datetime.timezone.utc)

        def recent(one: Revision) -> bool:
            try:
                made = datetime.datetime.fromisoformat(one.time.replace("Z", "+00:00"))
            except ValueError:
                return True
            return (now - made).total_seconds() < _RECENT_SECONDS

        if number > options.history_limit:
            with suppress(ClusterFailure):  # the next change prunes as well
                site.records.delete(to_prune(site.records.list(), options.history_limit, recent))
