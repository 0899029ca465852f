"""Telling the release from the config, and from what stands beside it."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.errors import UsageError
from ksconfig.model.detect import (
    Evidence,
    ReleaseGuess,
    RuntimeEvidence,
    controller_releases,
    given_release,
    guess_release,
)
from ksconfig.model.releases import OLDEST, RULES, Release

FLAT = {"image": "r/x", "defaultImageVersion": "1"}
BOTH = {"v1": FLAT, "v2": FLAT}
LISTED = {**FLAT, "allowedImageVersions": ["1"]}
TENSORFLOW = {**FLAT, "defaultGpuImageVersion": "1-gpu"}


def guess(data: dict[str, Any], *broken: str) -> ReleaseGuess:
    return guess_release(data, frozenset([*data, *broken]))


def minors(found: ReleaseGuess) -> list[int]:
    return [release.minor for release in found.candidates]


def whole(minor: int, **replaced: Any) -> dict[str, Any]:
    """All keys that a release ships, with contents of no meaning."""
    rules = RULES[Release(0, minor)]
    data: dict[str, Any] = {key: {} for key in rules.keys}
    if "predictors" in data:
        data["predictors"] = {
            name: BOTH if shape == "protocols" else LISTED if rules.version_list else FLAT
            for name, shape in rules.frameworks.items()
        }
    return {**data, **replaced}


@pytest.mark.parametrize(
    ("minor", "candidates"),
    [
        (2, [2, 3]),
        (4, [4]),
        (5, [5, 6]),  # 0.6 can do with the frameworks of 0.5
        (6, [6]),
        (7, [7, 8]),
        (9, [9]),
        (10, [10]),
        (11, [11, 12, 13]),
        (14, [14]),
        (15, [15]),
        (16, [16, 17, 18, 19, 20]),
        (20, [16, 17, 18, 19, 20]),
    ],
)
def test_a_whole_config_tells_its_release_by_its_keys(minor: int, candidates: list[int]) -> None:
    assert minors(guess(whole(minor))) == candidates


@pytest.mark.parametrize("minor", [release.minor for release in RULES])
def test_the_true_release_is_always_among_them(minor: int) -> None:
    assert minor in minors(guess(whole(minor)))


@pytest.mark.parametrize(
    ("data", "candidates"),
    [
        ({"predictors": {"sklearn": LISTED}}, [2, 3]),
        ({"predictors": {"sklearn": FLAT}}, [4]),
        ({"predictors": {"tensorrt": LISTED}}, [2, 3]),
        ({"predictors": {"sklearn": BOTH}}, [5, 6, 7, 8, 9]),
        ({"predictors": {"sklearn": {"v1": FLAT}}}, [5, 6, 7, 8, 9]),
        ({"predictors": {"sklearn": BOTH, "paddle": FLAT}}, [6, 7, 8, 9]),
        ({"predictors": {"sklearn": BOTH, "pytorch": FLAT}, "deploy": {}}, [7, 8, 9]),
        ({"predictors": {"sklearn": BOTH}, "deploy": {}}, [7, 8, 9]),
        ({"predictors": {"sklearn": BOTH}, "router": {}}, [9]),
        ({"metricsAggregator": {}}, list(range(10, 21))),
        ({"localModel": {}}, list(range(14, 21))),
        ({"autoscaler": {}}, list(range(16, 21))),
        ({"batcher": {}}, list(range(4, 21))),
        ({}, list(range(2, 21))),
    ],
)
def test_a_part_of_a_config_tells_as_much_as_it_can(data: dict[str, Any], candidates: list[int]) -> None:
    assert minors(guess(data)) == candidates


def test_predictors_that_an_upgrade_left_behind_do_not_make_a_new_config_old() -> None:
    found = guess(whole(14, predictors={"sklearn": BOTH}, transformers={}))

    assert found.candidates[0] >= Release(0, 14)
    assert all(rules.predictors == "unread" for rules in found.rules)


def test_a_key_that_is_broken_still_counts_by_its_name() -> None:
    data = whole(4)
    del data["predictors"]

    assert minors(guess(data, "predictors")) == [4]


def test_keys_that_kserve_never_had_are_not_looked_at() -> None:
    assert minors(guess(whole(14, oauthProxy={"image": "r/proxy:1"}))) == [14]


@pytest.mark.parametrize(
    ("images", "likely"),
    [
        ({"agent": "kserve/agent:v0.18.0"}, (0, 18)),
        ({"agent": "r.example:5000/agent:v0.18"}, (0, 18)),
        ({"agent": "kserve/agent:v0.18.0-rc1"}, (0, 18)),
        ({"agent": "kserve/agent:v0.18.0", "router": "kserve/router:v0.18.1"}, (0, 18)),
        ({"agent": "kserve/agent:v0.18.0", "router": "kserve/router:v0.17.0"}, None),
        ({"agent": "kserve/agent:v0.14.0"}, None),
        ({"agent": "kserve/agent:latest"}, None),
        ({"agent": "kserve/agent"}, None),
        ({"agent": 7}, None),
        ({}, None),
    ],
)
def test_tags_of_helper_images_say_which_is_likely(images: dict[str, Any], likely: tuple[int, int] | None) -> None:
    found = guess(whole(16, **{key: {"image": image} for key, image in images.items()}))

    assert found.likely == likely
    assert minors(found) == [16, 17, 18, 19, 20]
    assert len(found.likely_rules) == (1 if likely else 5)


@pytest.mark.parametrize("predictors", [[], "text", None, 7, {"sklearn": 7}, {"sklearn": None}])
def test_odd_predictors_do_no_harm(predictors: Any) -> None:
    assert minors(guess(whole(7, predictors=predictors)))


def test_a_given_release_is_the_only_candidate() -> None:
    found = given_release("v0.9.0")

    assert found.candidates == (Release(0, 9),)
    assert found.given
    assert str(found) == "0.9"
    with pytest.raises(UsageError):
        given_release("nine")


@pytest.mark.parametrize(
    ("candidates", "likely", "written"),
    [
        ([7], None, "0.7"),
        ([7, 8], None, "0.7 or 0.8"),
        ([7, 8], 8, "0.8 (by its image tags)"),
        ([16, 17, 18, 19, 20], None, "0.16 to 0.20"),
        ([7, 9, 12], None, "0.7 or 0.9 or 0.12"),
    ],
)
def test_a_guess_is_written_for_people(candidates: list[int], likely: int | None, written: str) -> None:
    found = ReleaseGuess(tuple(Release(0, minor) for minor in candidates), Release(0, likely) if likely else None)
    assert str(found) == written


KSERVE, KUBEFLOW = ".serving.kserve.io", ".serving.kubeflow.org"
DIGEST = "sha256:" + "ab" * 32
# Facts 7.1: the custom resources of each release, by the first that has them.
SINCE = {
    5: ["trainedmodels"],
    8: ["servingruntimes", "clusterservingruntimes"],
    9: ["inferencegraphs"],
    11: ["clusterstoragecontainers"],
    14: ["localmodelnodegroups"],
    15: ["localmodelcaches", "localmodelnodes"],
    16: ["llminferenceservices", "llminferenceserviceconfigs"],
    18: ["localmodelnamespacecaches"],
}


def definitions(minor: int) -> frozenset[str]:
    """The definitions that a release installs, with the field that came in 0.11."""
    plurals = ["inferenceservices", *(name for since, new in SINCE.items() if since <= minor for name in new)]
    plurals += ["clusterlocalmodels"] if minor == 14 else []
    field = ["servingruntimes/priority"] if minor >= 11 else []
    return frozenset([plural + (KSERVE if minor >= 7 else KUBEFLOW) for plural in plurals] + field)


def beside(
    data: dict[str, Any] | None = None, images: tuple[str, ...] = (), since: Release = OLDEST, **evidence: Any
) -> ReleaseGuess:
    """The guess for a config (none by default) and what stands beside it."""
    data = data or {}
    return guess_release(data, frozenset(data), Evidence(**evidence), lambda: RuntimeEvidence(images, since))


class TestController:
    """Facts 7.1: the tag of the controller's image is the best witness."""

    @pytest.mark.parametrize(
        ("image", "minor"),
        [
            ("kserve/kserve-controller:v0.11.1", 11),
            ("kserve-controller:v0.15.2", 15),
            ("registry.example/kfserving/kfserving-controller:0.2.2", 2),
            ("kfserving/kfserving-controller:v0.6.1", 6),
            ("registry.example/kserve-controller:v0.9.0", 9),
            ("registry.example:5000/mirror/kserve/kserve-controller:v0.9.0", 9),
            (f"registry.example:5000/kserve-controller:v0.9.0@{DIGEST}", 9),
            ("kserve/kserve-controller:v0.16", 16),
            ("kserve/kserve-controller:v0.16.0-rc1", 16),
            ("kserve/kserve-controller:0.20.0", 20),
        ],
    )
    def test_tells_the_release(self, image: str, minor: int) -> None:
        found = beside(controllers=(image,))
        assert minors(found) == [minor]
        assert found.told_by == "the image of the controller"
        assert not found.unverified

    @pytest.mark.parametrize(
        "image",
        [
            f"kserve/kserve-controller@{DIGEST}",
            "kserve/kserve-controller:latest",
            "kserve/kserve-controller",
            "registry.example:5000/kserve-controller",
            "ko://registry.example/kserve/cmd/manager",
            "kserve/kserve-localmodel-controller:v0.14.0",
            "kserve/llmisvc-controller:v0.16.0",
            "kserve/kserve-controller:v0.1.0",
            "registry.example/manager:v0.11.1",
            "",
        ],
    )
    def test_tells_nothing_by_what_is_no_tag_of_kserves_own(self, image: str) -> None:
        assert minors(beside(controllers=(image,))) == list(range(2, 21))
        assert minors(beside(whole(14), controllers=(image,))) == [14]

    def test_wins_over_keys_definitions_and_kinds(self) -> None:
        found = beside(
            whole(14),
            ("kserve/sklearnserver:v0.14.0",),
            controllers=("kserve/kserve-controller:v0.11.1",),
            crds=definitions(15),
            kinds=frozenset({"LLMInferenceService"}),
        )
        assert minors(found) == [11]
        assert found.likely is None

    def test_told_twice_alike_is_told(self) -> None:
        images = ("kserve/kserve-controller:v0.9.0", "registry.example/kserve-controller:v0.9.1")
        assert minors(beside(controllers=images)) == [9]

    def test_told_twice_otherwise_tells_nothing(self) -> None:
        images = ("kserve/kserve-controller:v0.9.0", "kserve/kserve-controller:v0.14.0")
        assert controller_releases(images) == (Release(0, 9), Release(0, 14))
        assert minors(beside(whole(10), controllers=images)) == [10]

    @pytest.mark.parametrize(("tag", "release"), [("v0.21.0", (0, 21)), ("v0.21", (0, 21)), ("v1.2.3", (1, 2))])
    def test_newer_than_all_known_ones_stands_under_the_newest_rules_unverified(
        self, tag: str, release: tuple[int, int]
    ) -> None:
        found = beside(whole(20), controllers=(f"kserve/kserve-controller:{tag}",))
        assert found.candidates == (release,)
        assert found.unverified
        assert found.rules == (RULES[Release(0, 20)]._replace(release=Release(*release)),)


