"""A runtime made from another, or from nothing, for some services only; and what a copy loses with its name.

KServe binds behaviour to the names of its own runtimes (v1beta1/inference_service_defaults.go, SetRuntimeDefaults;
utils.go, UpdateImageTag); later releases look at the annotation ``serving.kserve.io/server-type`` first.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ksconfig.errors import UsageError
from ksconfig.model.owners import without_marks
from ksconfig.model.plain import mapping, sequence
from ksconfig.model.releases import Release, Rules
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, SERVING_CONTAINER, Runtime

#: Which runtime a copy was made from: ``promote`` goes back to it.
FROM = "ksconfig/from"
SERVER_TYPE = "serving.kserve.io/server-type"
_USUAL_ARGS = ("--model_name={{.Name}}", "--model_dir=/mnt/models", "--http_port=8080")
# The servers that get environment, arguments or labels from KServe, and since when; by annotation too since 0.17.
_WITH_DEFAULTS = {
    "mlserver": (
        Release(0, 8),
        "the environment that names the model (MLSERVER_MODEL_NAME, MLSERVER_MODEL_URI) and its class",
    ),
    "torchserve": (Release(0, 8), "the label serviceEnvelope and the environment PROTOCOL_VERSION"),
    "tritonserver": (Release(0, 9), "the protocol v2, and --model-control-mode=explicit without a model"),
}
_TYPED_DEFAULTS_SINCE = Release(0, 17)


@dataclass(frozen=True)
class NewRuntime:
    """A runtime to be made.

    Attributes:
        name: of the new object.
        namespace: where it is to serve; None for the whole cluster.
        image: of its serving container.
        base: the target's name of the runtime to copy ("runtime/kserve-sklearnserver"), or None.
        env: variables to set, as name and value.
        args: arguments to add; one of the same flag takes the place of the old one.
        formats: what it serves, as NAME or NAME:VERSION; those of the base if empty.
        auto_select: whether services get it that name none.
        priority: among those that fit; None to leave it.
    """

    name: str
    namespace: str | None
    image: str
    base: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    args: Sequence[str] = ()
    formats: Sequence[str] = ()
    auto_select: bool = False
    priority: int | None = None


def build_runtime(wanted: NewRuntime, base: Runtime | None, data: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """The object of a new runtime.

    Args:
        base, data: the runtime to copy, and its object; None and nothing to make one from scratch.

    Raises:
        UsageError: neither a base nor formats are given; a priority without auto-select; the base has no container
            that serves.
    """
    if wanted.priority is not None and not wanted.auto_select:
        raise UsageError(
            "a priority orders the runtimes that services get unasked, and this one is for those that name it",
            advice="Say --auto-select too, or leave --priority out.",
        )
    if base is None and not wanted.formats:
        raise UsageError("a runtime without --from needs --format", advice="Like: --format sklearn --format xgboost:1")
    spec: dict[str, Any] = copy.deepcopy(dict(mapping(data.get("spec")))) if base else _from_scratch()
    index = base.serving_container(rules) if base else 0
    if index is None:
        raise UsageError(f"{base.ref if base else ''} has no container named {SERVING_CONTAINER} to be copied")
    container = spec["containers"][index]
    container["image"] = wanted.image
    _set_args(container, wanted.args)
    _set_env(container, dict(wanted.env))
    spec["supportedModelFormats"] = _formats(wanted, spec.get("supportedModelFormats"))
    metadata: dict[str, Any] = {"name": wanted.name}
    if wanted.namespace is not None:
        metadata["namespace"] = wanted.namespace
    old = mapping(data.get("metadata"))
    if labels := without_marks(mapping(old.get("labels"))):
        metadata["labels"] = labels
    annotations = without_marks(mapping(old.get("annotations")))
    if base is not None:
        annotations[FROM] = base.name
        server = base.server(rules)
        if rules.release >= _TYPED_DEFAULTS_SINCE and server in bound_servers(rules):
            annotations.setdefault(SERVER_TYPE, server)
    if annotations:
        metadata["annotations"] = annotations
    kind = CLUSTER_KIND if wanted.namespace is None else NAMESPACED_KIND
    return {"apiVersion": "serving.kserve.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def _from_scratch() -> dict[str, Any]:
    resources = {"cpu": "1", "memory": "2Gi"}
    container = {
        "name": SERVING_CONTAINER,
        "args": list(_USUAL_ARGS),
        "resources": {"requests": dict(resources), "limits": dict(resources)},
    }
    return {"containers": [container], "protocolVersions": ["v1"]}


def _set_args(container: dict[str, Any], given: Sequence[str]) -> None:
    if not given:
        return
    args = [str(one) for one in sequence(container.get("args"))]
    flags = dict.fromkeys(one.partition("=")[0] for one in given)
    for flag in flags:
        mine = [one for one in given if one.partition("=")[0] == flag]
        places = list(_places(args, flag)) if flag.startswith("-") else []
        first = places[0] if places else len(args)
        kept = [one for place, one in enumerate(args) if place not in places]
        args = [*kept[:first], *mine, *kept[first:]]
    container["args"] = args


def _places(args: Sequence[str], flag: str) -> Iterator[int]:
    """Where a flag stands in arguments, with its value where that is a word of its own."""
    for place, one in enumerate(args):
        if one.partition("=")[0] == flag:
            yield place
            if one == flag and place + 1 < len(args) and not args[place + 1].startswith("-"):
                yield place + 1


def _set_env(container: dict[str, Any], given: Mapping[str, str]) -> None:
    if not given:
        return
    new = {name: {"name": name, "value": value} for name, value in given.items()}
    # each in its place: a variable may refer to those before it
    kept = [new.pop(str(mapping(one).get("name")), one) for one in sequence(container.get("env"))]
    container["env"] = [*kept, *new.values()]


def _formats(wanted: NewRuntime, old: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]]
    if wanted.formats:
        parts = (given.partition(":") for given in wanted.formats)
        made = [{"name": name, **({"version": version} if version else {})} for name, _, version in parts]
    else:
        made = [dict(mapping(one)) for one in sequence(old)]
    # a format that the base is not chosen for, the copy is not chosen for either
    as_base = not wanted.formats and any(one.get("autoSelect") for one in made)
    for one in made:
        if not wanted.auto_select:
            one.pop("autoSelect", None)
            one.pop("priority", None)
        elif one.get("autoSelect") or not as_base:
            one["autoSelect"] = True
            if wanted.priority is not None:
                one["priority"] = wanted.priority
    return made


def bound_servers(rules: Rules) -> frozenset[str]:
    """The servers that KServe treats in a way of their own."""
    with_defaults = frozenset(name for name, (since, _) in _WITH_DEFAULTS.items() if rules.release >= since)
    return with_defaults | rules.gpu_suffix | rules.cpu_suffix


def lost_with_the_name(base: Runtime, made: Runtime, rules: Rules) -> Iterator[str]:
    """What KServe does for the base and would not do for a copy of another name, a clause each."""
    server = base.server(rules)
    typed = made.server_type
    by_name = made._replace(server_type=None).server(rules)
    for name, (since, what) in _WITH_DEFAULTS.items():
        kept = by_name == name or (rules.release >= _TYPED_DEFAULTS_SINCE and typed == name)
        if server == name and rules.release >= since and not kept:
            yield what
    if server in rules.gpu_suffix and made.server(rules) != server:
        yield "the tag -gpu for services with a GPU"
    if server in rules.cpu_suffix and made.server(rules) != server:
        yield "the repository -cpu for services without a GPU"
