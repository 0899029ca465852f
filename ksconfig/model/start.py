"""Whether the controller would start with a config.

Broken JSON in most keys stops admissions; in ``deploy`` (from 0.7), ``ingress`` (from 0.10) and ``multiNode`` (from
0.15) the controller's main exits with 1 at its next start (cmd/manager/main.go; NewDeployConfig and NewIngressConfig in
v1beta1/configmap.go). No write of ours may lead there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.model.fields import type_faults
from ksconfig.model.releases import Rules
from ksconfig.text.json_scanner import fold


def start_faults(rules: Rules, data: Mapping[str, Any]) -> tuple[str, ...]:
    """Why a controller of this release would exit at its start; empty if it would not.

    Args:
        data: the keys that are there and parse.
    """
    faults: list[str] = []
    for key in sorted(rules.start_keys & data.keys()):
        faults += type_faults((key,), data[key])
        if isinstance(data[key], dict):
            # Go's decoder takes names in any case, and of several the last
            fields = {fold(name): item for name, item in data[key].items()}
            faults += {"deploy": _deploy, "ingress": _ingress}.get(key, _nothing)(rules, fields)
        elif data[key] is None:
            faults.append(f"{key} is null")
    return tuple(faults)


def _nothing(_: Rules, __: Mapping[str, Any]) -> list[str]:
    return []


def _deploy(rules: Rules, deploy: Mapping[str, Any]) -> list[str]:
    mode = deploy.get(fold("defaultDeploymentMode"))
    if not mode:
        return ["deploy.defaultDeploymentMode is required"]
    if isinstance(mode, str) and mode not in rules.modes:
        return [f'deploy.defaultDeploymentMode is "{mode}", not one of {", ".join(sorted(rules.modes))}']
    return []


def _ingress(rules: Rules, ingress: Mapping[str, Any]) -> list[str]:
    faults = [f"ingress.{name} is required" for name in rules.ingress_required if not ingress.get(fold(name))]
    gateway = ingress.get(fold("enableGatewayApi")) is True
    if rules.gateway_api and gateway and not ingress.get(fold("kserveIngressGateway")):
        faults.append("ingress.kserveIngressGateway is required with enableGatewayApi")
    return faults
