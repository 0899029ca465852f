"""What is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from chaos.faults import Hit
from chaos.plan import KINDS, Run

#: From so many runs on, each kind must have happened.
ENOUGH = 2 * len(KINDS)
_WIDTH = 14


class Result(NamedTuple):
    """A run, and what came of it.

    Attributes:
        code: the exit code of the command under faults; None if it was not reached.
        broken: the promises that were not kept.
    """

    run: Run
    code: int | None
    hits: tuple[Hit, ...]
    broken: tuple[str, ...]


def never_hit(results: Sequence[Result]) -> list[str]:
    """The kinds that have not happened."""
    hit = {one.fault.kind for result in results for one in result.hits}
    return [kind for kind in KINDS if kind not in hit]


def passed(results: Sequence[Result]) -> bool:
    """Whether there were runs, none failed, and each kind happened (of a few runs: something did)."""
    missing = never_hit(results)
    enough = not missing if len(results) >= ENOUGH else len(missing) < len(KINDS)
    return bool(results) and enough and not any(one.broken for one in results)


def lines(results: Sequence[Result]) -> list[str]:
    """The report; the last line is its sum."""
    codes = sorted({one.code for one in results if one.code is not None})
    found = [f"{'fault':{_WIDTH}} happened   exit code {''.join(f'{code:6}' for code in codes)}"]
    for kind in KINDS:
        with_it = [one for one in results if any(hit.fault.kind == kind for hit in one.hits)]
        times = sum(hit.fault.kind == kind for one in with_it for hit in one.hits)
        ends = Counter(one.code for one in with_it)
        found.append(f"{kind:{_WIDTH}} {times:8}             {''.join(f'{ends[code]:6}' for code in codes)}")
    all_ends = Counter(one.code for one in results)
    times = sum(len(one.hits) for one in results)
    found.append(f"{'all':{_WIDTH}} {times:8}             {''.join(f'{all_ends[code]:6}' for code in codes)}")
    names = dict.fromkeys((one.run.release, one.run.job.name) for one in results)
    found += ["", f"{'release':8} {'command':28}  runs failed"]
    for release, name in sorted(names):
        some = [one for one in results if (one.run.release, one.run.job.name) == (release, name)]
        found.append(f"{release:8} {name:28} {len(some):5} {sum(bool(one.broken) for one in some):6}")
    for one in results:
        if one.broken:
            found += ["", *failure(one)]
    missing = never_hit(results)
    if missing:
        found += ["", f"never happened: {', '.join(missing)}"]
    failed = sum(bool(one.broken) for one in results)
    return [*found, "", f"runs {len(results)} failed {failed} kinds {len(KINDS) - len(missing)}/{len(KINDS)}"]


def failure(result: Result) -> list[str]:
    """A run that failed, and how it is made again."""
    run = result.run
    return [
        f"run {run.name} failed: {run.job.name} on {run.release}, exit code {result.code}",
        *(f"  fault: {hit}" for hit in result.hits),
        *(f"  {one}" for one in result.broken),
        f"  again: scripts/chaos {run.replay}",
    ]
