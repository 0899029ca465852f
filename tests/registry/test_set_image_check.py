"""``set-image --check`` and ``--pin-digest``, with a real registry, on manifests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.registry.local import Buildah, Done, Registry, run

NO_CLUSTER = {"KUBECONFIG": "/nonexistent", "HOME": "/nonexistent"}
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: inferenceservice-config, namespace: kserve}
data:
  predictors: |
    {"sklearn": {"v1": {"image": "kserve/sklearnserver", "defaultImageVersion": "v0.7.0"}},
     "tensorflow": {"image": "tensorflow/serving", "defaultImageVersion": "1", "defaultGpuImageVersion": "1-gpu"}}
  agent: |
    {"image": "kserve/agent:v0.7.0"}
"""
RUNTIME = """\
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterServingRuntime
metadata: {{name: {name}}}
spec:
  supportedModelFormats: [{{name: {framework}, version: "1", autoSelect: true}}]
  protocolVersions: [v1]
  containers:
    - name: kserve-container
      image: {image}
"""
SERVICE = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: default}
spec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: gs://a/b, runtimeVersion: old}}}
"""


@pytest.fixture(scope="module")
def images(registry: Registry, buildah: Buildah) -> Registry:
    """team/sk:1 and team/sk:2, of which only the first is for amd64."""
    buildah.push_empty(f"{registry.host}/team/sk:1", arch="amd64")
    buildah.push_empty(f"{registry.host}/team/sk:1-gpu", arch="amd64")
    buildah.push_empty(f"{registry.host}/team/sk:2", arch="arm64")
    return registry


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "kserve.yaml"
    path.write_text(CONFIG)
    return path


def runtimes(path: Path, framework: str = "sklearn", name: str = "kserve-sklearnserver") -> None:
    """Let the manifest be a ClusterServingRuntime."""
    path.write_text(RUNTIME.format(name=name, framework=framework, image="kserve/sklearnserver:v0.16.0"))


def set_image(manifest: Path, *arguments: str, version: str = "0.7") -> Done:
    return run("ksconfig", "set-image", *arguments, "-f", str(manifest), "--kserve-version", version, **NO_CLUSTER)


def digest(image: str) -> str:
    found = run("ksconfig", "images", "check", image, "--platform", "linux/amd64", "-o", "json", **NO_CLUSTER)
    return str(json.loads(found.out)["items"][0]["digest"])


def test_an_image_that_is_there_is_written(images: Registry, manifest: Path) -> None:
    done = set_image(manifest, "sklearn/v1", f"{images.host}/team/sk:1", "--check")
    assert done.code == 0, done.err
    assert "looked up: 1 image, there for linux/amd64" in done.err
    assert f'"image": "{images.host}/team/sk", "defaultImageVersion": "1"' in manifest.read_text()


def test_without_check_nothing_is_looked_up(images: Registry, manifest: Path) -> None:
    done = set_image(manifest, "agent", f"{images.host}/team/sk:9")
    assert (done.code, "looked up" in done.err) == (0, False)


@pytest.mark.parametrize(
    ("tag", "why"), [("9", "has no team/sk with 9"), ("2", "it is there for linux/arm64, not for linux/amd64")]
)
def test_an_image_that_is_not_there_is_refused(images: Registry, manifest: Path, tag: str, why: str) -> None:
    done = set_image(manifest, "sklearn/v1", f"{images.host}/team/sk:{tag}", "--check")
    assert done.code == 3
    assert "sklearn/v1 was not changed: it leads to an image that is not there" in done.err
    assert why in done.err
    assert manifest.read_text() == CONFIG


def test_every_image_that_is_missing_is_named(images: Registry, manifest: Path) -> None:
    one, two = f"{images.host}/team/sk:8", f"{images.host}/team/sk:9"
    done = set_image(manifest, f"sklearn/v1={one}", f"agent={two}", "--check")
    assert done.code == 3
    assert f"  {one} (sklearn/v1" in done.err
    assert f"  {two} (agent)" in done.err
    assert manifest.read_text() == CONFIG


def test_a_registry_that_does_not_answer_is_refused(manifest: Path) -> None:
    done = set_image(manifest, "agent", "127.0.0.1:1/team/sk:1", "--check")
    assert done.code == 3
    assert "not known to be there" in done.err
    assert "127.0.0.1:1 did not answer" in done.err
    assert manifest.read_text() == CONFIG


def test_the_image_for_services_with_a_gpu_is_looked_up_too(images: Registry, manifest: Path) -> None:
    image = f"{images.host}/team/sk:1"
    done = set_image(manifest, "tensorflow", image, "--gpu-version", "9-gpu", "--check")
    assert done.code == 3
    assert f"{images.host}/team/sk:9-gpu (tensorflow (GPU), new services of tensorflow with a GPU)" in done.err
    kept = ("--check", "--dry-run", "--allow", "old-gpu-version")
    good = set_image(manifest, "tensorflow", image, *kept)
    assert good.code == 0, good.err
    assert "looked up: 2 images" in good.err
    manifest.write_text(CONFIG.replace("1-gpu", "8-gpu"))
    stays = set_image(manifest, "tensorflow", image, *kept)
    assert stays.code == 3
    assert f"{images.host}/team/sk:8-gpu (tensorflow (GPU), new services of tensorflow with a GPU)" in stays.err


def test_the_new_repository_with_a_pinned_tag_is_looked_up(images: Registry, manifest: Path) -> None:
    runtimes(manifest)
    manifest.write_text(manifest.read_text() + "---\n" + SERVICE)
    arguments = ("sklearn", f"{images.host}/team/sk:1", "--check", "--allow", "pinned-tags")
    done = set_image(manifest, *arguments, version="0.16")
    assert done.code == 3
    assert f"{images.host}/team/sk:old (default/iris)" in done.err
    manifest.write_text(manifest.read_text().replace("runtimeVersion: old", 'runtimeVersion: "1"'))
    assert set_image(manifest, *arguments, version="0.16").code == 0


def test_a_digest_is_written_beside_the_tag_where_both_fit(images: Registry, manifest: Path) -> None:
    image = f"{images.host}/team/sk:1"
    done = set_image(manifest, "agent", image, "--check", "--pin-digest")
    assert done.code == 0, done.err
    assert f'"image": "{image}@{digest(image)}"' in manifest.read_text()
    runtimes(manifest)
    done = set_image(manifest, "sklearn", image, "--pin-digest", version="0.16")
    assert done.code == 0, done.err
    assert f"image: {image}@{digest(image)}\n" in manifest.read_text()


def test_a_digest_takes_the_place_of_the_tag_where_two_fields_are_joined(images: Registry, manifest: Path) -> None:
    image = f"{images.host}/team/sk:1"
    done = set_image(manifest, "sklearn/v1", image, "--check", "--pin-digest")
    assert done.code == 0, done.err
    digits = digest(image).removeprefix("sha256:")
    assert f'"image": "{images.host}/team/sk@sha256", "defaultImageVersion": "{digits}"' in manifest.read_text()
    again = set_image(manifest, "sklearn/v1", f"{images.host}/team/sk@sha256:{digits}", "--check", "--pin-digest")
    assert (again.code, again.out.strip().endswith("unchanged")) == (0, True), again.err


@pytest.mark.parametrize(
    ("framework", "name", "version", "why"),
    [
        ("tensorflow", "kserve-tensorflow-serving", "0.14", r"-gpu, which is no reference"),
        ("pytorch", "kserve-torchserve", "0.15", r"-gpu, which is no reference"),
    ],
)
def test_a_runtime_whose_images_get_gpu_appended_takes_no_digest(  # noqa: PLR0917
    images: Registry, manifest: Path, framework: str, name: str, version: str, why: str
) -> None:
    runtimes(manifest, framework, name)
    before = manifest.read_text()
    done = set_image(manifest, f"runtime/{name}", f"{images.host}/team/sk:1", "--pin-digest", version=version)
    assert done.code == 3
    assert re.search(f"runtime/{name} cannot have a digest: KServe {version}.*{why}", done.err)
    assert manifest.read_text() == before
    newer = set_image(manifest, f"runtime/{name}", f"{images.host}/team/sk:1", "--pin-digest", version="0.16")
    assert newer.code == 0, newer.err


def test_a_predictor_with_a_gpu_tag_takes_no_digest(images: Registry, manifest: Path) -> None:
    done = set_image(manifest, "tensorflow", f"{images.host}/team/sk:1", "--pin-digest")
    assert done.code == 3
    assert "which is no reference" in done.err
    assert manifest.read_text() == CONFIG


def test_a_service_whose_version_breaks_the_digest_is_named(images: Registry, manifest: Path) -> None:
    runtimes(manifest)
    manifest.write_text(manifest.read_text() + "---\n" + SERVICE)
    done = set_image(manifest, "sklearn", f"{images.host}/team/sk:1", "--pin-digest", version="0.14")
    assert done.code == 3
    assert "with a digest KServe could not serve default/iris" in done.err
    newer = set_image(manifest, "sklearn", f"{images.host}/team/sk:1", "--pin-digest", "--check", version="0.16")
    assert newer.code == 0, newer.err


def test_platform_without_a_look_is_a_usage_error(manifest: Path) -> None:
    assert set_image(manifest, "agent", "a/b:1", "--platform", "linux/arm64").code == 2


def test_from_the_build_to_the_manifest(registry: Registry, buildah: Buildah, manifest: Path, tmp_path: Path) -> None:
    source = tmp_path / "server"
    source.mkdir()
    buildah.push_empty(f"{registry.host}/python:3.8-slim", arch="amd64")
    (source / "server.py").write_text("print('serving')\n")
    (source / "Dockerfile").write_text(f"FROM {registry.host}/python:3.9-slim\nCOPY server.py /\n")
    tag = f"{registry.host}/team/sklearnserver:py38"
    built = run(
        "scripts/build-server-image", str(source), "--python", "3.8", "--tag", tag, "--tool", "buildah", "--push",
        **buildah.environment,
    )  # fmt: skip
    assert built.code == 0, built.err
    by_digest = built.out.strip()
    assert run("ksconfig", "images", "check", by_digest, **NO_CLUSTER).code == 0
    runtimes(manifest)
    done = set_image(manifest, "sklearn", tag, "--check", "--pin-digest", version="0.20")
    assert done.code == 0, done.err
    assert f"image: {tag}@{by_digest.partition('@')[2]}\n" in manifest.read_text()
    assert set_image(manifest, "sklearn", f"{tag}-none", "--check", version="0.20").code == 3
