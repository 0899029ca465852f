"""The version that pins a component: where it stands, whose wish it is, what it would be if nobody had written it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ksconfig.model.plan import Field
from ksconfig.model.services.pins import default_version, set_by_owner, stays_in_place, version_field, without_version
from ksconfig.model.services.service import Service
from ksconfig.model.services.world import World
from tests.model.services.builders import (
    BY_CONFIG,
    GPU,
    V1ALPHA2,
    WITH_RUNTIMES,
    Json,
    model,
    runtime,
    service,
    split,
    stored,
    v1alpha2,
    world,
)

PINNED = {"runtimeVersion": "1"}
OWN = {"containers": [{"name": "kserve-container", "image": "me/x:1"}]}


class TestVersionField:
    """Where the version of a component stands."""

    @pytest.mark.parametrize(
        ("one", "component", "field"),
        [
            (service({"sklearn": PINNED}), "predictor", ("spec", "predictor", "sklearn", "runtimeVersion")),
            (service(model(**PINNED)), "predictor", ("spec", "predictor", "model", "runtimeVersion")),
            (service({"sklearn": {"runtimeVersion": ""}}), "predictor", ("spec", "predictor", "sklearn", "runtimeVersion")),
            (service(OWN, explainer={"art": PINNED}), "explainer", ("spec", "explainer", "art", "runtimeVersion")),
            (
                v1alpha2({"predictor": {"onnx": PINNED}}),
                "predictor",
                ("spec", "default", "predictor", "onnx", "runtimeVersion"),
            ),
            (
                v1alpha2({}, {"predictor": {"onnx": PINNED}}),
                "canary",
                ("spec", "canary", "predictor", "onnx", "runtimeVersion"),
            ),
            (
                v1alpha2({"explainer": {"alibi": PINNED}}),
                "explainer",
                ("spec", "default", "explainer", "alibi", "runtimeVersion"),
            ),
        ],
    )  # fmt: skip
    def test_is_in_the_block_of_the_component(self, one: Service, component: str, field: Field) -> None:
        assert version_field(one, component) == field

    def test_of_a_canary_is_in_its_entry_or_else_that_of_the_stable_predictor(self) -> None:
        entries = [{"predictor": {"name": "a", **model()}}, {"predictor": {"name": "b", **model(**PINNED)}}]
        one = service({"name": "stable", **model(**PINNED)}, canary=entries)
        assert version_field(one, "canary/b") == ("spec", "canary", 1, "predictor", "model", "runtimeVersion")
        assert version_field(one, "canary/a") == ("spec", "predictor", "model", "runtimeVersion")
        free = without_version(one, "canary/b")
        assert free is not None
        assert free.spec == {**one.spec, "canary": [entries[0], {"predictor": {"name": "b", **model()}}]}

    @pytest.mark.parametrize(
        ("one", "component"),
        [
            (service({"sklearn": {}}), "predictor"),
            (service({"sklearn": {"runtimeVersion": None}}), "predictor"),
            (service({"sklearn": {"runtimeVersion": 1}}), "predictor"),
            (service(OWN), "predictor"),
            (service({"sklearn": PINNED}), "explainer"),
            (service({"sklearn": PINNED}, transformer=OWN), "transformer"),
            (service({}), "predictor"),
            (v1alpha2({"predictor": {"onnx": PINNED}}), "canary"),
            (v1alpha2({}, {"predictor": {"onnx": PINNED}}), "predictor"),
        ],
    )
    def test_is_none_where_the_component_names_no_version(self, one: Service, component: str) -> None:
        assert version_field(one, component) is None
        assert without_version(one, component) is None


class TestWithoutVersion:
    """The same service, the version gone and nothing else."""

    def test_keeps_all_else(self) -> None:
        one = service(
            {"sklearn": {"runtimeVersion": "1", "storageUri": "gs://b"}, "minReplicas": 1}, explainer={"art": PINNED}
        )
        free = without_version(one, "predictor")
        assert free is not None
        assert free.spec == {
            "predictor": {"sklearn": {"storageUri": "gs://b"}, "minReplicas": 1},
            "explainer": {"art": PINNED},
        }
        assert free._replace(spec=one.spec) == one

    def test_leaves_the_service_that_was_given_as_it_is(self) -> None:
        one = service({"sklearn": dict(PINNED)})
        without_version(one, "predictor")
        assert one.spec == {"predictor": {"sklearn": PINNED}}

    def test_of_one_component_keeps_that_of_another(self) -> None:
        one = v1alpha2({"predictor": {"onnx": PINNED}}, {"predictor": {"onnx": PINNED}})
        free = without_version(one, "canary")
        assert free is not None
        assert free.spec == {"default": {"predictor": {"onnx": PINNED}}, "canary": {"predictor": {"onnx": {}}}}


CONFIG: Json = {
    "predictors": {
        "sklearn": {"v1": split("r/sk", "7"), "v2": split("r/ml", "8")},
        "onnx": split("r/onnx", "9"),
        "tensorflow": split("r/tf", "7", defaultGpuImageVersion="7-gpu"),
    },
    "explainers": {"art": split("r/art", "5"), "alibi": split("r/alibi", "6")},
}
FLAT: Json = {
    **CONFIG,
    "predictors": {"onnx": split("r/onnx", "9"), "tensorflow": CONFIG["predictors"]["tensorflow"]},
}


class TestDefaultVersion:
    """What admission would write if the component named none."""

    @pytest.mark.parametrize("minor", BY_CONFIG)
    @pytest.mark.parametrize(
        ("predictor", "version"),
        [
            ({"sklearn": PINNED}, "7"),
            ({"sklearn": {**PINNED, "protocolVersion": "v2"}}, "8"),
            ({"onnx": PINNED}, "9"),
            ({"tensorflow": PINNED}, "7"),
            ({"tensorflow": {"runtimeVersion": "1-gpu", "resources": GPU}}, "7-gpu"),
            ({"lightgbm": PINNED}, ""),
        ],
    )
    def test_is_that_of_the_config(self, predictor: Json, version: str, minor: int) -> None:
        assert default_version(service(predictor), "predictor", world(minor, CONFIG)) == version

    @pytest.mark.parametrize("component", ["predictor", "canary"])
    def test_is_that_of_the_config_in_v1alpha2(self, component: str) -> None:
        part = {"predictor": {"onnx": PINNED}}
        assert default_version(v1alpha2(part, part), component, world(4, FLAT)) == "9"

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_none_on_runtimes(self, minor: int) -> None:
        assert default_version(service(model(**PINNED)), "predictor", world(minor, CONFIG)) is None

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_of_an_explainer_is_that_of_the_config_in_every_release(self, minor: int) -> None:
        one = service(OWN, explainer={"art": PINNED})
        assert default_version(one, "explainer", world(minor, CONFIG)) == "5"

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_of_an_explainer_is_that_of_the_config_in_v1alpha2(self, minor: int) -> None:
        allowed = {"alibi": split("r/alibi", "6", allowedImageVersions=["6"])}
        one = v1alpha2({"explainer": {"alibi": PINNED}})
        assert default_version(one, "explainer", world(minor, {"explainers": allowed})) == "6"

    def test_is_none_where_none_is_written_now(self) -> None:
        assert default_version(service({"sklearn": {}}), "predictor", world(7, CONFIG)) is None

    @pytest.mark.parametrize("minor", BY_CONFIG)
    def test_is_what_admission_then_writes(self, minor: int) -> None:
        where = world(minor, CONFIG)
        one = stored(service({"sklearn": {"storageUri": "gs://b"}}), where)
        assert default_version(one, "predictor", where) == one.predictor["sklearn"]["runtimeVersion"]


class TestStaysInPlace:
    """Whether a version that is written there is still there after admission."""

    @staticmethod
    def where(minor: int) -> World:
        return world(minor, CONFIG, runtime("kserve-sklearnserver"))

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_in_a_block_of_a_framework_until_admission_turns_that_into_a_model(self, minor: int) -> None:
        assert stays_in_place(service({"sklearn": PINNED}), "predictor", self.where(minor)) is (minor < 8)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_in_a_model(self, minor: int) -> None:
        assert stays_in_place(service(model(**PINNED)), "predictor", self.where(minor))

    @pytest.mark.parametrize("minor", range(9, 21))
    def test_in_a_block_that_modelmesh_serves(self, minor: int) -> None:
        metadata = {"annotations": {"serving.kserve.io/deploymentMode": "ModelMesh"}}
        assert stays_in_place(service({"sklearn": PINNED}, metadata=metadata), "predictor", self.where(minor))

    @pytest.mark.parametrize("minor", range(5, 21))
    def test_in_an_explainer(self, minor: int) -> None:
        one = service({"sklearn": PINNED}, explainer={"art": PINNED})
        assert stays_in_place(one, "explainer", self.where(minor))

    @pytest.mark.parametrize("minor", V1ALPHA2)
    def test_in_v1alpha2(self, minor: int) -> None:
        allowed = {"onnx": split("r/onnx", "9", allowedImageVersions=["1", "9"])}
        one = v1alpha2({"predictor": {"onnx": PINNED}})
        assert stays_in_place(one, "predictor", world(minor, {"predictors": allowed}))

    def test_not_where_there_is_none(self) -> None:
        assert not stays_in_place(service({"sklearn": {}}), "predictor", self.where(7))


OWNED: Json = {"f:spec": {"f:predictor": {"f:sklearn": {"f:runtimeVersion": {}}}}}


class TestSetByOwner:
    """A version that its owner has written is not changed for them."""

    FIELD = ("spec", "predictor", "sklearn", "runtimeVersion")

    @staticmethod
    def last_applied(applied: Any) -> Json:
        text = applied if isinstance(applied, str) else json.dumps(applied)
        return {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": text}}

    def owned(self, metadata: Json) -> bool:
        return set_by_owner(service({"sklearn": PINNED}, metadata=metadata), self.FIELD)

    def test_by_kubectl_apply(self) -> None:
        assert self.owned(self.last_applied({"spec": {"predictor": {"sklearn": {"runtimeVersion": "1"}}}}))

    def test_by_kubectl_apply_of_another_value(self) -> None:
        assert self.owned(self.last_applied({"spec": {"predictor": {"sklearn": {"runtimeVersion": "2"}}}}))

    @pytest.mark.parametrize(
        "applied",
        [
            {"spec": {"predictor": {"sklearn": {"storageUri": "gs://b"}}}},
            {"spec": {"predictor": {"sklearn": {"runtimeVersion": None}}}},
            {"spec": {"predictor": {"onnx": {"runtimeVersion": "1"}}}},
            {"spec": {"predictor": {"sklearn": []}}},
            {},
            [],
            "null",
        ],
        ids=str,
    )
    def test_not_by_kubectl_apply_of_something_else(self, applied: Any) -> None:
        assert not self.owned(self.last_applied(applied))

    @pytest.mark.parametrize("text", ["", "{", "{'spec': 1}", "[" * 100_000], ids=["empty", "cut", "yaml", "deep"])
    def test_perhaps_where_what_was_applied_cannot_be_read(self, text: str) -> None:
        assert self.owned(self.last_applied(text))

    def test_by_server_side_apply(self) -> None:
        entry = {"manager": "argocd", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": OWNED}
        assert self.owned({"managedFields": [entry]})

    def test_by_server_side_apply_after_other_managers(self) -> None:
        update = {"manager": "manager", "operation": "Update", "fieldsV1": OWNED}
        assert self.owned({"managedFields": [update, {**update, "operation": "Apply"}]})

    @pytest.mark.parametrize(
        "fields",
        [
            {"f:spec": {"f:predictor": {"f:sklearn": {"f:storageUri": {}}}}},
            {"f:spec": {"f:predictor": {"f:onnx": {"f:runtimeVersion": {}}}}},
            {"f:spec": {}},
            {},
            None,
        ],
        ids=str,
    )
    def test_not_by_server_side_apply_of_something_else(self, fields: Json | None) -> None:
        assert not self.owned({"managedFields": [{"operation": "Apply", "fieldsV1": fields}]})

    @pytest.mark.parametrize("manager", ["manager", "kubectl-create", "kubectl-client-side-apply"])
    def test_not_by_an_update_since_admission_writes_in_its_name(self, manager: str) -> None:
        entry = {"manager": manager, "operation": "Update", "fieldsV1": OWNED}
        assert not self.owned({"managedFields": [entry]})

    @pytest.mark.parametrize("fields", [None, {}, [], ["x"], [None]], ids=str)
    def test_not_where_nobody_is_named(self, fields: Any) -> None:
        assert not self.owned({"managedFields": fields})

    def test_not_by_an_annotation_that_is_no_text(self) -> None:
        assert not self.owned({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": 1}})
