"""Telling the release from the config itself."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.errors import UsageError
from ksconfig.model.detect import ReleaseGuess, given_release, guess_release
from ksconfig.model.releases import RULES, Release

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
