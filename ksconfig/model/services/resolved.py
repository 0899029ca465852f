"""What is resolved of a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ksconfig.model.plan import ObjectRef


class Resolved(NamedTuple):
    """The image of a component of a service.

    Attributes:
        images: the image; several where KServe's own order decides and is not defined; empty if none can be told.
        reasons: the steps that lead there, for people.
        problem: why KServe makes or changes no workload; "" if it does.
        framework: "sklearn"; "" for a container of one's own.
        runtime: the runtimes that it may run on, from 0.8 on.
        version: its runtimeVersion, where that is part of the image.
        own: whether the service names the image itself.
        place: where in the config its repository stands, if it does: ("predictors", "sklearn", "v1").
    """

    images: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    problem: str = ""
    framework: str = ""
    runtime: tuple[ObjectRef, ...] = ()
    version: str | None = None
    own: bool = False
    place: tuple[str, ...] = ()

    @property
    def image(self) -> str:
        """The image, alternatives joined by " or "."""
        return " or ".join(self.images)


Resolution = Mapping[str, Resolved]
