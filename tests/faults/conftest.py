"""A manifest in a directory of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: inferenceservice-config
  namespace: kserve
data:
  agent: |-
    {"image": "kserve/agent:v1"}
  router: |-
    {"image": "kserve/router:v1"}
"""
RUNTIME = """\
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterServingRuntime
metadata:
  name: a
spec:
  containers:
  - name: kserve-container
    image: r/a:v1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory that others may look into."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == tmp_path.stat().st_uid and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    folder = tmp_path / "manifests"
    folder.mkdir()
    return folder


@pytest.fixture
def path(folder: Path) -> Path:
    path = folder / "kserve.yaml"
    path.write_text(MANIFEST)
    return path
