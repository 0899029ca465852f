"""Commands in a place of their own, with real faults: a disk that is full, a user who may not write."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
KSCONFIG = (sys.executable, "-m", "ksconfig")
_NOBODY = 65534


def ksconfig(*arguments: str | Path) -> tuple[str, ...]:
    """The command line as a process."""
    return (*KSCONFIG, *map(str, arguments))


def run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)


def as_nobody(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command as a user whom rights bind: root is made nobody, others are bound already."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("root may write any file, and there is no setpriv to become somebody else")
    return ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--", *command)


def needs_another_user(path: Path) -> None:
    """Skip where nobody could not even read the code or the manifest."""
    if run(as_nobody(ksconfig("images", "-f", path))).returncode != 0:
        pytest.skip("another user cannot run the interpreter, or read the code or the manifest, here")


@cache
def _can_mount() -> bool:
    return shutil.which("unshare") is not None and run(with_mounts("true")).returncode == 0


def with_mounts(script: str, *arguments: str | Path) -> tuple[str, ...]:
    """A shell script in a mount namespace of its own."""
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", *user, "--mount", "--", "sh", "-ec", script, "sh", *map(str, arguments))


def needs_mounts() -> None:
    """Skip where no file system can be mounted."""
    if not _can_mount():
        pytest.skip("no namespace for mounts can be made here")
