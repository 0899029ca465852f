"""The controller as it runs: looked at, its pods deleted, its webhook asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ksconfig.errors import ClusterFailure, RightMissing
from ksconfig.model.owners import FIELD_MANAGER
from ksconfig.model.rollout import MANAGER, Before, Sample, Verdict, elects_leader, holder_of, verdict
from ksconfig.source.cluster.client import Client, is_transient, namespaced
from ksconfig.source.cluster.finder import Controller
from ksconfig.source.cluster.patience import Patience

Answer = TypeVar("Answer")
_STRATEGIC = "application/strategic-merge-patch+json"
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_LEASE = "{0}-leader-lock"
_GROUPS = ("serving.kserve.io", "serving.kubeflow.org")
_LOG_LINES = "20"


class Workload:
    """KServe's controller in a cluster.

    Attributes:
        unproved: what could not be looked at for want of a right, by what it would have proved.
    """

    def __init__(self, client: Client, controller: Controller, patience: Patience) -> None:
        self._client = client
        self.controller = controller
        self.patience = patience
        self.unproved: dict[str, str] = {}
        self._ordered = ""  # the rollout that was ordered here
        self._service = controller.name.removesuffix("-controller-manager") + "-webhook-server-service"
        self._group = _GROUPS[0] if controller.name.startswith("kserve") else _GROUPS[1]

    # Looking

    def pods(self) -> list[dict[str, Any]]:
        """Its pods, those that are going included."""
        labels = self.controller.workload["spec"]["selector"].get("matchLabels") or {}
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        path = namespaced("/api/v1", "pods", self.controller.namespace)
        return self.patience.call(lambda: list(self._client.items(path, labelSelector=selector)))

    def staying_pods(self) -> list[dict[str, Any]]:
        """Its pods that are not going."""
        return [pod for pod in self.pods() if "deletionTimestamp" not in pod["metadata"]]

    def read(self) -> Mapping[str, Any] | None:
        """The workload as it is now; None if it is gone."""
        return self.patience.call(lambda: self._client.find(self.controller.path))

    def holder(self) -> str:
        """Who holds the lease; "" if nobody does, or if that may not be known."""
        return holder_of(self.lease() or {}) if elects_leader(self.controller.workload) else ""

    def lease(self) -> Mapping[str, Any] | None:
        """The lease; empty if there is none, None if it may not be read."""
        base = "/apis/coordination.k8s.io/v1"
        name = _LEASE.format(self.controller.name)
        path = namespaced(base, "leases", self.controller.namespace, name)
        return self._optional("that a new pod leads", lambda: self._client.find(path) or dict[str, Any]())

    def endpoints(self) -> list[Mapping[str, Any]] | None:
        """The endpoints of the webhook's Service; None if they may not be read."""
        path = namespaced("/apis/discovery.k8s.io/v1", "endpointslices", self.controller.namespace)
        selector = f"kubernetes.io/service-name={self._service}"

        def read() -> list[Mapping[str, Any]]:
            slices = list(self._client.items(path, labelSelector=selector))
            return [endpoint for one in slices for endpoint in one.get("endpoints") or ()]

        return self._optional("that the webhook's Service leads to it", read)

    def ask_webhook(self) -> tuple[bool | None, str]:
        """Have an InferenceService checked without creating it: whether the webhook answered, or what came instead."""
        proof = "that the webhook answers"
        if proof in self.unproved:
            return None, ""
        path = namespaced(f"/apis/{self._group}/v1beta1", "inferenceservices", self.controller.namespace)
        container = {"name": "kserve-container", "image": "ksconfig.invalid/probe"}
        body = {
            "apiVersion": f"{self._group}/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "ksconfig-probe", "namespace": self.controller.namespace},
            "spec": {"predictor": {"containers": [container]}},
        }
        seconds = min(10.0, max(1.0, self.patience.left))
        try:
            query = {"dryRun": "All", "fieldManager": FIELD_MANAGER}
            self._client.request("POST", path, body, query=query, seconds=seconds)
        except RightMissing as missing:
            self.unproved[proof] = missing.why
            return None, ""
        except ClusterFailure as error:
            if error.status == 404:
                self.unproved[proof] = f"the API server has no {self._group}/v1beta1"
                return None, ""
            if is_transient(error) or error.reason == "BadAnswer":
                return False, error.why.partition("failed to call webhook: ")[2] or error.why
            # refused by the webhook, or by the API server after the webhook: it has answered
        return True, ""

    def log_tail(self, pod: str) -> str:
        """The last lines of the controller in a pod, of the run before where there was one; "" if not readable."""
        path = namespaced("/api/v1", "pods", self.controller.namespace, pod) + "/log"
        for previous in ("true", "false"):
            query = {"container": MANAGER, "tailLines": _LOG_LINES, "previous": previous}
            try:
                data = self._client.raw("GET", path, query=query, seconds=5.0)
            except ClusterFailure:
                continue
            if text := data.decode(errors="replace").strip():
                return text
        return ""

    def look(self, before: Before, answered: frozenset[tuple[str, int]], *, lease: bool) -> Verdict:
        """One look, no further than the first thing that is missing.

        Args:
            answered: the marks of the pods whose webhook has answered before; it is not asked again for the same ones.
            lease: whether a new pod must lead, where one leads at all.
        """
        sample = Sample(self.read(), self.pods(), None, None, None)
        found = verdict(sample, before)
        if found.state == "done":
            sample = sample._replace(endpoints=self.endpoints())
            found = verdict(sample, before)
        if found.state == "done" and found.marks != answered:
            told, silence = self.ask_webhook()
            sample = sample._replace(answered=told, silence=silence)
            found = verdict(sample, before)
        if lease and found.state == "done" and elects_leader(self.controller.workload):
            found = verdict(sample._replace(lease=self.lease()), before)
        return found

    def _optional(self, proof: str, read: Callable[[], Answer]) -> Answer | None:
        """What may be read where the right exists; else it stands among what is unproved."""
        if proof in self.unproved:
            return None
        try:
            return self.patience.call(read)
        except RightMissing as missing:
            self.unproved[proof] = missing.why
            return None

    # Acting

    def delete(self, pod: Mapping[str, Any]) -> bool:
        """Delete a pod, and no other of its name; whether it was us: one that is gone was restarted by somebody else.

        What an error leaves open is settled by looking: after a request whose answer was lost, a pod that goes is ours.
        """
        metadata = pod["metadata"]
        path = namespaced("/api/v1", "pods", metadata["namespace"], metadata["name"])
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": metadata["uid"]}}
        unclear = False
        pause = 0.1
        while True:
            try:
                self._client.request("DELETE", path, body)
            except ClusterFailure as error:
                lost = is_transient(error) or error.reason == "BadAnswer"
                if not lost and error.status not in (404, 409):
                    raise
                unclear = unclear or lost
                if metadata["uid"] not in {one["metadata"]["uid"] for one in self.staying_pods()}:
                    return unclear
                if self.patience.left <= error.retry_after:
                    raise
                self.patience.sleep(max(pause, error.retry_after))
                pause = min(2 * pause, 2.0)
            else:
                return True

    def replaces(self, pods: Iterable[Mapping[str, Any]]) -> bool:
        """Whether a rollout that was ordered in this way is replacing these pods: none of them is of its template."""
        stamp = self._ordered or _stamp(self.controller.workload["spec"]["template"])
        return bool(stamp) and all(_stamp(pod) != stamp for pod in pods)

    def roll(self, stamp: str) -> None:
        """Change the pod template, so that the workload replaces its pods by its own strategy."""
        self._ordered = stamp
        template = {"metadata": {"annotations": {_RESTARTED_AT: stamp}}}
        body = {"spec": {"template": template}}
        query = {"fieldManager": FIELD_MANAGER}
        self.patience.call(
            lambda: self._client.request("PATCH", self.controller.path, body, content_type=_STRATEGIC, query=query)
        )


def _stamp(made: Mapping[str, Any]) -> str:
    return str(((made.get("metadata") or {}).get("annotations") or {}).get(_RESTARTED_AT) or "")
