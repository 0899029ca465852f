"""Whether a command under faults kept its promises, by what is true before and after it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from chaos.faults import Hit
from chaos.plan import Job
from chaos.truth import EFFECTIVE, Outcome, Record, Truth

_DONE, _FAILED, _NOT_READY = 0, 1, 5


class Step(NamedTuple):
    """A command, and the cluster after it.

    Attributes:
        born: how many of the controller's pods were made while it ran.
    """

    outcome: Outcome
    truth: Truth
    born: int


class Evidence(NamedTuple):
    """All that is known of one run.

    Attributes:
        before: the cluster before the command.
        goal: the texts as the command leaves them where nothing fails.
        first: the texts before the job began.
        faulty: the command under faults.
        again: the same command without any.
        back: a rollback without any; None where the job is one itself, or changes nothing.
    """

    job: Job
    before: Truth
    goal: Mapping[str, str]
    first: Mapping[str, str]
    hits: Sequence[Hit]
    faulty: Step
    again: Step
    back: Step | None


def judge(seen: Evidence) -> list[str]:
    """Every broken promise, in words; empty if all were kept."""
    return [
        *(f"the faulty command: {one}" for one in _faulty(seen)),
        *(f"the same command again: {one}" for one in _again(seen)),
        *(f"rollback: {one}" for one in _back(seen)),
    ]


# The command under faults


def _faulty(seen: Evidence) -> Iterator[str]:
    step, before = seen.faulty, seen.before.texts
    outcome, texts = step.outcome, step.truth.texts
    yield from third_texts(before, seen.goal, texts)
    yield from _form(outcome)
    changed = texts != before
    document = outcome.document or {}
    if document.get("changed") is not changed:
        names = _changed_names(before, texts) or "nothing"
        yield f"-o json says changed {document.get('changed')}, and {names} changed"
    if document.get("restarted") is not (step.born > 0):
        yield f"-o json says restarted {document.get('restarted')}, and {step.born} pods were made"
    if document.get("rolledBack") is not False:
        yield f"-o json says rolledBack {document.get('rolledBack')}, and nothing was"
    if step.born > 1:
        yield f"{step.born} pods were made for one change"
    yield from _code(seen, changed)
    yield from _records(seen)


def third_texts(before: Mapping[str, str], goal: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Texts that are neither the old nor the new ones."""
    for name in sorted(before.keys() | goal.keys() | now.keys()):
        if now.get(name) not in (before.get(name), goal.get(name)):
            yield f"{name} is neither the old nor the new text: {now.get(name)!r}"


def _changed_names(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    return ", ".join(name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name))


def _form(outcome: Outcome) -> Iterator[str]:
    if "Traceback" in outcome.err or "internal error" in outcome.err:
        yield "it ended with an internal error"
    document = outcome.document
    if document is None:
        yield f"its output is no JSON document: {outcome.out[:200]!r}"
        return
    if outcome.code == 0:
        if document.get("kind") != "Change":
            yield f"exit code 0, and its document is of kind {document.get('kind')}"
        return
    if document.get("kind") != "Error":
        yield f"exit code {outcome.code}, and its document is of kind {document.get('kind')}"
        return
    error = document.get("error") or {}
    if error.get("exitCode") != outcome.code:
        yield f"exit code {outcome.code}, and its document says {error.get('exitCode')}"
    if not error.get("why") or f"{error['why']}"[:60] not in outcome.err:
        yield "its message does not say why"


def _code(seen: Evidence, changed: bool) -> Iterator[str]:
    step, job = seen.faulty, seen.job
    code, texts = step.outcome.code, step.truth.texts
    if code == _DONE:
        if texts != seen.goal:
            yield f"exit code 0, and {_changed_names(texts, seen.goal)} is not as wanted"
        if job.restarts and (step.born != 1 or not step.truth.pods or step.truth.pods & seen.before.pods):
            yield f"exit code 0, and the controller is not a new one that is ready ({step.born} pods made)"
    elif code == _FAILED:
        if changed and "could not be put back" not in step.outcome.err:
            yield f"exit code 1, and {_changed_names(seen.before.texts, texts)} changed"
        if step.born:
            yield "exit code 1, and the controller was restarted"
    elif code == _NOT_READY:
        if not job.restarts:
            yield "exit code 5 of a command that restarts nothing"
        if texts != seen.goal:
            yield f"exit code 5, and {_changed_names(texts, seen.goal)} is not written"
        if not job.only_restarts and "the change is written" not in step.outcome.err:
            yield "exit code 5, and the message does not say that the change is written"
    else:
        yield f"exit code {code}, for which there is no cause: {step.outcome.err.strip().splitlines()[-1:]}"
    if not changed and "the change is written" in step.outcome.err:
        yield "the message says that the change is written, and nothing is"


