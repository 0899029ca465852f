"""What the dimensions make cases of."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from conformance.case import Object
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import CLUSTER_KIND, Runtime
from ksconfig.model.services.admission import known_blocks
from ksconfig.model.services.world import World

DIGEST = "sha256:" + "0123456789abcdef" * 4
#: Images as people write them: with and without a tag, a registry's port, a digest.
IMAGES = (
    "me/own:1",
    "me/own",
    "reg.local:5000/me/own:1",
    "reg.local:5000/me/own",
    f"me/own@{DIGEST}",
    f"reg.local:5000/me/own:1@{DIGEST}",
)
GPU: Object = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
MIG: Object = {"resources": {"limits": {"nvidia.com/mig-1g.5gb": "1"}}}


@dataclass(frozen=True)
class Draft:
    """A case before it has a name and a namespace.

    Attributes:
        runtimes, younger: without namespace; those that are not of the cluster get the namespace of the service, which
            is then its alone.
        more: further parts of its spec.
        name: of the service; made up if empty.
    """

    predictor: Object
    explainer: Object | None = None
    transformer: Object | None = None
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    runtimes: tuple[Object, ...] = ()
    younger: tuple[Object, ...] = ()
    then: Object | None = None
    more: Object = field(default_factory=dict)
    name: str = ""


#: A dimension: cases of one concern, those that are few enough to try all, then, if it is asked on, random ones.
Dimension = Callable[["Kit"], Iterator[Draft]]


class Kit:
    """A release, what its cluster holds, and helpers to write services and runtimes.

    Attributes:
        rules: of the release.
        blocks: the framework blocks of a predictor.
        formats: the model formats that the cluster's runtimes list.
        random: for what may be one way or another.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.rules: Rules = world.rules
        self.random = random.Random(seed)
        self.blocks = tuple(sorted(known_blocks(self.rules)))
        self.cluster = sorted(
            (one for one in world.runtimes if one.ref.kind == CLUSTER_KIND), key=lambda one: one.ref.name
        )
        self.formats = tuple(sorted({name for one in self.cluster for name in one.format_names}))
        self._made = 0

    def fresh(self, word: str) -> str:
        """A name that nothing else has."""
        self._made += 1
        return f"{word}-{self._made}"

    def pick(self, *among: Any) -> Any:
        """One of these."""
        return self.random.choice(among)

    def uri(self, framework: str = "") -> str:
        """Where a model is."""
        return f"gs://models/{self.fresh('m')}" + ("/model.onnx" if framework == "onnx" else "")

    def block(self, framework: str, **fields: Any) -> Object:
        """A predictor that names a framework by its block."""
        return {framework: {"storageUri": self.uri(framework), **fields}}

    def model(self, form: str, **fields: Any) -> Object:
        """A predictor that names a format."""
        version = fields.pop("version", None)
        named = {"name": form} if version is None else {"name": form, "version": version}
        return {"model": {"modelFormat": named, "storageUri": self.uri(), **fields}}

    def of(self, framework: str, **fields: Any) -> Object:
        """A predictor of a framework, in one of the ways that the release has."""
        ways: list[Callable[..., Object]] = [self.block] if framework in self.blocks else []
        if self.rules.runtimes:
            ways.append(self.model)
        return self.random.choice(ways)(framework, **fields)

    def runtime_of(self, server: str) -> Runtime | None:
        """The cluster's runtime of one of KServe's servers."""
        return next((one for one in self.cluster if one.ref.name == f"kserve-{server}"), None)

    def runtime(
        self, *formats: Object, name: str = "", image: str = "me/server:1", cluster: bool = False, **spec: Any
    ) -> Object:
        """A runtime that lists these formats.

        Args:
            image: of its one container, unless there are ``containers``.
            cluster: whether it is a ClusterServingRuntime.
            **spec: further fields; ``annotations`` are its own.
        """
        metadata: Object = {"name": name or self.fresh("runtime")}
        if annotations := spec.pop("annotations", None):
            metadata["annotations"] = annotations
        containers = spec.pop("containers", [container(image, **spec.pop("container", {}))])
        if self.rules.protocol_filter == "never":
            spec.pop("protocolVersions", None)
        return {
            "apiVersion": "serving.kserve.io/v1alpha1",
            "kind": "ClusterServingRuntime" if cluster else "ServingRuntime",
            "metadata": metadata,
            "spec": {"supportedModelFormats": [self._format(one) for one in formats], "containers": containers, **spec},
        }

    def _format(self, given: Object) -> Object:
        """A format without what the release does not know."""
        return {key: value for key, value in given.items() if key != "priority" or self.rules.priorities}


def listed(name: str, *, auto: bool = True, version: str | None = None, priority: int | None = None) -> Object:
    """An entry of a runtime's formats."""
    fields = {"name": name, "version": version, "autoSelect": auto or None, "priority": priority}
    return {key: value for key, value in fields.items() if value is not None}


def container(image: str, name: Any = "kserve-container", **fields: Any) -> Object:
    """A container."""
    return {"name": name, "image": image, **fields}


def these(*fields: Object) -> tuple[Object, ...]:
    """Fields in several ways, for loops."""
    return fields
