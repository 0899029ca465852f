"""The manifests below a directory, and the files among them that are no manifests: templates and values of Helm."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from os.path import isfile  # unlike a Path's, it is False where one may not look
from pathlib import Path

from ksconfig.errors import FileFailure, Refused
from ksconfig.source.manifest_objects import CONFIG_NAME

_SUFFIXES = {".yaml", ".yml", ".json"}


def manifest_paths(directory: Path) -> Iterator[Path]:
    """Every manifest below a directory, each file once, folder by folder, names in order.

    Hidden folders are passed over, and so are links that lead out of the directory.

    Raises:
        FileFailure: a folder cannot be listed.
    """
    inside = real_path(directory)
    seen: set[Path] = set()
    for folder, folders, names in os.walk(directory, onerror=_not_listed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            real = real_path(path)
            if path.suffix.lower() not in _SUFFIXES or not isfile(real) or inside not in real.parents or real in seen:
                continue
            seen.add(real)
            yield path


def real_path(path: Path) -> Path:
    """Where a path leads through all links; one that leads in a circle is left as it is.

    Raises:
        FileFailure: it begins at a working directory that is gone.
    """
    try:
        return Path(os.path.realpath(path))
    except OSError as error:
        why = f"{path} cannot be read: there is no working directory ({error.strerror})"
        raise FileFailure(why, path=str(path), advice="Go to one that is there.") from None


def _not_listed(error: OSError) -> None:
    raise FileFailure(
        f"{error.filename} cannot be listed: {error.strerror}", path=str(error.filename), advice="Check its rights."
    ) from None


def worth_reading(data: bytes) -> bool:
    """Whether a file may hold anything of KServe's: all others of a directory are passed over, whatever is in them."""
    return any(word in data for word in _WORDS)


_WORDS = (
    CONFIG_NAME.encode(),
    b"ServingRuntime",
    b"InferenceService",
    b"ClusterStorageContainer",
    b"kserve-controller-manager",
    b"kfserving-controller-manager",
    b".serving.kserve.io",
    b".serving.kubeflow.org",
)
_TARGET_KIND = re.compile(
    rb"^kind:[ \t]*(?:(ConfigMap)|(?:Cluster)?ServingRuntime|ClusterStorageContainer)\b", re.MULTILINE
)
_VALUES_NAME = re.compile(r"(?:.*[-._])?values(?:[-._].*)?\.ya?ml", re.IGNORECASE)
_OBJECT_LINE = re.compile(r"^(?:kind|apiVersion)[ \t]*:", re.MULTILINE)


def refuse_chart_template(path: Path, data: bytes) -> None:
    """Refuse a template of a Helm chart, even one that happens to be YAML: the next rendering is made from values.

    Raises:
        Refused: the file is below ``templates`` of a chart, and holds what could be edited.
    """
    for parent in real_path(path).parents:
        if parent.name == "templates" and isfile(parent.parent / "Chart.yaml"):
            kinds = [match[1] for match in _TARGET_KIND.finditer(data)]
            if None in kinds or (b"ConfigMap" in kinds and CONFIG_NAME.encode() in data):
                raise Refused(f"{path} is a template of the Helm chart {parent.parent.name}", advice=_HELM_ADVICE)


_HELM_ADVICE = "Set the chart's values instead, or render it (helm template) and edit the result."


def is_values_file(path: Path, text: str) -> bool:
    """Whether a file is a Helm values file: named like one, and without an object in it."""
    return bool(_VALUES_NAME.fullmatch(path.name)) and not _OBJECT_LINE.search(text)


def refuse_values_file(path: Path, text: str) -> None:
    """Refuse to work on a Helm values file.

    Raises:
        Refused: it is one.
    """
    if is_values_file(path, text):
        raise Refused(
            f"{path} is a values file of Helm, which holds no object of KServe's but what a chart makes one from",
            advice="Set the image in it by hand, at the place that the chart's README names; "
            "to see the outcome: helm template ... | ksconfig images -f -",
        )


def refuse_chart(path: Path) -> None:
    """Say that a directory in which nothing was found is a Helm chart.

    Raises:
        Refused: it is one.
    """
    if isfile(path / "Chart.yaml"):
        raise Refused(f"{path} is a Helm chart, and holds nothing that is no template", advice=_HELM_ADVICE)


def refuse_generator(path: Path, text: str) -> None:
    """Say that a kustomization makes the config from parts, where no config was found.

    Raises:
        Refused: it does.
    """
    if path.stem.lower() == "kustomization" and "configMapGenerator" in text and CONFIG_NAME in text:
        raise Refused(
            f"{path} makes the config with a configMapGenerator, so no manifest holds it",
            advice="Edit the files that it names; to see the outcome: kustomize build | ksconfig images -f -",
        )
