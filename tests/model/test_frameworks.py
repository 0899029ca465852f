"""What a TARGET stands for: a framework means all that decides its image in the release at hand."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.errors import Ambiguous, Refused, TargetNotFound, UsageError
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.frameworks import (
    Covered,
    Known,
    Within,
    cover,
    listed_place,
    runtime_place,
    storage_place,
)
from ksconfig.model.images import image_places
from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import Release
from ksconfig.model.runtimes import (
    CLUSTER_KIND,
    NAMESPACED_KIND,
    STORAGE_KIND,
    Container,
    ModelFormat,
    Runtime,
)

FLAT = {"image": "r/x", "defaultImageVersion": "1"}
BOTH = {"v1": FLAT, "v2": FLAT}
PREDICTORS = {"sklearn": BOTH, "xgboost": BOTH, "pytorch": BOTH, "tensorflow": FLAT, "onnx": FLAT}
TO_0_9: dict[str, Any] = {
    "predictors": PREDICTORS,
    "explainers": {"art": FLAT},
    "agent": {"image": "r/agent:1"},
    "storageInitializer": {"image": "r/si:1"},
}
FROM_0_10 = {key: value for key, value in TO_0_9.items() if key != "predictors"}


def runtime(name: str, formats: str = "sklearn", speaks: str = "v1", **more: Any) -> Runtime:
    """A ClusterServingRuntime; a format with a "-" behind it is listed, but not chosen by itself."""
    listed = tuple(ModelFormat(one.rstrip("-"), "1", not one.endswith("-"), None) for one in formats.split())
    containers = (Container("kserve-container", "r/x:1"),)
    return Runtime(ObjectRef(CLUSTER_KIND, None, name), listed, tuple(speaks.split()), containers, **more)


def namespaced(one: Runtime, namespace: str | None) -> Runtime:
    return one._replace(ref=ObjectRef(NAMESPACED_KIND, namespace, one.ref.name))


SKLEARN = runtime("kserve-sklearnserver")
TENSORFLOW = runtime("kserve-tensorflow-serving", "tensorflow")
TORCH = runtime("kserve-torchserve", "pytorch", "v1 v2")
MLSERVER = runtime("kserve-mlserver", "sklearn xgboost mlflow", "v2")
TRITON = runtime("kserve-tritonserver", "tensorrt onnx pytorch- triton", "v2")
SHIPPED = (SKLEARN, TENSORFLOW, TORCH, MLSERVER, TRITON)
PREDICTORS_ONLY_IN_0_7 = range(5, 8)
BOTH_IN_0_8 = range(8, 10)
RUNTIMES_ONLY = range(10, 22)


def known(
    minor: int | tuple[int, ...],
    *runtimes: Runtime,
    data: dict[str, Any] | None = None,
    storage: tuple[str, ...] = (),
) -> Known:
    """What was read: of one release, or of one among several; ``data`` is None where there is no config."""
    minors = (minor,) if isinstance(minor, int) else minor
    release = ReleaseGuess(tuple(Release(0, one) for one in minors))
    container = {"spec": {"container": {"name": "storage-initializer", "image": "r/si:1"}}}
    places = [storage_place(ObjectRef(STORAGE_KIND, None, name), container) for name in storage]
    return Known(release, data is not None, image_places(data or {}), runtimes, {place.name: place for place in places})


def covered(target: str, what: Known, within: Within = None) -> list[str]:
    return [place.name for place in cover(target, what, within).places]


def notices(found: Covered) -> dict[str, str]:
    return {notice.code: notice.message for notice in found.notices}


def refusal(
    target: str, what: Known, error: type[Refused] | type[TargetNotFound] = Refused, within: Within = None
) -> str:
    with pytest.raises(error) as caught:
        cover(target, what, within)
    assert type(caught.value) is error
    return str(caught.value)


class TestFramework:
    """Facts 4.6: predictors to 0.7, predictors and a ClusterServingRuntime in 0.8 and 0.9, that runtime from 0.10 on."""

    @pytest.mark.parametrize("minor", PREDICTORS_ONLY_IN_0_7)
    @pytest.mark.parametrize("runtimes", [(), SHIPPED], ids=["without runtimes", "beside runtimes of a later release"])
    def test_is_its_predictor_to_0_7(self, runtimes: tuple[Runtime, ...], minor: int) -> None:
        what = known(minor, *runtimes, data=TO_0_9)
        assert covered("sklearn", what) == ["sklearn/v1"]
        assert covered("sklearn/v2", what) == ["sklearn/v2"]
        assert covered("tensorflow", what) == ["tensorflow"]
        assert cover("sklearn", what).notices == ()

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_is_predictor_and_runtime_in_0_8_and_0_9(self, minor: int) -> None:
        what = known(minor, *SHIPPED[:3], data=TO_0_9)
        assert covered("sklearn", what) == ["sklearn/v1", "runtime/kserve-sklearnserver"]
        assert covered("tensorflow", what) == ["tensorflow", "runtime/kserve-tensorflow-serving"]

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    @pytest.mark.parametrize("data", [None, FROM_0_10, TO_0_9], ids=["no config", "config", "leftover predictors"])
    def test_is_its_runtime_from_0_10_on(self, data: dict[str, Any] | None, minor: int) -> None:
        what = known(minor, *SHIPPED, data=data)
        assert covered("sklearn", what) == ["runtime/kserve-sklearnserver"]
        assert covered("sklearn/v1", what) == ["runtime/kserve-sklearnserver"]

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_leaves_predictors_that_are_no_longer_read_and_says_so(self, minor: int) -> None:
        left = notices(cover("sklearn", known(minor, SKLEARN, data=TO_0_9)))
        assert left == {
            "unread-left": f"KServe 0.{minor} does not read the images of sklearn in predictors, which are left"
        }

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_pytorch_is_its_runtime_in_0_8_and_0_9_because_its_predictor_is_not_read(self, minor: int) -> None:
        """Facts 2.1: their code reads pytorch without v1 and v2, and their manifests ship it with both."""
        found = cover("pytorch", known(minor, *SHIPPED, data=TO_0_9))
        assert [place.name for place in found.places] == ["runtime/kserve-torchserve"]
        assert "unread-left" in notices(found)

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_pytorch_is_both_where_its_predictor_has_the_form_that_is_read(self, minor: int) -> None:
        what = known(minor, TORCH, data={"predictors": {"pytorch": FLAT}})
        assert covered("pytorch", what) == ["pytorch", "runtime/kserve-torchserve"]

    @pytest.mark.parametrize("minor", PREDICTORS_ONLY_IN_0_7)
    def test_pytorch_is_two_servers_to_0_7(self, minor: int) -> None:
        message = refusal("pytorch", known(minor, *SHIPPED, data=TO_0_9), Ambiguous)
        assert "Say pytorch/v1 or pytorch/v2" in message

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_without_its_predictor_says_that_some_services_still_use_it(self, minor: int) -> None:
        found = cover("sklearn", known(minor, SKLEARN))
        assert [place.name for place in found.places] == ["runtime/kserve-sklearnserver"]
        message = notices(found)["predictors-left"]
        assert f"in KServe 0.{minor} services stored by 0.7 and not updated since" in message

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_without_its_runtime_says_that_most_services_use_that(self, minor: int) -> None:
        found = cover("sklearn", known(minor, data=TO_0_9))
        assert [place.name for place in found.places] == ["sklearn/v1"]
        assert "most services take the image of sklearn from a ClusterServing" in notices(found)["runtimes-left"]

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_that_predictors_do_not_know_is_its_runtime(self, minor: int) -> None:
        what = known(minor, runtime("hf", "huggingface"), data=TO_0_9)
        assert covered("huggingface", what) == ["runtime/hf"]

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_that_nobody_but_a_runtime_knows_is_that_runtime(self, minor: int) -> None:
        assert covered("our-format", known(minor, runtime("ours", "our-format"))) == ["runtime/ours"]

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_that_only_v2_runtimes_serve_is_such_a_runtime(self, minor: int) -> None:
        what = known(minor, runtime("onnxserver", "onnx", "v2"))
        assert covered("onnx", what) == covered("onnx/v2", what) == ["runtime/onnxserver"]

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_with_a_protocol_is_the_runtime_of_that_protocol(self, minor: int) -> None:
        what = known(minor, SKLEARN, runtime("v2-server", "sklearn", "v2"))
        assert covered("sklearn", what) == ["runtime/kserve-sklearnserver"]
        assert covered("sklearn/v2", what) == ["runtime/v2-server"]

    def test_with_a_protocol_names_no_runtime_in_0_8(self) -> None:
        message = refusal("sklearn/v2", known(8, SKLEARN, data=TO_0_9), Ambiguous)
        assert "KServe 0.8 chooses runtimes without regard to the protocol" in message
        assert "runtime/kserve-sklearnserver" in message
        assert covered("sklearn/v2", known(8, SKLEARN, data=TO_0_9), "config") == ["sklearn/v2"]

    def test_needs_a_protocol_behind_its_slash(self) -> None:
        refusal("sklearn/", known(16, SKLEARN), TargetNotFound)


class TestIn:
    """--in config and --in runtimes narrow a framework, and nothing else."""

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_takes_one_of_the_two(self, minor: int) -> None:
        what = known(minor, *SHIPPED[:3], data=TO_0_9)
        assert covered("sklearn", what, "config") == ["sklearn/v1"]
        assert covered("sklearn", what, "runtimes") == ["runtime/kserve-sklearnserver"]

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    @pytest.mark.parametrize("within", ["config", "runtimes"])
    def test_asks_for_no_word_about_the_other(self, within: Within, minor: int) -> None:
        assert notices(cover("sklearn", known(minor, SKLEARN, data=TO_0_9), within)) == {}

    def test_config_is_the_whole_to_0_7(self) -> None:
        assert covered("sklearn", known(7, data=TO_0_9), "config") == ["sklearn/v1"]

    def test_config_does_not_look_at_runtimes(self) -> None:
        assert covered("sklearn", known(8, MLSERVER, SKLEARN, data=TO_0_9), "config") == ["sklearn/v1"]

    def test_runtimes_does_not_look_at_predictors(self) -> None:
        assert covered("pytorch", known(9, TORCH, data=TO_0_9), "runtimes") == ["runtime/kserve-torchserve"]

    def test_config_names_leftover_predictors_from_0_10_on(self) -> None:
        assert covered("sklearn", known(12, SKLEARN, data=TO_0_9), "config") == ["sklearn/v1"]

    @pytest.mark.parametrize("within", ["config", "runtimes"])
    def test_finds_nothing_where_nothing_is(self, within: Within) -> None:
        data = None if within == "config" else TO_0_9
        runtimes = (SKLEARN,) if within == "config" else ()
        refusal("sklearn", known(9, *runtimes, data=data), TargetNotFound, within)

    @pytest.mark.parametrize("within", ["config", "runtimes"])
    @pytest.mark.parametrize("target", ["agent", "explainer/art", "runtime/kserve-sklearnserver", "storageContainer/x"])
    def test_is_a_usage_error_for_one_image(self, target: str, within: Within) -> None:
        with pytest.raises(UsageError, match=f"--in {within} is for frameworks") as caught:
            cover(target, known(9, SKLEARN, data=TO_0_9, storage=("x",)), within)
        assert caught.value.exit_code == 2


class TestRuntimeOfSeveralFrameworks:
    """A change of it would be a change of all; that has to be said."""

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    @pytest.mark.parametrize(
        ("target", "name", "others"),
        [
            ("mlflow", "kserve-mlserver", "sklearn, xgboost"),
            ("sklearn/v2", "kserve-mlserver", "xgboost, mlflow"),
            ("onnx", "kserve-tritonserver", "tensorrt, pytorch, triton"),
            ("triton", "kserve-tritonserver", "tensorrt, onnx, pytorch"),
        ],
    )
    def test_is_refused_with_the_ways_on(self, target: str, name: str, others: str, minor: int) -> None:
        message = refusal(target, known(minor, *SHIPPED))
        assert f"runtime/{name}, which serves {target}, serves {others} too" in message
        assert f"say runtime/{name};" in message
        assert "ksconfig runtime create" in message

    @pytest.mark.parametrize("minor", BOTH_IN_0_8)
    def test_is_refused_in_0_8_and_0_9_though_predictors_name_the_framework(self, minor: int) -> None:
        what = known(minor, TRITON, data=TO_0_9)
        assert "serves tensorrt, pytorch, triton too" in refusal("onnx", what)
        assert covered("onnx", what, "config") == ["onnx"]

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_is_changed_by_its_own_name(self, minor: int) -> None:
        assert covered("runtime/kserve-mlserver", known(minor, *SHIPPED)) == ["runtime/kserve-mlserver"]

    @pytest.mark.parametrize("minor", range(8, 22))
    def test_counts_formats_that_it_only_lists(self, minor: int) -> None:
        assert "serves xgboost too" in refusal("sklearn", known(minor, runtime("x", "sklearn xgboost-")))

    @pytest.mark.parametrize("minor", range(8, 22))
    def test_is_not_one_that_lists_several_versions(self, minor: int) -> None:
        assert covered("pmml", known(minor, runtime("pmml", "pmml pmml"))) == ["runtime/pmml"]


class TestSeveralRuntimes:
    """One is chosen and the others are named, or nothing decides and all are named."""

    @pytest.mark.parametrize("minor", range(8, 22))
    def test_that_nothing_decides_between_are_refused(self, minor: int) -> None:
        message = refusal("sklearn", known(minor, runtime("a"), runtime("b")), Ambiguous)
        assert "runtime/a and runtime/b may all be given to services of sklearn" in message
        assert "Say runtime/a or runtime/b." in message

    def test_that_nothing_decides_between_in_0_8_may_have_any_protocol(self) -> None:
        refusal("sklearn", known(8, runtime("a"), runtime("b", speaks="v2")), Ambiguous)

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_that_are_not_chosen_are_named(self, minor: int) -> None:
        listing = runtime("by-name", "sklearn-")
        message = notices(cover("sklearn", known(minor, *SHIPPED, listing)))["other-runtimes"]
        assert message.startswith("runtime/kserve-mlserver and runtime/by-name can serve sklearn too")
        assert message.endswith("left as it is")

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_that_serve_other_frameworks_are_no_news(self, minor: int) -> None:
        assert cover("sklearn", known(minor, SKLEARN, TENSORFLOW, TORCH)).notices == ()

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_that_only_list_the_framework_are_named_where_none_is_chosen(self, minor: int) -> None:
        message = refusal("sklearn", known(minor, runtime("by-name", "sklearn-")), TargetNotFound)
        assert "no ClusterServingRuntime here is given to services of sklearn that name none" in message
        assert "Say runtime/by-name." in message


class TestNamespacedRuntimes:
    """Facts 4.3: one that fits comes before all of the cluster. A framework's name never edits it."""

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_are_left_and_the_services_that_they_take_are_named(self, minor: int) -> None:
        found = cover("sklearn", known(minor, SKLEARN, namespaced(runtime("own"), "team")))
        assert [place.name for place in found.places] == ["runtime/kserve-sklearnserver"]
        assert notices(found) == {
            "captured": "services of sklearn in namespace team get runtime/team/own instead, which is left as it is"
        }

    def test_without_a_namespace_in_their_manifest_are_in_their_namespace(self) -> None:
        message = notices(cover("sklearn", known(16, SKLEARN, namespaced(runtime("own"), None))))["captured"]
        assert message.startswith("services of sklearn in its namespace get runtime//own instead")

    @pytest.mark.parametrize(
        "own",
        [
            runtime("own", "xgboost"),
            runtime("own", "sklearn-"),
            runtime("own", disabled=True),
            runtime("own", workers=True),
        ],
        ids=["of another framework", "by name only", "disabled", "with workers"],
    )
    def test_take_no_service_that_does_not_fit_them(self, own: Runtime) -> None:
        assert cover("sklearn", known(16, SKLEARN, namespaced(own, "team"))).notices == ()

    @pytest.mark.parametrize("minor", [11, 20])
    def test_take_no_service_of_a_protocol_that_they_do_not_speak(self, minor: int) -> None:
        own = namespaced(runtime("own", speaks="v2"), "team")
        assert cover("sklearn", known(minor, SKLEARN, own)).notices == ()

    @pytest.mark.parametrize("minor", [9, 10])
    def test_take_services_that_name_no_protocol_whatever_they_speak_in_0_9_and_0_10(self, minor: int) -> None:
        own = namespaced(runtime("own", speaks="v2"), "team")
        assert "captured" in notices(cover("sklearn", known(minor, SKLEARN, own, data=FROM_0_10)))

    def test_are_changed_by_their_own_name(self) -> None:
        assert covered("runtime/team/own", known(16, namespaced(runtime("own"), "team"))) == ["runtime/team/own"]

    def test_are_named_where_nothing_else_serves_the_framework(self) -> None:
        message = refusal("sklearn", known(16, namespaced(runtime("own"), "team")), TargetNotFound)
        assert "Did you mean sklearn?" not in message
        assert "runtime/team/own" in message


