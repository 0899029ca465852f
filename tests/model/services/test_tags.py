"""What becomes of the tag of an image: the version of the service, a GPU, a digest, in each release from 0.8 on."""

from __future__ import annotations

from string import ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksconfig.model.reference import Reference
from ksconfig.model.runtimes import Container
from ksconfig.model.services.tags import update_tag
from tests.model.services.builders import (
    DIGEST,
    WITH_RUNTIMES,
    Json,
    image_of,
    limits,
    model,
    rules,
    runtime,
    service,
    split,
    world,
)


def tags(
    minor: int,
    image: str,
    version: str | None = None,
    *,
    gpu: bool = False,
    server: str | None = None,
    **predictors: Json,
) -> tuple[str, ...]:
    """What 0.MINOR makes of an image."""
    where = world(minor, {"predictors": predictors})
    return update_tag(image, version, gpu=gpu, server=server, rules=where.rules, predictors=where.flat_predictors)


class TestRuntimeVersion:
    """Facts 4.5: 0.8 cuts at the first colon, 0.9 to 0.15 replace what looks like a tag, 0.16 spares digests."""

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("image", "version", "expected"),
        [
            ("kserve/sk:v1", "v2", ("kserve/sk:v2", "kserve/sk:v2", "kserve/sk:v2")),
            ("kserve/sk", "v2", ("kserve/sk:v2", "kserve/sk:v2", "kserve/sk:v2")),
            ("reg:5000/a/sk:v1", "v2", ("reg:v2", "reg:5000/a/sk:v2", "reg:5000/a/sk:v2")),
            ("reg:5000/a/sk", "v2", ("reg:v2", "reg:5000/a/sk:v2", "reg:5000/a/sk:v2")),
            ("a/sk@sha256:abc", "v2", ("a/sk@sha256:v2", "a/sk@sha256:v2", "a/sk@sha256:abc")),
            ("a/sk:v1@sha256:abc", "v2", ("a/sk:v2", "a/sk:v1@sha256:v2", "a/sk:v1@sha256:abc")),
            ("a/sk:v1", "", ("a/sk:", "a/sk:", "a/sk:")),
            ("a/sk", "", ("a/sk:", "a/sk:", "a/sk:")),
            # not in the table of the facts, by the same code
            ("a/sk:v1", "sha256:abc", ("a/sk:sha256:abc", "a/sk:sha256:abc", "a/sk:sha256:abc")),
            ("a/sk@sha512:abc", "v2", ("a/sk@sha512:v2", "a/sk@sha512:v2", "a/sk@sha512:v2")),
            ("a/sk:", "v2", ("a/sk:v2", "a/sk:v2", "a/sk:v2")),
            ("reg:5000", "v2", ("reg:v2", "reg:v2", "reg:v2")),
            ("", "v2", (":v2", ":v2", ":v2")),
        ],
    )
    def test_replaces_the_tag(self, image: str, version: str, expected: tuple[str, str, str], minor: int) -> None:
        in_0_8, to_0_15, from_0_16 = expected
        assert tags(minor, image, version) == (in_0_8 if minor == 8 else to_0_15 if minor < 16 else from_0_16,)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_comes_before_a_gpu(self, minor: int) -> None:
        predictors = {"tensorflow": split("r/x", defaultGpuImageVersion="9-gpu")}
        assert tags(minor, "r/x:1", "2", gpu=True, server="tensorflow-serving", **predictors) == ("r/x:2",)
        assert tags(minor, "r/x:1", "2", server="vllmserver") == ("r/x:2",)

    @pytest.mark.parametrize("minor", range(9, 21))
    @pytest.mark.parametrize(
        ("version", "image"),
        [
            ("$0", "r/x::v1"),
            ("$1", "r/x::v1"),
            ("$2", "r/x:v1"),
            ("${2}x", "r/x:v1x"),
            ("$2x", "r/x:"),
            ("$01", "r/x:"),
            ("$3", "r/x:"),
            ("$name-1", "r/x:-1"),
            ("$$", "r/x:$"),
            ("$", "r/x:$"),
            ("a$-b", "r/x:a$-b"),
            ("${2", "r/x:${2"),
            (r"\1", r"r/x:\1"),
        ],
    )
    def test_is_a_replacement_of_a_regular_expression_of_go(self, version: str, image: str, minor: int) -> None:
        assert tags(minor, "r/x:v1", version) == (image,)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_taken_as_it_stands_where_no_tag_is_replaced(self, minor: int) -> None:
        assert tags(minor, "r/x", "$2") == ("r/x:$2",)

    def test_is_taken_as_it_stands_in_0_8(self) -> None:
        assert tags(8, "r/x:v1", "$2") == ("r/x:$2",)


