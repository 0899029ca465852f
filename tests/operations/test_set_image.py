"""`set_image` through the library: the GPU rules, digests, and the releases that they hold for."""

from __future__ import annotations

from typing import Any

import pytest

import ksconfig

HEAD = "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n  predictors: |-\n    "
TENSORFLOW = '{"tensorflow": {"image": "t/s", "defaultImageVersion": "1", "defaultGpuImageVersion": "1-gpu"}}'
DIGEST = "sha256:" + "ab" * 32


def manifests(text: str = TENSORFLOW, version: str = "0.7") -> ksconfig.Manifests:
    """A config with these predictors, of a release."""
    return ksconfig.loads(f"{HEAD}{text}\n", kserve_version=version)


@pytest.mark.parametrize(
    ("image", "more", "reason"),
    [
        ("r/t:2", {}, "old tag: r/t:1-gpu"),
        ("r/t", {}, "old tag: r/t:1-gpu"),
        ("r/t:2", {"gpu_version": "2"}, 'lacks "-gpu"'),
        (":2-gpu", {}, 'holds "-gpu"'),
        (f"r/t@{DIGEST}", {}, "no reference"),
        (f"r/t@{DIGEST}", {"gpu_version": "2-gpu"}, "no reference"),
    ],
)
def test_a_tag_that_services_with_a_gpu_could_not_use_is_refused(image: str, more: dict[str, Any], reason: str) -> None:
    loaded = manifests()
    with pytest.raises(ksconfig.Refused, match=reason) as caught:
        loaded.set_image("tensorflow", image, **more)
    assert caught.value.allow in ("old-gpu-version", "gpu-rule")
    assert loaded.diff() == ""


@pytest.mark.parametrize(
    ("image", "more", "after"),
    [
        (":2", {}, ["t/s", "2", "1-gpu"]),
        ("t/s:2", {}, ["t/s", "2", "1-gpu"]),
        ("r/t:2", {"gpu_version": "2-gpu"}, ["r/t", "2", "2-gpu"]),
        (":2", {"gpu_version": "tensorflow=2-gpu-x"}, ["t/s", "2", "2-gpu-x"]),
        ("r/t:2", {"allow": "old-gpu-version"}, ["r/t", "2", "1-gpu"]),
        (":2-gpu", {"allow": ("gpu-rule",)}, ["t/s", "2-gpu", "1-gpu"]),
    ],
)
def test_what_is_wanted_is_written(image: str, more: dict[str, Any], after: list[str]) -> None:
    loaded = manifests()
    loaded.set_image("tensorflow", image, **more)
    assert list(loaded.get("predictors.tensorflow").values()) == after


def test_a_repository_moves_with_its_digest() -> None:
    loaded = manifests('{"onnx": {"image": "o/s@sha256", "defaultImageVersion": "' + "ab" * 32 + '"}}')
    loaded.set_image("onnx", "registry.example:5000/o/s")
    assert loaded.images()[0].image == f"registry.example:5000/o/s@{DIGEST}"
    loaded.set_image("onnx", ":3")
    assert loaded.images()[0].image == "registry.example:5000/o/s:3"


def test_pytorch_had_no_gpu_rule_in_0_2() -> None:
    flat = '{"pytorch": {"image": "p/s", "defaultImageVersion": "1", "allowedImageVersions": ["1"]}}'
    manifests(flat, "0.2").set_image("pytorch", ":1-gpu")
    with pytest.raises(ksconfig.Refused, match='holds "-gpu"'):
        manifests(flat, "0.3").set_image("pytorch", ":1-gpu")


def test_a_new_tag_joins_the_allowed_ones_in_0_2_and_0_3_only() -> None:
    flat = '{"sklearn": {"image": "s/k", "defaultImageVersion": "1", "allowedImageVersions": ["1"]}}'
    for version, allowed in (("0.2", ["1", "2"]), ("0.3", ["1", "2"]), ("0.4", ["1"])):
        loaded = manifests(flat, version)
        loaded.set_image("sklearn", ":2")
        assert loaded.get("predictors.sklearn.allowedImageVersions") == allowed


def test_a_framework_without_an_image_gets_one() -> None:
    loaded = manifests('{"onnx": {"supportedFrameworks": ["onnx"]}}')
    loaded.set_image("onnx", "o/s:1")
    assert loaded.images()[0].image == "o/s:1"


def test_frameworks_of_0_8_and_0_9_say_that_runtimes_are_left() -> None:
    nested = '{"sklearn": {"v1": {"image": "s/k", "defaultImageVersion": "1"}}}'
    for version, said in (("0.7", False), ("0.8", True), ("0.9", True)):
        loaded = manifests(nested, version)
        loaded.set_image("sklearn", ":2")
        assert ("runtimes-left" in [notice.code for notice in loaded.notices]) is said


def test_leftover_predictors_of_later_releases_are_not_read() -> None:
    loaded = manifests(version="0.11")
    with pytest.raises(ksconfig.Refused, match="ClusterServingRuntimes") as caught:
        loaded.set_image("tensorflow", ":2")
    assert caught.value.allow == "unread"
    assert loaded.set_image("tensorflow", ":2", allow="unread")
