"""Whether the controller would start with a config.

Broken JSON in most keys stops admissions; in ``deploy`` (from 0.7), ``ingress`` (from 0.10) and ``multiNode`` (from
0.15) the controller's main exits with 1 at its next start (cmd/manager/main.go; NewDeployConfig and NewIngressConfig in
v1beta1/configmap.go). No write of ours may lead there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.model.fields import FieldFault, go_fields, read_type_faults, since
from ksconfig.model.go_templates import go_template_fault
from ksconfig.model.releases import Rules
from ksconfig.text.json_scanner import fold

_LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_GATEWAY = re.compile(f"{_LABEL}/{_LABEL}")


def start_faults(rules: Rules, data: Mapping[str, Any]) -> tuple[FieldFault, ...]:
    """Why a controller of this release would exit at its start; empty if it would not.

    Args:
        data: the keys that are there and parse.
    """
    found: list[FieldFault] = []
    for key in sorted(rules.start_keys & data.keys()):
        faults = [*read_type_faults(key, data[key], rules)]
        if isinstance(data[key], dict):
            faults += required_faults(rules, key, data[key])
        elif data[key] is None:
            faults.append(FieldFault((key,), f"{key} is null"))
        found += faults
    return tuple(found)


def required_faults(rules: Rules, key: str, value: Mapping[str, Any]) -> Iterator[FieldFault]:
    """What ``deploy`` or ``ingress`` lacks, or holds that its release does not take."""
    fields = go_fields(value)
    if key == "deploy":
        yield from _deploy(rules, fields)
    elif key == "ingress":
        yield from _ingress(rules, fields)


def _deploy(rules: Rules, deploy: Mapping[str, Any]) -> Iterator[FieldFault]:
    path = ("deploy", "defaultDeploymentMode")
    mode = deploy.get(fold("defaultDeploymentMode"))
    if not mode:
        yield FieldFault(path, "deploy.defaultDeploymentMode is required")
    elif isinstance(mode, str) and mode not in rules.modes:
        known = ", ".join(sorted(rules.modes))
        yield FieldFault(path, f'deploy.defaultDeploymentMode is "{mode}", not one of {known}')


def _ingress(rules: Rules, ingress: Mapping[str, Any]) -> Iterator[FieldFault]:
    for name in rules.ingress_required:
        if not ingress.get(fold(name)):
            yield FieldFault(("ingress", name), f"ingress.{name} is required")
    known = since(("ingress", "pathTemplate")) <= rules.release
    template = ingress.get(fold("pathTemplate")) if known else None
    if template and not ingress.get(fold("ingressDomain")):
        yield FieldFault(("ingress", "ingressDomain"), "ingress.ingressDomain is required with pathTemplate")
    fault = go_template_fault(template, ("Name", "Namespace")) if isinstance(template, str) else None
    if fault:
        yield FieldFault(("ingress", "pathTemplate"), f'ingress.pathTemplate is "{template}", which {fault}')
    if rules.gateway_api and ingress.get(fold("enableGatewayApi")) is True:
        gateway = ingress.get(fold("kserveIngressGateway"))
        path = ("ingress", "kserveIngressGateway")
        if not gateway:
            yield FieldFault(path, "ingress.kserveIngressGateway is required with enableGatewayApi")
        elif isinstance(gateway, str) and not _GATEWAY.fullmatch(gateway):
            yield FieldFault(path, f'ingress.kserveIngressGateway is "{gateway}", and must be NAMESPACE/NAME')
