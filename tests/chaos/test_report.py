"""The report: its last line, and when it is a failure."""

from __future__ import annotations

from chaos.faults import Hit
from chaos.plan import KINDS, Fault, planned
from chaos.proxy import Request
from chaos.report import ENOUGH, Result, lines, passed


def results(count: int = ENOUGH, *without: str) -> list[Result]:
    """Runs that kept their promises, each with one fault."""
    kinds = [kind for kind in KINDS if kind not in without]
    request = Request(4, "PATCH", "/api/v1/namespaces/kserve/configmaps/inferenceservice-config?fieldManager=ksconfig")
    hits = [Hit(Fault(kinds[number % len(kinds)], "all", 0), request) for number in range(count)]
    return [Result(planned(1, number), number % 2, (hit,), ()) for number, hit in enumerate(hits)]


def test_all_is_well() -> None:
    assert passed(results())
    assert lines(results())[-1] == f"runs {ENOUGH} failed 0 kinds {len(KINDS)}/{len(KINDS)}"


def test_no_run_is_a_failure() -> None:
    assert not passed([])
    assert lines([])[-1] == f"runs 0 failed 0 kinds 0/{len(KINDS)}"


def test_a_kind_that_never_happened_is_a_failure_of_many_runs_only() -> None:
    assert not passed(results(ENOUGH, "stale"))
    assert "never happened: stale" in lines(results(ENOUGH, "stale"))
    assert passed(results(3))
    assert not passed([one._replace(hits=()) for one in results(3)])


def test_a_broken_promise_says_how_to_see_it_again() -> None:
    found = results()
    found[5] = found[5]._replace(broken=("config predictors is neither the old nor the new text",))
    assert not passed(found)
    text = "\n".join(lines(found))
    assert "  config predictors is neither the old nor the new text\n  again: scripts/chaos --replay 1:5" in text
    assert text.endswith(f"runs {ENOUGH} failed 1 kinds {len(KINDS)}/{len(KINDS)}")


def test_the_table_counts_faults_and_exit_codes() -> None:
    row = next(line for line in lines(results()) if line.startswith("reset before"))
    assert row.split() == ["reset", "before", "2", "0", "2"]
