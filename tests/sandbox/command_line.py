"""``python -m ksconfig`` as a user runs it, against a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.documents import check_output

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, which is to be one JSON document."""
        return json.loads(self.out)


class CommandLine:
    """Runs commands with one kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "ksconfig", *arguments],
            env=os.environ | {"KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, seconds: float = 120) -> Done:
        """Run a command to its end."""
        return finished(self.start(*arguments), seconds)

    def ok(self, *arguments: str) -> Done:
        """Run a command that is to succeed."""
        done = self(*arguments)
        assert done.code == 0, done.err
        return done


def finished(process: subprocess.Popen[str], seconds: float = 120) -> Done:
    """Wait for a command's end; its document is held to the schema."""
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    check_output(out)
    return Done(process.returncode, out, err)
