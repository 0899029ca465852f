"""What is done to which request, by a seed: no clock and no cluster, so that a run can be made again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

#: What can happen to a request, and which requests it can happen to: "writes" of objects, "reads", or "all".
KINDS = {
    "409": "writes",
    "422": "writes",
    "429": "all",
    "500": "all",
    "503": "all",
    "reset before": "all",
    "reset after": "all",
    "truncated": "all",
    "garbled": "all",
    "delayed": "all",
    "stale": "reads",
    "silence": "all",
}
_MOST = 3
#: The chance that a fault is aimed at a write, and that all faults of a run follow one another.
_AT_WRITES, _BURST = 0.6, 0.25
_SHORTEST, _LONGEST = 0.5, 3.0
#: Of four runs three are on the release where every change needs a restart.
RELEASES = ("0.7.0", "0.7.0", "0.7.0", "0.20.0")


class Fault(NamedTuple):
    """One fault.

    Attributes:
        among: whether ``at`` counts "writes", "reads" or "all" requests.
        at: it happens at the request of this number, from 0, or the first one after it that it can happen to.
        acted: whether the server has done what was asked, before an error is answered.
        seconds: how long is waited, where it is about waiting.
    """

    kind: str
    among: str
    at: int
    acted: bool = False
    seconds: float = 0.0

    def __str__(self) -> str:
        after = " (the server has acted)" if self.acted else ""
        waits = f" ({self.seconds:g} s)" if self.seconds else ""
        return f"{self.kind}{after}{waits} at {'any' if self.among == 'all' else self.among[:-1]} {self.at}"


class Job(NamedTuple):
    """A command that is run under faults.

    Attributes:
        before: a command that makes what it works on; empty if there is none.
        requests, writes: about how many of each it makes before it only waits.
        restarts: whether the controller's pod is to be another one afterwards.
        undo: whether ``rollback`` takes it back; else it leaves the first state itself, or changes nothing.
        slow: whether it takes longer than the others, so that it is run more rarely.
    """

    name: str
    command: tuple[str, ...]
    before: tuple[str, ...] = ()
    requests: int = 30
    writes: int = 7
    restarts: bool = True
    undo: bool = False
    slow: bool = False

    @property
    def goes_back(self) -> bool:
        """Whether it is a rollback itself."""
        return self.command[0] == "rollback"

    @property
    def only_restarts(self) -> bool:
        """Whether it changes no text."""
        return self.command[0] == "restart"


class Run(NamedTuple):
    """One run: a job on a release, and what happens to it.

    Attributes:
        alone: whether its release was the only one of that plan.
    """

    seed: int
    number: int
    release: str
    job: Job
    faults: tuple[Fault, ...]
    alone: bool = False

    @property
    def name(self) -> str:
        """How it is called."""
        return f"{self.seed}:{self.number}"

    @property
    def replay(self) -> str:
        """The options that make it again."""
        return f"--replay {self.name}" + (f" --kserve {self.release}" if self.alone else "")


NAMESPACE = "chaos"
SERVICES = ("iris", "wine")
RUNTIME = "sk-py38"
IMAGE = "reg.local:5000/team/sk:v9"
_ART = "reg.local:5000/team/art:v9"
_SKLEARN = ("set-image", "sklearn", IMAGE, "--unpin")
_BOTH = ("set-image", f"sklearn={IMAGE}", f"explainer/art={_ART}")
_USE = ("runtime", "use", RUNTIME, *SERVICES, "-n", NAMESPACE)

#: The config and the services that a pin is taken from, in one command.
_IN_CONFIG = (
    Job("set-image", _SKLEARN, requests=30, writes=6, undo=True),
    Job("rollback", ("rollback",), before=_SKLEARN, requests=34, writes=6),
    Job("restart", ("restart",), before=("restart",), requests=14, writes=1),
    Job("set-image", _SKLEARN, requests=30, writes=6, undo=True),
    Job("rollback to 0", ("rollback", "--to-revision", "0"), before=_SKLEARN, requests=34, writes=6),
)
#: Runtimes and services, which need no restart; and now and then the config beside them, which does.
_IN_RUNTIMES = (
    Job("runtime use", _USE, requests=20, writes=5, restarts=False, undo=True),
    Job("rollback of runtime use", ("rollback",), before=_USE, requests=23, writes=5, restarts=False),
    Job("set-image of runtimes", _SKLEARN, requests=19, writes=4, restarts=False, undo=True),
    Job("runtime use", _USE, requests=20, writes=5, restarts=False, undo=True),
    Job("rollback of runtimes", ("rollback",), before=_SKLEARN, requests=20, writes=4, restarts=False),
    Job("restart", ("restart",), requests=14, writes=1, slow=True),
    Job("runtime use", _USE, requests=20, writes=5, restarts=False, undo=True),
    Job("rollback to 0 of runtime use", ("rollback", "--to-revision", "0"), _USE, 23, 5, restarts=False),
    Job("set-image of runtimes", _SKLEARN, requests=19, writes=4, restarts=False, undo=True),
    Job("set-image of both", _BOTH, requests=24, writes=5, undo=True, slow=True),
)
#: Releases to 0.15 restart for runtimes too.
_WATCHES_NO_RUNTIMES = ("0.8.0", "0.9.0", "0.10.0", "0.11.2", "0.12.1", "0.13.1", "0.14.1", "0.15.2")


def jobs_of(release: str) -> Sequence[Job]:
    """What is run on a release."""
    if release == "0.7.0":
        return _IN_CONFIG
    if release in _WATCHES_NO_RUNTIMES:
        return [job._replace(restarts=job.restarts or "--unpin" in (*job.command, *job.before)) for job in _IN_RUNTIMES]
    return _IN_RUNTIMES


def planned(seed: int, index: int, release: str = "") -> Run:
    """One run of a seed; the first faults of runs that follow one another go through all kinds.

    Args:
        release: the only one; if empty they take turns.
    """
    turns = list(KINDS)
    random.Random(f"kinds {seed}").shuffle(turns)
    chosen = release or RELEASES[index % len(RELEASES)]
    before = sum((release or RELEASES[number % len(RELEASES)]) == chosen for number in range(index))
    jobs = jobs_of(chosen)
    job = jobs[before % len(jobs)]
    dice = random.Random(f"run {seed} {index} {chosen}")
    kinds = [turns[index % len(turns)], *(dice.choice(turns) for _ in range(dice.randrange(_MOST)))]
    faults = [_fault(dice, kind, job) for kind in kinds]
    if dice.random() < _BURST:
        faults = [one._replace(among="all", at=faults[0].at) if KINDS[one.kind] == "all" else one for one in faults]
    return Run(seed, index, chosen, job, tuple(faults), bool(release))


def _fault(dice: random.Random, kind: str, job: Job) -> Fault:
    among = KINDS[kind]
    if among == "all" and dice.random() < _AT_WRITES:
        among = "writes"
    at = dice.randrange(job.writes if among == "writes" else job.requests - job.writes)
    return Fault(
        kind,
        among,
        at,
        acted=kind in ("500", "503") and dice.random() < 0.5,
        seconds=round(dice.uniform(_SHORTEST, _LONGEST), 1) if kind in ("delayed", "silence") else 0.0,
    )
