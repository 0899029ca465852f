"""Faults of serving runtimes by the rules of one release.

The rules of admission are those of pkg/webhook/admission/servingruntime/servingruntime_webhook.go (0.11 on), the types
those of the custom resource definitions, the rest what reconciling makes of a runtime (components/predictor.go).
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ksconfig.errors import InvalidReference
from ksconfig.model.effects import Effect
from ksconfig.model.faults import Fault
from ksconfig.model.fields import short
from ksconfig.model.go_templates import go_template_fault
from ksconfig.model.plain import mapping, sequence
from ksconfig.model.plan import Field, ObjectRef
from ksconfig.model.quantities import Quantity, parse_quantity
from ksconfig.model.reference import Reference
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import SERVING_CONTAINER, Runtime
from ksconfig.text.json_path import format_path
from ksconfig.text.templates import holds_template

_REFUSED = Effect(True, "KServe's admission refuses the runtime")
_NOT_STORED = Effect(True, "the API server refuses the runtime")
_FORMATS = ("spec", "supportedModelFormats")
_WORKER_SIZES = ("PIPELINE_PARALLEL_SIZE", "TENSOR_PARALLEL_SIZE")
# The fields of 0.8 to 0.20 (v1alpha1/servingruntime_types.go); others are dropped by the API server.
_SPEC_FIELDS = (
    *("supportedModelFormats", "multiModel", "disabled", "protocolVersions", "containers", "volumes", "workerSpec"),
    *("nodeSelector", "affinity", "tolerations", "labels", "annotations", "imagePullSecrets", "schedulerName"),
    *("grpcEndpoint", "grpcDataEndpoint", "httpDataEndpoint", "replicas", "storageHelper", "builtInAdapter", "hostIPC"),
)
_FORMAT_TYPES: dict[str, type] = {"name": str, "version": str, "autoSelect": bool}
_FORMAT_FIELDS = (*_FORMAT_TYPES, "priority")
_CONTAINER_TYPES: dict[str, type] = {"name": str, "image": str, "args": list, "command": list, "env": list}


class RuntimeFacts(NamedTuple):
    """A runtime as it was read, and its object as plain data."""

    runtime: Runtime
    data: Mapping[str, Any]

    @property
    def is_fragment(self) -> bool:
        """Whether it lacks what every runtime has: a patch, which another manifest completes."""
        spec = self.data.get("spec", {})
        return isinstance(spec, Mapping) and not {"containers", "supportedModelFormats"} <= spec.keys()


def runtime_faults(runtimes: Sequence[RuntimeFacts], rules: Rules) -> Iterator[Fault]:
    """Every fault of the runtimes that a release would meet."""
    if not rules.runtimes:
        return
    there = [facts for facts in runtimes if facts.data.get("$patch") != "delete"]
    for facts in there:
        for fault in _faults(facts, rules):
            yield fault._replace(object=facts.runtime.ref)
    if rules.priorities:
        yield from _equal_priorities([facts.runtime for facts in there])


def _faults(facts: RuntimeFacts, rules: Rules) -> Iterator[Fault]:
    runtime, data = facts
    spec = data.get("spec", {})
    if not isinstance(spec, Mapping):
        yield from _typed(("spec",), spec, dict, required=True)
        return
    yield from _spec_types(spec, rules)
    yield from _own_priorities(runtime, rules)
    yield from _workers(spec, rules)
    has_workers = rules.worker_runtimes and isinstance(spec.get("workerSpec"), Mapping)
    for index, container in enumerate(sequence(spec.get("containers"))):
        serves = mapping(container).get("name") == SERVING_CONTAINER
        sizes = _WORKER_SIZES if has_workers and serves else ()
        yield from _container(container, ("spec", "containers", index), rules, sizes)
    # which of them serves, and how: not for ModelMesh, nor where nobody gets the runtime
    if not (runtime.disabled or runtime.multi_model):
        yield from _serving(facts, spec, rules)


# Types


_KINDS = {bool: "boolean", str: "string", dict: "mapping", list: "list"}


def _typed(path: Field, value: Any, kind: type, *, required: bool = False) -> Iterator[Fault]:
    if isinstance(value, kind) or (value is None and not required):
        return
    seen = "is not there" if value is None else f"is {short(value)}"
    what = f"{format_path(path)} must be a {_KINDS[kind]}, and {seen}"
    mend = {str: "Write it in quotes, as it stands.", bool: "Write true or false, without quotes."}.get(
        kind, f"Write it as a {_KINDS[kind]}."
    )
    yield Fault("wrong-type", path, what, _NOT_STORED, mend)


def _spec_types(spec: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    kinds: dict[str, type] = {"disabled": bool, "multiModel": bool}
    kinds |= dict.fromkeys(("containers", "protocolVersions", "supportedModelFormats"), list)
    for field, kind in kinds.items():
        yield from _typed(("spec", field), spec.get(field), kind, required=field == "containers" and field in spec)
    yield from _unknown(("spec",), spec, _SPEC_FIELDS)
    for index, entry in enumerate(sequence(spec.get("supportedModelFormats"))):
        path = (*_FORMATS, index)
        if not isinstance(entry, Mapping):
            yield from _typed(path, entry, dict, required=True)
            continue
        if not entry.get("name"):
            yield Fault("missing-field", (*path, "name"), "a model format has no name", _NOT_STORED, "Name it.")
        for field, kind in _FORMAT_TYPES.items():
            yield from _typed((*path, field), entry.get(field), kind)
        yield from _unknown(path, entry, _FORMAT_FIELDS)
        priority = entry.get("priority")
        if rules.priorities and priority is not None and not _is_integer(priority, 1, 2**31):
            what = f"the priority {short(priority)} is no whole number of 32 bits from 1 on"
            yield Fault("bad-value", (*path, "priority"), what, _NOT_STORED, "Write a number like 1 or 2.")


def _unknown(path: Field, value: Mapping[str, Any], known: Sequence[str]) -> Iterator[Fault]:
    for name in value:
        near = difflib.get_close_matches(str(name), known, 1, 0.75) if name not in known else []
        if near:
            what = f"{format_path((*path, name))} looks misspelt"
            effect = Effect(False, "the API server drops it without a word")
            yield Fault("misspelt-field", (*path, name), what, effect, f"Call it {near[0]}.")


def _is_integer(value: Any, least: int, bound: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < bound


# Containers


def _serving(facts: RuntimeFacts, spec: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    runtime = facts.runtime
    path: Field = ("spec", "containers")
    first: dict[str, int] = {}
    for index, container in enumerate(runtime.containers):
        if container.name and first.setdefault(container.name, index) != index:
            effect = Effect(True, "its services get no pods")
            what = f"two containers are named {container.name}"
            yield Fault("bad-value", (*path, index, "name"), what, effect, "Give each a name of its own.")
    serving = runtime.serving_container(rules)
    if serving is not None and isinstance(spec["containers"][serving], Mapping):
        yield from _serving_container(facts, spec["containers"][serving], (*path, serving))
    elif serving is None and not facts.is_fragment and isinstance(spec.get("containers"), list):
        what = f"no container is named {SERVING_CONTAINER}" if runtime.containers else "there are no containers"
        effect = Effect(True, "no service that gets this runtime is reconciled")
        yield Fault("no-serving-container", path, what, effect, f"Name the one that serves {SERVING_CONTAINER}.")


def _container(container: Any, path: Field, rules: Rules, sizes: Collection[str] = ()) -> Iterator[Fault]:
    """A container; ``sizes`` are the variables that its runtime's workerSpec sets."""
    if not isinstance(container, Mapping):
        yield from _typed(path, container, dict, required=True)
        return
    for field, kind in _CONTAINER_TYPES.items():
        required = field == "name" and rules.named_container
        yield from _typed((*path, field), container.get(field), kind, required=required)
    for field in ("args", "command"):
        for index, word in enumerate(sequence(container.get(field))):
            yield from _typed((*path, field, index), word, str, required=True)
    for index, entry in enumerate(sequence(container.get("env"))):
        yield from _variable(entry, (*path, "env", index), rules, sizes)
    yield from _resources(container.get("resources"), (*path, "resources"))


