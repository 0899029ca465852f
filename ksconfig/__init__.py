"""Swap what serves your KServe models: the image of a framework inside ``inferenceservice-config``, and nothing else.

    import ksconfig

    manifests = ksconfig.load("kserve.yaml")
    manifests.set_image("sklearn", "registry.example/team/sklearnserver:1.2")
    manifests.save()

    with ksconfig.connect() as cluster:
        cluster.set_image("sklearn", "registry.example/team/sklearnserver:1.2", reason="CVE-2026-1")
        cluster.rollback()

Names are loaded when first used, so that ``import ksconfig`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "ksconfig.cluster": ("Cluster", "Status", "connect"),
    "ksconfig.manifests": ("Manifests", "load", "loads"),
    "ksconfig.model.revision": ("Revision",),
    "ksconfig.operations.live": ("Result",),
    "ksconfig.model.plan": ("ABSENT", "Change", "ImageChange", "Notice", "ObjectRef", "Plan"),
    "ksconfig.model.services.impact": ("Impact", "ServiceImpact"),
    "ksconfig.operations": ("Image",),
    "ksconfig.operations.models": ("ServiceState",),
    "ksconfig.operations.view": ("Care",),
    "ksconfig.operations.doctor": ("Finding",),
    "ksconfig.errors": (
        "Ambiguous",
        "ClusterFailure",
        "ConfigNotFound",
        "Conflict",
        "Declined",
        "ExitCode",
        "FileFailure",
        "InternalError",
        "InvalidDocument",
        "InvalidPath",
        "InvalidReference",
        "KsconfigError",
        "ModelsNotReady",
        "NotFound",
        "NotReady",
        "PathNotFound",
        "Refused",
        "RevisionNotFound",
        "RightMissing",
        "RolledBack",
        "RolloutFailed",
        "RolloutTimeout",
        "TargetNotFound",
        "UnsupportedEdit",
        "UsageError",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ABSENT",
    "Ambiguous",
    "Care",
    "Change",
    "Cluster",
    "ClusterFailure",
    "ConfigNotFound",
    "Conflict",
    "Declined",
    "ExitCode",
    "FileFailure",
    "Finding",
    "Image",
    "ImageChange",
    "Impact",
    "InternalError",
    "InvalidDocument",
    "InvalidPath",
    "InvalidReference",
    "KsconfigError",
    "Manifests",
    "ModelsNotReady",
    "NotFound",
    "NotReady",
    "Notice",
    "ObjectRef",
    "PathNotFound",
    "Plan",
    "Refused",
    "Result",
    "Revision",
    "RevisionNotFound",
    "RightMissing",
    "RolledBack",
    "RolloutFailed",
    "RolloutTimeout",
    "ServiceImpact",
    "ServiceState",
    "Status",
    "TargetNotFound",
    "UnsupportedEdit",
    "UsageError",
    "connect",
    "load",
    "loads",
]

if TYPE_CHECKING:
    from ksconfig.cluster import Cluster, Status, connect
    from ksconfig.errors import (
        Ambiguous,
        ClusterFailure,
        ConfigNotFound,
        Conflict,
        Declined,
        ExitCode,
        FileFailure,
        InternalError,
        InvalidDocument,
        InvalidPath,
        InvalidReference,
        KsconfigError,
        ModelsNotReady,
        NotFound,
        NotReady,
        PathNotFound,
        Refused,
        RevisionNotFound,
        RightMissing,
        RolledBack,
        RolloutFailed,
        RolloutTimeout,
        TargetNotFound,
        UnsupportedEdit,
        UsageError,
    )
    from ksconfig.manifests import Manifests, load, loads
    from ksconfig.model.plan import ABSENT, Change, ImageChange, Notice, ObjectRef, Plan
    from ksconfig.model.revision import Revision
    from ksconfig.model.services.impact import Impact, ServiceImpact
    from ksconfig.operations import Image
    from ksconfig.operations.doctor import Finding
    from ksconfig.operations.live import Result
    from ksconfig.operations.models import ServiceState
    from ksconfig.operations.view import Care


else:  # whoever checks types knows all names from above, and is to find a wrong one

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