PREDICTORS: Json = {
    "tensorflow": split("tensorflow/serving", "2.6.2", defaultGpuImageVersion="2.6.2-gpu"),
    "pytorch": {"v1": split("r/pt"), "v2": split("r/torchserve", defaultGpuImageVersion="0.6.0-gpu")},
    "onnx": split("r/onnx", defaultGpuImageVersion="9-gpu"),
}


class TestGpuIn08And09:
    """Facts 4.5: an image of ``predictors`` gets the GPU version that stands beside it."""

    @pytest.mark.parametrize("minor", [8, 9])
    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ("tensorflow/serving:2.6.2", "tensorflow/serving:2.6.2-gpu"),
            ("tensorflow/serving:1", "tensorflow/serving:2.6.2-gpu"),
            ("tensorflow/serving", "tensorflow/serving:2.6.2-gpu"),
            ("mirror/tensorflow/serving:2.6.2", "mirror/tensorflow/serving:2.6.2"),
            ("tensorflow/serving@sha256:abc", "tensorflow/serving@sha256:abc"),
            ("r/onnx:1", "r/onnx:1"),
            ("r/sk:1", "r/sk:1"),
        ],
    )
    def test_is_found_by_the_repository(self, image: str, expected: str, minor: int) -> None:
        assert tags(minor, image, gpu=True, **PREDICTORS) == (expected,)
        assert tags(minor, image, **PREDICTORS) == (image,)

    @pytest.mark.parametrize("minor", [8, 9])
    @pytest.mark.parametrize("image", ["r/torchserve:0.6.0", "r/pt:1"])
    def test_is_never_found_for_pytorch_as_it_is_shipped(self, image: str, minor: int) -> None:
        assert tags(minor, image, gpu=True, **PREDICTORS) == (image,)

    @pytest.mark.parametrize("minor", [8, 9])
    def test_is_found_for_pytorch_where_it_is_written_as_the_code_reads_it(self, minor: int) -> None:
        pytorch = split("r/torchserve", defaultGpuImageVersion="0.6.0-gpu")
        assert tags(minor, "r/torchserve:0.6.0", gpu=True, pytorch=pytorch) == ("r/torchserve:0.6.0-gpu",)

    @pytest.mark.parametrize("minor", [8, 9])
    def test_is_not_found_behind_the_port_of_a_registry(self, minor: int) -> None:
        tensorflow = split("reg:5000/tf", defaultGpuImageVersion="9-gpu")
        assert tags(minor, "reg:5000/tf:1", gpu=True, tensorflow=tensorflow) == ("reg:5000/tf:1",)

    @pytest.mark.parametrize("minor", [8, 9])
    def test_is_found_by_names_in_any_case(self, minor: int) -> None:
        tensorflow = {"Image": "r/tf", "DEFAULTGPUIMAGEVERSION": "9-gpu"}
        assert tags(minor, "r/tf:1", gpu=True, TensorFlow=tensorflow) == ("r/tf:9-gpu",)

    @pytest.mark.parametrize("minor", [8, 9])
    def test_may_be_missing(self, minor: int) -> None:
        assert tags(minor, "r/tf:1", gpu=True, tensorflow={"image": "r/tf"}) == ("r/tf:",)
        assert tags(minor, "r/tf:1", gpu=True) == ("r/tf:1",)

    @pytest.mark.parametrize("minor", range(10, 21))
    def test_is_not_looked_for_later(self, minor: int) -> None:
        assert tags(minor, "tensorflow/serving:2.6.2", gpu=True, **PREDICTORS) == ("tensorflow/serving:2.6.2",)


class TestGpuFrom010:
    """Facts 4.5: some of KServe's own servers have a tag that ends in -gpu."""

    @pytest.mark.parametrize("minor", range(10, 21))
    @pytest.mark.parametrize(
        ("server", "since"),
        [
            ("tensorflow-serving", 10),
            ("torchserve", 10),
            ("huggingfaceserver", 15),
            ("vllmserver", None),
            ("sklearnserver", None),
            ("tritonserver", None),
            (None, None),
        ],
    )
    def test_is_told_by_the_server(self, server: str | None, since: int | None, minor: int) -> None:
        expected = "r/x:1-gpu" if since and minor >= since else "r/x:1"
        assert tags(minor, "r/x:1", gpu=True, server=server) == (expected,)

    @pytest.mark.parametrize("minor", range(10, 21))
    @pytest.mark.parametrize("image", ["r/x", "reg:5000/x"])
    def test_needs_a_tag(self, image: str, minor: int) -> None:
        assert tags(minor, image, gpu=True, server="torchserve") == (image,)

    @pytest.mark.parametrize("minor", range(11, 21))
    def test_is_not_told_twice(self, minor: int) -> None:
        assert tags(minor, "r/x:1-gpu", gpu=True, server="torchserve") == ("r/x:1-gpu",)

    def test_is_told_twice_by_the_first_patch_of_0_10(self) -> None:
        assert tags(10, "r/x:1-gpu", gpu=True, server="torchserve") == ("r/x:1-gpu", "r/x:1-gpu-gpu")

    @pytest.mark.parametrize("minor", range(10, 21))
    def test_spoils_a_digest_before_0_16(self, minor: int) -> None:
        image = f"r/x:1@{DIGEST}"
        expected = f"{image}-gpu" if minor < 16 else image
        assert tags(minor, image, gpu=True, server="torchserve") == (expected,)


