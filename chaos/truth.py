"""What is true in a cluster, read from the real API server by code of its own; and what a command said."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from chaos.plan import NAMESPACE
from sandbox.api import Api, Object
from sandbox.install import CONFIG
from sandbox.releases import Release

RECORDS = "app.kubernetes.io/managed-by=ksconfig"
_KINDS = {
    "ConfigMap": "config",
    "ClusterServingRuntime": "runtime {0}",
    "ServingRuntime": "runtime {0}",
    "InferenceService": "service {0}",
}
_ALPHA = "/apis/serving.kserve.io/v1alpha1"
#: The states of records that say that the texts were written.
EFFECTIVE = ("applied", "restarted", "ready", "failed")


class Written(NamedTuple):
    """A text of a record: where it is, and what it was and was to be; None where there is none.

    Attributes:
        name: as in `Truth.texts`; of the config without a key.
    """

    name: str
    field: tuple[str | int, ...]
    before: str | None
    after: str | None

    def now(self, texts: Mapping[str, str]) -> str | None:
        """What is there."""
        if self.name == "config":
            return texts.get(f"config {self.field[-1]}")
        found: Any = {"spec": json.loads(texts[self.name])} if self.name in texts else None
        for step in self.field:
            if isinstance(found, dict):
                found = found.get(str(step))
            else:
                found = found[int(step)] if isinstance(found, list) and int(step) < len(found) else None
        return found if isinstance(found, str) or found is None else json.dumps(found)


class Record(NamedTuple):
    """A revision as it is stored."""

    number: int
    state: str
    command: str
    texts: tuple[Written, ...]
    rollback_of: tuple[int, ...] = ()


class Truth(NamedTuple):
    """The cluster at one moment.

    Attributes:
        texts: of the config by key, and of runtimes and services as JSON, by name.
        pods: the UIDs of the controller's pods that are ready and not going.
    """

    texts: Mapping[str, str]
    records: tuple[Record, ...]
    pods: frozenset[str]


class Outcome(NamedTuple):
    """What a command told."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any] | None:
        """Its output, if that is one JSON object."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


def read_truth(api: Api, release: Release) -> Truth:
    """The cluster now."""
    system = f"/api/v1/namespaces/{release.namespace}"
    config: dict[str, str] = api.get(f"{system}/configmaps/{CONFIG}")["data"]
    texts = {f"config {key}": text for key, text in config.items()}
    for kind, path in (
        ("runtime", f"{_ALPHA}/clusterservingruntimes"),
        ("runtime", f"{_ALPHA}/servingruntimes"),
        ("service", f"/apis/serving.kserve.io/v1beta1/namespaces/{NAMESPACE}/inferenceservices"),
    ):
        for one in (api.find(path) or {}).get("items", []):
            texts[f"{kind} {one['metadata']['name']}"] = json.dumps(one["spec"], sort_keys=True, indent=1)
    records = [read_record(one) for one in api.items(f"{system}/configmaps", labelSelector=RECORDS)]
    pods = api.items(f"{system}/pods", labelSelector=f"control-plane={release.controller}")
    serving = frozenset(pod["metadata"]["uid"] for pod in pods if _serves(pod))
    return Truth(texts, tuple(sorted(records)), serving)


def read_record(one: Object) -> Record:
    """A revision of its ConfigMap."""
    data = json.loads(one["data"]["revision.json"])
    texts = json.loads(gzip.decompress(base64.b64decode(one["binaryData"]["texts.json.gz"])))
    named = (
        Written(_KINDS[field["kind"]].format(field["name"]), tuple(field["field"]), *both)
        for field, both in zip(data["fields"], texts, strict=True)
    )
    metadata = one["metadata"]
    return Record(
        int(metadata["labels"]["ksconfig/revision"]),
        metadata["annotations"]["ksconfig/state"],
        data["command"],
        tuple(named),
        tuple(data["rollbackOf"]),
    )


def _serves(pod: Object) -> bool:
    ready = any(
        one["type"] == "Ready" and one["status"] == "True" for one in pod.get("status", {}).get("conditions") or []
    )
    return ready and "deletionTimestamp" not in pod["metadata"]
