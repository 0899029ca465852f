"""Two worlds and a service between them, written as shortly as a table of impacts needs them."""

from __future__ import annotations

from typing import Any

from ksconfig.model.services.impact import ServiceImpact, judge, touched
from ksconfig.model.services.service import Service
from ksconfig.model.services.world import World
from tests.model.services.builders import Json, runtime, split, world

#: The frameworks with a block for each protocol.
NESTED = ("sklearn", "xgboost", "pytorch")
#: A predictor with a container of its own.
OWN = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}


def by_config(minor: int, image: str, version: str = "1", framework: str = "sklearn", **more: Any) -> World:
    """A world in which ``predictors`` give a framework this image; the servers of protocol v2 are r/ml:1."""
    block = split(image, version)
    nested = framework in NESTED and minor >= 5
    return world(minor, {"predictors": {framework: {"v1": block, "v2": split("r/ml")} if nested else block}, **more})


def on_runtime(minor: int, image: str, *others: Any, name: str = "kserve-sklearnserver", **config: Any) -> World:
    """A world in which a runtime gives sklearn this image."""
    return world(minor, config, runtime(name, image=image), *others)


def pods(minor: int, **images: str) -> World:
    """A world in which keys of the config hold these images."""
    return world(minor, {key: {"image": image} for key, image in images.items()})


def judged(one: Service, old: World, new: World, later: Service | None = None) -> list[ServiceImpact]:
    """What becomes of a service."""
    return list(judge(one, old, new, touched(old, new), later))


def the_one(one: Service, old: World, new: World, later: Service | None = None) -> ServiceImpact:
    """What becomes of the one component of a service that there is something to say about."""
    (found,) = judged(one, old, new, later)
    return found


def told(one: Service, old: World, new: World) -> tuple[str, str]:
    """The effect on the one component that there is something to say about, and why."""
    found = the_one(one, old, new)
    return found.effect, found.reason


def annotated(**annotations: str) -> Json:
    """Metadata with annotations of KServe's."""
    return {"annotations": {f"serving.kserve.io/{name.replace('_', '-')}": one for name, one in annotations.items()}}
