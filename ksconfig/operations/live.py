"""A plan carried out on a cluster: record, write, restart, wait, and take back what failed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ksconfig.errors import (
    ClusterFailure,
    KsconfigError,
    ModelsNotReady,
    NotReady,
    Refused,
    RolledBack,
    RolloutFailed,
    UsageError,
)
from ksconfig.model.plan import Change, FieldEdit, Notice, Plan
from ksconfig.model.restart import last_written, plan_restarts, pods_due
from ksconfig.model.revision import Revision
from ksconfig.model.services.service import KIND as SERVICE_KIND
from ksconfig.operations.foresight import foresee
from ksconfig.operations.history import COMPLETED, close_older, readable, restart_due
from ksconfig.operations.models import await_models
from ksconfig.operations.preflight import check_rights, start_refusal
from ksconfig.operations.rollout import check_restartable, restart, unproved
from ksconfig.operations.site import Options, Site
from ksconfig.operations.view import Scope, View
from ksconfig.operations.writing import mark, prune, record, write, write_once
from ksconfig.source.cluster.source import in_order, reverse


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
    site.patience.renew(options.models_timeout)  # what one look lacks, the next may have
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
        return _closed(site, _finish_older(site, plan, options, Result(plan, False)), options)
    check_rights(site, plan, options)
    if options.restart and plan_restarts(plan):
        if site.workload is None:
            raise Refused(
                f"no controller was found to restart{_because(site.why_no_workload)}",
                advice="With --no-restart the change is written, and you restart it.",
            )
        check_restartable(site.workload, options.restart_by)
    revision, plan = write(site, plan, options)
    result = Result(plan, plan.changed, revision.number if revision else None)
    if not plan.changed:
        return _finish_older(site, plan, options, result)
    try:
        result = _go_on(site, plan, options, result, revision)
    except ClusterFailure as error:
        raise _lost(error, result) from error
    prune(site, options, result.revision)
    return result


def _go_on(site: Site, plan: Plan, options: Options, result: Result, revision: Revision | None) -> Result:
    """What is left to do when all is written."""
    if not plan_restarts(plan):
        mark(site, revision, "ready")
        if any(one.code == COMPLETED for one in plan.notices):  # the restart of the interrupted run may be due yet
            return _finish_older(site, plan, options, result)
        return result
    if not options.restart:
        return replace(result, notices=(_restart_left(),))
    if site.workload is None:
        raise _no_controller(site, result)
    return _restart(site, _due_after(site, plan, revision), options, result, revision)


def _no_controller(site: Site, result: Result) -> NotReady:
    missing = NotReady(
        f"no controller was found to restart{_because(site.why_no_workload)}",
        advice="Restart it by hand.",
        revision=result.revision,
    )
    missing.not_done = _written(result)
    return missing


def _closed(site: Site, result: Result, options: Options) -> Result:
    """Of a rollback that finds nothing of its own left to bring back: recorded, so that the next one goes further."""
    if not result.plan.rollback_of or not options.history:
        return result
    revision = mark(site, record(site, result.plan, options), "ready")
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
    if not times and revision is None:  # nothing tells, so none of them is known to be younger
        return frozenset(pod["metadata"]["uid"] for pod in pods)
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
        mark(site, revision, "failed")
        if error.log:
            options.say("the controller's last lines:\n" + error.log)
        if not options.rollback_on_failure or not error.by_config or not result.changed:
            error.advice = "Go back with: ksconfig rollback" if result.revision else "Put the old value back by hand."
            raise
        raise _roll_back(site, result, options, error) from error
    except ClusterFailure as error:
        raise _lost(error, result) from error
    mark(site, revision, "ready" if options.wait else "restarted")
    if options.wait:
        close_older(site, revision)
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
    site.patience.renew(options.timeout)
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
        inner = replace(options, rollback_on_failure=False, written=options.taken_back)
        revision = write_once(site, back, inner)
        if plan_restarts(back):
            assert site.workload is not None
            due = frozenset(pod["metadata"]["uid"] for pod in site.workload.pods())
            _restart(site, due, inner, Result(back, True, revision.number if revision else None), revision)
        else:
            mark(site, revision, "ready")
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


# A restart that is still due


def _finish_older(site: Site, plan: Plan, options: Options, result: Result) -> Result:
    """The values are there already: complete the restart that made them serve, if that is still due.

    Raises:
        Refused: the controller could not start with what is there.
    """
    if not options.restart:
        return result
    records = readable(site)
    pods = site.workload.staying_pods() if site.workload else []
    due, revision = restart_due(site, plan.release.likely_rules, pods, records)
    if site.workload is None:
        if revision is not None:
            raise _no_controller(site, result)
        return result
    if not due and revision is None:
        for one in records:
            # it needs no restart, and whoever wrote it was stopped, or could not say that it was done
            if one.state == "written" or (one.state == "applied" and not one.restart):
                mark(site, one, "ready")
        return result
    if due and plan.unstartable:
        raise start_refusal(plan.unstartable, plan.release)
    check_restartable(site.workload, options.restart_by)
    options.say("the value is there already, and the controller has not been restarted since it was written")
    return _restart(site, due, options, result, revision)
