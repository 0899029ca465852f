"""The worked examples E1 to E10 of how KServe comes to an image: what is submitted, what is stored, what runs."""

from __future__ import annotations

import pytest

from ksconfig.model.services.admission import admit
from ksconfig.model.services.service import Service
from tests.model.services.builders import (
    BY_CONFIG,
    GPU,
    WITH_RUNTIMES,
    Json,
    image_of,
    predictor_of,
    runtime,
    service,
    split,
    stored,
    v1alpha2,
    world,
)

MLSERVER = split("docker.io/seldonio/mlserver", "0.2.1")
TENSORFLOW = split("tensorflow/serving", "1.14.0", defaultGpuImageVersion="1.14.0-gpu")
#: As 0.7 ships it, short of what decides no image.
PREDICTORS: Json = {
    "sklearn": {"v1": split("kserve/sklearnserver", "v0.7.0"), "v2": MLSERVER},
    "xgboost": {"v1": split("kserve/xgbserver", "v0.7.0"), "v2": MLSERVER},
    "pytorch": {
        "v1": split("kserve/pytorchserver", "v0.7.0", defaultGpuImageVersion="v0.7.0-gpu"),
        "v2": split("pytorch/torchserve-kfs", "0.4.1", defaultGpuImageVersion="0.4.1-gpu"),
    },
    "tensorflow": TENSORFLOW,
    "onnx": split("mcr.microsoft.com/onnxruntime/server", "v1.0.0"),
    "triton": split("nvcr.io/nvidia/tritonserver", "21.09-py3"),
    "pmml": split("kserve/pmmlserver", "v0.7.0"),
    "lightgbm": split("kserve/lgbserver", "v0.7.0"),
    "paddle": split("kserve/paddleserver", "v0.7.0"),
}
SHIPPED: Json = {"predictors": PREDICTORS}


def edited(framework: str, value: Json) -> Json:
    """The config with another entry for a framework."""
    return {"predictors": {**PREDICTORS, framework: value}}


def unpinned(one: Service, framework: str) -> Service:
    """A service whose ``runtimeVersion`` is taken away, as a merge patch with null does."""
    body = {name: value for name, value in one.predictor[framework].items() if name != "runtimeVersion"}
    return one._replace(spec={"predictor": {framework: body}})


SKLEARN = service({"sklearn": {"storageUri": "gs://m"}})


class TestE1:
    """sklearn in 0.7: another repository and another default version, for services old and new."""

    MOVED = world(7, edited("sklearn", {"v1": split("reg.local:5000/team/sk", "v9"), "v2": MLSERVER}))

    def test_admission_stores_the_version_and_the_protocol(self) -> None:
        one = stored(SKLEARN, world(7, SHIPPED))
        assert one.predictor == {
            "sklearn": {"storageUri": "gs://m", "runtimeVersion": "v0.7.0", "protocolVersion": "v1"}
        }
        assert image_of(one, world(7, SHIPPED)) == "kserve/sklearnserver:v0.7.0"

    def test_a_pinned_service_gets_the_new_repository_with_its_old_version(self) -> None:
        assert image_of(stored(SKLEARN, world(7, SHIPPED)), self.MOVED) == "reg.local:5000/team/sk:v0.7.0"

    def test_a_pinned_service_stays_pinned_when_it_is_updated(self) -> None:
        pinned = stored(SKLEARN, world(7, SHIPPED))
        assert stored(pinned, self.MOVED) == pinned

    def test_a_new_service_gets_the_new_repository_and_version(self) -> None:
        assert image_of(stored(SKLEARN, self.MOVED), self.MOVED) == "reg.local:5000/team/sk:v9"

    def test_an_unpinned_service_gets_the_new_repository_and_version(self) -> None:
        pinned = stored(SKLEARN, world(7, SHIPPED))
        again = stored(unpinned(pinned, "sklearn"), self.MOVED)
        assert again.predictor["sklearn"]["runtimeVersion"] == "v9"
        assert image_of(again, self.MOVED) == "reg.local:5000/team/sk:v9"


@pytest.mark.parametrize("minor", BY_CONFIG)
def test_e2_another_default_version_alone_moves_no_service_that_is_there(minor: int) -> None:
    before = world(minor, SHIPPED)
    after = world(minor, edited("sklearn", {"v1": split("kserve/sklearnserver", "v0.7.1"), "v2": MLSERVER}))
    assert image_of(stored(SKLEARN, before), after) == "kserve/sklearnserver:v0.7.0"
    assert image_of(stored(SKLEARN, after), after) == "kserve/sklearnserver:v0.7.1"


@pytest.mark.parametrize("minor", BY_CONFIG)
def test_e3_sklearn_of_protocol_v2_runs_on_mlserver(minor: int) -> None:
    where = world(minor, SHIPPED)
    one = stored(service({"sklearn": {"protocolVersion": "v2"}}), where)
    assert one.predictor["sklearn"]["runtimeVersion"] == "0.2.1"
    assert image_of(one, where) == "docker.io/seldonio/mlserver:0.2.1"


class TestE4:
    """tensorflow with a GPU, which is taken away later."""

    WITH_GPU = service({"tensorflow": {"resources": GPU}})

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_a_gpu_gets_the_gpu_version(self, minor: int) -> None:
        where = world(minor, SHIPPED)
        one = stored(self.WITH_GPU, where)
        assert one.predictor["tensorflow"]["runtimeVersion"] == "1.14.0-gpu"
        assert image_of(one, where) == "tensorflow/serving:1.14.0-gpu"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_the_service_cannot_lose_its_gpu_and_keep_its_version(self, minor: int) -> None:
        where = world(minor, SHIPPED)
        body = {**stored(self.WITH_GPU, where).predictor["tensorflow"], "resources": {}}
        refusal = admit(service({"tensorflow": body}), where).refusal
        assert refusal == "runtimeVersion 1.14.0-gpu holds -gpu, and the service has no GPU"


