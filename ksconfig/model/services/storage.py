"""Where a service's model comes from, and the images that KServe's pod webhook adds for it.

From pkg/webhook/admission/pod (storage_initializer_injector.go, agent_injector.go) and ``ValidateStorageURI``
(controller/v1beta1/inferenceservice/utils/utils.go; to 0.10 v1beta1/component.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.model.fields import go_fields
from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import SERVING_CONTAINER
from ksconfig.model.services.multi_model import fetches_models
from ksconfig.model.services.service import BLOCKS, EXPLAINERS, Service, containers
from ksconfig.model.services.world import StorageContainer, World

_AZURE = re.compile(r"https://(.+?).blob.core.windows.net/(.+)")
_SCHEME = re.compile(r"\w+?://", re.ASCII)
_MOUNT_PATH = "/mnt/models"
#: What in ``storageInitializer`` lets an image that holds a model run beside the server, in folded names. The last two
#: came with 0.20.
_OF_IMAGES = ("enablemodelcar", "enableocimodelsupport", "ocimodelmode")


def storage_uri(component: Mapping[str, Any], *, named: bool = False) -> str:
    """The URI of a component's model; "" if it names none.

    Args:
        named: whether of its own containers the one with KServe's name says it.
    """
    for name in ("model", *BLOCKS, *EXPLAINERS):
        if isinstance(component.get(name), Mapping):
            return string(component[name].get("storageUri")) or ""
    return uri_of_containers(component, named=named)


def uri_of_containers(component: Mapping[str, Any], *, named: bool = False) -> str:
    """The URI that a container of one's own names in its environment; "" if it does not."""
    return _uri_variable(component, named=named) or ""


def _uri_variable(component: Mapping[str, Any], *, named: bool) -> str | None:
    own = containers(component)
    if named and len(own) > 1:
        own = [one for one in own if one.get("name") == SERVING_CONTAINER]
    for variable in map(mapping, sequence(own[0].get("env")) if own else ()):
        if variable.get("name") == "STORAGE_URI":
            return string(variable.get("value")) or ""
    return None


def uri_fault(uri: str, world: World) -> str:
    """Why KServe refuses a URI; "" if it does not: a local path, a beginning it knows, or a storage container's."""
    if not uri or not _SCHEME.search(uri):
        return ""
    if world.rules.storage_containers and any(one.supports(uri) for one in world.storage if one.init):
        return ""
    if "blob.core.windows.net" in uri:
        fits = bool(_AZURE.search(uri))
    else:
        fits = uri.startswith(tuple(world.rules.storage_uris))
    return "" if fits else f"storageUri {uri} begins with none of {', '.join(sorted(world.rules.storage_uris))}"


def model_fault(component: Mapping[str, Any], world: World, *, named: bool = False) -> str:
    """Why the controller makes no workload of a component for its model's sake; "" if it does."""
    rules = world.rules
    if rules.storage_uris_at == "controller" and (fault := uri_fault(storage_uri(component, named=named), world)):
        return fault
    if rules.several_uris and (uris := sequence(component.get("storageUris"))):
        uri = str(mapping(uris[0]).get("uri", ""))
        container = storage_container(uri, component, world)
        if container is None and _container_name(component, world):
            return f"there is no storage container {component['storageContainerName']} for {uri}"
        if container is not None and not container.several:
            return f"{container.ref} fetches no several models (supportsMultiModelDownload)"
    if rules.storage_specs:
        for name in ("model", *BLOCKS):
            body = component.get(name)
            if not isinstance(body, Mapping) or body.get("storageUri") is None:
                continue
            if string(mapping(body.get("storage")).get("path")) is not None:
                return "it has a storageUri and a storage.path, and only one of them may be there"
    return ""


