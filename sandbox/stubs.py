"""What KServe wants to be there of Knative and of Istio: their custom resources, with any content, and a config."""

from __future__ import annotations

from sandbox.api import Object

_ANYTHING = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}


def definition(group: str, kind: str, stored: str, *served: str, plural: str = "", short: str = "") -> Object:
    """A namespaced CRD with a status subresource and no schema; the first version is the stored one."""
    plural = plural or f"{kind.lower()}s"
    names: Object = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    if short:
        names["shortNames"] = [short]
    versions = [
        {"name": name, "served": True, "storage": name == stored, "schema": _ANYTHING, "subresources": {"status": {}}}
        for name in (stored, *served)
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


def knative_and_istio() -> list[Object]:
    """Enough for every controller to start in its Serverless mode."""
    serving = "serving.knative.dev"
    return [
        definition(serving, "Service", "v1", short="ksvc"),
        *(definition(serving, kind, "v1") for kind in ("Configuration", "Revision", "Route")),
        definition("networking.istio.io", "VirtualService", "v1alpha3", "v1beta1"),
    ]


def knative_config() -> list[Object]:
    """The namespace of Knative Serving with the one ConfigMap that KServe reads, from 0.15 on; empty is as released."""
    name = "knative-serving"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config-autoscaler", "namespace": name}},
    ]
