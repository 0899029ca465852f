"""From a TARGET to the image that it names, and whether the release reads it."""

from __future__ import annotations

from typing import Any

import pytest

import ksconfig
from ksconfig.errors import Ambiguous, TargetNotFound
from ksconfig.model.detect import given_release
from ksconfig.model.images import image_places
from ksconfig.model.releases import Release, rules_of
from ksconfig.model.targets import find_place, is_read, why_unread

FLAT = {"image": "r/x", "defaultImageVersion": "1"}
BOTH = {"v1": FLAT, "v2": FLAT}
WHOLE = {"image": "r/x:1"}
DATA: dict[str, Any] = {
    "predictors": {
        "tensorflow": FLAT,
        "sklearn": BOTH,
        "xgboost": {"v2": FLAT},
        "pytorch": BOTH,
    },
    "explainers": {"art": FLAT},
    "transformers": {"feast": FLAT},
    "agent": WHOLE,
    "storageInitializer": WHOLE,
}


def find(target: str, data: dict[str, Any] = DATA, release: str = "0.7") -> str:
    return find_place(target, image_places(data), given_release(release)).name


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("tensorflow", "tensorflow"),
        ("sklearn", "sklearn/v1"),
        ("sklearn/v1", "sklearn/v1"),
        ("sklearn/v2", "sklearn/v2"),
        ("xgboost/v2", "xgboost/v2"),
        ("pytorch/v1", "pytorch/v1"),
        ("pytorch/v2", "pytorch/v2"),
        ("explainer/art", "explainer/art"),
        ("transformer/feast", "transformer/feast"),
        ("agent", "agent"),
        ("storageInitializer", "storageInitializer"),
    ],
)
def test_a_target_names_one_image(target: str, name: str) -> None:
    assert find(target) == name


def test_pytorch_names_two_servers_and_each_is_explained() -> None:
    with pytest.raises(Ambiguous) as caught:
        find("pytorch")

    message = str(caught.value)
    assert "v1 is pytorchserver, for models that name a modelClassName" in message
    assert "v2 is TorchServe, for all others" in message
    assert "Say pytorch/v1 or pytorch/v2" in message


def test_pytorch_with_one_server_is_not_ambiguous() -> None:
    assert find("pytorch", {"predictors": {"pytorch": FLAT}}, "0.4") == "pytorch"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("sklaern", "Did you mean sklearn?"),
        ("Sklearn", "Did you mean sklearn?"),
        ("tensorflw", "Did you mean tensorflow?"),
        ("agnet", "Did you mean agent?"),
        ("storageinitializer", "Did you mean storageInitializer?"),
        ("explainer/atr", "Did you mean explainer/art?"),
        ("xgboost", "xgboost has no v1 server here. Say xgboost/v2."),
        ("tensorflow/v1", "tensorflow has one server for all protocols here. Say tensorflow."),
        ("paddle", '"paddle" is not in this config'),
        ("huggingface", '"huggingface" is not in this config'),
        ("qwertz", 'there is no "qwertz". The targets are tensorflow, sklearn/v1,'),
        ("", 'there is no ""'),
    ],
)
def test_an_unknown_target_is_answered_with_the_nearest_or_with_all(target: str, message: str) -> None:
    with pytest.raises(TargetNotFound) as caught:
        find(target)

    assert message in str(caught.value)
    assert caught.value.known == tuple(place.name for place in image_places(DATA))
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("target", ["sklearn", "sklearn/v2", "pytorch", "huggingface"])
@pytest.mark.parametrize("release", ["0.10", "0.16", "0.21"])
def test_a_framework_of_a_release_with_runtimes_is_sent_there(target: str, release: str) -> None:
    with pytest.raises(TargetNotFound) as caught:
        find(target, {"agent": WHOLE}, release)

    message = str(caught.value)
    assert f"KServe {release} keeps the images of its frameworks in ClusterServingRuntimes" in message
    assert f"the ClusterServingRuntime for {target.partition('/')[0]} with -f" in message


@pytest.mark.parametrize("target", ["sklearn", "tensorflow"])
def test_a_config_without_predictors_is_named_as_the_reason(target: str) -> None:
    with pytest.raises(TargetNotFound, match=r"no predictors.*ClusterServingRuntimes"):
        find(target, {"agent": WHOLE}, "0.7")


