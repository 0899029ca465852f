"""The judge: a run that kept its promises passes, and each planted lie is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chaos.faults import Hit
from chaos.judge import Evidence, Step, judge
from chaos.plan import Fault, Job, planned
from chaos.proxy import Request
from chaos.truth import Outcome, Record, Truth, Written

OLD, NEW, THIRD = "old", "new", "third"
NAME = "config predictors"
JOBS = {run.job.name: run.job for run in (planned(1, number) for number in range(40))}
SET_IMAGE, RESTART, ROLLBACK, USE = (JOBS[name] for name in ("set-image", "restart", "rollback", "runtime use"))


def truth(text: str = OLD, pod: str = "pod-1", *records: Record) -> Truth:
    """A cluster."""
    return Truth({NAME: text, "config other": "same"}, records, frozenset([pod]))


def record(state: str, number: int = 1, before: str = OLD, after: str = NEW) -> Record:
    """A record of the change."""
    return Record(number, state, "set-image", (Written("config", ("data", "predictors"), before, after),))


def done(changed: bool = True, restarted: bool = True, **more: Any) -> Outcome:
    """A command that says that it succeeded."""
    content = {"kind": "Change", "changed": changed, "restarted": restarted, "rolledBack": False, **more}
    return Outcome(0, json.dumps(content), "")


def failed(code: int, why: str, changed: bool = False, restarted: bool = False, **more: Any) -> Outcome:
    """A command that says that it failed."""
    error = {"exitCode": code, "why": why, **more}
    content = {"kind": "Error", "changed": changed, "restarted": restarted, "rolledBack": False, "error": error}
    return Outcome(code, json.dumps(content), f"error: {why}. Try again.")


READY = truth(NEW, "pod-2", record("ready"))
BACK = Step(done(), truth(OLD, "pod-3", record("ready"), record("ready", 2, NEW, OLD)), 1)
GOAL = READY.texts
FIRST = truth().texts
UNCHANGED = done(False, False)
NOTHING_LEFT = Step(UNCHANGED, READY, 0)
LOST = "the controller could not be restarted: no answer"


def evidence(faulty: Step, again: Step = NOTHING_LEFT, **more: Any) -> Evidence:
    """A run of set-image."""
    return Evidence(SET_IMAGE, truth(), GOAL, FIRST, (), faulty, again, BACK)._replace(**more)


GOOD = evidence(Step(done(), READY, 1))
AGAIN = Step(done(), READY, 1)


@pytest.mark.parametrize(
    "seen",
    [
        GOOD,
        evidence(Step(failed(1, "no answer"), truth(), 0), AGAIN),
        evidence(Step(failed(1, "no answer"), truth(OLD, "pod-1", record("pending")), 0), AGAIN),
        evidence(
            Step(failed(5, f"the change is written: {LOST}", True), truth(NEW, "pod-1", record("applied")), 0),
            Step(done(False), READY, 1),
        ),
        evidence(
            Step(failed(5, f"the change is written: {LOST}", True, True), truth(NEW, "pod-2", record("applied")), 1)
        ),
    ],
)
def test_a_run_that_kept_its_promises_passes(seen: Evidence) -> None:
    assert judge(seen) == []


def lie(found: str, faulty: Step, again: Step = NOTHING_LEFT, **more: Any) -> Any:
    """A run with a fault of ksconfig's, and what the judge is to say of it."""
    return pytest.param(found, evidence(faulty, again, **more), id=found)


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        lie("neither the old nor the new text", Step(done(), truth(THIRD, "pod-2", record("ready")), 1)),
        lie("says changed False, and config predictors changed", Step(done(False), READY, 1)),
        lie("says changed True, and nothing changed", Step(failed(1, "no", True), truth(), 0), AGAIN),
        lie("says restarted False, and 1 pods", Step(done(True, False), READY, 1)),
        lie("says restarted True, and 0 pods", Step(done(), truth(NEW, "pod-1", record("ready")), 0)),
        lie("says rolledBack True", Step(done(rolledBack=True), READY, 1)),
        lie("2 pods were made for one change", Step(done(), READY, 2)),
        lie("again: 2 pods were made for one change", Step(done(), READY, 1), AGAIN),
        lie("exit code 0, and config predictors is not as wanted", Step(UNCHANGED, truth(), 0), AGAIN),
        lie("the controller is not a new one", Step(done(True, False), truth(NEW, "pod-1", record("ready")), 0)),
        lie("exit code 1, and config predictors changed", Step(failed(1, "no answer", True), READY, 0)),
        lie("exit code 1, and the controller was restarted", Step(failed(1, "no", False, True), truth(), 1), AGAIN),
        lie("exit code 5, and config predictors is not written", Step(failed(5, LOST), truth(), 0), AGAIN),
        lie(
            "does not say that the change is written",
            Step(failed(5, LOST, True), truth(NEW, "pod-1", record("applied")), 0),
            AGAIN,
        ),
        lie(
            "says that the change is written, and nothing is",
            Step(failed(1, "the change is written: no answer"), truth(), 0),
            AGAIN,
        ),
        lie("exit code 4, for which there is no cause", Step(failed(4, "somebody else"), truth(), 0), AGAIN),
        lie("exit code 3, for which there is no cause", Step(failed(3, "unsafe"), truth(), 0), AGAIN),
        lie("internal error", Step(Outcome(1, "", "Traceback (most recent call last)"), truth(), 0), AGAIN),
        lie("no JSON document", Step(Outcome(0, "{}{}", ""), READY, 1)),
        lie("its document says 4", Step(failed(1, "no answer", exitCode=4), truth(), 0), AGAIN),
        lie("does not say why", Step(failed(1, "no answer")._replace(err="error"), truth(), 0), AGAIN),
        lie("no record tells of it", Step(done(), truth(NEW, "pod-2"), 1)),
        lie("the history says that it did", Step(failed(1, "no"), truth(OLD, "pod-1", record("ready")), 0), AGAIN),
        lie("the history says that they did not", Step(done(), truth(NEW, "pod-2", record("closed")), 1)),
        lie("not that of a change that was made", Step(done(), truth(NEW, "pod-2", record("pending")), 1)),
        lie(
            "several records",
            Step(done(), truth(NEW, "pod-2", record("applied"), record("ready", 2)), 1),
        ),
        lie(
            "neither before nor after as it is",
            Step(done(), truth(NEW, "pod-2", record("ready", 1, THIRD, THIRD)), 1),
        ),
        lie("again: exit code 1", GOOD.faulty, Step(failed(1, "no answer"), READY, 0)),
        lie("again: config predictors is not as wanted", GOOD.faulty, Step(UNCHANGED, truth(OLD, "pod-2"), 0)),
        lie("not that of a change that serves", GOOD.faulty, GOOD.again._replace(truth=truth(NEW, "pod-2", record("applied")))),
        lie("rollback: exit code 4", GOOD.faulty, back=BACK._replace(outcome=failed(4, "somebody else"))),
        lie("the first bytes are not there again", GOOD.faulty, back=BACK._replace(truth=READY)),
    ],
)  # fmt: skip
def test_a_lie_is_found(found: str, seen: Evidence) -> None:
    assert any(found in one for one in judge(seen)), judge(seen)


