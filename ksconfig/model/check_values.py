"""Faults of the values in one key of a config by the rules of one release: what is required, quantities, enums."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ksconfig.model.effects import Effect, unreadable
from ksconfig.model.faults import Fault
from ksconfig.model.fields import go_fields, since
from ksconfig.model.go_templates import go_template_fault
from ksconfig.model.quantities import is_duration, is_prometheus_duration, parse_quantity
from ksconfig.model.releases import Rules
from ksconfig.model.start import required_faults
from ksconfig.text.json_path import format_path
from ksconfig.text.json_scanner import fold

#: What to do about a key that is not whole.
COMPLETE = "Give the value, or take the whole key from the config of your release."
RESOURCES = ("cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit")
_WITH_RESOURCES = frozenset({"storageInitializer", "logger", "batcher", "agent", "router"})


def value_faults(key: str, value: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """Every fault of the values in a key that the release reads."""
    for path, reason in required_faults(rules, key, value):
        missing = " is required" in reason
        mend = COMPLETE if missing else "Write one that this release takes."
        yield Fault("missing-field" if missing else "bad-value", path, reason, unreadable(key, rules), mend)
    fields = go_fields(value)
    if key in _WITH_RESOURCES:
        yield from _quantities((key,), fields, RESOURCES, unreadable(key, rules), required=True)
        if key in rules.images:  # those of the others are parsed, and given to no container
            yield from _over_limit((key,), fields)
    if key == "storageInitializer":
        yield from _modelcars(key, fields, rules)
    inner = fields.get("resource")
    if key in ("inferenceService", "opentelemetryCollector") and isinstance(inner, Mapping):
        text = {
            "inferenceService": "services with a container of their own or an explainer are refused",
            "opentelemetryCollector": "services that scale by metrics are not reconciled",
        }[key]
        folded = go_fields(inner)
        yield from _quantities((key, "resource"), folded, RESOURCES, Effect(True, text), required=False)
        yield from _over_limit((key, "resource"), folded)
    for check in _CHECKS.get(key, ()):
        yield from _checked(key, fields, check, rules)
    if key == "localModel" and fields.get("enabled") is True and not fields.get(fold("jobNamespace")):
        effect = Effect(True, "no model is cached on nodes: the jobs have no namespace")
        yield Fault("missing-field", (key, "jobNamespace"), "localModel.jobNamespace is required", effect, COMPLETE)
    if key == "deploy":
        yield from _rollout(fields, rules)


def _modelcars(key: str, fields: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    if rules.modelcars == "unread":
        return
    effect = unreadable(key, rules)
    if rules.modelcars == "used":
        effect = Effect(True, "the webhook refuses pods of models from oci://")
    names = ("cpuModelcar", "memoryModelcar")
    yield from _quantities((key,), fields, names, effect, required=rules.modelcars == "required")


def _quantities(
    path: tuple[str, ...], fields: Mapping[str, Any], names: Iterable[str], effect: Effect, *, required: bool
) -> Iterator[Fault]:
    for name in names:
        where, value = (*path, name), fields.get(fold(name))
        if value in (None, ""):
            if required:
                why = "is missing" if value is None else "is empty"
                what = f"{format_path(where)} {why}, and KServe requires it"
                yield Fault("missing-field", where, what, effect, COMPLETE)
        elif isinstance(value, str) and parse_quantity(value) is None:
            what = f'{format_path(where)} is "{value}", which is no quantity'
            yield Fault("bad-quantity", where, what, effect, "Write a quantity like 100m, 1, 100Mi or 1Gi.")


def _over_limit(path: tuple[str, ...], fields: Mapping[str, Any]) -> Iterator[Fault]:
    for kind in ("cpu", "memory"):
        request, limit = (
            parse_quantity(found) if isinstance(found := fields.get(fold(f"{kind}{which}")), str) else None
            for which in ("Request", "Limit")
        )
        if request is not None and limit is not None and request.exceeds(limit):
            where = (*path, f"{kind}Request")
            what = f"{format_path(where)} is more than {kind}Limit beside it"
            refused = Effect(True, "the API server refuses the pods that take both")
            yield Fault("request-over-limit", where, what, refused, "Raise the limit, or lower the request.")


def _rollout(fields: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    path = ("deploy", "deploymentRolloutStrategy", "defaultRollout")
    rollout = go_fields(go_fields(fields.get(fold(path[1]))).get(fold(path[2])))
    if since(path[:2]) > rules.release:
        return
    for name in ("maxSurge", "maxUnavailable"):
        found = rollout.get(fold(name))
        if isinstance(found, str) and found and not re.fullmatch(r"[0-9]+%?", found):
            effect = Effect(False, "the API server refuses the Deployments of services in the mode Standard")
            what = f'{format_path((*path, name))} is "{found}"'
            yield Fault("bad-value", (*path, name), what, effect, "Write a share like 25%.")


class Check(NamedTuple):
    """A test of a string field.

    Attributes:
        fault: what is wrong with a value, a clause; None if it is sound.
        effect: what KServe does with one that is not.
    """

    name: str
    fault: Callable[[str], str | None]
    effect: Effect
    mend: str


def _checked(key: str, fields: Mapping[str, Any], check: Check, rules: Rules) -> Iterator[Fault]:
    found = fields.get(fold(check.name))
    path = (key, check.name)
    fault = check.fault(found) if isinstance(found, str) and found and since(path) <= rules.release else None
    if fault is not None:
        yield Fault("bad-value", path, f'{format_path(path)} is "{found}", which {fault}', check.effect, check.mend)


def _one_of(*values: str) -> Callable[[str], str | None]:
    return lambda found: None if found in values else f"is not one of {', '.join(values)}"


def _that(test: Callable[[str], object], fault: str) -> Callable[[str], str | None]:
    return lambda found: None if test(found) else fault


def _whole_number(found: str) -> object:
    return re.fullmatch(r"[+-]?[0-9]+", found)


def _domain_fault(found: str) -> str | None:
    return go_template_fault(found, ("Name", "Namespace", "IngressDomain", "Annotations", "Labels"))


_NO_ADMISSION = "the webhook refuses every pod of every InferenceService, and every reconcile fails"
_TEMPLATE = "It is a Go template: close what it opens, and take only the fields that KServe gives."
_SECONDS = "Write a whole number of seconds, in quotes."
_NOT_TRUE = _that(lambda found: found.lower() != "true" or found == "true", 'is not "true", which alone switches it on')

# By key. An effect that breaks nothing is what KServe does instead of refusing.
_CHECKS: dict[str, tuple[Check, ...]] = {
    "router": (
        Check(
            "imagePullPolicy",
            _one_of("Always", "IfNotPresent", "Never"),
            Effect(True, "the API server refuses the pods of InferenceGraphs"),
            "Write Always, IfNotPresent or Never.",
        ),
    ),
    "storageInitializer": (
        Check(
            "ociModelMode",
            _one_of("modelcar", "native", "fetch"),
            Effect(True, _NO_ADMISSION),
            "Write modelcar, native or fetch.",
        ),
    ),
    "ingress": (
        Check(
            "domainTemplate",
            _domain_fault,
            Effect(True, "services deployed without Knative are not reconciled"),
            _TEMPLATE,
        ),
        Check(
            "pathTemplate",
            _that(lambda found: found.startswith(("/", "{{")), "does not begin with /"),
            Effect(True, "services get no URL"),
            "Begin it with /.",
        ),
        Check(
            "urlScheme", _one_of("http", "https"), Effect(False, "it only shows in the URLs"), "Write http or https."
        ),
        Check(
            "modelBasedRoutingMode",
            _that(lambda found: found.lower() in ("enabled", "forced", "disabled"), "is no mode"),
            Effect(False, "KServe takes it for enabled"),
            "Write enabled, forced or disabled.",
        ),
    ),
    "logger": (
        Check(
            "batchInterval",
            _that(is_duration, "is no duration"),
            Effect(True, "the agent beside each model with a logger exits"),
            "Write a duration like 500ms or 5s.",
        ),
    ),
    "opentelemetryCollector": (
        Check(
            "scrapeInterval",
            _that(lambda found: is_duration(found) or is_prometheus_duration(found), "is no duration"),
            Effect(True, "the collector does not start, so services that scale by its metrics do not scale"),
            "Write a duration like 5s.",
        ),
    ),
    "autoscaler": tuple(
        Check(name, _that(_whole_number, "is no number"), Effect(False, "KServe ignores it"), _SECONDS)
        for name in ("scaleUpStabilizationWindowSeconds", "scaleDownStabilizationWindowSeconds")
    ),
    "batcher": tuple(
        Check(name, _that(_whole_number, "is no number"), Effect(False, "KServe does not use it"), "Write a number.")
        for name in ("maxBatchSize", "maxLatency")
    ),
    "metricsAggregator": tuple(
        Check(name, _NOT_TRUE, Effect(False, "KServe takes it for false"), 'Write "true".')
        for name in ("enableMetricAggregation", "enablePrometheusScraping")
    ),
}