def _variable(entry: Any, path: Field, rules: Rules, sizes: Collection[str]) -> Iterator[Fault]:
    """An environment variable."""
    if not isinstance(entry, Mapping):
        yield from _typed(path, entry, dict, required=True)
        return
    name = entry.get("name")
    yield from _typed((*path, "name"), name, str, required=True)
    yield from _typed((*path, "value"), entry.get("value"), str)
    if isinstance(name, str) and name in rules.blocked_env:
        yield Fault("bad-value", path, f"the environment sets {name}", _REFUSED, "Remove it.")
    if isinstance(name, str) and name in sizes:
        what = f"the environment sets {name}, which workerSpec does"
        yield Fault("bad-value", path, what, _REFUSED, "Set it in workerSpec.")


def _resources(resources: Any, path: Field) -> Iterator[Fault]:
    yield from _typed(path, resources, dict)
    amounts: dict[tuple[str, str], Quantity] = {}
    for which in ("limits", "requests"):
        given = mapping(resources).get(which)
        yield from _typed((*path, which), given, dict)
        for name, amount in mapping(given).items():
            where = (*path, which, str(name))
            found = parse_quantity(str(amount)) if isinstance(amount, str | int | float) else None
            if found is not None:
                amounts[which, str(name)] = found
            elif not (isinstance(amount, str) and holds_template(amount)):
                what = f"{format_path(where)} is {short(amount)}, which is no quantity"
                yield Fault("bad-quantity", where, what, _NOT_STORED, "Write a quantity like 100m, 1 or 2Gi.")
    for (which, name), request in amounts.items():
        limit = amounts.get(("limits", name))
        if which == "requests" and limit is not None and request.exceeds(limit):
            what = f"{format_path((*path, which, name))} is more than the limit"
            refused = Effect(True, "the API server refuses the pods of its services")
            mend = "Raise the limit, or lower the request."
            yield Fault("request-over-limit", (*path, which, name), what, refused, mend)


