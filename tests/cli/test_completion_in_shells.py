"""Tab in the real zsh and the real fish, with the scripts that ``ksconfig completion`` prints."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

LINES = [
    ("ksconfig rollb", "ksconfig rollback "),
    ("ksconfig set-image -f kserve.yaml ag", "ksconfig set-image -f kserve.yaml agent "),
    ("ksconfig set-image -f kserve.yaml sklearn=:v9 ag", "ksconfig set-image -f kserve.yaml sklearn=:v9 agent="),
    ("ksconfig images -f kse", "ksconfig images -f kserve.yaml "),
]
_CI = os.environ.get("CI", "") not in ("", "0", "false")


def needs(shell: str) -> pytest.MarkDecorator:
    """Skip without a shell; in CI it must be there."""
    return pytest.mark.skipif(shutil.which(shell) is None and not _CI, reason=f"this system has no {shell}")


@pytest.fixture
def environment(manifest: Path) -> dict[str, str]:
    """One where the program is found, and the manifest is in the working directory."""
    folder = manifest.parent
    (folder / "programs").mkdir()
    program = folder / "programs/ksconfig"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ksconfig "$@"\n')
    program.chmod(0o755)
    return os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": os.getcwd(), "HOME": str(folder), "TERM": "dumb",
        "KSCONFIG_COMPLETION_SECONDS": "30",
    }  # fmt: skip


@needs("fish")
@pytest.mark.parametrize(("typed", "completed"), LINES)
def test_fish(manifest: Path, environment: dict[str, str], typed: str, completed: str) -> None:
    script = f'ksconfig completion fish | source; complete -C "{typed}"'
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], cwd=manifest.parent, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    offered = [line.partition("\t")[0] for line in done.stdout.splitlines() if line]
    assert offered == [completed.rsplit(maxsplit=1)[-1]]


class Zsh:
    """An interactive zsh on a terminal of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process, self._terminal = pty.fork()
        if not self._process:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def wait_for(self, pattern: str, seconds: float = 30) -> None:
        """Read what it shows until that holds a pattern."""
        end = time.monotonic() + seconds
        while not re.search(
            pattern, re.sub("[^\b]\b", "", self.shown)
        ):  # a space may be drawn, taken back and drawn again
            assert time.monotonic() < end, self.shown
            if select.select([self._terminal], [], [], 0.1)[0]:
                self.shown += os.read(self._terminal, 65536).decode(errors="replace")

    def close(self) -> None:
        """End it."""
        os.close(self._terminal)
        os.waitpid(self._process, 0)


@needs("zsh")
@pytest.mark.parametrize(("typed", "completed"), LINES)
def test_zsh(manifest: Path, environment: dict[str, str], typed: str, completed: str) -> None:
    zsh = Zsh(manifest.parent, environment)
    try:
        zsh.type('autoload -Uz compinit; compinit -u -D; eval "$(ksconfig completion zsh)"; echo it is "ready"\n')
        zsh.wait_for("it is ready\r\n")
        zsh.shown = ""
        zsh.type(f"{typed}\tEND")  # what is typed stands behind what was completed
        zsh.wait_for(re.escape(completed) + "END")
    finally:
        zsh.close()
