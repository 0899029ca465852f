"""The command line of ``scripts/build-server-image``, as far as it needs no build tool."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ksconfig.model.reference import Reference
from server_image.cli import main
from server_image.tools import Build, commands, push_command

TAG = Reference.parse("reg.example/team/sk:py38")


def tool(folder: Path, name: str, script: str) -> None:
    """A program that does as a script says."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM python:3.9\n")
    return folder


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def run(source: Path, *more: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(source), "--python", "3.8", "--tag", str(TAG), *more])
    return done.exit_code, done.stdout, done.stderr


def test_without_a_build_tool(source: Path, programs: Path) -> None:
    code, out, err = run(source)
    assert (code, out) == (1, "")
    assert "no image was built: there is no build tool: none of docker, podman, buildah is installed" in err
    code, _, err = run(source, "--tool", "podman")
    assert code == 1
    assert "podman is not installed" in err


def test_docker_without_its_daemon_is_passed_over(source: Path, programs: Path) -> None:
    tool(programs, "docker", "exit 1")
    code, _, err = run(source)
    assert code == 1
    assert "docker is installed, but its daemon does not answer" in err
    tool(programs, "buildah", "exit 0")
    code, out, _ = run(source, "--dry-run")
    assert code == 0
    assert f"buildah build --file CHANGED_DOCKERFILE --tag {TAG} {source}" in out


def test_docker_tells_the_digest_of_the_repository_that_was_pushed(source: Path, programs: Path) -> None:
    digest = f"sha256:{'a' * 64}"
    known = f'["other.example/sk@sha256:{"b" * 64}","{TAG.repository}@{digest}"]'
    tool(programs, "docker", f"[ $1 != image ] || echo '{known}'; echo $1 >&2")
    assert run(source, "--push")[:2] == (0, f"{TAG.repository}@{digest}\n")
    tool(programs, "docker", "exit 0")
    code, out, err = run(source, "--push")
    assert (code, out) == (1, "")
    assert f"{TAG} is pushed, but docker told no digest" in err


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_tls_is_left_out_on_this_machine_alone(name: str) -> None:
    build = Build(Path("src"), TAG, "linux/arm64", (False, False))
    assert "--platform linux/arm64" in commands(name, build, push=True)[0]
    assert not any("tls" in line for line in commands(name, build, push=True))
    local = build._replace(plain_http=(False, True))
    assert ("--tls-verify=false" in push_command(name, "D", local)) is (name != "docker")
    assert "tls" not in commands(name, local, push=False)[0]