def _serving_container(facts: RuntimeFacts, container: Mapping[str, Any], path: Field) -> Iterator[Fault]:
    image = container.get("image")
    if isinstance(image, str) and image:
        yield from _image(image, (*path, "image"))
    elif not image and not facts.is_fragment:
        effect = Effect(True, "its services get pods without an image, unless they name one")
        yield Fault("missing-field", (*path, "image"), "the serving container has no image", effect, "Give it one.")
    for where, text in _strings(container, path):
        fault = go_template_fault(text, ("Name", "Namespace", "Labels", "Annotations"), quoted=True)
        if fault:
            effect = Effect(True, "no service that gets this runtime is reconciled")
            mend = "KServe gives {{.Name}}, {{.Namespace}}, {{.Labels.x}} and {{.Annotations.x}}."
            yield Fault("bad-placeholder", where, f'"{text}" {fault}', effect, mend)
    if not facts.is_fragment:
        yield from _model_name(container, path)


def _strings(value: Any, path: Field) -> Iterator[tuple[Field, str]]:
    """All strings in a container, each of which is a template."""
    if isinstance(value, str) and holds_template(value):
        yield path, value
    steps = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield from _strings(item, (*path, step))


def _image(image: str, path: Field) -> Iterator[Fault]:
    if holds_template(image) or "$(" in image:
        return  # filled in for each service, or by kustomize
    try:
        reference = Reference.parse(image)
    except InvalidReference as error:
        effect = Effect(True, "its services cannot pull it")
        yield Fault("no-reference", path, error.why, effect, error.advice or "")
        return
    if reference.tag == "replace":
        effect = Effect(False, "on a cluster that image does not exist")
        what = f"{image} is what kustomize replaces"
        yield Fault("placeholder", path, what, effect, "Build it with kustomize first.")


