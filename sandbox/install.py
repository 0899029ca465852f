"""KServe as released, put into a fresh cluster: its own manifests, with what cert-manager would add."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox import stubs
from sandbox.api import Api, ApiError, Object, wait_until
from sandbox.control_plane import controller_namespace
from sandbox.old_api import modernised
from sandbox.pki import Authority
from sandbox.releases import Release

CONFIG = "inferenceservice-config"
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
# cert-manager's own kinds, and nodes' agents.
_LEFT_OUT = ("Certificate", "Issuer", "DaemonSet", "Namespace")
# What runs beside KServe's own controller, with all that is theirs; their CRDs stay.
_OTHER_CONTROLLERS = re.compile(r"llmisvc|llminference|llm-d|localmodel|inferencepool|models-web-app", re.IGNORECASE)
# Written through the controller's own webhooks, so it must be there before them.
_AFTER_THE_CONTROLLER = ("ClusterServingRuntime", "ServingRuntime", "ClusterStorageContainer")
_AT_ONCE = 8


class Installation:
    """One release in one cluster."""

    def __init__(self, api: Api, release: Release, objects: list[Object], authority: Authority) -> None:
        self._api = api
        self._release = release
        self._authority = authority
        objects = copy.deepcopy(objects)
        if release.old_api:
            objects = modernised(objects)
        self._definitions = [_of_one_version(one) for one in objects if one["kind"] == "CustomResourceDefinition"]
        others = [one for one in objects if one["kind"] not in ("CustomResourceDefinition", *_LEFT_OUT)]
        others = [one for one in others if not _OTHER_CONTROLLERS.search(one["kind"] + one["metadata"]["name"])]
        self._late = [one for one in others if one["kind"] in _AFTER_THE_CONTROLLER]
        self._objects = [one for one in others if one not in self._late]
        namespaces = [one["metadata"] for one in objects if one["kind"] == "Namespace"]
        self._labels: dict[str, str] = namespaces[0].get("labels", {}) if namespaces else {}

    def controller_images(self) -> list[str]:
        """The images of the containers that run the controller."""
        return [
            container["image"]
            for one in self._objects
            if one["kind"] in ("Deployment", "StatefulSet")
            for container in one["spec"]["template"]["spec"]["containers"]
            if container["name"] == "manager"
        ]

    def begin(self) -> None:
        """Create all but what needs the controller's webhooks."""
        namespace = self._release.namespace
        labels = {**self._labels, "control-plane": self._release.controller}
        self._api.create(controller_namespace(namespace, labels))
        for one in stubs.knative_config():
            self._api.create(one)
        self._create([*self._definitions, *stubs.knative_and_istio()])
        self._create([self._serving_certificate()])
        for one in self._objects:
            if one["kind"] in _WEBHOOKS:
                self._trust(one)
            if one["kind"] == "ConfigMap" and one["metadata"]["name"] == CONFIG and self._release.mode:
                _set_mode(one["data"], self._release.mode)
        self._create(self._objects)
        waiting = list(self._definitions)
        wait_until("the custom resources are served", lambda: self._served(waiting), 60)

    def finish(self) -> None:
        """Wait until the webhook has answered, then create the runtimes."""
        wait_until("the webhook answers", self._answers, 120)
        if self._late:
            wait_until("the runtimes' webhook answers", lambda: self._try(self._late[0]), 60)
            self._create(self._late[1:])

    def _create(self, objects: Iterable[Object]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._api.create, objects))

    def _try(self, one: Object) -> bool:
        try:
            self._api.create(one)
        except ApiError as error:
            if error.code not in (0, 409) and error.code < 500:
                raise
            return error.code == 409
        return True

    def _served(self, definitions: list[Object]) -> bool:
        """Whether discovery lists all of them (Established comes a little earlier); those that it lists are struck."""
        for one in list(definitions):
            spec = one["spec"]
            base = f"/apis/{spec['group']}/{spec['versions'][0]['name']}"
            if spec["names"]["plural"] in [each["name"] for each in (self._api.find(base) or {}).get("resources", [])]:
                definitions.remove(one)
        return not definitions

    def _serving_certificate(self) -> Object:
        """The Secret that cert-manager would make, good for every webhook's Service."""
        services = {
            (hook["clientConfig"]["service"]["name"], hook["clientConfig"]["service"]["namespace"])
            for one in self._objects
            if one["kind"] in _WEBHOOKS
            for hook in one["webhooks"]
        }
        certificate, key = self._authority.issue("hook", [f"{name}.{space}.svc" for name, space in sorted(services)])
        data = {"tls.crt": certificate, "tls.key": key, "ca.crt": self._authority.certificate}
        name = f"{self._release.controller.removesuffix('-controller-manager')}-webhook-server-cert"
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": name, "namespace": self._release.namespace},
            "data": {file: base64.b64encode(path.read_bytes()).decode() for file, path in data.items()},
        }

    def _trust(self, configuration: Object) -> None:
        bundle = base64.b64encode(self._authority.certificate.read_bytes()).decode()
        for hook in configuration["webhooks"]:
            hook["clientConfig"]["caBundle"] = bundle

    def _answers(self) -> bool:
        try:
            self._api.create(a_service(self._release), dryRun="All")
        except ApiError as error:
            if error.code and error.code < 500:
                raise
            return False
        return True


def a_service(release: Release, name: str = "probe", namespace: str = "default") -> Object:
    """The smallest InferenceService that a release takes."""
    group = "serving.kubeflow.org" if release.old_api else "serving.kserve.io"
    return {
        "apiVersion": f"{group}/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"predictor": {"sklearn": {"storageUri": "gs://models/iris"}}},
    }


def _of_one_version(definition: Object) -> Object:
    """Without its conversion webhook: old releases ship one that nobody serves, for a single version."""
    definition["spec"].pop("conversion", None)
    return definition


def _set_mode(data: dict[str, Any], mode: str) -> None:
    data["deploy"], times = re.subn(r'("defaultDeploymentMode"\s*:\s*)"[^"]*"', rf'\1"{mode}"', data["deploy"])
    if times != 1:
        raise RuntimeError(f"the config's deploy has no defaultDeploymentMode: {data['deploy']}")
