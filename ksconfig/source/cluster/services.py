"""InferenceServices of a cluster and what they run as: lists, page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Literal

from ksconfig.errors import ClusterFailure
from ksconfig.model.plan import ObjectRef
from ksconfig.model.services.service import KIND
from ksconfig.model.services.workload import SERVICE_LABELS, PodFailure, Workload, read_failure, read_workload
from ksconfig.source.cluster.client import Client, namespaced
from ksconfig.source.cluster.objects import ClusterObject
from ksconfig.source.cluster.patience import Patience

GROUP = "serving.kserve.io"
#: The group of KFServing (to 0.6).
OLD_GROUP = "serving.kubeflow.org"
_NAMES_AT_ONCE = 60
_WORKLOADS: tuple[tuple[str, str, Literal["Service", "Deployment"]], ...] = (
    ("/apis/serving.knative.dev/v1", "services", "Service"),
    ("/apis/apps/v1", "deployments", "Deployment"),
)


class ClusterServices:
    """The services of one API group in a cluster."""

    def __init__(self, client: Client, group: str, patience: Patience) -> None:
        self._client = client
        self._patience = patience
        self._group = group
        self._label = SERVICE_LABELS[0] if group == GROUP else SERVICE_LABELS[1]
        self._api = ""

    @property
    def group(self) -> str:
        """Their API group."""
        return self._group

    @property
    def api(self) -> str:
        """Where they are: the newest version of the group that the API server has."""
        if not self._api:
            versions = [f"/apis/{self._group}/{version}" for version in ("v1beta1", "v1alpha2")]
            served = (one for one in versions if self._patience.call(partial(self._client.find, one)) is not None)
            self._api = next(served, versions[0])
        return self._api

    def services(self, namespaces: Sequence[str] = ()) -> Iterator[Mapping[str, Any]]:
        """Every InferenceService, of some namespaces or of all."""
        paths = [namespaced(self.api, "inferenceservices", one) for one in namespaces]
        kind = {"apiVersion": self.api.removeprefix("/apis/"), "kind": KIND}  # the items of a list do without
        for path in paths or [f"{self.api}/inferenceservices"]:
            for one in self._pages(path):
                if "deletionTimestamp" not in one["metadata"]:  # what is going changes no more
                    yield {**kind, **one}

    def _pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """The objects of a list; none where the API server has no such list."""
        try:
            yield from self._client.items(path, again=self._patience.call, **query)
        except ClusterFailure as error:
            if error.status != 404:
                raise

    def find(self, ref: ObjectRef) -> ClusterObject | None:
        """One service; None if it is not there."""
        path = namespaced(self.api, "inferenceservices", ref.namespace or "", ref.name)
        found = self._patience.call(lambda: self._client.find(path))
        return self.as_object(found) if found is not None else None

    def as_object(self, data: Mapping[str, Any]) -> ClusterObject:
        """A service that was read, as an object to be edited."""
        metadata = data["metadata"]
        return ClusterObject(
            data, KIND, namespaced(self.api, "inferenceservices", metadata["namespace"], metadata["name"])
        )

    def workloads(self, services: Collection[tuple[str, str]] | None) -> Iterator[Workload]:
        """The workloads of services (namespace, name), or of all."""
        for base, resource, kind in _WORKLOADS:
            for path, labels in self._by_label(base, resource, services):
                for one in self._pages(path, labelSelector=labels):
                    if (found := read_workload(one, kind)) is not None:
                        yield found

    def failures(self, services: Collection[tuple[str, str]]) -> Iterator[PodFailure]:
        """The pods of services (namespace, name) that are proven not to run."""
        for path, labels in self._by_label("/api/v1", "pods", services):
            for pod in self._pages(path, labelSelector=labels):
                if (found := read_failure(pod)) is not None:
                    yield found

    def _by_label(
        self, base: str, resource: str, services: Collection[tuple[str, str]] | None
    ) -> Iterator[tuple[str, str]]:
        """The lists, as paths and label selectors, that hold what belongs to services."""
        if services is None:
            yield f"{base}/{resource}", self._label
            return
        for namespace, group in groupby(sorted(services), key=lambda one: one[0]):
            names = [name for _, name in group]
            for start in range(0, len(names), _NAMES_AT_ONCE):  # so that the selector fits into an address
                some = ",".join(names[start : start + _NAMES_AT_ONCE])
                yield namespaced(base, resource, namespace), f"{self._label} in ({some})"

    def graphs(self) -> Iterator[str]:
        """Every InferenceGraph, as NAMESPACE/NAME."""
        for one in self._pages(f"/apis/{GROUP}/v1alpha1/inferencegraphs"):
            yield f"{one['metadata']['namespace']}/{one['metadata']['name']}"