def storage_faults(data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """Every fault of a ClusterStorageContainer."""
    if not rules.storage_containers:
        return
    path = ("spec", "container", "image")
    image = mapping(mapping(data.get("spec")).get("container")).get("image")
    yield from _typed(path, image, str)
    if isinstance(image, str):
        yield from _image(image, path)


def _model_name(container: Mapping[str, Any], path: Field) -> Iterator[Fault]:
    """KServe's own servers call a model "model" unless told its name."""
    words = [str(word) for name in ("command", "args") for word in sequence(container.get(name))]
    if not any("--model_dir" in word for word in words):
        return
    if not any("--model_name" in word for word in words):
        effect = Effect(True, 'the server calls every model "model", so requests by name find none')
        what = "there is --model_dir without --model_name"
        yield Fault("no-model-name", (*path, "args"), what, effect, "Add --model_name={{.Name}} to args.")
    elif not any("{{" in word or "$" in word for word in words):
        effect = Effect(False, "all services of the runtime call their model the same")
        mend = "Write --model_name={{.Name}}."
        yield Fault("fixed-model-name", (*path, "args"), "--model_name is the same for all services", effect, mend)


# Admission


def _own_priorities(runtime: Runtime, rules: Rules) -> Iterator[Fault]:
    """The entries of one format must have one priority (0.12 on)."""
    if not rules.one_priority or runtime.disabled:
        return
    first: dict[str, int | None] = {}
    for index, entry in enumerate(runtime.formats):
        known = first.setdefault(entry.name, entry.priority) if entry.auto_select else None
        if known is not None and entry.priority is not None and known != entry.priority:
            what = f"the format {entry.name} has the priorities {known} and {entry.priority}"
            mend = "Give all entries of a format one priority."
            yield Fault("several-priorities", (*_FORMATS, index, "priority"), what, _REFUSED, mend)


class _Claim(NamedTuple):
    """What two runtimes must not both have (0.11 on)."""

    kind: str
    namespace: str | None
    multi_model: bool
    protocol: str
    format: str
    version: str | None
    priority: int


def _equal_priorities(runtimes: Sequence[Runtime]) -> Iterator[Fault]:
    """Two runtimes of one scope that claim a format, version and protocol with the same priority."""
    claims: dict[_Claim, Runtime] = {}
    said: dict[ObjectRef, set[int]] = defaultdict(set)
    for runtime in runtimes:
        for index, entry in enumerate(runtime.formats):
            if runtime.disabled or not entry.auto_select or entry.priority is None:
                continue
            for protocol in runtime.protocols:
                scope = (runtime.ref.kind, runtime.ref.namespace, runtime.multi_model, protocol)
                other = claims.setdefault(_Claim(*scope, entry.name.lower(), entry.version, entry.priority), runtime)
                if other.ref == runtime.ref or index in said[runtime.ref]:
                    continue
                said[runtime.ref].add(index)
                what = f"{runtime.name} and {other.name} have the same priority {entry.priority} for {entry.name}"
                mend = "Give one of them another priority, or no autoSelect."
                path = (*_FORMATS, index, "priority")
                yield Fault("equal-priorities", path, what, _REFUSED, mend, runtime.ref)


def _workers(spec: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """What admission demands of a runtime with workers (0.15 on)."""
    workers = spec.get("workerSpec")
    if not rules.worker_runtimes or not isinstance(workers, Mapping):
        return
    path: Field = ("spec", "workerSpec")
    containers = workers.get("containers")
    yield from _typed((*path, "containers"), containers, list, required=True)
    if isinstance(containers, list) and len(containers) != 1:
        what = f"workerSpec has {len(containers)} containers"
        yield Fault("bad-value", (*path, "containers"), what, _REFUSED, "Keep one container there.")
    for index, container in enumerate(sequence(containers)):
        yield from _container(container, (*path, "containers", index), rules)
        name = mapping(container).get("name")
        if isinstance(name, str) and name != "worker-container":
            effect = Effect(True, "no service with workers is reconciled")
            what = f"the container of the workers is named {name}"
            yield Fault("bad-value", (*path, "containers", index, "name"), what, effect, "Name it worker-container.")
    for name in ("pipelineParallelSize", "tensorParallelSize"):
        size = workers.get(name)
        if size is not None and not _is_integer(size, 1, 2**63):
            what = f"{name} is {short(size)}, and must be 1 or more"
            yield Fault("bad-value", (*path, name), what, _REFUSED, "Write a number from 1 on.")
