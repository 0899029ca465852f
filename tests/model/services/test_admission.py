"""What KServe's webhooks write into a service: versions, protocols, ``model`` in place of a framework's block.

What they refuse is in test_refusals.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.services.builders import (
    BY_CONFIG,
    GPU,
    V1ALPHA2,
    WITH_RUNTIMES,
    Json,
    model,
    service,
    split,
    stored,
    v1alpha2,
    world,
)

FLAT = ("tensorflow", "triton", "onnx", "pmml", "lightgbm", "paddle")
NESTED = ("sklearn", "xgboost")


def versions(version: str) -> Json:
    return split("r/x", version, defaultGpuImageVersion=f"{version}-gpu")


CONFIG: Json = {
    "predictors": {
        **{name: versions("flat") for name in FLAT},
        **{name: {"v1": versions("one"), "v2": versions("two")} for name in (*NESTED, "pytorch")},
    },
    "explainers": {name: split(f"r/{name}", "9") for name in ("alibi", "aix", "art")},
}
OWN: Json = {"containers": [{"name": "mine", "image": "me/x:1"}]}
MODE = "serving.kserve.io/deploymentMode"


def written(predictor: Json, minor: int, config: Json | None = None, **more: Any) -> Json:
    """The predictor as it is stored."""
    return dict(stored(service(predictor, **more), world(minor, CONFIG if config is None else config)).predictor)


class TestVersion:
    """Facts 3.3: what is written into the block of a framework to 0.7."""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", ["triton", "onnx", "pmml", "lightgbm"])
    @pytest.mark.parametrize("resources", [{}, GPU])
    def test_of_a_flat_framework_is_its_default_whatever_the_gpu(
        self, framework: str, resources: Json, minor: int
    ) -> None:
        body = {"resources": resources}
        assert written({framework: body}, minor) == {framework: {**body, "runtimeVersion": "flat"}}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize(("resources", "version"), [({}, "flat"), (GPU, "flat-gpu")])
    def test_of_tensorflow_is_by_its_gpu(self, resources: Json, version: str, minor: int) -> None:
        body = {"resources": resources}
        assert written({"tensorflow": body}, minor) == {"tensorflow": {**body, "runtimeVersion": version}}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", NESTED)
    @pytest.mark.parametrize(
        ("body", "added"),
        [
            ({}, {"runtimeVersion": "one", "protocolVersion": "v1"}),
            ({"protocolVersion": "v1"}, {"runtimeVersion": "one"}),
            ({"protocolVersion": "v2"}, {"runtimeVersion": "two"}),
            ({"protocolVersion": "grpc-v2"}, {"runtimeVersion": "one"}),
        ],
    )
    def test_of_sklearn_and_xgboost_is_by_the_protocol_whatever_the_gpu(
        self, framework: str, body: Json, added: Json, minor: int
    ) -> None:
        for given in (body, {**body, "resources": GPU}):
            assert written({framework: given}, minor) == {framework: {**given, **added}}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize(
        ("body", "version"),
        [
            ({}, "two"),
            ({"protocolVersion": "v1"}, "two"),
            ({"modelClassName": ""}, "two"),
            ({"modelClassName": "Net"}, "one"),
            ({"resources": GPU}, "two-gpu"),
            ({"modelClassName": "Net", "resources": GPU}, "one-gpu"),
        ],
    )
    def test_of_pytorch_is_by_the_class_of_the_model_and_the_gpu(self, body: Json, version: str, minor: int) -> None:
        expected = {"protocolVersion": "v1", **body, "runtimeVersion": version}
        assert written({"pytorch": body}, minor) == {"pytorch": expected}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("version", ["1", ""])
    def test_that_is_there_stays(self, version: str, minor: int) -> None:
        assert written({"onnx": {"runtimeVersion": version}}, minor) == {"onnx": {"runtimeVersion": version}}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_is_written_beside_an_image_of_its_own(self, minor: int) -> None:
        body = {"image": "me/x:1"}
        assert written({"onnx": body}, minor) == {"onnx": {**body, "runtimeVersion": "flat"}}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("config", [{}, {"predictors": {"onnx": {"image": "r/x"}}}], ids=str)
    def test_is_empty_where_the_config_has_none(self, config: Json, minor: int) -> None:
        assert written({"onnx": {}}, minor, config) == {"onnx": {"runtimeVersion": ""}}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_is_not_written_into_containers_of_ones_own(self, minor: int) -> None:
        own = {"containers": [{"name": "mine", "image": "me/x:1"}]}
        assert written(own, minor) == own

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_not_written_any_more_from_0_8_on(self, minor: int) -> None:
        config = CONFIG if minor < 10 else {}
        assert "runtimeVersion" not in written({"sklearn": {}}, minor, config)["model"]
        assert "runtimeVersion" not in written(model(), minor, config)["model"]


class TestConversion:
    """Facts 4.7: a framework's block becomes ``model``."""

    @pytest.mark.parametrize(
        ("framework", "more", "protocol", "name"),
        [
            ("sklearn", {}, "v1", "kserve-sklearnserver"),
            ("sklearn", {"protocolVersion": "v1"}, "v1", "kserve-sklearnserver"),
            ("sklearn", {"protocolVersion": "v2"}, "v2", "kserve-mlserver"),
            ("xgboost", {}, "v1", "kserve-xgbserver"),
            ("xgboost", {"protocolVersion": "v2"}, "v2", "kserve-mlserver"),
            ("tensorflow", {}, "v1", "kserve-tensorflow-serving"),
            ("pmml", {}, "v1", "kserve-pmmlserver"),
            ("lightgbm", {}, "v1", "kserve-lgbserver"),
            ("paddle", {}, "v1", "kserve-paddleserver"),
            ("pytorch", {}, None, "kserve-torchserve"),
            ("pytorch", {"protocolVersion": "v2"}, "v2", "kserve-torchserve"),
            ("triton", {}, None, "kserve-tritonserver"),
            ("onnx", {}, None, "kserve-tritonserver"),
        ],
    )
    def test_names_a_runtime_in_0_8(self, framework: str, more: Json, protocol: str | None, name: str) -> None:
        expected = model(framework, runtime=name, **({"protocolVersion": protocol} if protocol else {}))
        assert written({framework: more}, 8) == expected

    @pytest.mark.parametrize("minor", range(9, 21))
    @pytest.mark.parametrize("framework", ["sklearn", "xgboost", "tensorflow", "pytorch", "pmml", "lightgbm", "paddle"])
    def test_names_none_from_0_9_on(self, framework: str, minor: int) -> None:
        assert written({framework: {}}, minor) == model(framework)

    @pytest.mark.parametrize("minor", range(9, 21))
    @pytest.mark.parametrize(("framework", "since"), [("triton", 9), ("onnx", 9), ("huggingface", 12)])
    def test_writes_protocol_v2_for_what_speaks_nothing_else(self, framework: str, since: int, minor: int) -> None:
        if minor >= since:
            assert written({framework: {}}, minor) == model(framework, protocolVersion="v2")
            assert written({framework: {"protocolVersion": "grpc-v2"}}, minor) == model(
                framework, protocolVersion="grpc-v2"
            )

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_carries_all_fields_over_but_the_class_of_the_model(self, minor: int) -> None:
        body: Json = {
            "storageUri": "gs://m",
            "runtimeVersion": "v0.7.0",
            "protocolVersion": "v1",
            "image": "me/x:1",
            "resources": GPU,
            "env": [{"name": "A", "value": "b"}],
        }
        converted = written({"pytorch": {**body, "modelClassName": "Net"}}, minor)["model"]
        assert {name: value for name, value in converted.items() if name not in ("modelFormat", "runtime")} == body

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_leaves_what_stands_beside_the_block(self, minor: int) -> None:
        found = written({"sklearn": {}, "minReplicas": 2, "nodeSelector": {"a": "b"}}, minor)
        assert (found["minReplicas"], found["nodeSelector"], set(found)) == (
            2,
            {"a": "b"},
            {"model", "minReplicas", "nodeSelector"},
        )

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_replaces_a_model_that_stands_beside_the_block(self, minor: int) -> None:
        found = written({**model("onnx", runtime="mine"), "sklearn": {}}, minor)
        assert found["model"]["modelFormat"] == {"name": "sklearn"}
        assert found["model"].get("runtime") == ("kserve-sklearnserver" if minor == 8 else None)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        "more", [{}, {"runtime": "mine"}, {"runtimeVersion": "1", "protocolVersion": "v2"}], ids=str
    )
    def test_leaves_a_model_as_it_is(self, more: Json, minor: int) -> None:
        assert written(model(**more), minor) == model(**more)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(("framework", "since"), [("triton", 11), ("vLLM", 20), ("onnx", 99), ("huggingface", 99)])
    def test_writes_protocol_v2_into_a_model_of_some_formats(self, framework: str, since: int, minor: int) -> None:
        expected = model(framework, protocolVersion="v2") if minor >= since else model(framework)
        assert written(model(framework), minor) == expected
        named = model(framework, protocolVersion="v1")
        assert written(named, minor) == named

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_is_left_to_modelmesh_for_its_services(self, minor: int) -> None:
        metadata = {"annotations": {MODE: "ModelMesh"}}
        found = written({"sklearn": {}}, minor, metadata=metadata)
        assert found == {"sklearn": {}}

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_is_unknown_to_0_7(self, minor: int) -> None:
        assert set(written({"sklearn": {}}, minor)) == {"sklearn"}