class TestNames:
    """runtime/NAME, runtime/NAMESPACE/NAME, runtime//NAME and storageContainer/NAME are one object each."""

    ALL = (
        runtime("a"),
        namespaced(runtime("a"), "team"),
        namespaced(runtime("b"), "team"),
        namespaced(runtime("c"), None),
    )

    @pytest.mark.parametrize(
        ("target", "name"),
        [
            ("runtime/a", "runtime/a"),
            ("runtime/team/a", "runtime/team/a"),
            ("runtime/team/b", "runtime/team/b"),
            ("runtime//c", "runtime//c"),
            ("runtime/c", "runtime//c"),
            ("storageContainer/default", "storageContainer/default"),
        ],
    )
    def test_single_out_an_object(self, target: str, name: str) -> None:
        assert covered(target, known(16, *self.ALL, storage=("default",))) == [name]

    def test_prefer_the_object_of_the_cluster(self) -> None:
        both = (namespaced(runtime("a"), None), runtime("a"))
        assert covered("runtime/a", known(16, *both)) == ["runtime/a"]
        assert covered("runtime//a", known(16, *both)) == ["runtime//a"]

    @pytest.mark.parametrize(
        ("target", "said"),
        [
            ("runtime/other/a", ["there is no serving runtime other/a", "Did you mean runtime/"]),
            ("runtime/team/aa", ["there is no serving runtime team/aa", "Did you mean runtime/team/a?"]),
            ("storageContainer/defualt", ["ClusterStorageContainer defualt", "Did you mean storageContainer/default?"]),
            ("storageContainer/qwertz", ["ClusterStorageContainer qwertz", "storageContainer/default"]),
        ],
    )
    def test_that_are_unknown_are_answered_with_those_that_are_there(self, target: str, said: list[str]) -> None:
        message = refusal(target, known(16, *self.ALL, storage=("default",)), TargetNotFound)
        for words in said:
            assert words in message

    @pytest.mark.parametrize(
        ("target", "said"),
        [("runtime/qwertz", ["runtime/a", "runtime/team/b", "runtime//c"]), ("runtime/b", ["runtime/team/b"])],
    )
    def test_are_near_only_if_they_are_without_the_word_runtime(self, target: str, said: list[str]) -> None:
        message = refusal(target, known(16, *self.ALL), TargetNotFound)
        for words in said:
            assert words in message

    @pytest.mark.parametrize("target", ["runtime/a", "storageContainer/default"])
    def test_of_what_was_not_read_ask_for_its_manifest(self, target: str) -> None:
        here = known(16, data=TO_0_9)._replace(elsewhere="Name its manifest with -f.")
        assert "Name its manifest with -f." in refusal(target, here, TargetNotFound)


