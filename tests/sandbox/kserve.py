"""A KServe in a sandbox as tests see it: services, their images, the controller, the config."""

from __future__ import annotations

import copy
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.api import JSON_PATCH, Api, ApiError, Object, wait_until
from sandbox.handle import Sandbox
from sandbox.install import CONFIG, a_service

RUNTIMES = "/apis/serving.kserve.io/v1alpha1/clusterservingruntimes"
_MODEL_CONTAINERS = ("kserve-container", "kfserving-container")
_PATIENCE = 60.0


def shortly(what: str, check: Callable[[], Any], seconds: float = _PATIENCE) -> Any:
    """Wait until a check holds, and give its answer; errors of the API server on the way are no answer."""

    def tried() -> Any:
        try:
            return check()
        except ApiError:
            return None

    return wait_until(what, tried, seconds)


@dataclass
class Before:
    """What a test may change and what is put back after it."""

    config: dict[str, str]
    runtimes: dict[str, Object]
    workload: Object


@dataclass
class KServe:
    """One release, with a namespace for one test."""

    sandbox: Sandbox
    namespace: str = field(default_factory=lambda: f"test-{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self.release = self.sandbox.release
        self.api: Api = self.sandbox.api()
        system = self.release.namespace
        self.config_path = f"/api/v1/namespaces/{system}/configmaps/{CONFIG}"
        self.pods_path = f"/api/v1/namespaces/{system}/pods"
        kind = "statefulsets" if self._is_stateful() else "deployments"
        self.workload_path = f"/apis/apps/v1/namespaces/{system}/{kind}/{self.release.controller}"
        self.create_namespace(self.namespace)

    def create_namespace(self, name: str) -> None:
        """A namespace, with its default ServiceAccount."""
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        shortly("the namespace has its ServiceAccount", lambda: self.api.find(account))

    # services

    def create(self, name: str, predictor: Object, annotations: dict[str, str] | None = None) -> Object:
        """Create an InferenceService with this predictor; gives it as stored."""
        return self.api.create(self.service(name, predictor, annotations))

    def service(self, name: str, predictor: Object, annotations: dict[str, str] | None = None) -> Object:
        """An InferenceService to submit."""
        service = a_service(self.release, name, self.namespace)
        service["spec"]["predictor"] = predictor
        if annotations:
            service["metadata"]["annotations"] = annotations
        return service

    def service_path(self, name: str) -> str:
        """Where a service of the test's namespace is."""
        return self.api.path_of(a_service(self.release, name, self.namespace))

    def stored(self, name: str) -> Object:
        """A service as it is now."""
        return self.api.get(self.service_path(name))

    def workload(self, name: str) -> Object | None:
        """The Knative Service or the Deployment that the controller has made of a service's predictor."""
        kinds = ("/apis/serving.knative.dev/v1", "services"), ("/apis/apps/v1", "deployments")
        for base, kind in kinds:
            for suffix in ("predictor-default", "predictor"):
                path = f"{base}/namespaces/{self.namespace}/{kind}/{name}-{suffix}"
                if found := self.api.find(path):
                    return found
        return None

    def image(self, name: str) -> str | None:
        """The image that a service's predictor is to run, as the controller has decided."""
        workload = self.workload(name)
        if workload is None:
            return None
        containers = workload["spec"]["template"]["spec"]["containers"]
        return next((one["image"] for one in containers if one.get("name") in _MODEL_CONTAINERS), None)

    def wait_for_image(self, name: str, image: str, seconds: float = _PATIENCE) -> None:
        """Wait until a service is to run an image."""
        seen: list[str | None] = [None]

        def matches() -> bool:
            seen[0] = self.image(name)
            return seen[0] == image

        try:
            shortly(f"{name} runs {image}", matches, seconds)
        except TimeoutError:
            raise AssertionError(f"{name} is to run {seen[0]}, not {image}") from None

    def condition(self, name: str, kind: str = "Ready") -> Object:
        """A condition of a service; empty if it has none."""
        conditions = self.stored(name).get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == kind), {})

    def wait_until_ready(self, name: str) -> None:
        """Wait until a service says that it is ready."""
        shortly(f"{name} is ready", lambda: self.condition(name).get("status") == "True")

    def wait_until_settled(self, name: str) -> None:
        """Wait until a service is ready and nothing of it has been written for a second.

        Each change of a service or of its workload makes the controller look at it once more, with whatever config
        it then finds.
        """
        self.wait_until_ready(name)
        versions: list[object] = [None, 0.0]

        def quiet() -> bool:
            now = [
                str((one or {}).get("metadata", {}).get("resourceVersion"))
                for one in (self.stored(name), self.workload(name))
            ]
            if now != versions[0]:
                versions[:] = now, time.monotonic()
            return time.monotonic() - float(str(versions[1])) > 1

        shortly(f"{name} has settled", quiet)

    def pods(self, name: str) -> list[Object]:
        """The pods of a service."""
        group = "serving.kubeflow.org" if self.release.old_api else "serving.kserve.io"
        selector = f"{group}/inferenceservice={name}"
        return self.api.items(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=selector)

    # the controller

    def controller_pods(self) -> list[Object]:
        """The controller's pods that are not going away."""
        pods = self.api.items(self.pods_path, labelSelector=f"control-plane={self.release.controller}")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def controller(self) -> Object:
        """Its pod, as soon as there is just one."""

        def alone() -> Object | None:
            pods = self.controller_pods()
            return pods[0] if len(pods) == 1 else None

        pod: Object = shortly("there is one pod of the controller", alone)
        return pod

    def restart(self) -> None:
        """Delete the controller's pods, and wait until new ones serve."""
        old = {pod["metadata"]["uid"] for pod in self.controller_pods()}
        for pod in self.controller_pods():
            self.api.delete(f"{self.pods_path}/{pod['metadata']['name']}")
        self.wait_for_controller(old)

    def wait_for_controller(self, old: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        """Wait until the wanted number of pods, none of them ``old``, is ready and the webhook answers."""

        def ready() -> bool:
            wanted = self.api.get(self.workload_path)["spec"]["replicas"]
            pods = self.controller_pods()
            return len(pods) == wanted and all(is_ready(pod) and pod["metadata"]["uid"] not in old for pod in pods)

        shortly("the controller is ready", ready)
        shortly("the webhook answers", lambda: self.api.create(a_service(self.release), dryRun="All"))

    def scale(self, replicas: int) -> None:
        """Set the number of the controller's pods."""
        self.api.patch(f"{self.workload_path}/scale", {"spec": {"replicas": replicas}})

    def processes(self) -> set[int]:
        """The controllers' processes, by their numbers on this machine."""
        return {pid for pid, command in processes_of(self.sandbox.place.folder) if command[:1] == ["/manager"]}

    # the config

    def config(self) -> dict[str, str]:
        """The data of the config."""
        data: dict[str, str] = self.api.get(self.config_path)["data"]
        return data

    def set_config(self, **texts: str) -> None:
        """Set keys of the config."""
        self.api.patch(self.config_path, {"data": texts})

    def set_runtime_image(self, runtime: str, image: str) -> None:
        """Set the image of a ClusterServingRuntime's first container."""
        body = [{"op": "replace", "path": "/spec/containers/0/image", "value": image}]
        self.api.patch(f"{RUNTIMES}/{runtime}", body, JSON_PATCH)

    @contextmanager
    def without_admission(self) -> Iterator[None]:
        """No mutating webhook of KServe's: what is created stays in the form that it had before this release."""
        hooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        taken = [one for one in self.api.items(hooks) if "serving.kserve.io" in str(one["webhooks"])]
        for one in taken:
            self.api.delete(f"{hooks}/{one['metadata']['name']}")
        shortly("the API server asks no webhook", lambda: not self._admitted())
        try:
            yield
        finally:
            for one in taken:
                kept = {
                    name: one["metadata"][name] for name in ("name", "labels", "annotations") if name in one["metadata"]
                }
                names = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
                self.api.create({**names, "metadata": kept, "webhooks": one["webhooks"]})
            shortly("the API server asks the webhooks again", self._admitted)

    def _admitted(self) -> bool:
        tried = self.api.create(self.service("tried", {"sklearn": {"storageUri": "gs://m"}}), dryRun="All")
        return "model" in tried["spec"]["predictor"]

    # before and after a test

    def remember(self) -> Before:
        """What is now, for :meth:`restore`."""
        return Before(self.config(), self._runtimes(), self.api.get(self.workload_path))

    def restore(self, before: Before) -> None:
        """Put back the config, the runtimes and the controller, and give the namespace away."""
        # at once, so that the next test's plans do not reckon with them
        self.api.delete(self.service_path("").rstrip("/"))
        self.api.delete(f"/api/v1/namespaces/{self.namespace}")
        configmaps = f"/api/v1/namespaces/{self.release.namespace}/configmaps"
        for record in self.api.items(configmaps, labelSelector="app.kubernetes.io/managed-by=ksconfig"):
            self.api.delete(f"{configmaps}/{record['metadata']['name']}")
        changed = self.config() != before.config
        if changed:
            self.api.patch(self.config_path, [{"op": "replace", "path": "/data", "value": before.config}], JSON_PATCH)
        for name, runtime in self._runtimes().items():
            if name not in before.runtimes:
                self.api.delete(f"{RUNTIMES}/{name}")
            elif runtime["spec"] != before.runtimes[name]["spec"]:
                body = [{"op": "replace", "path": "/spec", "value": before.runtimes[name]["spec"]}]
                self.api.patch(f"{RUNTIMES}/{name}", body, JSON_PATCH)
        workload = self.api.get(self.workload_path)
        if workload["spec"] != before.workload["spec"]:
            spec = copy.deepcopy(before.workload["spec"])
            self.api.patch(self.workload_path, [{"op": "replace", "path": "/spec", "value": spec}], JSON_PATCH)
        if changed or not all(is_ready(pod) for pod in self.controller_pods()):
            self.restart()
        self.wait_for_controller()

    def _runtimes(self) -> dict[str, Object]:
        if self.api.find("/apis/serving.kserve.io/v1alpha1") is None or self.release.name in ("0.7.0",):
            return {}
        return {one["metadata"]["name"]: one for one in self.api.items(RUNTIMES)}

    def _is_stateful(self) -> bool:
        path = f"/apis/apps/v1/namespaces/{self.release.namespace}/deployments/{self.release.controller}"
        return self.api.find(path) is None


def is_ready(pod: Object) -> bool:
    """Whether a pod's Ready condition is true."""
    return any(
        one["type"] == "Ready" and one["status"] == "True" for one in pod.get("status", {}).get("conditions") or []
    )


def container_status(pod: Object, name: str = "manager") -> Object:
    """The status of a pod's container; empty if there is none yet."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return next((one for one in statuses if one["name"] == name), {})


def processes_of(folder: Path) -> list[tuple[int, list[str]]]:
    """What runs in the sandbox of a folder: numbers on this machine, and command lines."""
    parents: dict[int, int] = {}
    commands: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            parents[int(entry.name)], commands[int(entry.name)] = parent, command
    inside = {pid for pid, command in commands.items() if any(f'"{folder}"' in word for word in command)}
    while more := {pid for pid, parent in parents.items() if parent in inside} - inside:
        inside |= more
    return [(pid, commands[pid]) for pid in sorted(inside)]
