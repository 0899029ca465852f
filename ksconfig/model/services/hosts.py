"""The host name that KServe makes for a component without Knative; where none can be, it makes no Deployment either.

From ``createRawURL`` (reconcilers/raw/raw_kube_reconciler.go) and ``GenerateDomainName`` (reconcilers/ingress/
domain.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ksconfig.model.fields import go_fields
from ksconfig.model.plain import mapping, string
from ksconfig.model.services.service import Service
from ksconfig.model.services.world import World

_TEMPLATE = "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}"
_DOMAIN = "example.com"
_FIELD = re.compile(r"\{\{-?\s*\.(\w+)(?:\.(\w+))?\s*-?\}\}", re.ASCII)
_LONGEST_LABEL, _LONGEST = 63, 253
_ALWAYS_FITS = 30  # characters of name and namespace that no usual template makes too long


def host_fault(service: Service, kind: str, component: Mapping[str, Any], world: World) -> str:
    """Why the host name of a component cannot be; "" if it can, or nothing here can tell.

    Args:
        kind: "predictor", "transformer", "explainer".
    """
    if not world.rules.host_templates or len(service.name) + len(service.namespace) < _ALWAYS_FITS:
        return ""
    ingress = go_fields(world.config.get("ingress"))
    name = workload_name(service, kind, component, world)
    values = {
        "Name": name,
        "Namespace": service.namespace,
        "IngressDomain": string(ingress.get("ingressdomain")) or _DOMAIN,
    }

    def one(match: re.Match[str]) -> str:
        if match[2]:
            return str(mapping(service.metadata.get(match[1].lower())).get(match[2], ""))
        return values.get(match[1], match[0])

    host = _FIELD.sub(one, string(ingress.get("domaintemplate")) or _TEMPLATE)
    longest = max(host.split("."), key=len)
    if "{{" in host or (len(longest) <= _LONGEST_LABEL and len(host) <= _LONGEST):
        return ""
    return f"its host name {host} would be too long: {longest} has {len(longest)} characters of {_LONGEST_LABEL}"


def workload_name(service: Service, kind: str, component: Mapping[str, Any], world: World) -> str:
    """The name of the Deployment of a component that is new."""
    variant = str(component.get("name") or "") if kind == "predictor" and world.rules.canaries else ""
    return "-".join(filter(None, (service.name, variant, kind, "" if world.rules.short_names else "default")))
