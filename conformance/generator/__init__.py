"""Makes cases: for each dimension that a release has, those that show it; then random ones."""

from __future__ import annotations

import itertools

from conformance.case import SHARED, Case, Object
from conformance.generator import choice, components, merge, services
from conformance.generator.kit import Dimension, Draft, Kit
from conformance.generator.mixed import mixed
from ksconfig.model.releases import Rules
from ksconfig.model.services.world import World

_OF_SERVICES: tuple[tuple[str, Dimension], ...] = (
    ("framework fields", services.framework_fields),
    ("explicit image", services.explicit_image),
    ("custom containers", services.custom_containers),
    ("GPU and MIG", services.gpu),
    ("protocol", services.protocol),
    ("explainers", components.explainers),
    ("transformers", components.transformers),
    ("resources", components.resources),
    ("canary", services.canary),
    ("storage URIs", services.storage),
    ("refusals", services.refusals),
    ("scaling", services.scaling),
    ("deployment", services.deployment),
    ("updates", services.updates),
)
_OF_PYTORCH: tuple[tuple[str, Dimension], ...] = (("pytorch's two servers", services.two_servers_of_pytorch),)
_OF_RUNTIMES: tuple[tuple[str, Dimension], ...] = (
    ("runtime: named", choice.named_runtime),
    ("runtime: version", choice.by_version),
    ("runtime: protocol", choice.by_protocol),
    ("runtime: priority", choice.by_priority),
    ("runtime: namespace before cluster", choice.namespace_first),
    ("runtime: disabled, multi-model", choice.left_out),
    ("container merge", merge.container_merge),
    ("placeholders", merge.placeholders),
    ("tag rule", merge.tag_rule),
    ("renamed runtimes", merge.renamed),
)
_OF_WORKERS: tuple[tuple[str, Dimension], ...] = (("runtime: workers", choice.workers),)
_OF_CANARIES: tuple[tuple[str, Dimension], ...] = (("several predictors", services.several_predictors),)
_MIXED = "mixed"


def dimensions(rules: Rules) -> tuple[tuple[str, Dimension], ...]:
    """The dimensions that a release has."""
    found = _OF_SERVICES
    if rules.frameworks.get("pytorch") == "protocols":
        found += _OF_PYTORCH
    if rules.runtimes:
        found += _OF_RUNTIMES
    if rules.worker_runtimes:
        found += _OF_WORKERS
    if rules.canaries:
        found += _OF_CANARIES
    return found


def cases_for(world: World, count: int, seed: int) -> list[Case]:
    """Cases for a cluster: by turns one of each dimension, and where all have ended, random ones."""
    kit = Kit(world, seed)
    made = {name: list(make(kit)) for name, make in dimensions(kit.rules)}
    for drafts in made.values():
        kit.random.shuffle(drafts)
    turns = itertools.zip_longest(*([(name, draft) for draft in drafts] for name, drafts in made.items()))
    those_made = (one for turn in turns for one in turn if one)
    random_ones = ((_MIXED, draft) for draft in mixed(kit))
    picked = itertools.islice(itertools.chain(those_made, random_ones), count)
    return [_case(kit.rules, number, name, draft) for number, (name, draft) in enumerate(picked, 1)]


def _case(rules: Rules, number: int, dimension: str, draft: Draft) -> Case:
    made = draft.runtimes + draft.younger
    alone = any(one["kind"] == "ServingRuntime" and "namespace" not in one["metadata"] for one in made)
    namespace = f"{SHARED}-{number:03}" if alone else SHARED
    metadata: Object = {"name": draft.name or f"case-{number:03}", "namespace": namespace}
    for key, value in (("labels", draft.labels), ("annotations", draft.annotations)):
        if value:
            metadata[key] = value
    parts = {"predictor": draft.predictor, "explainer": draft.explainer, "transformer": draft.transformer}
    service = {
        "apiVersion": f"{rules.group}/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata,
        "spec": {name: part for name, part in parts.items() if part is not None} | draft.more,
    }
    runtimes, younger = (
        tuple(_in_namespace(one, namespace) for one in group) for group in (draft.runtimes, draft.younger)
    )
    return Case(f"{number:03}", dimension, service, runtimes, younger, draft.then)


def _in_namespace(runtime: Object, namespace: str) -> Object:
    if runtime["kind"] != "ServingRuntime" or "namespace" in runtime["metadata"]:
        return runtime
    return {**runtime, "metadata": {**runtime["metadata"], "namespace": namespace}}
