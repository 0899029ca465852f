"""Manifests of 0.5, written for ``v1beta1`` of CRDs and webhooks, which Kubernetes no longer has."""

from __future__ import annotations

from sandbox import stubs
from sandbox.api import Object


def modernised(objects: list[Object]) -> list[Object]:
    """The same objects for today's API: CRDs without a schema, webhooks as they were called then."""
    return [_modern(one) for one in objects]


def _modern(one: Object) -> Object:
    if one["apiVersion"] == "apiextensions.k8s.io/v1beta1":
        spec = one["spec"]
        stored = [version["name"] for version in spec["versions"] if version["storage"]]
        served = [version["name"] for version in spec["versions"] if not version["storage"]]
        names = spec["names"]
        return stubs.definition(
            spec["group"], names["kind"], *stored, *served, plural=names["plural"], short=names["shortNames"][0]
        )
    if one["apiVersion"] == "admissionregistration.k8s.io/v1beta1":
        hooks = [
            # Equivalent, the default of v1, would hand objects of v1beta1 to the defaulter of v1alpha2, which empties
            # their spec.
            {"sideEffects": "None", "admissionReviewVersions": ["v1beta1"], "matchPolicy": "Exact", **hook}
            for hook in one["webhooks"]
        ]
        return {**one, "apiVersion": "admissionregistration.k8s.io/v1", "webhooks": hooks}
    return one
