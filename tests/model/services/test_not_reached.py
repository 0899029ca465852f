"""Services that a change does not reach, though one would expect it to: each reason."""

from __future__ import annotations

import pytest

from tests.model.services.builders import (
    BY_CONFIG,
    NAMESPACE,
    V1ALPHA2,
    WITH_RUNTIMES,
    Json,
    model,
    prioritised,
    runtime,
    service,
    split,
    v1alpha2,
    world,
)
from tests.model.services.impacts import OWN, annotated, by_config, judged, on_runtime, the_one, told

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


class TestNotReached:
    """It keeps what it has, though one would expect the change to reach it."""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_an_image_of_its_own(self, minor: int) -> None:
        one = service({"sklearn": {"image": "me/x:1", "runtimeVersion": "1"}})
        found = the_one(one, by_config(minor, "r/sk"), by_config(minor, "new/sk"))
        assert (found.effect, found.reason) == ("not-reached", "it names its own image")
        assert (found.before, found.after) == ("me/x:1", "me/x:1")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_an_image_of_its_own_on_a_runtime(self, minor: int) -> None:
        one = service(model(image="me/x:1"))
        assert told(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:1")) == (
            "not-reached", "it names its own image",
        )  # fmt: skip

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_a_container_of_its_own(self, minor: int) -> None:
        old, new = (by_config, by_config) if minor < 8 else (on_runtime, on_runtime)
        found = the_one(service(OWN), old(minor, "r/sk"), new(minor, "new/sk"))
        assert (found.effect, found.reason) == ("not-reached", "its container is its own")
        assert found.before == "me/x:1"

    def test_a_container_of_its_own_is_not_expected_to_follow_an_explainer(self) -> None:
        old, new = (world(16, {"explainers": {"art": split(f"{host}/art")}}) for host in ("r", "new"))
        assert judged(service(OWN), old, new) == []

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_pinned_in_v1alpha2(self, minor: int) -> None:
        one = v1alpha2({"predictor": {"sklearn": {"runtimeVersion": "1"}}})
        allowed = {"allowedImageVersions": ["1", "2"]}
        old, new = (
            world(minor, {"predictors": {"sklearn": split("r/sk", version, **allowed)}}) for version in ("1", "2")
        )
        assert told(one, old, new) == ("not-reached", "pinned: its runtimeVersion is 1")

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_pinned_by_the_version_that_admission_wrote(self, minor: int) -> None:
        one = service({"sklearn": {"runtimeVersion": "1"}})
        found = the_one(one, by_config(minor, "r/sk"), by_config(minor, "r/sk", "2"))
        assert (found.effect, found.reason) == ("not-reached", "pinned: its runtimeVersion is 1")
        assert (found.before, found.after, found.version) == ("r/sk:1", "r/sk:1", "1")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_pinned_on_a_runtime(self, minor: int) -> None:
        one = service(model(runtimeVersion="1"))
        assert told(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, "r/sk:2")) == (
            "not-reached", "pinned: its runtimeVersion is 1",
        )  # fmt: skip

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_pinned_as_an_explainer(self, minor: int) -> None:
        old, new = (world(minor, {"explainers": {"art": split("r/art", version)}}) for version in ("1", "2"))
        one = service(OWN, explainer={"art": {"runtimeVersion": "1"}})
        found = the_one(one, old, new)
        assert (found.component, found.effect, found.reason) == (
            "explainer", "not-reached", "pinned: its runtimeVersion is 1",
        )  # fmt: skip

    @pytest.mark.parametrize(("name", "since"), [("alibi", 5), ("art", 10)])
    @pytest.mark.parametrize("minor", [5, 7, 8, 10, 11])
    def test_an_explainer_with_its_own_image_where_its_release_reads_that(
        self, name: str, since: int, minor: int
    ) -> None:
        old, new = (world(minor, {"explainers": {name: split(f"{host}/x")}}) for host in ("r", "new"))
        one = service(OWN, explainer={name: {"runtimeVersion": "1", "image": "me/x:1"}})
        found = the_one(one, old, new)
        if minor >= since:
            assert (found.effect, found.reason) == ("not-reached", "it names its own image")
        else:
            assert (found.effect, found.after) == ("changes", "new/x:1")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_a_runtime_of_its_namespace_captures_it(self, minor: int) -> None:
        mine = runtime("mine", image="me/x:1", namespace=NAMESPACE)
        old, new = on_runtime(minor, "r/sk:1", mine), on_runtime(minor, "new/sk:1", mine)
        found = the_one(service(model()), old, new)
        assert (found.effect, found.reason) == ("not-reached", f"servingruntime {NAMESPACE}/mine serves it")
        assert (found.before, found.runtime) == ("me/x:1", f"servingruntime {NAMESPACE}/mine")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_a_runtime_of_another_namespace_does_not(self, minor: int) -> None:
        theirs = runtime("theirs", image="me/x:1", namespace="elsewhere")
        old, new = on_runtime(minor, "r/sk:1", theirs), on_runtime(minor, "new/sk:1", theirs)
        assert the_one(service(model()), old, new).effect == "changes"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_a_runtime_that_it_names(self, minor: int) -> None:
        other = runtime("other", "sklearn-", image="r/other:1")
        old, new = on_runtime(minor, "r/sk:1", other), on_runtime(minor, "new/sk:1", other)
        assert told(service(model(runtime="other")), old, new) == (
            "not-reached", "clusterservingruntime other serves it",
        )  # fmt: skip

    @pytest.mark.parametrize("minor", range(11, 21))
    def test_a_runtime_with_a_higher_priority(self, minor: int) -> None:
        first = prioritised(runtime("first", image="r/first:1"), 9)
        old, new = on_runtime(minor, "r/sk:1", first), on_runtime(minor, "new/sk:1", first)
        assert told(service(model()), old, new) == ("not-reached", "clusterservingruntime first serves it")

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_a_runtime_for_another_protocol(self, minor: int) -> None:
        other = runtime("kserve-mlserver", speaks="v2", image="r/ml:1")
        old, new = on_runtime(minor, "r/sk:1", other), on_runtime(minor, "new/sk:1", other)
        assert told(service(model(protocolVersion="v2")), old, new) == (
            "not-reached", "clusterservingruntime kserve-mlserver serves it",
        )  # fmt: skip

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("new", [("new/sk", "1"), ("r/sk", "2"), ("new/sk", "2")])
    def test_another_protocol_whatever_its_version(self, new: tuple[str, str], minor: int) -> None:
        one = service({"sklearn": {"protocolVersion": "v2", "runtimeVersion": "0"}})
        assert told(one, by_config(minor, "r/sk"), by_config(minor, *new)) == (
            "not-reached", "predictors.sklearn.v2.image is r/ml",
        )  # fmt: skip

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_what_is_not_served_as_it_is(self, minor: int) -> None:
        one = service(model(runtime="gone"))
        assert told(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:1")) == (
            "not-reached", "it is not served as it is: there is no runtime gone",
        )  # fmt: skip

    def test_what_no_release_knows_until_it_is_updated(self) -> None:
        one = service({"sklearn": {"runtimeVersion": "1"}})
        effect, reason = told(one, on_runtime(10, "r/sk:1"), on_runtime(10, "new/sk:1"))
        assert effect == "not-reached"
        assert reason.startswith("it is not served as it is: KServe 0.10 no longer knows an image")

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_a_service_of_another_framework_is_not_told_of(self, minor: int) -> None:
        if minor < 8:
            one = service({"onnx": {"runtimeVersion": "1"}})
            assert judged(one, by_config(minor, "r/sk"), by_config(minor, "new/sk")) == []
        else:
            onnx = runtime("onnx", "onnx")
            found = judged(service(model("onnx")), on_runtime(minor, "r/sk", onnx), on_runtime(minor, "new/sk", onnx))
            assert found == []


