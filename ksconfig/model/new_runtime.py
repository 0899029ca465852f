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
from ksconfig.model.plain import mapping, sequence
from ksconfig.model.releases import Release, Rules
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, SERVING_CONTAINER, Runtime

#: Which runtime a copy was made from: ``promote`` goes back to it.
FROM = "ksconfig/from"
SERVER_TYPE = "serving.kserve.io/server-type"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_USUAL_ARGS = ("--model_name={{.Name}}", "--model_dir=/mnt/models", "--http_port=8080")
# The servers that get environment, arguments or labels from KServe, since 0.9; by annotation too since 0.17.
_WITH_DEFAULTS = {
    "mlserver": "the environment that names the model (MLSERVER_MODEL_NAME, MLSERVER_MODEL_URI) and its class",
    "torchserve": "the label serviceEnvelope and the environment PROTOCOL_VERSION",
    "tritonserver": "the protocol v2, and --model-control-mode=explicit without a model",
}
_DEFAULTS_SINCE, _TYPED_DEFAULTS_SINCE = Release(0, 9), Release(0, 17)


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
        UsageError: neither a base nor formats are given; the base has no container that serves.
    """
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
    if old.get("labels"):
        metadata["labels"] = dict(mapping(old["labels"]))
    annotations = {name: one for name, one in mapping(old.get("annotations")).items() if name != _LAST_APPLIED}
    if base is not None:
        annotations[FROM] = base.name
        server = base.server(rules)
        if rules.release >= _TYPED_DEFAULTS_SINCE and server in _bound_servers(rules):
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
    for one in given:
        flag = one.partition("=")[0]
        same = [place for place, old in enumerate(args) if flag.startswith("-") and old.partition("=")[0] == flag]
        if same:
            args[same[0]] = one
        else:
            args.append(one)
    container["args"] = args


def _set_env(container: dict[str, Any], given: Mapping[str, str]) -> None:
    if not given:
        return
    left = [one for one in sequence(container.get("env")) if mapping(one).get("name") not in given]
    container["env"] = [*left, *({"name": name, "value": value} for name, value in given.items())]


def _formats(wanted: NewRuntime, old: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]]
    if wanted.formats:
        parts = (given.partition(":") for given in wanted.formats)
        made = [{"name": name, **({"version": version} if version else {})} for name, _, version in parts]
    else:
        made = [dict(mapping(one)) for one in sequence(old)]
    for one in made:
        if not wanted.auto_select:
            one.pop("autoSelect", None)
            one.pop("priority", None)
        else:
            one["autoSelect"] = True
        if wanted.auto_select and wanted.priority is not None:
            one["priority"] = wanted.priority
    return made


def _bound_servers(rules: Rules) -> frozenset[str]:
    """The servers that KServe treats in a way of their own."""
    with_defaults = frozenset(_WITH_DEFAULTS) if rules.release >= _DEFAULTS_SINCE else frozenset()
    return with_defaults | rules.gpu_suffix | rules.cpu_suffix


def lost_with_the_name(base: Runtime, made: Runtime, rules: Rules) -> Iterator[str]:
    """What KServe does for the base and would not do for a copy of another name, a clause each."""
    server = base.server(rules)
    typed = made.server_type
    by_name = made._replace(server_type=None).server(rules)
    for name, what in _WITH_DEFAULTS.items():
        kept = by_name == name or (rules.release >= _TYPED_DEFAULTS_SINCE and typed == name)
        if server == name and rules.release >= _DEFAULTS_SINCE and not kept:
            yield what
    if server in rules.gpu_suffix and made.server(rules) != server:
        yield "the tag -gpu for services with a GPU"
    if server in rules.cpu_suffix and made.server(rules) != server:
        yield "the repository -cpu for services without a GPU"
