"""Images of a cluster looked up in a real registry, and written with their digests."""

from __future__ import annotations

import pytest

from tests.registry.local import Buildah, Registry, missing
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"needs {', '.join(missing())}")
MODEL = {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/iris"}}


@pytest.fixture(scope="module")
def repository(registry: Registry, buildah: Buildah) -> str:
    """A repository whose tag 1 is for linux/amd64."""
    buildah.push_empty(f"{registry.host}/team/sk:1", arch="amd64")
    return f"{registry.host}/team/sk"


def platforms(kserve: KServe, *architectures: str) -> None:
    """Let the nodes be of some architectures."""
    nodes = kserve.sandbox.api().request("GET", "/api/v1/nodes")["items"]
    for node, architecture in zip(nodes, architectures, strict=True):
        status = {"nodeInfo": {**node["status"]["nodeInfo"], "operatingSystem": "linux", "architecture": architecture}}
        kserve.sandbox.api().patch(f"/api/v1/nodes/{node['metadata']['name']}/status", {"status": status})


@pytest.mark.kserve("0.20.0")
def test_what_is_not_there_for_every_node_is_not_written(
    kserve: KServe, ksconfig: CommandLine, repository: str
) -> None:
    before = kserve.remember().runtimes
    platforms(kserve, "amd64", "arm64")
    try:
        refused = ksconfig("set-image", "sklearn", f"{repository}:1", "--check")
        assert refused.code == 3
        assert "it is there for linux/amd64, not for linux/arm64" in refused.err
    finally:
        platforms(kserve, "amd64", "amd64")
    none = ksconfig("set-image", "sklearn", f"{repository}:9", "--check")
    assert none.code == 3
    assert f"{repository}:9" in none.err
    assert kserve.remember().runtimes == before
    assert ksconfig.ok("history", "-o", "json").json["items"] == []


@pytest.mark.kserve("0.20.0")
def test_services_run_by_the_digest_that_the_registry_told(
    kserve: KServe, ksconfig: CommandLine, repository: str
) -> None:
    platforms(kserve, "amd64", "amd64")
    kserve.create("iris", MODEL)
    kserve.wait_until_settled("iris")
    old = str(kserve.image("iris"))
    checked = ksconfig.ok("images", "check", f"{repository}:1", "-o", "json").json
    assert checked["platforms"] == ["linux/amd64"]
    by_digest = f"{repository}:1@{checked['items'][0]['digest']}"
    ksconfig.ok("set-image", "sklearn", f"{repository}:1", "--check", "--pin-digest")
    kserve.wait_for_image("iris", by_digest)
    ksconfig.ok("rollback")
    kserve.wait_for_image("iris", old)


@pytest.mark.kserve("0.20.0")
def test_the_version_of_a_service_is_looked_up_with_the_new_repository(
    kserve: KServe, ksconfig: CommandLine, repository: str
) -> None:
    kserve.create("pinned", {"model": {**MODEL["model"], "runtimeVersion": "old"}})
    kserve.wait_until_settled("pinned")
    arguments = ("set-image", "sklearn", f"{repository}:1", "--check", "--allow", "pinned-tags")
    refused = ksconfig(*arguments, "--platform", "linux/amd64")
    assert refused.code == 3
    assert f"{repository}:old ({kserve.namespace}/pinned)" in refused.err
