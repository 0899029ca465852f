"""The JSON type that KServe requires of a field (facts 1.4)."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.fields import json_kind, required_kind, type_faults


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        # whole keys and the servers in them
        (("predictors",), "object"),
        (("predictors", "sklearn"), "object"),
        (("predictors", "sklearn", "v1"), "object"),
        (("predictors", "sklearn", "v2"), "object"),
        (("predictors", "sklearn", "v1", "image"), "string"),
        (("predictors", "tensorflow", "defaultImageVersion"), "string"),
        (("predictors", "tensorflow", "defaultGpuImageVersion"), "string"),
        (("predictors", "tensorflow", "multiModelServer"), "boolean"),
        (("predictors", "tensorflow", "supportedFrameworks"), "array"),
        (("predictors", "tensorflow", "supportedFrameworks", 0), "string"),
        (("explainers", "art", "image"), "string"),
        (("explainers", "alibi", "allowedImageVersions"), "array"),
        (("explainers", "alibi", "allowedImageVersions", 0), "string"),
        # numbers and flags that are strings on purpose
        (("predictors", "tensorflow", "defaultTimeout"), "string"),
        (("metricsAggregator", "enableMetricAggregation"), "string"),
        (("metricsAggregator", "enablePrometheusScraping"), "string"),
        (("batcher", "maxBatchSize"), "string"),
        (("batcher", "maxLatency"), "string"),
        (("autoscaler", "scaleUpStabilizationWindowSeconds"), "string"),
        (("autoscaler", "scaleDownStabilizationWindowSeconds"), "string"),
        (("agent", "cpuLimit"), "string"),
        (("storageInitializer", "memoryRequest"), "string"),
        (("storageInitializer", "ociModelMode"), "string"),
        (("logger", "batchInterval"), "string"),
        (("credentials", "storageSpecSecretName"), "string"),
        # those that are not
        (("credentials", "s3"), "object"),
        (("credentials", "gcs"), "object"),
        (("storageInitializer", "enableModelcar"), "boolean"),
        (("storageInitializer", "enableDirectPvcVolumeMount"), "boolean"),
        (("storageInitializer", "enableOciModelSupport"), "boolean"),
        (("storageInitializer", "uidModelcar"), "number"),
        (("ingress", "disableIstioVirtualHost"), "boolean"),
        (("ingress", "disableIngressCreation"), "boolean"),
        (("ingress", "enableGatewayApi"), "boolean"),
        (("ingress", "enableLLMInferenceServiceTLS"), "boolean"),
        (("ingress", "disableHTTPRouteTimeout"), "boolean"),
        (("ingress", "additionalIngressDomains"), "array"),
        (("ingress", "additionalIngressDomains", 0), "string"),
        (("ingress", "ingressGateway"), "string"),
        (("logger", "tlsSkipVerify"), "boolean"),
        (("logger", "batchSize"), "number"),
        (("logger", "storage"), "object"),
        (("router", "headers"), "object"),
        (("router", "imagePullSecrets"), "array"),
        (("router", "imagePullSecrets", 0), "string"),
        (("router", "imagePullPolicy"), "string"),
        (("deploy", "defaultDeploymentMode"), "string"),
        (("deploy", "deploymentRolloutStrategy"), "object"),
        (("localModel", "enabled"), "boolean"),
        (("localModel", "fsGroup"), "number"),
        (("localModel", "jobTTLSecondsAfterFinished"), "number"),
        (("localModel", "reconcilationFrequencyInSecs"), "number"),
        (("localModel", "disableVolumeManagement"), "boolean"),
        (("localModel", "defaultJobImage"), "string"),
        (("security", "autoMountServiceAccountToken"), "boolean"),
        (("service", "serviceClusterIPNone"), "boolean"),
        (("multiNode", "customGPUResourceTypeList"), "array"),
        (("multiNode", "customGPUResourceTypeList", 0), "string"),
        (("inferenceService", "serviceAnnotationDisallowedList"), "array"),
        (("inferenceService", "serviceLabelDisallowedList", 0), "string"),
        (("inferenceService", "resource"), "object"),
        (("opentelemetryCollector", "scrapeInterval"), "string"),
        (("opentelemetryCollector", "resource"), "object"),
        # nothing is known of these
        (("oauthProxy", "image"), None),
        (("predictors", "sklearn", "v1", "unheardOf"), None),
    ],
)
def test_a_field_has_the_type_that_its_struct_has(path: tuple[str | int, ...], kind: str | None) -> None:
    assert required_kind(path) == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "boolean"),
        (False, "boolean"),
        (0, "number"),
        (1.5, "number"),
        ("", "string"),
        ("true", "string"),
        ({}, "object"),
        ([], "array"),
        ((), "array"),
    ],
)
def test_python_data_has_a_json_type(value: Any, kind: str) -> None:
    assert json_kind(value) == kind


def test_a_value_nested_deeper_than_can_be_shown_is_judged_all_the_same() -> None:
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    (fault,) = type_faults(("agent", "image"), deep)
    assert fault.reason.endswith("must be a JSON string, and is the array (nested too deeply to be shown)")
