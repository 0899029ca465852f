"""What KServe resolves images from, besides the service: the config, the runtimes, the storage containers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ksconfig.model.fields import go_fields
from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import CLUSTER_KIND, Asked, Runtime, choose
from ksconfig.text.json_scanner import fold


class StorageContainer(NamedTuple):
    """A ClusterStorageContainer.

    Attributes:
        formats: what it supports: ("prefix", "gs://"), ("regex", "...").
        init: whether it is for init containers, and not for download jobs.
        several: whether it fetches several models at once (``storageUris``).
    """

    ref: ObjectRef
    image: str
    formats: tuple[tuple[str, str], ...]
    init: bool = True
    several: bool = False

    def supports(self, uri: str) -> bool:
        """Whether it is for models of this URI."""
        for kind, text in self.formats:
            if kind == "prefix" and uri.startswith(text):
                return True
            if kind == "regex":
                try:
                    if re.search(text, uri):
                        return True
                except re.error:
                    return False
        return False


def read_storage_container(ref: ObjectRef, data: Mapping[str, Any]) -> StorageContainer:
    """A storage container from its object."""
    spec = mapping(data.get("spec"))
    formats = tuple(
        next((kind, str(entry[kind])) for kind in ("prefix", "regex") if entry.get(kind))
        for entry in map(mapping, sequence(spec.get("supportedUriFormats")))
        if entry.get("prefix") or entry.get("regex")
    )
    if data.get("disabled") is True:
        formats = ()
    image = string(mapping(spec.get("container")).get("image")) or ""
    init = spec.get("workloadType") in (None, "initContainer")
    return StorageContainer(ref, image, formats, init, spec.get("supportsMultiModelDownload") is True)


class World:
    """All that decides images in one cluster, in one release.

    Attributes:
        rules: of the release.
        config: the keys of the config that parse, as data.
        runtimes: all serving runtimes; of the namespaced ones perhaps not all may be read.
        storage: the storage containers.
    """

    def __init__(
        self,
        rules: Rules,
        config: Mapping[str, Any],
        runtimes: Iterable[Runtime] = (),
        storage: Iterable[StorageContainer] = (),
    ) -> None:
        self.rules = rules
        self.config = config
        self.storage = tuple(storage)
        self._predictors = {name: self._predictor(name) for name in rules.frameworks}
        self._flat = {name: go_fields(entry) for name, entry in go_fields(config.get("predictors")).items()}
        self._explainers = go_fields(config.get("explainers"))
        self._cluster: dict[str, Runtime] = {}
        self._namespaced: dict[str, dict[str, Runtime]] = {}
        for one in runtimes if rules.runtimes else ():
            if one.ref.kind == CLUSTER_KIND:
                self._cluster[one.ref.name] = one
            else:
                self._namespaced.setdefault(one.ref.namespace or "", {})[one.ref.name] = one
        self._chosen: dict[tuple[str, Asked], tuple[Runtime, ...]] = {}

    @property
    def runtimes(self) -> tuple[Runtime, ...]:
        """The serving runtimes."""
        return (*self._cluster.values(), *(one for group in self._namespaced.values() for one in group.values()))

    # The config

    def _predictor(self, framework: str) -> Mapping[str, Mapping[str, Any]]:
        """The blocks of a framework: "" if flat, else "v1" and "v2"."""
        entry = go_fields(go_fields(self.config.get("predictors")).get(fold(framework)))
        if self.rules.frameworks[framework] == "flat":
            return {"": entry}
        return {name: go_fields(entry[name]) for name in ("v1", "v2") if isinstance(entry.get(name), Mapping)}

    def predictor(self, framework: str, protocol: str) -> Mapping[str, Any] | None:
        """The block of ``predictors`` that a framework's services of a protocol take; None if it is not there."""
        found = self._predictors.get(framework, {})
        return found.get("") if "" in found else found.get(protocol)

    @property
    def flat_predictors(self) -> Mapping[str, Any]:
        """``predictors`` as code reads it that knows no protocols, names folded as Go does."""
        return self._flat

    def explainer(self, name: str) -> Mapping[str, Any]:
        """A block of ``explainers``; empty if it is not there."""
        return go_fields(self._explainers.get(fold(name)))

    def image_of(self, key: str) -> str:
        """The image that a key of the config holds as one string; "" if there is none."""
        return string(go_fields(self.config.get(key)).get("image")) or ""

    # Runtimes

    def named(self, name: str, namespace: str) -> Runtime | None:
        """The runtime that a service in a namespace names: the namespace's own, else the cluster's."""
        return self._namespaced.get(namespace, {}).get(name) or self._cluster.get(name)

    def chosen(self, namespace: str, asked: Asked) -> tuple[Runtime, ...]:
        """The runtime that a service gets that names none; several if nothing known decides; empty if none fits."""
        key = (namespace if namespace in self._namespaced else "", asked)
        if key not in self._chosen:
            first: tuple[Runtime, ...] = ()
            for scope in (self._namespaced.get(namespace, {}), self._cluster):
                first = choose(scope.values(), asked, self.rules).first
                if first:
                    break
            self._chosen[key] = first
        return self._chosen[key]