class TestNearMiss:
    """A mistyped framework is answered with the nearest name, a missing one with what is missing."""

    @pytest.mark.parametrize(
        ("target", "near"),
        [
            ("sklern", "sklearn"),
            ("SKlearn", "sklearn"),
            ("tensorfow", "tensorflow"),
            ("pytroch", "pytorch"),
            ("agnet", "agent"),
            ("runtme/kserve-torchserve", "runtime/kserve-torchserve"),
        ],
    )
    def test_is_suggested(self, target: str, near: str) -> None:
        assert f"Did you mean {near}?" in refusal(target, known(16, *SHIPPED, data=FROM_0_10), TargetNotFound)

    @pytest.mark.parametrize("target", ["sklern", "tensorfow"])
    def test_is_suggested_without_a_config(self, target: str) -> None:
        assert "Did you mean " in refusal(target, known(16, *SHIPPED), TargetNotFound)

    @pytest.mark.parametrize("minor", RUNTIMES_ONLY)
    def test_of_a_framework_that_is_not_here_asks_for_its_runtime(self, minor: int) -> None:
        message = refusal("paddle", known(minor, data=FROM_0_10), TargetNotFound)
        assert "Name the manifest of the ClusterServingRuntime for paddle with -f" in message
        assert "no ClusterServingRuntime for paddle" in refusal("paddle", known(minor, SKLEARN), TargetNotFound)

    def test_of_a_framework_to_0_7_does_not_send_to_runtimes(self) -> None:
        message = refusal("sklearn", known(7, SKLEARN), TargetNotFound)
        assert "only lists it" not in message
        assert "Say runtime/kserve-sklearnserver" not in message


