"""The Roles of docs/rbac.yaml are enough for each command, and no right of theirs is missing unnamed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.api import Object
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe

ROOT = Path(__file__).parents[2]
ROLES: list[Object] = list(yaml.safe_load_all((ROOT / "docs/rbac.yaml").read_text()))
GROUP = "rbac.authorization.k8s.io"
RBAC = f"/apis/{GROUP}/v1"


class Restricted:
    """A ServiceAccount with roles made of those of docs/rbac.yaml, and a command line that is it."""

    def __init__(self, kserve: KServe, folder: Path) -> None:
        self.kserve = kserve
        self.name = kserve.namespace
        self.made: list[str] = []
        place = {"namespace": kserve.namespace, "name": self.name}
        kserve.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place})
        self.subject = {"kind": "ServiceAccount", **place}
        token = kserve.api.request(
            "POST", f"/api/v1/namespaces/{kserve.namespace}/serviceaccounts/{self.name}/token", {}
        )["status"]["token"]
        config = json.loads(kserve.sandbox.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        path = folder / f"{self.name}.kubeconfig"
        path.write_text(json.dumps(config))
        self.ksconfig = CommandLine(path)

    def grant(self, *names: str, without: tuple[str, str, str] | None = None) -> None:
        """Give it exactly these roles; ``without`` takes a verb away: of roles of a kind ("" for both), resource, verb."""
        self.revoke()
        for role in copy.deepcopy(ROLES):
            if role["metadata"]["name"] not in names:
                continue
            kind = role["kind"]
            if without:
                _take_away(role, without)
            role["metadata"]["name"] = f"{self.name}-{role['metadata']['name']}"
            binding: dict[str, Any] = {
                "apiVersion": f"{GROUP}/v1",
                "kind": f"{kind}Binding",
                "metadata": dict(role["metadata"]),
                "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role["metadata"]["name"]},
                "subjects": [self.subject],
            }
            for one in (role, binding):
                self.kserve.api.create(one)
                self.made.append(self.kserve.api.path_of(one))

    def revoke(self) -> None:
        """Take all roles away."""
        for path in self.made:
            self.kserve.api.delete(path)
        self.made = []


def _take_away(role: Object, without: tuple[str, str, str]) -> None:
    """Take a verb on a resource away, from every rule that grants it of a role of the kind, or of both kinds."""
    kind, resource, verb = without
    if kind and role["kind"] != kind:
        return
    rules = []
    for rule in role["rules"]:
        if resource not in rule["resources"] or verb not in rule["verbs"]:
            rules.append(rule)
            continue
        others = [one for one in rule["resources"] if one != resource]
        if others:
            rules.append({**rule, "resources": others})
        left = [one for one in rule["verbs"] if one != verb]
        if left:
            rules.append({**rule, "resources": [resource], "verbs": left})
    role["rules"] = rules


@pytest.fixture
def restricted(kserve: KServe, tmp_path: Path) -> Iterator[Restricted]:
    made = Restricted(kserve, tmp_path)
    yield made
    made.revoke()


@pytest.mark.kserve("0.20.0")
def test_the_roles_are_enough_for_each_command(kserve: KServe, restricted: Restricted) -> None:
    restricted.grant("ksconfig-reader")
    for command in (["images"], ["get", "ingress.ingressDomain"], ["doctor"], ["history"], ["status"]):
        done = restricted.ksconfig.ok(*command)
        assert "warning" not in done.err, (command, done.err)
    refused = restricted.ksconfig("set-image", "sklearn", "reg.local/sk:v9")
    assert refused.code == 1
    assert "patch clusterservingruntimes.serving.kserve.io kserve-sklearnserver" in refused.err

    restricted.grant("ksconfig-reader", "ksconfig-writer")
    for command in (
        ["set-image", "sklearn", "reg.local/sk:v9"],
        ["set", "explainers.art.image", "reg.local/art", "--no-restart"],
        ["rollback", "--no-restart"],
        ["unset", "router.headers"],
        ["restart"],
        ["rollback"],
    ):
        done = restricted.ksconfig.ok(*command)
        assert "was not seen" not in done.err, (command, done.err)


#: A right taken away, a command, its exit code, and what it says.
TAKEN: list[tuple[tuple[str, str, str], list[str], int, str]] = [
    (("Role", "configmaps", "get"), ["images"], 1, "may not get configmaps in namespace kserve"),
    (("Role", "configmaps", "list"), ["history"], 1, "may not list configmaps in namespace kserve"),
    (("Role", "configmaps", "list"), ["set-image", "agent", ":v9"], 3, "list configmaps in namespace kserve"),
    (("Role", "configmaps", "create"), ["set-image", "agent", ":v9"], 3, "--no-history"),
    (("Role", "configmaps", "patch"), ["set-image", "agent", ":v9"], 1, "patch configmaps inferenceservice-config"),
    (("Role", "configmaps", "delete"), ["set-image", "agent", ":v9"], 0, "revision"),
    (("", "pods", "list"), ["status"], 1, "may not list pods in namespace kserve"),
    (("", "pods", "list"), ["set-image", "explainer/art", ":v9"], 1, "list pods in namespace kserve"),
    (("Role", "pods", "delete"), ["set-image", "explainer/art", ":v9"], 1, "delete pods in namespace kserve"),
    (("Role", "pods", "delete"), ["restart"], 1, "delete pods in namespace kserve"),
    (("Role", "deployments", "get"), ["restart"], 1, "get deployments.apps kserve-controller-manager"),
    (("ClusterRole", "deployments", "list"), ["status"], 0, "1 of 1 pods ready"),
    (("", "deployments", "list"), ["set-image", "explainer/art", ":v9", "-n", "kserve"], 3,
     "no controller was found to restart"),
    (("Role", "deployments", "patch"), ["restart", "--restart-by", "rollout"], 1, "patch deployments.apps"),
    (("ClusterRole", "clusterservingruntimes", "list"), ["images"], 1, "may not list clusterservingruntimes"),
    (("ClusterRole", "clusterservingruntimes", "patch"), ["set-image", "sklearn", ":v9"], 1,
     "patch clusterservingruntimes.serving.kserve.io kserve-sklearnserver"),
    (("ClusterRole", "inferenceservices", "list"), ["set-image", "sklearn", "reg.local/sk:v9"], 3, "unknown-impact"),
    (("ClusterRole", "inferenceservices", "list"), ["set-image", "sklearn", ":v9"], 0, "not wholly known"),
    (("ClusterRole", "inferenceservices", "list"), ["set-image", "sklearn", ":v9", "--max-affected", "9"], 3,
     "how many services would change is not known"),
    (("ClusterRole", "inferenceservices", "list"), ["status"], 0, "the services were not looked at"),
    (("ClusterRole", "deployments", "list"), ["set-image", "sklearn", ":v9", "--wait-models"], 1,
     "list deployments.apps"),
    (("Role", "endpointslices", "list"), ["restart"], 0, "that the webhook's Service leads to it was not seen"),
    (("Role", "leases", "get"), ["restart"], 0, "that a new pod leads was not seen"),
    (("Role", "inferenceservices", "create"), ["restart"], 0, "that the webhook answers was not seen"),
]  # fmt: skip


@pytest.mark.kserve("0.20.0")
@pytest.mark.parametrize("case", TAKEN, ids=lambda case: f"{'-'.join(case[0])} {case[1][0]}")
def test_a_missing_right_is_named_before_anything_is_written(
    kserve: KServe, restricted: Restricted, case: tuple[tuple[str, str, str], list[str], int, str]
) -> None:
    taken, command, code, said = case
    before, runtimes, pod = kserve.config(), specs(kserve), kserve.controller()["metadata"]["uid"]
    restricted.grant("ksconfig-reader", "ksconfig-writer", without=taken)
    done = restricted.ksconfig(*command)
    assert done.code == code, done.err
    assert said in done.err + done.out
    if code:
        assert kserve.config() == before
        assert specs(kserve) == runtimes
        assert kserve.controller()["metadata"]["uid"] == pod


def specs(kserve: KServe) -> dict[str, Object]:
    return {name: one["spec"] for name, one in kserve.remember().runtimes.items()}