class TestDeploymentMode:
    """Facts 4.7: the default mode of the config is written into services that name none."""

    @staticmethod
    def submitted(annotations: Json, mode: str, minor: int) -> Json:
        one = service({"sklearn": {}}, metadata={"annotations": annotations})
        admitted = stored(one, world(minor, {**CONFIG, "deploy": {"defaultDeploymentMode": mode}}))
        return {name: value for name, value in admitted.annotations.items() if name == MODE}

    @pytest.mark.parametrize("minor", range(9, 21))
    @pytest.mark.parametrize("mode", ["RawDeployment", "ModelMesh"])
    def test_is_written_from_0_9_on(self, mode: str, minor: int) -> None:
        by_its_new_name = "Standard" if mode == "RawDeployment" and minor >= 16 else mode
        assert self.submitted({"a": "b"}, mode, minor) == {MODE: by_its_new_name}

    @pytest.mark.parametrize("minor", range(16, 21))
    def test_has_another_name_from_0_16_on(self, minor: int) -> None:
        assert self.submitted({"a": "b"}, "Standard", minor) == {MODE: "Standard"}
        assert self.submitted({"a": "b"}, "Knative", minor) == {}

    @pytest.mark.parametrize("minor", range(7, 21))
    def test_is_not_written_where_it_is_knative(self, minor: int) -> None:
        assert self.submitted({"a": "b"}, "Serverless", minor) == {}

    @pytest.mark.parametrize("minor", [7, 8])
    def test_is_not_written_before_0_9(self, minor: int) -> None:
        assert self.submitted({"a": "b"}, "RawDeployment", minor) == {}

    @pytest.mark.parametrize("minor", range(9, 16))
    def test_is_not_written_over_another(self, minor: int) -> None:
        assert self.submitted({MODE: "Serverless"}, "RawDeployment", minor) == {MODE: "Serverless"}

    @pytest.mark.parametrize("minor", range(10, 16))
    def test_is_written_into_a_service_without_annotations(self, minor: int) -> None:
        where = world(minor, {"deploy": {"defaultDeploymentMode": "RawDeployment"}})
        assert stored(service({"sklearn": {}}), where).annotations == {MODE: "RawDeployment"}

    def test_keeps_0_9_alone_from_converting_where_it_is_modelmesh(self) -> None:
        config = {**CONFIG, "deploy": {"defaultDeploymentMode": "ModelMesh"}}
        metadata = {"annotations": {"a": "b"}}
        assert written({"sklearn": {}}, 9, config, metadata=metadata) == {"sklearn": {}}
        assert written({"sklearn": {}}, 10, config, metadata=metadata) == model()


