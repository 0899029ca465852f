"""The commands of docs/images.md, one after the other, on a real builder, a real registry and the real KServe."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.stories import ROOT, shown_only
from tests.registry.local import Buildah, Registry, missing
from tests.sandbox.kserve import KServe

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"needs {', '.join(missing())}")
COMMANDS = [command for page, command in shown_only() if page == "images.md" and not command.startswith("pip ")]
RESULTS = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs/images.md").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def base(registry: Registry, buildah: Buildah) -> str:
    """The image that the server is to be built on, without its tag."""
    buildah.push_empty(f"{registry.host}/python:3.8-slim", arch="amd64")
    return f"{registry.host}/python"


@pytest.mark.kserve("0.20.0")
def test_a_server_goes_from_its_dockerfile_to_the_cluster_as_shown(
    kserve: KServe, base: str, registry: Registry, buildah: Buildah, tmp_path: Path
) -> None:
    checkout = tmp_path / "kserve/python"
    checkout.mkdir(parents=True)
    (checkout / "sklearn.Dockerfile").write_text(f"ARG PYTHON=3.9\nFROM {base}:${{PYTHON}}-slim\n")
    shutil.copy(ROOT / "examples/inferenceservice-config.yaml", tmp_path / "kserve.yaml")
    shutil.copy(ROOT / "examples/sklearn-runtime.yaml", tmp_path / "runtimes.yaml")
    environment = buildah.environment | {
        "KUBECONFIG": str(kserve.sandbox.kubeconfig),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def run(command: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(command.replace("registry.example", registry.host))
        if words[0].startswith("scripts/"):
            words[0] = str(ROOT / words[0])
        else:
            words[:1] = [sys.executable, "-m", "ksconfig"]
        return subprocess.run(
            words, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    build, whole, files, one, write = COMMANDS

    built = run(build)
    assert built.returncode == 0, built.stderr
    assert re.fullmatch(rf"{registry.host}/team/sklearnserver@sha256:[0-9a-f]{{64}}\n", built.stdout)

    for command in (whole, files):  # what the cluster and the manifests name lies in registries out of reach
        looked = run(f"{command} -o json --timeout 20s")
        assert looked.returncode in (1, 3), looked.stderr
        found = {item["result"] for item in json.loads(looked.stdout)["items"]}
        assert found
        assert found <= RESULTS

    there = run(one)
    assert there.returncode == 0, there.stderr
    digest = built.stdout.strip().partition("@")[2]
    assert digest in there.stdout

    written = run(write)
    assert written.returncode == 0, written.stderr
    containers = kserve.remember().runtimes["kserve-sklearnserver"]["spec"]["containers"]
    images = [container["image"] for container in containers]
    assert images == [f"{registry.host}/team/sklearnserver:py38@{digest}"]
