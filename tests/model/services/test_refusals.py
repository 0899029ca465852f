"""Why KServe's webhooks refuse a service, or crash on it."""

from __future__ import annotations

import re

import pytest

from ksconfig.model.services.admission import admit
from ksconfig.model.services.service import Service
from tests.model.services.builders import (
    BY_CONFIG,
    GPU,
    NAMESPACE,
    V1ALPHA2,
    WITH_RUNTIMES,
    Json,
    model,
    service,
    split,
    v1alpha2,
    world,
)

V1BETA1 = range(5, 21)
FLAT = split("r/x", defaultGpuImageVersion="1-gpu")
NESTED = {"v1": FLAT, "v2": FLAT}
CONFIG: Json = {
    "predictors": {
        **dict.fromkeys(("tensorflow", "onnx", "triton", "pmml", "lightgbm", "paddle"), FLAT),
        **dict.fromkeys(("sklearn", "xgboost", "pytorch"), NESTED),
    },
    "explainers": dict.fromkeys(("alibi", "aix", "art"), FLAT),
}
OWN: Json = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}


def refusal(one: Service | Json, minor: int, config: Json | None = None) -> str:
    """Why a service or predictor is refused; "" if it is not."""
    submitted = one if isinstance(one, Service) else service(one)
    admitted = admit(submitted, world(minor, CONFIG if config is None else config))
    assert not admitted.refusal or admitted.service.name == submitted.name
    return admitted.refusal


def beside(component: str, value: Json) -> Service:
    """A service with another component beside its predictor."""
    more: Json = {component: value}
    return service(OWN, **more)


class TestName:
    """It becomes part of host names."""

    @pytest.mark.parametrize("minor", [2, 5, 8, 20])
    @pytest.mark.parametrize(
        ("name", "fits"),
        [
            ("m", True),
            ("a-1", True),
            ("a" * 99, True),
            ("1a", False),
            ("-a", False),
            ("a-", False),
            ("a.b", False),
            ("A", False),
            ("a_b", False),
            ("a\n", False),
            ("", False),
        ],
    )
    def test_begins_with_a_letter_and_holds_letters_digits_and_dashes(self, name: str, fits: bool, minor: int) -> None:
        one = service(OWN, name=name)._replace(api="v1alpha2" if minor < 5 else "v1beta1")
        assert (refusal(one, minor) == "") is fits
        if not fits:
            assert refusal(one, minor).startswith(f'the name "{name}" does not begin with a letter')


class TestOneThing:
    """A component has exactly one implementation."""

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize(
        ("predictor", "what"),
        [
            ({}, "none"),
            ({"containers": []}, "none"),
            ({"sklearn": None}, "none"),
            ({**OWN, "onnx": {}}, "onnx and containers"),
        ],
    )
    def test_is_a_predictor(self, predictor: Json, what: str, minor: int) -> None:
        told = what if minor < 8 else what.replace("onnx", "model")
        assert refusal(predictor, minor) == f"a predictor is exactly one thing, and this is {told}"

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_is_not_two_frameworks(self, minor: int) -> None:
        told = "onnx and sklearn" if minor < 8 else "onnx and model"
        assert refusal({"sklearn": {}, "onnx": {}}, minor) == f"a predictor is exactly one thing, and this is {told}"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_a_framework_or_a_model_whose_place_it_takes(self, minor: int) -> None:
        assert refusal({**model(), "sklearn": {}}, minor) == ""

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_a_model_beside_containers_of_another_name_from_0_15_on(self, minor: int) -> None:
        beside = {"containers": [{"name": "transformer-container", "image": "me/t:1"}]}
        told = "a predictor is exactly one thing, and this is model and containers"
        assert refusal({**model(), **beside}, minor) == ("" if minor >= 15 else told)
        assert refusal({**model(), **OWN}, minor) == told

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_is_several_containers(self, minor: int) -> None:
        two = {"containers": [{"name": "kserve-container", "image": "a"}, {"name": "b", "image": "b"}]}
        assert refusal(two, minor) == ""
        assert refusal({"containers": [{"name": "a", "image": "a"}, {"name": "b", "image": "b"}]}, minor) == ""

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize(
        ("component", "value", "what"),
        [
            ("transformer", {}, "none"),
            ("explainer", {}, "none"),
            ("explainer", {"art": {}, **OWN}, "art and containers"),
        ],
    )
    def test_is_an_explainer_or_transformer(self, component: str, value: Json, what: str, minor: int) -> None:
        article = "an" if component == "explainer" else "a"
        told = f"{article} {component} is exactly one thing, and this is {what}"
        assert refusal(beside(component, value), minor) == told
        assert refusal(beside(component, OWN), minor) == ""

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_is_not_two_explainers(self, minor: int) -> None:
        told = refusal(service(OWN, explainer={"art": {}, "alibi": {}}), minor)
        assert told == ("an explainer is exactly one thing, and this is alibi and art" if minor < 13 else "")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize("form", [{}, {"modelFormat": {}}, {"modelFormat": {"version": "1"}}, {"modelFormat": 1}])
    def test_needs_a_format_if_it_is_a_model(self, form: Json, minor: int) -> None:
        assert refusal({"model": form}, minor) == "predictor.model has no modelFormat.name"


