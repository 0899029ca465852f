"""Programs that are started here, and ended with all that they started in turn: kubectl starts login plugins, and those
start browsers and other programs, which would go on running when nobody waits for them any more.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

_GRACE_SECONDS = 1.0
_running: dict[subprocess.Popen[bytes], bool] = {}  # whether it talks to the person at the terminal
_starting: list[object] = []


def output(
    command: Sequence[str],
    seconds: float,
    *,
    talks: bool = False,
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, bytes, bytes]:
    """Run a program to its end: its exit code, and what it says on standard output and standard error.

    Args:
        talks: it may ask the person at the terminal, on standard error, which is then not in the result.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it did not end within this time.
    """
    return wait(start(command, talks=talks, folder=folder, environment=environment), seconds)


def start(
    command: Sequence[str],
    *,
    talks: bool = False,
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program, for `wait` (arguments and errors as in `output`)."""
    _starting.append(command)
    try:
        process = subprocess.Popen(
            command,
            stdin=None if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if talks else subprocess.PIPE,
            cwd=folder,
            env=environment,
            # a group of its own can be ended as one; but who reads the terminal must be in the group in front, which
            # gets Ctrl-C from the terminal itself
            start_new_session=not talks,
        )
        _running[process] = talks
        return process
    finally:
        _starting.pop()


def wait(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, bytes, bytes]:
    """What a program says until its end; whatever goes wrong, it is ended (errors as in `output`)."""
    try:
        out, err = process.communicate(timeout=seconds)
        return process.returncode, out, err or b""
    finally:
        _end(process)


def are_starting() -> bool:
    """Whether one is just being started, so that `end_all` would miss it."""
    return bool(_starting)


def end_all() -> None:
    """End all that are running; nothing is waited for but one that may have to put the terminal in order."""
    for process in list(_running):
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    talks = _running.pop(process, False)
    if process.returncode is not None:  # its number may be that of another one now
        return
    if talks:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            return
        process.kill()
        return
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
