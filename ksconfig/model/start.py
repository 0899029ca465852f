"""Whether the controller would start with a config.

Broken JSON in most keys stops admissions; in ``deploy`` (from 0.7) and ``ingress`` (from 0.10) the controller's main
exits with 1 at its next start (cmd/manager/main.go; NewDeployConfig and NewIngressConfig in v1beta1/configmap.go). No
write of ours may lead there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.model.fields import json_kind, required_kind
from ksconfig.model.releases import Release, Rules
from ksconfig.text.json_scanner import fold


def start_faults(rules: Rules, data: Mapping[str, Any]) -> tuple[str, ...]:
    """Why a controller of this release would exit at its start; empty if it would not.

    Args:
        data: the keys that are there and parse.
    """
    faults: list[str] = []
    if rules.modes and "deploy" in data:
        deploy = _as_go_reads(data["deploy"])
        mode = deploy.get("defaultdeploymentmode") if isinstance(deploy, dict) else None
        if not isinstance(deploy, dict):
            faults.append("deploy is no JSON object")
        elif not mode:
            faults.append("deploy.defaultDeploymentMode is required")
        elif mode not in rules.modes:
            faults.append(f'deploy.defaultDeploymentMode is "{mode}", not one of {", ".join(sorted(rules.modes))}')
    if rules.ingress_required is not None and "ingress" in data:
        faults += _ingress_faults(rules, data["ingress"])
    if rules.release >= Release(0, 15) and "multiNode" in data:
        faults += _kind_faults("multiNode", data["multiNode"])
    return tuple(faults)


def _ingress_faults(rules: Rules, ingress: Any) -> list[str]:
    if not isinstance(ingress, dict):
        return ["ingress is no JSON object"]
    required = rules.ingress_required or ()
    read = _as_go_reads(ingress)
    faults = [f"ingress.{name} is required" for name in required if not read.get(fold(name))]
    if read.get("enablegatewayapi") is True and not read.get("kserveingressgateway"):
        faults.append("ingress.kserveIngressGateway is required with enableGatewayApi")
    return faults + _kind_faults("ingress", ingress)


def _as_go_reads(value: Any) -> Any:
    """An object by the folded names of its members: Go's decoder takes them in any case, and the last of several."""
    return {fold(name): item for name, item in value.items()} if isinstance(value, dict) else value


def _kind_faults(key: str, value: Any) -> list[str]:
    """Fields whose JSON type Go's decoder refuses."""
    if not isinstance(value, dict):
        return [f"{key} is no JSON object"]
    faults = []
    for name, item in value.items():
        kind = required_kind((key, name))
        if kind and item is not None and json_kind(item) != kind:
            faults.append(f"{key}.{name} must be a JSON {kind}, not a {json_kind(item)}")
    return faults
