"""``ksconfig images check``, and what registries may answer."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from tests.registry.local import PASSWORD, USER, Buildah, Registry, run

NO_CLUSTER = {"KUBECONFIG": "/nonexistent", "HOME": "/nonexistent"}


@pytest.fixture(scope="module")
def images(registry: Registry, buildah: Buildah) -> Registry:
    """Images for one platform, and an index of two."""
    for arch in ("amd64", "arm64"):
        buildah.push_empty(f"{registry.host}/team/one:{arch}", arch=arch)
    both = f"{registry.host}/team/both:1"
    buildah.run("manifest", "create", both)
    for arch in ("amd64", "arm64"):
        buildah.run("manifest", "add", "--tls-verify=false", both, f"docker://{registry.host}/team/one:{arch}")
    buildah.run("manifest", "push", "--all", "--tls-verify=false", both, f"docker://{both}")
    return registry


def check(*arguments: object, **environment: str) -> tuple[int, dict[str, dict[str, object]], str]:
    """The exit code, the items by image, and what is said."""
    done = run("ksconfig", "images", "check", *map(str, arguments), "-o", "json", **NO_CLUSTER | environment)
    items = json.loads(done.out)["items"] if done.out and "items" in done.out else []
    return done.code, {item["image"]: item for item in items}, done.err


def test_an_image_is_found_with_its_digest(images: Registry) -> None:
    image = f"{images.host}/team/one:amd64"
    code, items, _ = check(image)
    assert code == 0
    assert items[image]["result"] == "found"
    assert items[image]["platforms"] == ["linux/amd64"]
    by_digest = f"{images.host}/team/one@{items[image]['digest']}"
    code, again, _ = check(by_digest)
    assert (code, again[by_digest]["digest"]) == (0, items[image]["digest"])
    named = run("ksconfig", "images", "check", image, "-o", "name", **NO_CLUSTER)
    assert named.out == f"{image}@{items[image]['digest']}\n"


def test_an_index_is_there_for_several_platforms(images: Registry) -> None:
    image = f"{images.host}/team/both:1"
    code, items, _ = check(image, "--platform", "linux/amd64", "--platform", "linux/arm64")
    assert code == 0
    assert items[image]["platforms"] == ["linux/amd64", "linux/arm64"]


def test_what_is_not_there_ends_with_3(images: Registry) -> None:
    no_tag, no_repository = f"{images.host}/team/one:9", f"{images.host}/team/none:1"
    code, items, err = check(no_tag, no_repository, "no reference", f"{images.host}/team/one:arm64")
    assert code == 3
    assert items[no_tag]["result"] == items[no_repository]["result"] == "not-found"
    assert items["no reference"]["result"] == "no-reference"
    assert items[f"{images.host}/team/one:arm64"]["result"] == "no-platform"
    assert f"{no_tag}: {images.host} has no team/one with 9" in err
    assert "it is there for linux/arm64, not for linux/amd64" in err


def test_a_registry_that_does_not_answer_ends_with_1() -> None:
    code, items, err = check("127.0.0.1:1/team/one:1", "127.0.0.1:1/team/two:1")
    assert code == 1
    assert {item["result"] for item in items.values()} == {"unreachable"}
    assert "127.0.0.1:1 did not answer" in err
    assert "refused" in err


@pytest.fixture(scope="module")
def image(closed_registry: Registry, buildah: Buildah) -> str:
    """One that only a login shows."""
    reference = f"{closed_registry.host}/team/secret:1"
    more = (f"--creds={USER}:{PASSWORD}", f"--cert-dir={closed_registry.cert_dir}")
    buildah.push_empty(reference, *more, arch="amd64")
    return reference


class TestLogin:
    """A registry with TLS by a CA of its own that wants a login."""

    @staticmethod
    def docker(folder: Path, content: object) -> str:
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(content))
        return str(folder)

    @staticmethod
    def auth(password: str) -> dict[str, str]:
        return {"auth": base64.b64encode(f"{USER}:{password}".encode()).decode()}

    def test_of_the_configuration_of_docker(self, closed_registry: Registry, image: str, tmp_path: Path) -> None:
        config = self.docker(tmp_path, {"auths": {closed_registry.host: self.auth(PASSWORD)}})
        code, items, err = check(image, "--registry-ca", closed_registry.ca, DOCKER_CONFIG=config)
        assert (code, items[image]["result"]) == (0, "found"), err
        code, items, _ = check(image, DOCKER_CONFIG=config, SSL_CERT_FILE=str(closed_registry.ca))
        assert (code, items[image]["result"]) == (0, "found")

    def test_of_a_credential_helper(self, closed_registry: Registry, image: str, tmp_path: Path) -> None:
        helper = tmp_path / "docker-credential-mine"
        answer = json.dumps({"Username": USER, "Secret": PASSWORD})
        helper.write_text(f"#!/bin/sh\n[ \"$1 $(cat)\" = 'get {closed_registry.host}' ] && echo '{answer}'\n")
        helper.chmod(0o755)
        config = self.docker(tmp_path, {"credHelpers": {closed_registry.host: "mine"}})
        path = f"{tmp_path}:{os.environ['PATH']}"
        code, items, err = check(image, "--registry-ca", closed_registry.ca, DOCKER_CONFIG=config, PATH=path)
        assert (code, items[image]["result"]) == (0, "found"), err
        code, items, err = check(image, "--registry-ca", closed_registry.ca, DOCKER_CONFIG=config)
        assert (code, items[image]["result"]) == (1, "login-refused")
        assert "the credential helper docker-credential-mine is not installed" in err

    def test_refused(self, closed_registry: Registry, image: str, tmp_path: Path) -> None:
        config = self.docker(tmp_path, {"auths": {f"https://{closed_registry.host}": self.auth("wrong")}})
        code, items, err = check(image, "--registry-ca", closed_registry.ca, DOCKER_CONFIG=config)
        assert (code, items[image]["result"]) == (1, "login-refused")
        assert f'the login "{USER}" of Docker\'s configuration is refused' in err

    def test_none(self, closed_registry: Registry, image: str, tmp_path: Path) -> None:
        code, items, err = check(image, "--registry-ca", closed_registry.ca, DOCKER_CONFIG=str(tmp_path))
        assert (code, items[image]["result"]) == (1, "login-refused")
        assert f"docker login {closed_registry.host}" in err

    def test_a_ca_that_is_not_trusted(self, image: str, tmp_path: Path) -> None:
        code, items, err = check(image, DOCKER_CONFIG=str(tmp_path))
        assert (code, items[image]["result"]) == (1, "unreachable")
        assert "--registry-ca names the file of its CA" in err

    def test_files_that_cannot_be_read(self, image: str, tmp_path: Path) -> None:
        assert "cannot be read" in check(image, "--registry-ca", tmp_path / "none")[2]
        (tmp_path / "config.json").write_text("{")
        assert "is no JSON" in check(image, DOCKER_CONFIG=str(tmp_path))[2]
        (tmp_path / "no.pem").write_text("x")
        assert "holds no certificate" in check(image, "--registry-ca", tmp_path / "no.pem")[2]


def test_all_that_images_lists(images: Registry, tmp_path: Path) -> None:
    manifest = tmp_path / "kserve.yaml"
    manifest.write_text(
        f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: inferenceservice-config, namespace: kserve}}
data:
  predictors: |
    {{"tensorflow": {{"image": "{images.host}/team/one", "defaultImageVersion": "amd64",
                    "defaultGpuImageVersion": "gone-gpu"}}}}
  agent: |
    {{"image": "{images.host}/team/both:1"}}
"""
    )
    code, items, err = check("-f", manifest, "--kserve-version", "0.7")
    assert code == 3
    assert {image: (item["result"], item["usedBy"]) for image, item in items.items()} == {
        f"{images.host}/team/one:amd64": ("found", ["tensorflow"]),
        f"{images.host}/team/one:gone-gpu": ("not-found", ["tensorflow (GPU)"]),
        f"{images.host}/team/both:1": ("found", ["agent"]),
    }
    assert "looked up for linux/amd64 (-f names manifests, and no cluster)" in err
    table = run("ksconfig", "images", "-f", str(manifest), "check", "--platform", "linux/arm64", **NO_CLUSTER)
    assert table.code == 3
    assert table.out.splitlines()[0].split() == ["IMAGE", "RESULT", "DIGEST", "USED", "BY"]
    assert "no-platform" in table.out


def test_the_list_itself_is_as_it_was(images: Registry, tmp_path: Path) -> None:
    manifest = tmp_path / "kserve.yaml"
    manifest.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: inferenceservice-config}\n"
        'data:\n  agent: |\n    {"image": "a/b:1"}\n'
    )
    for arguments in (["images", "-f", str(manifest), "-o", "name"], ["-f", str(manifest), "images", "-o", "name"]):
        assert run("ksconfig", *arguments, **NO_CLUSTER).out == "agent\n"


def test_a_platform_that_is_none_is_a_usage_error() -> None:
    code, _, err = check("a.example/b:1", "--platform", "amd64")
    assert code == 2
    assert "Write it like linux/amd64" in err


def test_without_the_extra_one_error_names_it(tmp_path: Path) -> None:
    (tmp_path / "dxf.py").write_text("raise ImportError\n")
    done = run("ksconfig", "images", "check", "a.example/b:1", **NO_CLUSTER, PYTHONPATH=str(tmp_path))
    assert done.code == 2
    assert 'pip install "ksconfig[registry]"' in done.err
