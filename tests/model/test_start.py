"""Configs that a controller would not start with (facts 1.5)."""

from __future__ import annotations

from typing import Any

import pytest

import ksconfig
from ksconfig.model.releases import Release, rules_of
from ksconfig.model.start import start_faults

GATEWAY = {"ingressGateway": "knative-serving/gateway"}
INGRESS = {**GATEWAY, "ingressService": "istio"}


def faults(minor: int, **data: Any) -> tuple[str, ...]:
    return tuple(fault.reason for fault in start_faults(rules_of(Release(0, minor)), data))


@pytest.mark.parametrize("minor", range(2, 22))
def test_a_sound_config_starts(minor: int) -> None:
    assert faults(minor, deploy={"defaultDeploymentMode": "Serverless"}, ingress=INGRESS) == ()
    assert faults(minor) == ()


@pytest.mark.parametrize(
    ("minor", "deploy", "fault"),
    [
        (6, {}, None),
        (6, {"defaultDeploymentMode": "Nonsense"}, None),
        (7, {}, "deploy.defaultDeploymentMode is required"),
        (7, {"defaultDeploymentMode": ""}, "deploy.defaultDeploymentMode is required"),
        (7, {"defaultDeploymentMode": None}, "deploy.defaultDeploymentMode is required"),
        (7, [], "deploy must be a JSON object, and is the array []"),
        (7, "Serverless", 'deploy must be a JSON object, and is the string "Serverless"'),
        (7, {"defaultDeploymentMode": "serverless"}, 'deploy.defaultDeploymentMode is "serverless"'),
        (7, {"defaultDeploymentMode": "Knative"}, 'deploy.defaultDeploymentMode is "Knative"'),
        (7, {"defaultDeploymentMode": "RawDeployment"}, None),
        (7, {"defaultDeploymentMode": "ModelMesh"}, None),
        (15, {"defaultDeploymentMode": "Standard"}, 'deploy.defaultDeploymentMode is "Standard"'),
        (16, {"defaultDeploymentMode": "Standard"}, None),
        (16, {"defaultDeploymentMode": "Knative"}, None),
        (16, {"defaultDeploymentMode": "RawDeployment"}, None),
        (21, {"defaultDeploymentMode": "Nonsense"}, 'deploy.defaultDeploymentMode is "Nonsense"'),
    ],
)
def test_deploy_is_read_at_the_start_from_0_7_on(minor: int, deploy: Any, fault: str | None) -> None:
    found = faults(minor, deploy=deploy)
    assert bool(found) is bool(fault)
    assert not fault or fault in found[0]


@pytest.mark.parametrize(
    ("minor", "ingress", "fault"),
    [
        (9, {}, None),
        (9, [], None),
        (10, {}, "ingress.ingressGateway is required"),
        (10, [], "ingress must be a JSON object, and is the array []"),
        (10, GATEWAY, "ingress.ingressService is required"),
        (10, {**INGRESS, "ingressService": ""}, "ingress.ingressService is required"),
        (13, GATEWAY, "ingress.ingressService is required"),
        (14, GATEWAY, None),
        (14, {"ingressService": "istio"}, "ingress.ingressGateway is required"),
        (10, {**INGRESS, "disableIstioVirtualHost": "false"}, "ingress.disableIstioVirtualHost must be a JSON boolean"),
        (10, {**INGRESS, "ingressDomain": 7}, "ingress.ingressDomain must be a JSON string, and is the number 7"),
        (13, {**INGRESS, "additionalIngressDomains": "a.example"}, "additionalIngressDomains must be a JSON array"),
        (13, {**INGRESS, "additionalIngressDomains": None}, None),
        (15, {**GATEWAY, "enableGatewayApi": True}, "ingress.kserveIngressGateway is required with enableGatewayApi"),
        (15, {**GATEWAY, "enableGatewayApi": True, "kserveIngressGateway": "kserve/gateway"}, None),
        (15, {**GATEWAY, "enableGatewayApi": False}, None),
    ],
)
def test_ingress_is_read_at_the_start_from_0_10_on(minor: int, ingress: Any, fault: str | None) -> None:
    found = faults(minor, ingress=ingress)
    assert bool(found) is bool(fault)
    assert not fault or fault in found[0]


@pytest.mark.parametrize(
    ("minor", "value", "wrong"),
    [
        (14, [], False),
        (15, [], True),
        (15, {}, False),
        (15, {"customGPUResourceTypeList": "x"}, True),
        (15, {"customGPUResourceTypeList": ["x"]}, False),
    ],
)
def test_multi_node_is_read_at_the_start_from_0_15_on(minor: int, value: Any, wrong: bool) -> None:
    assert bool(faults(minor, multiNode=value)) is wrong


def test_all_faults_are_told_at_once() -> None:
    assert len(faults(10, deploy={}, ingress={})) == 3


MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: inferenceservice-config
data:
  deploy: |-
    {"defaultDeploymentMode": "Serverless"}
  ingress: |-
    {"ingressGateway": "g", "ingressService": "s"}
  agent: |-
    {"image": "kserve/agent:v1"}
"""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("deploy.defaultDeploymentMode", "Nonsense"),
        ("deploy.defaultDeploymentMode", ""),
        ("ingress.ingressGateway", ""),
    ],
)
def test_no_edit_leads_there(path: str, value: str) -> None:
    manifests = ksconfig.loads(MANIFEST, kserve_version="0.12")

    with pytest.raises(ksconfig.Refused, match=r"KServe 0\.12 would exit at its next start"):
        manifests.set(path, value)

    assert manifests.text == MANIFEST


def test_no_removal_leads_there() -> None:
    manifests = ksconfig.loads(MANIFEST, kserve_version="0.12")

    with pytest.raises(ksconfig.Refused, match=r"ingress\.ingressService is required"):
        manifests.unset("ingress.ingressService")

    assert manifests.text == MANIFEST


def test_where_only_some_of_the_possible_releases_would_not_start_it_is_a_warning() -> None:
    manifests = ksconfig.loads(MANIFEST)

    manifests.set("deploy.defaultDeploymentMode", "Standard")

    assert "start" in [notice.code for notice in manifests.notices]


def test_no_edit_leads_there_through_a_name_in_other_case() -> None:
    text = MANIFEST.replace("defaultDeploymentMode", "DefaultDeploymentMode")
    manifests = ksconfig.loads(text, kserve_version="0.12")
    with pytest.raises(ksconfig.Refused):
        manifests.set("deploy.DefaultDeploymentMode", "Nonsense")


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("/serving/{{ .Namespace }}/{{ .Name }}", None),
        ("/{{ .Name ", "opens {{ and does not close it"),
        ("/{{ .Nam }}", "takes .Nam"),
        ("/{{ .Name | lower }}", "calls lower"),
    ],
)
def test_a_path_template_is_parsed_at_the_start_from_0_10_on(template: str, fault: str | None) -> None:
    ingress = {**INGRESS, "ingressDomain": "models.example", "pathTemplate": template}
    assert faults(9, ingress=ingress) == ()
    assert fault is None or fault in faults(10, ingress=ingress)[0]
    assert bool(faults(20, ingress=ingress)) is bool(fault)
