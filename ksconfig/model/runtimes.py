"""Serving runtimes (KServe 0.8 on): their serving container, and which of them KServe gives to a framework.

The rules are those of ``GetSupportingRuntimes`` and its sorting (v1beta1/predictor_model.go), and of ``UpdateImageTag``
(controller/v1beta1/inferenceservice/utils/utils.go), at the tag of each release.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ksconfig.model.go_templates import METADATA, go_template_fault
from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.plan import ObjectRef
from ksconfig.model.reference import Reference
from ksconfig.model.releases import Release, Rules

CLUSTER_KIND = "ClusterServingRuntime"
NAMESPACED_KIND = "ServingRuntime"
STORAGE_KIND = "ClusterStorageContainer"
SERVING_CONTAINER = "kserve-container"
TRANSFORMER_CONTAINER = "transformer-container"
_SERVER_TYPE = "serving.kserve.io/server-type"
_PROTOCOLS = ("v1", "v2", "grpc-v1", "grpc-v2")  # in the order in which KServe prefers runtimes that speak them


class ModelFormat(NamedTuple):
    """An entry of ``supportedModelFormats``."""

    name: str
    version: str | None
    auto_select: bool
    priority: int | None


class Container(NamedTuple):
    """A container of a runtime.

    Attributes:
        image: None if it names none.
        limits: the names of its resource limits.
        fault: why what it holds besides its image is no template that Go would fill in; "" if it is one.
        amounts: of its resources: "requests" or "limits", the name, the amount.
    """

    name: str | None
    image: str | None
    limits: frozenset[str] = frozenset()
    fault: str = ""
    amounts: tuple[tuple[str, str, str], ...] = ()


class Runtime(NamedTuple):
    """What KServe looks at in a ServingRuntime or ClusterServingRuntime.

    Attributes:
        created: its creation time in RFC 3339, None where it is not known (in files).
        workers: whether it has a workerSpec.
        server_type: the annotation ``serving.kserve.io/server-type``, or None.
        since: the release that first has all the fields it uses.
    """

    ref: ObjectRef
    formats: tuple[ModelFormat, ...]
    protocols: tuple[str, ...]
    containers: tuple[Container, ...]
    disabled: bool = False
    multi_model: bool = False
    workers: bool = False
    server_type: str | None = None
    created: str | None = None
    since: Release = Release(0, 8)

    @property
    def name(self) -> str:
        """The name of its target."""
        namespace = "" if self.ref.kind == CLUSTER_KIND else f"{self.ref.namespace or ''}/"
        return f"runtime/{namespace}{self.ref.name}"

    @property
    def format_names(self) -> tuple[str, ...]:
        """The frameworks that it lists, each once."""
        return tuple(dict.fromkeys(one.name for one in self.formats))

    def serving_container(self, rules: Rules) -> int | None:
        """The index of the container that serves, or None: the first, from 0.11 on the one with the fixed name.

        The containers of a runtime for ModelMesh (multiModel) are not KServe's to choose; a single one is clear.
        """
        if not rules.named_container or (self.multi_model and len(self.containers) == 1):
            return 0 if self.containers else None
        return next((i for i, one in enumerate(self.containers) if one.name == SERVING_CONTAINER), None)

    def server(self, rules: Rules) -> str | None:
        """Which of KServe's own servers it is taken for, by its annotation or name, or None."""
        if rules.server_types and self.server_type:
            return self.server_type
        kserve, _, server = self.ref.name.partition("-")
        return server if kserve == "kserve" else None


def read_runtime(ref: ObjectRef, data: Mapping[str, Any]) -> Runtime:
    """A runtime from its object; what is not of the type it must be counts as absent."""
    spec, metadata = mapping(data.get("spec")), mapping(data.get("metadata"))
    return Runtime(
        ref,
        tuple(_format(mapping(entry)) for entry in sequence(spec.get("supportedModelFormats"))),
        tuple(str(one) for one in sequence(spec.get("protocolVersions"))),
        tuple(_container(one) for one in map(mapping, sequence(spec.get("containers")))),
        spec.get("disabled") is True,
        spec.get("multiModel") is True,
        isinstance(spec.get("workerSpec"), Mapping),
        string(mapping(metadata.get("annotations")).get(_SERVER_TYPE)),
        string(metadata.get("creationTimestamp")),
        max((release for path, release in _SINCE.items() if _uses(spec, path)), default=Release(0, 8)),
    )


