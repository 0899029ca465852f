"""The JSON type that KServe's code requires of each field of its config.

Read from the Go structs behind the keys (v1beta1/configmap.go, pkg/types, the pod webhook and pkg/credentials). No
field changed its type between releases; which release first had it, `since` says. Many fields that look like numbers
or booleans are strings on purpose: ``defaultTimeout``, the flags of ``metricsAggregator``, all quantities. Go ignores
names that a struct does not have, so nothing is required of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ksconfig.model.releases import Release, Rules
from ksconfig.text.json_path import format_path
from ksconfig.text.json_scanner import fold

#: "digits" is a string that holds an integer (Go's ",string").
Plain = Literal["string", "boolean", "integer", "int32", "digits"]


class ListOf(NamedTuple):
    """An array whose items are all of one type."""

    item: Plain


class MapOf(NamedTuple):
    """An object with any names, whose values are all of one type."""

    value: Type


Struct = Mapping[str, "Type"]
Type = Plain | ListOf | MapOf | Mapping[str, Any]

_KINDS = {"string": "string", "digits": "string", "boolean": "boolean", "integer": "number", "int32": "number"}


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
        **_fields("fsGroup reconcilationFrequencyInSecs", "integer"),
        **_fields("jobTTLSecondsAfterFinished", "int32"),
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


_DIGITS = re.compile("-?[0-9]{1,20}")
_BITS = {"integer": 64, "int32": 32}


def _fits(number: int, bits: int) -> bool:
    return bool(-(2 ** (bits - 1)) <= number < 2 ** (bits - 1))


class FieldFault(NamedTuple):
    """A field that Go's decoder would refuse: where, and why in words that name the place."""

    path: tuple[str | int, ...]
    reason: str


def type_faults(path: Sequence[str | int], value: Any) -> tuple[FieldFault, ...]:
    """Why Go's decoder would refuse the value at a path, in whichever release; empty if it would not."""
    kind = _at(path)
    return () if kind is None else tuple(_faults(kind, value, tuple(path)))


def read_type_faults(key: str, value: Any, rules: Rules) -> tuple[FieldFault, ...]:
    """Why the decoder of one release would refuse a key: fields that its structs do not have are ignored."""
    server = {name: kind for name, kind in _SERVER.items() if rules.version_list or name != "allowedImageVersions"}
    shapes: dict[str, Type] = {"flat": server, "protocols": {"v1": server, "v2": server}}
    kinds: dict[str, Type] = {
        "predictors": {name: shapes[shape] for name, shape in rules.frameworks.items()},
        "explainers": dict.fromkeys(rules.explainers, _EXPLAINER),
        "transformers": {"feast": _EXPLAINER},
    }
    kind = kinds.get(key, _KEYS.get(key))
    found = _faults(kind, value, (key,)) if kind is not None else ()
    return tuple(fault for fault in found if since(fault.path) <= rules.release)


def _faults(kind: Type, value: Any, path: tuple[str | int, ...]) -> Iterator[FieldFault]:
    if value is None:
        return  # null leaves a field as it is
    where = format_path(path)
    if isinstance(kind, str):
        wanted, found = _KINDS[kind], json_kind(value)
        if found != wanted:
            yield FieldFault(path, f"{where} must be a JSON {wanted}, and is the {found} {short(value)}")
        elif kind in ("integer", "int32") and not (isinstance(value, int) and _fits(value, _BITS[kind])):
            yield FieldFault(path, f"{where} must be a whole number of {_BITS[kind]} bits, and is {short(value)}")
        elif kind == "digits" and not (_DIGITS.fullmatch(value) and _fits(int(value), 64)):
            yield FieldFault(path, f'{where} must hold a whole number in quotes, and is "{value}"')
    elif isinstance(kind, ListOf):
        if not isinstance(value, list | tuple):
            yield FieldFault(path, f"{where} must be a JSON array, and is the {json_kind(value)} {short(value)}")
            return
        for index, item in enumerate(value):
            yield from _faults(kind.item, item, (*path, index))
    elif not isinstance(value, Mapping):
        yield FieldFault(path, f"{where} must be a JSON object, and is the {json_kind(value)} {short(value)}")
    elif isinstance(kind, MapOf):
        for name, item in value.items():
            yield from _faults(kind.value, item, (*path, name))
    else:
        known = {fold(name): inner for name, inner in kind.items()}
        for name, item in value.items():
            if fold(str(name)) in known:
                yield from _faults(known[fold(str(name))], item, (*path, name))


