"""Cases from manifests that others wrote: services, with what they bring along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from conformance import live
from conformance.case import Case, Object
from sandbox.api import Api, ApiError
from sandbox.releases import Release

_SUFFIXES = (".yaml", ".yml", ".json")
_MARKER = re.compile(r"^---(?=\s|$).*$|^\.\.\.\s*$", re.MULTILINE)
_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime", "ClusterStorageContainer")
#: What services refer to, and the controller may look for.
_COMPANIONS = ("Secret", "ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "PersistentVolume")
_OF_SERVERS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
_OF_CLUSTER = ("ClusterServingRuntime", "ClusterStorageContainer", "PersistentVolume", "Namespace")


class _Loader(yaml.SafeLoader):
    """As Kubernetes reads YAML: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Given(NamedTuple):
    """An object of a file.

    Attributes:
        problem: why it is none, or none that can be tried; "" if it can.
    """

    source: str
    object: Object
    problem: str = ""

    def __str__(self) -> str:
        metadata = self.object.get("metadata") or {}
        return f"{self.source} {self.object.get('kind', '')} {metadata.get('name', '')}".strip()


def read(folder: Path) -> list[Given]:
    """The objects of all files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    return [one for path in files for one in _objects(path, str(path.relative_to(folder)))]


def _objects(path: Path, source: str) -> Iterator[Given]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        yield Given(source, {}, f"it cannot be read: {error}")
        return
    for document in [text] if path.suffix == ".json" else _MARKER.split(text):
        try:
            found = yaml.load(document, _Loader)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            yield Given(source, {}, f"no YAML: {' '.join(str(error).split())}")
            continue
        if found is not None:
            yield from _flat(found, source)


def _flat(found: Any, source: str) -> Iterator[Given]:
    """An object, or those of a list."""
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
        yield Given(source, {}, "a document is no object of Kubernetes")
    elif found["kind"].endswith("List") and isinstance(found.get("items"), list):
        for one in found["items"]:
            yield from _flat(one, source)
    elif not isinstance(metadata := found.get("metadata"), dict) or not isinstance(metadata.get("name"), str):
        yield Given(source, {**found, "metadata": {}}, "it has no name")
    else:
        yield Given(source, _submitted(found))


def _submitted(obj: Object) -> Object:
    """An object without what a server adds, if it was read from one."""
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _OF_SERVERS}
    return {**{name: value for name, value in obj.items() if name != "status"}, "metadata": metadata}


def prepare(api: Api, release: Release, folder: Path) -> tuple[list[Case], list[str]]:
    """Create all but the services of a folder; give these as cases, and what is left out with the reason."""
    given = read(folder)
    left = [f"{one}: {one.problem}" for one in given if one.problem]
    good = [_placed(one) for one in given if not one.problem]
    services, again = _services(good, release, left)
    others = [one for one in good if one.object["kind"] != "InferenceService"]
    for one in others:
        if one.object["kind"] == "Namespace":
            live.ensure(api, one.object)
    used = {one.object["metadata"].get("namespace", "") for one in others}
    live.create_namespaces(api, (used | {case.namespace for case in services}) - {""})
    for one in others:
        if one.object["kind"] != "Namespace" and (problem := _create(api, one.object, release)):
            left.append(f"{one}: {problem}")
    for namespace, original in again.items():
        for one in others:
            if one.object["kind"] == "ServingRuntime" and one.object["metadata"]["namespace"] == original:
                _create(api, _moved(one.object, namespace), release)
    return services, left


def _placed(one: Given) -> Given:
    """An object with its namespace."""
    if one.object["kind"] in _OF_CLUSTER:
        return one
    return one._replace(object=_moved(one.object, str(one.object["metadata"].get("namespace") or "default")))


def _moved(obj: Object, namespace: str) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def _services(good: list[Given], release: Release, left: list[str]) -> tuple[list[Case], dict[str, str]]:
    """The services as cases, and the namespaces of those that have the name of another.

    Such a service gets a namespace of its own, which is to have the runtimes of the one that it is from.
    """
    api_version = f"{'serving.kubeflow.org' if release.old_api else 'serving.kserve.io'}/v1beta1"
    cases: list[Case] = []
    again: dict[str, str] = {}
    names: set[tuple[str, str]] = set()
    for one in good:
        obj = one.object
        if obj["kind"] != "InferenceService":
            continue
        if obj.get("apiVersion") != api_version:
            left.append(f"{one}: this release is tried with {api_version}, not with {obj.get('apiVersion')}")
            continue
        name, namespace = str(obj["metadata"]["name"]), str(obj["metadata"]["namespace"])
        if (namespace, name) in names:
            again[f"again-{len(again) + 1}"] = namespace
            namespace = f"again-{len(again)}"
            obj = _moved(obj, namespace)
        names.add((namespace, name))
        cases.append(Case(f"{namespace}/{name}", one.source, obj))
    return cases, again


def _create(api: Api, obj: Object, release: Release) -> str:
    """Create or replace an object; why not, if not."""
    kind = obj["kind"]
    if kind not in (*_RUNTIMES, *_COMPANIONS):
        return "its kind decides nothing about services"
    if kind == "ConfigMap" and obj["metadata"]["namespace"] == release.namespace:
        return "the config of the release is taken as released"
    try:
        live.ensure(api, obj)
    except ApiError as error:
        return str(error)
    return ""
