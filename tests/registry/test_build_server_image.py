"""``scripts/build-server-image`` with a real buildah and a real registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.registry.local import Buildah, Done, Registry, run

DOCKERFILE = """\
ARG PYTHON_VERSION=3.9
FROM {host}/python:${{PYTHON_VERSION}}-slim AS builder\r
COPY server.py /built/server.py
FROM {host}/python:3.9-slim
# python3.9 stays in a comment
COPY --from=builder /built/server.py /server.py
COPY lib/python3.9/notes /notes
LABEL kind=server
"""


@pytest.fixture(scope="module")
def bases(registry: Registry, buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Bases that say which they are; two tags, so that it shows which was taken."""
    for version in ("3.8", "3.9"):
        content = tmp_path_factory.mktemp(f"base-{version}")
        (content / f"python-{version}").write_text("")
        buildah.push_empty(f"{registry.host}/python:{version}-slim", content=content)
    return registry


@pytest.fixture
def source(bases: Registry, tmp_path: Path) -> Path:
    """A tiny server."""
    folder = tmp_path / "server"
    (folder / "lib" / "python3.9").mkdir(parents=True)
    (folder / "lib" / "python3.9" / "notes").write_text("hello")
    (folder / "server.py").write_text("print('serving')\n")
    (folder / "secret").write_text("not for the image")
    (folder / "Dockerfile").write_bytes(DOCKERFILE.format(host=bases.host).encode())
    return folder


def build(buildah: Buildah, *arguments: object) -> Done:
    return run("scripts/build-server-image", *map(str, arguments), **buildah.environment)


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_builds_on_the_other_python_and_pushes(registry: Registry, buildah: Buildah, source: Path) -> None:
    before = content_of(source)
    tag = f"{registry.host}/team/sklearnserver:py38"
    done = build(buildah, source, "--python", "3.8", "--tag", tag, "--tool", "buildah", "--push")
    assert done.code == 0, done.err
    assert done.out.startswith(f"{registry.host}/team/sklearnserver@sha256:")
    assert "+ARG PYTHON_VERSION=3.8\n" in done.err
    assert "line 7 names the old Python" in done.err
    assert content_of(source) == before
    container = buildah.run("from", "--tls-verify=false", done.out.strip())
    root = Path(buildah.run("mount", container))
    assert (root / "server.py").read_text() == "print('serving')\n"
    assert (root / "python-3.8").exists()
    assert not (root / "python-3.9").exists()
    buildah.run("rm", container)


def test_a_dry_run_shows_the_change_and_the_commands(registry: Registry, buildah: Buildah, source: Path) -> None:
    tag = f"{registry.host}/team/never:1"
    done = build(buildah, source, "--python", "3.8", "--tag", tag, "--tool", "buildah", "--push", "--dry-run")
    assert done.code == 0, done.err
    shown = [line for line in done.out.splitlines() if line[:1] in "+-"]
    assert shown[2:] == [
        "-ARG PYTHON_VERSION=3.9",
        "+ARG PYTHON_VERSION=3.8",
        f"-FROM {registry.host}/python:3.9-slim",
        f"+FROM {registry.host}/python:3.8-slim",
    ]
    assert done.out.splitlines()[-2:] == [
        f"buildah build --file CHANGED_DOCKERFILE --tag {tag} --tls-verify=false {source}",
        f"buildah push --digestfile DIGEST_FILE --tls-verify=false {tag}",
    ]
    assert "never" not in buildah.run("images")


def test_a_file_of_another_name_with_its_own_ignore_file(registry: Registry, buildah: Buildah, source: Path) -> None:
    (source / "Dockerfile").rename(source / "sk.Dockerfile")
    (source / "sk.Dockerfile").write_text(f"FROM {registry.host}/python:3.9-slim\nCOPY . /all/\n")
    (source / "sk.Dockerfile.dockerignore").write_text("secret\n")
    tag = f"{registry.host}/team/ignoring:1"
    without = build(buildah, source, "--python", "3.8", "--tag", tag)
    assert without.code == 1
    assert "--file: sk.Dockerfile" in without.err
    done = build(buildah, source, "--file", "sk.Dockerfile", "--python", "3.8", "--tag", tag, "--tool", "buildah")
    assert (done.code, done.out) == (0, f"{tag}\n"), done.err
    container = buildah.run("from", "--pull-never", tag)
    root = Path(buildah.run("mount", container))
    assert (root / "all" / "server.py").exists()
    assert not (root / "all" / "secret").exists()
    buildah.run("rm", container)


def test_what_cannot_be_done_is_said_in_one_message(buildah: Buildah, source: Path, tmp_path: Path) -> None:
    tag = "reg.example/a:1"
    (source / "Dockerfile").write_text("FROM debian:12\n")
    refused = build(buildah, source, "--python", "3.8", "--tag", tag)
    assert refused.code == 3
    assert "no FROM line names an image of Python" in refused.err
    assert build(buildah, source, "--python", "3", "--tag", tag).code == 2
    assert build(buildah, source, "--python", "3.8", "--tag", "reg.example/a").code == 2
    assert build(buildah, tmp_path / "none", "--python", "3.8", "--tag", tag).code == 2
    (source / "Dockerfile").write_text("FROM scratch/python:3.9\nCOPY none /\n")
    failed = build(buildah, source, "--python", "3.8", "--tag", tag, "--tool", "buildah")
    assert failed.code == 1
    assert "the image was not built: buildah build ended with" in failed.err
