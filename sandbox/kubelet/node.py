"""The kubelet of one node: follows the pods that are bound to it."""

from __future__ import annotations

import threading

from sandbox.kubelet.container import Container
from sandbox.kubelet.pod import Node, Pod

_ENDED = ("Succeeded", "Failed")


class Kubelet:
    """Runs the pods of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pods: dict[str, Pod] = {}
        self._names: dict[tuple[str, str], str] = {}

    def run(self, stop: threading.Event) -> None:
        """Follow the node's pods until ``stop``."""
        for event in self._node.api.follow("/api/v1/pods", stop, fieldSelector=f"spec.nodeName={self._node.name}"):
            metadata = event.object["metadata"]
            uid = metadata["uid"]
            if event.kind == "DELETED":
                if pod := self._pods.pop(uid, None):
                    pod.end(None)
                continue
            if uid not in self._pods and event.object.get("status", {}).get("phase") not in _ENDED:
                self._pods[uid] = pod = Pod(self._node, event.object)
                self._names[metadata["namespace"], metadata["name"]] = uid
                pod.start()
            if metadata.get("deletionTimestamp") and uid in self._pods:
                self._pods[uid].end(metadata.get("deletionGracePeriodSeconds", 30))

    def container(self, namespace: str, pod: str, name: str) -> Container | None:
        """A container by its names."""
        found = self._pods.get(self._names.get((namespace, pod), ""))
        return found.container(name) if found else None
