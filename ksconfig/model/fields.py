"""The JSON type that KServe's code requires of each field of its config.

Read from the Go structs behind the keys (v1beta1/configmap.go, pkg/types, the pod webhook and pkg/credentials). No
field changed its type between releases, so the table needs no release. Many fields that look like numbers or booleans
are strings on purpose: ``defaultTimeout``, the flags of ``metricsAggregator``, all quantities. Go ignores names that a
struct does not have, so nothing is required of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ksconfig.text.json_scanner import fold

Plain = Literal["string", "boolean", "integer", "digits"]  # digits: a string that holds an integer (Go's ",string")


class ListOf(NamedTuple):
    """An array whose items are all of one type."""

    item: Plain


class MapOf(NamedTuple):
    """An object with any names, whose values are all of one type."""

    value: Type


Struct = Mapping[str, "Type"]
Type = Plain | ListOf | MapOf | Mapping[str, Any]

_KINDS = {"string": "string", "digits": "string", "boolean": "boolean", "integer": "number"}


def _fields(names: str, kind: Plain = "string") -> dict[str, Type]:
    return dict.fromkeys(names.split(), kind)


_STRINGS = ListOf("string")
_SERVER: Struct = {
    **_fields("image defaultImageVersion defaultGpuImageVersion"),
    "defaultTimeout": "digits",
    "multiModelServer": "boolean",
    "supportedFrameworks": _STRINGS,
    "allowedImageVersions": _STRINGS,
}
_EXPLAINER: Struct = {**_fields("image defaultImageVersion"), "allowedImageVersions": _STRINGS}
_QUANTITIES = _fields("cpuRequest cpuLimit memoryRequest memoryLimit")
_SIDECAR: Struct = {**_fields("image"), **_QUANTITIES}

_KEYS: dict[str, Type] = {
    "predictors": MapOf({**_SERVER, "v1": _SERVER, "v2": _SERVER}),
    "explainers": MapOf(_EXPLAINER),
    "transformers": MapOf(_EXPLAINER),
    "storageInitializer": {
        **_SIDECAR,
        **_fields("storageSpecSecretName cpuModelcar memoryModelcar caBundleConfigMapName caBundleVolumeMountPath"),
        **_fields("ociModelMode"),
        **_fields("enableDirectPvcVolumeMount enableModelcar enableOciModelSupport", "boolean"),
        "uidModelcar": "integer",
    },
    "credentials": {
        **_fields("storageSpecSecretName storageSecretNameAnnotation"),
        "gcs": _fields("gcsCredentialFileName"),
        "s3": _fields(
            "s3AccessKeyIDName s3SecretAccessKeyName s3Endpoint s3UseHttps s3Region s3VerifySSL s3UseVirtualBucket "
            "s3UseAccelerate s3UseAnonymousCredential s3CABundleConfigMap s3CABundle"
        ),
    },
    "ingress": {
        **_fields("ingressGateway ingressService localGateway localGatewayService ingressDomain ingressClassName"),
        **_fields("domainTemplate urlScheme pathTemplate knativeLocalGatewayService kserveIngressGateway"),
        **_fields("modelBasedRoutingHeaderName modelBasedRoutingMode"),
        **_fields("disableIstioVirtualHost disableIngressCreation enableGatewayApi", "boolean"),
        **_fields("enableLLMInferenceServiceTLS disableHTTPRouteTimeout", "boolean"),
        "additionalIngressDomains": _STRINGS,
    },
    "logger": {
        **_SIDECAR,
        **_fields("defaultUrl caBundle caCertFile marshallerUrl batchInterval"),
        "tlsSkipVerify": "boolean",
        "storage": MapOf({}),
        "batchSize": "integer",
    },
    "batcher": {**_SIDECAR, **_fields("maxBatchSize maxLatency")},
    "agent": _SIDECAR,
    "router": {
        **_SIDECAR,
        **_fields("imagePullPolicy"),
        "headers": MapOf(_STRINGS),
        "imagePullSecrets": _STRINGS,
    },
    "deploy": {
        **_fields("defaultDeploymentMode"),
        "deploymentRolloutStrategy": {"defaultRollout": _fields("maxSurge maxUnavailable")},
    },
    "metricsAggregator": _fields("enableMetricAggregation enablePrometheusScraping"),
    "localModel": {
        **_fields("jobNamespace defaultJobImage"),
        **_fields("enabled disableVolumeManagement", "boolean"),
        **_fields("fsGroup jobTTLSecondsAfterFinished reconcilationFrequencyInSecs", "integer"),
    },
    "security": _fields("autoMountServiceAccountToken", "boolean"),
    "inferenceService": {
        "serviceAnnotationDisallowedList": _STRINGS,
        "serviceLabelDisallowedList": _STRINGS,
        "resource": _QUANTITIES,
    },
    "service": _fields("serviceClusterIPNone", "boolean"),
    "multiNode": {"customGPUResourceTypeList": _STRINGS},
    "opentelemetryCollector": {
        **_fields("scrapeInterval metricReceiverEndpoint metricScalerEndpoint"),
        "resource": _QUANTITIES,
    },
    "autoscaler": _fields("scaleUpStabilizationWindowSeconds scaleDownStabilizationWindowSeconds"),
}


def _at(path: Sequence[str | int]) -> Type | None:
    """The type of the field at ``(key, field, ...)``, or None if no struct has it."""
    found: Type | None = _KEYS.get(str(path[0]))
    for step in path[1:]:
        if isinstance(found, ListOf):
            found = found.item
        elif isinstance(found, MapOf):
            found = found.value
        elif isinstance(found, Mapping):
            found = next((kind for name, kind in found.items() if fold(name) == fold(str(step))), None)
        else:
            return None
    return found


def required_kind(path: Sequence[str | int]) -> str | None:
    """The JSON type ("string", "boolean", ...) that the field at ``(key, field, ...)`` must have; None if unknown."""
    kind = _at(path)
    if kind is None:
        return None
    return _KINDS[kind] if isinstance(kind, str) else "array" if isinstance(kind, ListOf) else "object"


def type_faults(path: Sequence[str | int], value: Any) -> tuple[str, ...]:
    """Why Go's decoder would refuse the value at a path, one reason a field; empty if it would not."""
    kind = _at(path)
    return () if kind is None else tuple(_faults(kind, value, ".".join(map(str, path))))


