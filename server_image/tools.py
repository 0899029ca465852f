"""The build tools: which is there, and how each builds, pushes and tells the digest."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ksconfig.errors import KsconfigError
from ksconfig.model.reference import Reference

TOOLS = ("docker", "podman", "buildah")
_ASKED_SECONDS = 20


class Build(NamedTuple):
    """What is to be built.

    Attributes:
        context: the folder that the Dockerfile copies from.
        tag: what the image is called.
        platform: "linux/amd64"; None for the tool's own.
        plain_http: whether the registries are on this machine, where they need no TLS; of the bases, and of the tag.
    """

    context: Path
    tag: Reference
    platform: str | None
    plain_http: tuple[bool, bool]


def choose(wanted: str | None) -> str:
    """The build tool: the wanted one, else the first that works.

    Raises:
        KsconfigError: there is none.
    """
    if wanted:
        if shutil.which(wanted) is None:
            raise KsconfigError(f"{wanted} is not installed", advice="Leave out --tool to take what is there.")
        return wanted
    silent = []
    for tool in TOOLS:
        if shutil.which(tool) is None:
            continue
        if tool != "docker" or _has_daemon():
            return tool
        silent.append(tool)
    if silent:
        raise KsconfigError(
            "docker is installed, but its daemon does not answer", advice="Start it, or install podman or buildah."
        )
    raise KsconfigError(f"there is no build tool: none of {', '.join(TOOLS)} is installed", advice="Install one.")


def _has_daemon() -> bool:
    try:
        asked = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASKED_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def build_command(tool: str, dockerfile: str, build: Build) -> list[str]:
    """The command that builds."""
    command = [tool, "build", "--file", dockerfile, "--tag", str(build.tag)]
    if build.platform:
        command += ["--platform", build.platform]
    if tool != "docker" and build.plain_http[0]:
        command.append("--tls-verify=false")
    return [*command, str(build.context)]


def push_command(tool: str, digest_file: str, build: Build) -> list[str]:
    """The command that pushes; podman and buildah write the digest into a file."""
    command = [tool, "push"]
    if tool != "docker":
        command += ["--digestfile", digest_file]
        if build.plain_http[1]:
            command.append("--tls-verify=false")
    return [*command, str(build.tag)]


def _digests_command(build: Build) -> list[str]:
    return ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", str(build.tag)]


def commands(tool: str, build: Build, *, push: bool) -> list[str]:
    """All of them, for people to read; the files that are made on the way have names in capitals."""
    listed = [build_command(tool, "CHANGED_DOCKERFILE", build)]
    if push:
        listed.append(push_command(tool, "DIGEST_FILE", build))
        if tool == "docker":
            listed.append(_digests_command(build))
    return [shlex.join(command) for command in listed]


def run_build(tool: str, name: str, content: bytes, build: Build) -> None:
    """Build from a changed Dockerfile, which stands in a folder of its own: the checkout stays as it is.

    Args:
        name: of the Dockerfile, for the tool's messages and for an ignore file that goes with it.

    Raises:
        KsconfigError: the build failed.
    """
    with tempfile.TemporaryDirectory(prefix="build-server-image-") as folder:
        path = Path(folder, Path(name).name)
        path.write_bytes(content)
        # an ignore file that is named after the Dockerfile is looked for beside it
        ignored = Path(f"{name}.dockerignore")
        if ignored.is_file():
            shutil.copyfile(ignored, f"{path}.dockerignore")
        _run(build_command(tool, str(path), build), "the image was not built")


def run_push(tool: str, build: Build) -> Reference:
    """Push; the reference by digest.

    Raises:
        KsconfigError: the push failed, or told no digest.
    """
    with tempfile.TemporaryDirectory(prefix="build-server-image-") as folder:
        path = Path(folder, "digest")
        _run(push_command(tool, str(path), build), f"{build.tag} is built, and was not pushed")
        if tool != "docker":
            digest = path.read_text().strip() if path.exists() else ""
        else:
            digest = _repository_digest(_ask(_digests_command(build)), build.tag)
    if not digest:
        raise KsconfigError(f"{build.tag} is pushed, but {tool} told no digest")
    return Reference(build.tag.repository, None, digest)


def _repository_digest(answer: str, tag: Reference) -> str:
    """The digest of the pushed repository; an image may be known by several."""
    try:
        listed = json.loads(answer) or []
    except ValueError:
        return ""
    for one in map(str, listed):
        repository, _, digest = one.partition("@")
        if repository in (tag.repository, tag.repository.removeprefix("docker.io/")):
            return digest
    return ""


def _ask(command: Sequence[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _run(command: Sequence[str], otherwise: str) -> None:
    """Run a tool whose output is for people: ours alone goes to standard output."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, env=os.environ.copy(), check=False)
    except OSError as error:
        raise KsconfigError(f"{otherwise}: {command[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        raise KsconfigError(f"{otherwise}: {' '.join(command[:2])} ended with {done.returncode}; its output is above")