def _records(seen: Evidence) -> Iterator[str]:
    """Whether the history explains which text is there."""
    known = {one.number for one in seen.before.records}
    new = [one for one in seen.faulty.truth.records if one.number not in known]
    if seen.job.only_restarts:
        if new:
            yield f"a restart was recorded as a change: {_told(new)}"
        return
    changed = seen.faulty.truth.texts != seen.before.texts
    if changed and not new:
        yield "texts changed, and no record tells of it"
    for one in new:
        for text in one.texts:
            if (now := text.now(seen.faulty.truth.texts)) not in (text.before, text.after):
                yield f"record {one.number} knows {text.name} neither before nor after as it is: {now!r}"
    if changed and new and new[-1].state != "pending" and _left_out(new[-1], seen.faulty.truth):
        yield f"part of a change is written, and the history says that all of it is: {_told(new)}"
    if not changed and (wrong := [one for one in new if one.state in EFFECTIVE]):
        yield f"nothing changed, and the history says that it did: {_told(wrong)}"
    if changed and new and new[-1].state == "closed":
        yield f"texts changed, and the history says that they did not: {_told(new)}"
    if len([one for one in new if one.state != "pending" and one.texts]) > 1:
        yield f"one change has several records: {_told(new)}"
    made = ("applied", "ready", "pending") if _mark_refused(seen.hits) else ("applied", "ready")
    if seen.faulty.outcome.code == 0 and changed and (not new or new[-1].state not in made):
        yield f"exit code 0, and the record is not that of a change that was made: {_told(new)}"


def _mark_refused(hits: Sequence[Hit]) -> bool:
    """Whether the server has refused for good to set a record's state: then it stays, and the texts tell what became.

    No client can do more about it; that the same command completes the record is asked all the same.
    """
    return any(
        hit.fault.kind == "422" and hit.request.method == "PATCH" and "ksconfig-revision-" in hit.request.path
        for hit in hits
    )


def _left_out(record: Record, truth: Truth) -> bool:
    """Whether a text of a record is as it was before."""
    return any(text.now(truth.texts) == text.before != text.after for text in record.texts)


def _told(records: Sequence[Record]) -> str:
    return ", ".join(f"{one.number} {one.state}" for one in records) or "none"


# Afterwards


def _again(seen: Evidence) -> Iterator[str]:
    step, job = seen.again, seen.job
    # a rollback that was carried to its end has nothing left to undo, and there is nothing before it here
    nothing_left = (
        job.command == ("rollback",)
        and seen.faulty.truth.texts == seen.goal
        and "there is no revision to undo" in step.outcome.err
    )
    if step.outcome.code != _DONE and not nothing_left:
        yield f"exit code {step.outcome.code}: {step.outcome.err.strip().splitlines()[-1:]}"
    if step.truth.texts != seen.goal:
        yield f"{_changed_names(step.truth.texts, seen.goal)} is not as wanted"
    made = seen.faulty.born + step.born
    if job.only_restarts:
        if step.born != 1:
            yield f"{step.born} pods were made by one restart"
    elif made != (1 if job.restarts else 0):
        yield f"{made} pods were made for one change"
    if job.restarts and (not step.truth.pods or step.truth.pods & seen.before.pods):
        yield "the controller is not a new one that is ready"
    if not job.only_restarts:
        newest = step.truth.records[-1] if step.truth.records else None
        if newest is None or (newest.state != "ready" and not (nothing_left and newest.state == "closed")):
            yield f"the newest record is not that of a change that serves: {_told(step.truth.records[-1:])}"


def _back(seen: Evidence) -> Iterator[str]:
    step = seen.back
    if step is not None and step.outcome.code != 0:
        yield f"exit code {step.outcome.code}: {step.outcome.err.strip().splitlines()[-1:]}"
    texts = (step or seen.again).truth.texts
    if texts != seen.first:
        yield f"the first bytes are not there again: {_changed_names(texts, seen.first)}"
