"""What the user may do, asked before anything is written: all missing rights at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ksconfig.errors import ClusterFailure
from ksconfig.source.cluster.client import Client
from ksconfig.source.cluster.patience import Patience

_REVIEWS = "/apis/authorization.k8s.io/v1"


class Right(NamedTuple):
    """A verb on a resource; ``namespace`` is None for what belongs to the cluster, ``name`` for all of them."""

    verb: str
    group: str
    resource: str
    namespace: str | None
    name: str | None = None

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        which = f" {self.name}" if self.name else ""
        return f"{self.verb} {what}{which}" + (f" in namespace {self.namespace}" if self.namespace else "")


def missing_rights(client: Client, rights: Iterable[Right], patience: Patience) -> tuple[Right, ...]:
    """Those that the user does not have: one review of the rules for each namespace, one more for each gap."""
    wanted = list(dict.fromkeys(rights))
    lacking = []
    for namespace in {right.namespace for right in wanted if right.namespace}:
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        answer = patience.call(partial(client.request, "POST", f"{_REVIEWS}/selfsubjectrulesreviews", body))
        rules = (answer.get("status") or {}).get("resourceRules") or ()
        lacking += [one for one in wanted if one.namespace == namespace and not _granted(rules, one)]
    lacking += [one for one in wanted if one.namespace is None]
    return tuple(one for one in lacking if not _may(client, one, patience))


def _granted(rules: Sequence[Mapping[str, Any]], right: Right) -> bool:
    return any(
        _holds(rule.get("verbs"), right.verb)
        and _holds(rule.get("apiGroups"), right.group)
        and _holds(rule.get("resources"), right.resource)
        and (not rule.get("resourceNames") or right.name in rule["resourceNames"])
        for rule in rules
    )


def _holds(values: Sequence[str] | None, wanted: str) -> bool:
    return wanted in (values or ()) or "*" in (values or ())


def _may(client: Client, right: Right, patience: Patience) -> bool:
    resource, _, sub = right.resource.partition("/")
    attributes = {
        "verb": right.verb, "group": right.group, "resource": resource, "subresource": sub,
        "namespace": right.namespace or "", "name": right.name or "",
    }  # fmt: skip
    spec = {"resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    answer = patience.call(lambda: client.request("POST", f"{_REVIEWS}/selfsubjectaccessreviews", body))
    return bool((answer.get("status") or {}).get("allowed"))


def who_am_i(client: Client, otherwise: str, patience: Patience) -> str:
    """The user as the API server knows it."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        answer = patience.call(lambda: client.request("POST", path, body))
    except ClusterFailure:  # before Kubernetes 1.28 there is no such review
        answer = {}
    name = ((answer.get("status") or {}).get("userInfo") or {}).get("username")
    return str(name) if name else f"unknown (kubeconfig user {otherwise})"
