"""``scripts/sandbox``: the command line."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

import click

from sandbox import build, handle, new_module
from sandbox.kubelet.container import Pace
from sandbox.releases import DEFAULT, RELEASES, USUAL, Release, release_called

_NAME = "default"


def _say(text: str) -> None:
    click.echo(text, err=True)


def _fail(message: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(1)


def _release(context: click.Context, parameter: click.Parameter, value: str) -> Release:
    try:
        return release_called(value)
    except KeyError:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(RELEASES)}.") from None


def _with_release(command: Callable[..., Any]) -> Callable[..., Any]:
    one = click.option(
        "--kserve", "release", default=DEFAULT, show_default=True, metavar="VERSION", callback=_release,
        help="The KServe release.",
    )  # fmt: skip
    probes = click.option(
        "--probe-scale", default=Pace.probes, show_default=True, type=click.FloatRange(0, 1),
        help="What the delays of probes are multiplied by.",
    )  # fmt: skip
    back_off = click.option(
        "--back-off", default=Pace.back_off, show_default=True, type=click.FloatRange(0.01, 10),
        help="Seconds before a crashed controller starts for the third time; then twice as long each time.",
    )  # fmt: skip
    return one(probes(back_off(command)))


def _with_name(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--name", default=_NAME, show_default=True, help="Tells several sandboxes apart.")(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """A real Kubernetes API server with the real KServe controller, on this machine, without containers.

    \b
    scripts/sandbox exec -- kubectl get pods -A      one of its own for one command
    eval "$(scripts/sandbox up)"                     one that stays, for this shell
    scripts/sandbox down
    """


@main.command("build")
@click.option("--kserve", "names", multiple=True, metavar="VERSION", help="A release; may stand several times.")
@click.option("--keep-caches", is_flag=True, help="Keep Go's caches (some 15 GB) for a further build.")
def build_command(names: tuple[str, ...], keep_caches: bool) -> None:
    """Build what is not built yet: Kubernetes, etcd, kwok and KServe's controllers, from Go modules alone."""
    releases = [_release(click.get_current_context(), None, name) for name in names or USUAL]  # type: ignore[arg-type]
    begin = time.monotonic()
    units = build.units_for(releases)
    try:
        build.build(units, _say, keep_caches)
    except build.BuildError as error:
        _fail(str(error))
    size = sum(file.stat().st_size for unit in units for file in unit.folder.iterdir()) / 1e6
    _say(f"built in {time.monotonic() - begin:.0f} s: {size:.0f} MB in {build.cache()}")


@main.command()
@click.argument("version")
def module(version: str) -> None:
    """Write the Go module of a release that was added to sandbox/releases.py."""
    release = _release(click.get_current_context(), None, version)  # type: ignore[arg-type]
    try:
        _say(f"wrote {new_module.write(release)}")
    except build.BuildError as error:
        _fail(str(error))


@main.command()
@_with_release
@_with_name
def up(release: Release, name: str, probe_scale: float, back_off: float) -> None:
    """Start a sandbox that stays, and print the line that makes a shell use it."""
    sandbox = _start(release, name, True, Pace(probe_scale, back_off))
    where = shlex.quote(str(sandbox.place.programs))
    _say(f"its kubectl, if you have none: export PATH={where}:$PATH")
    _say("end it with: scripts/sandbox down" + ("" if name == _NAME else f" --name {name}"))
    click.echo(f"export KUBECONFIG={shlex.quote(str(sandbox.kubeconfig))}")


@main.command()
@_with_name
@click.option("--all", "everything", is_flag=True, help="End every sandbox of yours.")
def down(name: str, everything: bool) -> None:
    """End a sandbox; nothing of it stays."""
    ended = [one for one in handle.all_running() if everything or one.place.name == name]
    for sandbox in ended:
        begin = time.monotonic()
        sandbox.stop()
        _say(f"{sandbox.place.name} ended in {time.monotonic() - begin:.1f} s")
    if not ended:
        _say("no sandbox runs" if everything else f"no sandbox called {name} runs")


@main.command()
def status() -> None:
    """List the sandboxes that run, and what is built."""
    for sandbox in handle.all_running():
        try:
            told = sandbox.status()
        except (OSError, ValueError):
            click.echo(f"{sandbox.place.name}: starting, or it does not answer")
            continue
        problem = f"; {told['problem']}" if told["problem"] else ""
        click.echo(
            f"{sandbox.place.name}: KServe {told['release']}, {told['age']:.0f} s old, {told['megabytes']:.0f} MB"
            f"{problem}\n  export KUBECONFIG={shlex.quote(str(sandbox.kubeconfig))}"
        )
    built = [name for name, release in RELEASES.items() if all(unit.built for unit in build.units_for([release]))]
    click.echo(f"built: {', '.join(built) or 'nothing'}; known: {', '.join(RELEASES)}")


@main.command("exec", context_settings={"allow_interspersed_args": False})
@_with_release
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(release: Release, probe_scale: float, back_off: float, command: tuple[str, ...]) -> None:
    """Start a sandbox, run COMMAND with its KUBECONFIG and kubectl, end it; exits with the command's code."""
    sandbox = _start(release, "", False, Pace(probe_scale, back_off))
    code = 127
    try:
        code = _run(command, sandbox.environment())
    finally:
        sandbox.stop()
    sys.exit(code)


def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run a command to its end; it gets the signals that end us."""
    try:
        # The search is by the PATH that the command gets, so that the built kubectl is found.
        process = subprocess.Popen(["/usr/bin/env", *command], env=environment)
    except OSError as error:
        _say(f"error: {command[0]}: {error.strerror}")
        return 127

    def forward(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGINT:  # the terminal sends that one to the command as well
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _start(release: Release, name: str, stays: bool, pace: Pace) -> handle.Sandbox:
    def ended(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ended)
    try:
        sandbox = handle.start(release, _say, name, stays, pace)
    except (build.BuildError, handle.StartError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _say("interrupted; nothing of the sandbox is left")
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)
    figures = sandbox.figures
    _say(
        f"{sandbox.place.name}: KServe {release.name} serves after {figures['seconds']:.1f} s, "
        f"{figures['megabytes']:.0f} MB, at https://127.0.0.1:{figures['port']:.0f}"
    )
    return sandbox
