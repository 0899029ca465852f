"""A plan carried out on a cluster: record, write, restart, wait, and take back what failed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from ksconfig import __version__
from ksconfig.errors import (
    ClusterFailure,
    Conflict,
    KsconfigError,
    ModelsNotReady,
    NotReady,
    Refused,
    RightMissing,
    RolledBack,
    RolloutFailed,
    UsageError,
)
from ksconfig.model.plan import Change, FieldEdit, Notice, Plan
from ksconfig.model.restart import last_written, plan_restarts, pods_due
from ksconfig.model.revision import FieldText, Revision, to_prune
from ksconfig.model.services.service import KIND as SERVICE_KIND
from ksconfig.operations.foresight import foresee
from ksconfig.operations.history import COMPLETED, readable, restart_due
from ksconfig.operations.models import await_models
from ksconfig.operations.preflight import check_rights
from ksconfig.operations.rollout import check_restartable, restart, unproved
from ksconfig.operations.site import Options, Site
from ksconfig.operations.view import Scope, View
from ksconfig.source.cluster.source import in_order, reverse

_RECENT_SECONDS = 3600


@dataclass(frozen=True)
class Result:
    """What came of a plan.

    Attributes:
        plan: as it was carried out; made anew if somebody else wrote meanwhile.
        changed: whether anything was written.
        revision: the number of its record, or None; a rollback that finds nothing left to bring back has one, too.
        restarted: whether the controller was restarted.
        served: whether it was seen to serve afterwards; None if nobody waited for it.
        notices: what a person should know beside the plan's own notices.
        models: how many services run their new image and are ready with it; None if nobody waited for them.
    """

    plan: Plan
    changed: bool
    revision: int | None = None
    restarted: bool = False
    served: bool | None = None
    notices: tuple[Notice, ...] = ()
    models: int | None = None


def apply(site: Site, plan: Plan, options: Options) -> Result:
    """Carry out a plan, and wait for the services that it changes if that is asked for.

    Raises:
        ModelsNotReady: services do not run their new image, or are not ready with it.
        KsconfigError: as `carry_out`.
    """
    if options.wait_models and not (options.restart and options.wait):
        raise UsageError("--wait-models waits for the restart too", advice="Leave --no-restart and --no-wait out.")
    result = carry_out(site, plan, options)
    if not options.wait_models:
        return result
    number = result.revision
    options.served()
    try:
        awaited = _await_models(site, result.plan, options)
    except ModelsNotReady as error:
        error.revision = number
        error.not_done = f"{_written(result)}, and the controller serves"
        if not result.changed:
            error.advice = "The values were there before, so nothing is taken back; ksconfig status tells more."
        if not error.failed or not options.rollback_on_failure or not result.changed:
            raise
        raise _roll_back(site, result, options, error) from error
    return replace(result, models=awaited)


def _await_models(site: Site, plan: Plan, options: Options) -> int:
    try:
        return await_models(site, plan, options.models_timeout, options.say)
    except ClusterFailure as error:
        raise ModelsNotReady(
            f"the services could not be seen to run their new image: {error.why}",
            advice=f"{error.advice or ''} ksconfig status tells how they run.".strip(),
        ) from error


def carry_out(site: Site, plan: Plan, options: Options) -> Result:
    """Carry out a plan: record, write, restart, wait for the controller.

    Raises:
        Refused: the controller could not be restarted afterwards; records may not be made.
        Conflict: somebody changed the same values meanwhile.
        ClusterFailure: the API server refused, or did not answer any more.
        NotReady: written, and the controller does not serve.
        RolledBack: it did not come up with the change, which was taken back.
    """
    if not plan.changed:
        return _closed(site, _finish_older(site, plan, options), options)
    check_rights(site, plan, options)
    wanted = options.restart and plan_restarts(plan)
    if wanted and site.workload is not None:
        check_restartable(site.workload, options.restart_by)
    revision, plan = _write(site, plan, options)
    if revision is None and not plan.changed:
        return _finish_older(site, plan, options)
    result = Result(plan, True, revision.number if revision else None)
    try:
        result = _go_on(site, plan, options, result, revision, wanted=wanted)
    except ClusterFailure as error:
        raise _lost(error, result) from error
    _prune(site, options, result)
    return result


def _go_on(
    site: Site, plan: Plan, options: Options, result: Result, revision: Revision | None, *, wanted: bool
) -> Result:
    """What is left to do when all is written."""
    if not options.restart and plan_restarts(plan):
        return replace(result, notices=(_restart_left(),))
    if not wanted:
        _mark(site, revision, "ready")
        if any(one.code == COMPLETED for one in plan.notices):  # the restart of the interrupted run may be due yet
            older = _finish_older(site, plan, options)
            result = replace(result, restarted=older.restarted, served=older.served)
        return result
    if site.workload is None:
        missing = NotReady(
            f"no controller was found to restart{_because(site.why_no_workload)}",
            advice="Restart it by hand.",
            revision=result.revision,
        )
        missing.not_done = _written(result)
        raise missing
    due = _due_after(site, plan, revision)
    return _restart(site, due, options, result, revision)


def _closed(site: Site, result: Result, options: Options) -> Result:
    """Of a rollback that finds nothing of its own left to bring back: recorded, so that the next one goes further."""
    if not result.plan.rollback_of or not options.history:
        return result
    revision = _mark(site, _record(site, result.plan, options), "ready")
    return replace(result, revision=revision.number if revision else None)


def dry_run(site: Site, plan: Plan, options: Options) -> None:
    """Check rights, and have the API server check every write (errors as in `apply`)."""
    check_rights(site, plan, options)
    for group in in_order(plan.edits):
        site.source.write_object(group, dry_run=True)


def _due_after(site: Site, plan: Plan, revision: Revision | None) -> frozenset[str]:
    """The pods that may have started before our write; those of later are restarted by somebody else already."""
    assert site.workload is not None
    pods = site.workload.staying_pods()
    times = [
        last_written(site.source.the_object(edit.object).metadata, ("f:data", "f:spec"))
        for edit in plan.edits
        if edit.object.kind != SERVICE_KIND and site.source.has(edit.object)
    ]
    written = max(times, default="")
    return pods_due(pods, frozenset(revision.pods if revision else ()), written, strict=False)


def _because(why: str) -> str:
    return f": {why}" if why else ""


def _restart_left() -> Notice:
    return Notice("restart-left", "the controller was not restarted: running services keep what they have until it is")


def _restart(site: Site, due: frozenset[str], options: Options, result: Result, revision: Revision | None) -> Result:
    assert site.workload is not None
    patience = site.patience.another(options.timeout)
    site.workload.patience = patience
    try:
        restarted = restart(
            site.workload, due, options.restart_by, patience, options.say, wait=options.wait, began=options.began
        )
    except NotReady as error:
        error.revision = result.revision
        error.not_done = _written(result)
        if not isinstance(error, RolloutFailed):
            raise
        _mark(site, revision, "failed")
        if error.log:
            options.say("the controller's last lines:\n" + error.log)
        if not options.rollback_on_failure or not error.by_config or not result.changed:
            error.advice = "Go back with: ksconfig rollback" if result.revision else "Put the old value back by hand."
            raise
        raise _roll_back(site, result, options, error) from error
    except ClusterFailure as error:
        raise _lost(error, result) from error
    _mark(site, revision, "ready" if options.wait else "restarted")
    for one in site.records.known:  # older ones, whose restart this was as well
        if options.wait and one.state == "applied" and (revision is None or one.number < revision.number):
            _mark(site, one, "ready")
    notices = unproved(site.workload)
    return replace(result, restarted=restarted, served=True if options.wait else None, notices=notices)


def _written(result: Result) -> str:
    number = f" (revision {result.revision})" if result.revision else ""
    return f"the change is written{number}" if result.changed else "nothing was written"


def _lost(error: ClusterFailure, result: Result) -> NotReady:
    """The API server was lost after the write, so that nobody knows whether the controller serves."""
    lost = NotReady(
        f"the controller could not be restarted, or not be seen to serve: {error.why}",
        advice=f"{error.advice or ''} The same command goes on from there.".strip(),
        revision=result.revision,
    )
    lost.not_done = _written(result)
    return lost


def _roll_back(site: Site, result: Result, options: Options, error: NotReady) -> KsconfigError:
    """Put back the exact old texts, and wait for the controller again; gives the error that tells both outcomes."""
    options.say(f"taking the change back: {error.why}")
    site.source.refresh()
    edits = tuple(reverse(edit) for edit in reversed(result.plan.edits) if _is_ours(site, edit))
    number = result.revision
    back = replace(
        result.plan, command="rollback", edits=edits, patches=(), rollback_of=(number,) if number else (),
        rollback_to=(number or 1) - 1, images=(), asked=tuple(_swapped(one) for one in result.plan.asked),
    )  # fmt: skip
    try:
        # services that were made meanwhile have the version that goes
        back = foresee(View(site.source, Scope(site.source.found.namespace)), back, bring_along=True)
        revision = _write_once(site, back, options)
        if plan_restarts(back):
            assert site.workload is not None
            due = frozenset(pod["metadata"]["uid"] for pod in site.workload.pods())
            inner = replace(options, rollback_on_failure=False)
            _restart(site, due, inner, Result(back, True, revision.number if revision else None), revision)
        else:
            _mark(site, revision, "ready")
    except KsconfigError as second:
        both = NotReady(
            f"{error.why}; and taking it back did not help: {second.why}",
            advice="The old texts are in the history: ksconfig history.",
            revision=number,
        )
        both.not_done = "the change was written and failed"
        return both
    told = RolledBack(
        f"{error.why}; the controller serves with the old texts again",
        advice="Nothing is left of the change but its record: ksconfig history.",
    )
    told.not_done = "the change was taken back"
    return told


def _is_ours(site: Site, edit: FieldEdit) -> bool:
    """Whether what was written is still there; of a service its owner may have changed or deleted it meanwhile."""
    return edit.object.kind != SERVICE_KIND or site.source.text_now(edit.object, edit.field) == edit.after


def _swapped(change: Change) -> Change:
    return replace(change, before=change.after, after=change.before)


# Writing


def _write(site: Site, plan: Plan, options: Options) -> tuple[Revision | None, Plan]:
    """Record and write; if somebody else was quicker, plan again and go on while the values are those the user saw."""
    first = plan
    patience = site.patience.another(options.timeout)
    while True:
        try:
            return _write_once(site, plan, options), plan
        except Conflict as conflict:
            if first.again is None or patience.left <= 0:
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


def _write_once(site: Site, plan: Plan, options: Options) -> Revision | None:
    """Record and write, once."""
    revision = _record(site, plan, options) if options.history else None
    try:
        site.source.write(plan.edits)
    except (Conflict, ClusterFailure) as error:
        if revision is not None and (isinstance(error, Conflict) or 400 <= error.status < 500):
            site.records.delete([revision])
        raise
    options.written(revision.number if revision else None)
    site.source.refresh()
    return _mark(site, revision, "applied")


def _record(site: Site, plan: Plan, options: Options) -> Revision:
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


def _mark(site: Site, revision: Revision | None, state: str) -> Revision | None:
    if revision is None:
        return None
    try:
        return site.records.mark(revision, state)
    except ClusterFailure:
        return revision  # what became of it follows from the texts


def _prune(site: Site, options: Options, result: Result) -> None:
    if options.history and options.history_limit > 0 and result.revision:
        import datetime

        now = datetime.datetime.now(datetime.timezone.utc)

        def recent(one: Revision) -> bool:
            try:
                made = datetime.datetime.fromisoformat(one.time.replace("Z", "+00:00"))
            except ValueError:
                return True
            return (now - made).total_seconds() < _RECENT_SECONDS

        if result.revision > options.history_limit:
            with suppress(ClusterFailure):  # the next change prunes as well
                site.records.delete(to_prune(site.records.list(), options.history_limit, recent))


# A restart that is still due


def _finish_older(site: Site, plan: Plan, options: Options) -> Result:
    """The values are there already: complete the restart that made them serve, if that is still due."""
    result = Result(plan, False)
    if site.workload is None or not options.restart:
        return result
    records = readable(site)
    due, revision = restart_due(site, plan.release.likely_rules, site.workload.staying_pods(), records)
    if not due and revision is None:
        for one in records:
            # it needs no restart, and whoever wrote it was stopped, or could not say that it was done
            if one.state == "written" or (one.state == "applied" and not one.restart):
                _mark(site, one, "ready")
        return result
    check_restartable(site.workload, options.restart_by)
    options.say("the value is there already, and the controller has not been restarted since it was written")
    return _restart(site, due, options, result, revision)
