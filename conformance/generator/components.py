"""Cases about explainers and transformers."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.generator.kit import GPU, Draft, Kit, container


def explainers(kit: Kit) -> Iterator[Draft]:
    """Explainers, whose images come from the config in every release."""
    kinds = {"alibi": "AnchorTabular", "aix": "LimeImages", "art": "SquareAttack"}
    for name in sorted(kit.rules.explainers):
        body = {"type": kinds[name]}
        for more in (
            {},
            {"runtimeVersion": "v9"},
            {"image": "me/explainer:1"},
            {"image": "reg.local:5000/me/explainer:1", "runtimeVersion": "v9"},
            {"storageUri": "gs://models/explainer"},
            {**GPU},
        ):
            yield Draft(kit.of("sklearn"), explainer={name: {**body, **more}})
        yield Draft(kit.of("sklearn"), explainer={name: {**body, "storageUri": "ftp://models/e"}})
        yield Draft(kit.of("sklearn"), explainer={name: body, "minReplicas": 3, "maxReplicas": 2})
        both = {name: body, "containers": [container("me/explainer:1")]}
        yield Draft(kit.of("sklearn"), explainer=both)
    yield Draft(kit.of("sklearn"), explainer={"containers": [container("me/explainer:1")]})
    yield Draft(kit.of("sklearn"), explainer={"minReplicas": 1})
    two = sorted(kit.rules.explainers)[:2]
    if len(two) == 2:
        yield Draft(kit.of("sklearn"), explainer={name: {"type": kinds[name]} for name in two})


def transformers(kit: Kit) -> Iterator[Draft]:
    """Transformers, which are containers of the service's own."""
    for image in ("me/transformer:1", "reg.local:5000/me/transformer"):
        yield Draft(kit.of(kit.pick("sklearn", "xgboost")), transformer={"containers": [container(image)]})
    yield Draft(kit.of("sklearn"), transformer={"containers": [{"image": "me/transformer:1", "name": "user"}]})
    two = [container("me/transformer:1"), container("me/sidecar:1", name="sidecar")]
    yield Draft(kit.of("sklearn"), transformer={"containers": two})
    yield Draft(kit.of("sklearn"), transformer={"containers": two[::-1]})
    yield Draft(kit.of("sklearn"), transformer={"minReplicas": 1})
    yield Draft(kit.of("sklearn"), transformer={"containers": two[:1], "minReplicas": -1})
    uri = [{"name": "STORAGE_URI", "value": "ftp://models/m"}]
    yield Draft(kit.of("sklearn"), transformer={"containers": [container("me/transformer:1", env=uri)]})
    explainer = sorted(kit.rules.explainers)[0]
    yield Draft(
        kit.of("xgboost"),
        transformer={"containers": [container("me/transformer:1")]},
        explainer={explainer: {"type": {"alibi": "AnchorTabular", "art": "SquareAttack"}.get(explainer, "LimeImages")}},
    )
    yield Draft({"containers": [container("me/own:1")]}, transformer={"containers": [container("me/transformer:1")]})
    if kit.rules.runtimes:
        yield Draft(kit.model("no-such-format"), transformer={"containers": [container("me/transformer:1")]})


def resources(kit: Kit) -> Iterator[Draft]:
    """Requests and limits that do not fit one another, by themselves or with what they are laid over."""
    for requests, limits in (
        ({"cpu": "4"}, {}),
        ({"memory": "4Gi"}, {"memory": "8Gi"}),
        ({}, {"memory": "1Gi"}),
        ({"cpu": "100m"}, {"cpu": "1500m"}),
        ({"cpu": 0.5}, {"cpu": "0.5"}),
        ({"nvidia.com/gpu": 1}, {}),
        ({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": "2"}),
        ({"example.com/device": "1", "cpu": "1"}, {"example.com/device": "1"}),
        ({"memory": "2000M"}, {"memory": "1Gi"}),
        ({}, {"gpu": "1"}),
        ({"ephemeral-storage": "1Gi"}, {"ephemeral-storage": "2Gi"}),
    ):
        given = {"resources": {"requests": requests, "limits": limits}}
        yield Draft(kit.of("sklearn", **given))
        yield Draft({"containers": [container("me/own:1", **given)]})
        yield Draft(kit.of("sklearn"), transformer={"containers": [container("me/transformer:1", **given)]})
        yield Draft(kit.of("sklearn"), explainer={"art": {"type": "SquareAttack", **given}})
