"""Services, runtimes and worlds, written as shortly as a table needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import Release, Rules, rules_of
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND, Container, ModelFormat, Runtime
from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import Resolved, resolve
from ksconfig.model.services.service import Service, read_service
from ksconfig.model.services.world import StorageContainer, World

Json = dict[str, Any]
#: The releases by what decides images in them.
V1ALPHA2, BY_CONFIG, WITH_RUNTIMES = range(2, 5), range(5, 8), range(8, 21)
NAMESPACE = "team"
DIGEST = "sha256:" + "ab" * 32


def rules(minor: int) -> Rules:
    """The rules of 0.MINOR."""
    return rules_of(Release(0, minor))


def world(
    minor: int, config: Mapping[str, Any] | None = None, *runtimes: Runtime, storage: tuple[StorageContainer, ...] = ()
) -> World:
    """All that decides images in a cluster with 0.MINOR."""
    return World(rules(minor), config or {}, runtimes, storage)


def split(image: str, version: str = "1", **more: Any) -> Json:
    """A block of ``predictors`` or ``explainers``."""
    return {"image": image, "defaultImageVersion": version, **more}


def service(
    predictor: Json | None = None,
    *,
    name: str = "m",
    status: Json | None = None,
    metadata: Json | None = None,
    **spec: Any,
) -> Service:
    """A service of v1beta1 in the namespace "team"; what is given beside its predictor stands in its spec."""
    return read_service(
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "metadata": {"name": name, "namespace": NAMESPACE, **(metadata or {})},
            "spec": {**({"predictor": predictor} if predictor is not None else {}), **spec},
            "status": status or {},
        }
    )


def v1alpha2(default: Json, canary: Json | None = None) -> Service:
    """A service of v1alpha2, which 0.2 to 0.4 have."""
    return read_service(
        {
            "apiVersion": "serving.kubeflow.org/v1alpha2",
            "metadata": {"name": "m", "namespace": NAMESPACE},
            "spec": {"default": default, **({"canary": canary} if canary is not None else {})},
        }
    )


def model(framework: str = "sklearn", **fields: Any) -> Json:
    """A predictor with a ``model`` of a format."""
    return {"model": {"modelFormat": {"name": framework}, **fields}}


def limits(*names: str) -> Json:
    """The resources of a container with these limits."""
    return {"limits": dict.fromkeys(names, "1")}


GPU = limits("nvidia.com/gpu")


def runtime(
    name: str,
    formats: str = "sklearn",
    speaks: str = "v1",
    image: str | None = "r/x:1",
    namespace: str = "",
    **more: Any,
) -> Runtime:
    """A runtime of the cluster, or of a namespace.

    Args:
        formats: what it lists; "sklearn@1" in a version, "sklearn-" not for services that name no runtime.
        speaks: its protocols.
    """
    ref = ObjectRef(NAMESPACED_KIND if namespace else CLUSTER_KIND, namespace or None, name)
    more.setdefault("containers", (Container("kserve-container", image),))
    return Runtime(ref, tuple(map(_format, formats.split())), tuple(speaks.split()), **more)


def _format(text: str) -> ModelFormat:
    name, _, version = text.rstrip("-").partition("@")
    return ModelFormat(name, version or None, not text.endswith("-"), None)


def prioritised(one: Runtime, priority: int) -> Runtime:
    """A runtime whose formats all have a priority."""
    return one._replace(formats=tuple(form._replace(priority=priority) for form in one.formats))


def storage_container(image: str, *prefixes: str, regex: str = "", init: bool = True) -> StorageContainer:
    """A storage container for URIs that begin with a prefix, or match a regular expression."""
    formats = (*(("prefix", prefix) for prefix in prefixes), *((("regex", regex),) if regex else ()))
    return StorageContainer(ObjectRef(STORAGE_KIND, None, "default"), image, formats, init)


def predictor_of(one: Service, where: World) -> Resolved:
    """What becomes of the predictor of a service."""
    return resolve(one, where)["predictor"]


def image_of(one: Service, where: World) -> str:
    """The image of the predictor of a service; there must be no problem."""
    found = predictor_of(one, where)
    assert not found.problem
    return found.image


def stored(one: Service, where: World) -> Service:
    """A service as it is stored; it must not be refused."""
    admitted = admit(one, where)
    assert not admitted.refusal
    return admitted.service