class TestE5:
    """The two servers of pytorch: a service that names the class of its model gets KServe's own."""

    @pytest.mark.parametrize(
        ("body", "image"),
        [({}, "pytorch/torchserve-kfs:0.4.1"), ({"modelClassName": "Net"}, "kserve/pytorchserver:v0.7.0")],
    )
    def test_protocol_v1_is_stored_for_both(self, body: Json, image: str) -> None:
        where = world(7, SHIPPED)
        one = stored(service({"pytorch": body}), where)
        assert one.predictor["pytorch"]["protocolVersion"] == "v1"
        assert image_of(one, where) == image

    def test_editing_v1_alone_changes_nothing_for_torchserve(self) -> None:
        after = world(7, edited("pytorch", {"v1": split("r/new", "9"), "v2": PREDICTORS["pytorch"]["v2"]}))
        assert image_of(stored(service({"pytorch": {}}), after), after) == "pytorch/torchserve-kfs:0.4.1"
        assert image_of(stored(service({"pytorch": {"modelClassName": "Net"}}), after), after) == "r/new:9"


class TestE6:
    """onnx: a server of its own to 0.7, Triton from 0.8 on."""

    TRITON = runtime("kserve-tritonserver", "onnx@1 triton@2", "v2 grpc-v2", "nvcr.io/nvidia/tritonserver:23.05-py3")

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_it_is_the_runtime_of_microsoft_to_0_7(self, minor: int) -> None:
        where = world(minor, SHIPPED)
        assert image_of(stored(service({"onnx": {}}), where), where) == "mcr.microsoft.com/onnxruntime/server:v1.0.0"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_the_same_service_runs_on_triton_from_0_8_on(self, minor: int) -> None:
        where = world(minor, SHIPPED if minor < 10 else {}, self.TRITON)
        assert image_of(stored(service({"onnx": {}}), where), where) == "nvcr.io/nvidia/tritonserver:23.05-py3"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_its_version_of_0_7_comes_with_it(self, minor: int) -> None:
        old = stored(service({"onnx": {}}), world(7, SHIPPED))
        where = world(minor, SHIPPED if minor < 10 else {}, self.TRITON)
        assert image_of(stored(old, where), where) == "nvcr.io/nvidia/tritonserver:v1.0.0"


@pytest.mark.parametrize(
    ("framework", "image"),
    [
        ("triton", "nvcr.io/nvidia/tritonserver:21.09-py3"),
        ("xgboost", "kserve/xgbserver:v0.7.0"),
        ("pmml", "kserve/pmmlserver:v0.7.0"),
        ("lightgbm", "kserve/lgbserver:v0.7.0"),
        ("paddle", "kserve/paddleserver:v0.7.0"),
    ],
)
def test_e7_each_framework_has_its_server_in_0_7(framework: str, image: str) -> None:
    where = world(7, SHIPPED)
    assert image_of(stored(service({framework: {}}), where), where) == image


def test_e8_a_service_with_its_own_image_has_a_version_without_effect() -> None:
    one = stored(service({"sklearn": {"image": "me/sk:1"}}), world(7, SHIPPED))
    assert one.predictor["sklearn"]["runtimeVersion"] == "v0.7.0"
    for config in (SHIPPED, edited("sklearn", {"v1": split("r/new", "9"), "v2": MLSERVER})):
        assert image_of(one, world(7, config)) == "me/sk:1"


class TestE9:
    """A digest in the config, which KServe joins with a version by a colon."""

    @staticmethod
    def found(image: str, version: str) -> str:
        where = world(7, edited("sklearn", {"v1": split(image, version), "v2": MLSERVER}))
        return image_of(stored(SKLEARN, where), where)

    def test_beside_a_version_it_makes_no_reference(self) -> None:
        assert self.found("r/sk@sha256:aa", "v1") == "r/sk@sha256:aa:v1"

    def test_split_at_its_colon_it_makes_one(self) -> None:
        assert self.found("r/sk@sha256", "aa") == "r/sk@sha256:aa"


class TestE10:
    """0.2 and 0.3 take only versions that stand in a list."""

    @staticmethod
    def config(version: str, allowed: list[str]) -> Json:
        return {"predictors": {"sklearn": split("r/sk", version, allowedImageVersions=allowed)}}

    SUBMITTED = v1alpha2({"predictor": {"sklearn": {}}})

    @pytest.mark.parametrize("minor", [2, 3])
    def test_a_default_version_that_is_not_in_the_list_shuts_every_new_service_out(self, minor: int) -> None:
        where = world(minor, self.config("0.2.3", ["0.2.2"]))
        refusal = admit(self.SUBMITTED, where).refusal
        assert refusal == "runtimeVersion 0.2.3 is not among the allowedImageVersions of sklearn"

    @pytest.mark.parametrize("minor", [2, 3])
    def test_a_version_dropped_from_the_list_freezes_the_services_that_have_it(self, minor: int) -> None:
        before, after = (world(minor, self.config("0.2.2", allowed)) for allowed in (["0.2.2"], ["0.2.3"]))
        pinned = stored(self.SUBMITTED, before)
        assert image_of(pinned, after) == "r/sk:0.2.2"
        assert "0.2.2 is not among" in admit(pinned, after).refusal

    def test_0_4_knows_no_list(self) -> None:
        where = world(4, self.config("0.2.3", ["0.2.2"]))
        assert predictor_of(stored(self.SUBMITTED, where), where).image == "r/sk:0.2.3"