def _container(data: Mapping[str, Any]) -> Container:
    resources = mapping(data.get("resources"))
    limits = mapping(resources.get("limits"))
    amounts = tuple(
        (kind, name, str(amount))
        for kind in ("requests", "limits")
        for name, amount in mapping(resources.get(kind)).items()
    )
    fault = template_fault(data, ("image",))
    return Container(string(data.get("name")), string(data.get("image")), frozenset(limits), fault, amounts)


def template_fault(value: Any, but: Collection[str] = ()) -> str:
    """Why KServe cannot fill in the strings of a container; "" if it can.

    Args:
        but: the fields whose strings are left out.
    """
    if isinstance(value, str):
        fault = go_template_fault(value, METADATA, quoted=True) if "{{" in value else None
        return f'"{value}" {fault}' if fault else ""
    if isinstance(value, Mapping):
        value = [item for name, item in value.items() if name not in but and isinstance(item, str | Mapping | list)]
    return next(filter(None, map(template_fault, value)), "") if isinstance(value, list) else ""


# The fields that came after 0.8 (v1alpha1/servingruntime_types.go).
_SINCE = {
    ("protocolVersions",): Release(0, 9),
    ("volumes",): Release(0, 9),
    ("labels",): Release(0, 10),
    ("annotations",): Release(0, 10),
    ("imagePullSecrets",): Release(0, 10),
    ("supportedModelFormats", "priority"): Release(0, 11),
    ("hostIPC",): Release(0, 14),
    ("workerSpec",): Release(0, 14),
    ("schedulerName",): Release(0, 18),
}


