"""The commands that the pages show, as stories: what is run one after the other in one directory, and what it prints.

A page is read block by block (fences in Markdown); comments in HTML, which readers do not see, say what a block is:

- ``<!-- story: offline -->`` or ``<!-- story: cluster 0.7.0 -->`` begins a story, with a directory of its own that holds
  a copy of ``examples/`` and ``docs/rbac.yaml``. A page begins with an offline one. More files are made as in
  ``<!-- story: offline; kserve.yaml=examples/inferenceservice-config.yaml -->``; on a cluster ``apply FILE`` as one of
  these parts creates what is in the file, and waits until its services are ready.
- ``<!-- file: NAME -->`` before a block: it is the content of a file.
- ```` ```console ````: each line ``$ COMMAND`` is run, and prints what follows, standard error included. ``...`` stands for
  anything within a line (columns need not fit then), and alone for any lines. A command succeeds, unless the next one is ``echo $?``.
- ```` ```sh ````: shown only, and must be commands that exist; after ``<!-- run -->`` they are run and succeed.
- ```` ```python ````: shown only; after ``<!-- run -->`` it is run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_ROOT_PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES = [*filter(Path.exists, _ROOT_PAGES), *sorted((ROOT / "docs").glob("*.md"))]
_SECONDS = 180
_BLOCK = re.compile(
    r"^<!-- (?P<word>story|file|run)(?:: (?P<what>.*?))? -->$|^```(?P<language>\w*).*\n(?P<text>(?:(?!```).*\n)*)```$",
    re.MULTILINE,
)


class File(NamedTuple):
    """A file that the page shows."""

    name: str
    text: str


class Command(NamedTuple):
    """A command, and what the page says that it prints; None if it says nothing."""

    line: int
    text: str
    expected: str | None
    may_fail: bool = False


Step = File | Command


@dataclass
class Story:
    """What is run in one directory.

    Attributes:
        cluster: the release of KServe that it needs; empty for a story of files.
        copies: more files, by name, and what they are copies of.
        applied: manifests that are on the cluster before it begins.
    """

    page: str
    line: int
    cluster: str = ""
    copies: dict[str, str] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


class Shown(NamedTuple):
    """A command that is shown and not run."""

    page: str
    text: str


def stories_of(name: str, page: str) -> Iterator[Story]:
    """The stories of a page that have something to run."""
    story = Story(name, 1)
    marker, about = "", ""
    for match in _BLOCK.finditer(page):
        line = page.count("\n", 0, match.start()) + 1
        word = match["word"] or ""
        if word == "story":
            yield from [story] * any(isinstance(step, Command) for step in story.steps)
            story = _story(name, line, match["what"])
        elif word:
            marker, about = word, match["what"] or ""
        else:
            story.steps += _steps(match["language"], match["text"], line, marker, about)
            marker = ""
    yield from [story] * any(isinstance(step, Command) for step in story.steps)


def _story(page: str, line: int, what: str) -> Story:
    kind, *parts = what.split("; ")
    cluster = kind.removeprefix("cluster").strip() if kind.startswith("cluster") else ""
    assert cluster or kind == "offline", f"{page}:{line}: a story is offline or cluster RELEASE, not {kind}"
    copies = dict(one.split("=", 1) for one in parts if "=" in one)
    return Story(page, line, cluster, copies, [one.removeprefix("apply ") for one in parts if "=" not in one])


def _steps(language: str, text: str, line: int, marker: str, about: str) -> Iterator[Step]:
    if marker == "file":
        yield File(about, text)
    elif language == "console":
        yield from _commands(text, line)
    elif language == "sh" and marker == "run":
        for command in _joined(text):
            yield Command(line, command, None)
    elif language == "python" and marker == "run":
        yield Command(line, f"python -c {shlex.quote(text)}", None)


def _commands(text: str, line: int) -> Iterator[Command]:
    parts = re.split(r"^\$ ((?:.*\\\n)*.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == "", f"a block of console (line {line}) begins with a command"
    pairs = list(zip(parts[1::2], parts[2::2], strict=True))
    for index, (command, expected) in enumerate(pairs):
        may_fail = index + 1 < len(pairs) and pairs[index + 1][0] == "echo $?"
        yield Command(line, re.sub(r"\\\n\s*", "", command), expected, may_fail)


def _joined(text: str) -> list[str]:
    """The commands of a block of a shell, without comments."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [bare for one in lines if (bare := re.sub(r"(^|\s+)#.*", "", one).strip())]


