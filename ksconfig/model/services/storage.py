"""Where a service's model comes from, and the images that KServe's pod webhook adds for it.

From pkg/webhook/admission/pod (storage_initializer_injector.go, agent_injector.go) and ``ValidateStorageURI``
(controller/v1beta1/inferenceservice/utils/utils.go; to 0.10 v1beta1/component.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.services.service import BLOCKS, Service, containers
from ksconfig.model.services.world import World

_AZURE = re.compile(r"https://(.+?).blob.core.windows.net/(.+)")
_SCHEME = re.compile(r"\w+?://", re.ASCII)


def storage_uri(component: Mapping[str, Any]) -> str:
    """The URI of a component's model; "" if it names none."""
    for name in ("model", *BLOCKS):
        if isinstance(component.get(name), Mapping):
            return string(component[name].get("storageUri")) or ""
    return uri_of_containers(component)


def uri_of_containers(component: Mapping[str, Any]) -> str:
    """The URI that a container of one's own names in its environment; "" if it does not."""
    for one in containers(component)[:1]:
        for variable in map(mapping, sequence(one.get("env"))):
            if variable.get("name") == "STORAGE_URI":
                return string(variable.get("value")) or ""
    return ""


def uri_fault(uri: str, world: World) -> str:
    """Why KServe refuses a URI; "" if it does not: a local path, a beginning it knows, or a storage container's."""
    if not uri or not _SCHEME.search(uri):
        return ""
    if any(one.supports(uri) for one in world.storage if one.init):
        return ""
    if "blob.core.windows.net" in uri:
        fits = bool(_AZURE.search(uri))
    else:
        fits = uri.startswith(tuple(world.rules.storage_uris))
    return "" if fits else f"storageUri {uri} begins with none of {', '.join(sorted(world.rules.storage_uris))}"


def pod_images(service: Service, world: World) -> Mapping[str, str]:
    """The images that the pod webhook adds to a predictor's pod: "storage-initializer" and "agent"."""
    found = {}
    predictor = service.predictor
    uri = storage_uri(predictor)
    if uri and uri.partition("://")[0] not in ("oci", "oci+native"):
        found["storage-initializer"] = _storage_image(uri, world)
    if any(isinstance(predictor.get(name), Mapping) for name in ("logger", "batcher")):
        found["agent"] = world.image_of("agent")
    return {name: image for name, image in found.items() if image}


def _storage_image(uri: str, world: World) -> str:
    if world.rules.storage_containers:
        for one in world.storage:
            if one.init and one.supports(uri):
                return one.image
        pvc = mapping(world.config.get("storageInitializer"))
        if uri.startswith("pvc://") and pvc.get("enableDirectPvcVolumeMount") is True:
            return ""
    return world.image_of("storageInitializer")
