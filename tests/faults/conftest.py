"""A manifest in a directory of its own."""

from __future__ import annotations

from collections.abc import Iterator
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
def folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory that others may look into, as far as pytest's own directories are in the way."""
    top = tmp_path_factory.getbasetemp().parent
    mine = [parent for parent in (tmp_path, *tmp_path.parents) if top in (parent, *parent.parents)]
    modes = [parent.stat().st_mode for parent in mine]
    for parent, mode in zip(mine, modes, strict=True):
        parent.chmod(mode | 0o055)
    folder = tmp_path / "manifests"
    folder.mkdir()
    yield folder
    for parent, mode in zip(mine, modes, strict=True):
        parent.chmod(mode)


@pytest.fixture
def path(folder: Path) -> Path:
    path = folder / "kserve.yaml"
    path.write_text(MANIFEST)
    return path
