"""The model of services against the real KServe, a few cases of each dimension; scripts/conformance tries more."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "conformance"
MANIFESTS = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris}
spec: {predictor: {sklearn: {storageUri: gs://models/iris}}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris}
spec: {predictor: {xgboost: {storageUri: gs://models/iris, runtimeVersion: "2"}}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: both}
spec: {predictor: {sklearn: {}, xgboost: {}}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: misspelt}
spec: {predictor: {sklean: {storageUri: gs://models/iris}}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: of-a-later-release}
spec: {predictor: {huggingface: {storageUri: gs://models/iris}}}
---
apiVersion: serving.kubeflow.org/v1alpha2
kind: InferenceService
metadata: {name: old}
spec: {default: {predictor: {sklearn: {storageUri: gs://models/iris}}}}
"""


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.parametrize(
    "release", [pytest.param(name, marks=pytest.mark.kserve(name)) for name in ("0.7.0", "0.20.0")]
)
def test_the_model_agrees_with_the_real_kserve(release: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    done = conformance("--kserve", release, "--count", "40", "--seed", "5", "--keep", str(kept))
    assert done.stdout.splitlines()[-1] == "cases 40 agree 40 differ 0", done.stdout + done.stderr
    assert done.returncode == 0
    assert kept.exists()


@pytest.mark.kserve("0.8.0")
def test_manifests_of_others_are_tried(tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(MANIFESTS)
    done = conformance("--kserve", "0.8.0", "--services", str(tmp_path))
    assert done.stdout.splitlines()[-1] == "cases 4 agree 4 differ 0", done.stdout + done.stderr
    assert "this release has no spec.predictor.huggingface" in done.stdout
    assert "not with serving.kubeflow.org/v1alpha2" in done.stdout
    assert done.returncode == 0


@pytest.mark.kserve("0.8.0")
def test_nothing_to_try_is_a_failure(tmp_path: Path) -> None:
    done = conformance("--kserve", "0.8.0", "--services", str(tmp_path))
    assert done.stdout.splitlines()[-1] == "cases 0 agree 0 differ 0"
    assert done.returncode == 1
