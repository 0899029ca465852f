"""Whether Kubernetes takes the resources of a container: it makes no Deployment of one whose requests pass its limits.

Knative makes Deployments later, of revisions that are there by then; so only services without Knative are concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ksconfig.model.fields import go_fields
from ksconfig.model.plain import mapping, string
from ksconfig.model.quantities import parse_quantity
from ksconfig.model.services.world import World

#: What KServe writes into containers of one's own and into explainers that lack it (setResourceRequirementDefaults).
_LENT = (("requests", "cpu", "1"), ("requests", "memory", "2Gi"), ("limits", "cpu", "1"), ("limits", "memory", "2Gi"))
_LENT_BY_CONFIG = {
    "cpurequest": ("requests", "cpu"),
    "memoryrequest": ("requests", "memory"),
    "cpulimit": ("limits", "cpu"),
    "memorylimit": ("limits", "memory"),
}
_PLAIN = ("cpu", "memory", "ephemeral-storage")
Amounts = Iterable[tuple[str, str, str]]


def lent_resources(world: World) -> Amounts:
    """What admission writes where a container does not say: "requests" or "limits", name, amount."""
    if not world.rules.lends_by_config:
        return _LENT
    told = go_fields(go_fields(world.config.get("inferenceService")).get("resource"))
    return [(*place, text) for name, place in _LENT_BY_CONFIG.items() if (text := string(told.get(name)))]


def resources_fault(container: Mapping[str, Any], below: Amounts = ()) -> str:
    """Why Kubernetes refuses the resources of a container; "" if it does not.

    Args:
        below: what holds where the container does not say.
    """
    own = mapping(container.get("resources"))
    if not own:
        return ""  # what is below it is right by itself
    amounts: dict[str, dict[str, str]] = {"requests": {}, "limits": {}}
    for kind, name, amount in below:
        amounts[kind][name] = amount
    for kind, found in amounts.items():
        found.update({name: str(amount) for name, amount in mapping(own.get(kind)).items()})
    for name in (*mapping(own.get("requests")), *mapping(own.get("limits"))):
        if "/" not in name and name not in _PLAIN and not name.startswith("hugepages-"):
            return f"{name} is no resource of Kubernetes, and has no domain before it"
    for name, amount in amounts["requests"].items():
        limit = amounts["limits"].get(name)
        extended = _is_extended(name)
        if limit is None:
            if extended and name in mapping(own.get("requests")):
                return f"it requests {name} without a limit, which has to be the same"
            continue
        wanted, most = parse_quantity(amount), parse_quantity(limit)
        if wanted and most and (wanted.exceeds(most) or (extended and most.exceeds(wanted))):
            return f"it requests {amount} of {name}, and its limit is {limit}"
    return ""


def _is_extended(name: str) -> bool:
    """Whether a resource is none of Kubernetes' own: a device, of which requests and limits are the same."""
    return name.startswith("hugepages-") or ("/" in name and "kubernetes.io/" not in name)
