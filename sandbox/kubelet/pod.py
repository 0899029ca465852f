"""One pod of the node: from its binding to its end."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.api import STRATEGIC, Api, ApiError, Object
from sandbox.kubelet.container import Container, Pace, Surroundings, now
from sandbox.kubelet.images import Images
from sandbox.kubelet.network import PodNetwork
from sandbox.kubelet.volumes import Mounts, NotYet

START_DELAY = "sandbox.local/start-delay"  # annotation: seconds between the binding and the start of the containers


@dataclass(frozen=True)
class Node:
    """What the pods of one node share; ``server`` is the API server's host and port as they see it."""

    api: Api
    name: str
    folder: Path
    images: Images
    pace: Pace
    server: tuple[str, int]


class Pod:
    """A pod as processes, with its status in the API server."""

    def __init__(self, node: Node, pod: Object) -> None:
        metadata = pod["metadata"]
        self._node = node
        self._api = node.api
        self._pod = pod
        self._uid: str = metadata["uid"]
        self._path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        self._folder = node.folder / self._uid
        self._network = PodNetwork(node.server[0])
        self._containers: list[Container] = []
        self._conditions: dict[str, Object] = {}
        self._published: Object = {}
        self._ending = threading.Event()
        self._grace: float | None = None  # none: it is gone from the API server already
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"pod {metadata['name']}", daemon=True)

    def start(self) -> None:
        """Run it in a thread of its own."""
        self._thread.start()

    def end(self, grace: float | None) -> None:
        """Stop its containers and take it away; ``grace`` in seconds, none if the object is gone."""
        self._grace = grace
        self._ending.set()
        if not grace:
            for container in self._containers:
                container.hurry.set()

    def container(self, name: str) -> Container | None:
        """A container that was started."""
        return next((one for one in self._containers if one.name == name), None)

    def _run(self) -> None:
        self._folder.mkdir(parents=True)
        try:
            try:
                self._start()
            except Exception as error:  # it is to be seen in the pod's status, and the pod is to go when it is deleted
                self._publish(NotYet("CreateContainerError", f"{type(error).__name__}: {error}"))
            self._ending.wait()
            stopping = [threading.Thread(target=one.stop, args=(self._grace or 0,)) for one in self._containers]
            for thread in stopping:
                thread.start()
            for thread in stopping:
                thread.join()
            if self._grace is not None:
                options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
                self._insist(lambda: self._api.request("DELETE", self._path, options))
        finally:
            self._network.remove()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        if "initContainers" in self._pod["spec"]:
            raise NotImplementedError("init containers are not played here")
        self._network.make()
        delay = float(self._pod["metadata"].get("annotations", {}).get(START_DELAY, 0))
        if not self._ending.wait(delay) and self._prepare():
            for container in self._containers:
                container.start()

    def _prepare(self) -> bool:
        """Volumes, environment and containers; tried until all that the pod refers to is there."""
        mounts = Mounts(self._api, self._pod, self._folder / "volumes", self._node.server[0])
        fixed = {
            "HOSTNAME": self._pod["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": self._node.server[0],
            "KUBERNETES_SERVICE_PORT": str(self._node.server[1]),
        }
        while not self._ending.is_set():
            try:
                volumes = mounts.make()
                specs = self._pod["spec"]["containers"]
                variables = [{**fixed, **mounts.environment(spec, self._network.address)} for spec in specs]
            except (NotYet, ApiError) as problem:
                self._publish(problem)
                self._ending.wait(0.5)
                continue
            for spec, environment in zip(specs, variables, strict=True):
                around = Surroundings(
                    self._pod["metadata"]["name"], self._network, self._folder, volumes, environment,
                    self._pod["spec"].get("restartPolicy", "Always"),
                    self._pod["spec"].get("terminationGracePeriodSeconds", 30), self._node.pace,
                )  # fmt: skip
                self._containers.append(Container(spec, self._node.images.pull(spec["image"]), around, self._publish))
            return True
        return False

    def _publish(self, problem: Exception | None = None) -> None:
        """Bring the status in the API server to what is the case."""
        with self._lock:
            status = self._status(problem)
            if status == self._published:
                return
            body = {"metadata": {"uid": self._uid}, "status": status}
            if self._insist(lambda: self._api.patch(f"{self._path}/status", body, STRATEGIC)):
                self._published = status

    def _status(self, problem: Exception | None) -> Object:
        running = self._containers and all(one.finished or "running" in one.state for one in self._containers)
        ready = bool(self._containers) and all(one.ready for one in self._containers)
        unready = [one.name for one in self._containers if not one.ready]
        message = f"containers with unready status: [{' '.join(unready)}]"
        for kind, holds in (("Initialized", True), ("ContainersReady", ready), ("Ready", ready)):
            value = "True" if holds else "False"
            if self._conditions.get(kind, {}).get("status") != value:
                why: Object = {"reason": None, "message": None}
                if not holds:
                    why = {"reason": "ContainersNotReady", "message": message}
                self._conditions[kind] = {"type": kind, "status": value, "lastTransitionTime": now(), **why}
        waiting = {"waiting": {"reason": getattr(problem, "reason", "ContainerCreating"), "message": str(problem)}}
        containers = [one.status() for one in self._containers] or [
            {"name": spec["name"], "image": spec["image"], "imageID": "", "ready": False, "restartCount": 0,
             "state": waiting}
            for spec in self._pod["spec"]["containers"]
        ]  # fmt: skip
        status: dict[str, Any] = {
            "phase": self._phase(bool(running)),
            "hostIP": self._node.server[0],
            "podIP": self._network.address,
            "podIPs": [{"ip": self._network.address}],
            "conditions": list(self._conditions.values()),
            "containerStatuses": containers,
        }
        return status

    def _phase(self, running: bool) -> str:
        if self._containers and all(one.finished and "terminated" in one.state for one in self._containers):
            failed = any(one.state["terminated"]["exitCode"] for one in self._containers)
            return "Failed" if failed else "Succeeded"
        started = any("running" in one.state or one.restarts or one.last_state for one in self._containers)
        return "Running" if running or started else "Pending"

    def _insist(self, call: Any) -> bool:
        """Make a request that must arrive; the pod may be gone by then."""
        for _ in range(50):
            try:
                call()
                return True
            except ApiError as error:
                if error.code in (404, 409):
                    return False
                time.sleep(0.1)
        return False
