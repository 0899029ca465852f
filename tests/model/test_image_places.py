"""Where images stand in a config, and what a new one means at each place."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.errors import InvalidReference, Refused, UsageError
from ksconfig.model.images import ImagePlace, assign_image, gpu_versions, image_places
from ksconfig.model.reference import ImageArgument

HEX, OTHER = "ab" * 32, "cd" * 32
FLAT = {"image": "r/x", "defaultImageVersion": "1"}


def names(data: dict[str, Any]) -> list[str]:
    return [place.name for place in image_places(data)]


class TestPlaces:
    @pytest.mark.parametrize(
        ("data", "targets"),
        [
            ({}, []),
            ({"predictors": {"tensorflow": FLAT}}, ["tensorflow"]),
            ({"predictors": {"sklearn": {"v1": FLAT, "v2": FLAT}}}, ["sklearn/v1", "sklearn/v2"]),
            ({"predictors": {"sklearn": {"v2": FLAT}}}, ["sklearn/v2"]),
            ({"predictors": {"sklearn": {**FLAT, "v1": FLAT}}}, ["sklearn", "sklearn/v1"]),
            ({"predictors": {"sklearn": {"v3": FLAT}}}, ["sklearn"]),
            ({"predictors": {"sklearn": {}}}, ["sklearn"]),
            ({"explainers": {"art": FLAT, "alibi": FLAT}}, ["explainer/art", "explainer/alibi"]),
            ({"transformers": {"feast": FLAT}}, ["transformer/feast"]),
            ({"transformers": {}}, []),
            ({"agent": {"image": "a/b:1"}, "logger": {"image": "a/b:1"}}, ["agent", "logger"]),
            ({"localModel": {"defaultJobImage": "a/b:1", "image": "c/d:1"}}, ["localModel"]),
            ({"oauthProxy": {"image": "a/b:1"}}, ["oauthProxy"]),
            ({"agent": {"image": 7}}, []),
            ({"agent": {}, "deploy": {"defaultDeploymentMode": "x"}}, []),
            ({"agent": None, "router": [], "predictors": "text", "explainers": 7}, []),
            ({"predictors": {"sklearn": None, "xgboost": "text"}, "explainers": {"art": []}}, []),
            ({"_example": {"image": "a/b:1"}}, []),
        ],
    )
    def test_have_the_names_that_targets_go_by(self, data: dict[str, Any], targets: list[str]) -> None:
        assert names(data) == targets

    def test_know_key_path_and_values(self) -> None:
        versions = {"defaultGpuImageVersion": "1-gpu", "allowedImageVersions": ["1", "1-gpu"]}
        (place,) = image_places({"predictors": {"tensorflow": {"v1": {**FLAT, **versions}}}})

        assert place == ImagePlace(
            "tensorflow/v1", "predictors", ("tensorflow", "v1"), "split", "image", "r/x", "1", "1-gpu", ("1", "1-gpu")
        )

    @pytest.mark.parametrize(
        ("data", "shown"),
        [
            ({"explainers": {"art": FLAT}}, "r/x:1"),
            ({"explainers": {"art": {"image": "r/x"}}}, "r/x"),
            ({"explainers": {"art": {"image": "r/x@sha256", "defaultImageVersion": HEX}}}, f"r/x@sha256:{HEX}"),
            ({"explainers": {"art": {"image": 7, "defaultImageVersion": 7}}}, ""),
            ({"agent": {"image": "r/x:1"}}, "r/x:1"),
            ({"localModel": {"defaultJobImage": "r/x:1"}}, "r/x:1"),
        ],
    )
    def test_show_the_image_as_kserve_puts_it_together(self, data: dict[str, Any], shown: str) -> None:
        assert [place.shown for place in image_places(data)] == [shown]


def split(image: str | None, version: str | None, **more: Any) -> ImagePlace:
    return ImagePlace("x", "predictors", ("x",), "split", "image", image, version, **more)


def assigned(place: ImagePlace, image: str, gpu: str | None = None, *, version_list: bool = False) -> dict[str, Any]:
    """The new values by the last steps of their paths."""
    found = assign_image(place, ImageArgument.parse(image), gpu, version_list=version_list)
    assert all((each.key, *each.path)[: 1 + len(place.path)] == (place.key, *place.path) for each in found)
    return {".".join(map(str, each.path[len(place.path) :])): each.value for each in found}


class TestSplit:
    """Repository and tag in two fields, which KServe joins with a colon."""

    @pytest.mark.parametrize(
        ("image", "version", "argument", "new"),
        [
            ("a/b", "1", "c/d:2", {"image": "c/d", "defaultImageVersion": "2"}),
            ("a/b", "1", "a/b:2", {"defaultImageVersion": "2"}),
            ("a/b", "1", "c/d:1", {"image": "c/d"}),
            ("a/b", "1", "a/b:1", {}),
            ("a/b", "1", ":2", {"defaultImageVersion": "2"}),
            ("a/b", "1", ":1", {}),
            ("a/b", "1", "c/d", {"image": "c/d"}),
            ("a/b", "1", "a/b", {}),
            ("a/b", "1", "r.example:5000/d:2", {"image": "r.example:5000/d", "defaultImageVersion": "2"}),
            # a digest is cut at its colon
            ("a/b", "1", f"c/d@sha256:{HEX}", {"image": "c/d@sha256", "defaultImageVersion": HEX}),
            ("a/b", "1", f"c/d:2@sha256:{HEX}", {"image": "c/d@sha256", "defaultImageVersion": HEX}),
            ("a/b@sha256", HEX, f"a/b@sha256:{OTHER}", {"defaultImageVersion": OTHER}),
            ("a/b@sha256", HEX, f"a/b@sha256:{HEX}", {}),
            # a tag drops a digest, a repository keeps it
            ("a/b@sha256", HEX, ":2", {"image": "a/b", "defaultImageVersion": "2"}),
            ("a/b@sha256", HEX, "c/d:2", {"image": "c/d", "defaultImageVersion": "2"}),
            ("a/b@sha256", HEX, "c/d", {"image": "c/d@sha256"}),
            # what is not there is put there
            (None, None, "c/d:2", {"image": "c/d", "defaultImageVersion": "2"}),
            ("a/b", None, ":2", {"defaultImageVersion": "2"}),
            ("a/b", None, "c/d", {"image": "c/d"}),
            (None, "1", "c/d", {"image": "c/d"}),
        ],
    )
    def test_takes_a_reference_apart(
        self, image: str | None, version: str | None, argument: str, new: dict[str, str]
    ) -> None:
        assert assigned(split(image, version), argument) == new

    @pytest.mark.parametrize(("image", "version"), [(None, "1"), ("", "1"), ("Not/An/Image", "1"), ("a b", "1")])
    def test_half_an_image_is_refused_where_the_other_half_is_none(self, image: str | None, version: str) -> None:
        with pytest.raises(Refused, match=r"half an image was given.*Give repository and tag together"):
            assigned(split(image, version), ":2")

    def test_a_repository_is_refused_where_the_tag_is_none(self) -> None:
        with pytest.raises(Refused, match="half an image was given"):
            assigned(split("a/b", "no tag"), "c/d")

    def test_a_whole_image_mends_what_is_none(self) -> None:
        assert assigned(split("Not An Image", "no tag"), "c/d:2") == {"image": "c/d", "defaultImageVersion": "2"}

    @pytest.mark.parametrize(
        ("argument", "gpu", "new"),
        [
            ("c/d:2", "2-gpu", {"image": "c/d", "defaultImageVersion": "2", "defaultGpuImageVersion": "2-gpu"}),
            ("c/d:2", None, {"image": "c/d", "defaultImageVersion": "2"}),
            ("a/b:1", "1-gpu", {}),
            (":1", "2-gpu", {"defaultGpuImageVersion": "2-gpu"}),
        ],
    )
    def test_a_gpu_tag_changes_when_it_is_given(self, argument: str, gpu: str | None, new: dict[str, str]) -> None:
        assert assigned(split("a/b", "1", gpu_version="1-gpu"), argument, gpu) == new

    @pytest.mark.parametrize(
        ("argument", "gpu", "items"),
        [
            (":2", None, {"allowedImageVersions.2": "2"}),
            ("a/b:2", "2-gpu", {"allowedImageVersions.2": "2", "allowedImageVersions.3": "2-gpu"}),
            (":0", "2-gpu", {"allowedImageVersions.2": "2-gpu"}),
            (":0", None, {}),
            ("c/d", None, {}),
            (f"a/b@sha256:{HEX}", None, {"allowedImageVersions.2": HEX}),
        ],
    )
    def test_a_list_of_versions_takes_in_new_ones(self, argument: str, gpu: str | None, items: dict[str, str]) -> None:
        place = split("a/b", "1", gpu_version="1-gpu", versions=("0", "1"))

        new = assigned(place, argument, gpu, version_list=True)

        assert {path: value for path, value in new.items() if path.startswith("allowed")} == items

    def test_a_list_of_versions_is_left_alone_by_releases_that_do_not_read_it(self) -> None:
        assert assigned(split("a/b", "1", versions=("1",)), ":2") == {"defaultImageVersion": "2"}

    def test_a_list_of_versions_that_is_not_there_is_not_made(self) -> None:
        assert assigned(split("a/b", "1"), ":2", version_list=True) == {"defaultImageVersion": "2"}


class TestWhole:
    """One string."""

    @pytest.mark.parametrize(
        ("present", "argument", "after"),
        [
            ("a/b:1", "c/d:2", "c/d:2"),
            ("a/b:1", ":2", "a/b:2"),
            ("a/b:1", "c/d", "c/d:1"),
            ("a/b", "c/d", "c/d"),
            ("r.example:5000/b", ":2", "r.example:5000/b:2"),
            ("a/b:1", f"c/d@sha256:{HEX}", f"c/d@sha256:{HEX}"),
            ("a/b:1", f"c/d:2@sha256:{HEX}", f"c/d:2@sha256:{HEX}"),
            (f"a/b:1@sha256:{HEX}", ":2", "a/b:2"),
            (f"a/b@sha256:{HEX}", ":2", "a/b:2"),
            (f"a/b@sha256:{HEX}", "c/d", f"c/d@sha256:{HEX}"),
            (f"a/b:1@sha256:{HEX}", "c/d", f"c/d:1@sha256:{HEX}"),
            ("", "c/d:2", "c/d:2"),
            ("Not an image", "c/d:2", "c/d:2"),
        ],
    )
    def test_is_replaced_or_keeps_its_other_half(self, present: str, argument: str, after: str) -> None:
        agent = ImagePlace("agent", "agent", (), "whole", "image", present)
        assert assigned(agent, argument) == {"image": after}

    @pytest.mark.parametrize("present", ["", "Not an image", "a/b:"])
    @pytest.mark.parametrize("argument", [":2", "c/d"])
    def test_half_an_image_is_refused_where_none_stands(self, present: str, argument: str) -> None:
        with pytest.raises(Refused, match="half an image was given"):
            assigned(ImagePlace("agent", "agent", (), "whole", "image", present), argument)

    def test_has_the_field_of_its_key(self) -> None:
        place = ImagePlace("localModel", "localModel", (), "whole", "defaultJobImage", "a/b:1")
        assert assigned(place, ":2") == {"defaultJobImage": "a/b:2"}


class TestGpuVersions:
    @pytest.mark.parametrize(
        ("given", "targets", "result"),
        [
            ([], ["tensorflow"], {}),
            (["2-gpu"], ["tensorflow"], {"tensorflow": "2-gpu"}),
            (["tensorflow=2-gpu"], ["tensorflow"], {"tensorflow": "2-gpu"}),
            (["tensorflow=2-gpu", "pytorch/v2=3-gpu"], ["tensorflow", "pytorch/v2"], None),
            (["2-gpu", "2-gpu"], ["tensorflow"], {"tensorflow": "2-gpu"}),
        ],
    )
    def test_go_to_their_targets(self, given: list[str], targets: list[str], result: dict[str, str] | None) -> None:
        assert gpu_versions(given, targets) == (result or dict(each.split("=") for each in given))

    @pytest.mark.parametrize(
        ("given", "targets", "reason"),
        [
            (["2-gpu"], [], "none of the targets has a GPU version"),
            (["2-gpu"], ["tensorflow", "pytorch/v2"], "could be meant for tensorflow or pytorch/v2"),
            (["sklearn=2-gpu"], ["tensorflow"], "only tensorflow can have one here"),
            (["2-gpu", "3-gpu"], ["tensorflow"], "two tags for tensorflow: 2-gpu and 3-gpu"),
        ],
    )
    def test_must_have_one_each(self, given: list[str], targets: list[str], reason: str) -> None:
        with pytest.raises(UsageError, match=reason):
            gpu_versions(given, targets)

    @pytest.mark.parametrize("tag", ["", "a/b", "a b", "a:b", "tensorflow="])
    def test_must_be_tags(self, tag: str) -> None:
        with pytest.raises(InvalidReference):
            gpu_versions([tag], ["tensorflow"])
