"""The image of a service that a runtime serves (0.8 on): which runtime, which container."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksconfig.model.runtimes import Container, ModelFormat, Runtime
from ksconfig.model.services.resolve import Resolved
from tests.model.services.builders import (
    DIGEST,
    GPU,
    NAMESPACE,
    WITH_RUNTIMES,
    Json,
    image_of,
    model,
    predictor_of,
    prioritised,
    runtime,
    service,
    world,
)


def problem(one: Json, *runtimes: Runtime, minor: int) -> str:
    """Why a predictor has no image; there must be none."""
    found = predictor_of(service(one), world(minor, {}, *runtimes))
    assert not (found.problem and found.images)
    return found.problem


def chosen(one: Json, *runtimes: Runtime, minor: int) -> list[str]:
    """The names of the runtimes that a predictor may get."""
    return [ref.name for ref in predictor_of(service(one), world(minor, {}, *runtimes)).runtime]


class TestNamedRuntime:
    """Facts 4.3: a service that names its runtime."""

    ONE = runtime("mine", "sklearn@1- onnx", "v1", "r/mine:1")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        "one",
        [
            model(runtime="mine"),
            model(runtime="mine", protocolVersion="v1"),
            model("onnx", runtime="mine"),
            {"model": {"modelFormat": {"name": "sklearn", "version": "1"}, "runtime": "mine"}},
        ],
        ids=["not chosen by itself", "protocol", "another format", "version"],
    )
    def test_gets_it(self, one: Json, minor: int) -> None:
        better = prioritised(runtime("better", "sklearn onnx"), 9)
        assert image_of(service(one), world(minor, {}, self.ONE, better)) == "r/mine:1"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("one", "given", "why"),
        [
            (model(runtime="other"), ONE, "there is no runtime other"),
            (model(runtime=""), ONE, "there is no runtime "),
            (model(runtime="mine"), ONE._replace(disabled=True), "clusterservingruntime mine is disabled"),
            (model("pmml", runtime="mine"), ONE, "clusterservingruntime mine does not list pmml"),
            (model("SKLearn", runtime="mine"), ONE, "clusterservingruntime mine does not list SKLearn"),
            (
                {"model": {"modelFormat": {"name": "sklearn", "version": "1.0"}, "runtime": "mine"}},
                ONE,
                "clusterservingruntime mine does not list sklearn 1.0",
            ),
            (
                {"model": {"modelFormat": {"name": "onnx", "version": "1"}, "runtime": "mine"}},
                ONE,
                "clusterservingruntime mine does not list onnx 1",
            ),
        ],
    )
    def test_may_not_get_it(self, one: Json, given: Runtime, why: str, minor: int) -> None:
        assert problem(one, given, minor=minor) == why

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_needs_its_protocol_from_0_9_on(self, minor: int) -> None:
        why = "" if minor == 8 else "clusterservingruntime mine does not serve protocol v2"
        assert problem(model(runtime="mine", protocolVersion="v2"), self.ONE, minor=minor) == why

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_gets_one_that_names_no_protocol_or_another_than_v1_if_it_names_none(self, minor: int) -> None:
        assert not problem(model(runtime="mine", protocolVersion="v2"), runtime("mine", speaks=""), minor=minor)
        assert not problem(model(runtime="mine"), runtime("mine", speaks="v2"), minor=minor)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize("more", [{"multi_model": True}, {"workers": True}], ids=str)
    def test_gets_one_for_several_models_or_with_workers(self, more: Json, minor: int) -> None:
        assert not problem(model(runtime="mine"), runtime("mine", **more), minor=minor)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_gets_that_of_its_namespace_before_that_of_the_cluster(self, minor: int) -> None:
        cluster, own, other = (
            runtime("mine", image="r/cluster:1"),
            runtime("mine", image="r/own:1", namespace=NAMESPACE),
            runtime("mine", image="r/other:1", namespace="other"),
        )
        one = service(model(runtime="mine"))
        assert image_of(one, world(minor, {}, cluster, own, other)) == "r/own:1"
        assert image_of(one, world(minor, {}, cluster, other)) == "r/cluster:1"
        assert problem(model(runtime="mine"), other, minor=minor) == "there is no runtime mine"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_not_helped_by_the_clusters_if_that_of_its_namespace_does_not_fit(self, minor: int) -> None:
        own = runtime("mine", disabled=True, namespace=NAMESPACE)
        assert (
            problem(model(runtime="mine"), runtime("mine"), own, minor=minor) == "servingruntime team/mine is disabled"
        )


class TestChosenRuntime:
    """Facts 4.3: a service that names none; the rules in full are in test_runtimes."""

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("other", "since"),
        [
            (runtime("other", disabled=True), 8),
            (runtime("other", multi_model=True), 8),
            (runtime("other", "sklearn-"), 8),
            (runtime("other", "xgboost"), 8),
            (runtime("other", speaks="v2"), 11),
            (runtime("other", workers=True), 15),
        ],
        ids=["disabled", "several models", "not chosen by itself", "another format", "another protocol", "workers"],
    )
    def test_is_one_that_fits(self, other: Runtime, since: int, minor: int) -> None:
        assert problem(model(), other, minor=minor) == ("no runtime serves sklearn" if minor >= since else "")
        if minor >= since:
            assert chosen(model(), other, runtime("fit"), minor=minor) == ["fit"]

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_fits_the_version_of_the_format(self, minor: int) -> None:
        def asked(version: str) -> Json:
            return {"model": {"modelFormat": {"name": "sklearn", "version": version}}}

        found = runtime("one", "sklearn@1 onnx@2"), runtime("two", "sklearn@2"), runtime("bare")
        assert chosen(asked("1"), *found, minor=minor) == ["one"]
        assert chosen(asked("2"), *found, minor=minor) == ["two"]
        assert problem(asked("1.0"), *found, minor=minor) == "no runtime serves sklearn 1.0"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_fits_the_protocol_from_0_9_on(self, minor: int) -> None:
        found = runtime("sk"), runtime("ml", speaks="v2")
        asked = model(protocolVersion="v2")
        assert chosen(asked, *found, minor=minor) == (["sk", "ml"] if minor == 8 else ["ml"])
        why = "" if minor == 8 else "no runtime serves sklearn, protocol v2"
        assert problem(asked, found[0], minor=minor) == why

    @pytest.mark.parametrize("minor", range(15, 21))
    def test_has_workers_exactly_if_the_service_has(self, minor: int) -> None:
        found = runtime("multinode", workers=True), runtime("plain")
        assert chosen({**model(), "workerSpec": {}}, *found, minor=minor) == ["multinode"]
        assert chosen(model(), *found, minor=minor) == ["plain"]

    @pytest.mark.parametrize("minor", range(11, 21))
    def test_has_the_highest_priority_from_0_11_on(self, minor: int) -> None:
        found = prioritised(runtime("low"), 1), prioritised(runtime("high", image="r/high:1"), 2)
        assert image_of(service(model()), world(minor, {}, *found)) == "r/high:1"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_of_the_namespace_before_any_of_the_cluster(self, minor: int) -> None:
        own = prioritised(runtime("own", namespace=NAMESPACE), 1)
        cluster = prioritised(runtime("cluster"), 9)
        assert chosen(model(), cluster, own, minor=minor) == ["own"]
        assert chosen(model(), cluster, own._replace(disabled=True), minor=minor) == ["cluster"]
        assert chosen(model(), cluster, runtime("own", namespace="other"), minor=minor) == ["cluster"]

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_may_be_one_of_several_where_the_order_is_not_known(self, minor: int) -> None:
        found = runtime("a", image="r/a:1"), runtime("b", image="r/b:1"), runtime("c", image="r/a:1")
        told = predictor_of(service(model()), world(minor, {}, *found))
        assert told.images == ("r/a:1", "r/b:1")
        assert told.image == "r/a:1 or r/b:1"
        assert [ref.name for ref in told.runtime] == ["a", "b", "c"]
        assert told.reasons[0] == (
            "clusterservingruntime a or clusterservingruntime b or clusterservingruntime c is chosen for sklearn"
        )

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_is_the_newest_of_equals_where_ages_are_known(self, minor: int) -> None:
        old = runtime("old", image="r/old:1", created="2024-01-01T00:00:00Z")
        new = runtime("new", image="r/new:1", created="2025-01-01T00:00:00Z")
        assert image_of(service(model()), world(minor, {}, old, new)) == "r/new:1"

    def test_is_not_told_by_age_in_0_8(self) -> None:
        old = runtime("old", created="2024-01-01T00:00:00Z")
        new = runtime("new", created="2025-01-01T00:00:00Z")
        assert chosen(model(), old, new, minor=8) == ["old", "new"]

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_may_be_missing(self, minor: int) -> None:
        assert predictor_of(service(model()), world(minor)) == Resolved(
            (), problem="no runtime serves sklearn", framework="sklearn"
        )


class TestContainer:
    """Facts 4.4: which container of the runtime serves, and what the service lays over it."""

    @staticmethod
    def with_containers(*found: tuple[str | None, str | None], **more: Any) -> Runtime:
        return runtime("mine", containers=tuple(Container(*one) for one in found), **more)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_the_first_to_0_10_and_the_one_named_so_from_0_11_on(self, minor: int) -> None:
        both = self.with_containers(("side", "r/side:1"), ("kserve-container", "r/main:1"))
        assert image_of(service(model()), world(minor, {}, both)) == ("r/side:1" if minor < 11 else "r/main:1")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_needs_its_name_from_0_11_on(self, minor: int) -> None:
        nameless = self.with_containers(("server", "r/x:1"))
        why = "" if minor < 11 else "clusterservingruntime mine has no container named kserve-container"
        assert problem(model(), nameless, minor=minor) == why

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_may_be_missing(self, minor: int) -> None:
        found = predictor_of(service(model()), world(minor, {}, self.with_containers()))
        assert found.images == ()
        assert found.problem.startswith("clusterservingruntime mine has no container")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("more", "image"),
        [
            ({"image": "me/x:2"}, "me/x:2"),
            ({"image": "me/x"}, "me/x"),
            ({"image": ""}, "r/x:1"),
            ({"image": "me/x:2", "runtimeVersion": "3"}, "me/x:3"),
            ({"runtimeVersion": "3"}, "r/x:3"),
        ],
    )
    def test_takes_the_image_of_the_service_and_then_its_version(self, more: Json, image: str, minor: int) -> None:
        found = predictor_of(service(model(**more)), world(minor, {}, runtime("mine")))
        assert (found.image, found.own) == (image, bool(more.get("image")))
        assert found.version == more.get("runtimeVersion")

    @pytest.mark.parametrize("minor", range(10, 21))
    def test_takes_the_image_of_the_service_before_it_looks_for_a_gpu(self, minor: int) -> None:
        one = service(model(image="me/x:2", resources=GPU))
        assert image_of(one, world(minor, {}, runtime("kserve-torchserve"))) == "me/x:2-gpu"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_with_a_digest_has_no_version_from_0_16_on(self, minor: int) -> None:
        found = predictor_of(
            service(model(runtimeVersion="3")), world(minor, {}, runtime("mine", image=f"r/x@{DIGEST}"))
        )
        assert found.image == ("r/x@sha256:3" if minor < 16 else f"r/x@{DIGEST}")
        assert found.version == ("3" if minor < 16 else None)


class TestReasons:
    """Each step is told, in its order."""

    CHOSEN = "clusterservingruntime kserve-torchserve is chosen for pytorch"
    HAS = "clusterservingruntime kserve-torchserve has image r/x:1"

    @pytest.mark.parametrize(
        ("minor", "more", "reasons"),
        [
            (20, {}, (CHOSEN, HAS)),
            (20, {"runtimeVersion": "2"}, (CHOSEN, HAS, "runtimeVersion is 2")),
            (20, {"image": "me/x:1"}, (CHOSEN, "the service has image me/x:1")),
            (20, {"resources": GPU}, (CHOSEN, HAS, "KServe 0.20 makes r/x:1-gpu of it with a GPU")),
            (20, {"runtime": "kserve-torchserve"}, ("the service names clusterservingruntime kserve-torchserve", HAS)),
            (
                20,
                {"protocolVersion": "v1"},
                ("clusterservingruntime kserve-torchserve is chosen for pytorch, protocol v1", HAS),
            ),
            (
                20,
                {"image": f"me/x@{DIGEST}", "runtimeVersion": "2"},
                (CHOSEN, f"the service has image me/x@{DIGEST}", "runtimeVersion is 2, and a digest stays"),
            ),
            (
                10,
                {"image": "me/x:1-gpu", "resources": GPU},
                (
                    CHOSEN,
                    "the service has image me/x:1-gpu",
                    "KServe 0.10 makes me/x:1-gpu or me/x:1-gpu-gpu of it with a GPU",
                ),
            ),
        ],
    )
    def test_are_told(self, minor: int, more: Json, reasons: tuple[str, ...]) -> None:
        where = world(minor, {}, runtime("kserve-torchserve", "pytorch"))
        assert predictor_of(service(model("pytorch", **more)), where).reasons == reasons

    def test_tell_the_processor(self) -> None:
        found = predictor_of(service(model()), world(20, {}, runtime("kserve-vllmserver")))
        assert found.reasons[-1] == "KServe 0.20 makes r/x-cpu:1 of it without a GPU"

    def test_have_the_runtime_and_the_framework_beside_them(self) -> None:
        mine = runtime("mine", "xgboost", namespace=NAMESPACE)
        found = predictor_of(service(model("xgboost", runtimeVersion="2")), world(20, {}, mine))
        assert (found.framework, found.runtime, found.version) == ("xgboost", (mine.ref,), "2")


FORMATS = st.lists(
    st.builds(
        ModelFormat, st.sampled_from(["sklearn", "onnx"]), st.sampled_from([None, "1"]), st.booleans(), st.none()
    ),
    max_size=2,
).map(tuple)
RUNTIMES = st.lists(
    st.builds(
        lambda name, namespace, formats, **more: runtime(name, namespace=namespace, **more)._replace(formats=formats),
        st.sampled_from(["a", "b", "kserve-torchserve"]),
        st.sampled_from(["", NAMESPACE, "other"]),
        FORMATS,
        speaks=st.sampled_from(["v1", "v2", ""]),
        image=st.sampled_from(["r/a:1", "r/b:1"]),
        disabled=st.booleans(),
        multi_model=st.booleans(),
        workers=st.booleans(),
    ),
    max_size=4,
)


@given(RUNTIMES, st.sampled_from([None, "a", "kserve-torchserve"]), st.sampled_from(WITH_RUNTIMES))
def test_a_service_with_its_own_image_has_it_or_nothing_whatever_the_runtimes(
    runtimes: list[Runtime], named: str | None, minor: int
) -> None:
    one = service(model(image="me/x:1", **({"runtime": named} if named else {})))
    found = predictor_of(one, world(minor, {}, *runtimes))
    assert found.images == (() if found.problem else ("me/x:1",))


@given(RUNTIMES, st.permutations(range(4)), st.sampled_from(WITH_RUNTIMES))
def test_the_order_in_which_runtimes_are_read_decides_nothing(
    runtimes: list[Runtime], order: list[int], minor: int
) -> None:
    distinct = list({one.ref: one for one in runtimes}.values())
    mixed = [distinct[i] for i in order if i < len(distinct)]
    found, again = (predictor_of(service(model()), world(minor, {}, *among)) for among in (distinct, mixed))
    assert (set(found.images), set(found.runtime)) == (set(again.images), set(again.runtime))
    assert bool(found.problem) == bool(again.problem)
