"""Faults of serving runtimes by the rules of one release.

The rules of admission are those of pkg/webhook/admission/servingruntime/servingruntime_webhook.go (0.11 on), the types
those of the custom resource definitions, the rest what reconciling makes of a runtime (components/predictor.go).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ksconfig.errors import InvalidReference
from ksconfig.model.effects import Effect
from ksconfig.model.faults import Fault
from ksconfig.model.plan import Field
from ksconfig.model.reference import Reference
from ksconfig.model.releases import Release, Rules
from ksconfig.model.runtimes import SERVING_CONTAINER, ModelFormat, Runtime
from ksconfig.text.templates import holds_template

_REFUSED = Effect(True, "KServe's admission refuses the runtime")
_NOT_STORED = Effect(True, "the API server refuses the runtime")
_FORMATS = ("spec", "supportedModelFormats")


class RuntimeFacts(NamedTuple):
    """A runtime as it was read, and its object as plain data."""

    runtime: Runtime
    data: Mapping[str, Any]


def runtime_faults(runtimes: Sequence[RuntimeFacts], rules: Rules) -> Iterator[Fault]:
    """Every fault of the runtimes that a release would meet."""
    if not rules.runtimes:
        return
    for runtime, data in runtimes:
        if not runtime.formats and not runtime.disabled and len(runtime.containers) < 2:
            continue  # a patch: what it lacks stands elsewhere
        faults = (*_types(data, rules), *_container(runtime, data, rules), *_own_priorities(runtime, rules))
        yield from (fault._replace(object=runtime.ref) for fault in (*faults, *_workers(data, rules)))
    if rules.priorities:
        for one, other in itertools.combinations([facts.runtime for facts in runtimes], 2):
            yield from _equal_priorities(one, other)


def _types(data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    spec = data.get("spec")
    if not isinstance(spec, Mapping):
        return
    for name in ("disabled", "multiModel"):
        yield from _typed(("spec", name), spec.get(name), bool)
    formats = spec.get("supportedModelFormats")
    for index, entry in enumerate(formats if isinstance(formats, list) else ()):
        path = (*_FORMATS, index)
        if not isinstance(entry, Mapping):
            yield from _typed(path, entry, dict)
            continue
        if not entry.get("name"):
            yield Fault("missing-field", (*path, "name"), "a model format has no name", _NOT_STORED, "Name it.")
        for name, kind in (("name", str), ("version", str), ("autoSelect", bool)):
            yield from _typed((*path, name), entry.get(name), kind)
        priority = entry.get("priority")
        if rules.priorities and priority is not None and (not _is_integer(priority) or priority < 1):
            what = f"the priority {priority!r} is no whole number from 1 on"
            yield Fault("bad-value", (*path, "priority"), what, _NOT_STORED, "Write a number like 1 or 2.")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_KINDS = {bool: "boolean", str: "string", dict: "mapping"}


def _typed(path: Field, value: Any, kind: type) -> Iterator[Fault]:
    if value is not None and not isinstance(value, kind):
        what = f"{path[-1]} must be a {_KINDS[kind]}, and is {value!r}"
        mend = f'Write "{value}" in quotes.' if kind is str else "Write it without quotes: true or false."
        yield Fault("wrong-type", path, what, _NOT_STORED, mend)


def _container(runtime: Runtime, data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    index = runtime.serving_container(rules)
    path: Field = ("spec", "containers")
    if index is None:
        what = f"no container is named {SERVING_CONTAINER}" if runtime.containers else "there are no containers"
        effect = Effect(True, "no service that gets this runtime is reconciled")
        yield Fault("no-serving-container", path, what, effect, f"Name the one that serves {SERVING_CONTAINER}.")
        return
    path = (*path, index)
    image = runtime.containers[index].image
    if not image:
        effect = Effect(True, "its services get pods without an image, unless they name one")
        yield Fault("missing-field", (*path, "image"), "the serving container has no image", effect, "Give it one.")
    elif not holds_template(image):
        yield from _image(image, (*path, "image"))
    yield from _model_name(data["spec"]["containers"][index], path)


def _image(image: str, path: Field) -> Iterator[Fault]:
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
    spec = data.get("spec")
    container = spec.get("container") if isinstance(spec, Mapping) else None
    image = container.get("image") if isinstance(container, Mapping) else None
    if rules.storage_containers and isinstance(image, str) and not holds_template(image):
        yield from _image(image, ("spec", "container", "image"))


def _model_name(container: Any, path: Field) -> Iterator[Fault]:
    """KServe's own servers call a model "model" unless told its name."""
    words = [
        str(word)
        for name in ("command", "args")
        for word in (container.get(name) if isinstance(container.get(name), list) else [])
    ]
    if not any("--model_dir" in word for word in words):
        return
    if not any("--model_name" in word for word in words):
        effect = Effect(True, 'the server calls every model "model", so requests by name find none')
        what = "there is --model_dir without --model_name"
        yield Fault("no-model-name", (*path, "args"), what, effect, "Add --model_name={{.Name}} to args.")
    elif not any(".Name" in word for word in words):
        effect = Effect(False, "all services of the runtime call their model the same")
        mend = "Write --model_name={{.Name}}."
        yield Fault("fixed-model-name", (*path, "args"), "--model_name is the same for all services", effect, mend)


