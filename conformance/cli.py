"""``scripts/conformance``: the command line."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from conformance import live, manifests
from conformance.case import Case, Object
from conformance.compare import compare
from conformance.generator import cases_for
from conformance.predict import Prediction, naive, predict
from conformance.report import Result, lines
from conformance.submit import Observed
from sandbox import handle
from sandbox.kubelet.container import Pace
from sandbox.releases import RELEASES, Release, release_called

_PACE = Pace(probes=0.03, back_off=0.5)


def _release(context: click.Context, parameter: click.Parameter, value: str) -> Release:
    try:
        return release_called(value)
    except KeyError:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(RELEASES)}.") from None


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--kserve", "release", required=True, metavar="VERSION", callback=_release, help="The KServe release.")
@click.option(
    "--services", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
    help="Take the services (and runtimes, namespaces) of these YAML files, not generated cases.",
)  # fmt: skip
@click.option(
    "--count", type=click.IntRange(1), default=200, show_default=True, metavar="N",
    help="How many cases to make, a share of each dimension. Where these end, the rest is random.",
)  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Other cases for another number.")
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Keep the cases and predictions here, and beside it, with .observed.json, what was observed.",
)  # fmt: skip
def main(release: Release, services: Path | None, count: int, seed: int, keep: Path | None) -> None:
    """Foretell the images of services with ksconfig's model, then submit them to the real KServe, and compare.

    The predictions are in a file before another process submits the first service. The exit code is 0 only if there
    were cases and all agree.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = keep or Path(folder) / "predictions.json"
        try:
            sandbox = handle.start(release, _say, pace=_PACE)
        except handle.StartError as error:
            raise click.ClickException(str(error)) from None
        try:
            results, left = _run(sandbox, services, count, seed, file)
        finally:
            sandbox.stop()
    for line in lines(results, left):
        click.echo(line)
    tried = [one for one in results if not one.seen.skipped]
    sys.exit(0 if tried and not any(one.verdict.difference for one in tried) else 1)


def _run(
    sandbox: handle.Sandbox, services: Path | None, count: int, seed: int, file: Path
) -> tuple[list[Result], list[str]]:
    api, release = sandbox.api(), sandbox.release
    left: list[str] = []
    if services:
        cases, left = manifests.prepare(api, release, services)
    else:
        cases = cases_for(live.read_world(api, release), count, seed)
        live.prepare(api, cases)
    world = live.read_world(api, release)
    foretold = [predict(case, world) for case in cases]
    _write(file, release, cases, foretold)
    seen = _submit(sandbox, cases, foretold)
    file.with_suffix(".observed.json").write_text(json.dumps(seen, indent=1))
    results = []
    for case, prediction, told in zip(cases, foretold, seen, strict=True):
        observed, updated = Observed(**told), case.then is not None
        right = not compare(naive(case, world), observed, updated).difference
        results.append(Result(case, prediction, observed, compare(prediction, observed, updated), right))
    return results, left


def _write(file: Path, release: Release, cases: list[Case], foretold: list[Prediction]) -> None:
    both = zip(cases, foretold, strict=True)
    text = json.dumps(
        {"kserve": release.name, "cases": [{**case.as_json(), "foretold": one.as_json()} for case, one in both]},
        indent=1,
    )
    file.write_text(text)
    _say(f"{len(cases)} predictions in {file}, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}")


def _submit(sandbox: handle.Sandbox, cases: list[Case], foretold: list[Prediction]) -> list[Object]:
    """Let another process submit the cases."""
    services = [
        {
            "name": case.name,
            "service": case.service,
            "then": case.then,
            "awaits": one.awaited if case.then is None else ("predictor",),
        }
        for case, one in zip(cases, foretold, strict=True)
    ]
    orders = json.dumps({"sandbox": sandbox.place.name, "services": services})
    command = [sys.executable, "-m", "conformance.submit"]
    root = str(Path(__file__).parents[1])
    done = subprocess.run(command, input=orders, stdout=subprocess.PIPE, text=True, check=True, cwd=root)
    seen: list[Object] = json.loads(done.stdout)
    return seen
