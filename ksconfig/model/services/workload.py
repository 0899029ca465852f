"""The workload of a component of a service, as it runs: a Knative Service or a Deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ksconfig.model.plain import mapping, sequence, string

#: The labels that lead from a workload to its service, by API group.
SERVICE_LABELS = ("serving.kserve.io/inferenceservice", "serving.kubeflow.org/inferenceservice")
_COMPONENT = "component"
_REVISION = "serving.knative.dev/revision"
_SERVING_NAMES = ("kserve-container", "kfserving-container")
#: The reasons of a waiting container that do not go away by themselves in the end.
_FAILURES = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CrashLoopBackOff", "CreateContainerConfigError",
             "CreateContainerError", "RunContainerError")  # fmt: skip


class Workload(NamedTuple):
    """A workload of a component.

    Attributes:
        namespace, service, component: whose it is.
        kind, name: "Service" of Knative, or "Deployment".
        revision: of Knative, the revision that a Deployment is of; "" otherwise.
        image: of the serving container.
        replicas: how many pods are wanted; None where Knative decides.
        gpus: of one pod.
        missing: what it lacks to be wholly on its present template; "" if nothing.
    """

    namespace: str
    service: str
    component: str
    kind: Literal["Service", "Deployment"]
    name: str
    revision: str
    image: str
    replicas: int | None
    gpus: int
    missing: str


def read_workload(obj: Mapping[str, Any], kind: Literal["Service", "Deployment"]) -> Workload | None:
    """A workload from its object; None if it is no component's."""
    metadata = mapping(obj.get("metadata"))
    labels = mapping(metadata.get("labels"))
    service = next((string(labels[name]) for name in SERVICE_LABELS if name in labels), None)
    template = mapping(mapping(obj.get("spec")).get("template"))
    containers = [mapping(one) for one in sequence(mapping(template.get("spec")).get("containers"))]
    if not service or not containers:
        return None
    serving = _serving(mapping(template.get("spec")))
    in_template = mapping(mapping(template.get("metadata")).get("labels"))
    component = string(labels.get(_COMPONENT)) or string(in_template.get(_COMPONENT)) or "predictor"
    replicas = mapping(obj.get("spec")).get("replicas")
    missing = _deployment_lacks(obj) if kind == "Deployment" else _knative_lacks(obj)
    return Workload(
        str(metadata.get("namespace", "")), service, component, kind, str(metadata.get("name", "")),
        string(labels.get(_REVISION)) or "", string(serving.get("image")) or "",
        replicas if isinstance(replicas, int) else None, sum(_gpus(one) for one in containers), missing,
    )  # fmt: skip


def _serving(pod_spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container that serves; the first where none has KServe's name."""
    found = [mapping(one) for one in sequence(pod_spec.get("containers"))]
    return next((one for one in found if one.get("name") in _SERVING_NAMES), found[0] if found else {})


def _gpus(container: Mapping[str, Any]) -> int:
    found = mapping(mapping(container.get("resources")).get("limits"))
    counts = (str(value) for name, value in found.items() if "gpu" in name.partition("/")[2])
    return sum(int(count) for count in counts if count.isdigit())


def _number(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) else 0


def _deployment_lacks(obj: Mapping[str, Any]) -> str:
    """What a Deployment lacks: as kubectl rollout status judges it, and its pods of the present template."""
    spec, status = mapping(obj.get("spec")), mapping(obj.get("status"))
    if _number(status, "observedGeneration") < _number(mapping(obj.get("metadata")), "generation"):
        return "the change was not looked at yet"
    wanted = _number(spec, "replicas") if "replicas" in spec else 1
    for name, words in (("updatedReplicas", "updated"), ("availableReplicas", "available")):
        if (seen := _number(status, name)) < wanted:
            return f"{seen} of {wanted} pods {words}"
    if (left := _number(status, "replicas") - _number(status, "updatedReplicas")) > 0:
        return f"{left} old pods are still there"
    return ""


def _knative_lacks(obj: Mapping[str, Any]) -> str:
    status = mapping(obj.get("status"))
    if _number(status, "observedGeneration") < _number(mapping(obj.get("metadata")), "generation"):
        return "the change was not looked at yet"
    created, ready = status.get("latestCreatedRevisionName"), status.get("latestReadyRevisionName")
    if not created or created != ready:
        return f"revision {created or '(none)'} is not ready"
    for condition in map(mapping, sequence(status.get("conditions"))):
        if condition.get("type") == "Ready" and condition.get("status") != "True":
            return f"it is not ready: {condition.get('message') or condition.get('reason') or 'no reason given'}"
    return ""


Key = tuple[str, str, str]


def by_component(found: Iterable[Workload]) -> dict[Key, Workload]:
    """The workload of each component (namespace, service, component): Knative's where there is one.

    A Knative Service has its replicas and GPUs from the Deployment of its newest revision.
    """
    result: dict[Key, Workload] = {}
    of_revisions: dict[Key, Workload] = {}
    for one in found:
        key = (one.namespace, one.service, one.component)
        if one.revision:
            if key not in of_revisions or _age(of_revisions[key]) < _age(one):
                of_revisions[key] = one
        elif key not in result or _rank(one) < _rank(result[key]):
            result[key] = one
    for key, revision in of_revisions.items():
        if key in result:
            result[key] = result[key]._replace(replicas=revision.replicas, gpus=revision.gpus)
        else:
            result[key] = revision
    return result


def _rank(one: Workload) -> tuple[bool, int]:
    """Of several Deployments the one with the shortest name comes first: the others are canaries'."""
    return one.kind != "Service", len(one.name)


def _age(one: Workload) -> tuple[int, str]:
    """Revisions are numbered with five digits, more only when these are used up."""
    return len(one.revision), one.revision


class PodFailure(NamedTuple):
    """Why a pod of a service does not run.

    Attributes:
        image: of its serving container.
    """

    namespace: str
    service: str
    pod: str
    image: str
    reason: str


def read_failure(pod: Mapping[str, Any]) -> PodFailure | None:
    """Why a pod of a service does not run; None if nothing is proven against it."""
    metadata = mapping(pod.get("metadata"))
    labels = mapping(metadata.get("labels"))
    service = next((string(labels[name]) for name in SERVICE_LABELS if name in labels), None)
    if not service or metadata.get("deletionTimestamp"):
        return None
    status = mapping(pod.get("status"))
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in map(mapping, sequence(status.get(field))):
            waiting = mapping(mapping(container.get("state")).get("waiting"))
            if waiting.get("reason") in _FAILURES:
                message = string(waiting.get("message"))
                reason = f"{waiting['reason']}{f': {message}' if message else ''}"
                own = _serving(mapping(pod.get("spec")))
                image = string(own.get("image")) or ""
                return PodFailure(str(metadata.get("namespace", "")), service, str(metadata["name"]), image, reason)
    return None