def _own_priorities(runtime: Runtime, rules: Rules) -> Iterator[Fault]:
    """From 0.12 on the entries of one format must have one priority."""
    if rules.release < Release(0, 12) or runtime.disabled:
        return
    first: dict[str, int | None] = {}
    for index, entry in enumerate(runtime.formats):
        if not entry.auto_select:
            continue
        known = first.setdefault(entry.name, entry.priority)
        if known is not None and entry.priority is not None and known != entry.priority:
            what = f"the format {entry.name} has the priorities {known} and {entry.priority}"
            mend = "Give all entries of a format one priority."
            yield Fault("several-priorities", (*_FORMATS, index, "priority"), what, _REFUSED, mend)


def _equal_priorities(one: Runtime, other: Runtime) -> Iterator[Fault]:
    """Two runtimes of one scope must not claim a format, version and protocol with the same priority (0.11 on)."""
    same_scope = one.ref.kind == other.ref.kind and one.ref.namespace == other.ref.namespace
    if not same_scope or one.ref == other.ref or one.disabled or other.disabled:
        return
    if one.multi_model != other.multi_model or not set(one.protocols) & set(other.protocols):
        return
    for index, theirs in enumerate(other.formats):
        if any(_clash(mine, theirs) for mine in one.formats):
            what = f"{other.name} and {one.name} have the same priority {theirs.priority} for {theirs.name}"
            mend = "Give one of them another priority, or no autoSelect."
            yield Fault("equal-priorities", (*_FORMATS, index, "priority"), what, _REFUSED, mend, other.ref)


def _clash(mine: ModelFormat, theirs: ModelFormat) -> bool:
    return (
        mine.auto_select
        and theirs.auto_select
        and mine.name.lower() == theirs.name.lower()
        and mine.version == theirs.version
        and mine.priority is not None
        and mine.priority == theirs.priority
    )


def _workers(data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """What admission demands of a runtime with workers (0.15 on)."""
    spec = data.get("spec")
    workers = spec.get("workerSpec") if isinstance(spec, Mapping) else None
    if not rules.worker_runtimes or not isinstance(workers, Mapping):
        return
    path = ("spec", "workerSpec")
    containers = workers.get("containers")
    if isinstance(containers, list) and len(containers) != 1:
        what = f"workerSpec has {len(containers)} containers"
        yield Fault("bad-value", (*path, "containers"), what, _REFUSED, "Keep one container there.")
    for name in ("pipelineParallelSize", "tensorParallelSize"):
        size = workers.get(name)
        if size is not None and (not _is_integer(size) or size < 1):
            what = f"{name} is {size!r}, and must be 1 or more"
            yield Fault("bad-value", (*path, name), what, _REFUSED, "Write a number from 1 on.")