class TestPruning:
    """Facts 2.1 and 3.4: the API server drops what the API of the release does not have."""

    @pytest.mark.parametrize(
        ("minor", "unknown"),
        [(5, "paddle"), (5, "model"), (7, "model"), (7, "huggingface"), (11, "huggingface"), (20, "tensorrt")],
    )
    def test_of_a_predictor_drops_unknown_blocks(self, minor: int, unknown: str) -> None:
        assert written({**OWN, unknown: {}}, minor) == OWN

    @pytest.mark.parametrize(("minor", "known"), [(6, "paddle"), (8, "model"), (12, "huggingface")])
    def test_of_a_predictor_keeps_known_blocks(self, minor: int, known: str) -> None:
        predictor = model() if known == "model" else {known: {}}
        assert set(written(predictor, minor)) & {known, "model"}

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_of_an_explainer_drops_unknown_blocks(self, minor: int) -> None:
        unknown: Json = {name: {} for name, last in (("alibi", 12), ("aix", 10)) if minor > last}
        one = service(OWN, explainer={"art": {"runtimeVersion": "1"}, **unknown})
        assert stored(one, world(minor, CONFIG)).spec["explainer"] == {"art": {"runtimeVersion": "1"}}

    @pytest.mark.parametrize("minor", range(5, 21))
    @pytest.mark.parametrize("name", ["alibi", "art"])
    def test_leaves_the_version_to_known_explainers(self, name: str, minor: int) -> None:
        if minor < 13 or name == "art":
            one = service(OWN, explainer={name: {"image": "me/e:1"}})
            assert stored(one, world(minor, CONFIG)).spec["explainer"] == {
                name: {"image": "me/e:1", "runtimeVersion": "9"}
            }