class TestStorageInitializer:
    """Facts 8: from 0.11 on the ClusterStorageContainer default comes before the key, which pvc:// still uses."""

    BOTH = ("storageInitializer", "storageContainer/default")

    @pytest.mark.parametrize("minor", range(2, 22))
    def test_is_the_key_and_the_default_container_from_0_11_on(self, minor: int) -> None:
        what = known(minor, data=TO_0_9, storage=("default", "other"))
        assert covered("storageInitializer", what) == [*self.BOTH[: 2 if minor >= 11 else 1]]

    def test_is_narrowed_by_in(self) -> None:
        what = known(16, data=FROM_0_10, storage=("default",))
        assert covered("storageInitializer", what, "config") == ["storageInitializer"]
        assert covered("storageInitializer", what, "runtimes") == ["storageContainer/default"]

    @pytest.mark.parametrize("minor", range(2, 22))
    def test_without_the_container_says_what_is_missing_from_0_11_on(self, minor: int) -> None:
        found = cover("storageInitializer", known(minor, data=TO_0_9, storage=("other",)))
        assert [place.name for place in found.places] == ["storageInitializer"]
        assert list(notices(found)) == (["storage-container-left"] if minor >= 11 else [])

    def test_is_the_container_where_there_is_no_config(self) -> None:
        assert covered("storageInitializer", known(16, storage=("default",))) == ["storageContainer/default"]

    def test_is_not_found_where_the_one_that_is_meant_is_missing(self) -> None:
        refusal("storageInitializer", known(16, data=FROM_0_10), TargetNotFound, "runtimes")
        refusal("storageInitializer", known(16, storage=("default",)), TargetNotFound, "config")


