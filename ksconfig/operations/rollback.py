"""The way back: the exact old texts where nobody else has touched them, else our own values only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ksconfig.errors import Conflict, InvalidDocument, Refused, RevisionNotFound, not_done
from ksconfig.model.few import and_so_on, first_few
from ksconfig.model.fields import short
from ksconfig.model.objects import STRUCTURES, WHOLE, WHOLE_PATH
from ksconfig.model.plan import ABSENT, Change, FieldEdit, Notice, Plan
from ksconfig.model.revision import EFFECTIVE, Revision, Wanted, newest_to_undo, texts_to_restore, undone
from ksconfig.model.runtimes import CLUSTER_KIND
from ksconfig.model.services.service import KIND as SERVICE_KIND
from ksconfig.model.services.service import read_service
from ksconfig.operations.draft import Draft
from ksconfig.operations.foresight import foresee
from ksconfig.operations.history import COMPLETED, effective, with_what_is_left
from ksconfig.operations.runtimes import named_runtime
from ksconfig.operations.site import Site
from ksconfig.operations.view import Scope, View
from ksconfig.operations.worlds import present_world
from ksconfig.source.cluster.source import field_patch
from ksconfig.text.diff import TextPatch
from ksconfig.text.json_diff import json_differences
from ksconfig.text.json_path import format_path
from ksconfig.text.json_scanner import parse_json


def plan_rollback(site: Site, scope: Scope, to: int | None = None) -> Plan:
    """A plan that undoes the newest revision that is not undone, or restores the state right after revision ``to``.

    Args:
        to: a number, 0 for the state before the first revision.

    Raises:
        RevisionNotFound: there is no such revision, or none left to undo.
        Conflict: somebody else has changed the very values.
    """
    with not_done("nothing was rolled back"):
        revisions = effective(site)
        if site.records.unreadable:
            why = "; ".join(error.why for error in site.records.unreadable)
            raise Refused(
                f"the history cannot be read whole: {why}",
                advice="Update ksconfig if a newer one wrote it; if somebody damaged it, delete that ConfigMap.",
            )
        last = _interrupted(revisions)
        if last is not None and to in (None, last.rollback_to):
            empty = Draft(View(site.source, scope), "rollback").plan()
            plan = with_what_is_left(site, empty, last) if last.state == "written" else empty
            if plan.changed:
                plan = replace(plan, rollback_of=last.rollback_of, rollback_to=last.rollback_to)
            message = f"revision {last.number} is a rollback that was interrupted: it is completed, and nothing more"
            return replace(plan, notices=(*plan.notices, Notice(COMPLETED, message)))
        target, gone = _target(revisions, to)
        texts = texts_to_restore(revisions, target) if to is not None else _texts_of(gone)
        if any(site.source.text_now(one.object, one.field) == one.wanted != one.known for one in texts):
            site.source.refresh()  # as in `certain.planned`
        view = View(site.source, scope)
        plan = _restore(site, view, texts)
        plan = foresee(view, plan, bring_along=True)
        _refuse_named(view, plan)
        lost = _not_recorded(revisions, target) if to is not None else ()
        return replace(
            plan,
            rollback_of=tuple(one.number for one in gone),
            rollback_to=target,
            notices=(*plan.notices, *lost),
        )


def never_written(site: Site) -> Revision | None:
    """The newest revision, if it was recorded and then never written: a rollback closes it.

    It goes no further then, unless that revision was a rollback itself.
    """

    def found() -> Revision | None:
        newest = max(effective(site), key=lambda one: one.number, default=None)
        return newest if newest is not None and newest.state == "pending" else None

    if found() is None:
        return None
    site.source.refresh()  # as in `certain.planned`: it is closed for good
    return found()


def _interrupted(revisions: tuple[Revision, ...]) -> Revision | None:
    """The newest revision, if it is a rollback that was not carried to its end."""
    newest = max(revisions, key=lambda one: one.number, default=None)
    return newest if newest is not None and newest.is_rollback and newest.unfinished else None


def _target(revisions: tuple[Revision, ...], to: int | None) -> tuple[int, list[Revision]]:
    if to is None:
        newest = newest_to_undo(revisions)
        if newest is None:
            raise RevisionNotFound(
                "there is no revision to undo" if revisions else "there is no history here",
                advice="ksconfig history lists what was done; only changes made by ksconfig can be undone.",
            )
        return newest.number - 1, [newest]
    numbers = [one.number for one in revisions if one.state in EFFECTIVE]
    if to != 0 and to not in numbers:
        listed = ", ".join(map(str, numbers)) or "none"
        raise RevisionNotFound(f"there is no revision {to} that took effect", advice=f"There are {listed}, and 0.")
    already = undone(revisions)
    gone = [one for one in revisions if one.number > to and one.state in EFFECTIVE and one.number not in already]
    return to, [one for one in gone if not one.is_rollback]


def _not_recorded(revisions: tuple[Revision, ...], target: int) -> tuple[Notice, ...]:
    """What a person should know where numbers are missing between a state and now.

    Writers that were too late leave such gaps, and so does pruning, which keeps what is needed; a record that was
    deleted by hand cannot be told from these.
    """
    seen = {one.number for one in revisions}
    missing = [number for number in range(target + 1, max(seen, default=0)) if number not in seen]
    if not missing:
        return ()
    why = "if somebody deleted them by hand, what only they changed stays as it is"
    return (Notice("not-recorded", f"there are no records of revision {and_so_on(missing)}: {why}"),)


def _texts_of(gone: list[Revision]) -> tuple[Wanted, ...]:
    return tuple(Wanted(text.object, text.field, text.after, text.before) for one in gone for text in one.fields)


def _restore(site: Site, view: View, texts: tuple[Wanted, ...]) -> Plan:
    """A plan that brings fields to the texts that they are to have again."""
    draft = Draft(view, "rollback")
    exact: list[FieldEdit] = []
    asked: list[Change] = []
    for text in texts:
        if text.object.kind == SERVICE_KIND and not site.source.has(text.object):
            draft.notice("gone", f"{text.object} is not there any more, so nothing of it is brought back")
            continue
        live = site.source.text_now(text.object, text.field)
        if live == text.wanted:
            continue
        if text.object.kind == SERVICE_KIND and live != text.known:
            draft.notice(
                "own-change", f"{text.object} has another {text.field[-1]} since, which is left: {_told(live)}"
            )
            continue
        if live is None and text.known is not None:
            site.source.the_object(text.object)  # told as gone, if it is
        if live == text.known:
            edit = FieldEdit.between(text.object, text.field, live, text.wanted)
            if text.field in STRUCTURES and text.field != WHOLE:
                edit = site.source.as_kept([edit], text.field)
                if edit.after != text.wanted:
                    written = f"{text.object} comes back in the form that KServe's admission gives it now"
                    draft.notice("new-form", written)
                if edit.after == live:
                    continue
            exact.append(edit)
            asked += _changes(text, live, site)
        else:
            _values_only(draft, text, live)
    plan = draft.plan(exact)
    return replace(plan, asked=(*asked, *plan.asked))


def _refuse_named(view: View, plan: Plan) -> None:
    """Refuse to take back the creation of a runtime that services name which do not change along.

    Raises:
        Refused: there are such services.
    """
    gone = {edit.object for edit in plan.edits if edit.field == WHOLE and edit.after is None}
    if not gone:
        return
    along = {edit.object for edit in plan.edits if edit.object.kind == SERVICE_KIND}
    world = present_world(view, plan.release.likely_rules[-1])
    left = {one.ref.name for one in view.runtimes if one.ref.kind == CLUSTER_KIND and one.ref not in gone}
    named = []
    for data in view.source.services():
        service = read_service(data)
        runtime = named_runtime(service, world)
        if runtime is None or runtime.ref not in gone or service.ref in along:
            continue
        if runtime.ref.name not in left:  # else the name stands for the cluster's again
            named.append(f"{service.namespace}/{service.name}")
    if named:
        refs = ", ".join(map(str, sorted(gone, key=str)))
        raise Refused(
            f"it takes {refs} away, which {first_few(named)} {'name' if len(named) > 1 else 'names'}",
            advice="Move them first: ksconfig runtime use OTHER, or promote.",
        )


def patches_of(revision: Revision) -> tuple[TextPatch, ...]:
    """What a revision changed, for a diff."""
    edits = (FieldEdit.between(one.object, one.field, one.before, one.after) for one in revision.fields)
    return tuple(field_patch(edit) for edit in edits)


def _changes(text: Wanted, live: str | None, site: Site) -> list[Change]:
    """What an exact text changes, value by value where it is JSON."""
    place = str(text.object)
    if text.field[:1] != ("data",):
        path = text.field or WHOLE_PATH
        return [Change(text.object, path, _or_absent(live), _or_absent(text.wanted), place)]
    key = str(text.field[1])
    old, new = _json(live), _json(text.wanted)
    if old is None or new is None:
        return [Change(text.object, (key,), _or_absent(live), _or_absent(text.wanted), place)]
    return [
        Change(text.object, (key, *path), before, after, place) for path, before, after in json_differences(old, new)
    ]


def _or_absent(text: str | None) -> Any:
    return ABSENT if text is None else text


def _json(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return parse_json(text).value
    except InvalidDocument:
        return None


def _values_only(draft: Draft, text: Wanted, live: str | None) -> None:
    """Take back our own values in a text that others have changed too."""
    known, wanted = _json(text.known), _json(text.wanted)
    if live is None or text.field[:1] != ("data",) or known is None or wanted is None:
        raise _conflict(format_path(text.field), live, text.known)
    key = str(text.field[1])
    for path, ours, old in json_differences(known, wanted):
        _, node = draft.find((key, *path))
        now = ABSENT if node is None else node.value
        if now == old:
            continue
        if now != ours:
            raise _conflict(format_path((key, *path)), now, ours)
        draft.assign((key, *path), old)


def _told(value: Any) -> str:
    return "not there" if value is None or value is ABSENT else short(value)


def _conflict(where: str, now: Any, ours: Any) -> Conflict:
    return Conflict(
        f"{where} was changed by somebody else since: it is {_told(now)}, and what would be undone is {_told(ours)}",
        advice="Nothing was written. Set the value by hand, with ksconfig set or set-image.",
    )
