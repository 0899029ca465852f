"""Where KServe is in a cluster: its controller by label, its config beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ksconfig.errors import Ambiguous, ClusterFailure, ConfigNotFound, RightMissing
from ksconfig.model.rollout import manager_of, wanted_replicas
from ksconfig.source.cluster.client import Client, namespaced

CONFIG = "inferenceservice-config"
CONTROLLERS = ("kserve-controller-manager", "kfserving-controller-manager")
#: Where KServe is installed as its manifests, Kubeflow's, and Open Data Hub's have it.
USUAL = ("kserve", "kfserving-system", "kubeflow", "opendatahub", "redhat-ods-applications")
_APPS = "/apis/apps/v1"
_SELECTOR = f"control-plane in ({','.join(CONTROLLERS)})"


class Controller(NamedTuple):
    """KServe's controller: a Deployment or StatefulSet.

    Attributes:
        resource: "deployments" or "statefulsets".
    """

    resource: str
    workload: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The workload's name."""
        return str(self.workload["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The workload's namespace, which is the config's."""
        return str(self.workload["metadata"]["namespace"])

    @property
    def path(self) -> str:
        """Where it is."""
        return namespaced(_APPS, self.resource, self.namespace, self.name)

    @property
    def image(self) -> str:
        """The image of the container ``manager``."""
        return str(manager_of(self.workload).get("image", ""))

    def __str__(self) -> str:
        return f"{self.resource.removesuffix('s')} {self.namespace}/{self.name}"


class Found(NamedTuple):
    """Where KServe is; ``controller`` is None where none is seen, and then ``why`` says why."""

    namespace: str
    controller: Controller | None
    why: str = ""


def find_kserve(client: Client, namespace: str | None) -> Found:
    """Find the namespace of the config, and the controller.

    Raises:
        Ambiguous: there are several; all are named.
        ConfigNotFound: there is none.
        ClusterFailure: the cluster does not answer.
    """
    if namespace is not None:
        controllers, why = _controllers_in(client, namespace)
        return Found(namespace, _the_one(controllers), why)
    try:
        controllers = _listed(client, _APPS)
    except RightMissing as missing:
        return _by_usual_names(client, missing)
    namespaces = sorted({one.namespace for one in controllers})
    if len(namespaces) > 1:
        raise Ambiguous(
            f"KServe's controller is in {len(namespaces)} namespaces: {', '.join(namespaces)}",
            selectors=tuple(f"-n {one}" for one in namespaces),
        )
    if not namespaces:
        return _by_usual_names(client, None)
    return Found(namespaces[0], _the_one(controllers))


def _listed(client: Client, base: str) -> list[Controller]:
    return [
        Controller(resource, one)
        for resource in ("deployments", "statefulsets")
        for one in client.items(f"{base}/{resource}", labelSelector=_SELECTOR)
        if one["metadata"]["name"] in CONTROLLERS
    ]


def _controllers_in(client: Client, namespace: str) -> tuple[list[Controller], str]:
    try:
        return _listed(client, namespaced(_APPS, "", namespace).rstrip("/")), ""
    except RightMissing as missing:
        return [], missing.why


def _the_one(controllers: Sequence[Controller]) -> Controller | None:
    """The controller that runs: 0.9 ships a StatefulSet with no replicas beside the Deployment of the same name."""
    running = [one for one in controllers if wanted_replicas(one.workload) > 0] or list(controllers)
    if len(running) > 1:
        listed = ", ".join(map(str, running))
        raise Ambiguous(
            f"there are several controllers: {listed}",
            advice="Scale all but one to 0 replicas: two controllers undo each other's work.",
        )
    return running[0] if running else None


def _by_usual_names(client: Client, missing: RightMissing | None) -> Found:
    """Without a controller to go by: the namespaces where KServe usually is."""
    seen, refused = [], missing
    for namespace in USUAL:
        try:
            if client.find(namespaced("/api/v1", "configmaps", namespace, CONFIG)) is not None:
                seen.append(namespace)
        except RightMissing as error:
            refused = refused or error
        except ClusterFailure as error:
            if error.status != 404:
                raise
    if len(seen) > 1:
        raise Ambiguous(
            f"there is a ConfigMap {CONFIG} in {' and '.join(seen)}, and no controller to tell which is used",
            selectors=tuple(f"-n {one}" for one in seen),
        )
    if not seen:
        if refused is not None:
            if refused.status == 403:  # not for want of a login
                where = f"it is in none of {', '.join(USUAL)} that you may read"
                refused.advice = f"Name the config's namespace with -n; {where}."
            raise refused
        raise ConfigNotFound(
            f"there is no KServe here: no controller {CONTROLLERS[0]}, and no ConfigMap {CONFIG} in {', '.join(USUAL)}",
            advice="Name its namespace with -n, or another cluster with --context.",
        )
    controllers, why = _controllers_in(client, seen[0])
    return Found(seen[0], _the_one(controllers), why)
