"""What a service has its images from: entries of the config, runtimes, storage containers."""

from __future__ import annotations

from collections.abc import Iterator

from ksconfig.model.plan import ObjectRef
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import Service
from ksconfig.model.services.storage import pod_images, storage_source
from ksconfig.model.services.world import World

#: An object, or a place in the config: ("predictors", "sklearn", "v1").
Giver = ObjectRef | tuple[str, ...]


def givers(service: Service, world: World) -> Iterator[Giver]:
    """What gives a service an image; each of several runtimes where KServe's order is not defined."""
    for resolved in resolve(service, world).values():
        if resolved.own or resolved.problem:
            continue
        yield from resolved.runtime or ((resolved.place,) if resolved.place else ())
    for name in pod_images(service, world):
        yield ("agent",) if name == "agent" else storage_source(service, world) or ("storageInitializer",)
