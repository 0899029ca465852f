"""What admission says against the environment of containers."""

from __future__ import annotations

import pytest

from ksconfig.model.services.admission import admit
from ksconfig.model.services.service import Service
from tests.model.services.builders import Json, model, service, world

V1BETA1 = range(5, 21)
OWN: Json = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}


def refusal(one: Service | Json, minor: int) -> str:
    """Why a service or predictor is refused; "" if it is not."""
    block = {"image": "r/x", "defaultImageVersion": "1"}
    config = {"predictors": {"sklearn": {"v1": block}}}
    return admit(one if isinstance(one, Service) else service(one), world(minor, config)).refusal


ENV: Json = {"env": [{"name": "A", "value": "b"}, {"name": "PYTHONPATH", "value": "/x"}]}


class TestEnvironment:
    """Facts 4.8: variables that 0.19 and later do not take."""

    @pytest.mark.parametrize("minor", range(10, 21))
    @pytest.mark.parametrize(
        "one",
        [
            service({"sklearn": ENV}),
            service(model(**ENV)),
            service({"containers": [{**OWN["containers"][0], **ENV}]}),
            service({"containers": [*OWN["containers"], {"name": "side", "image": "x", **ENV}]}),
            service(OWN, transformer={"containers": [{"name": "t", "image": "x", **ENV}]}),
            service(OWN, explainer={"containers": [{"name": "e", "image": "x", **ENV}]}),
            service(OWN, explainer={"art": ENV}),
            service({**OWN, "initContainers": [{"name": "i", "image": "x", **ENV}]}),
        ],
        ids=["block", "model", "own", "side", "transformer", "explainer", "art", "init"],
    )
    def test_is_free_of_the_path_of_python(self, one: Service, minor: int) -> None:
        why = "the environment variable PYTHONPATH is not allowed" if minor >= 19 else ""
        assert refusal(one, minor) == why

    @pytest.mark.parametrize("minor", range(15, 21))
    @pytest.mark.parametrize("group", ["containers", "initContainers"])
    def test_is_free_of_it_in_workers(self, group: str, minor: int) -> None:
        workers = {group: [{"name": "worker-container", "image": "x", **ENV}]}
        metadata = {"annotations": {"serving.kserve.io/autoscalerClass": "none"}}
        one = service({**model(storageUri="pvc://claim/m"), "workerSpec": workers}, metadata=metadata)
        assert refusal(one, minor) == ("the environment variable PYTHONPATH is not allowed" if minor >= 19 else "")


class TestProtocol:
    """A container of one's own may name what it speaks (0.7 on)."""

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize(
        ("env", "fits"),
        [
            ([{"name": "PROTOCOL", "value": "v1"}], True),
            ([{"name": "PROTOCOL", "value": "v2"}], True),
            ([{"name": "A"}, {"name": "PROTOCOL", "value": "grpc-v2"}], False),
            ([{"name": "PROTOCOL"}], False),
            ([{"name": "PROTOCOL", "value": "v1"}, {"name": "PROTOCOL", "value": "x"}], True),
        ],
    )
    def test_is_v1_or_v2(self, env: list[Json], fits: bool, minor: int) -> None:
        one = {"containers": [{"name": "kserve-container", "image": "me/x:1", "env": env}]}
        assert (refusal(one, minor) == "") is (fits or minor < 7)


class TestCollocation:
    """A transformer in the pod of the predictor has no model of its own (0.12 on)."""

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_names_no_storage_uri(self, minor: int) -> None:
        env = [{"name": "STORAGE_URI", "value": "gs://m"}]
        beside = {"name": "transformer-container", "image": "me/t:1", "env": env}
        why = "the container transformer-container of a predictor names a storage URI" if minor >= 12 else ""
        assert refusal({"containers": [*OWN["containers"], beside]}, minor) == why
