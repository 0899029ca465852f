"""The images of explainers, which the config decides in every release."""

from __future__ import annotations

import pytest

from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import Resolved, resolve
from ksconfig.model.services.service import Service
from ksconfig.model.services.world import World
from tests.model.services.builders import Json, service, split, v1alpha2, world

CONFIG: Json = {"explainers": {name: split(f"r/{name}", "9") for name in ("alibi", "aix", "art")}}
V1BETA1 = range(5, 21)
#: The releases that know an explainer, and from which on they heed its own image (facts 3.4).
KNOWN = {"alibi": range(5, 13), "aix": range(5, 11), "art": range(5, 21)}
OWN_IMAGE = {"alibi": 5, "aix": 10, "art": 10}


def explained(explainer: Json) -> Service:
    return service({"containers": [{"image": "me/x:1"}]}, explainer=explainer)


def explainer_of(one: Service, where: World) -> Resolved:
    return resolve(one, where)["explainer"]


@pytest.mark.parametrize("minor", V1BETA1)
@pytest.mark.parametrize("name", KNOWN)
def test_an_explainer_has_the_repository_of_the_config_and_its_own_version(name: str, minor: int) -> None:
    found = explainer_of(explained({name: {"runtimeVersion": "1"}}), world(minor, CONFIG))
    if minor in KNOWN[name]:
        reasons = (f"explainers.{name}.image is r/{name}", "runtimeVersion is 1")
        assert found == Resolved((f"r/{name}:1",), reasons, framework=f"explainer/{name}", version="1",
                                 place=("explainers", name))  # fmt: skip
    else:
        assert found == Resolved((), problem=f"KServe 0.{minor} has no explainer {name}", framework=f"explainer/{name}")


@pytest.mark.parametrize(("name", "minor"), [(name, minor) for name, known in KNOWN.items() for minor in known])
def test_its_own_image_is_heeded_by_some_releases(name: str, minor: int) -> None:
    found = explainer_of(explained({name: {"image": "me/e:2", "runtimeVersion": "1"}}), world(minor, CONFIG))
    heeded = minor >= OWN_IMAGE[name]
    assert (found.image, found.own) == (("me/e:2", True) if heeded else (f"r/{name}:1", False))


@pytest.mark.parametrize("minor", V1BETA1)
def test_a_new_default_version_leaves_it_with_the_version_that_was_written(minor: int) -> None:
    stored = admit(explained({"art": {}}), world(minor, CONFIG)).service
    assert stored.spec["explainer"] == {"art": {"runtimeVersion": "9"}}
    moved = world(minor, {"explainers": {"art": split("r/new", "10")}})
    assert explainer_of(stored, moved).image == "r/new:9"
    assert admit(stored, moved).service == stored


@pytest.mark.parametrize("minor", V1BETA1)
def test_one_that_the_config_does_not_have_has_the_image_of_a_colon(minor: int) -> None:
    where = world(minor, {"explainers": {}})
    stored = admit(explained({"art": {}}), where).service
    found = explainer_of(stored, where)
    assert (found.image, found.reasons[0]) == (":", "explainers.art.image is not there")


@pytest.mark.parametrize("minor", V1BETA1)
def test_a_version_that_admission_has_not_written_is_told(minor: int) -> None:
    found = explainer_of(explained({"art": {}}), world(minor, CONFIG))
    assert found.problem == "it has no runtimeVersion, which admission writes"


@pytest.mark.parametrize("minor", V1BETA1)
def test_names_of_the_config_may_be_in_any_case(minor: int) -> None:
    where = world(minor, {"explainers": {"Art": {"IMAGE": "r/e"}}})
    assert explainer_of(explained({"art": {"runtimeVersion": "1"}}), where).image == "r/e:1"


@pytest.mark.parametrize("minor", V1BETA1)
def test_a_container_of_ones_own_is_taken_as_it_is(minor: int) -> None:
    own = {"containers": [{"name": "mine", "image": "me/e:1"}]}
    assert explainer_of(explained(own), world(minor, CONFIG)).image == "me/e:1"
    assert explainer_of(explained({}), world(minor, CONFIG)).problem == "it names no image"


class TestV1alpha2:
    """Facts 3.4: 0.2 to 0.4 have alibi alone."""

    @staticmethod
    def found(explainer: Json, minor: int) -> str:
        predictor = {"custom": {"container": {"image": "me/x:1"}}}
        return explainer_of(v1alpha2({"predictor": predictor, "explainer": explainer}), world(minor, CONFIG)).image

    @pytest.mark.parametrize("minor", range(2, 5))
    @pytest.mark.parametrize(
        ("explainer", "image"),
        [
            ({"alibi": {"runtimeVersion": "1"}}, "r/alibi:1"),
            ({"alibi": {"runtimeVersion": "1", "image": "me/e:2"}}, "r/alibi:1"),
            ({"custom": {"container": {"image": "me/e:2"}}}, "me/e:2"),
        ],
    )
    def test_its_own_image_is_not_heeded(self, explainer: Json, image: str, minor: int) -> None:
        assert self.found(explainer, minor) == image
