"""Swap what serves your KServe models: the image of a framework inside ``inferenceservice-config``, and nothing else.

    import ksconfig

    manifests = ksconfig.load("kserve.yaml")
    manifests.set_image("sklearn", "registry.example/team/sklearnserver:1.2")
    manifests.save()

Names are loaded when first used, so that ``import ksconfig`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "ksconfig.manifests": ("Manifests", "load", "loads"),
    "ksconfig.model.plan": ("ABSENT", "Change", "ImageChange", "Notice", "ObjectRef", "Plan"),
    "ksconfig.operations": ("Image",),
    "ksconfig.operations.doctor": ("Finding",),
    "ksconfig.errors": (
        "Ambiguous",
        "ConfigNotFound",
        "Conflict",
        "ExitCode",
        "FileFailure",
        "InternalError",
        "InvalidDocument",
        "InvalidPath",
        "InvalidReference",
        "KsconfigError",
        "NotFound",
        "PathNotFound",
        "Refused",
        "TargetNotFound",
        "UnsupportedEdit",
        "UsageError",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ABSENT",
    "Ambiguous",
    "Change",
    "ConfigNotFound",
    "Conflict",
    "ExitCode",
    "FileFailure",
    "Finding",
    "Image",
    "ImageChange",
    "InternalError",
    "InvalidDocument",
    "InvalidPath",
    "InvalidReference",
    "KsconfigError",
    "Manifests",
    "NotFound",
    "Notice",
    "ObjectRef",
    "PathNotFound",
    "Plan",
    "Refused",
    "TargetNotFound",
    "UnsupportedEdit",
    "UsageError",
    "load",
    "loads",
]

if TYPE_CHECKING:
    from ksconfig.errors import (
        Ambiguous,
        ConfigNotFound,
        Conflict,
        ExitCode,
        FileFailure,
        InternalError,
        InvalidDocument,
        InvalidPath,
        InvalidReference,
        KsconfigError,
        NotFound,
        PathNotFound,
        Refused,
        TargetNotFound,
        UnsupportedEdit,
        UsageError,
    )
    from ksconfig.manifests import Manifests, load, loads
    from ksconfig.model.plan import ABSENT, Change, ImageChange, Notice, ObjectRef, Plan
    from ksconfig.operations import Image
    from ksconfig.operations.doctor import Finding


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