def _uses(spec: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    below = spec.get(path[0])
    return path[0] in spec and (len(path) == 1 or any(path[1] in mapping(entry) for entry in sequence(below)))


def _format(entry: Mapping[str, Any]) -> ModelFormat:
    priority = entry.get("priority")
    version = entry.get("version")
    return ModelFormat(
        str(entry.get("name", "")),
        None if version is None else str(version),
        entry.get("autoSelect") is True,
        priority if isinstance(priority, int) and not isinstance(priority, bool) else None,
    )


class Choice(NamedTuple):
    """The runtimes that KServe chooses from for a service that names none, the first choice first.

    Attributes:
        first: the one that is chosen; several where nothing known here decides between them; empty if none fits.
        others: those that list the framework besides.
    """

    first: tuple[Runtime, ...]
    others: tuple[Runtime, ...]


class Asked(NamedTuple):
    """What a service asks of a runtime.

    Attributes:
        framework, version: of the model's format; the version is None if it names none.
        protocol: "v1", "v2", or None if it names none.
        workers: whether it has workers.
    """

    framework: str
    version: str | None = None
    protocol: str | None = None
    workers: bool = False

    def __str__(self) -> str:
        version = f" {self.version}" if self.version else ""
        return f"{self.framework}{version}{f', protocol {self.protocol}' if self.protocol else ''}"


def choose_runtime(runtimes: Iterable[Runtime], framework: str, protocol: str | None, rules: Rules) -> Choice:
    """As `choose`, for a service that names neither a version nor workers."""
    return choose(runtimes, Asked(framework, protocol=protocol), rules)


def choose(runtimes: Iterable[Runtime], asked: Asked, rules: Rules) -> Choice:
    """Which of the runtimes of one scope a service gets that names no runtime.

    Args:
        runtimes: those of the cluster, or those of one namespace (which come before the cluster's).
    """
    framework = asked.framework
    listing = [runtime for runtime in runtimes if framework in runtime.format_names]
    fitting = [runtime for runtime in listing if _fits(runtime, asked, rules)]
    ranks = {runtime: _rank(runtime, framework, rules) for runtime in fitting}
    best = min(ranks.values(), default=None)
    first = tuple(runtime for runtime in fitting if ranks[runtime] == best)
    if len(first) > 1 and rules.protocol_filter != "never" and all(one.created for one in first):
        first = (min(first, key=_by_age(first)),)
    return Choice(first, tuple(runtime for runtime in listing if runtime not in first))


def _by_age(runtimes: Iterable[Runtime]) -> Callable[[Runtime], tuple[int, int, str]]:
    """The order in which KServe looks at them: by protocol, the newest first, those of one second by name."""
    times = sorted({str(one.created) for one in runtimes}, reverse=True)
    return lambda one: (_lowest_protocol(one), times.index(str(one.created)), one.ref.name)


def framework_runtime(runtimes: Iterable[Runtime], framework: str, protocol: str | None, rules: Rules) -> Choice:
    """As `choose_runtime`; a framework that none but v2 runtimes serve (onnx, mlflow) means its services of v2."""
    among = tuple(runtimes)
    choice = choose_runtime(among, framework, protocol, rules)
    return choice if choice.first or protocol else choose_runtime(among, framework, "v2", rules)


def _fits(runtime: Runtime, asked: Asked, rules: Rules) -> bool:
    if runtime.disabled or runtime.multi_model or (rules.worker_runtimes and runtime.workers != asked.workers):
        return False
    protocol = asked.protocol or ("v1" if rules.protocol_filter == "always" else None)
    if rules.protocol_filter != "never" and not speaks(runtime, protocol):
        return False
    return lists_format(runtime, asked, auto=True)


def speaks(runtime: Runtime, protocol: str | None) -> bool:
    """Whether a runtime serves a protocol; one that names none serves all."""
    return not protocol or not runtime.protocols or protocol in runtime.protocols


def lists_format(runtime: Runtime, asked: Asked, *, auto: bool) -> bool:
    """Whether a runtime lists a format, in exactly the version that is asked for.

    Args:
        auto: whether only entries count that are for services which name no runtime.
    """
    return any(
        one.name == asked.framework
        and (one.auto_select or not auto)
        and (asked.version is None or one.version == asked.version)
        for one in runtime.formats
    )


def _rank(runtime: Runtime, framework: str, rules: Rules) -> int:
    """Lower is preferred; equal ranks have no sure order among runtimes whose age is not known.

    In 0.8 all are equal: they stand in the order in which the cache gives them. In 0.9 and 0.10 the protocol decides.
    From 0.11 on the priority does, that of the first entry of the name whatever its version; the sort by it is not
    stable, so the protocol does not decide between equals for sure.
    """
    if rules.priorities:
        priority = next(one.priority for one in runtime.formats if one.name == framework)
        return 0 if priority is None else -priority
    return _lowest_protocol(runtime) if rules.protocol_filter == "named" else 0


def _lowest_protocol(runtime: Runtime) -> int:
    return min((_PROTOCOLS.index(one) for one in runtime.protocols if one in _PROTOCOLS), default=len(_PROTOCOLS))


def served_frameworks(runtimes: Iterable[Runtime], rules: Rules) -> Mapping[Runtime, tuple[str, ...]]:
    """The frameworks whose services get each of these runtimes if they name none, as targets are named."""
    listing: dict[str, list[Runtime]] = {}
    for runtime in runtimes:
        for framework in runtime.format_names:
            listing.setdefault(framework, []).append(runtime)
    found: dict[Runtime, tuple[str, ...]] = {}
    for framework, among in listing.items():
        bare = framework_runtime(among, framework, None, rules).first
        spoken = choose_runtime(among, framework, "v2", rules).first if rules.protocol_filter != "never" else bare
        for target, first in ((framework, bare), (f"{framework}/v2", spoken)):
            if len(first) == 1 and (target == framework or first != bare):
                found[first[0]] = (*found.get(first[0], ()), target)
    return found


def tag_rule(runtime: Runtime, image: Reference, rules: Rules) -> str | None:
    """What KServe makes of an image of this runtime for services with a GPU, or without one; None if nothing."""
    if rules.cuts_at_first_colon and ":" in image.repository:
        host = image.repository.partition(":")[0]
        return f"KServe {rules.release} cuts it at its first colon: services with a runtimeVersion get {host}:VERSION"
    if rules.keeps_digests and image.digest:
        return None
    server = runtime.server(rules)
    if server in rules.gpu_suffix and (image.tag or image.digest) and not str(image).endswith("-gpu"):
        broken = ", which is no reference" if image.digest else ""
        return f"KServe {rules.release} gives services with a GPU {image}-gpu{broken}"
    if server in rules.cpu_suffix and image.tag and not image.repository.endswith("-cpu"):
        return f"KServe {rules.release} gives services without a GPU {image.repository}-cpu:{image.tag}"
    return None
