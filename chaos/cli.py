"""``scripts/chaos``: the command line."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import click

from chaos.judge import judge
from chaos.live import Lost, Stage, staged
from chaos.plan import Run, planned
from chaos.report import Result, failure, lines, passed
from sandbox import handle
from sandbox.kubelet.container import Pace
from sandbox.releases import RELEASES, release_called

_PACE = Pace(probes=0.03, back_off=0.5)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _release(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    try:
        name = release_called(value).name
    except KeyError:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(RELEASES)}.") from None
    if name == "0.5.1":
        raise click.BadParameter("0.5.1 has another API, for which there are no commands here.")
    return name


def _name(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    seed, _, index = value.partition(":")
    if not (seed.lstrip("-").isdigit() and index.isdigit()):
        raise click.BadParameter(f"{value!r} is no SEED:INDEX.")
    return int(seed), int(index)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--runs", type=click.IntRange(1), default=40, show_default=True, metavar="N", help="How many runs.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Other faults for another number.")
@click.option(
    "--kserve", "release", metavar="VERSION", callback=_release,
    help="The only KServe release; without it three runs of four are on 0.7.0, and one on 0.20.0.",
)  # fmt: skip
@click.option(
    "--replay", metavar="SEED:INDEX", callback=_name,
    help="One run once more, as a failure names it, with all that was said.",
)  # fmt: skip
def main(runs: int, seed: int, release: str, replay: tuple[int, int] | None) -> None:
    """Run ksconfig against a real KServe through a proxy that spoils requests, and see whether its promises hold.

    The exit code is 0 only if there were runs, none failed, and every kind of fault happened (of a few runs: some).
    """
    numbers = [replay] if replay else [(seed, number) for number in range(runs)]
    plan = [planned(*each, release) for each in numbers]
    results: list[Result] = []
    for name in dict.fromkeys(run.release for run in plan):
        results += _on(name, [run for run in plan if run.release == name], bool(replay))
    for line in lines(results):
        click.echo(line)
    sys.exit(0 if passed(results) else 1)


def _on(name: str, runs: Sequence[Run], loud: bool) -> list[Result]:
    """The runs on one release."""
    try:
        sandbox = handle.start(release_called(name), _say, pace=_PACE)
    except handle.StartError as error:
        raise click.ClickException(str(error)) from None
    results = []
    try:
        with staged(sandbox) as stage:
            for run in runs:
                begin = time.monotonic()
                result = _one(stage, run, loud)
                _tell(result, time.monotonic() - begin)
                results.append(result)
    finally:
        sandbox.stop()
    return results


def _one(stage: Stage, run: Run, loud: bool) -> Result:
    """A run, from the first state to the first state."""
    try:
        stage.restore()
        seen = stage.carry_out(run)
    except (Lost, TimeoutError) as error:
        return Result(run, None, tuple(stage.spoiler.hits), (f"the run came to no end: {error}",))
    if loud:
        for fault in run.faults:
            _say(f"planned: {fault}")
        for request in stage.proxy.requests:
            _say(f"  {request}{''.join(f'   <- {hit.fault}' for hit in seen.hits if hit.request == request)}")
        for title, step in (("under faults", seen.faulty), ("again", seen.again), ("rollback", seen.back)):
            if step:
                records = ", ".join(f"{one.number} {one.state}" for one in step.truth.records)
                _say(f"-- {title}: exit code {step.outcome.code}, {step.born} pods made, records: {records}")
                _say(step.outcome.err + step.outcome.out)
    return Result(run, seen.faulty.outcome.code, tuple(seen.hits), tuple(judge(seen)))


def _tell(result: Result, seconds: float) -> None:
    run = result.run
    happened = ", ".join(map(str, result.hits)) or "nothing happened"
    state = "FAILED" if result.broken else "ok"
    _say(f"{run.name} {run.release} {run.job.name}: {happened}: exit {result.code}, {state}, {seconds:.1f} s")
    if result.broken:
        for line in failure(result):
            _say(line)
