"""Which services get their models one by one, and so an agent in their pods."""

from __future__ import annotations

import pytest

from ksconfig.model.services.multi_model import fetches_models
from tests.model.services.builders import BY_CONFIG, Json, model, service, split, world

MANY: Json = {"sklearn": {"v1": split("r/x", multiModelServer=True), "v2": split("r/x")}}


@pytest.mark.parametrize("minor", BY_CONFIG)
@pytest.mark.parametrize(
    ("body", "fetches"), [({}, True), ({"protocolVersion": "v2"}, False), ({"storageUri": ""}, False)]
)
def test_the_config_says_it_to_0_7(body: Json, fetches: bool, minor: int) -> None:
    assert fetches_models(service({"sklearn": body}), world(minor, {"predictors": MANY})) is fetches


@pytest.mark.parametrize("minor", range(8, 10))
def test_the_config_says_it_of_formats_in_0_8_and_0_9(minor: int) -> None:
    where = world(minor, {"predictors": MANY})
    assert fetches_models(service(model()), where)
    assert not fetches_models(service(model(protocolVersion="v2")), where)
    assert not fetches_models(service(model("onnx")), where)


@pytest.mark.parametrize("minor", range(10, 21))
def test_a_model_without_a_place_says_it_from_0_10_on(minor: int) -> None:
    assert fetches_models(service(model()), world(minor))
    assert not fetches_models(service(model(storageUri="gs://b/m")), world(minor))
    assert not fetches_models(service(model(storage={"key": "k"})), world(minor))
    assert fetches_models(service(model("huggingface")), world(minor)) is (minor < 12)


@pytest.mark.parametrize("minor", range(10, 21))
def test_several_places_count_from_0_16_on(minor: int) -> None:
    predictor = {**model(), "storageUris": [{"uri": "gs://b/m"}]}
    assert fetches_models(service(predictor), world(minor)) is (minor < 16)


@pytest.mark.parametrize("minor", range(5, 21))
@pytest.mark.parametrize(("value", "fetches"), [("true", True), ("false", False), ("True", False)])
def test_containers_of_ones_own_say_it_in_their_environment(value: str, fetches: bool, minor: int) -> None:
    env = [{"name": "MULTI_MODEL_SERVER", "value": value}]
    own = {"containers": [{"name": "kserve-container", "image": "me/x:1", "env": env}]}
    assert fetches_models(service(own), world(minor)) is (fetches and minor >= 7)


@pytest.mark.parametrize("minor", range(5, 21))
def test_containers_of_ones_own_do_not_otherwise(minor: int) -> None:
    assert not fetches_models(service({"containers": [{"image": "me/x:1"}]}), world(minor))
    assert not fetches_models(service({}), world(minor))
