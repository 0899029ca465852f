"""A config that is not there, or not as KServe ships it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe

pytestmark = pytest.mark.kserve("0.7.0")


@pytest.fixture
def deleted(kserve: KServe, ksconfig: CommandLine) -> Iterator[dict[str, str]]:
    """The config is deleted after a change; gives what it held."""
    data = kserve.config()
    ksconfig.ok("set-image", "sklearn", "reg.local/sk:v9", "--no-restart")
    body = kserve.api.get(kserve.config_path)
    kserve.api.delete(kserve.config_path)
    yield data
    kserve.api.delete(kserve.config_path)
    kept = {name: value for name, value in body["metadata"].items() if name in ("name", "namespace", "labels")}
    kserve.api.create({**body, "data": data, "metadata": kept})


def test_status_says_that_it_is_missing(deleted: dict[str, str], ksconfig: CommandLine) -> None:
    done = ksconfig("status")
    assert "there is no ConfigMap inferenceservice-config in namespace kserve" in done.err
    assert done.code == 0


def test_rollback_says_that_it_is_gone_in_one_line(deleted: dict[str, str], ksconfig: CommandLine) -> None:
    done = ksconfig("rollback")
    assert done.code == 4
    assert "configmap kserve/inferenceservice-config is not there any more" in done.err
    assert all(len(line) < 300 for line in done.err.splitlines())


def test_images_advises_what_helps_on_a_cluster(deleted: dict[str, str], ksconfig: CommandLine) -> None:
    done = ksconfig("images")
    error = done.err[done.err.index("error: ") :]  # the line before names the cluster, which is random
    assert done.code == 1
    assert "with -n" in error
    assert "-f" not in error


def test_one_without_data_takes_its_first_key(deleted: dict[str, str], kserve: KServe, ksconfig: CommandLine) -> None:
    metadata = {"name": "inferenceservice-config", "namespace": "kserve"}
    kserve.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    ksconfig.ok("set", "logger.image", "kserve/agent:v0.7.0", "--allow", "new-key", "--no-restart")
    assert {key: json.loads(text) for key, text in kserve.config().items()} == {
        "logger": {"image": "kserve/agent:v0.7.0"}
    }