def unknown_fields(path: Sequence[str | int], value: Any) -> Iterator[tuple[tuple[str | int, ...], tuple[str, ...]]]:
    """The fields below a path that no struct has, each with the names that its struct has."""
    kind = _at(path)
    if not isinstance(value, Mapping) or kind is None or isinstance(kind, str | ListOf):
        return
    for name, item in value.items():
        inner = (*path, name)
        if isinstance(kind, Mapping) and fold(str(name)) not in map(fold, kind):
            if kind:  # an empty struct stands for one that is not looked into
                yield inner, tuple(kind)
        else:
            yield from unknown_fields(inner, item)


def since(path: Sequence[str | int]) -> Release:
    """The release whose code first has the field at a path, as far as it came later than its key."""
    names = [str(step) for step in path if isinstance(step, str)]
    if names[:1] == ["predictors"]:
        names[1:] = [name for name in names[2:] if name not in ("v1", "v2")]  # the same in every framework
    return Release(0, _SINCE.get(fold(".".join(names)), 0))


# Fields that came after their key did (the structs named above, compared between the tags).
_SINCE = {
    fold(f"{key}.{name}"): minor
    for minor, key, names in (
        (5, "predictors", "defaultTimeout multiModelServer"),
        (6, "predictors", "supportedFrameworks"),
        (10, "credentials", "s3.s3Region s3.s3VerifySSL s3.s3UseVirtualBucket s3.s3UseAnonymousCredential"),
        (10, "credentials", "s3.s3CABundle"),
        (12, "credentials", "s3.s3UseAccelerate s3.s3CABundleConfigMap"),
        (11, "credentials", "storageSpecSecretName storageSecretNameAnnotation"),
        (11, "storageInitializer", "enableDirectPvcVolumeMount"),
        (12, "storageInitializer", "cpuModelcar memoryModelcar enableModelcar uidModelcar"),
        (12, "storageInitializer", "caBundleConfigMapName caBundleVolumeMountPath"),
        (20, "storageInitializer", "enableOciModelSupport ociModelMode"),
        (7, "ingress", "ingressDomain"),
        (9, "ingress", "ingressClassName domainTemplate urlScheme"),
        (10, "ingress", "disableIstioVirtualHost pathTemplate"),
        (12, "ingress", "disableIngressCreation"),
        (13, "ingress", "additionalIngressDomains"),
        (14, "ingress", "knativeLocalGatewayService"),
        (15, "ingress", "enableGatewayApi kserveIngressGateway"),
        (18, "ingress", "enableLLMInferenceServiceTLS disableHTTPRouteTimeout"),
        (19, "ingress", "modelBasedRoutingHeaderName modelBasedRoutingMode"),
        (4, "logger", "defaultUrl"),
        (14, "logger", "caBundle caCertFile tlsSkipVerify"),
        (16, "logger", "storage"),
        (17, "logger", "marshallerUrl batchSize batchInterval"),
        (12, "batcher", "maxBatchSize maxLatency"),
        (10, "router", "headers"),
        (15, "router", "imagePullPolicy imagePullSecrets"),
        (16, "deploy", "deploymentRolloutStrategy"),
        (15, "localModel", "jobTTLSecondsAfterFinished reconcilationFrequencyInSecs disableVolumeManagement"),
        (16, "opentelemetryCollector", "resource"),
    )
    for name in names.split()
}


def go_fields(value: Any) -> Mapping[str, Any]:
    """The members of an object by folded name: Go's decoder takes names in any case, and of several the last.

    Nothing for what is no object.
    """
    return {fold(str(name)): item for name, item in value.items()} if isinstance(value, Mapping) else {}


def short(value: Any) -> str:
    """A value as JSON, cut to forty characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "(nested too deeply to be shown)"
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