class TestGpu:
    """Facts 3.3: the version of tensorflow and pytorch holds -gpu exactly if the service has a GPU (to 0.7)."""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", ["tensorflow", "pytorch"])
    @pytest.mark.parametrize(
        ("version", "gpu", "why"),
        [
            ("1", False, ""),
            ("1-gpu", True, ""),
            ("2.6.2-gpu-x", True, ""),
            ("1", True, "runtimeVersion 1 lacks -gpu, and the service has a GPU"),
            ("2.6.2-cuda11", True, "runtimeVersion 2.6.2-cuda11 lacks -gpu, and the service has a GPU"),
            ("gpu", True, "runtimeVersion gpu lacks -gpu, and the service has a GPU"),
            ("1-gpu", False, "runtimeVersion 1-gpu holds -gpu, and the service has no GPU"),
        ],
    )
    def test_is_told_by_the_version(self, framework: str, version: str, gpu: bool, why: str, minor: int) -> None:
        body = {"runtimeVersion": version, "resources": GPU if gpu else {}}
        assert refusal({framework: body}, minor) == why
        assert refusal({framework: {**body, "image": "me/x:1"}}, minor) == why

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", ["sklearn", "onnx", "triton"])
    def test_is_nobody_elses_concern(self, framework: str, minor: int) -> None:
        assert refusal({framework: {"runtimeVersion": "1", "resources": GPU}}, minor) == ""
        assert refusal({framework: {"runtimeVersion": "1-gpu"}}, minor) == ""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_shuts_new_services_out_by_a_wrong_default(self, minor: int) -> None:
        def config(**versions: str) -> Json:
            return {"predictors": {"tensorflow": {"image": "r/tf", **versions}}}

        assert refusal({"tensorflow": {}}, minor, config(defaultImageVersion="1-gpu"))
        assert refusal({"tensorflow": {"resources": GPU}}, minor, config(defaultGpuImageVersion="1-cuda"))
        assert refusal({"tensorflow": {"resources": GPU}}, minor, {})

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_not_looked_at_from_0_8_on(self, minor: int) -> None:
        assert refusal({"tensorflow": {"runtimeVersion": "1-gpu"}}, minor) == ""
        assert refusal(model("pytorch", runtimeVersion="1", resources=GPU), minor) == ""

    @pytest.mark.parametrize("minor", V1ALPHA2)
    @pytest.mark.parametrize(("framework", "since"), [("tensorflow", 2), ("pytorch", 3), ("sklearn", 99)])
    def test_is_told_by_the_version_in_v1alpha2(self, framework: str, since: int, minor: int) -> None:
        config = {"predictors": {framework: {**FLAT, "allowedImageVersions": ["1", "1-gpu"]}}}
        with_gpu = {framework: {"runtimeVersion": "1", "resources": GPU}}
        without = {framework: {"runtimeVersion": "1-gpu"}}
        for predictor in (with_gpu, without):
            for one in (v1alpha2({"predictor": predictor}), v1alpha2({}, {"predictor": predictor})):
                assert bool(refusal(one, minor, config)) is (minor >= since)


