"""A policy of the cluster refuses the second object of a change, and the way back of the first: nothing is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.api import ApiError
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import RUNTIMES, KServe, shortly

IMAGE = "reg.local:5000/team/sk:v9"
GROUP = "admissionregistration.k8s.io"
#: What may be updated: anything but the config, and runtimes to our own registry.
POLICIES = {
    "no-config": ("", "v1", "configmaps", "object.metadata.name != 'inferenceservice-config'"),
    "own-registry": (
        "serving.kserve.io", "v1alpha1", "clusterservingruntimes",
        "object.spec.containers[0].image.startsWith('reg.local')",
    ),
}  # fmt: skip


@contextmanager
def policies(kserve: KServe) -> Iterator[None]:
    """They hold inside the block."""
    made = []
    for name, (group, version, resource, expression) in POLICIES.items():
        rule = {"apiGroups": [group], "apiVersions": [version], "operations": ["UPDATE"], "resources": [resource]}
        spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": expression}]}
        binding = {"policyName": name, "validationActions": ["Deny"]}
        for kind, one in (("ValidatingAdmissionPolicy", spec), ("ValidatingAdmissionPolicyBinding", binding)):
            obj = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": one}
            made.append(kserve.api.path_of(kserve.api.create(obj)))
    touch = {"metadata": {"annotations": {"touched": "yes"}}}

    def refused(path: str) -> bool:
        try:
            kserve.api.patch(path, touch, dryRun="All")
        except ApiError as error:
            return error.code == 422
        return False

    try:
        shortly("they hold", lambda: refused(kserve.config_path) and refused(f"{RUNTIMES}/kserve-sklearnserver"))
        yield
    finally:
        for path in made:
            kserve.api.delete(path)
        shortly("they hold no more", lambda: not refused(kserve.config_path))


@pytest.mark.kserve("0.8.0")
def test_what_could_not_be_put_back_is_told_and_recorded_and_completed(kserve: KServe, ksconfig: CommandLine) -> None:
    before = kserve.config()
    with policies(kserve):
        done = ksconfig("set-image", "sklearn", IMAGE, "-o", "json")
    assert done.code == 1, done.err
    assert done.json["changed"]
    assert done.json["error"]["notDone"] == "only clusterservingruntime kserve-sklearnserver was written"
    assert "could not be put back" in done.json["error"]["advice"]
    assert kserve.config() == before
    (record,) = ksconfig.ok("history", "-o", "json").json["items"]
    assert record["state"] == "written"

    ksconfig.ok("set-image", "sklearn", IMAGE)

    assert kserve.config() != before
    assert ksconfig.ok("status", "-o", "json").json["unfinished"] == []
    ksconfig.ok("rollback", "--to-revision", "0")
    assert kserve.config() == before
    image = kserve.api.get(f"{RUNTIMES}/kserve-sklearnserver")["spec"]["containers"][0]["image"]
    assert image.startswith("kserve/sklearnserver")
