"""The commands on a cluster alone: history, rollback, restart, status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ksconfig.cli import output
from ksconfig.cli.commands import Command, program
from ksconfig.cli.completing import names_of
from ksconfig.cli.opened import OpenedCluster, ask, open_cluster
from ksconfig.cli.options import Number, shared_options, writing_options
from ksconfig.cli.services_output import state_content, states_table
from ksconfig.errors import ConfigNotFound, RevisionNotFound, RightMissing, UsageError
from ksconfig.model.plan import Change

if TYPE_CHECKING:
    from ksconfig.cli import documents
    from ksconfig.model.revision import Revision
    from ksconfig.operations.models import ServiceState


@click.command(cls=Command, examples=("history", "history 3", "history -o json"))
@click.argument("revision", required=False, type=Number(min=1), shell_complete=names_of("revisions"))
@shared_options
def history(revision: int | None) -> None:
    """List what was changed, or show one revision as a diff."""
    from ksconfig.model.revision import changed_outside, undone  # files have no history

    opened = open_cluster("history")
    settings = opened.settings
    found = opened.cluster.history()
    for error in opened.cluster.site.records.unreadable:
        output.remark(f"warning: {error.why}")
    gone = undone(found)
    if revision is not None:
        one = next((each for each in found if each.number == revision), None)
        if one is None:
            numbers = ", ".join(str(each.number) for each in found) or "none"
            raise RevisionNotFound(f"there is no revision {revision}", advice=f"There are {numbers}.")
        if settings.for_machines:
            revision_document: documents.Revision = {
                "apiVersion": output.API_VERSION,
                "kind": "Revision",
                **_content(one, gone),
                "diff": _diff(one),
            }
            output.document(revision_document, settings.output)
        elif settings.output == "name":
            output.result(f"configmap/{one.name}")
        else:
            output.diff(_diff(one), err=False)
        return
    outside = changed_outside(found, opened.cluster.source.text_now)
    if settings.for_machines:
        document: documents.History = {
            "apiVersion": output.API_VERSION,
            "kind": "History",
            "items": [{**_content(one, gone), "changedOutsideAfter": one.number in outside} for one in found],
        }
        output.document(document, settings.output)
    elif settings.output == "name":
        for one in found:
            output.result(f"configmap/{one.name}")
    elif not found:
        output.result("no history: ksconfig has changed nothing here")
    else:
        rows = []
        for one in found:
            rows.append((str(one.number), one.time, _state(one, gone), one.user, _summary(one), one.reason))
            if one.number in outside:
                rows.append(("", "", "", "", "(changed outside ksconfig)", ""))
        output.table(("REVISION", "TIME", "STATE", "USER", "CHANGES", "REASON"), rows)


def _state(one: Revision, gone: frozenset[int]) -> str:
    if one.number in gone:
        return "rolled back"
    return {"pending": "not written", "closed": "not written"}.get(one.state, one.state)


def _summary(one: Revision) -> str:
    if one.is_rollback:
        return f"rollback of {', '.join(map(str, one.rollback_of))}" if one.rollback_of else "rollback"
    images = [f"{image.target}: {image.after}" for image in one.images if image.before != image.after]
    changes = [_short(change) for change in one.changes]
    return "; ".join(images or changes)


def _short(change: Change) -> str:
    if change.object.kind != "ConfigMap":
        return output.change_line(change)
    return f"{change.written_path}: {output.shown(change.after)}"


def _diff(one: Revision) -> str:
    from ksconfig.operations.rollback import patches_of
    from ksconfig.text.diff import unified_diff

    return unified_diff(patches_of(one))


def _content(one: Revision, gone: frozenset[int]) -> documents.RevisionSummary:
    return {
        "number": one.number,
        "time": one.time,
        "state": one.state,
        "rolledBack": one.number in gone,
        "user": one.user,
        "command": one.command,
        "reason": one.reason,
        "release": one.release,
        "images": output.images_content(one.images),
        "changes": [output.change_content(change) for change in one.changes],
        "rollbackOf": list(one.rollback_of),
        "rollbackTo": one.rollback_to,
    }


@click.command(cls=Command, examples=("rollback", "rollback --to-revision 3 --dry-run"))
@click.option(
    "--to-revision",
    type=Number(min=0),
    metavar="N",
    shell_complete=names_of("states"),
    help="The state right after revision N; 0: before the first.",
)
@writing_options
@shared_options
def rollback(to_revision: int | None) -> None:
    """Undo the newest change that is not undone yet.

    Once more goes further back. The exact old texts come back where nobody else has touched them, else only the values
    that were changed; what somebody else has changed since is a conflict (exit 4). The controller is restarted.
    """
    opened = open_cluster("rollback")
    dry = opened.settings.dry_run
    if to_revision is None and (closed := opened.cluster.close_pending(dry_run=dry)):
        done = "would be closed, and nothing else done (dry run)" if dry else "is closed now, and nothing else was done"
        text = f"revision {closed.number} was recorded and never written: it {done}"
        if opened.settings.for_machines:
            document = output.change_document("rollback", opened.cluster.release)
            document["closed"] = closed.number
            document["dryRun"] = dry
            output.document(document, opened.settings.output)
        else:
            output.result(text)
        return
    plan = opened.cluster.plan_rollback(to_revision, allow=tuple(opened.settings.allow), care=opened.settings.care)
    lines = [output.change_line(one) for one in plan.changes]
    opened.carry_out(plan, lines or ["unchanged"])


@click.command(cls=Command, has_names=False, examples=("restart", "restart --timeout 2m --restart-by rollout"))
@writing_options
@shared_options
def restart() -> None:
    """Restart the controller, and wait until it serves.

    Refused if it could not start with the config as it stands.
    """
    opened = open_cluster("restart")
    settings = opened.settings
    if settings.no_restart:
        raise UsageError("restart --no-restart would do nothing")
    if settings.dry_run:
        raise UsageError("restart has no --dry-run", advice=f"{program()} status says whether one is due.")
    cluster = opened.cluster
    if not settings.yes and output.is_terminal():
        ask("Restart the controller?", "nothing was restarted")
    options, release = opened.options(), cluster.release
    notices = cluster.restart(
        allow=tuple(settings.allow),
        **{name: options[name] for name in ("wait", "timeout", "restart_by", "say", "began")},
    )
    output.warnings(notices)
    if settings.for_machines:
        document = output.change_document("restart", release)
        document["restarted"] = settings.restarted
        document["served"] = None if settings.no_wait else True
        document["warnings"] = output.notices_content(notices)
        output.document(document, settings.output)
    else:
        output.result("controller restarted" + ("" if settings.no_wait else " and serving"))


@click.command(cls=Command, has_names=False, examples=("status", "status -o json", "status --no-services"))
@click.option("--no-services", is_flag=True, help="Leave the table of services out.")
@shared_options
def status(no_services: bool) -> None:
    """Show release, controller, due restarts, last changes, and how each service runs."""
    opened = open_cluster("status")
    found = opened.cluster.status()
    states, unknown = ((), "") if no_services else _states(opened)
    output.warnings(found.notices)
    if unknown:
        output.remark(f"warning: {unknown}")
    newest = found.revisions[0] if found.revisions else None
    open_ones = [
        one
        for one in found.revisions
        if one.number not in found.undone and (one.state in ("pending", "failed") or one.unfinished)
    ]
    if opened.settings.for_machines:
        content: documents.Status = {
            "apiVersion": output.API_VERSION,
            "kind": "Status",
            "release": output.release_content(found.release),
            "namespace": found.namespace,
            "controller": {"name": found.controller or None, "ready": found.ready, "wanted": found.wanted},
            "restartDue": list(found.restart_due),
            "lastRevision": _content(newest, found.undone) if newest else None,
            "unfinished": [_content(one, found.undone) for one in open_ones],
            "services": [state_content(one) for one in states] if not no_services and not unknown else None,
            "warnings": output.notices_content(found.notices),
        }
        output.document(content, opened.settings.output)
        return
    output.result(f"KServe       {found.release}")
    output.result(f"config       configmap {found.namespace}/inferenceservice-config")
    running = f"{found.controller}, {found.ready} of {found.wanted} pods ready" if found.controller else "not found"
    output.result(f"controller   {running}")
    due = f"due: {', '.join(found.restart_due)} runs on older texts" if found.restart_due else "not due"
    output.result(f"restart      {due}")
    last = f"{newest.number} ({_state(newest, found.undone)}): {_summary(newest)}" if newest else "none"
    output.result(f"last change  {last}")
    for one in open_ones:
        output.result(f"unfinished   revision {one.number}: {_explained(one)}")
    if states:
        lacking = len({str(one) for one in states if not one.up_to_date})
        output.result(f"services     {len({str(one) for one in states})}, {lacking or 'none'} not up to date")
        output.result("")
        states_table(states, _SHOWN_SERVICES)


#: So many services a person is shown; those that lack something come first.
_SHOWN_SERVICES = 30


def _states(opened: OpenedCluster) -> tuple[tuple[ServiceState, ...], str]:
    """How services run, or why that is not known."""
    try:
        return opened.cluster.services(care=opened.settings.care), ""
    except (RightMissing, ConfigNotFound) as missing:
        return (), f"the services were not looked at: {missing.why}"


def _explained(one: Revision) -> str:
    if one.state == "pending":
        return f"recorded, never written: run the same command again, or {program()} rollback to close it"
    if one.state == "failed":
        return f"written, and the controller did not come up with it: {program()} rollback takes it back"
    how = f"run the same command again, or {program()} restart"
    return f"written, and the controller was not seen to serve with it: {how}"