class TestVersionList:
    """Facts 3.2: 0.2 and 0.3 take versions of a list only."""

    @pytest.mark.parametrize("minor", V1ALPHA2)
    @pytest.mark.parametrize("listed", [["1"], [], None], ids=str)
    def test_must_hold_the_version(self, listed: list[str] | None, minor: int) -> None:
        config = {"predictors": {"sklearn": {"image": "r/x", "allowedImageVersions": listed}}}
        one = v1alpha2({"predictor": {"sklearn": {"runtimeVersion": "2"}}})
        why = "runtimeVersion 2 is not among the allowedImageVersions of sklearn"
        assert refusal(one, minor, config) == (why if minor < 4 else "")

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_is_looked_at_for_explainers_too(self, minor: int) -> None:
        config = {"explainers": {"alibi": split("r/x", allowedImageVersions=["1"])}}
        custom = {"custom": {"container": {"image": "me/x:1"}}}
        one = v1alpha2({"predictor": custom, "explainer": {"alibi": {"runtimeVersion": "2"}}})
        assert bool(refusal(one, minor, config)) is (minor < 4)


class TestFramework:
    """Facts 3.3: what some frameworks do not take."""

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_pytorch_has_no_protocol_v2_to_0_7(self, minor: int) -> None:
        why = "pytorch does not serve protocol v2" if minor < 8 else ""
        assert refusal({"pytorch": {"protocolVersion": "v2"}}, minor) == why

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize(
        ("uri", "extension"),
        [
            ("gs://b/m.onnx", ""),
            ("gs://b/m", ""),
            ("gs://b.c/m", ""),
            ("gs://b/m.v1/", ""),
            ("gs://b/m.v1/x", ""),
            ("/mnt/m.onnx", ""),
            ("gs://b/m.pt", ".pt"),
            ("gs://b/m.onnx.zip", ".zip"),
            ("gs://b/m.ONNX", ".ONNX"),
        ],
    )
    def test_onnx_is_served_from_files_of_its_name(self, uri: str, extension: str, minor: int) -> None:
        why = f"the storageUri of an onnx model ends in .onnx, not in {extension}" if extension else ""
        assert refusal({"onnx": {"storageUri": uri}}, minor) == why

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_onnx_is_served_from_any_file_from_0_8_on(self, minor: int) -> None:
        assert refusal({"onnx": {"storageUri": "gs://b/m.pt"}}, minor) == ""

    @pytest.mark.parametrize(
        ("arguments", "refused"),
        [
            ([], False),
            (["--workers=1"], False),
            (["--workers=0"], False),
            (["--http_port=8"], False),
            (["--workers=2"], True),
            (["--workers", "1"], True),
            (["--workers=x"], True),
            (["--http_port=8", "--workers=3"], True),
        ],
    )
    def test_pmml_has_one_worker_in_0_7(self, arguments: list[str], refused: bool) -> None:
        assert bool(refusal({"pmml": {"args": arguments}}, 7)) is refused
        assert refusal({"pmml": {"args": arguments}}, 8) == ""

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_a_block_has_no_name_of_its_own_from_0_16_on(self, minor: int) -> None:
        why = "a name in a standard predictor is not allowed" if minor >= 16 else ""
        assert refusal({"sklearn": {"name": "mine"}}, minor) == why
        if minor >= 8:
            assert refusal(model(name="mine"), minor) == why
        assert refusal({"containers": [{"name": "mine", "image": "me/x:1"}]}, minor) == ""


class TestExtension:
    """What all components share."""

    @pytest.mark.parametrize("minor", [5, 8, 11, 20])
    @pytest.mark.parametrize(
        ("more", "why"),
        [
            ({}, ""),
            ({"minReplicas": 0}, ""),
            ({"minReplicas": 1, "maxReplicas": 1}, ""),
            ({"minReplicas": 3, "maxReplicas": 0}, ""),
            ({"containerConcurrency": 0}, ""),
            ({"logger": {"mode": "all"}}, ""),
            ({"logger": {"mode": "request"}}, ""),
            ({"logger": {"mode": "response"}}, ""),
            ({"minReplicas": -1}, "minReplicas or maxReplicas is below 0"),
            ({"maxReplicas": -1}, "minReplicas or maxReplicas is below 0"),
            ({"minReplicas": 2, "maxReplicas": 1}, "minReplicas 2 is above maxReplicas 1"),
            ({"containerConcurrency": -1}, "containerConcurrency is below 0"),
            ({"logger": {"mode": "none"}}, "logger.mode none is none of all, request, response"),
            ({"logger": {}}, "logger.mode None is none of all, request, response"),
        ],
    )
    @pytest.mark.parametrize("component", ["predictor", "transformer", "explainer"])
    def test_is_within_its_bounds(self, component: str, more: Json, why: str, minor: int) -> None:
        parts: Json = {"predictor": OWN, component: {**OWN, **more}}
        assert refusal(service(**parts), minor) == why


