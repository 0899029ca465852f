"""How a service is read, how it is deployed, and when its controller leaves it as it is."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.plan import ObjectRef
from ksconfig.model.services.resolve import standstill
from ksconfig.model.services.service import KIND, Service, deployment_mode, read_service
from tests.model.services.builders import Json, model, rules, service

MODE = "serving.kserve.io/deploymentMode"


def annotated(annotations: Json, **status: Any) -> Service:
    return service(model(), metadata={"annotations": annotations}, status=status)


class TestReading:
    """What is not of the type it must be counts as absent."""

    def test_takes_an_object_apart(self) -> None:
        metadata = {"name": "m", "namespace": "team", "annotations": {"a": "b"}}
        one = read_service(
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": metadata,
                "spec": {"predictor": {"sklearn": {}}},
                "status": {"url": "x"},
            }
        )
        assert one == Service("team", "m", "v1beta1", metadata, {"predictor": {"sklearn": {}}}, {"url": "x"})
        assert (one.ref, one.annotations, one.predictor) == (ObjectRef(KIND, "team", "m"), {"a": "b"}, {"sklearn": {}})

    @pytest.mark.parametrize(
        "data",
        [{}, {"metadata": None, "spec": [], "status": "x"}, {"metadata": {"name": 1, "namespace": None}}],
        ids=str,
    )
    def test_takes_anything(self, data: Json) -> None:
        one = read_service(data)
        assert (one.namespace, one.name, one.api, one.spec, one.status) == ("", "", "", {}, {})
        assert (one.annotations, one.predictor, one.ready) == ({}, {}, False)
        assert one.ref == ObjectRef(KIND, None, "")

    @pytest.mark.parametrize(
        ("conditions", "ready"),
        [
            ([{"type": "Ready", "status": "True"}], True),
            ([{"type": "PredictorReady", "status": "False"}, {"type": "Ready", "status": "True"}], True),
            ([{"type": "Ready", "status": "False"}], False),
            ([{"type": "Ready", "status": "Unknown"}], False),
            ([{"type": "PredictorReady", "status": "True"}], False),
            ([], False),
            ([None, "x"], False),
            (None, False),
        ],
    )
    def test_tells_whether_it_is_ready(self, conditions: Any, ready: bool) -> None:
        assert service(model(), status={"conditions": conditions}).ready is ready


class TestDeploymentMode:
    """From 0.15 on its status, then its annotation, then the config, then Knative; under two names from 0.16 on."""

    NAMES = (("Serverless", "Knative"), ("RawDeployment", "Standard"), ("ModelMesh", "ModelMesh"))

    @pytest.mark.parametrize("minor", range(7, 21))
    @pytest.mark.parametrize(("name", "mode"), NAMES)
    def test_is_told_by_the_annotation_or_the_config(self, name: str, mode: str, minor: int) -> None:
        assert deployment_mode(annotated({MODE: name}), rules(minor), {}) == mode
        assert deployment_mode(annotated({}), rules(minor), {"defaultDeploymentMode": name}) == mode
        assert deployment_mode(annotated({MODE: name}), rules(minor), {"defaultDeploymentMode": "Serverless"}) == mode

    @pytest.mark.parametrize("minor", range(16, 21))
    @pytest.mark.parametrize("name", ["Knative", "Standard"])
    def test_has_new_names_from_0_16_on(self, name: str, minor: int) -> None:
        assert deployment_mode(annotated({MODE: name}), rules(minor), {}) == name

    @pytest.mark.parametrize("minor", range(7, 16))
    @pytest.mark.parametrize("name", ["Standard", "rawdeployment", ""])
    def test_is_the_configs_if_the_annotation_is_not_known(self, name: str, minor: int) -> None:
        found = deployment_mode(annotated({MODE: name}), rules(minor), {"defaultDeploymentMode": "ModelMesh"})
        assert found == "ModelMesh"

    @pytest.mark.parametrize("minor", range(7, 21))
    def test_stays_that_of_the_status_from_0_15_on(self, minor: int) -> None:
        one = annotated({MODE: "ModelMesh"}, deploymentMode="RawDeployment")
        assert deployment_mode(one, rules(minor), {}) == ("Standard" if minor >= 15 else "ModelMesh")

    @pytest.mark.parametrize("minor", range(2, 21))
    def test_is_knative_if_nobody_tells(self, minor: int) -> None:
        assert deployment_mode(annotated({}), rules(minor), {}) == "Knative"


class TestStandstill:
    """Facts 5.5 and 7.3: services that the controller leaves as they are."""

    @pytest.mark.parametrize("minor", range(7, 21))
    def test_is_for_services_of_modelmesh(self, minor: int) -> None:
        assert standstill(annotated({MODE: "ModelMesh"}), rules(minor), {}) == "ModelMesh serves it"
        assert standstill(annotated({}), rules(minor), {"defaultDeploymentMode": "ModelMesh"}) == "ModelMesh serves it"

    @pytest.mark.parametrize("minor", range(5, 7))
    def test_is_unknown_before_there_were_modes(self, minor: int) -> None:
        assert standstill(annotated({MODE: "ModelMesh"}), rules(minor), {}) == ""

    @pytest.mark.parametrize("minor", range(7, 21))
    @pytest.mark.parametrize(
        ("value", "stopped"), [("true", True), ("True", True), ("false", False), ("yes", False), ("", False)]
    )
    def test_is_for_services_that_are_stopped_from_0_15_on(self, value: str, stopped: bool, minor: int) -> None:
        why = "it is stopped (annotation serving.kserve.io/stop)" if stopped and minor >= 15 else ""
        assert standstill(annotated({"serving.kserve.io/stop": value}), rules(minor), {}) == why

    @pytest.mark.parametrize("minor", range(2, 21))
    def test_is_for_no_other(self, minor: int) -> None:
        assert standstill(annotated({"a": "b"}), rules(minor), {"defaultDeploymentMode": "Serverless"}) == ""
