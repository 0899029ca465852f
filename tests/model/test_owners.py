"""Who else writes an object, told by what they leave in its metadata."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.owners import owners


@pytest.mark.parametrize(
    ("metadata", "who", "reverts"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "models:/ConfigMap:kserve/x"}},
         "Argo CD (application models)", True),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "platform"}}, "Flux (Kustomization platform)", True),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "kserve"}}, "Flux (HelmRelease kserve)", True),
        ({"annotations": {"opendatahub.io/managed": "true"}}, "the Open Data Hub operator", True),
        ({"labels": {"app.opendatahub.io/kserve": "true"}}, "the Open Data Hub operator", True),
        ({"ownerReferences": [{"kind": "KServe", "name": "default", "controller": True}]}, "KServe default", True),
        ({"annotations": {"meta.helm.sh/release-name": "kserve"}}, "Helm (release kserve)", False),
        ({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}, "kubectl apply", False),
        ({"managedFields": [{"manager": "ci", "operation": "Apply", "fieldsV1": {"f:data": {}}}]},
         "field manager ci", False),
    ],
)  # fmt: skip
def test_each_is_known_by_its_mark(metadata: dict[str, Any], who: str, reverts: bool) -> None:
    (found,) = owners(metadata)
    assert (found.who, found.reverts) == (who, reverts)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"kustomize.toolkit.fluxcd.io/name": "platform"},
         "annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}},
        {"labels": {"app.opendatahub.io/kserve": "true"}, "annotations": {"opendatahub.io/managed": "false"}},
        {"ownerReferences": [{"kind": "KServe", "name": "default"}]},
        {"managedFields": [{"manager": "ksconfig", "operation": "Apply", "fieldsV1": {"f:data": {}}}]},
        {"managedFields": [{"manager": "ci", "operation": "Apply", "fieldsV1": {"f:metadata": {}}}]},
    ],
)  # fmt: skip
def test_what_takes_nothing_back_is_no_owner(metadata: dict[str, Any]) -> None:
    assert owners(metadata) == ()