class TestStandstill:
    """The controller does not touch it at all, whatever its image should be."""

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_stopped(self, minor: int) -> None:
        one = service(model(), metadata=annotated(stop="true"))
        found = the_one(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:1"))
        if minor >= 15:
            assert (found.effect, found.reason) == (
                "not-reached", "it is stopped (annotation serving.kserve.io/stop)",
            )  # fmt: skip
            assert (found.before, found.after) == ("r/sk:1", "r/sk:1")
        else:
            assert found.effect == "changes"

    @pytest.mark.parametrize("minor", range(7, 21))
    def test_modelmesh_by_its_annotation(self, minor: int) -> None:
        metadata = annotated(deploymentMode="ModelMesh")
        if minor == 7:
            one = service({"sklearn": {"runtimeVersion": "1"}}, metadata=metadata)
            old, new = by_config(7, "r/sk"), by_config(7, "new/sk")
        else:
            one = service(model(), metadata=metadata)
            old, new = on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:1")
        assert told(one, old, new) == ("not-reached", "ModelMesh serves it")

    @pytest.mark.parametrize("minor", [8, 10, 14])
    def test_modelmesh_by_the_default(self, minor: int) -> None:
        deploy = {"defaultDeploymentMode": "ModelMesh"}
        old, new = (on_runtime(minor, f"{host}/sk:1", deploy=deploy) for host in ("r", "new"))
        assert told(service(model()), old, new) == ("not-reached", "ModelMesh serves it")
        plain = service(model(), metadata=annotated(deploymentMode="Serverless"))
        assert the_one(plain, old, new).effect == "changes"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize("value", ["true", "false"])
    @pytest.mark.parametrize("status", [READY, {}, {"conditions": [{"type": "Ready", "status": "False"}]}], ids=str)
    def test_auto_update_off_holds_only_while_it_is_ready(self, status: Json, value: str, minor: int) -> None:
        one = service(model(), metadata=annotated(disable_auto_update=value), status=status)
        found = the_one(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:1"))
        if minor >= 16 and value == "true" and status is READY:
            assert (found.effect, found.reason) == (
                "not-reached",
                "its annotation serving.kserve.io/disable-auto-update keeps it as it is while it is ready",
            )
        else:
            assert found.effect == "changes"

    def test_is_the_reason_that_is_told_first(self) -> None:
        one = service(model(image="me/x:1"), metadata=annotated(stop="true"))
        assert told(one, on_runtime(16, "r/sk:1"), on_runtime(16, "new/sk:1"))[1].startswith("it is stopped")
