"""etcd, the API server, Kubernetes' own controllers, its scheduler and kwok, as processes of a private network."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import stages
from sandbox.api import Api, ApiError, wait_until
from sandbox.build import Unit
from sandbox.pki import Authority

ADDRESS = "10.99.0.1"
PORT = 6443
SERVICES = "10.0.0.0/16"  # each model takes a cluster IP or two, so 254 would not do
KUBERNETES_SERVICE = "10.0.0.1"
ETCD = "http://127.0.0.1:2379"
ETCD_PEERS = "http://127.0.0.1:2380"
FAKE_NODE_PODS = "10.128.0.1/12"
#: The node whose pods really run, and the label and taint that lead the controllers there and keep all else away.
LOCAL_NODE, FAKE_NODE = "local-0", "kwok-0"
ROLE_LABEL, TAINT = "sandbox.local/role", "sandbox.local/controller"
KUBELET_PORT = 10250
KWOK_ANNOTATION = "kwok.x-k8s.io/node"


@dataclass
class Processes:
    """What was started, with a log file each; the newest stops first."""

    logs: Path
    running: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)

    def start(self, name: str, command: Sequence[object]) -> None:
        """Start a program; its output goes to ``NAME.log``."""
        # The API server takes a gigabyte while it swallows large CRDs, half of it garbage: this collects earlier. A
        # limit would do so too, until what is alive comes near to it: then a core and a half do nothing else.
        environment = os.environ | {"GOGC": "75"}
        with (self.logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        self.running.append((name, process))

    def dead(self) -> str:
        """The name of a program that has ended by itself, with the end of its log; empty if all run."""
        for name, process in self.running:
            if process.poll() is not None:
                tail = (self.logs / f"{name}.log").read_text(errors="replace").strip().splitlines()[-5:]
                return f"{name} ended with {process.returncode}: " + " | ".join(tail)
        return ""

    def kill(self) -> None:
        """End all of them. What they stored is thrown away, so nothing is gained by asking politely."""
        for _, process in reversed(self.running):
            process.kill()
        for _, process in self.running:
            process.wait()


class ControlPlane:
    """Kubernetes without kubelets, in one folder."""

    def __init__(self, folder: Path, kubernetes: Unit, etcd_and_kwok: Unit) -> None:
        self.folder = folder
        self.authority = Authority(folder / "pki")
        self.token = secrets.token_hex(16)
        self._kubernetes = kubernetes.folder
        self._others = etcd_and_kwok.folder
        (folder / "logs").mkdir()
        self.processes = Processes(folder / "logs")
        self.api = Api(f"https://{ADDRESS}:{PORT}", self.authority.certificate, self.token)

    def start(self) -> None:
        """Start everything, and wait for the API server only.

        Raises:
            TimeoutError, RuntimeError: a program did not start.
        """
        self.authority.make()
        certificate, key = self.authority.issue(
            "api", [f"IP:{ADDRESS}", "IP:127.0.0.1", f"IP:{KUBERNETES_SERVICE}", "kubernetes.default.svc", "localhost"]
        )
        (self.folder / "tokens.csv").write_text(f'{self.token},admin,1,"system:masters"\n')
        (self.folder / "admission.json").write_text(json.dumps(_ADMISSION))
        config = self.folder / "inside.kubeconfig"
        config.write_text(kubeconfig(self.api.server, self.authority.certificate, self.token, "sandbox"))
        pki = self.authority.folder
        self.processes.start(
            "etcd",
            [self._others / "etcd", "--data-dir", self.folder / "etcd", "--listen-client-urls", ETCD,
             "--advertise-client-urls", ETCD, "--listen-peer-urls", ETCD_PEERS,
             "--initial-advertise-peer-urls", ETCD_PEERS, "--initial-cluster", f"default={ETCD_PEERS}",
             "--unsafe-no-fsync", "--log-level", "error"],
        )  # fmt: skip
        self.processes.start(
            "kube-apiserver",
            [self._kubernetes / "kube-apiserver", "--etcd-servers", ETCD, "--secure-port", PORT,
             "--bind-address", "0.0.0.0", "--advertise-address", ADDRESS, "--tls-cert-file", certificate,
             "--tls-private-key-file", key, "--cert-dir", pki, "--service-account-key-file", pki / "sa.pub",
             "--service-account-signing-key-file", pki / "sa.key",
             "--service-account-issuer", "https://kubernetes.default.svc",
             "--token-auth-file", self.folder / "tokens.csv", "--authorization-mode", "RBAC",
             "--service-cluster-ip-range", SERVICES,
             # There is no kube-proxy: webhooks are called at their pods' addresses.
             "--enable-aggregator-routing=true",
             # They lead the controllers' pods to the node that runs them, and leave their manifests untouched.
             "--enable-admission-plugins", "PodNodeSelector,PodTolerationRestriction",
             "--admission-control-config-file", self.folder / "admission.json",
             # It marks new nodes as not ready, and nothing here would take the mark away.
             "--disable-admission-plugins", "TaintNodesByCondition",
             "--kubelet-preferred-address-types", "InternalIP"],
        )  # fmt: skip
        wait_until("the API server is ready", self._ready, 60, every=0.05)
        self.processes.start(
            "kube-controller-manager",
            [self._kubernetes / "kube-controller-manager", "--kubeconfig", config,
             "--service-account-private-key-file", pki / "sa.key", "--root-ca-file", self.authority.certificate,
             "--use-service-account-credentials=true", "--leader-elect=false", "--secure-port", "0",
             "--flex-volume-plugin-dir", self.folder / "flex-volumes",  # else it makes a folder in /usr
             # Nodes renew no lease here.
             "--controllers=*,-node-lifecycle-controller,-taint-eviction-controller"],
        )  # fmt: skip
        self.processes.start(
            "kube-scheduler",
            [self._kubernetes / "kube-scheduler", "--kubeconfig", config, "--leader-elect=false", "--secure-port", "0"],
        )
        stage_file = self.folder / "stages.json"
        stage_file.write_text(stages.for_kwok(json.loads((self._others / "stages.json").read_text())))
        self.processes.start(
            "kwok",
            [self._others / "kwok", "--kubeconfig", config, "--config", stage_file, "--cidr", FAKE_NODE_PODS,
             f"--manage-nodes-with-annotation-selector={KWOK_ANNOTATION}=fake"],
        )  # fmt: skip
        for node in (_fake_node(), _local_node()):
            status = node.pop("status")
            self.api.create(node)
            self.api.patch(f"/api/v1/nodes/{node['metadata']['name']}/status", {"status": status})

    def kubectl(self) -> Path:
        """The kubectl of this Kubernetes."""
        return self._kubernetes / "kubectl"

    def _ready(self) -> bool:
        if problem := self.processes.dead():
            raise RuntimeError(problem)
        try:
            self.api.request("GET", "/readyz", verbose="")
            return True
        except ApiError:
            return False


def kubeconfig(server: str, ca: Path, token: str, name: str) -> str:
    """A kubeconfig, as JSON, with one context."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(ca.read_bytes()).decode()}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
            "current-context": name,
        },
        indent=1,
    )