class TestWithoutGpu:
    """Facts 4.5: vLLM has another repository for processors, in 0.20."""

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ("vllm/vllm-openai:v0.20.0", "vllm/vllm-openai-cpu:v0.20.0"),
            ("vllm/vllm-openai-cpu:v0.20.0", "vllm/vllm-openai-cpu:v0.20.0"),
            ("reg:5000/vllm:1", "reg:5000/vllm-cpu:1"),
            ("reg:5000/vllm", "reg:5000/vllm"),
            ("vllm/vllm-openai", "vllm/vllm-openai"),
            (f"vllm/vllm-openai@{DIGEST}", f"vllm/vllm-openai@{DIGEST}"),
            ("vllm/vllm-openai:1-cpu", "vllm/vllm-openai-cpu:1-cpu"),
        ],
    )
    def test_vllm_gets_the_repository_for_processors(self, image: str, expected: str, minor: int) -> None:
        assert tags(minor, image, server="vllmserver") == (expected if minor == 20 else image,)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize("server", ["tensorflow-serving", "torchserve", "huggingfaceserver", None])
    def test_no_other_server_does(self, server: str | None, minor: int) -> None:
        assert tags(minor, "r/x:1", server=server) == ("r/x:1",)

    def test_vllm_with_a_gpu_does_not(self) -> None:
        assert tags(20, "vllm/vllm-openai:1", gpu=True, server="vllmserver") == ("vllm/vllm-openai:1",)


class TestServer:
    """Facts 4.4 and 4.5: which server a runtime is taken for: by its name, in 0.20 by its annotation first."""

    @pytest.mark.parametrize("minor", range(10, 21))
    @pytest.mark.parametrize(
        ("name", "server_type", "to_0_19", "in_0_20"),
        [
            ("kserve-torchserve", None, "r/x:1-gpu", "r/x:1-gpu"),
            ("kserve-torchserve", "torchserve", "r/x:1-gpu", "r/x:1-gpu"),
            ("kserve-torchserve", "mlserver", "r/x:1-gpu", "r/x:1"),
            ("kserve-torchserve", "", "r/x:1-gpu", "r/x:1-gpu"),
            ("my-torchserve", None, "r/x:1", "r/x:1"),
            ("my-torchserve", "torchserve", "r/x:1", "r/x:1-gpu"),
            ("my-torchserve", "kserve-torchserve", "r/x:1", "r/x:1"),
            ("torchserve", None, "r/x:1", "r/x:1"),
        ],
    )
    def test_decides_on_the_gpu(
        self, name: str, server_type: str | None, to_0_19: str, in_0_20: str, minor: int
    ) -> None:
        where = world(minor, {}, runtime(name, server_type=server_type))
        one = service(model(resources=limits("nvidia.com/gpu")))
        assert image_of(one, where) == (in_0_20 if minor == 20 else to_0_19)

    @pytest.mark.parametrize(
        ("name", "server_type", "image"),
        [
            ("kserve-vllmserver", None, "r/x-cpu:1"),
            ("mine", "vllmserver", "r/x-cpu:1"),
            ("kserve-vllmserver", "huggingfaceserver", "r/x:1"),
            ("mine", None, "r/x:1"),
        ],
    )
    def test_decides_on_the_processor(self, name: str, server_type: str | None, image: str) -> None:
        assert image_of(service(model()), world(20, {}, runtime(name, server_type=server_type))) == image

    @pytest.mark.parametrize("minor", range(10, 21))
    def test_is_also_told_for_a_runtime_of_a_namespace(self, minor: int) -> None:
        where = world(
            minor, {}, runtime("kserve-torchserve", namespace="team"), runtime("kserve-torchserve", image="r/y:1")
        )
        assert image_of(service(model(resources=limits("nvidia.com/gpu"))), where) == "r/x:1-gpu"


