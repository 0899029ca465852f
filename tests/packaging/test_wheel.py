"""What users install: a wheel, in a clean environment, from any directory."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("ksconfig", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def run(*command: str | Path, cwd: Path, seconds: int = 300) -> str:
    """Run a program without anything of this environment; what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    kept["KSCONFIG_COMPLETION_SECONDS"] = "30"
    done = subprocess.run(
        [str(one) for one in command], cwd=cwd, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=seconds,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def reachable(host: str) -> bool:
    """Whether packages can be had."""
    if any(name.lower() in ("https_proxy", "pip_index_url", "pip_no_index") for name in os.environ):
        return True
    try:
        socket.create_connection((host, 443), 10).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources."""
    if os.environ.get("CI", "") in ("", "0", "false") and not reachable("pypi.org"):
        pytest.skip("packages cannot be had: pypi.org does not answer")
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "dist", folder, cwd=folder)
    (found,) = (folder / "dist").iterdir()
    return found


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment that has the wheel and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    found = folder / "venv" / "bin"
    run(found / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel, cwd=folder)
    return found


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory with a manifest, and no source."""
    shutil.copy(ROOT / "examples/inferenceservice-config.yaml", tmp_path / "kserve.yaml")
    return tmp_path


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = message_from_string(archive.read(next(n for n in names if n.endswith("METADATA"))).decode())
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"ksconfig"}
    assert {"ksconfig/py.typed", "ksconfig/schema/ksconfig-v1.json"} <= {*names}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "ksconfig").rglob("*.py")}
    assert modules == {name for name in names if name.endswith(".py")}
    assert metadata.get_all("Provides-Extra") == ["registry", "test", "dev"]
    assert metadata["Requires-Python"] == ">=3.10"
    plain = [one.partition(" ")[0] for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert [one.rstrip("<>=,.0123456789") for one in plain] == ["click", "kubernetes", "ruamel.yaml", "tenacity"]


def test_it_works_from_another_directory(programs: Path, elsewhere: Path) -> None:
    where = run(programs / "python", "-c", "import ksconfig; print(ksconfig.__file__)", cwd=elsewhere)
    assert Path(where).is_relative_to(programs.parent)
    version = run(programs / "ksconfig", "--version", cwd=elsewhere)
    assert version.startswith("ksconfig ")
    images = run(programs / "python", "-m", "ksconfig", "images", "-f", "kserve.yaml", "-o", "json", cwd=elsewhere)
    assert json.loads(images)["kind"] == "ImageList"
    run(programs / "ksconfig", "set-image", "agent", ":v9", "-f", "kserve.yaml", cwd=elsewhere)
    agent = ("get", "agent.image", "-f", "kserve.yaml")
    assert run(programs / "ksconfig", *agent, cwd=elsewhere) == "kserve/agent:v9\n"
    assert json.loads(run(programs / "ksconfig", "schema", cwd=elsewhere))["title"] == "ksconfig/v1"


def test_the_plugin_comes_with_it(programs: Path, elsewhere: Path) -> None:
    assert run(programs / "kubectl-ksconfig", "-h", cwd=elsewhere).startswith("Usage: kubectl ksconfig ")
    assert run(programs / "kubectl_complete-ksconfig", "runtime", "pro", cwd=elsewhere).startswith("promote\t")
    assert "_ksconfig_completion" in run(programs / "ksconfig", "completion", "fish", cwd=elsewhere)


def test_what_needs_an_extra_says_so(programs: Path, elsewhere: Path) -> None:
    done = subprocess.run(
        [programs / "ksconfig", "images", "check", "reg.invalid/x:1", "--platform", "linux/amd64"], cwd=elsewhere,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 'pip install "ksconfig[registry]"' in done.stderr
    assert done.returncode in (1, 2)
