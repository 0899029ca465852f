"""Which runtime KServe gives to a framework, which container serves, and what becomes of its tag, release by release."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.plan import ObjectRef
from ksconfig.model.reference import Reference
from ksconfig.model.releases import Release, Rules, rules_of
from ksconfig.model.runtimes import (
    CLUSTER_KIND,
    NAMESPACED_KIND,
    Choice,
    Container,
    ModelFormat,
    Runtime,
    choose_runtime,
    framework_runtime,
    read_runtime,
    served_frameworks,
    tag_rule,
)

WITH_RUNTIMES = range(8, 21)
SORTED_BY_PRIORITY = range(11, 21)
DIGEST = "sha256:" + "ab" * 32


def rules(minor: int) -> Rules:
    return rules_of(Release(0, minor))


def listed(
    name: str = "sklearn", priority: int | None = None, *, auto: bool = True, version: str | None = "1"
) -> ModelFormat:
    return ModelFormat(name, version, auto, priority)


def runtime(name: str, *formats: ModelFormat, speaks: str = "v1", **more: Any) -> Runtime:
    """A ClusterServingRuntime that lists these formats (sklearn if none is given) and speaks these protocols."""
    containers = (Container("kserve-container", "r/x:1"),)
    ref = ObjectRef(CLUSTER_KIND, None, name)
    return Runtime(ref, formats or (listed(),), tuple(speaks.split()), containers, **more)


def names(found: tuple[Runtime, ...]) -> list[str]:
    return [one.ref.name for one in found]


def first(minor: int, *runtimes: Runtime, framework: str = "sklearn", protocol: str | None = None) -> list[str]:
    return names(choose_runtime(runtimes, framework, protocol, rules(minor)).first)


class TestCandidates:
    """Facts 4.3: a runtime comes into question if nothing about it says no."""

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        "other",
        [
            runtime("other", disabled=True),
            runtime("other", multi_model=True),
            runtime("other", listed(auto=False)),
            runtime("other", listed("xgboost")),
            runtime("other", listed("Sklearn")),
        ],
        ids=["disabled", "several models", "not chosen by itself", "another format", "another case"],
    )
    def test_leave_out_what_cannot_be_given(self, other: Runtime, minor: int) -> None:
        assert first(minor, other) == []
        assert first(minor, other, runtime("fit")) == ["fit"]

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_need_one_entry_that_is_chosen_by_itself(self, minor: int) -> None:
        mixed = runtime("mixed", listed(auto=False, version="0"), listed(auto=True, version="1"))
        assert first(minor, mixed) == ["mixed"]

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_with_workers_are_kept_for_services_with_workers_from_0_15_on(self, minor: int) -> None:
        assert first(minor, runtime("multinode", workers=True)) == ([] if minor >= 15 else ["multinode"])

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize("speaks", ["v2", "grpc-v1", "v1", "v1 v2", ""])
    def test_must_speak_v1_from_0_11_on_when_the_service_names_no_protocol(self, speaks: str, minor: int) -> None:
        fits = minor < 11 or speaks in ("v1", "v1 v2", "")
        assert first(minor, runtime("one", speaks=speaks)) == (["one"] if fits else [])

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize("speaks", ["v1", "v2", "v1 v2", ""])
    def test_must_speak_the_protocol_that_is_named_from_0_9_on(self, speaks: str, minor: int) -> None:
        fits = minor == 8 or speaks != "v1"
        assert first(minor, runtime("one", speaks=speaks), protocol="v2") == (["one"] if fits else [])

    def test_that_are_not_chosen_are_the_others(self) -> None:
        best, second, off = (
            runtime("best", listed(priority=2)),
            runtime("second", listed(priority=1)),
            runtime("off", disabled=True),
        )
        choice = choose_runtime([off, second, best, runtime("x", listed("xgboost"))], "sklearn", None, rules(16))
        assert choice == Choice((best,), (off, second))

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_may_be_missing(self, minor: int) -> None:
        assert choose_runtime([], "sklearn", None, rules(minor)) == Choice((), ())


class TestOrder:
    """Facts 4.3: 0.8 has none, 0.9 and 0.10 go by protocol, 0.11 and later by priority."""

    def test_is_unknown_in_0_8_whatever_the_runtimes_say(self) -> None:
        runtimes = (
            runtime("a", listed(priority=2), created="2024-01-01T00:00:00Z"),
            runtime("b", listed(priority=1), created="2025-01-01T00:00:00Z", speaks="v2"),
        )
        assert first(8, *runtimes) == ["a", "b"]
        assert first(8, *runtimes, protocol="v2") == ["a", "b"]

    @pytest.mark.parametrize("minor", [9, 10])
    @pytest.mark.parametrize(
        ("one", "other"),
        [("v1", "v2"), ("v2", "grpc-v1"), ("grpc-v1", "grpc-v2"), ("grpc-v2", ""), ("grpc-v2 v1", "v2")],
    )
    def test_is_by_the_lowest_protocol_in_0_9_and_0_10(self, one: str, other: str, minor: int) -> None:
        runtimes = (runtime("other", listed(priority=9), speaks=other), runtime("one", speaks=one))
        assert first(minor, *runtimes) == ["one"]
        assert first(minor, *reversed(runtimes)) == ["one"]

    @pytest.mark.parametrize("minor", [9, 10])
    def test_is_by_the_lowest_protocol_even_if_the_service_names_another(self, minor: int) -> None:
        assert first(minor, runtime("a", speaks="v2"), runtime("b", speaks="v2 v1"), protocol="v2") == ["b"]

    @pytest.mark.parametrize("minor", [9, 10])
    def test_does_not_decide_between_equals_in_files(self, minor: int) -> None:
        assert first(minor, runtime("a", speaks="v1"), runtime("b", speaks="v1 v2")) == ["a", "b"]

    @pytest.mark.parametrize("minor", SORTED_BY_PRIORITY)
    def test_is_by_the_highest_priority_from_0_11_on(self, minor: int) -> None:
        assert first(minor, runtime("a", listed(priority=1)), runtime("b", listed(priority=2))) == ["b"]

    @pytest.mark.parametrize("minor", SORTED_BY_PRIORITY)
    def test_puts_priority_before_protocol(self, minor: int) -> None:
        low = runtime("low", listed(priority=1), speaks="v1 v2")
        assert first(minor, low, runtime("high", listed(priority=2), speaks="v2"), protocol="v2") == ["high"]

    @pytest.mark.parametrize("minor", SORTED_BY_PRIORITY)
    def test_puts_any_priority_before_none(self, minor: int) -> None:
        assert first(minor, runtime("none"), runtime("least", listed(priority=1))) == ["least"]

    @pytest.mark.parametrize("minor", SORTED_BY_PRIORITY)
    def test_looks_at_the_first_entry_of_the_format_whatever_its_version(self, minor: int) -> None:
        rising = runtime("rising", listed(priority=1, version="0"), listed(priority=9, version="1"))
        falling = runtime("falling", listed(priority=3, version="0"), listed(priority=1, version="1"))
        assert first(minor, rising, falling) == ["falling"]

    @pytest.mark.parametrize("minor", SORTED_BY_PRIORITY)
    def test_looks_at_the_first_entry_even_if_it_is_not_chosen_by_itself(self, minor: int) -> None:
        hidden = runtime("hidden", listed(priority=9, auto=False), listed(priority=1))
        assert first(minor, hidden, runtime("plain", listed(priority=2))) == ["hidden"]

    @pytest.mark.parametrize("minor", SORTED_BY_PRIORITY)
    @pytest.mark.parametrize("priority", [None, 1])
    def test_does_not_decide_between_equal_priorities(self, priority: int | None, minor: int) -> None:
        runtimes = [runtime(name, listed(priority=priority)) for name in ("b", "a")]
        assert first(minor, *runtimes) == ["b", "a"]

    @pytest.mark.parametrize("minor", [11, 20])
    def test_does_not_decide_between_runtimes_without_priority(self, minor: int) -> None:
        assert first(minor, runtime("a", speaks="v1 v2"), runtime("b", speaks="v2"), protocol="v2") == ["a", "b"]

    def test_does_not_look_at_priorities_before_0_11(self) -> None:
        assert first(10, runtime("a", listed(priority=1)), runtime("b", listed(priority=2))) == ["a", "b"]


def born(name: str, second: int, *formats: ModelFormat, **more: Any) -> Runtime:
    return runtime(name, *formats, created=f"2025-06-01T12:00:{second:02}Z", **more)


class TestAge:
    """Facts 4.3: of equals the newest comes first, of those of one second the first by name."""

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_decides_between_equals_where_it_is_known(self, minor: int) -> None:
        assert first(minor, born("a", 1), born("c", 3), born("b", 2)) == ["c"]
        assert first(minor, born("b", 3), born("a", 3), born("c", 1)) == ["a"]

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_decides_nothing_where_that_of_one_is_not_known(self, minor: int) -> None:
        assert first(minor, born("a", 1), runtime("b")) == ["a", "b"]

    def test_is_of_no_account_before_protocol_and_priority(self) -> None:
        assert first(9, born("new", 9, speaks="v2"), born("old", 1)) == ["old"]
        assert first(16, born("new", 9, listed(priority=1)), born("old", 1, listed(priority=2))) == ["old"]

    @pytest.mark.parametrize("minor", [11, 20])
    def test_does_not_come_before_the_protocol_among_equal_priorities(self, minor: int) -> None:
        lower, newest = born("lower", 1, listed(priority=1)), born("newest", 9, listed(priority=1), speaks="")
        assert first(minor, lower, newest) != ["newest"]


class TestFrameworkRuntime:
    """A framework means its services that name no protocol; if only v2 runtimes serve it, those of v2."""

    SKLEARN = runtime("sklearnserver", listed(priority=1), speaks="v1 v2")
    MLSERVER = runtime("mlserver", listed(priority=2), listed("mlflow"), speaks="v2")
    TRITON = runtime("triton", listed("onnx", 1), speaks="v2 grpc-v2")
    ALL = (SKLEARN, MLSERVER, TRITON)

    def found(self, framework: str, protocol: str | None = None, minor: int = 16) -> list[str]:
        return names(framework_runtime(self.ALL, framework, protocol, rules(minor)).first)

    def test_is_the_one_of_v1(self) -> None:
        assert self.found("sklearn") == ["sklearnserver"]
        assert self.found("sklearn", "v1") == ["sklearnserver"]
        assert self.found("sklearn", "v2") == ["mlserver"]

    @pytest.mark.parametrize("minor", range(9, 21))
    @pytest.mark.parametrize(("framework", "name"), [("onnx", "triton"), ("mlflow", "mlserver")])
    def test_is_the_one_of_v2_where_there_is_no_other(self, framework: str, name: str, minor: int) -> None:
        assert self.found(framework, minor=minor) == [name]
        assert self.found(framework, "v2", minor) == [name]

    def test_is_none_where_v1_is_named_and_only_v2_is_spoken(self) -> None:
        assert self.found("onnx", "v1") == []

    def test_may_be_taken_from_any_iterable(self) -> None:
        assert names(framework_runtime(iter(self.ALL), "onnx", None, rules(16)).first) == ["triton"]

    def test_says_for_each_runtime_what_it_serves(self) -> None:
        assert served_frameworks(self.ALL, rules(16)) == {
            self.SKLEARN: ("sklearn",),
            self.MLSERVER: ("sklearn/v2", "mlflow"),
            self.TRITON: ("onnx",),
        }

    def test_says_of_no_runtime_that_it_serves_what_several_may(self) -> None:
        assert served_frameworks([runtime("a"), runtime("b")], rules(16)) == {}

    def test_knows_no_protocols_in_0_8(self) -> None:
        assert served_frameworks([self.MLSERVER], rules(8)) == {self.MLSERVER: ("sklearn", "mlflow")}


class TestServingContainer:
    """Facts 4.4: the first to 0.10, the one with the fixed name from 0.11 on."""

    SIDECAR, SERVER = Container("proxy", "r/p:1"), Container("kserve-container", "r/x:1")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("containers", "before_0_11", "after"),
        [
            ((SERVER,), 0, 0),
            ((SIDECAR, SERVER), 0, 1),
            ((SERVER, SIDECAR), 0, 0),
            ((SIDECAR,), 0, None),
            ((Container(None, "r/x:1"), SERVER), 0, 1),
            ((), None, None),
        ],
        ids=["alone", "behind", "before", "of another name", "beside a nameless one", "missing"],
    )
    def test_is_by_place_then_by_name(
        self, containers: tuple[Container, ...], before_0_11: int | None, after: int | None, minor: int
    ) -> None:
        one = runtime("x")._replace(containers=containers)
        assert one.serving_container(rules(minor)) == (before_0_11 if minor < 11 else after)


@pytest.mark.parametrize(
    ("kind", "namespace", "target"),
    [
        (CLUSTER_KIND, None, "runtime/x"),
        (CLUSTER_KIND, "kserve", "runtime/x"),  # it has no namespace, whatever its manifest says
        (NAMESPACED_KIND, "team", "runtime/team/x"),
        (NAMESPACED_KIND, None, "runtime//x"),
    ],
)
def test_a_runtime_is_a_target_by_its_name(kind: str, namespace: str | None, target: str) -> None:
    assert runtime("x")._replace(ref=ObjectRef(kind, namespace, "x")).name == target


OBJECT: dict[str, Any] = {
    "metadata": {
        "name": "x",
        "annotations": {"serving.kserve.io/server-type": "torchserve"},
        "creationTimestamp": "2025-06-01T12:00:00Z",
    },
    "spec": {
        "disabled": True,
        "multiModel": True,
        "workerSpec": {"pipelineParallelSize": 2},
        "protocolVersions": ["v1", "v2"],
        "supportedModelFormats": [
            {"name": "sklearn", "version": "1", "autoSelect": True, "priority": 2},
            {"name": "sklearn", "version": 0},
            {"name": "xgboost"},
        ],
        "containers": [{"name": "kserve-container", "image": "r/x:1"}, {"args": []}],
    },
}


def test_a_runtime_is_read_from_its_object() -> None:
    ref = ObjectRef(CLUSTER_KIND, None, "x")
    assert read_runtime(ref, OBJECT) == Runtime(
        ref,
        (listed("sklearn", 2), listed("sklearn", auto=False, version="0"), listed("xgboost", auto=False, version=None)),
        ("v1", "v2"),
        (Container("kserve-container", "r/x:1"), Container(None, None)),
        disabled=True,
        multi_model=True,
        workers=True,
        server_type="torchserve",
        created="2025-06-01T12:00:00Z",
        since=Release(0, 14),
    )
    assert read_runtime(ref, OBJECT).format_names == ("sklearn", "xgboost")


@pytest.mark.parametrize(
    "spec",
    [
        None,
        [],
        "text",
        {"supportedModelFormats": None, "containers": None, "protocolVersions": None},
        {"supportedModelFormats": {}, "containers": {}, "protocolVersions": "v1"},
        {"disabled": "true", "multiModel": 1, "workerSpec": True},
    ],
    ids=repr,
)
def test_what_is_not_of_the_type_it_must_be_counts_as_absent(spec: Any) -> None:
    ref = ObjectRef(CLUSTER_KIND, None, "x")
    read = read_runtime(ref, {"metadata": None, "spec": spec})
    assert read._replace(since=Release(0, 8)) == Runtime(ref, (), (), ())


@pytest.mark.parametrize("priority", [True, "1", 1.5, None])
def test_a_priority_is_a_whole_number_or_none(priority: Any) -> None:
    data = {"spec": {"supportedModelFormats": [{"name": "sklearn", "autoSelect": "yes", "priority": priority}]}}
    assert read_runtime(ObjectRef(CLUSTER_KIND, None, "x"), data).formats == (listed(auto=False, version=None),)


@pytest.mark.parametrize(
    ("spec", "minor"),
    [
        ({"containers": []}, 8),
        ({"protocolVersions": ["v1"]}, 9),
        ({"imagePullSecrets": []}, 10),
        ({"supportedModelFormats": [{"name": "a"}, {"name": "b", "priority": 1}]}, 11),
        ({"workerSpec": {}, "protocolVersions": ["v1"]}, 14),
        ({"schedulerName": "x"}, 18),
    ],
)
def test_its_fields_tell_since_when_it_can_be(spec: Any, minor: int) -> None:
    assert read_runtime(ObjectRef(CLUSTER_KIND, None, "x"), {"spec": spec}).since == Release(0, minor)


PORT = "registry.example:5000/a/s:1"
TF, TORCH, HF, VLLM = "tensorflow-serving", "torchserve", "huggingfaceserver", "vllmserver"

# Releases, runtime name, its server-type annotation, image, what the warning must hold (None: no warning). Facts 4.5.
TAG_RULES: list[tuple[range, str, str | None, str, str | None]] = [
    # 0.8 cuts at the first colon, so a port takes the name with it; a repository without a port is safe
    (range(8, 9), "any", None, PORT, "registry.example:VERSION"),
    (range(8, 9), "any", None, "registry.example:5000/a/s", "registry.example:VERSION"),
    (range(8, 9), "any", None, "registry.example/a/s:1", None),
    (range(9, 21), "any", None, PORT, None),
    # 0.8 and 0.9 take the tag for a GPU from predictors
    (range(8, 10), f"kserve-{TF}", None, "a/s:1", None),
    # 0.10 on: some runtimes of KServe's own, known by their names
    (range(10, 21), f"kserve-{TF}", None, "a/s:1", "with a GPU a/s:1-gpu"),
    (range(10, 21), f"kserve-{TORCH}", None, PORT, f"with a GPU {PORT}-gpu"),
    (range(10, 21), "kserve-sklearnserver", None, "a/s:1", None),
    (range(10, 21), f"my-{TF}", None, "a/s:1", None),
    (range(10, 21), TF, None, "a/s:1", None),
    (range(10, 21), f"kserve-{TF}-2", None, "a/s:1", None),
    (range(10, 21), f"kserve-{TF}", None, "a/s:1-gpu", None),
    (range(10, 21), f"kserve-{TF}", None, "a/s", None),
    # 0.15 on: huggingface too, but not its twin with workers
    (range(8, 15), f"kserve-{HF}", None, "a/s:1", None),
    (range(15, 21), f"kserve-{HF}", None, "a/s:1", "with a GPU a/s:1-gpu"),
    (range(15, 21), f"kserve-{HF}-multinode", None, "a/s:1", None),
    # to 0.15 a digest is broken by it, from 0.16 on it is left alone
    (range(10, 16), f"kserve-{TF}", None, f"a/s@{DIGEST}", f"{DIGEST}-gpu, which is no reference"),
    (range(16, 21), f"kserve-{TF}", None, f"a/s@{DIGEST}", None),
    (range(16, 21), f"kserve-{TF}", None, f"a/s:1@{DIGEST}", None),
    # to 0.19 the annotation is not looked at, in 0.20 it comes before the name
    (range(10, 20), "mine", TF, "a/s:1", None),
    (range(20, 21), "mine", TF, "a/s:1", "with a GPU a/s:1-gpu"),
    (range(20, 21), "mine", HF, "a/s:1", "with a GPU a/s:1-gpu"),
    (range(20, 21), f"kserve-{HF}-multinode", HF, "a/s:1", "with a GPU a/s:1-gpu"),
    (range(20, 21), f"kserve-{TF}", "sklearnserver", "a/s:1", None),
    (range(10, 20), f"kserve-{TF}", "sklearnserver", "a/s:1", "with a GPU a/s:1-gpu"),
    # 0.20: vLLM without a GPU gets another repository
    (range(20, 21), f"kserve-{VLLM}", None, "a/s:1", "without a GPU a/s-cpu:1"),
    (range(20, 21), "mine", VLLM, PORT, "without a GPU registry.example:5000/a/s-cpu:1"),
    (range(20, 21), f"kserve-{VLLM}", None, f"a/s@{DIGEST}", None),
    (range(8, 20), f"kserve-{VLLM}", VLLM, "a/s:1", None),
]


@pytest.mark.parametrize(
    ("minor", "name", "server_type", "image", "said"),
    [pytest.param(minor, *row, id=f"0.{minor}-{row[:3]}") for minors, *row in TAG_RULES for minor in minors],
)
def test_what_becomes_of_the_tag_is_foreseen(
    minor: int, name: str, server_type: str | None, image: str, said: str | None
) -> None:
    rule = tag_rule(runtime(name, server_type=server_type), Reference.parse(image), rules(minor))
    assert rule is None if said is None else rule and said in rule and f"KServe 0.{minor} " in rule