class TestDefinitions:
    """Facts 7.1: the custom resource definitions come with their releases."""

    @pytest.mark.parametrize(
        ("minor", "candidates"),
        [
            (4, [2, 3, 4]),
            (5, [5, 6]),
            (7, [7]),
            (8, [8]),
            (9, [9, 10]),
            (11, [11, 12, 13]),
            (14, [14]),
            (15, [15]),
            (16, [16, 17]),
            (18, [18, 19, 20]),
        ],
    )
    def test_of_a_whole_release_tell_it(self, minor: int, candidates: list[int]) -> None:
        # later releases that only add to them are not excluded by them
        found = minors(beside(crds=definitions(minor)))
        assert set(candidates) <= set(found)
        assert found[0] == candidates[0]

    @pytest.mark.parametrize("minor", [release.minor for release in RULES])
    def test_of_the_true_release_never_exclude_it(self, minor: int) -> None:
        assert minor in minors(beside(crds=definitions(minor)))
        assert minor in minors(beside(whole(minor), crds=definitions(minor)))

    def test_tell_0_7_from_0_8_by_the_runtimes(self) -> None:
        assert minors(beside(whole(7))) == [7, 8]
        assert minors(beside(whole(7), crds=definitions(7))) == [7]
        assert minors(beside(whole(7), crds=definitions(8))) == [8]

    def test_tell_0_11_by_the_priority_of_formats(self) -> None:
        old = frozenset({"servingruntimes" + KSERVE})
        assert minors(beside(crds=old)) == [8, 9, 10]
        assert minors(beside(crds=old | {"servingruntimes/priority"})) == list(range(11, 21))

    def test_tell_0_14_by_the_one_that_it_alone_has(self) -> None:
        assert minors(beside(crds=frozenset({"clusterlocalmodels" + KSERVE}))) == [14]

    def test_of_the_old_group_are_of_a_release_to_0_6(self) -> None:
        assert minors(beside(crds=frozenset({"inferenceservices" + KUBEFLOW}))) == list(range(2, 7))

    def test_of_the_old_group_beside_the_new_one_are_left_from_an_upgrade(self) -> None:
        both = frozenset({"inferenceservices" + KUBEFLOW}) | definitions(9)
        assert minors(beside(crds=both)) == minors(beside(crds=definitions(9)))

    def test_are_of_less_account_than_the_keys_where_both_cannot_be(self) -> None:
        """Facts 7.1: definitions outlive a downgrade, and may come from another chart."""
        assert minors(beside(whole(4), crds=frozenset({"unknown.example"}))) == [4]

    @pytest.mark.parametrize("minor", [9, 14, 20])
    def test_do_not_exclude_all_that_the_keys_leave(self, minor: int) -> None:
        found = beside(whole(minor), crds=frozenset({"inferenceservices" + KSERVE}))
        assert minor in minors(found)


