"""No credential is in what commands on a real cluster print, or in the records that they leave."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe


@pytest.mark.kserve("0.20.0")
def test_the_token_is_in_no_output_and_in_no_record(kserve: KServe) -> None:
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    config = json.loads(kserve.sandbox.kubeconfig.read_text())
    token = config["users"][0]["user"]["token"]
    commands = [
        ["set-image", "agent", "reg.local/agent:v9", "-v", "--reason", "a test"],
        ["set-image", "explainer/art", "reg.local/art:v9", "-v", "-o", "json"],
        ["set", "deploy.defaultDeploymentMode", "Bogus", "-v"],
        ["history", "-v", "-o", "yaml"],
        ["history", "1", "-v"],
        ["status", "-v", "-o", "json"],
        ["rollback", "-v"],
        ["rollback", "-v", "--to-revision", "9"],
    ]
    for command in commands:
        done = ksconfig(*command)
        assert token not in done.out + done.err, command
        assert "internal error" not in done.err
    records = kserve.api.items(
        f"/api/v1/namespaces/{kserve.release.namespace}/configmaps",
        labelSelector="app.kubernetes.io/managed-by=ksconfig",
    )
    assert len(records) == 3
    for record in records:
        texts = gzip.decompress(base64.b64decode(record["binaryData"]["texts.json.gz"])).decode()
        told = json.dumps(record) + texts
        assert token not in told
        assert str(kserve.sandbox.kubeconfig) not in told
