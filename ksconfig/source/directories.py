"""The manifests below a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ksconfig.errors import FileFailure, Refused
from ksconfig.source.manifest_text import CONFIG_NAME

_SUFFIXES = {".yaml", ".yml", ".json"}


def manifest_paths(directory: Path) -> Iterator[Path]:
    """Every manifest below a directory, each file once, folder by folder, names in order.

    Hidden folders are passed over, and so are links that lead out of the directory.

    Raises:
        FileFailure: a folder cannot be listed.
    """
    inside = directory.resolve()
    seen: set[Path] = set()
    for folder, folders, names in os.walk(directory, onerror=_not_listed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            real = path.resolve()
            if path.suffix.lower() not in _SUFFIXES or not real.is_file() or inside not in real.parents or real in seen:
                continue
            seen.add(real)
            yield path


def _not_listed(error: OSError) -> None:
    raise FileFailure(
        f"{error.filename} cannot be listed: {error.strerror}", path=str(error.filename), advice="Check its rights."
    ) from None


def may_hold_config(data: bytes) -> bool:
    """Whether a file of a directory is worth reading: all others are passed over, whatever is in them."""
    return CONFIG_NAME.encode() in data


def refuse_chart_template(path: Path) -> None:
    """Refuse a template of a Helm chart, even one that happens to be YAML: the next rendering is made from values.

    Raises:
        Refused: the file is below ``templates`` of a chart.
    """
    for parent in path.resolve().parents:
        if parent.name == "templates" and (parent.parent / "Chart.yaml").is_file():
            raise Refused(
                f"{path} is a template of the Helm chart {parent.parent.name}",
                advice="Set the chart's values instead, or render it (helm template) and edit the result.",
            )
