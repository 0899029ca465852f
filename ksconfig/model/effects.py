"""What KServe does when it cannot use a key of its config, by release.

Read where each key is parsed: v1alpha2/configmap.go (0.2 to 0.4), v1beta1/configmap.go and
inference_service_defaults.go, pkg/webhook/admission/pod/, cmd/manager/main.go and the controllers; and from how the
controller-runtime of each release treats a panic (it ends the process to 0.14, and is recovered from 0.15 on).
"""

from __future__ import annotations

from typing import NamedTuple

from ksconfig.model.releases import Rules

_PODS = "the webhook refuses every pod of every InferenceService, so none starts or restarts"
_SERVICES = frozenset({"predictors", "transformers", "explainers", "inferenceService"})
_POD_KEYS = frozenset({"storageInitializer", "logger", "batcher", "agent", "credentials", "metricsAggregator"})


class Effect(NamedTuple):
    """What KServe does.

    Attributes:
        breaks: whether that breaks something that worked, or would have.
        text: a clause whose subject is in it.
    """

    breaks: bool
    text: str


def unreadable(key: str, rules: Rules) -> Effect:
    """What a release does with a key whose text it cannot decode."""
    if key not in rules.reads:
        return Effect(False, f"KServe {rules.release} does not read this key")
    if key in _POD_KEYS:
        more = ", and every reconcile fails" if key == "storageInitializer" and rules.reconciles_storage else ""
        return Effect(True, _PODS + more)
    if key in rules.start_keys:
        more = "; until then every reconcile fails" if key in ("deploy", "ingress") else ""
        return Effect(True, f"the controller exits at its next start{more}")
    if key in _SERVICES:
        if rules.v1alpha2:
            return Effect(True, "the controller crashes on the first InferenceService, and admission refuses each one")
        return Effect(True, "admission refuses every InferenceService, and every reconcile fails")
    if key == "ingress":
        return Effect(True, "the controller crashes" if rules.v1alpha2 else "every reconcile of a service fails")
    if key == "router":
        crash = "the controller crashes on the first InferenceGraph"
        return Effect(True, "no InferenceGraph is reconciled" if rules.recovers else crash)
    if key in ("localModel", "security"):
        return Effect(True, "admission refuses every InferenceService")
    if key == "service":
        return Effect(False, "the controller logs the fault and takes the defaults")
    who = {
        "opentelemetryCollector": "services that scale by OpenTelemetry metrics",
        "autoscaler": "services that scale by KEDA",
    }.get(key, "services that need it")
    return Effect(True, f"{who} are not reconciled")


def null(key: str, rules: Rules) -> Effect:
    """What a release does with a key whose text is ``null``; for most of them Go's decoder gives no struct at all."""
    broken = unreadable(key, rules)
    if not broken.breaks:
        return broken
    as_absent = {"credentials", "opentelemetryCollector", "autoscaler", "transformers"}
    if not rules.v1alpha2:
        as_absent |= {"predictors", "explainers"}
    if key in as_absent:
        return absent(key, rules)
    if key == "security":
        return Effect(False, "services keep their service account tokens, against what the key is for")
    return broken


def absent(key: str, rules: Rules) -> Effect:
    """What a release does without a key that its own config has."""
    if key in ("storageInitializer", "logger", "batcher", "agent"):
        return Effect(True, _PODS + " (its resources would be empty, which are no quantities)")
    if key == "router":
        return Effect(True, "no InferenceGraph is reconciled (its resources would be empty, which are no quantities)")
    if key == "predictors":
        if rules.predictors == "decide":
            return Effect(True, "no service of a framework finds an image; the controller may crash on it")
        return Effect(False, "services stored by KServe 0.7 and not updated since find no image")
    if key == "deploy":
        return {
            "exits": Effect(True, "the controller waits for what never comes, and exits"),
            "unreconciled": Effect(True, "services without a deployment mode of their own are not reconciled"),
        }.get(rules.without_deploy, Effect(False, "services are deployed with Knative"))
    if key == "ingress":
        return Effect(True, "services get routes without a gateway")
    if key == "explainers":
        return Effect(False, "services with an explainer find no image for it")
    if key == "inferenceService":
        return Effect(False, "annotations that KServe keeps for itself are copied to pods, and no resources are set")
    if key == "localModel":
        return Effect(False, "models are not cached on nodes")
    if key == "security":
        return Effect(False, "services lose their service account tokens")
    return Effect(False, "KServe takes its defaults")
