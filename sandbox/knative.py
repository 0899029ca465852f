"""A stand-in for Knative Serving: revisions, Deployments and a status for each Knative Service.

It keeps Knative's rules where KServe and its users look: a revision for each new template, traffic to the newest ready
one (or as ``spec.traffic`` says), readiness from the pods with their reason, and the old revision serving until the new
one is ready. It routes nothing, does not resolve tags, and scales to zero only a template whose annotation
``sandbox.local/scaled-to-zero`` asks for it, once its revision has been ready.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import queue
import threading
from typing import Any

from sandbox.api import Api, ApiError, Object

_GROUP = "serving.knative.dev"
_SERVICE, _REVISION = f"{_GROUP}/service", f"{_GROUP}/revision"
_GENERATION = f"{_GROUP}/configurationGeneration"
_TEMPLATE = "sandbox.local/template"  # annotation of a revision: the hash of the template that it was made from
_TO_ZERO = "sandbox.local/scaled-to-zero"
_MIN_SCALE = ("autoscaling.knative.dev/min-scale", "autoscaling.knative.dev/minScale")
_NOT_OF_A_POD = ("containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds")
_PLACES = {
    "services": f"/apis/{_GROUP}/v1/services",
    "revisions": f"/apis/{_GROUP}/v1/revisions",
    "deployments": "/apis/apps/v1/deployments",
    "pods": "/api/v1/pods",
}
_AGAIN_SECONDS = 0.3
_LONGEST_LABEL = 63
Key = tuple[str, str]


class Knative:
    """Reconciles Knative Services from what it follows."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, dict[Key, Object]] = {place: {} for place in _PLACES}
        self._refused: dict[str, str] = {}  # why the API server takes no Deployment of a revision, by its UID
        self._due: queue.SimpleQueue[Key] = queue.SimpleQueue()
        self._queued: set[Key] = set()
        self._lock = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop``."""
        for place in _PLACES:
            threading.Thread(target=self._follow, args=(place, stop), name=f"knative {place}", daemon=True).start()
        while not stop.is_set():
            try:
                key = self._due.get(timeout=1)
            except queue.Empty:
                continue
            with self._lock:
                self._queued.discard(key)
            try:
                self._reconcile(*key)
            except ApiError:  # written by another meanwhile, or going away: look at it again
                threading.Timer(_AGAIN_SECONDS, self._ask, args=(key,)).start()
            except Exception as error:  # a service that cannot be understood must not stop the others
                self._say_broken(key, f"{type(error).__name__}: {error}")

    def _follow(self, place: str, stop: threading.Event) -> None:
        selector = {} if place in ("services", "revisions") else {"labelSelector": _SERVICE}
        for event in self._api.follow(_PLACES[place], stop, **selector):
            metadata = event.object["metadata"]
            key = (metadata["namespace"], metadata["name"])
            if event.kind == "DELETED":
                self._known[place].pop(key, None)
            else:
                self._known[place][key] = event.object
            service = metadata["name"] if place == "services" else metadata.get("labels", {}).get(_SERVICE)
            if service:
                self._ask((metadata["namespace"], service))

    def _ask(self, key: Key) -> None:
        with self._lock:
            if key not in self._queued:
                self._queued.add(key)
                self._due.put(key)

    def _reconcile(self, namespace: str, name: str) -> None:
        service = self._known["services"].get((namespace, name))
        if service is None or service["metadata"].get("deletionTimestamp"):
            return
        revisions = self._revisions(service)
        if not revisions or revisions[-1]["metadata"]["annotations"][_TEMPLATE] != _hash(service["spec"]["template"]):
            revisions.append(self._new_revision(service, _number(revisions[-1]) + 1 if revisions else 1))
        states = {one["metadata"]["name"]: self._state(one) for one in revisions}
        for one in revisions:
            self._put_status(one, {"conditions": _conditions({"Ready": states[one["metadata"]["name"]]})})
        status = _status(service, [one["metadata"]["name"] for one in revisions], states)
        self._put_status(service, status)
        serving = {target["revisionName"] for target in status["traffic"]} | {revisions[-1]["metadata"]["name"]}
        for one in revisions:
            self._ensure_deployment(one)
            self._scale(one, one["metadata"]["name"] in serving, states[one["metadata"]["name"]][0] == "True")

    def _revisions(self, service: Object) -> list[Object]:
        """Its revisions, oldest first."""
        uid = service["metadata"]["uid"]
        mine = [
            one
            for one in list(self._known["revisions"].values())
            if one["metadata"].get("ownerReferences", [{}])[0].get("uid") == uid
        ]
        return sorted(mine, key=_number)

    def _say_broken(self, key: Key, message: str) -> None:
        service = self._known["services"].get(key)
        if service is not None:
            ready = _conditions({"Ready": ("False", "RevisionFailed", message)})
            with contextlib.suppress(ApiError):
                self._put_status(service, {**service.get("status", {}), "conditions": ready})

    def _new_revision(self, service: Object, number: int) -> Object:
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        template = service["spec"]["template"]
        given = template.get("metadata", {})
        revision = given.get("name") or _child_name(name, f"-{number:05d}")
        labels = {
            **given.get("labels", {}),
            _SERVICE: name,
            f"{_GROUP}/configuration": name,
            _REVISION: revision,
            _GENERATION: str(number),
        }
        owner = _owner(service)
        annotations = {**given.get("annotations", {}), _TEMPLATE: _hash(template)}
        metadata = {"name": revision, "namespace": namespace, "labels": labels, "ownerReferences": [owner]}
        made = self._ensure(
            {"apiVersion": f"{_GROUP}/v1", "kind": "Revision", "metadata": {**metadata, "annotations": annotations},
             "spec": template["spec"]}
        )  # fmt: skip
        self._known["revisions"][namespace, revision] = made
        return made

    def _ensure_deployment(self, revision: Object) -> None:
        """Make the Deployment of a revision, if it is not there."""
        metadata = revision["metadata"]
        namespace, name = metadata["namespace"], f"{metadata['name']}-deployment"
        if (namespace, name) in self._known["deployments"] or metadata["uid"] in self._refused:
            return
        annotations = {key: value for key, value in metadata["annotations"].items() if key != _TEMPLATE}
        pod = {"metadata": {"labels": metadata["labels"], "annotations": annotations}, "spec": _pod_spec(revision)}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": metadata["labels"],
                "ownerReferences": [_owner(revision)],
            },
            "spec": {
                "replicas": _scale_of(revision),
                "selector": {"matchLabels": {_REVISION: metadata["name"]}},
                "template": pod,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}},
            },
        }
        try:
            self._known["deployments"][namespace, name] = self._ensure(body)
        except ApiError as error:
            if error.code not in (400, 403, 422):
                raise
            self._refused[metadata["uid"]] = str(error)
            self._ask((namespace, metadata["labels"][_SERVICE]))

    def _ensure(self, obj: Object) -> Object:
        """Create an object, or take the one that is there already if it is ours.

        Raises:
            ApiError: another's is there, or one that is going away.
        """
        try:
            return self._api.create(obj)
        except ApiError as error:
            if error.code != 409:
                raise
            found = self._api.get(self._api.path_of(obj))
            owners = [one["uid"] for one in found["metadata"].get("ownerReferences", ())]
            mine = obj["metadata"]["ownerReferences"][0]["uid"] in owners
            if not mine or found["metadata"].get("deletionTimestamp"):
                raise
            return found

    def _state(self, revision: Object) -> tuple[str, str, str]:
        """Whether a revision is ready, as a condition says it: status, reason, message."""
        namespace, name = revision["metadata"]["namespace"], revision["metadata"]["name"]
        before = {one["type"]: one for one in revision.get("status", {}).get("conditions", [])}.get("Ready", {})
        deployment = self._known["deployments"].get((namespace, f"{name}-deployment"))
        if refused := self._refused.get(revision["metadata"]["uid"]):
            return "False", "RevisionFailed", refused
        if deployment is None:
            return "Unknown", "Deploying", ""
        if deployment["spec"].get("replicas", 1) == 0:  # to zero only what has been ready, or is no longer wanted
            return before.get("status", "Unknown"), before.get("reason") or "", before.get("message") or ""
        if deployment.get("status", {}).get("availableReplicas", 0):
            return "True", "", ""
        for (space, _), pod in list(self._known["pods"].items()):
            if space == namespace and pod["metadata"]["labels"].get(_REVISION) == name:
                for container in pod.get("status", {}).get("containerStatuses", []):
                    waiting = container.get("state", {}).get("waiting") or {}
                    if waiting.get("reason") in ("ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff"):
                        return "False", waiting["reason"], waiting.get("message", "")
        return "Unknown", "Deploying", ""

    def _scale(self, revision: Object, serving: bool, ready: bool) -> None:
        namespace, name = revision["metadata"]["namespace"], revision["metadata"]["name"]
        deployment = self._known["deployments"].get((namespace, f"{name}-deployment"))
        if deployment is None:
            return
        asked_for_zero = revision["metadata"]["annotations"].get(_TO_ZERO) == "true" and ready
        wanted = _scale_of({"metadata": revision["metadata"]}) if serving and not asked_for_zero else 0
        if deployment["spec"].get("replicas", 1) != wanted:
            self._api.patch(self._api.path_of(deployment), {"spec": {"replicas": wanted}})

    def _put_status(self, obj: Object, status: Object) -> None:
        if obj.get("status") != status:
            body = [{"op": "add", "path": "/status", "value": status}]
            body.insert(0, {"op": "test", "path": "/metadata/uid", "value": obj["metadata"]["uid"]})
            self._api.patch(f"{self._api.path_of(obj)}/status", body, "application/json-patch+json")


def _status(service: Object, revisions: list[str], states: dict[str, tuple[str, str, str]]) -> Object:
    """The status of a Knative Service from its revisions, oldest first."""
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    newest = revisions[-1]
    was_ready = service.get("status", {}).get("latestReadyRevisionName", "")
    latest_ready = newest if states[newest][0] == "True" else was_ready
    traffic = []
    for target in service["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]:
        revision = target.get("revisionName") or latest_ready
        if revision and target.get("percent"):
            traffic.append({**target, "revisionName": revision, "latestRevision": "revisionName" not in target})
    url = f"http://{name}.{namespace}.example.com"
    status, reason, message = states[newest]
    if status == "False":
        reason, message = "RevisionFailed", f'Revision "{newest}" failed with message: {message}.'
    routed = bool(traffic) and all(states.get(one["revisionName"], ("",))[0] == "True" for one in traffic)
    route = ("True", "", "") if routed else ("Unknown", "RevisionMissing", "")
    configuration = (status, reason, message)
    ready = configuration if status != "True" else route
    made: dict[str, Any] = {
        "observedGeneration": service["metadata"]["generation"],
        "latestCreatedRevisionName": newest,
        "traffic": traffic,
        "url": url,
        "address": {"url": f"http://{name}.{namespace}.svc.cluster.local"},
        "conditions": _conditions({"ConfigurationsReady": configuration, "Ready": ready, "RoutesReady": route}),
    }
    if latest_ready:
        made["latestReadyRevisionName"] = latest_ready
    return made


def _conditions(states: dict[str, tuple[str, str, str]]) -> list[Object]:
    conditions = []
    for kind, (status, reason, message) in states.items():
        condition = {"type": kind, "status": status}
        if reason:
            condition["reason"] = reason
        if message:
            condition["message"] = message
        conditions.append(condition)
    return conditions


def _pod_spec(template: Object) -> Object:
    spec = {name: value for name, value in template["spec"].items() if name not in _NOT_OF_A_POD}
    containers = []
    for number, given in enumerate(spec["containers"]):
        # KServe leaves the port of the probe to Knative, as 0.
        container = {name: value for name, value in given.items() if name != "readinessProbe"}
        container.setdefault("name", "user-container" if number == 0 else f"user-container-{number}")
        containers.append(container)
    return {**spec, "containers": [*containers, {"name": "queue-proxy", "image": "sandbox.local/queue-proxy"}]}


def _scale_of(template: Object) -> int:
    annotations = template.get("metadata", {}).get("annotations", {})
    return max(1, *(int(annotations.get(name, 1)) for name in _MIN_SCALE))


def _child_name(parent: str, suffix: str) -> str:
    """A name for what belongs to another, short enough for a label: as Knative, cut and told apart by a hash."""
    if len(parent) + len(suffix) <= _LONGEST_LABEL:
        return parent + suffix
    digest = hashlib.md5(parent.encode(), usedforsecurity=False).hexdigest()
    return f"{parent[: _LONGEST_LABEL - len(digest) - len(suffix)]}{digest}{suffix}"


def _owner(obj: Object) -> Object:
    metadata = obj["metadata"]
    names = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return {**names, "controller": True, "blockOwnerDeletion": True}


def _number(revision: Object) -> int:
    return int(revision["metadata"]["labels"][_GENERATION])


def _hash(template: Object) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:16]
