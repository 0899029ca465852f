"""The image of a service whose framework the config decides, and of containers of one's own (0.2 to 0.10).

Runtimes decide in test_resolve_runtimes, explainers are in test_explainers.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksconfig.model.services.resolve import Resolved, resolve
from tests.model.services.builders import (
    BY_CONFIG,
    GPU,
    V1ALPHA2,
    Json,
    image_of,
    model,
    predictor_of,
    runtime,
    service,
    split,
    v1alpha2,
    world,
)

FLAT = ("tensorflow", "triton", "onnx", "pmml", "lightgbm")
NESTED = ("sklearn", "xgboost")
PREDICTORS: Json = {
    **{name: split(f"r/{name}", "9") for name in (*FLAT, "paddle")},
    **{name: {"v1": split(f"r/{name}", "9"), "v2": split(f"r/{name}-v2", "9")} for name in (*NESTED, "pytorch")},
}
CONFIG: Json = {"predictors": PREDICTORS}
OLD_PREDICTORS: Json = {
    name: split(f"r/{name}", "9")
    for name in ("tensorflow", "tensorrt", "triton", "xgboost", "sklearn", "pytorch", "onnx")
}
ADMISSION_WRITES = "it has no runtimeVersion, which admission writes"


class TestConfig:
    """Facts 3.3: repository of the config, version of the service (0.5 to 0.7)."""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", FLAT)
    @pytest.mark.parametrize("more", [{}, {"protocolVersion": "v2"}, {"resources": GPU}], ids=str)
    def test_a_flat_framework_has_one_image(self, framework: str, more: Json, minor: int) -> None:
        one = service({framework: {"runtimeVersion": "1", **more}})
        assert image_of(one, world(minor, CONFIG)) == f"r/{framework}:1"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", NESTED)
    @pytest.mark.parametrize(
        ("protocol", "image"),
        [({}, "r/{}:1"), ({"protocolVersion": "v1"}, "r/{}:1"), ({"protocolVersion": "v2"}, "r/{}-v2:1")],
    )
    def test_a_framework_with_protocols_has_one_for_each(
        self, framework: str, protocol: Json, image: str, minor: int
    ) -> None:
        one = service({framework: {"runtimeVersion": "1", **protocol}})
        assert image_of(one, world(minor, CONFIG)) == image.format(framework)

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_any_other_protocol_counts_as_v2(self, minor: int) -> None:
        one = service({"sklearn": {"runtimeVersion": "1", "protocolVersion": "grpc-v2"}})
        assert image_of(one, world(minor, CONFIG)) == "r/sklearn-v2:1"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize(
        ("body", "image"),
        [
            ({}, "r/pytorch-v2:1"),
            ({"protocolVersion": "v1"}, "r/pytorch-v2:1"),
            ({"modelClassName": ""}, "r/pytorch-v2:1"),
            ({"modelClassName": "Net"}, "r/pytorch:1"),
            ({"modelClassName": "Net", "protocolVersion": "v1"}, "r/pytorch:1"),
            ({"modelClassName": "Net", "protocolVersion": "v2"}, "r/pytorch-v2:1"),
        ],
    )
    def test_pytorch_has_two_servers_and_the_class_of_the_model_decides(
        self, body: Json, image: str, minor: int
    ) -> None:
        assert image_of(service({"pytorch": {"runtimeVersion": "1", **body}}), world(minor, CONFIG)) == image

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", [*FLAT, *NESTED, "pytorch"])
    def test_its_own_image_comes_first(self, framework: str, minor: int) -> None:
        found = predictor_of(service({framework: {"image": "me/x:1", "runtimeVersion": "2"}}), world(minor, CONFIG))
        assert found == Resolved(("me/x:1",), ("the service's own image",), framework=framework, own=True)

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_names_of_the_config_may_be_in_any_case(self, minor: int) -> None:
        config = {"predictors": {"SKLearn": {"V1": {"IMAGE": "r/sk"}}, "ONNX": {"Image": "r/onnx"}}}
        assert image_of(service({"sklearn": {"runtimeVersion": "1"}}), world(minor, config)) == "r/sk:1"
        assert image_of(service({"onnx": {"runtimeVersion": "1"}}), world(minor, config)) == "r/onnx:1"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_runtimes_of_a_later_release_change_nothing(self, minor: int) -> None:
        one = service({"sklearn": {"runtimeVersion": "1"}})
        assert resolve(one, world(minor, CONFIG, runtime("kserve-sklearnserver"))) == resolve(one, world(minor, CONFIG))

    def test_the_steps_are_told(self) -> None:
        found = predictor_of(service({"sklearn": {"runtimeVersion": "1"}}), world(7, CONFIG))
        assert found == Resolved(
            ("r/sklearn:1",),
            ("predictors.sklearn.v1.image is r/sklearn", "runtimeVersion is 1"),
            framework="sklearn",
            version="1",
            place=("predictors", "sklearn", "v1"),
        )
        found = predictor_of(service({"onnx": {"runtimeVersion": "1"}}), world(7, CONFIG))
        assert found.reasons[0] == "predictors.onnx.image is r/onnx"


class TestConfigWithoutWhatIsNeeded:
    """Facts 1.5: what is missing is empty, or crashes the controller."""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("config", [{}, {"predictors": {}}, {"predictors": {"onnx": {}}}, {"predictors": None}])
    def test_a_flat_framework_has_no_repository(self, config: Json, minor: int) -> None:
        found = predictor_of(service({"onnx": {"runtimeVersion": "1"}}), world(minor, config))
        assert found.images == (":1",)
        assert found.reasons[0] == "predictors.onnx.image is not there"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("sklearn", [None, {}, split("r/sk"), {"v2": split("r/sk")}, {"v1": None}], ids=str)
    def test_a_framework_with_protocols_crashes_the_controller(self, sklearn: Json | None, minor: int) -> None:
        where = world(minor, {"predictors": {"sklearn": sklearn}})
        found = predictor_of(service({"sklearn": {"runtimeVersion": "1"}}), where)
        assert found.images == ()
        assert found.problem == "the config has no predictors.sklearn.v1, and the controller crashes on it"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_a_block_without_image_does_not_crash_it(self, minor: int) -> None:
        where = world(minor, {"predictors": {"sklearn": {"v1": {}}}})
        assert image_of(service({"sklearn": {"runtimeVersion": "1"}}), where) == ":1"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("body", [{}, {"modelClassName": "Net"}])
    def test_pytorch_needs_v1_even_for_torchserve(self, body: Json, minor: int) -> None:
        where = world(minor, {"predictors": {"pytorch": {"v2": split("r/ts")}}})
        found = predictor_of(service({"pytorch": {"runtimeVersion": "1", **body}}), where)
        assert found.images == ()
        assert found.problem == "the config has no predictors.pytorch.v1, and the controller crashes on it"

    @pytest.mark.parametrize("framework", ["onnx", "sklearn"])
    def test_a_version_that_admission_has_not_written_is_told(self, framework: str) -> None:
        assert predictor_of(service({framework: {}}), world(7, CONFIG)).problem == ADMISSION_WRITES

    def test_a_framework_of_a_later_release_is_told(self) -> None:
        found = predictor_of(service({"paddle": {"runtimeVersion": "1"}}), world(5, CONFIG))
        assert found.problem == "KServe 0.5 does not know paddle"
        assert image_of(service({"paddle": {"runtimeVersion": "1"}}), world(6, CONFIG)) == "r/paddle:1"


class TestUnconverted:
    """Facts 4.6: services stored by 0.7 that no update has turned into ``model`` yet."""

    @pytest.mark.parametrize("minor", [8, 9])
    @pytest.mark.parametrize("framework", [*FLAT, *NESTED, "paddle"])
    def test_take_their_image_from_the_config_in_0_8_and_0_9(self, framework: str, minor: int) -> None:
        where = world(minor, CONFIG, runtime("kserve-x", framework))
        assert image_of(service({framework: {"runtimeVersion": "1"}}), where) == f"r/{framework}:1"

    @pytest.mark.parametrize("minor", [8, 9])
    def test_are_lost_for_pytorch_as_it_is_shipped(self, minor: int) -> None:
        found = predictor_of(service({"pytorch": {"runtimeVersion": "1"}}), world(minor, CONFIG))
        assert found.images == (":1",)
        assert found.reasons[0] == "predictors.pytorch.image is not there"

    @pytest.mark.parametrize("minor", [8, 9])
    def test_are_found_for_pytorch_where_it_is_written_as_the_code_reads_it(self, minor: int) -> None:
        where = world(minor, {"predictors": {"pytorch": split("r/ts")}})
        assert image_of(service({"pytorch": {"runtimeVersion": "1", "modelClassName": "Net"}}), where) == "r/ts:1"

    @pytest.mark.parametrize("minor", range(8, 21))
    def test_keep_an_image_of_their_own(self, minor: int) -> None:
        one = service({"pytorch": {"image": "me/x:1", "runtimeVersion": "2"}})
        found = predictor_of(one, world(minor, CONFIG if minor < 10 else {}))
        assert (found.images, found.own) == (("me/x:1",), True)

    @pytest.mark.parametrize("minor", range(10, 21))
    def test_have_no_image_from_0_10_on(self, minor: int) -> None:
        where = world(minor, CONFIG, runtime("kserve-sklearnserver"))
        found = predictor_of(service({"sklearn": {"runtimeVersion": "1"}}), where)
        assert found.images == ()
        assert found.problem == (
            f"KServe 0.{minor} no longer knows an image for predictor.sklearn until the service is updated"
        )

    @pytest.mark.parametrize("minor", [8, 9])
    def test_give_way_to_a_model(self, minor: int) -> None:
        one = service({**model(), "sklearn": {"runtimeVersion": "1"}})
        assert image_of(one, world(minor, CONFIG, runtime("mine"))) == "r/x:1"


class TestV1alpha2:
    """Facts 3.2: 0.2 to 0.4."""

    WHERE = staticmethod(lambda minor: world(minor, {"predictors": OLD_PREDICTORS}))

    @pytest.mark.parametrize("minor", V1ALPHA2)
    @pytest.mark.parametrize("framework", ["tensorflow", "xgboost", "sklearn", "pytorch", "onnx"])
    def test_a_framework_has_one_image(self, framework: str, minor: int) -> None:
        one = v1alpha2({"predictor": {framework: {"runtimeVersion": "1"}}})
        assert resolve(one, self.WHERE(minor)) == {
            "predictor": Resolved(
                (f"r/{framework}:1",),
                (f"predictors.{framework}.image is r/{framework}", "runtimeVersion is 1"),
                framework=framework,
                version="1",
                place=("predictors", framework),
            )
        }

    @pytest.mark.parametrize(
        ("framework", "minor", "known"),
        [
            ("tensorrt", 2, True),
            ("tensorrt", 3, True),
            ("tensorrt", 4, False),
            ("triton", 3, False),
            ("triton", 4, True),
        ],
    )
    def test_tensorrt_becomes_triton_in_0_4(self, framework: str, minor: int, known: bool) -> None:
        found = predictor_of(v1alpha2({"predictor": {framework: {"runtimeVersion": "1"}}}), self.WHERE(minor))
        assert found.image == (f"r/{framework}:1" if known else "")
        assert found.problem == ("" if known else f"KServe 0.{minor} does not know {framework}")

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_the_canary_has_its_own_image(self, minor: int) -> None:
        default, canary = ({"predictor": {"sklearn": {"runtimeVersion": version}}} for version in ("1", "2"))
        found = resolve(v1alpha2(default, canary), self.WHERE(minor))
        assert {name: one.image for name, one in found.items()} == {
            "predictor": "r/sklearn:1",
            "canary": "r/sklearn:2",
        }

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_a_framework_has_no_image_of_its_own(self, minor: int) -> None:
        one = v1alpha2({"predictor": {"sklearn": {"runtimeVersion": "1", "image": "me/x:1"}}})
        assert image_of(one, self.WHERE(minor)) == "r/sklearn:1"

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_a_container_of_ones_own_is_taken_as_it_is(self, minor: int) -> None:
        one = v1alpha2({"predictor": {"custom": {"container": {"image": "me/x:1"}}}})
        assert predictor_of(one, self.WHERE(minor)) == Resolved(("me/x:1",), ("a container of its own",), own=True)

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_a_framework_that_the_config_does_not_have_has_no_repository(self, minor: int) -> None:
        assert image_of(v1alpha2({"predictor": {"sklearn": {"runtimeVersion": "1"}}}), world(minor)) == ":1"

    def test_a_service_may_have_nothing(self) -> None:
        assert predictor_of(v1alpha2({}), world(4)).problem == "it has no predictor"


class TestContainersOfOnesOwn:
    """Facts 7.2: the config and runtimes do not touch them."""

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_are_taken_as_they_are(self, minor: int) -> None:
        one = service({"containers": [{"name": "mine", "image": "me/x:1"}]})
        assert predictor_of(one, world(minor, CONFIG)) == Resolved(("me/x:1",), ("a container of its own",), own=True)

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_the_first_serves_to_0_14_and_the_one_named_so_from_0_15_on(self, minor: int) -> None:
        own = [{"name": "side", "image": "me/side:1"}, {"name": "kserve-container", "image": "me/x:1"}]
        assert image_of(service({"containers": own}), world(minor)) == ("me/x:1" if minor >= 15 else "me/side:1")

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_one_of_several_must_be_named_so_from_0_15_on(self, minor: int) -> None:
        own = [{"name": "a", "image": "me/a:1"}, {"name": "b", "image": "me/b:1"}]
        found = predictor_of(service({"containers": own}), world(minor))
        why = "none of its containers is named kserve-container" if minor >= 15 else ""
        assert (found.image, found.problem) == ("" if why else "me/a:1", why)

    @pytest.mark.parametrize("minor", range(5, 21))
    @pytest.mark.parametrize("own", [[], [{}], [{"name": "mine"}], ["x"], None], ids=str)
    def test_may_name_no_image(self, own: list[Json] | None, minor: int) -> None:
        found = predictor_of(service({"containers": own}), world(minor))
        assert (found.images, found.problem) == ((), "it names no image")

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_a_transformer_has_its_first_container(self, minor: int) -> None:
        own = {"containers": [{"name": "a", "image": "me/t:1"}, {"name": "kserve-container", "image": "me/u:1"}]}
        found = resolve(service({"containers": [{"image": "me/x:1"}]}, transformer=own), world(minor))
        assert {name: one.image for name, one in found.items()} == {"predictor": "me/x:1", "transformer": "me/t:1"}


class TestComponents:
    """The controller makes the predictor, the transformer and the explainer, and stops at the first that fails."""

    OWN = staticmethod(lambda image: {"containers": [{"name": "a", **({"image": image} if image else {})}]})

    @pytest.mark.parametrize("minor", range(5, 21))
    @pytest.mark.parametrize(
        ("images", "problems"),
        [
            (("p", "t", "e"), ("", "", "")),
            (("", "t", "e"), ("it names no image", *["it comes after the predictor, which fails"] * 2)),
            (("p", "", "e"), ("", "it names no image", "it comes after the transformer, which fails")),
            (("p", "t", ""), ("", "", "it names no image")),
        ],
    )
    def test_after_one_that_fails_are_not_made(
        self, images: tuple[str, ...], problems: tuple[str, ...], minor: int
    ) -> None:
        predictor, transformer, explainer = map(self.OWN, images)
        found = resolve(service(predictor, transformer=transformer, explainer=explainer), world(minor))
        assert tuple(found[name].problem for name in ("predictor", "transformer", "explainer")) == problems
        assert [one.image for one in found.values()] == [
            "" if problem else image for image, problem in zip(images, problems, strict=True)
        ]


IMAGES = st.from_regex(r"[a-z]{1,6}(:[a-z0-9]{1,4})?", fullmatch=True)
BLOCKS = st.fixed_dictionaries({}, optional={"image": IMAGES, "defaultImageVersion": st.just("9")})
CONFIGS = st.dictionaries(
    st.sampled_from(["sklearn", "onnx"]), BLOCKS | st.dictionaries(st.sampled_from(["v1", "v2"]), BLOCKS)
).map(lambda found: {"predictors": found})


@given(
    st.sampled_from(["sklearn", "onnx"]),
    IMAGES,
    st.fixed_dictionaries(
        {}, optional={"runtimeVersion": st.just("1"), "protocolVersion": st.sampled_from(["v1", "v2"])}
    ),
    CONFIGS,
    st.sampled_from([*BY_CONFIG, 8, 9]),
)
def test_the_config_never_touches_a_service_with_its_own_image(
    framework: str, image: str, more: Json, config: Json, minor: int
) -> None:
    found = predictor_of(service({framework: {"image": image, **more}}), world(minor, config))
    assert found.images == (() if found.problem else (image,))
