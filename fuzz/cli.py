"""``scripts/fuzz``: the command line."""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
from pathlib import Path

import click

from fuzz.bounds import limit_memory
from fuzz.findings import RUNNING, Keeper, replay_command
from fuzz.mutations import Input, make_input
from fuzz.report import Report
from fuzz.seeds import seeds
from fuzz.trial import Trial

_PROGRESS = 15.0


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--minutes", type=click.FloatRange(0, min_open=True), metavar="M", help="How long to go on.")
@click.option("--runs", type=click.IntRange(1), metavar="N", help="How many inputs to try, at most.")
@click.option("--seed", type=int, metavar="S", help="Other inputs for another number. By default one that is printed.")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Where inputs with findings are kept. By default a new directory for temporary files.",
)  # fmt: skip
@click.option(
    "--replay", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Try a kept input again, and print all that is found.",
)  # fmt: skip
def main(minutes: float | None, runs: int | None, seed: int | None, keep: Path | None, replay: Path | None) -> None:
    """Spoil manifests in every way, let ksconfig work on them, and judge what it does.

    It may write what an independent reader confirms, or refuse; all else is a finding. The exit code is 0 only if there
    were inputs and no findings.
    """
    limit_memory()
    if replay:
        sys.exit(_replay(replay))
    if not (minutes or runs):
        raise click.UsageError("Say how long with --minutes, or how many with --runs.")
    seed = random.randrange(1_000_000) if seed is None else seed
    keeper = Keeper(keep or Path(tempfile.mkdtemp(prefix="ksconfig-fuzz-")))
    report = fuzz(seed, keeper, minutes=minutes, runs=runs)
    sys.exit(0 if report.inputs and not report.findings else 1)


def fuzz(seed: int, keeper: Keeper, *, minutes: float | None, runs: int | None) -> Report:
    """Try inputs until the time is over or their number reached, and print the report."""
    started = said = time.monotonic()
    until = started + 60 * minutes if minutes else float("inf")
    report = Report()
    start = seeds()
    _say(
        f"seed {seed}, {len(start)} manifests to begin with; "
        f"if this process dies: {replay_command(keeper.folder / RUNNING)}"
    )
    for index in itertools.count():
        now = time.monotonic()
        if now >= until or report.inputs == runs:
            break
        one = make_input(start, seed, index)
        keeper.begin(one)
        trial = Trial(one.data).run()
        report.add(one, trial.outcomes, trial.findings)
        if trial.findings:
            path = keeper.keep(one, trial.findings)
            _say(f"found: {trial.findings[0].what}\n  {one.name} ({', '.join(one.kinds)})\n  {replay_command(path)}")
        if now - said >= _PROGRESS:
            said = now
            _say(f"{report.inputs} inputs, {report.findings} findings, {now - started:.0f} s")
    keeper.end()
    for line in report.lines(time.monotonic() - started):
        click.echo(line)
    return report


def _replay(path: Path) -> int:
    trial = Trial(path.read_bytes()).run()
    report = Report()
    report.add(Input(str(path), trial.data, ("replay",)), trial.outcomes, trial.findings)
    for finding in trial.findings:
        click.echo(f"{finding.what}\n{finding.detail}\n".encode("utf-8", "backslashreplace"))
    click.echo(f"inputs 1 findings {report.findings}")
    return int(bool(report.findings))


def _say(text: str) -> None:
    click.echo(text.encode("utf-8", "backslashreplace"), err=True)
