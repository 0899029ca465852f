"""The cluster before services are submitted: what it holds, and what cases want to be there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conformance.case import Case, Object
from conformance.predict import world_of
from ksconfig.model.services.world import World
from sandbox.api import Api, ApiError, wait_until
from sandbox.install import CONFIG
from sandbox.releases import Release

_KINDS = {
    "servingruntimes": "ServingRuntime",
    "clusterservingruntimes": "ClusterServingRuntime",
    "clusterstoragecontainers": "ClusterStorageContainer",
}
_ALPHA = "/apis/serving.kserve.io/v1alpha1"
_AGE_SECONDS = 2.1  # creation times are told to the second
_AT_ONCE = 4


def read_world(api: Api, release: Release) -> World:
    """What decides images now."""
    config = api.get(f"/api/v1/namespaces/{release.namespace}/configmaps/{CONFIG}").get("data", {})
    served = {one["name"] for one in (api.find(_ALPHA) or {}).get("resources", [])}
    found: dict[str, list[Object]] = {}
    for plural, kind in _KINDS.items():
        listed = api.items(f"{_ALPHA}/{plural}") if plural in served else []
        found[kind] = [{**one, "kind": kind} for one in listed]
    runtimes = [*found["ServingRuntime"], *found["ClusterServingRuntime"]]
    return world_of(release.name, config, runtimes, found["ClusterStorageContainer"])


def prepare(api: Api, cases: Iterable[Case]) -> None:
    """Create the namespaces and runtimes of cases.

    Raises:
        ApiError: KServe refuses a runtime.
    """
    cases = list(cases)
    others = {str(one["metadata"].get("namespace", "")) for case in cases for one in (*case.runtimes, *case.younger)}
    create_namespaces(api, ({case.namespace for case in cases} | others) - {""})
    for number, wave in enumerate(([c.runtimes for c in cases], [c.younger for c in cases])):
        objects = [one for group in wave for one in group]
        if objects and number:
            time.sleep(_AGE_SECONDS)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(api.create, objects))


def create_namespaces(api: Api, names: Iterable[str]) -> None:
    """Create those namespaces that are not there, and wait for what Kubernetes puts into each."""
    names = sorted(names)
    for name in names:
        ensure(api, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def ready() -> bool:
        accounts = api.items("/api/v1/serviceaccounts", fieldSelector="metadata.name=default")
        return {one["metadata"]["namespace"] for one in accounts} >= set(names)

    wait_until("the namespaces have their ServiceAccounts", ready, 60)


def ensure(api: Api, obj: Mapping[str, Any]) -> None:
    """Create an object, or put it in the place of the one of its name."""
    try:
        api.create(dict(obj))
    except ApiError as error:
        if error.code != 409:
            raise
        if obj["kind"] != "Namespace":
            path = api.path_of(obj)
            version = api.get(path)["metadata"]["resourceVersion"]
            api.request("PUT", path, {**obj, "metadata": {**obj["metadata"], "resourceVersion": version}})