class TestGpu:
    """Facts 3.1: what counts as a GPU."""

    @pytest.mark.parametrize("minor", range(10, 21))
    @pytest.mark.parametrize(
        ("names", "since"),
        [
            (["nvidia.com/gpu"], 10),
            (["cpu", "nvidia.com/gpu"], 10),
            (["nvidia.com/mig-1g.5gb"], 16),
            (["nvidia.com/mig"], 16),
            (["nvidia.com/gpu.shared"], None),
            (["amd.com/gpu"], None),
            (["cpu", "memory"], None),
            ([], None),
        ],
    )
    def test_is_a_limit_by_its_name(self, names: list[str], since: int | None, minor: int) -> None:
        where = world(minor, {}, runtime("kserve-torchserve"))
        expected = "r/x:1-gpu" if since and minor >= since else "r/x:1"
        assert image_of(service(model(resources=limits(*names))), where) == expected

    @pytest.mark.parametrize("minor", range(10, 21))
    @pytest.mark.parametrize("value", ["0", "", 0, 1])
    def test_is_one_whatever_the_value(self, value: object, minor: int) -> None:
        one = service(model(resources={"limits": {"nvidia.com/gpu": value}}))
        assert image_of(one, world(minor, {}, runtime("kserve-torchserve"))) == "r/x:1-gpu"

    @pytest.mark.parametrize("minor", range(10, 21))
    def test_is_none_by_a_request(self, minor: int) -> None:
        one = service(model(resources={"requests": {"nvidia.com/gpu": "1"}}))
        assert image_of(one, world(minor, {}, runtime("kserve-torchserve"))) == "r/x:1"

    @pytest.mark.parametrize("minor", range(10, 21))
    @pytest.mark.parametrize("resources", [{}, limits("cpu")])
    def test_may_be_the_runtimes(self, resources: Json, minor: int) -> None:
        with_gpu = (Container("kserve-container", "r/x:1", frozenset({"nvidia.com/gpu"})),)
        where = world(minor, {}, runtime("kserve-torchserve", containers=with_gpu))
        assert image_of(service(model(resources=resources)), where) == "r/x:1-gpu"


NAMES = st.text(ascii_lowercase + digits, min_size=1, max_size=8)
REPOSITORIES = st.builds("{}/{}".format, st.sampled_from(["r", "reg.example", "reg.example:5000"]), NAMES)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
SERVERS = st.sampled_from(
    [None, "tensorflow-serving", "torchserve", "huggingfaceserver", "vllmserver", "sklearnserver"]
)
WORKLOADS = st.fixed_dictionaries({"gpu": st.booleans(), "server": SERVERS})


@given(REPOSITORIES, TAGS, TAGS, WORKLOADS, st.integers(9, 20))
def test_a_version_that_is_a_tag_is_the_tag_from_0_9_on(
    repository: str, tag: str, version: str, workload: Json, minor: int
) -> None:
    (image,) = tags(minor, f"{repository}:{tag}", version, **workload)
    assert Reference.parse(image) == Reference(repository, version)


@given(REPOSITORIES, TAGS, st.none() | TAGS, WORKLOADS, st.integers(16, 20))
def test_an_image_with_a_digest_stays_from_0_16_on(
    repository: str, tag: str, version: str | None, workload: Json, minor: int
) -> None:
    image = f"{repository}:{tag}@{DIGEST}"
    assert tags(minor, image, version, **workload) == (image,)


@given(REPOSITORIES, TAGS, st.booleans(), st.sampled_from(WITH_RUNTIMES))
def test_an_image_of_no_server_of_kserve_stays_without_a_version(
    repository: str, tag: str, gpu: bool, minor: int
) -> None:
    image = f"{repository}:{tag}"
    assert tags(minor, image, gpu=gpu, server="mine") == tags(minor, image, gpu=gpu) == (image,)


@given(REPOSITORIES, TAGS, st.none() | TAGS, WORKLOADS, st.sampled_from([9, *range(11, 21)]))
def test_what_comes_out_stays_when_it_goes_in_again(
    repository: str, tag: str, version: str | None, workload: Json, minor: int
) -> None:
    (once,) = tags(minor, f"{repository}:{tag}", version, **workload)
    assert tags(minor, once, version, **workload) == (once,)


def test_releases_that_are_not_known_yet_do_as_the_newest() -> None:
    assert rules(99)._replace(release=rules(20).release) == rules(20)
    assert tags(99, "r/x:1", server="vllmserver") == ("r/x-cpu:1",)