def all_stories() -> list[Story]:
    """Those of every page."""
    return [one for path in PAGES for one in stories_of(path.name, path.read_text())]


def shown_only() -> list[Shown]:
    """The commands in the blocks of a shell that no story runs."""
    found = []
    for path in PAGES:
        marker = ""
        for match in _BLOCK.finditer(path.read_text()):
            if match["language"] == "sh" and not marker:
                found += [Shown(path.name, command) for command in _joined(match["text"])]
            marker = match["word"] or ""
    return found


class Stage:
    """The directory of one story, and the programs in it."""

    def __init__(self, folder: Path, story: Story, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder / "work"
        self._story = story
        self._code = 0
        shutil.copytree(ROOT / "examples", self.folder / "examples")
        (self.folder / "docs").mkdir()
        shutil.copy(ROOT / "docs/rbac.yaml", self.folder / "docs")
        for name, origin in story.copies.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / origin, self.folder / name)
        programs = folder / "programs"
        programs.mkdir()
        for name, words in {"ksconfig": "-m ksconfig", "python": ""}.items():
            path = programs / name
            path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
            path.chmod(0o755)
        home = folder / "home"
        home.mkdir()
        given = dict(environment or {"KUBECONFIG": str(home / "none")})
        search = os.pathsep.join([str(programs), *filter(None, [given.pop("PATH", "")]), os.environ["PATH"]])
        self._environment = {
            **os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **given, "PATH": search
        }  # fmt: skip

    def play(self) -> None:
        """Make the files and run the commands; what is printed is compared."""
        for manifest in self._story.applied:
            for text in (
                f"kubectl create namespace team-a; kubectl apply -f {manifest}",
                f"kubectl wait -f {manifest} --for condition=Ready --timeout 60s",
            ):
                self._run(Command(self._story.line, text, None))
        for step in self._story.steps:
            if isinstance(step, File):
                path = self.folder / step.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.text)
            else:
                self._run(step)

    def _run(self, command: Command) -> None:
        done = subprocess.run(
            ["bash", "-c", f"(exit {self._code})\n{command.text}"],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        printed = done.stdout.decode()
        where = f"{self._story.page}:{command.line}: $ {command.text}"
        assert command.may_fail or done.returncode == 0, f"{where}\nended with {done.returncode}:\n{printed}"
        if command.expected is not None:
            assert matches(command.expected, printed), (
                f"{where}\nis to print\n\n{command.expected}\nand prints\n\n{printed}"
            )
        self._code = done.returncode


def matches(expected: str, printed: str) -> bool:
    """Whether a text is as the page shows it."""
    lines = []
    for line in expected.splitlines():
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        else:
            pattern = ".*?".join(map(re.escape, line.split("...")))
            lines.append((re.sub(r"(\\ )+", " +", pattern) if "..." in line else pattern) + "\n")
    if printed and not printed.endswith("\n"):
        printed += "\n"
    return re.fullmatch("".join(lines), printed) is not None


def cluster_environment(kubeconfig: Path, folder: Path, programs: Path) -> dict[str, str]:
    """What a story on a cluster needs: a kubeconfig whose context is called prod, and kubectl."""
    config = json.loads(kubeconfig.read_text())
    config["contexts"][0]["name"] = config["current-context"] = "prod"
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return {"KUBECONFIG": str(path), "PATH": str(programs)}
