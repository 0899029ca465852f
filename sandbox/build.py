"""Go modules to programs: each is built once for a machine and kept under the user's cache directory.

A unit is a folder of ``sandbox/modules`` with its go.mod and go.sum. What it was built from names its folder in the
cache, so a changed module is built anew and two checkouts do not disturb one another. Go's own caches lie beside them
while a build runs, and are deleted after it: they are ten times the size of what they leave.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.releases import RELEASES, Release

MODULES = Path(__file__).parent / "modules"
GO = (1, 26)
_FORMAT = 1  # of what lies in the cache
_UNUSED_DAYS = 30
_KUBERNETES_STAMP = "-X k8s.io/component-base/version.gitVersion={0} " + " ".join(
    f"-X k8s.io/component-base/version.git{part}={{{at}}}" for at, part in enumerate(("Major", "Minor"), 1)
)

Say = Callable[[str], None]


class BuildError(Exception):
    """A program could not be built; the message says why and what to do."""


@dataclass(frozen=True)
class Unit:
    """A Go module of the project and the programs that it gives.

    Attributes:
        programs: package of each program by the name that it gets.
        gigabytes: what Go's caches and the programs take at their height, if nothing is there yet.
    """

    name: str
    programs: dict[str, str]
    flags: str
    gigabytes: float
    release: Release | None = None

    @property
    def folder(self) -> Path:
        """Where it lies in the cache, built or not."""
        return cache() / f"{self.name}-{self._digest()}"

    @property
    def built(self) -> bool:
        """Whether its programs are there."""
        return self.folder.is_dir()

    def _digest(self) -> str:
        manifests = self.release and (self.release.install, self.release.manifests_from)
        digest = hashlib.sha256(repr((_FORMAT, self.programs, self.flags, manifests)).encode())
        for file in ("go.mod", "go.sum"):
            digest.update((MODULES / self.name / file).read_bytes())
        return digest.hexdigest()[:12]


def cache() -> Path:
    """The folder of all that is kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ksconfig-sandbox"


def kubernetes() -> Unit:
    """The API server, the controllers of Kubernetes, its scheduler and kubectl."""
    version = _required_version("kubernetes", "k8s.io/kubernetes")
    stamp = _KUBERNETES_STAMP.format(version, *version.removeprefix("v").split(".")[:2])
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
    return Unit("kubernetes", {name: f"k8s.io/kubernetes/cmd/{name}" for name in names}, f"-s -w {stamp}", 7)


def etcd_and_kwok() -> Unit:
    """etcd, and kwok, which plays nodes without containers."""
    programs = {"etcd": "go.etcd.io/etcd/server/v3", "kwok": "sigs.k8s.io/kwok/cmd/kwok"}
    return Unit("etcd-kwok", programs, "-s -w", 2)


def kserve(release: Release) -> Unit:
    """KServe's controller of a release, and its manifests."""
    # Old releases reach into packages of Go itself by link names, which a newer linker refuses unless told.
    flags = "-s -w -checklinkname=0"
    return Unit(f"kserve-{release.name}", {"manager": f"{release.module}/cmd/manager"}, flags, 2, release)


def units_for(releases: Iterable[Release]) -> list[Unit]:
    """All that a sandbox of each of these releases needs."""
    return [kubernetes(), etcd_and_kwok(), *(kserve(release) for release in releases)]


def missing_go() -> str:
    """What is wrong with the machine's Go; empty if it will do."""
    wanted = ".".join(map(str, GO))
    advice = f"install Go {wanted} or later (https://go.dev/dl) and put it on PATH"
    if not shutil.which("go"):
        return f"no Go on this machine: {advice}"
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout.strip()
    number = said.removeprefix("go").split("-")[0].split("rc")[0].split(".")
    if tuple(int(part) for part in number[:2] if part.isdigit()) < GO:
        return f"Go is {said or 'broken'} here: {advice}"
    return ""


def build(units: Iterable[Unit], say: Say, keep_caches: bool = False) -> None:
    """Build what is not there yet, one after the other; a second build at once waits for the first.

    Raises:
        BuildError: no Go, no room, or a module that cannot be fetched or compiled.
    """
    units = list(units)
    for unit in units:
        if unit.built:
            with contextlib.suppress(OSError):  # somebody else's cache
                os.utime(unit.folder)  # used today: see _forget_unused
    if all(unit.built for unit in units):
        return
    if problem := missing_go():
        raise BuildError(f"The sandbox was not built: {problem}.")
    with _only_one(say):
        missing = [unit for unit in units if not unit.built]
        _check_room(missing)
        for at, unit in enumerate(missing, 1):
            _build_one(unit, f"[{at}/{len(missing)}] {unit.name}", say)
        if not keep_caches:
            shutil.rmtree(_go_caches(), ignore_errors=True)
        _forget_unused({unit.folder for unit in units})


