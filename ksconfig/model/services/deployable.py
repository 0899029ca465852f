"""Whether Kubernetes takes the Deployment that KServe would make of a service without Knative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping
from ksconfig.model.services.resources import Amounts, resources_fault
from ksconfig.model.services.service import Service, deployment_mode
from ksconfig.model.services.world import World


def overdrawn(container: Mapping[str, Any], below: Amounts, service: Service, world: World) -> str:
    """Why Kubernetes refuses the resources of a container in a Deployment that KServe makes; "" if it does not."""
    return resources_fault(container, below) if without_knative(service, world) else ""


def without_knative(service: Service, world: World) -> bool:
    """Whether KServe makes a Deployment of a service itself."""
    return deployment_mode(service, world.rules, mapping(world.config.get("deploy"))) == "Standard"


def twice(names: list[str]) -> str:
    """Why Kubernetes takes no pod of containers of these names; "" if it does."""
    double = next((name for number, name in enumerate(names) if name in names[:number]), "")
    return f"its Deployment would have two containers {double}" if double else ""