def _faults(kind: Type, value: Any, where: str) -> Iterator[str]:
    if value is None:
        return  # null leaves a field as it is
    if isinstance(kind, str):
        wanted, found = _KINDS[kind], json_kind(value)
        if found != wanted:
            yield f"{where} must be a JSON {wanted}, and is the {found} {_short(value)}"
        elif kind == "integer" and not isinstance(value, int):
            yield f"{where} must be a whole number, and is {value}"
        elif kind == "digits" and not value.lstrip("-").isdecimal():
            yield f'{where} must hold a whole number in quotes, and is "{value}"'
    elif isinstance(kind, ListOf):
        if not isinstance(value, list | tuple):
            yield f"{where} must be a JSON array, and is the {json_kind(value)} {_short(value)}"
            return
        for index, item in enumerate(value):
            yield from _faults(kind.item, item, f"{where}[{index}]")
    elif not isinstance(value, Mapping):
        yield f"{where} must be a JSON object, and is the {json_kind(value)} {_short(value)}"
    elif isinstance(kind, MapOf):
        for name, item in value.items():
            yield from _faults(kind.value, item, f"{where}.{name}")
    else:
        known = {fold(name): inner for name, inner in kind.items()}
        for name, item in value.items():
            if fold(str(name)) in known:
                yield from _faults(known[fold(str(name))], item, f"{where}.{name}")


def _short(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


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
    return "object" if isinstance(value, Mapping) else "array"