# Target, the config that holds it, and the releases that read it (facts 1.3 and 2.1).
READ = [
    ("logger", {"logger": WHOLE}, range(2, 5)),
    ("batcher", {"batcher": WHOLE}, range(4, 5)),
    ("agent", {"agent": WHOLE}, range(5, 21)),
    ("router", {"router": WHOLE}, range(9, 21)),
    ("storageInitializer", {"storageInitializer": WHOLE}, range(2, 21)),
    ("localModel", {"localModel": {"defaultJobImage": "r/x:1"}}, range(14, 21)),
    ("transformer/feast", {"transformers": {"feast": FLAT}}, ()),
    ("explainer/alibi", {"explainers": {"alibi": FLAT}}, range(2, 13)),
    ("explainer/aix", {"explainers": {"aix": FLAT}}, range(5, 11)),
    ("explainer/art", {"explainers": {"art": FLAT}}, range(5, 21)),
    ("tensorflow", {"predictors": {"tensorflow": FLAT}}, range(2, 10)),
    ("tensorrt", {"predictors": {"tensorrt": FLAT}}, range(2, 4)),
    ("triton", {"predictors": {"triton": FLAT}}, range(4, 10)),
    ("sklearn", {"predictors": {"sklearn": FLAT}}, range(2, 5)),
    ("sklearn/v1", {"predictors": {"sklearn": BOTH}}, range(5, 10)),
    ("pytorch", {"predictors": {"pytorch": FLAT}}, (2, 3, 4, 8, 9)),
    ("pytorch/v1", {"predictors": {"pytorch": BOTH}}, (5, 6, 7)),
    ("oauthProxy", {"oauthProxy": WHOLE}, range(2, 21)),  # a fork's own key
]


@pytest.mark.parametrize("minor", range(2, 21))
@pytest.mark.parametrize(("target", "data", "minors"), READ, ids=[target for target, *_ in READ])
def test_an_image_is_read_by_some_releases(target: str, data: dict[str, Any], minors: range, minor: int) -> None:
    place = next(place for place in image_places(data) if place.name == target)
    assert is_read(place, rules_of(Release(0, minor))) is (minor in minors)


@pytest.mark.parametrize(
    ("target", "data", "minor", "reason"),
    [
        ("logger", {"logger": WHOLE}, 7, "the sidecar runs agent.image"),
        ("batcher", {"batcher": WHOLE}, 7, "the sidecar runs agent.image"),
        ("transformer/feast", {"transformers": {"feast": FLAT}}, 7, "never read the images of transformers"),
        ("sklearn", {"predictors": {"sklearn": FLAT}}, 12, "images are in ClusterServingRuntimes"),
        ("paddle", {"predictors": {"paddle": FLAT}}, 5, "knows no framework paddle"),
        ("pytorch/v1", {"predictors": {"pytorch": BOTH}}, 8, "reads pytorch without v1 and v2"),
        ("sklearn", {"predictors": {"sklearn": FLAT}}, 7, "reads sklearn only inside v1 and v2"),
        ("explainer/aix", {"explainers": {"aix": FLAT}}, 12, "KServe 0.12 does not read explainer/aix"),
        ("router", {"router": WHOLE}, 8, "KServe 0.8 does not read router"),
    ],
)
def test_what_is_unread_is_so_for_a_reason(target: str, data: dict[str, Any], minor: int, reason: str) -> None:
    place = next(place for place in image_places(data) if place.name == target)
    assert reason in why_unread(place, [rules_of(Release(0, minor))])


MANIFEST = """\
kind: ConfigMap
metadata: {name: inferenceservice-config}
data:
  transformers: '{"feast": {"image": "r/feast", "defaultImageVersion": "1"}}'
  logger: '{"image": "r/logger:1"}'
"""


@pytest.mark.parametrize("target", ["transformer/feast", "logger"])
def test_an_unread_image_is_written_only_with_leave(target: str) -> None:
    manifests = ksconfig.loads(MANIFEST, kserve_version="0.7")

    with pytest.raises(ksconfig.Refused) as caught:
        manifests.set_image(target, ":2")
    assert caught.value.allow == "unread"
    assert manifests.text == MANIFEST

    assert manifests.set_image(target, ":2", allow="unread")
    assert "unread" in [notice.code for notice in manifests.notices]
