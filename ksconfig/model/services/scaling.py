"""What KServe's validating webhook says against the way in which a service scales.

From ``validateInferenceServiceAutoscaler`` and ``validateAutoScalingCompExtension``
(v1beta1/inference_service_validation.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.model.plain import mapping, sequence
from ksconfig.model.quantities import Quantity, parse_quantity
from ksconfig.model.releases import Rules
from ksconfig.model.services.service import DEPLOYMENT_MODE, Service

_CLASS = "serving.kserve.io/autoscalerClass"
_METRIC = "serving.kserve.io/metrics"
_UTILIZATION = "serving.kserve.io/targetUtilizationPercentage"
_KNATIVE_CLASS = "autoscaling.knative.dev/class"
_KNATIVE_HPA = "hpa.autoscaling.knative.dev"
_OF_PODS = ("cpu", "memory")
_OF_REQUESTS = ("concurrency", "rps")
_MEBIBYTE = Quantity(1024 * 1024, 0)
_NUMBER = re.compile(r"[+-]?[0-9]+\Z")


def scaling_faults(service: Service, rules: Rules) -> Iterator[str]:
    """What is wrong with the annotations of a service."""
    if not rules.autoscaler_classes:
        return
    given = service.annotations.get(_CLASS)
    if given is not None and given not in rules.autoscaler_classes:
        yield f"{given} is no autoscaler class: {', '.join(sorted(rules.autoscaler_classes))}"
    if not rules.scaled_by_annotations:
        return
    metric = service.annotations.get(_METRIC)
    if given == "hpa" and metric is not None and metric not in rules.pod_metrics:
        yield f"{metric} is no metric of the autoscaler class hpa"
    share = service.annotations.get(_UTILIZATION)
    if share is not None and not (_NUMBER.match(str(share)) and 1 <= int(share) <= 100):
        yield f"the annotation {_UTILIZATION} is no whole number from 1 to 100, but {share}"


def scaling_faults_of(component: Mapping[str, Any], service: Service, rules: Rules) -> Iterator[str]:
    """What is wrong with the fields of a component; its service has passed the defaulter."""
    if not rules.scales_components:
        return
    if service.annotations.get(DEPLOYMENT_MODE) == rules.mode_names.get("RawDeployment", "RawDeployment"):
        named = service.annotations.get(_CLASS) if not rules.scaled_by_annotations else "hpa"
        if named == "hpa":
            yield from _by_pods(component, rules)
        elif named == "keda":
            yield from _by_keda(component)
    elif service.annotations.get(_KNATIVE_CLASS) == _KNATIVE_HPA:
        yield from _by_pods(component, rules)
    else:
        yield from _by_requests(component, rules)


def _by_pods(component: Mapping[str, Any], rules: Rules) -> Iterator[str]:
    metric, target = component.get("scaleMetric", "cpu"), component.get("scaleTarget")
    if metric not in _OF_PODS:
        yield f"{metric} is no metric of pods"
    if isinstance(target, int):
        if (metric == "cpu" and target < 1) or target > 100:  # the upper bound holds for memory too
            yield f"scaleTarget {target} is no share from 1 to 100"
        if metric == "memory" and target < 1:
            yield f"scaleTarget {target} is below 1"
    for one in _metrics(component):
        if one.get("type") != "Resource" or not isinstance(one.get("resource"), Mapping):
            yield f"a metric of type {one.get('type')} is not for the autoscaler class hpa, or lacks its fields"


def _by_requests(component: Mapping[str, Any], rules: Rules) -> Iterator[str]:
    if rules.strategies and isinstance(component.get("deploymentStrategy"), Mapping):
        yield "a deploymentStrategy is for services that are deployed without Knative"
    metric, target = component.get("scaleMetric", "concurrency"), component.get("scaleTarget")
    if metric not in _OF_REQUESTS:
        yield f"{metric} is no metric of Knative"
    if metric == "rps" and isinstance(target, int) and target < 1:
        yield f"scaleTarget {target} is below 1"


def _by_keda(component: Mapping[str, Any]) -> Iterator[str]:
    if "scaleMetric" in component:
        yield "scaleMetric is not for the autoscaler class keda"
    for one in _metrics(component):
        field = {"Resource": "resource", "External": "external", "PodMetric": "podmetric"}.get(str(one.get("type")), "")
        body = one.get(field)
        if not isinstance(body, Mapping):
            yield f"a metric of type {one.get('type')} lacks its fields"
            continue
        target = mapping(body.get("target"))
        if field != "resource":
            if not mapping(body.get("metric")).get("query") or target.get("value") is None:
                yield f"a metric of type {one['type']} lacks a query or a value to aim at"
        elif body.get("name") == "cpu" and target.get("type") != "Utilization":
            yield "the metric cpu aims at a Utilization"
        elif body.get("name") == "memory" and target.get("type") not in ("Utilization", "AverageValue"):
            yield "the metric memory aims at a Utilization or an AverageValue"
        elif body.get("name") == "memory" and target.get("type") == "AverageValue":
            amount = parse_quantity(str(target.get("averageValue")))
            if amount and _MEBIBYTE.exceeds(amount):
                yield f"the metric memory aims at {target['averageValue']}, which is less than 1Mi"
        yield from _target_faults(target)


def _target_faults(target: Mapping[str, Any]) -> Iterator[str]:
    field = {"Utilization": "averageUtilization", "AverageValue": "averageValue", "Value": "value"}
    wanted = field.get(str(target.get("type")))
    if wanted and target.get(wanted) is None:
        yield f"a target of type {target['type']} lacks {wanted}"
    share = target.get("averageUtilization")
    if wanted == "averageUtilization" and isinstance(share, int) and not 1 <= share <= 100:
        yield f"averageUtilization {share} is no share from 1 to 100"


def _metrics(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return map(mapping, sequence(mapping(component.get("autoScaling")).get("metrics")))
