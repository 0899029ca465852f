"""What a service has its images from."""

from __future__ import annotations

import pytest

from ksconfig.model.plan import ObjectRef
from ksconfig.model.services.users import givers
from tests.model.services.builders import Json, model, runtime, service, split, world
from tests.model.services.impacts import OWN

CONFIG: Json = {
    "predictors": {"sklearn": {"v1": split("r/sk", "1"), "v2": split("r/ml", "1")}, "onnx": split("r/onnx", "1")},
    "explainers": {"art": split("r/art", "1")},
    "storageInitializer": {"image": "r/si:1"},
    "agent": {"image": "r/agent:1"},
}
PINNED = {"runtimeVersion": "1"}


@pytest.mark.parametrize(
    ("predictor", "place"),
    [
        ({"sklearn": PINNED}, ("predictors", "sklearn", "v1")),
        ({"sklearn": {**PINNED, "protocolVersion": "v2"}}, ("predictors", "sklearn", "v2")),
        ({"onnx": PINNED}, ("predictors", "onnx")),
    ],
)
def test_a_framework_is_from_its_entry_in_the_config(predictor: Json, place: tuple[str, ...]) -> None:
    assert list(givers(service(predictor), world(7, CONFIG))) == [place]


def test_an_explainer_is_from_the_config_and_the_predictor_from_a_runtime() -> None:
    one = service(model(storageUri="gs://b"), explainer={"art": PINNED})
    assert set(givers(one, world(12, CONFIG, runtime("sk")))) == {
        ObjectRef("ClusterServingRuntime", None, "sk"), ("explainers", "art"), ("storageInitializer",),
    }  # fmt: skip


def test_what_fetches_and_logs_is_from_the_config() -> None:
    one = service({"onnx": {**PINNED, "storageUri": "gs://b"}, "logger": {"mode": "all"}})
    assert set(givers(one, world(7, CONFIG))) == {("predictors", "onnx"), ("storageInitializer",), ("agent",)}


@pytest.mark.parametrize("predictor", [OWN, {"onnx": {**PINNED, "image": "me/x:1"}}])
def test_an_image_of_its_own_is_from_nowhere(predictor: Json) -> None:
    assert list(givers(service(predictor), world(7, CONFIG))) == []
