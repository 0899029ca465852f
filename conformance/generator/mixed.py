"""Cases at random, over everything that decides an image; without end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.case import Object
from conformance.generator.kit import GPU, IMAGES, MIG, Draft, Kit, container, listed


def mixed(kit: Kit) -> Iterator[Draft]:
    """Services and, where there are, runtimes of random fields."""
    while True:
        if kit.rules.runtimes and kit.random.random() < 0.6:
            yield _on_runtimes(kit)
        else:
            predictor = kit.of(kit.pick(*kit.blocks), **_fields(kit))
            if kit.random.random() < 0.15:
                predictor |= kit.pick({"minReplicas": -1}, {"containers": [container("me/own:1")]}, {"maxReplicas": -2})
            yield Draft(predictor, transformer=_transformer(kit))


def _fields(kit: Kit) -> Object:
    """Fields of a framework's block or of model."""
    found: dict[str, Any] = {}
    if kit.random.random() < 0.3:
        found["image"] = kit.pick(*IMAGES)
    if kit.random.random() < 0.3:
        found["runtimeVersion"] = kit.pick("v9", "1.2.3", "2.0-gpu", "latest")
    if kit.random.random() < 0.3:
        found["protocolVersion"] = kit.pick("v1", "v2", "grpc-v2")
    found.update(kit.pick({}, {}, GPU, MIG))
    return found


def _transformer(kit: Kit) -> Object | None:
    return {"containers": [container("me/transformer:1")]} if kit.random.random() < 0.1 else None


def _on_runtimes(kit: Kit) -> Draft:
    form = kit.fresh("format")
    made = []
    for number, priority in enumerate(kit.random.sample((1, 2, 3, None), kit.pick(1, 2, 3))):
        entry = listed(form, version=kit.pick(None, "1", "2"), priority=priority, auto=kit.random.random() < 0.8)
        spec: Object = kit.pick({}, {}, {}, {"disabled": True}, {"multiModel": True})
        if kit.random.random() < 0.5:
            spec = {**spec, "protocolVersions": kit.pick(["v1"], ["v2"], ["v1", "v2"], ["grpc-v2"])}
        made.append(kit.runtime(entry, image=kit.pick(*IMAGES).replace("own", f"r{number}"), **spec))
    fields = _fields(kit)
    if kit.random.random() < 0.3:
        fields["version"] = kit.pick("1", "2", "3")
    if kit.random.random() < 0.3:
        fields["runtime"] = kit.pick(*made)["metadata"]["name"]
    return Draft(kit.model(form, **fields), runtimes=tuple(made))
