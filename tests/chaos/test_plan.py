"""The plan: the same for the same seed, and every kind of fault in time."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos.plan import KINDS, planned
from chaos.report import ENOUGH


def test_a_seed_and_a_number_are_one_run_for_ever() -> None:
    assert [planned(7, number) for number in range(50)] == [planned(7, number) for number in range(50)]
    assert planned(7, 13) != planned(8, 13)


def test_one_release_alone_is_another_plan_and_says_so() -> None:
    run = planned(7, 13, "0.20.0")
    assert run.replay == "--replay 7:13 --kserve 0.20.0"
    assert planned(7, 13).replay == "--replay 7:13"


@pytest.mark.parametrize("seed", range(20))
def test_few_runs_aim_at_every_kind(seed: int) -> None:
    first = Counter(planned(seed, number).faults[0].kind for number in range(ENOUGH))
    assert set(first) == set(KINDS)
    assert min(first.values()) >= 2


@pytest.mark.parametrize("seed", range(5))
def test_three_of_four_runs_are_on_the_release_that_always_restarts(seed: int) -> None:
    runs = [planned(seed, number) for number in range(40)]
    assert Counter(run.release for run in runs) == {"0.7.0": 30, "0.20.0": 10}
    assert {run.job.command[0] for run in runs} == {"set-image", "rollback", "runtime", "restart"}
    assert sum(run.job.slow for run in runs) <= 2


def test_each_run_has_one_to_three_faults_that_its_job_comes_to() -> None:
    runs = [planned(3, number) for number in range(300)]
    assert {len(run.faults) for run in runs} == {1, 2, 3}
    for run in runs:
        for fault in run.faults:
            assert fault.at < (run.job.writes if fault.among == "writes" else run.job.requests)
            assert fault.seconds <= 3


@pytest.mark.parametrize(("release", "restarts"), [("0.8.0", True), ("0.15.2", True), ("0.16.0", False)])
def test_runtimes_restart_the_controller_until_it_watches_them(release: str, restarts: bool) -> None:
    jobs = {run.job.name: run.job for run in (planned(1, number, release) for number in range(20))}
    assert jobs["set-image of runtimes"].restarts is restarts
    assert jobs["rollback of runtimes"].restarts is restarts
    assert jobs["runtime use"].restarts is False
    assert jobs["set-image of both"].restarts is True
