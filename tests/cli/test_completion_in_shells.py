"""Tab in the real bash, zsh and fish, with the scripts that ``ksconfig completion`` prints."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

LINES = [
    ("ksconfig rollb", "ksconfig rollback "),
    ("ksconfig set-image -f kserve.yaml ag", "ksconfig set-image -f kserve.yaml agent "),
    ("ksconfig set-image -f kserve.yaml sklearn=:v9 ag", "ksconfig set-image -f kserve.yaml sklearn=:v9 agent="),
    ("ksconfig images -f kse", "ksconfig images -f kserve.yaml "),
    ("ksconfig images --filename=kse", "ksconfig images --filename=kserve.yaml "),
    ("ksconfig set-image sklearn x:1 --allow=pin", "ksconfig set-image sklearn x:1 --allow=pinned-tags "),
    ("ksconfig set-image sklearn x:1 --in=con", "ksconfig set-image sklearn x:1 --in=config "),
    ("ksconfig images --context kubernetes-", "ksconfig images --context kubernetes-admin@kubernetes "),
    ("ksconfig images --context kubernetes-admin@k", "ksconfig images --context kubernetes-admin@kubernetes "),
    ("ksconfig images --context=kubernetes-admin@k", "ksconfig images --context=kubernetes-admin@kubernetes "),
    ("ksconfig images --context arn:aws:eks:eu:1:cl", "ksconfig images --context arn:aws:eks:eu:1:cluster/a "),
    ("ksconfig --context a@b -f kserve.yaml set-image ag", "ksconfig --context a@b -f kserve.yaml set-image agent "),
    ("ksconfig set --impact-namespaces team-a,team-", "ksconfig set --impact-namespaces team-a,team-b "),
]
CLUSTER = """#!/bin/sh
case "$*" in
    *get-contexts*) echo kubernetes-admin@kubernetes; echo arn:aws:eks:eu:1:cluster/a ;;
    *) echo '{"items": [{"metadata": {"name": "team-a"}}, {"metadata": {"name": "team-b"}}]}' ;;
esac
"""
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
    (folder / "programs/kubectl").write_text(CLUSTER)
    (folder / "programs/kubectl").chmod(0o755)
    return os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": os.getcwd(), "HOME": str(folder), "TERM": "dumb",
        "KSCONFIG_COMPLETION_SECONDS": "30",
    }  # fmt: skip


def fish_offers(folder: Path, environment: dict[str, str], typed: str) -> str:
    """What fish shows at a Tab: a line for each word, with its description."""
    script = f'ksconfig completion fish | source; complete -C "{typed}"'
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@needs("fish")
@pytest.mark.parametrize(("typed", "completed"), LINES)
def test_fish(manifest: Path, environment: dict[str, str], typed: str, completed: str) -> None:
    shown = fish_offers(manifest.parent, environment, typed)
    offered = [line.partition("\t")[0] for line in shown.splitlines() if line]
    assert offered == [completed.rsplit(maxsplit=1)[-1]]


@needs("fish")
def test_fish_shows_descriptions_whole(manifest: Path, environment: dict[str, str]) -> None:
    shown = fish_offers(manifest.parent, environment, "ksconfig set-image --kserve-v")
    assert (
        shown == "--kserve-version\tKServe release whose rules hold, like 0.7; told from what is read if not given.\n"
    )


class Terminal:
    """An interactive shell on a terminal of its own."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._process, self._terminal = pty.fork()
        if not self._process:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        # wide, so that no line is broken or scrolled
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 400, 0, 0))
        self._shown = ""

    def load(self, script: str) -> None:
        """Run a line and wait for its end."""
        self._type(f'{script}; echo it is "ready"\n')
        self._wait_for("it is ready\r\n")

    def tab(self, typed: str, completed: str) -> None:
        """See that a Tab completes what is typed."""
        self._shown = ""
        self._type(f"{typed}\tEND")  # what is typed stands behind what was completed
        self._wait_for(re.escape(completed) + "END")

    def _type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _wait_for(self, pattern: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not re.search(
            pattern, re.sub("[^\b]\b", "", self._shown)
        ):  # a space may be drawn, taken back and drawn again
            assert time.monotonic() < end, self._shown
            if select.select([self._terminal], [], [], 0.1)[0]:
                self._shown += os.read(self._terminal, 65536).decode(errors="replace")

    @property
    def shown(self) -> str:
        """What is on it since the last Tab."""
        return self._shown

    def close(self) -> None:
        """End it."""
        os.close(self._terminal)
        os.waitpid(self._process, 0)


Start = Callable[..., Terminal]


@pytest.fixture
def start(manifest: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts shells, and ends them after the test."""
    with ExitStack() as started:

        def one(*command: str) -> Terminal:
            terminal = Terminal(list(command), manifest.parent, environment)
            started.callback(terminal.close)
            return terminal

        yield one


@needs("zsh")
@pytest.mark.parametrize(("typed", "completed"), LINES)
def test_zsh(start: Start, typed: str, completed: str) -> None:
    zsh = start("zsh", "-f", "-i")
    zsh.load('autoload -Uz compinit; compinit -u -D; eval "$(ksconfig completion zsh)"')
    zsh.tab(typed, completed)


@needs("zsh")
def test_zsh_needs_no_compinit_first(start: Start) -> None:
    zsh = start("zsh", "-f", "-i")
    zsh.load('eval "$(ksconfig completion zsh)"')
    assert "compdef" not in zsh.shown
    zsh.tab("ksconfig rollb", "ksconfig rollback ")


@needs("zsh")
def test_zsh_finds_the_file_in_zfunc(start: Start) -> None:
    zsh = start("zsh", "-f", "-i")
    zsh.load("mkdir ~/.zfunc; ksconfig completion zsh > ~/.zfunc/_ksconfig")
    zsh.load("fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit -u -D")
    zsh.tab("ksconfig rollb", "ksconfig rollback ")


@needs("bash")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        *LINES,
        ('ksconfig set "--allow=pin', 'ksconfig set "--allow=pinned-tags" '),
        ("true; ksconfig --context 'a b' rollb", "true; ksconfig --context 'a b' rollback "),
    ],
)
def test_bash(start: Start, typed: str, completed: str) -> None:
    bash = start("bash", "--norc", "--noprofile", "-i")
    bash.load('eval "$(ksconfig completion bash)"')
    bash.tab(typed, completed)


@needs("bash")
@pytest.mark.parametrize("typed", ["ksconfig images -f kse", "ksconfig images --filename=kse"])
def test_bash_of_old_completes_too(start: Start, typed: str) -> None:
    bash = start("bash", "--norc", "--noprofile", "-i")
    # as before 4.0 and 4.4: no compopt, no nosort
    bash.load('enable -n compopt; complete() { [[ "$*" != *nosort* ]] && builtin complete "$@"; }')
    bash.load('eval "$(ksconfig completion bash)"')
    bash.tab(
        "ksconfig set-image -f kserve.yaml sklearn=:v9 ag", "ksconfig set-image -f kserve.yaml sklearn=:v9 agent= "
    )
    bash.tab(f"\x15{typed}", f"{typed}rve.yaml ")
