"""A sandbox lives as long as it is wanted, leaves nothing, and does not disturb another."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import places
from sandbox.api import wait_until
from sandbox.places import Place
from tests.sandbox.kserve import processes_of

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.kserve("0.7.0")  # for the order, and to be skipped where no sandbox can run
_STARTER = """
    import sys
    from sandbox.handle import start
    from sandbox.releases import RELEASES
    sandbox = start(RELEASES["0.7.0"], lambda text: None, sys.argv[1])
    print("started", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _room(sandboxes: object) -> None:
    """The sandbox of the tests before is not needed here."""
    sandboxes.stop()  # type: ignore[attr-defined]


@pytest.fixture
def starters() -> Iterator[list[subprocess.Popen[str]]]:
    """The processes that a test starts; none outlives it."""
    made: list[subprocess.Popen[str]] = []
    yield made
    for process in made:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def starter(made: list[subprocess.Popen[str]], name: str) -> subprocess.Popen[str]:
    """A test run, say, with a sandbox of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_STARTER), name],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    made.append(process)
    return process


def started(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "started\n"


def gone(folder: Path) -> bool:
    return not folder.exists() and not processes_of(folder)


def script(*arguments: str, place: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """``scripts/sandbox`` with arguments."""
    command = [str(ROOT / "scripts/sandbox"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=place, env=os.environ | variables)


def test_one_ends_with_its_starter_even_if_that_is_killed(starters: list[subprocess.Popen[str]]) -> None:
    process = starter(starters, "killed")
    started(process)
    folder = places.base() / "killed"
    assert len(processes_of(folder)) >= 8
    os.killpg(process.pid, signal.SIGKILL)
    wait_until("nothing is left", lambda: gone(folder), 5)


def test_one_whose_first_process_is_killed_is_cleared_away_by_the_next(starters: list[subprocess.Popen[str]]) -> None:
    process = starter(starters, "killed-inside")
    started(process)
    folder = places.base() / "killed-inside"
    for number, _ in processes_of(folder)[:2]:
        os.kill(number, signal.SIGKILL)
    wait_until("all have ended with it", lambda: not processes_of(folder), 5)
    assert folder.exists()
    again = starter(starters, "killed-inside")
    started(again)
    again.kill()
    wait_until("nothing is left", lambda: gone(folder), 5)


def test_two_at_once_do_not_disturb_one_another(starters: list[subprocess.Popen[str]]) -> None:
    names = ("one", "two")
    for name in names:
        starter(starters, name)
    for process in starters:
        started(process)
    for name in names:
        place = Place(places.base() / name)
        command = [str(place.programs / "kubectl"), "--kubeconfig", str(place.kubeconfig), "create", "namespace", name]
        assert (
            subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"namespace/{name} created\n"
        )
    starters[0].kill()
    wait_until("the one is gone", lambda: gone(places.base() / "one"), 5)
    assert Place(places.base() / "two").alive()


def test_exec_runs_a_command_where_it_was_called_and_ends_with_its_code(tmp_path: Path) -> None:
    command = 'pwd; echo "$MINE"; kubectl get configmap -n kserve inferenceservice-config -o name; exit 7'
    done = script("exec", "--", "sh", "-c", command, place=tmp_path, MINE="kept")
    assert done.returncode == 7
    assert done.stdout.splitlines() == [str(tmp_path), "kept", "configmap/inferenceservice-config"]
    assert "KServe 0.7.0 serves after" in done.stderr


def test_exec_passes_an_interrupt_on_and_leaves_nothing() -> None:
    process = subprocess.Popen(
        [ROOT / "scripts/sandbox", "exec", "--", "sh", "-c", "echo up; exec sleep 1000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    with process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(10) == 130


def test_up_prints_the_line_for_the_shell_and_down_ends_it() -> None:
    up = script("up", "--name", "stays")
    assert up.returncode == 0, up.stderr
    try:
        match = re.fullmatch(r"export KUBECONFIG=(\S+)\n", up.stdout)
        assert match
        place = Place(Path(match[1]).parent)
        assert place.alive()
        assert script("up", "--name", "stays").returncode == 1
        assert "stays: KServe 0.7.0, " in script("status").stdout
    finally:
        down = script("down", "--name", "stays")
    assert re.search(r"stays ended in [0-4]\.\d s", down.stderr)
    assert gone(place.folder)
    assert "no sandbox called stays runs" in script("down", "--name", "stays").stderr


@pytest.mark.parametrize("seconds", [0.5, 2, 4])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_one_that_is_still_starting_ends_with_its_starter(how: signal.Signals, seconds: float) -> None:
    before = {place.folder for place in places.living()}
    process = subprocess.Popen(
        [ROOT / "scripts/sandbox", "exec", "--", "true"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    with process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        os.killpg(process.pid, how)
        assert process.wait(5) in (130, -signal.SIGINT, -signal.SIGKILL)
    wait_until("nothing is left", lambda: {place.folder for place in places.living()} <= before, 5)


def test_up_that_is_interrupted_leaves_nothing() -> None:
    process = subprocess.Popen(
        [ROOT / "scripts/sandbox", "up", "--name", "interrupted"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    with process:
        assert process.stderr
        while "installing" not in process.stderr.readline():
            pass
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(5) == 130
    assert gone(places.base() / "interrupted")


def test_one_that_somebody_stopped_talking_to_still_answers_and_ends(starters: list[subprocess.Popen[str]]) -> None:
    started(starter(starters, "talked-to"))
    place = Place(places.base() / "talked-to")
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as rude:
            rude.connect(str(place.control))
    assert "talked-to: KServe 0.7.0, " in script("status").stdout
    script("down", "--name", "talked-to")
    assert gone(place.folder)


def test_exec_takes_its_own_options_before_the_command_only() -> None:
    done = script("exec", "--name", "x", "--", "true")
    assert done.returncode == 2
    assert "No such option" in done.stderr
