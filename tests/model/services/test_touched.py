"""What a change touches, which services it may concern, and what there is to say of all services together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksconfig.model.plan import ImageChange
from ksconfig.model.services.impact import (
    EFFECTS,
    Effect,
    Impact,
    ServiceImpact,
    Touched,
    concerned,
    new_services,
    ordered,
    repository,
    touched,
)
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import Service
from ksconfig.model.services.world import World
from tests.model.services.builders import (
    BY_CONFIG,
    DIGEST,
    GPU,
    NAMESPACE,
    V1ALPHA2,
    WITH_RUNTIMES,
    Json,
    model,
    runtime,
    service,
    split,
    storage_container,
    v1alpha2,
    world,
)

CONFIG: Json = {
    "predictors": {"sklearn": {"v1": split("r/sk"), "v2": split("r/ml")}, "onnx": split("r/onnx")},
    "explainers": {"art": split("r/art"), "alibi": split("r/alibi")},
    "storageInitializer": {"image": "r/si:1", "cpuLimit": "1"},
    "agent": {"image": "r/agent:1"},
    "router": {"image": "r/router:1"},
    "logger": {"image": "r/logger:1"},
}


def of(*frameworks: str, **more: bool) -> Touched:
    return Touched(frozenset(frameworks), **more)


class TestTouched:
    """What differs between two worlds, of all that decides images."""

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({}, of()),
            ({"predictors": {**CONFIG["predictors"], "onnx": split("r/onnx", "2")}}, of("onnx")),
            ({"predictors": {"sklearn": CONFIG["predictors"]["sklearn"]}}, of("onnx")),
            ({"predictors": {**CONFIG["predictors"], "pmml": split("r/pmml")}}, of("pmml")),
            ({"predictors": {"SKLearn": {"v1": split("new/sk")}, "ONNX": split("r/onnx")}}, of("sklearn")),
            ({"predictors": {}}, of("sklearn", "onnx")),
            ({"explainers": {"art": split("new/art"), "alibi": split("r/alibi")}}, of("explainer/art")),
            ({"explainers": {"ART": split("new/art"), "alibi": split("r/alibi")}}, of("explainer/art")),
            ({"storageInitializer": {"image": "r/si:2"}}, of(pods=True)),
            ({"storageInitializer": {"image": "r/si:1", "cpuLimit": "2"}}, of()),
            ({"agent": {"image": "r/agent:2"}}, of(pods=True)),
            ({"agent": {}}, of(pods=True)),
            ({"router": {"image": "r/router:2"}}, of(router=True)),
            ({"logger": {"image": "r/logger:2"}}, of()),
        ],
        ids=str,
    )
    def test_are_parts_of_the_config(self, changed: Json, expected: Touched) -> None:
        assert touched(world(7, CONFIG), world(7, {**CONFIG, **changed})) == expected

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ([runtime("a", "sklearn onnx")], [runtime("a", "sklearn onnx", image="new/x:1")]),
            ([runtime("a", "sklearn")], [runtime("a", "onnx")]),
            ([], [runtime("a", "sklearn onnx")]),
            ([runtime("a", "sklearn onnx")], []),
            ([runtime("a", "sklearn onnx")], [runtime("a", "sklearn onnx", disabled=True)]),
            ([runtime("a", "sklearn onnx")], [runtime("a", "sklearn onnx", namespace=NAMESPACE)]),
        ],
        ids=["another image", "another format", "added", "removed", "disabled", "moved"],
    )
    def test_are_all_formats_of_a_runtime(self, before: list[Any], after: list[Any], minor: int) -> None:
        beside = runtime("b", "pmml")
        assert touched(world(minor, {}, *before, beside), world(minor, {}, beside, *after)) == of("sklearn", "onnx")

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_are_no_runtimes_where_the_release_has_none(self, minor: int) -> None:
        assert not touched(world(minor), world(minor, {}, runtime("a")))

    def test_are_storage_containers(self) -> None:
        old, new = (world(11, storage=(storage_container(image, "gs://"),)) for image in ("r/s:1", "r/s:2"))
        assert touched(old, new) == of(pods=True)

    @pytest.mark.parametrize(("minor", "lends"), [(7, False), (8, True), (9, True), (10, False)])
    @pytest.mark.parametrize("framework", ["tensorflow", "pytorch", "onnx"])
    def test_are_gpu_tags_that_predictors_lend_to_runtimes(self, framework: str, minor: int, lends: bool) -> None:
        old, new = (world(minor, {"predictors": {framework: split("r/x", tag)}}) for tag in ("1", "2"))
        assert touched(old, new) == of(framework, gpu_tags=lends and framework != "onnx")

    @pytest.mark.parametrize(
        ("what", "something"),
        [(of(), False), (of(router=True), False), (of("sklearn"), True), (of(pods=True), True)],
    )
    def test_are_nothing_to_services_if_it_is_only_the_router(self, what: Touched, something: bool) -> None:
        assert bool(what) is something


class TestConcerned:
    """The first look, after which most services need no other."""

    @pytest.mark.parametrize(
        ("one", "what", "expected"),
        [
            (service({"sklearn": {}}), of("sklearn"), True),
            (service({"sklearn": None}), of("sklearn"), False),
            (service({"sklearn": {}}), of("onnx", "explainer/sklearn"), False),
            (service(model()), of("sklearn"), True),
            (service(model()), of("onnx"), False),
            (service({**model("onnx"), "sklearn": {}}), of("sklearn"), True),
            (service({"containers": [{"image": "me/x:1"}]}), of("sklearn"), True),
            (service({**model(), "containers": [{"image": "me/x:1"}]}), of("onnx"), False),
            (service(model(), explainer={"art": {}}), of("explainer/art"), True),
            (service(model(), explainer={"art": {}}), of("explainer/alibi"), False),
            (service(model(), transformer={"containers": []}), of("onnx"), False),
            (service(model()), of("tensorflow"), False),
            (service(model()), of("tensorflow", gpu_tags=True), True),
            (service({}), of("sklearn"), False),
            (service({}), of(pods=True), True),
            (v1alpha2({"predictor": {"onnx": {}}}), of("sklearn"), True),
            (service(model(), canary=[{"predictor": model("onnx")}]), of("onnx"), True),
        ],
    )
    def test_is_what_may_have_to_do_with_it(self, one: Service, what: Touched, expected: bool) -> None:
        assert concerned(one, what) is expected

    @pytest.mark.parametrize("name", [None, 1, ["sklearn"], {"a": "sklearn"}], ids=str)
    def test_is_not_what_has_no_name_of_a_format_at_all(self, name: Any) -> None:
        assert not concerned(service({"model": {"modelFormat": {"name": name}}}), of("sklearn"))


def pick(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


FRAMEWORKS = ("sklearn", "onnx", "tensorflow")
IMAGES = pick("r/a", "r/a:1", "r/b:2-gpu", f"r/c@{DIGEST}")
RARE = {
    "image": IMAGES,
    "protocolVersion": pick("v1", "v2"),
    "storageUri": pick("own://b"),
    "modelClassName": pick("N"),
}
BODIES = st.builds(
    lambda body, rare: {**body, **rare},
    st.fixed_dictionaries({"resources": pick({}, GPU)}, optional={"runtimeVersion": pick("1", "2-gpu")}),
    st.just({}) | st.just({}) | st.fixed_dictionaries({}, optional=RARE),
)
MODELS = st.builds(
    lambda body, form, named: {**body, "modelFormat": form, **({"runtime": named} if named else {})},
    BODIES,
    st.builds(dict, name=pick(*FRAMEWORKS)),
    pick(None, None, None, "kserve-a"),
)
CONTAINERS = st.lists(
    st.fixed_dictionaries({}, optional={"name": pick("kserve-container", "a"), "image": IMAGES}), max_size=2
)
WHOLE = {"model": MODELS, **dict.fromkeys(FRAMEWORKS, BODIES), "containers": CONTAINERS}
PREDICTORS = st.one_of(
    st.builds(lambda model: {"model": model}, MODELS),
    st.builds(lambda name, body: {name: body}, pick(*FRAMEWORKS), BODIES),
    st.fixed_dictionaries({}, optional=WHOLE),
)
EXPLAINERS = st.fixed_dictionaries({}, optional={"art": BODIES, "alibi": BODIES, "containers": CONTAINERS})
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "canary": st.lists(st.fixed_dictionaries({"predictor": PREDICTORS}), max_size=1),
        "explainer": EXPLAINERS,
        "transformer": st.fixed_dictionaries({"containers": CONTAINERS}),
    },
)
ENDPOINTS = st.fixed_dictionaries({"predictor": PREDICTORS}, optional={"explainer": EXPLAINERS})
V1BETA1 = st.builds(lambda predictor, more: service(predictor, **more), PREDICTORS, st.just({}) | OTHERS)
SERVICES = V1BETA1 | V1BETA1 | st.builds(v1alpha2, ENDPOINTS, st.none() | ENDPOINTS)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "image": pick("r/a", "r/b"),
        "defaultImageVersion": pick("1"),
        "defaultGpuImageVersion": pick("1-g", "2-g"),
    },
)
GROUPS = ENTRIES | ENTRIES | st.fixed_dictionaries({}, optional={"v1": ENTRIES, "v2": ENTRIES})
KEYS: dict[str, st.SearchStrategy[Json]] = {
    "predictors": st.dictionaries(pick(*FRAMEWORKS, "SKLearn"), GROUPS),
    "explainers": st.dictionaries(pick("art", "alibi", "Alibi"), ENTRIES),
    "storageInitializer": st.fixed_dictionaries({"image": IMAGES}),
    "agent": st.fixed_dictionaries({"image": IMAGES}),
}
CONFIGS = st.fixed_dictionaries({}, optional=KEYS)
RUNTIMES = st.lists(
    st.builds(
        runtime,
        pick("kserve-a", "b", "kserve-tensorflow-serving"),
        pick("sklearn", "sklearn@1 onnx", "onnx", "tensorflow", "tensorflow- sklearn"),
        pick("v1", "v1 v2"),
        IMAGES,
        pick("", "", NAMESPACE, "elsewhere"),
        disabled=pick(False, False, True),
    ),
    min_size=1,
    max_size=2,
)
STORAGE = st.lists(st.builds(storage_container, IMAGES, pick("own://", "gs://")), max_size=1).map(tuple)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[World, World]:
    """Two worlds of one release that differ in one thing, which is the easiest to overlook."""
    minor = draw(pick(8, 9, 10, 16, 20, 7) | st.integers(2, 20))
    config, runtimes, storage = draw(CONFIGS), draw(RUNTIMES), draw(STORAGE)
    old = world(minor, config, *runtimes, storage=storage)
    what = draw(pick("runtime", "predictors", "explainers", "storage", "agent", "storageInitializer"))
    if what == "runtime":
        at = draw(st.integers(0, len(runtimes)))
        runtimes = [*runtimes[:at], *draw(pick([]) | RUNTIMES)[:1], *runtimes[at + 1 :]]
    elif what == "storage":
        storage = draw(STORAGE)
    elif what in ("predictors", "explainers") and what in config:
        config = {**config, what: {**config[what], **draw(KEYS[what])}}
    else:
        config = {**config, what: draw(KEYS[what])}
    return old, world(minor, config, *runtimes, storage=storage)


class TestNoneIsOverlooked:
    """Whatever a change touches: a service that the first look leaves out keeps its images.

    One that has none may lack it for another reason than before: the runtime that it names never listed its format.
    """

    @staticmethod
    def images(one: Service, where: World) -> dict[str, tuple[tuple[str, ...], bool]]:
        return {name: (found.images, bool(found.problem)) for name, found in resolve(one, where).items()}

    @settings(max_examples=600, deadline=None)
    @given(SERVICES, pairs())
    def test_what_is_not_concerned_has_the_same_images_as_before(
        self, one: Service, worlds: tuple[World, World]
    ) -> None:
        old, new = worlds
        if not concerned(one, touched(old, new)):
            assert self.images(one, old) == self.images(one, new)


class TestNewServices:
    """What services get that are created from then on."""

    @staticmethod
    def told(old: World, new: World) -> list[tuple[str, str, str]]:
        found = new_services(old, new, touched(old, new))
        assert all(isinstance(one, ImageChange) for one in found)
        return [(one.target, one.before, one.after) for one in found]

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_have_the_default_version_of_the_config_in_v1alpha2(self, minor: int) -> None:
        allowed = {"allowedImageVersions": ["1", "2"]}
        old, new = (world(minor, {"predictors": {"onnx": split("r/o", tag, **allowed)}}) for tag in ("1", "2"))
        assert self.told(old, new) == [("onnx", "r/o:1", "r/o:2")]

    @pytest.mark.parametrize("minor", [2, 3])
    def test_have_none_where_the_version_is_not_among_those_allowed(self, minor: int) -> None:
        allowed = {"allowedImageVersions": ["1"]}
        old, new = (world(minor, {"predictors": {"onnx": split("r/o", tag, **allowed)}}) for tag in ("1", "2"))
        assert self.told(old, new) == [("onnx", "r/o:1", "")]

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_have_the_default_version_of_the_config_by_protocol(self, minor: int) -> None:
        def nested(one: str, two: str) -> World:
            return world(minor, {"predictors": {"sklearn": {"v1": split("r/sk", one), "v2": split("r/ml", two)}}})

        assert self.told(nested("1", "1"), nested("2", "1")) == [("sklearn", "r/sk:1", "r/sk:2")]
        assert self.told(nested("1", "1"), nested("1", "2")) == [("sklearn/v2", "r/ml:1", "r/ml:2")]
        assert [one[0] for one in self.told(nested("1", "1"), nested("2", "2"))] == ["sklearn", "sklearn/v2"]

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_of_pytorch_differ_by_server(self, minor: int) -> None:
        def nested(one: str, two: str) -> World:
            return world(minor, {"predictors": {"pytorch": {"v1": split("r/pt", one), "v2": split("r/ts", two)}}})

        assert self.told(nested("1", "1"), nested("2", "1")) == [("pytorch/v1", "r/pt:1", "r/pt:2")]
        assert self.told(nested("1", "1"), nested("1", "2")) == [("pytorch/v2", "r/ts:1", "r/ts:2")]

    @pytest.mark.parametrize("minor", range(3, 8))
    def test_with_a_gpu_have_the_tag_of_the_config_for_it(self, minor: int) -> None:
        def flat(one: str, gpu: str) -> World:
            tags = {"allowedImageVersions": ["1", "2", "1-gpu", "2-gpu"], "defaultGpuImageVersion": f"{gpu}-gpu"}
            return world(minor, {"predictors": {"tensorflow": split("r/tf", one, **tags)}})

        with_gpu = ("tensorflow with a GPU", "r/tf:1-gpu", "r/tf:2-gpu")
        assert self.told(flat("1", "1"), flat("1", "2")) == [with_gpu]
        assert self.told(flat("1", "1"), flat("2", "2")) == [("tensorflow", "r/tf:1", "r/tf:2"), with_gpu]

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_on_torchserve_with_a_gpu_have_its_tag(self, minor: int) -> None:
        def torchserve(gpu: str) -> World:
            block = {"v1": split("r/pt", "1"), "v2": split("r/ts", "1", defaultGpuImageVersion=gpu)}
            return world(minor, {"predictors": {"pytorch": block}})

        told = self.told(torchserve("1-gpu"), torchserve("2-gpu"))
        assert told == [("pytorch/v2 with a GPU", "r/ts:1-gpu", "r/ts:2-gpu")]

    @pytest.mark.parametrize("minor", [12, 20])
    def test_on_a_server_whose_tag_tells_of_a_gpu_have_that_tag(self, minor: int) -> None:
        old, new = (
            world(minor, {}, runtime("kserve-tensorflow-serving", "tensorflow", image=f"r/tf:{tag}")) for tag in "12"
        )
        assert self.told(old, new) == [
            ("tensorflow", "r/tf:1", "r/tf:2"), ("tensorflow with a GPU", "r/tf:1-gpu", "r/tf:2-gpu"),
        ]  # fmt: skip

    def test_with_a_gpu_are_not_told_of_twice(self) -> None:
        old, new = (world(12, {}, runtime("mine", "tensorflow", image=f"r/tf:{tag}")) for tag in "12")
        assert self.told(old, new) == [("tensorflow", "r/tf:1", "r/tf:2")]

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_have_the_runtime_that_is_chosen_for_them(self, minor: int) -> None:
        v2 = runtime("kserve-mlserver", "sklearn", "v2", "r/ml:1")
        old, new = (
            world(minor, {}, runtime("kserve-sklearnserver", image=f"{host}/sk:1"), v2) for host in ("r", "new")
        )
        assert self.told(old, new) == [("sklearn", "r/sk:1", "new/sk:1")]

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_have_none_where_no_runtime_is_left(self, minor: int) -> None:
        old, new = (world(minor, {}, runtime("a", disabled=disabled)) for disabled in (False, True))
        assert ("sklearn", "r/x:1", "") in self.told(old, new)

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_have_the_default_version_of_an_explainer_in_every_release(self, minor: int) -> None:
        old, new = (world(minor, {"explainers": {"art": split("r/art", tag)}}) for tag in ("1", "2"))
        assert self.told(old, new) == [("explainer/art", "r/art:1", "r/art:2")]

    @pytest.mark.parametrize("minor", range(10, 21))
    def test_are_not_told_of_where_nothing_is_read(self, minor: int) -> None:
        old, new = (world(minor, {"predictors": {"onnx": split("r/o", tag)}}, runtime("a", "onnx")) for tag in "12")
        assert self.told(old, new) == []

    def test_are_told_of_by_name(self) -> None:
        old, new = (
            world(7, {"predictors": {"pmml": split("r/p", tag), "onnx": split("r/o", tag)}}) for tag in ("1", "2")
        )
        assert [one[0] for one in self.told(old, new)] == ["onnx", "pmml"]


class TestRepository:
    """An image without tag and digest."""

    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ("r/x:1", "r/x"),
            ("r/x", "r/x"),
            ("host:5000/r/x", "host:5000/r/x"),
            ("host:5000/r/x:1", "host:5000/r/x"),
            (f"r/x@{DIGEST}", "r/x"),
            (f"r/x:1@{DIGEST}", "r/x"),
            (f"host:5000/x:1@{DIGEST}", "host:5000/x"),
            (":1", ""),
            ("", ""),
        ],
    )
    def test_is_what_is_left(self, image: str, expected: str) -> None:
        assert repository(image) == expected


class TestOrder:
    """What needs a decision comes first."""

    @staticmethod
    def one(effect: Effect, name: str = "m", component: str = "predictor", namespace: str = "a") -> ServiceImpact:
        return ServiceImpact(namespace, name, component, effect, "", "")

    def test_is_by_effect_namespace_name_and_component(self) -> None:
        expected = [self.one(effect) for effect in EFFECTS]
        expected[2:3] = [
            self.one("changes", "a"),
            self.one("changes", "b", "explainer"),
            self.one("changes", "b", "predictor"),
            self.one("changes", "a", namespace="b"),
        ]
        assert ordered(expected[::-1]) == tuple(expected)
        assert EFFECTS[:2] == ("pinned-tag", "invalid")
        assert EFFECTS[-1] == "not-reached"

    def test_the_effects_are_told_apart(self) -> None:
        changes, canary, pinned = self.one("changes"), self.one("canary"), self.one("pinned-tag")
        impact = Impact(ordered([canary, changes, pinned]))
        assert impact.having("canary", "changes") == (changes, canary)
        assert impact.having("invalid") == ()