def uris_faults(spec: Mapping[str, Any], rules: Rules) -> Iterator[str]:
    """What is wrong with models that are named by ``storageUris`` (validateMultipleStorageURIs)."""
    if not rules.several_uris:
        return
    for name in ("transformer", "explainer", "predictor"):
        component = mapping(spec.get(name))
        listed = [mapping(one) for one in sequence(component.get("storageUris"))]
        if listed and _names_uri(component):
            yield f"the {name} has a storageUri and storageUris, and only one of them may be there"
        paths = [(str(one.get("uri", "")), str(one.get("mountPath", _MOUNT_PATH))) for one in listed]
        for _, path in paths:
            if path == "/" or not path.startswith("/") or ".." in path:
                yield f"the mountPath {path} of a model is no path below the root"
        tops = {path.strip("/").partition("/")[0] for uri, path in paths if not uri.startswith("pvc://")}
        if len(tops) > 1:
            yield f"models are mounted at {' and '.join(sorted(tops))}, which have nothing above them in common"
        volumes = [path for uri, path in paths if uri.startswith("pvc://")]
        if len(paths) - len(volumes) > 1 and len(volumes) != len(set(volumes)):
            yield "two volumes are mounted at one path"


def _names_uri(component: Mapping[str, Any]) -> bool:
    bodies = (component.get(name) for name in ("model", *BLOCKS, *EXPLAINERS))
    if any(isinstance(body, Mapping) and body.get("storageUri") is not None for body in bodies):
        return True
    return bool(uri_of_containers(component))


def storage_container(uri: str, component: Mapping[str, Any], world: World) -> StorageContainer | None:
    """The storage container for a URI of a component: the one that it names, or the first that fits."""
    if not world.rules.storage_containers:
        return None
    name = _container_name(component, world)
    among = (one for one in world.storage if one.init and (not name or one.ref.name == name))
    return next((one for one in among if one.supports(uri)), None)


def _container_name(component: Mapping[str, Any], world: World) -> str:
    return string(component.get("storageContainerName")) or "" if world.rules.names_storage else ""


def pod_images(service: Service, world: World) -> Mapping[str, str]:
    """The images that the pod webhook adds to a predictor's pod: "storage-initializer" and "agent"."""
    found = {}
    predictor = service.predictor
    fetches = fetches_models(service, world)
    uri = None if fetches else _source(predictor, world)
    if uri is not None and not uri.startswith("oci+native://"):
        found["storage-initializer"] = _storage_image(uri, predictor, world)
    if fetches or any(isinstance(predictor.get(name), Mapping) for name in ("logger", "batcher")):
        found["agent"] = world.image_of("agent")
    return {name: image for name, image in found.items() if image}


def storage_source(service: Service, world: World) -> ObjectRef | None:
    """The storage container that fetches a service's model; None if ``storageInitializer`` does, or nothing."""
    uri = _source(service.predictor, world)
    container = None if uri is None else storage_container(uri, service.predictor, world)
    return container.ref if container else None


def _source(predictor: Mapping[str, Any], world: World) -> str | None:
    """The URI that the webhook is told of; None if it is told of none. An empty one counts."""
    rules = world.rules
    for name in ("model", *BLOCKS):
        body = predictor.get(name)
        if isinstance(body, Mapping):
            uri = string(body.get("storageUri"))
            if uri is None and rules.storage_specs and mapping(body.get("storage")).get("path") is not None:
                return "<scheme-placeholder>://"
            if uri is None and rules.several_uris:
                uris = [str(mapping(one).get("uri", "")) for one in sequence(predictor.get("storageUris"))]
                return next((one for one in uris if not one.startswith("pvc://")), None)
            return uri
    return _uri_variable(predictor, named=rules.collocates)


def _storage_image(uri: str, predictor: Mapping[str, Any], world: World) -> str:
    rules = world.rules
    config = go_fields(world.config.get("storageInitializer"))
    direct = rules.mounts_volumes or (rules.storage_containers and config.get("enabledirectpvcvolumemount") is True)
    if uri.startswith("pvc://") and direct:
        return ""
    if uri.startswith("oci://") and rules.modelcars != "unread" and any(config.get(name) for name in _OF_IMAGES):
        return ""
    container = storage_container(uri, predictor, world)
    return container.image if container else world.image_of("storageInitializer")