OLD_CONFIG: Json = {
    "predictors": {
        name: {**versions("v"), "allowedImageVersions": ["v", "v-gpu", "old", "old-gpu"]}
        for name in ("sklearn", "tensorflow", "pytorch")
    },
    "explainers": {"alibi": split("r/alibi", "9", allowedImageVersions=["9"])},
}


class TestV1alpha2:
    """Facts 3.2: what is written into a service of 0.2 to 0.4."""

    def written(self, predictor: Json, minor: int) -> Json:
        return dict(stored(v1alpha2({"predictor": predictor}), world(minor, OLD_CONFIG)).spec["default"]["predictor"])

    @pytest.mark.parametrize("minor", V1ALPHA2)
    @pytest.mark.parametrize(
        ("framework", "resources", "version"),
        [
            ("sklearn", {}, "v"),
            ("sklearn", GPU, "v"),
            ("tensorflow", {}, "v"),
            ("tensorflow", GPU, "v-gpu"),
            ("pytorch", {}, "v"),
        ],
    )
    def test_is_the_default_version(self, framework: str, resources: Json, version: str, minor: int) -> None:
        body = {"resources": resources}
        assert self.written({framework: body}, minor) == {framework: {**body, "runtimeVersion": version}}

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_is_by_the_gpu_for_pytorch_from_0_3_on(self, minor: int) -> None:
        found = self.written({"pytorch": {"resources": GPU}}, minor)["pytorch"]["runtimeVersion"]
        assert found == ("v" if minor == 2 else "v-gpu")

    @pytest.mark.parametrize("minor", V1ALPHA2)
    @pytest.mark.parametrize(("given", "version"), [("old", "old"), ("", "v")])
    def test_leaves_a_version_that_is_not_empty(self, given: str, version: str, minor: int) -> None:
        assert self.written({"sklearn": {"runtimeVersion": given}}, minor) == {"sklearn": {"runtimeVersion": version}}

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_is_written_into_the_canary_and_the_explainer_too(self, minor: int) -> None:
        one = v1alpha2({"predictor": {"sklearn": {}}, "explainer": {"alibi": {}}}, {"predictor": {"tensorflow": {}}})
        spec = stored(one, world(minor, OLD_CONFIG)).spec
        assert spec["default"]["explainer"] == {"alibi": {"runtimeVersion": "9"}}
        assert spec["canary"]["predictor"] == {"tensorflow": {"runtimeVersion": "v"}}

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_leaves_a_container_of_ones_own(self, minor: int) -> None:
        own = {"custom": {"container": {"image": "me/x:1"}}}
        assert self.written(own, minor) == own