class TestKinds:
    """An object of a kind can only be of a release that has the kind."""

    @pytest.mark.parametrize(
        ("kind", "first"),
        [
            ("ServingRuntime", 8),
            ("ClusterServingRuntime", 8),
            ("InferenceGraph", 9),
            ("ClusterStorageContainer", 11),
            ("LocalModelNodeGroup", 14),
            ("LocalModelCache", 15),
            ("LLMInferenceService", 16),
            ("LocalModelNamespaceCache", 18),
        ],
    )
    def test_exclude_older_releases(self, kind: str, first: int) -> None:
        assert minors(beside(kinds=frozenset({kind, "Deployment"}))) == list(range(first, 21))

    def test_tell_0_7_from_0_8(self) -> None:
        found = beside(whole(7), kinds=frozenset({"ConfigMap", "ClusterServingRuntime"}))
        assert minors(found) == [8]
        assert found.told_by == "the keys of the config and the kinds of objects"

    def test_of_others_tell_nothing(self) -> None:
        assert minors(beside(kinds=frozenset({"Deployment", "InferenceService", "List"}))) == list(range(2, 21))


class TestRuntimeImages:
    """KServe ships its servers under its own number: a likelihood, asked for last."""

    @pytest.mark.parametrize(
        ("images", "likely"),
        [
            (("kserve/sklearnserver:v0.18.0", "kserve/xgbserver:v0.18.0", "tensorflow/serving:2.6.2"), 18),
            (("registry.example:5000/kserve/lgbserver:v0.18.0-gpu",), 18),
            ((f"kserve/huggingfaceserver:v0.18.0@{DIGEST}",), 18),
            (("kserve/sklearnserver:v0.18.0", "kserve/xgbserver:v0.17.0"), None),
            (("kserve/sklearnserver:v0.18.0", "registry.example/team/xgbserver:1.2"), 18),
            (("kserve/sklearnserver:v0.9.0",), None),  # the keys exclude it
            (("kserve/sklearnserver:latest",), None),
            (("registry.example/seldonio/mlserver:0.18.0",), None),
            ((), None),
        ],
    )
    def test_say_which_is_likely(self, images: tuple[str, ...], likely: int | None) -> None:
        found = beside(whole(16), images)
        assert found.likely == (likely and Release(0, likely))
        assert minors(found) == [16, 17, 18, 19, 20]

    def test_say_less_than_the_helpers_of_the_config(self) -> None:
        data = whole(16, agent={"image": "kserve/agent:v0.19.0"})
        assert beside(data, ("kserve/sklearnserver:v0.18.0",)).likely == Release(0, 19)

    @pytest.mark.parametrize("tag", ["latest", "mine", "v0.9.0"])
    def test_say_what_the_helpers_of_the_config_do_not(self, tag: str) -> None:
        data = whole(16, agent={"image": f"kserve/agent:{tag}"})
        assert beside(data, ("kserve/sklearnserver:v0.18.0",)).likely == Release(0, 18)

    def test_exclude_the_releases_before_their_newest_field(self) -> None:
        found = beside(kinds=frozenset({"ClusterServingRuntime"}), since=Release(0, 11))
        assert minors(found) == list(range(11, 21))

    def test_are_not_asked_for_where_the_controller_decides(self) -> None:
        def asked() -> RuntimeEvidence:
            raise AssertionError("the runtimes were read")

        evidence = Evidence(controllers=("kserve/kserve-controller:v0.16.0",))
        assert minors(guess_release({}, frozenset(), evidence, asked)) == [16]
