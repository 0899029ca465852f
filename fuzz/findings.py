"""Inputs that did what must not be, kept so that they can be tried again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fuzz.mutations import Input
from fuzz.trial import Finding

RUNNING = "running"


class Keeper:
    """A directory of inputs, each with a text that says what was found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, one: Input) -> None:
        """Put an input aside: if the process ends in the middle of it, that is the one."""
        (self.folder / RUNNING).write_bytes(one.data)

    def end(self) -> None:
        """No input is being tried any more."""
        (self.folder / RUNNING).unlink(missing_ok=True)

    def keep(self, one: Input, findings: list[Finding]) -> Path:
        """Keep an input; its path."""
        path = self.folder / f"{hashlib.sha256(one.data).hexdigest()[:16]}.yaml"
        path.write_bytes(one.data)
        said = "\n\n".join(f"{finding.what}\n{finding.detail}" for finding in findings)
        text = f"{one.name}\n{', '.join(one.kinds)}\n\n{said}\n"
        path.with_suffix(".txt").write_text(text, encoding="utf-8", errors="backslashreplace")
        return path


def replay_command(path: Path) -> str:
    """The command that tries a kept input again."""
    return f"scripts/fuzz --replay {path}"