_ADMISSION = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AdmissionConfiguration",
    "plugins": [
        {
            "name": "PodNodeSelector",
            "configuration": {"podNodeSelectorPluginConfig": {"clusterDefaultNodeSelector": ""}},
        }
    ],
}


def controller_namespace(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """A namespace whose pods run on the local node."""
    tolerations = [{"key": TAINT, "operator": "Exists", "effect": "NoSchedule"}]
    annotations = {
        "scheduler.alpha.kubernetes.io/node-selector": f"{ROLE_LABEL}=controller",
        "scheduler.alpha.kubernetes.io/defaultTolerations": json.dumps(tolerations),
    }
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _node(name: str, labels: dict[str, str], sizes: dict[str, str]) -> dict[str, Any]:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", **labels}
    conditions = [{"type": "Ready", "status": "True", "reason": "Sandbox"}]
    status = {"allocatable": sizes, "capacity": sizes, "conditions": conditions}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "status": status}


def _fake_node() -> dict[str, Any]:
    node = _node(FAKE_NODE, {}, {"cpu": "100k", "memory": "1Pi", "pods": "100k", "nvidia.com/gpu": "1k"})
    node["metadata"]["annotations"] = {KWOK_ANNOTATION: "fake"}
    return node


def _local_node() -> dict[str, Any]:
    node = _node(LOCAL_NODE, {ROLE_LABEL: "controller"}, {"cpu": "64", "memory": "64Gi", "pods": "200"})
    node["spec"] = {"taints": [{"key": TAINT, "effect": "NoSchedule"}]}
    node["status"]["addresses"] = [
        {"type": "InternalIP", "address": ADDRESS},
        {"type": "Hostname", "address": LOCAL_NODE},
    ]
    node["status"]["daemonEndpoints"] = {"kubeletEndpoint": {"Port": KUBELET_PORT}}
    return node