def test_part_of_a_change_is_no_change_that_was_made() -> None:
    """Two objects, of which one is written, while the record says that both are."""
    before = Truth({"config a": OLD, "service iris": '{"p": "old"}'}, (), frozenset(["pod-1"]))
    goal = {"config a": NEW, "service iris": '{"p": "new"}'}
    texts = (Written("config", ("data", "a"), OLD, NEW), Written("service iris", ("spec", "p"), OLD, NEW))
    half = {**goal, "service iris": '{"p": "old"}'}
    now = Truth(half, (Record(1, "applied", "set-image", texts),), frozenset(["pod-1"]))
    step = Step(failed(1, "it could not be put back", True), now, 0)
    seen = GOOD._replace(before=before, goal=goal, first=before.texts, faulty=step)
    assert any("part of a change is written" in one for one in judge(seen))
    pending = now._replace(records=(now.records[0]._replace(state="pending"),))
    honest = seen._replace(faulty=step._replace(truth=pending))
    assert not [one for one in judge(honest) if one.startswith("the faulty command")]


def test_a_record_may_stay_as_it_is_only_if_the_server_has_refused_to_change_it() -> None:
    pending = evidence(Step(done(), truth(NEW, "pod-2", record("pending")), 1))
    mark = Request(9, "PATCH", "/api/v1/namespaces/kserve/configmaps/ksconfig-revision-000001?fieldManager=ksconfig")
    refused, lost = (Hit(Fault(kind, "writes", 4), mark) for kind in ("422", "reset before"))
    assert judge(pending._replace(hits=(refused,))) == []
    assert judge(pending._replace(hits=(lost,))) != []
    assert judge(pending._replace(hits=(refused._replace(request=mark._replace(path="/config")),))) != []


def restarted(job: Job, faulty: Step, again: Step, **more: Any) -> list[str]:
    """What is said of a job that works on the first texts."""
    return judge(Evidence(job, truth(), FIRST, FIRST, (), faulty, again, None)._replace(**more))


def test_a_restart_changes_no_text_and_restarts_once_each_time() -> None:
    first, second = Step(done(False), truth(OLD, "pod-2"), 1), Step(done(False), truth(OLD, "pod-3"), 1)
    assert restarted(RESTART, first, second) == []
    assert restarted(RESTART, Step(failed(5, LOST), truth(), 0), Step(done(False), truth(OLD, "pod-2"), 1)) == []
    assert "2 pods were made" in str(restarted(RESTART, first._replace(born=2), second))
    assert "2 pods were made" in str(restarted(RESTART, first, second._replace(born=2)))
    recorded = first._replace(truth=truth(OLD, "pod-2", record("ready")))
    assert "recorded as a change" in str(restarted(RESTART, recorded, second))


def test_a_rollback_that_is_complete_leaves_nothing_to_undo() -> None:
    before = truth(NEW, "pod-1", record("ready"))
    after = truth(OLD, "pod-2", record("ready"), record("ready", 2, NEW, OLD))
    nothing = Step(failed(1, "there is no revision to undo"), after, 0)
    complete = Step(done(), after, 1)
    assert restarted(ROLLBACK, complete, nothing, before=before) == []
    undone = Step(failed(5, f"the change is written: {LOST}", True), truth(OLD, "pod-1", *after.records), 0)
    assert "is not a new one" in str(restarted(ROLLBACK, undone, nothing._replace(truth=undone.truth), before=before))


def test_what_needs_no_restart_makes_no_pod() -> None:
    moved = Step(done(True, False), truth(NEW, "pod-1", record("ready")), 0)
    still = Step(UNCHANGED, moved.truth, 0)
    back = Step(done(True, False), truth(OLD, "pod-1", record("ready"), record("ready", 2, NEW, OLD)), 0)
    seen = Evidence(USE, truth(), GOAL, FIRST, (), moved, still, back)
    assert judge(seen) == []
    assert "1 pods were made" in str(judge(seen._replace(again=still._replace(born=1))))
