"""What a change does to a service: which effect it has on each of its components, and why.

What is touched and who is concerned by it is in test_touched.
"""

from __future__ import annotations

import pytest

from ksconfig.model.runtimes import Container
from ksconfig.model.services.impact import ServiceImpact
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
    v1alpha2,
    world,
)
from tests.model.services.impacts import OWN, annotated, by_config, judged, on_runtime, pods, the_one, told


class TestChanges:
    """Its workload rolls: to the image that KServe makes of the new state."""

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_by_the_repository_of_the_config_in_v1alpha2(self, minor: int) -> None:
        one = v1alpha2({"predictor": {"sklearn": {"runtimeVersion": "1"}}})
        found = the_one(one, by_config(minor, "r/sk"), by_config(minor, "new/sk"))
        assert (found.component, found.effect, found.before, found.after) == (
            "predictor", "changes", "r/sk:1", "new/sk:1",
        )  # fmt: skip

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize("framework", ["sklearn", "onnx"])
    def test_by_the_repository_of_the_config(self, framework: str, minor: int) -> None:
        old, new = (by_config(minor, f"{host}/x", framework=framework) for host in ("r", "new.local:5000"))
        one = service({framework: {"runtimeVersion": "1"}})
        place = f"predictors.{framework}" + (".v1" if framework == "sklearn" else "")
        assert the_one(one, old, new) == ServiceImpact(
            NAMESPACE, "m", "predictor", "changes", "r/x:1", "new.local:5000/x:1",
            f"{place}.image is new.local:5000/x; runtimeVersion is 1", version="1",
        )  # fmt: skip

    @pytest.mark.parametrize("minor", [8, 9])
    def test_by_the_config_where_no_update_has_turned_it_into_a_model(self, minor: int) -> None:
        one = service({"sklearn": {"runtimeVersion": "1"}})
        moved = runtime("kserve-sklearnserver", image="new/sk:1")
        old = world(minor, by_config(minor, "r/sk").config, moved._replace(containers=(Container(None, "r/sk:1"),)))
        found = the_one(one, old, world(minor, by_config(minor, "new/sk").config, moved))
        assert (found.effect, found.before, found.after) == ("changes", "r/sk:1", "new/sk:1")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize("one", [model(), model(runtime="kserve-sklearnserver")], ids=["chosen", "named"])
    def test_by_the_image_of_its_runtime(self, one: Json, minor: int) -> None:
        found = the_one(service(one), on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:2"))
        assert (found.effect, found.before, found.after) == ("changes", "r/sk:1", "new/sk:2")
        assert found.runtime == "clusterservingruntime kserve-sklearnserver"
        assert found.reason.endswith("clusterservingruntime kserve-sklearnserver has image new/sk:2")

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_where_another_runtime_is_chosen_from_then_on(self, minor: int) -> None:
        ahead = runtime("ahead", "sklearn-", image="new/sk:1")
        chosen = runtime("ahead", "sklearn", image="new/sk:1")
        behind = runtime("kserve-sklearnserver", "sklearn", image="r/sk:1")
        gone = behind._replace(disabled=True)
        found = the_one(service(model()), world(minor, {}, behind, ahead), world(minor, {}, gone, chosen))
        assert (found.effect, found.before, found.after) == ("changes", "r/sk:1", "new/sk:1")
        assert found.runtime == "clusterservingruntime ahead"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_to_either_of_several_where_no_order_is_known(self, minor: int) -> None:
        twin = runtime("twin", image="r/twin:1")
        found = the_one(service(model()), on_runtime(minor, "r/sk:1", twin), on_runtime(minor, "new/sk:1", twin))
        assert (found.effect, found.before, found.after) == (
            "changes", "r/sk:1 or r/twin:1", "new/sk:1 or r/twin:1",
        )  # fmt: skip
        assert found.runtime == "clusterservingruntime kserve-sklearnserver or clusterservingruntime twin"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_where_it_was_not_served_before(self, minor: int) -> None:
        disabled = runtime("kserve-sklearnserver", image="r/sk:1", disabled=True)
        found = the_one(service(model()), world(minor, {}, disabled), on_runtime(minor, "r/sk:1"))
        assert (found.effect, found.before, found.after) == ("changes", "", "r/sk:1")

    @pytest.mark.parametrize("minor", [8, 9])
    def test_with_a_version_that_a_new_service_would_not_get_it_is_a_pinned_tag(self, minor: int) -> None:
        one = service({"sklearn": {"runtimeVersion": "1"}})
        csr = runtime("kserve-sklearnserver", image="r/sk:2")
        old, new = (world(minor, by_config(minor, f"{host}/sk").config, csr) for host in ("r", "new"))
        found = the_one(one, old, new)
        assert (found.effect, found.after) == ("pinned-tag", "new/sk:1")

    @pytest.mark.parametrize("minor", [8, 9])
    def test_by_the_gpu_tag_of_the_config_whatever_the_format_of_its_runtime(self, minor: int) -> None:
        def lent(gpu: str) -> World:
            block = split("r/tf", "1", defaultGpuImageVersion=gpu)
            return on_runtime(minor, "r/tf:1", name="mine", predictors={"tensorflow": block})

        found = the_one(service(model(resources=GPU)), lent("1-gpu"), lent("2-gpu"))
        assert (found.effect, found.before, found.after) == ("changes", "r/tf:1-gpu", "r/tf:2-gpu")

    def test_each_of_its_components_by_itself(self) -> None:
        def both(host: str) -> World:
            return by_config(7, f"{host}/sk", explainers={"art": split(f"{host}/art")})

        one = service({"sklearn": {"runtimeVersion": "1"}}, explainer={"art": {"runtimeVersion": "1"}})
        assert [(found.component, found.effect, found.after) for found in judged(one, both("r"), both("new"))] == [
            ("predictor", "changes", "new/sk:1"),
            ("explainer", "changes", "new/art:1"),
        ]

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_an_explainer_by_the_repository_of_the_config_in_every_release(self, minor: int) -> None:
        old, new = (world(minor, {"explainers": {"art": split(f"{host}/art")}}) for host in ("r", "new"))
        one = service(OWN, explainer={"art": {"runtimeVersion": "1"}})
        found = the_one(one, old, new)
        assert (found.component, found.effect, found.before, found.after) == (
            "explainer", "changes", "r/art:1", "new/art:1",
        )  # fmt: skip


class TestCanary:
    """Only a share of the traffic gets the change."""

    @pytest.mark.parametrize("share", [0, 10, 99])
    @pytest.mark.parametrize("minor", [8, 10, 16, 20])
    def test_has_the_share_of_its_newest_revision(self, minor: int, share: int) -> None:
        one = service({**model(), "canaryTrafficPercent": share})
        found = the_one(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:1"))
        assert (found.effect, found.traffic, found.after) == ("canary", share, "new/sk:1")
        assert found.reason == f"{share} % of its traffic (canaryTrafficPercent)"

    def test_is_a_change_where_all_of_its_traffic_goes_there(self) -> None:
        one = service({**model(), "canaryTrafficPercent": 100})
        found = the_one(one, on_runtime(10, "r/sk:1"), on_runtime(10, "new/sk:1"))
        assert (found.effect, found.traffic) == ("changes", None)

    @pytest.mark.parametrize(
        ("annotation", "default", "effect"),
        [
            ("RawDeployment", "Serverless", "changes"),
            ("Serverless", "RawDeployment", "canary"),
            (None, "RawDeployment", "changes"),
            (None, "Serverless", "canary"),
        ],
    )
    def test_needs_knative(self, annotation: str | None, default: str, effect: str) -> None:
        metadata = annotated(deploymentMode=annotation) if annotation else None
        one = service({"sklearn": {"runtimeVersion": "1"}, "canaryTrafficPercent": 10}, metadata=metadata)
        deploy = {"defaultDeploymentMode": default}
        found = the_one(one, by_config(7, "r/sk", deploy=deploy), by_config(7, "new/sk", deploy=deploy))
        assert found.effect == effect

    def test_is_no_canary_where_it_would_have_a_pinned_tag(self) -> None:
        one = service({"sklearn": {"runtimeVersion": "1"}, "canaryTrafficPercent": 10})
        found = the_one(one, by_config(7, "r/sk"), by_config(7, "new/sk", "2"))
        assert (found.effect, found.traffic) == ("pinned-tag", None)

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_of_v1alpha2_is_a_predictor_of_its_own(self, minor: int) -> None:
        default, canary = ({"predictor": {name: {"runtimeVersion": "1"}}} for name in ("onnx", "sklearn"))
        one = v1alpha2(default, canary)
        one = one._replace(spec={**one.spec, "canaryTrafficPercent": 20})
        found = the_one(one, by_config(minor, "r/sk"), by_config(minor, "new/sk"))
        assert (found.component, found.effect, found.traffic) == ("canary", "canary", 20)
        assert (found.before, found.after) == ("r/sk:1", "new/sk:1")

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_of_v1alpha2_leaves_the_default_a_change(self, minor: int) -> None:
        part = {"predictor": {"sklearn": {"runtimeVersion": "1"}}}
        one = v1alpha2(part, part)
        one = one._replace(spec={**one.spec, "canaryTrafficPercent": 20})
        found = judged(one, by_config(minor, "r/sk"), by_config(minor, "new/sk"))
        assert [(each.component, each.effect) for each in found] == [("predictor", "changes"), ("canary", "canary")]

    def test_of_0_20_is_one_of_several_predictors_with_a_share_each(self) -> None:
        metadata = annotated(deploymentMode="Standard")
        canary = {"predictor": {"name": "next", **model("onnx", runtime="onnx")}, "trafficPercent": 30}
        one = service({"name": "stable", **model()}, metadata=metadata, canary=[canary])
        old, new = (
            world(20, {}, runtime("sk"), runtime("onnx", "onnx", image=f"{host}/onnx:1")) for host in ("r", "new")
        )
        found = the_one(one, old, new)
        assert (found.component, found.effect, found.traffic) == ("canary/next", "canary", 30)
        assert (found.before, found.after, found.reason) == (
            "r/onnx:1", "new/onnx:1", "30 % of its traffic (trafficPercent)",
        )  # fmt: skip


class TestPinnedTag:
    """A new repository with an old version: such an image often does not exist."""

    STAYS = "runtimeVersion 1 stays, where a new service gets new/sk:2"

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_is_made_of_the_version_that_admission_wrote_in_v1alpha2(self, minor: int) -> None:
        allowed = {"allowedImageVersions": ["1", "2"]}  # 0.2 and 0.3 admit no others
        old, new = (
            world(minor, {"predictors": {"sklearn": split(f"{host}/sk", version, **allowed)}})
            for host, version in (("r", "1"), ("new", "2"))
        )
        one = v1alpha2({"predictor": {"sklearn": {"runtimeVersion": "1"}}})
        assert told(one, old, new) == ("pinned-tag", self.STAYS)

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_is_made_of_the_version_that_admission_wrote(self, minor: int) -> None:
        found = the_one(
            service({"sklearn": {"runtimeVersion": "1"}}), by_config(minor, "r/sk"), by_config(minor, "new/sk", "2")
        )
        assert (found.effect, found.before, found.after, found.version) == ("pinned-tag", "r/sk:1", "new/sk:1", "1")
        assert found.reason == self.STAYS

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_made_of_the_version_that_its_owner_wrote_for_a_runtime(self, minor: int) -> None:
        one = service(model(runtimeVersion="1"))
        assert told(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, "new/sk:2")) == ("pinned-tag", self.STAYS)

    def test_is_made_of_the_version_of_a_canary(self) -> None:
        canary = {"predictor": {"name": "next", **model(runtime="sk", runtimeVersion="1")}, "trafficPercent": 30}
        metadata = annotated(deploymentMode="Standard")
        one = service({"name": "stable", **model("onnx")}, metadata=metadata, canary=[canary])
        old, new = (
            world(20, {}, runtime("sk", image=f"{host}/sk:2"), runtime("onnx", "onnx")) for host in ("r", "new")
        )
        found = the_one(one, old, new)
        assert (found.component, found.effect, found.after) == ("canary/next", "pinned-tag", "new/sk:1")

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_is_made_for_explainers_in_every_release(self, minor: int) -> None:
        old, new = (
            world(minor, {"explainers": {"art": split(f"{host}/sk", version)}})
            for host, version in (("r", "1"), ("new", "2"))
        )
        one = service(OWN, explainer={"art": {"runtimeVersion": "1"}})
        assert told(one, old, new) == ("pinned-tag", self.STAYS)

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_is_none_where_a_new_service_has_that_version_too(self, minor: int) -> None:
        one = service({"sklearn": {"runtimeVersion": "2"}})
        assert the_one(one, by_config(minor, "r/sk"), by_config(minor, "new/sk", "2")).effect == "changes"

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_is_none_where_the_version_changes_along(self, minor: int) -> None:
        one, later = (service({"sklearn": {"runtimeVersion": version}}) for version in ("1", "2"))
        found = the_one(one, by_config(minor, "r/sk"), by_config(minor, "new/sk", "2"), later)
        assert (found.effect, found.before, found.after, found.version) == ("changes", "r/sk:1", "new/sk:2", "2")

    def test_is_none_where_the_version_changes_back_to_an_older_one(self) -> None:
        one, later = (service({"sklearn": {"runtimeVersion": version}}) for version in ("2", "1"))
        found = the_one(one, by_config(7, "new/sk", "2"), by_config(7, "r/sk", "3"), later)
        assert (found.effect, found.after) == ("changes", "r/sk:1")
        assert found.reason == "its runtimeVersion becomes 1"


class TestInvalid:
    """KServe could not serve it any more."""

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    @pytest.mark.parametrize(
        ("one", "will", "reason"),
        [
            (model(), {"disabled": True}, "no runtime serves sklearn"),
            (model(), {"formats": "onnx"}, "no runtime serves sklearn"),
            (model(runtime="mine"), {"disabled": True}, "clusterservingruntime mine is disabled"),
            (model(runtime="mine"), {"formats": "onnx"}, "clusterservingruntime mine does not list sklearn"),
        ],
    )
    def test_without_a_runtime(self, one: Json, will: Json, reason: str, minor: int) -> None:
        found = the_one(service(one), world(minor, {}, runtime("mine")), world(minor, {}, runtime("mine", **will)))
        assert (found.effect, found.before, found.after, found.reason) == ("invalid", "r/x:1", "", reason)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_where_its_runtime_is_gone(self, minor: int) -> None:
        old, new = world(minor, {}, runtime("mine")), world(minor)
        assert told(service(model()), old, new) == ("invalid", "no runtime serves sklearn")
        assert told(service(model(runtime="mine")), old, new) == ("invalid", "there is no runtime mine")

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_where_the_controller_crashes_on_the_config(self, minor: int) -> None:
        new = world(minor, {"predictors": {"sklearn": {"v2": split("r/ml")}}})
        effect, reason = told(service({"sklearn": {"runtimeVersion": "1"}}), by_config(minor, "r/sk"), new)
        assert effect == "invalid"
        assert reason == "the config has no predictors.sklearn.v1, and the controller crashes on it"

    @pytest.mark.parametrize(("minor", "effect"), [(10, "invalid"), (15, "invalid"), (16, "changes"), (20, "changes")])
    def test_where_a_suffix_follows_a_digest(self, minor: int, effect: str) -> None:
        def serving(image: str) -> World:
            return world(minor, {}, runtime("kserve-tensorflow-serving", "tensorflow", image=image))

        one = service(model("tensorflow", resources=GPU))
        found = the_one(one, serving("r/tf:1"), serving(f"r/tf@{DIGEST}"))
        assert found.effect == effect
        assert found.after == f"r/tf@{DIGEST}" + ("-gpu" if effect == "invalid" else "")

    @pytest.mark.parametrize(("minor", "effect"), [(8, "invalid"), (10, "invalid"), (16, "changes"), (20, "changes")])
    def test_where_a_version_is_joined_to_a_digest(self, minor: int, effect: str) -> None:
        one = service(model(runtimeVersion="v1"))
        found = the_one(one, on_runtime(minor, "r/sk:1"), on_runtime(minor, f"r/sk@{DIGEST}"))
        assert (found.effect, found.version) == (effect, "v1" if effect == "invalid" else None)

    def test_where_a_digest_fills_the_fields_of_the_config_and_a_version_is_there(self) -> None:
        one = service({"sklearn": {"runtimeVersion": "v1"}})
        found = the_one(one, by_config(7, "r/sk", "v1"), by_config(7, "r/sk@sha256", "ab" * 32))
        assert (found.effect, found.after) == ("invalid", "r/sk@sha256:v1")

    def test_not_where_it_was_no_reference_before(self) -> None:
        one = service({"sklearn": {"runtimeVersion": "v1"}})
        found = the_one(one, by_config(7, "r/sk@sha256", "v1"), by_config(7, "new/sk@sha256", "v1"))
        assert found.effect == "changes"

    def test_takes_the_components_after_it_along(self) -> None:
        one = service(model(), transformer=OWN)
        found = judged(one, on_runtime(16, "r/sk:1"), world(16))
        assert [(each.component, each.effect, each.reason) for each in found] == [
            ("predictor", "invalid", "no runtime serves sklearn"),
            ("transformer", "invalid", "it comes after the predictor, which fails"),
        ]


URI = {"storageUri": "gs://b/m"}


class TestNextPod:
    """What the pod webhook adds is in those pods that are made from then on; nothing rolls for it."""

    REASON = "pods that are made from then on have it"

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_has_the_new_storage_initializer(self, minor: int) -> None:
        one = service({"sklearn": {"runtimeVersion": "1", **URI}} if minor < 8 else model(**URI))
        found = the_one(one, pods(minor, storageInitializer="r/si:1"), pods(minor, storageInitializer="r/si:2"))
        assert found == ServiceImpact(
            NAMESPACE, "m", "storage-initializer", "next-pod", "r/si:1", "r/si:2", self.REASON
        )

    @pytest.mark.parametrize("part", ["logger", "batcher"])
    @pytest.mark.parametrize("minor", [5, 7, 8, 16, 20])
    def test_has_the_new_agent_where_it_logs_or_batches(self, minor: int, part: str) -> None:
        one = service({**OWN, part: {}})
        found = the_one(one, pods(minor, agent="r/agent:1"), pods(minor, agent="r/agent:2"))
        assert (found.component, found.effect, found.after) == ("agent", "next-pod", "r/agent:2")

    @pytest.mark.parametrize("minor", [5, 8, 16])
    def test_has_neither_where_it_needs_none(self, minor: int) -> None:
        old, new = (pods(minor, agent=f"r/a:{tag}", storageInitializer=f"r/si:{tag}") for tag in ("1", "2"))
        assert judged(service(OWN), old, new) == []

    @pytest.mark.parametrize(("minor", "reached"), [(7, True), (15, True), (16, False), (20, False)])
    def test_has_none_for_a_volume_where_that_is_mounted_as_it_is(self, minor: int, reached: bool) -> None:
        one = service(
            {**OWN, "containers": [{"image": "me/x:1", "env": [{"name": "STORAGE_URI", "value": "pvc://a"}]}]}
        )
        old, new = (pods(minor, storageInitializer=f"r/si:{tag}") for tag in ("1", "2"))
        assert [found.effect for found in judged(one, old, new)] == ["next-pod"] * reached

    def test_is_not_told_of_one_that_stands_still(self) -> None:
        one = service(model(**URI), metadata=annotated(stop="true"))
        old, new = (pods(16, storageInitializer=f"r/si:{tag}") for tag in ("1", "2"))
        assert judged(one, old, new) == []

    def test_is_not_told_of_one_whose_pods_are_all_made_anew(self) -> None:
        old, new = (on_runtime(16, f"r/sk:{tag}", storageInitializer={"image": f"r/si:{tag}"}) for tag in ("1", "2"))
        assert [found.component for found in judged(service(model(**URI)), old, new)] == ["predictor"]

    def test_is_told_of_one_that_the_change_of_its_framework_does_not_reach(self) -> None:
        old, new = (on_runtime(16, f"r/sk:{tag}", storageInitializer={"image": f"r/si:{tag}"}) for tag in ("1", "2"))
        found = judged(service(model(**URI, image="me/x:1")), old, new)
        assert [(each.component, each.effect) for each in found] == [
            ("predictor", "not-reached"),
            ("storage-initializer", "next-pod"),
        ]


class TestName:
    """How a service is called in what people read."""

    def test_is_namespace_and_name(self) -> None:
        assert str(ServiceImpact("team", "m", "predictor", "changes", "", "")) == "team/m"

    def test_is_the_name_where_a_manifest_has_no_namespace(self) -> None:
        assert str(ServiceImpact("", "m", "predictor", "changes", "", "")) == "m"
