"""A manifest of our own, and a way to run the command line as a user does: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.documents import check_output

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: inferenceservice-config
  namespace: kserve
data:
  predictors: |-
    {
        "sklearn": {
          "v1": {
            "image" : "kserve/sklearnserver",
            "defaultImageVersion": "v0.7.0"
          },
          "v2": {
            "image" : "docker.io/seldonio/mlserver",
            "defaultImageVersion": "0.2.1"
          }
        },
        "pytorch": {
          "v1": {"image": "kserve/pytorchserver", "defaultImageVersion": "v0.7.0",
                 "defaultGpuImageVersion": "v0.7.0-gpu"},
          "v2": {"image": "pytorch/torchserve-kfs", "defaultImageVersion": "0.4.1",
                 "defaultGpuImageVersion": "0.4.1-gpu"}
        },
        "tensorflow": {
            "image": "tensorflow/serving",
            "defaultImageVersion": "1.14.0",
            "defaultGpuImageVersion": "1.14.0-gpu",
            "multiModelServer": false
        }
    }
  explainers: |-
    {"alibi": {"image": "kserve/alibi-explainer", "defaultImageVersion": "v0.7.0"}}
  storageInitializer: |-
    {"image": "kserve/storage-initializer:v0.7.0", "cpuLimit": "1"}
  agent: |-
    {"image": "kserve/agent:v0.7.0", "cpuLimit": "1"}
  logger: |-
    {"image": "kserve/agent:v0.7.0", "defaultUrl": "http://default-broker"}
  ingress: |-
    {"ingressGateway": "a/b", "ingressService": "c", "ingressDomain": "example.com"}
  deploy: |-
    {"defaultDeploymentMode": "Serverless"}
  credentials: |-
    {}
"""


class Outcome(NamedTuple):
    """What a process did."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The manifest as a file called kserve.yaml, in the directory where commands run."""
    path = tmp_path / "kserve.yaml"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``python -m ksconfig`` with arguments; its documents are held to the schema."""

    def call(*arguments: str, stdin: str = "", **environment: str) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "ksconfig", *arguments],
            input=stdin.encode(),
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, **environment},
            timeout=60,
            check=False,
        )
        check_output(done.stdout.decode())
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether something becomes true within this time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def runs(process: int) -> bool:
    """Whether a process runs; one that has ended and that nobody waited for does not."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] not in ("", "Z")
