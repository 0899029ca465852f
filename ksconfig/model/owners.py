"""Who else writes an object, told from its metadata: a write may be taken back, or stop the other writer's next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

FIELD_MANAGER = "ksconfig"
#: Of what is written without a record: only the time tells then whether a restart is due.
UNRECORDED = "ksconfig-unrecorded"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Owner(NamedTuple):
    """Another writer.

    Attributes:
        who: "Argo CD (application models)".
        reverts: whether it takes changes back by itself, so that a write is of no use.
        effect: what it does to our change.
    """

    who: str
    reverts: bool
    effect: str


def owners(metadata: Mapping[str, Any]) -> tuple[Owner, ...]:
    """The other writers of an object, those that take changes back first."""
    return tuple(sorted(_owners(metadata), key=lambda one: not one.reverts))


#: The beginnings of labels and annotations by which other writers know what is theirs.
_MARKS = (
    "argocd.argoproj.io/",
    "meta.helm.sh/",
    "helm.sh/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "opendatahub.io/managed",
    "platform.opendatahub.io/",
    "app.opendatahub.io/",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/instance",
    _LAST_APPLIED,
)


def without_marks(names: Mapping[str, Any]) -> dict[str, Any]:
    """Labels or annotations without those by which another writer would take a copy for its own."""
    return {name: value for name, value in names.items() if not name.startswith(_MARKS)}


def _owners(metadata: Mapping[str, Any]) -> Iterator[Owner]:
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if tracking := annotations.get("argocd.argoproj.io/tracking-id"):
        yield Owner(f"Argo CD (application {tracking.partition(':')[0]})", True, "its next sync takes the change back")
    for kind, group in (("Kustomization", "kustomize"), ("HelmRelease", "helm")):
        name = labels.get(f"{group}.toolkit.fluxcd.io/name")
        if name and annotations.get(f"{group}.toolkit.fluxcd.io/reconcile") != "disabled":
            yield Owner(f"Flux ({kind} {name})", True, "its next reconciliation takes the change back")
    odh = annotations.get("opendatahub.io/managed")
    marked = (
        odh == "true"
        or "platform.opendatahub.io/part-of" in labels
        or any(name.startswith("app.opendatahub.io/") for name in labels)
    )
    if marked and odh != "false":
        yield Owner("the Open Data Hub operator", True, "it takes the change back")
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller"):
            yield Owner(f"{reference['kind']} {reference['name']}", True, "its controller may take the change back")
    if release := annotations.get("meta.helm.sh/release-name"):
        yield Owner(
            f"Helm (release {release})", False, "its next upgrade writes the chart's values again, where they changed"
        )
    if _LAST_APPLIED in annotations:
        yield Owner("kubectl apply", False, "the next apply of the manifest overwrites the change")
    for entry in metadata.get("managedFields") or ():
        if entry.get("operation") == "Apply" and entry.get("manager") != FIELD_MANAGER and _owns_content(entry):
            effect = f"its next server-side apply meets a conflict with field manager {FIELD_MANAGER}"
            yield Owner(f"field manager {entry['manager']}", False, effect)


def _owns_content(entry: Mapping[str, Any]) -> bool:
    return bool({"f:data", "f:spec"} & set(entry.get("fieldsV1") or ()))