class TestDeploymentMode:
    """A service that has been deployed in one way stays with it (0.15 on)."""

    @pytest.mark.parametrize("minor", range(7, 21))
    @pytest.mark.parametrize(
        ("was", "told", "fits"),
        [
            ("Serverless", "Serverless", True),
            ("RawDeployment", None, True),
            ("", "RawDeployment", True),
            ("RawDeployment", "Serverless", False),
            ("Serverless", "ModelMesh", False),
        ],
    )
    def test_does_not_change(self, was: str, told: str | None, fits: bool, minor: int) -> None:
        names = {"Serverless": "Knative", "RawDeployment": "Standard"} if minor >= 16 else {}
        annotations = {} if told is None else {"serving.kserve.io/deploymentMode": names.get(told, told)}
        one = service(OWN, metadata={"annotations": annotations}, status={"deploymentMode": names.get(was, was)})
        why = "" if fits or minor < 15 else f"it is deployed as {names.get(was, was)}, and cannot become "
        found = refusal(one, minor)
        assert found.startswith(why) if why else found == ""


class TestCrash:
    """Facts 1.5 and 4.7: the webhook panics, and the API server refuses."""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize(
        ("framework", "body", "block"),
        [
            ("sklearn", {}, "v1"),
            ("sklearn", {"protocolVersion": "v2"}, "v2"),
            ("xgboost", {}, "v1"),
            ("pytorch", {}, "v2"),
            ("pytorch", {"modelClassName": "Net"}, "v1"),
        ],
    )
    @pytest.mark.parametrize("given", ["no predictors", "no framework", "flat", "the other block", "null"])
    def test_comes_of_a_block_that_the_config_does_not_have(
        self, framework: str, body: Json, block: str, given: str, minor: int
    ) -> None:
        configs: dict[str, Json] = {
            "no predictors": {},
            "no framework": {"predictors": {}},
            "flat": {"predictors": {framework: FLAT}},
            "the other block": {"predictors": {framework: {"v1" if block == "v2" else "v2": FLAT}}},
            "null": {"predictors": {framework: None}},
        }
        assert re.fullmatch(
            rf"the config has no predictors\.{framework}\.v[12], and the webhook crashes on it",
            refusal({framework: body}, minor, configs[given]),
        )

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", ["sklearn", "xgboost", "pytorch"])
    def test_does_not_come_where_the_service_has_a_version(self, framework: str, minor: int) -> None:
        assert refusal({framework: {"runtimeVersion": "1"}}, minor, {}) == ""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", ["sklearn", "xgboost"])
    def test_comes_of_a_missing_v1_even_for_protocol_v2(self, framework: str, minor: int) -> None:
        assert refusal({framework: {"protocolVersion": "v2"}}, minor, {"predictors": {framework: {"v2": FLAT}}})

    @pytest.mark.parametrize("mode", ["RawDeployment", "ModelMesh"])
    def test_comes_of_a_service_without_annotations_in_0_9(self, mode: str) -> None:
        config = {**CONFIG, "deploy": {"defaultDeploymentMode": mode}}
        why = "the webhook of v0.9.0 crashes on a service without annotations in this deployment mode"
        assert refusal({"sklearn": {}}, 9, config) == why
        assert refusal(service({"sklearn": {}}, metadata={"annotations": {"a": "b"}}), 9, config) == ""
        assert refusal({"sklearn": {}}, 10, config) == ""
        assert refusal({"sklearn": {}}, 9, {**CONFIG, "deploy": {"defaultDeploymentMode": "Serverless"}}) == ""


@pytest.mark.parametrize("minor", V1BETA1)
def test_a_refused_service_is_given_back_with_its_name_and_namespace(minor: int) -> None:
    admitted = admit(service({}), world(minor, CONFIG))
    assert admitted.refusal
    assert (admitted.service.namespace, admitted.service.name) == (NAMESPACE, "m")
