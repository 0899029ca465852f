"""The programs of a sandbox are built once, by what they are built from, and never half."""

from __future__ import annotations

import collections
import fcntl
import re
import shutil
import stat
import threading
from pathlib import Path

import pytest

from sandbox import build
from sandbox.api import wait_until
from sandbox.releases import RELEASES, USUAL, Release

Usage = collections.namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ksconfig-sandbox"


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for PATH, alone there, whose ``go`` says it is the one asked for and does nothing else."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    write_go(folder, "go1.26.0")
    return folder


def write_go(folder: Path, version: str, then: str = "exit 1") -> None:
    program = folder / "go"
    program.write_text(f'#!/bin/sh\nif [ "$1" = env ]; then echo {version}; exit; fi\n{then}\n')
    program.chmod(program.stat().st_mode | stat.S_IEXEC)


def a_unit() -> build.Unit:
    return build.Unit("kserve-0.7.0", {"manager": "example/manager"}, "", 3)


def test_another_module_file_is_another_folder_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(build.MODULES, tmp_path / "modules")
    monkeypatch.setattr(build, "MODULES", tmp_path / "modules")
    before = build.kserve(RELEASES["0.7.0"]).folder
    assert build.kserve(RELEASES["0.7.0"]).folder == before
    with (tmp_path / "modules/kserve-0.7.0/go.sum").open("a") as file:
        file.write("\n")
    assert build.kserve(RELEASES["0.7.0"]).folder != before


def test_the_programs_say_the_version_that_their_module_requires() -> None:
    required = re.search(
        r"^\s*k8s\.io/kubernetes (v\S+)", (build.MODULES / "kubernetes/go.mod").read_text(), re.MULTILINE
    )
    assert required
    assert f"gitVersion={required[1]} " in build.kubernetes().flags


@pytest.mark.parametrize("release", list(RELEASES.values()), ids=list(RELEASES))
def test_each_release_has_its_module(release: Release) -> None:
    text = (build.MODULES / f"kserve-{release.name}/go.mod").read_text()
    assert f"tool {release.module}/cmd/manager\n" in text
    assert f"{release.module} {release.version}" in text
    assert set(USUAL) <= set(RELEASES)


def test_without_go_the_way_to_get_it_is_said(go: Path) -> None:
    (go / "go").unlink()
    with pytest.raises(
        build.BuildError, match=r"no Go on this machine: install Go 1\.26 or later \(https://go\.dev/dl\)"
    ):
        build.build([a_unit()], print)


@pytest.mark.parametrize("version", ["go1.25.4", "go1.9", "broken"])
def test_an_older_go_will_not_do(go: Path, version: str) -> None:
    write_go(go, version)
    assert build.missing_go().startswith(f"Go is {version} here: install Go 1.26 or later")


@pytest.mark.parametrize("version", ["go1.26.0", "go1.27rc1", "go2.0"])
def test_a_newer_go_will_do(go: Path, version: str) -> None:
    write_go(go, version)
    assert build.missing_go() == ""


def test_a_full_disk_is_said_before_anything_is_fetched(go: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100, 98, 2_000_000_000))
    with pytest.raises(
        build.BuildError, match=r"has 2\.0 GB of free disk space, and building kserve-0\.7\.0 takes up to 3 GB"
    ):
        build.build([a_unit()], print)
    assert [file.name for file in cache.iterdir()] == ["lock"]


def test_a_failed_build_leaves_nothing_and_shows_what_go_said(go: Path, cache: Path) -> None:
    write_go(go, "go1.26.0", "echo example/manager: no such thing >&2; exit 1")
    with pytest.raises(build.BuildError, match=r"kserve-0\.7\.0 was not built.*\nexample/manager: no such thing"):
        build.build([a_unit()], lambda text: None)
    assert [file.name for file in cache.iterdir()] == ["lock"]


def test_a_second_build_at_once_waits_for_the_first_and_finds_its_programs(go: Path, cache: Path) -> None:
    unit, said = a_unit(), list[str]()
    cache.mkdir()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=build.build, args=([unit], said.append))
        second.start()
        wait_until("it waits", lambda: said, 5)
        unit.folder.mkdir()
    second.join(5)
    assert said == ["another build is running; waiting for it ..."]
    assert not second.is_alive()


def test_what_a_killed_build_left_is_removed_by_the_next(go: Path, cache: Path) -> None:
    (cache / "tmp-killed").mkdir(parents=True)
    with pytest.raises(build.BuildError):
        build.build([a_unit()], lambda text: None)
    assert not (cache / "tmp-killed").exists()
