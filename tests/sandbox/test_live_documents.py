"""The documents that only a cluster gives: each is as the schema has it (`CommandLine` checks that), whatever the command."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.documents import check_document
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe

IMAGE = "reg.local:5000/team/sk:v9"


@pytest.mark.kserve("0.8.0")
def test_every_document_of_a_cluster_is_as_the_schema_says(kserve: KServe) -> None:
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    model = {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/iris", "runtime": "kserve-sklearnserver"}
    kserve.create("iris", {"model": model})
    kserve.wait_until_settled("iris")
    here = ("-n", kserve.namespace)

    def document(*arguments: str, code: int = 0) -> Any:
        done = ksconfig(*arguments, "-o", "json")
        assert done.code == code, done.err
        check_document(done.json)
        return done.json

    fields = None
    for line, kind, changed in (
        ("set-image sklearn=reg.local:5000/team/sk:v9 --in runtimes --dry-run", "Change", True),
        ("set-image sklearn=reg.local:5000/team/sk:v9 --in runtimes", "Change", True),
        ("set agent.cpuLimit 2 --no-restart", "Change", True),
        ("set agent.cpuLimit 2 --no-restart", "Change", False),
        ("rollback --no-restart", "Change", True),
        ("restart --no-wait", "Change", False),
        ("restart", "Change", False),
    ):
        found = document(*line.split())
        assert (found["kind"], found["changed"]) == (kind, changed), line
        assert fields in (None, list(found)), line  # one shape of all
        fields = list(found)
    foreseen = document("set-image", "runtime/kserve-sklearnserver", ":v10", "--dry-run")["impact"]["services"]
    assert [one["name"] for one in foreseen if one["namespace"] == kserve.namespace] == ["iris"]

    document("runtime", "create", "sk-new", "--from", "kserve-sklearnserver", "--image", IMAGE, *here)
    document("runtime", "use", "sk-new", "iris", "--no-wait", *here)
    listed = document("runtime", "list")
    assert listed["kind"] == "RuntimeList"
    assert (
        f"{kserve.namespace}/iris"
        in next(one for one in listed["items"] if one["name"].endswith("/sk-new"))["services"]
    )
    assert document("runtime", "delete", "sk-new", *here, code=3)["kind"] == "Error"

    history = document("history")["items"]
    assert [one["rollbackTo"] is None for one in history].count(False) == 1
    revision = document("history", str(history[0]["number"]))
    assert (revision["kind"], revision["diff"] != "") == ("Revision", True)
    assert revision["images"] == history[0]["images"]
    assert document("history", "999999", code=1)["error"]["type"] == "RevisionNotFound"
    status = document("status")
    assert (status["kind"], [one["name"] for one in status["services"]]) == ("Status", ["iris"])
    assert document("status", "--no-services")["services"] is None
    assert document("images")["items"][0]["usedBy"] is not None
    assert document("doctor")["kind"] == "Diagnosis"
    as_yaml = ksconfig.ok("history", "-o", "yaml").out
    assert YAML(typ="safe", pure=True).load(as_yaml)["items"] == document("history")["items"]