class TestUndecidedRelease:
    """Several releases may be meant: what all agree on is done, the rest is asked."""

    def test_is_no_matter_where_all_choose_alike(self) -> None:
        assert covered("sklearn", known(tuple(range(10, 21)), SKLEARN, MLSERVER)) == ["runtime/kserve-sklearnserver"]
        assert covered("sklearn", known((7, 8), SKLEARN, data=TO_0_9)) == ["sklearn/v1", "runtime/kserve-sklearnserver"]

    def test_is_asked_for_where_they_choose_differently(self) -> None:
        low = runtime("low")._replace(formats=(ModelFormat("sklearn", "1", True, 1),))
        high = runtime("high", speaks="v1 v2")._replace(formats=(ModelFormat("sklearn", "1", True, 2),))
        message = refusal("sklearn", known((10, 11), low, high), Ambiguous)
        assert "which runtime sklearn gets depends on the release, and this may be KServe 0.10 or 0.11" in message
        assert "--kserve-version" in message

    def test_is_asked_for_where_the_serving_container_differs(self) -> None:
        containers = (Container("proxy", "r/p:1"), Container("kserve-container", "r/x:1"))
        one = SKLEARN._replace(containers=containers)
        message = refusal("sklearn", known((10, 11), one), Ambiguous)
        assert "the serving container of runtime/kserve-sklearnserver depends on the release" in message
        assert "--kserve-version" in message

    def test_is_told_where_predictors_may_count(self) -> None:
        message = notices(cover("sklearn", known((9, 10), SKLEARN)))["predictors-left"]
        assert message.startswith("in KServe 0.8 and 0.9 services")

    def test_is_told_where_runtimes_may_count(self) -> None:
        message = notices(cover("sklearn", known((7, 8), data=TO_0_9)))["runtimes-left"]
        assert "this may be KServe 0.7 or 0.8: from 0.8 on most services" in message
        assert "--kserve-version" in message

    def test_is_decided_by_its_likely_one(self) -> None:
        what = known((7, 8), SKLEARN, data=TO_0_9)
        assert covered("sklearn", what._replace(release=what.release._replace(likely=Release(0, 7)))) == ["sklearn/v1"]


class TestPlace:
    """The image of a runtime stands in its serving container (facts 4.4)."""

    @pytest.mark.parametrize(("minor", "index"), [(8, 0), (10, 0), (11, 1), (20, 1)])
    def test_is_in_the_serving_container(self, minor: int, index: int) -> None:
        containers = (Container("proxy", "r/p:1"), Container("kserve-container", "r/x:1"))
        place = runtime_place(SKLEARN._replace(containers=containers), known(minor).release)
        assert (place.key, place.path, place.image) == ("spec", ("containers", index), containers[index].image)
        assert place.object == SKLEARN.ref

    @pytest.mark.parametrize(
        ("containers", "reason"),
        [
            ((), "has no containers here"),
            ((Container("proxy", "r/p:1"),), "has no container named kserve-container"),
            ((Container("kserve-container", None),), "has no image at spec.containers[0]"),
        ],
    )
    def test_is_refused_where_there_is_none(self, containers: tuple[Container, ...], reason: str) -> None:
        one = SKLEARN._replace(containers=containers)
        message = refusal("sklearn", known(16, one))
        assert reason in message
        assert "If this manifest is a patch, edit the manifest that it patches" in message
        assert listed_place(one, known(16).release).image is None