@contextlib.contextmanager
def _only_one(say: Say) -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another build is running; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in cache().glob("tmp-*"):  # of a build that was killed
            shutil.rmtree(left, ignore_errors=True)
        yield


def _check_room(units: list[Unit]) -> None:
    free = shutil.disk_usage(cache()).free / 1e9
    needed = sum(unit.gigabytes for unit in units)
    if free < needed:
        raise BuildError(
            f"The sandbox was not built: {cache()} has {free:.1f} GB of free disk space, and building "
            f"{', '.join(unit.name for unit in units)} takes up to {needed:.0f} GB, most of it for a while only. "
            "Make room, or name another place with XDG_CACHE_HOME."
        )


def _build_one(unit: Unit, title: str, say: Say) -> None:
    begin = time.monotonic()
    say(f"{title}: fetching and compiling ...")
    work = Path(tempfile.mkdtemp(prefix="tmp-", dir=cache()))
    try:
        for name, package in unit.programs.items():
            _compile(unit, package, work / name, title, say)
        if unit.release:
            (work / "objects.json").write_text(json.dumps(_manifests(unit.release)))
        if unit.name == "etcd-kwok":
            stages = _module_folder(unit.name, "sigs.k8s.io/kwok") / "kustomize/stage"
            files = [*sorted((stages / "pod/fast").glob("pod-*.yaml")), stages / "node/fast/node-initialize.yaml"]
            (work / "stages.json").write_text(json.dumps(_documents(files)))
        work.rename(unit.folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    size = sum(file.stat().st_size for file in unit.folder.iterdir()) / 1e6
    say(f"{title}: done in {time.monotonic() - begin:.0f} s, {size:.0f} MB")


def _compile(unit: Unit, package: str, output: Path, title: str, say: Say) -> None:
    """``go build`` with a line of progress now and then; it says the packages that it compiles."""
    command = ["go", "build", "-v", "-trimpath", "-ldflags", unit.flags, "-o", str(output), package]
    said: list[str] = []
    compiled, last = 0, time.monotonic()
    with subprocess.Popen(
        command, cwd=MODULES / unit.name, env=go_environment(), stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stderr
        try:
            for line in process.stderr:
                if line.startswith("go: downloading"):
                    continue
                said = [*said[-39:], line]
                compiled += 1
                if time.monotonic() - last > 15:
                    last = time.monotonic()
                    say(f"{title}: {output.name}: {compiled} packages compiled")
        except BaseException:  # Ctrl-C, mostly
            process.terminate()
            raise
    if process.returncode:
        raise BuildError(
            f"{unit.name} was not built: {' '.join(command[:2])} {package} failed.\n{''.join(said).rstrip()}"
        )


def _manifests(release: Release) -> list[dict[str, Any]]:
    origin = RELEASES[release.manifests_from]
    folder = _module_folder(f"kserve-{origin.name}", origin.module) / "install"
    return _documents(folder / file for file in release.install)


def _documents(files: Iterable[Path]) -> list[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for file in files for document in yaml.load_all(file.read_text(), Loader=loader) if document]


def _module_folder(unit: str, module: str) -> Path:
    """Where Go keeps the source of a module that a unit requires, fetched and checked against its go.sum."""
    command = ["go", "mod", "download", "-json", module]
    done = subprocess.run(
        command, cwd=MODULES / unit, env=go_environment(), capture_output=True, text=True, check=False
    )
    answer = json.loads(done.stdout or "{}")
    if "Dir" not in answer:
        raise BuildError(f"{unit} was not built: {' '.join(command)}: {answer.get('Error') or done.stderr.strip()}")
    return Path(answer["Dir"])


def _required_version(unit: str, module: str) -> str:
    for line in (MODULES / unit / "go.mod").read_text().splitlines():
        words = line.removeprefix("require").split()
        if words[:1] == [module] and words[1].startswith("v"):
            return words[1]
    raise BuildError(f"{MODULES / unit / 'go.mod'} does not require {module}.")


def _go_caches() -> Path:
    return cache() / "go"


def go_environment() -> dict[str, str]:
    """The environment of every go command: caches of our own, nothing but modules."""
    caches = _go_caches()
    return os.environ | {
        "GOCACHE": str(caches / "build"),
        "GOMODCACHE": str(caches / "modules"),
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",  # no C compiler needed, and programs that run in any root file system
    }


def _forget_unused(used: set[Path]) -> None:
    limit = time.time() - _UNUSED_DAYS * 86400
    for folder in cache().glob("*-????????????"):
        if folder not in used and folder.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)
