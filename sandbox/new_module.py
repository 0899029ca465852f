"""Write the go.mod and go.sum that build a release's controller: ``scripts/sandbox module VERSION``."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from sandbox.build import GO, MODULES, BuildError, go_environment
from sandbox.releases import Release

# Old releases do not compile with a new Go unless these are newer than what they ask for.
_RAISED = ("golang.org/x/sys@v0.49.0", "golang.org/x/tools@v0.52.0", "golang.org/x/net@v0.62.0")
# The host vbom.ml is gone; the module moved.
_MOVED = "vbom.ml/util=github.com/fvbommel/util@v0.0.0-20180919145318-efcd4e0f9787"


def write(release: Release) -> Path:
    """Make the module of a release; what it requires is looked up now and pinned by its hashes.

    Raises:
        BuildError: the release's module or one that it needs cannot be had.
    """
    folder = MODULES / f"kserve-{release.name}"
    try:
        _write(release, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _write(release: Release, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(
        f"module ksconfig.example/sandbox/kserve-{release.name}\n\ngo {'.'.join(map(str, GO))}.0\n\n"
        f"tool {release.module}/cmd/manager\n\nrequire {release.module} {release.version}\n"
    )
    (folder / "go.sum").unlink(missing_ok=True)
    # A module's replacements count only where it is the main one, so they are taken over from its own go.mod.
    its_own = json.loads(_go(folder, "mod", "download", "-json", f"{release.module}@{release.version}"))["GoMod"]
    replaced = json.loads(_go(folder, "mod", "edit", "-json", its_own)).get("Replace") or []
    changes = [f"-replace={_named(one['Old'])}={_named(one['New'])}" for one in replaced]
    _go(folder, "mod", "edit", *changes, f"-replace={_MOVED}", *(f"-require={one}" for one in _RAISED))
    _go(folder, "mod", "tidy", "-e")  # -e: tests of old releases import what is gone
    # Tidy sums what tests need too; only what the program needs is kept.
    (folder / "go.sum").unlink()
    _go(folder, "list", "-deps", f"{release.module}/cmd/manager")
    _go(folder, "mod", "download", release.module)


def _named(module: dict[str, Any]) -> str:
    return f"{module['Path']}@{module['Version']}" if module.get("Version") else str(module["Path"])


def _go(folder: Path, *arguments: str) -> str:
    environment = go_environment() | {"GOFLAGS": "-mod=mod -modcacherw"}
    done = subprocess.run(["go", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()  # `go mod download -json` complains in its JSON
        raise BuildError(f"{folder.name} was not written: go {' '.join(arguments)}: {said}")
    return done.stdout
