"""The JSON type that KServe's code requires of each field of its config.

Read from the Go structs behind the keys (v1beta1/configmap.go, pkg/types, the pod webhook and pkg/credentials). No
field changed its type between releases, so the table needs no release. Many fields that look like numbers or booleans
are strings on purpose: ``defaultTimeout``, the flags of ``metricsAggregator``, all quantities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_SERVER = {
    "image": "string",
    "defaultImageVersion": "string",
    "defaultGpuImageVersion": "string",
    "defaultTimeout": "string",
    "multiModelServer": "boolean",
    "supportedFrameworks": "array",
    "allowedImageVersions": "array",
}
_RESOURCES = dict.fromkeys(("image", "cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit"), "string")
_STRINGS = "string"  # every field that is not named

_FIELDS: dict[str, dict[str, str]] = {
    "storageInitializer": {
        **_RESOURCES,
        "enableDirectPvcVolumeMount": "boolean",
        "enableModelcar": "boolean",
        "enableOciModelSupport": "boolean",
        "uidModelcar": "number",
    },
    "credentials": {"s3": "object", "gcs": "object"},
    "ingress": {
        "disableIstioVirtualHost": "boolean",
        "disableIngressCreation": "boolean",
        "enableGatewayApi": "boolean",
        "enableLLMInferenceServiceTLS": "boolean",
        "disableHTTPRouteTimeout": "boolean",
        "additionalIngressDomains": "array",
    },
    "logger": {**_RESOURCES, "tlsSkipVerify": "boolean", "storage": "object", "batchSize": "number"},
    "batcher": _RESOURCES,
    "agent": _RESOURCES,
    "router": {**_RESOURCES, "headers": "object", "imagePullSecrets": "array"},
    "deploy": {"deploymentRolloutStrategy": "object"},
    "metricsAggregator": {},
    "localModel": {
        "enabled": "boolean",
        "disableVolumeManagement": "boolean",
        "fsGroup": "number",
        "jobTTLSecondsAfterFinished": "number",
        "reconcilationFrequencyInSecs": "number",
    },
    "security": {"autoMountServiceAccountToken": "boolean"},
    "inferenceService": {
        "serviceAnnotationDisallowedList": "array",
        "serviceLabelDisallowedList": "array",
        "resource": "object",
    },
    "service": {"serviceClusterIPNone": "boolean"},
    "multiNode": {"customGPUResourceTypeList": "array"},
    "opentelemetryCollector": {"resource": "object"},
    "autoscaler": {},
}
_SERVERS = {"predictors", "explainers", "transformers"}


def required_kind(path: Sequence[str | int]) -> str | None:
    """The JSON type ("string", "boolean", ...) that the field at ``(key, field, ...)`` must have; None if unknown."""
    key, *inner = path
    if not inner:
        return "object"
    if key in _SERVERS:
        if len(inner) == 1 or (len(inner) == 2 and inner[1] in ("v1", "v2")):
            return "object"
        return _SERVER.get(str(inner[-1])) if isinstance(inner[-1], str) else "string"
    fields = _FIELDS.get(str(key))
    if fields is None:
        return None
    if len(inner) == 1:
        return fields.get(str(inner[0]), _STRINGS)
    if isinstance(inner[-1], int) and fields.get(str(inner[0])) == "array":
        return "string"
    return None


def json_kind(value: Any) -> str:
    """The JSON type of Python data."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array"
