"""The version that pins a component of a service: where it stands, who set it, and what it would be without.

To 0.7 admission writes the default version of the config into every service that names none, and into explainers in
every release; such a pin was nobody's wish. One that its owner has written stays the owner's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.plan import Field
from ksconfig.model.services.admission import admit
from ksconfig.model.services.service import BLOCKS, EXPLAINERS, Service, blocks
from ksconfig.model.services.world import World

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_VERSION = "runtimeVersion"


def version_field(service: Service, component: str) -> Field | None:
    """Where the version of a component stands; None if it names none."""
    for field in _places(service, component):
        if string(_at(service.spec, field[1:])) is not None:
            return field
    return None


def _places(service: Service, component: str) -> list[Field]:
    if service.api == "v1alpha2":
        part = "canary" if component == "canary" else "default"
        role = "explainer" if component == "explainer" else "predictor"
        body = mapping(mapping(service.spec.get(part)).get(role))
        names = EXPLAINERS if role == "explainer" else BLOCKS
        return [("spec", part, role, name, _VERSION) for name in blocks(body, names)]
    if component.startswith("canary/"):
        index = canary_index(service, component)
        own: list[Field] = [("spec", "canary", index, "predictor", "model", _VERSION)] if index is not None else []
        return [*own, *_places(service, "predictor")]  # what it does not name is the stable predictor's
    body = mapping(service.spec.get(component))
    names = EXPLAINERS if component == "explainer" else ("model", *BLOCKS)
    return [("spec", component, name, _VERSION) for name in blocks(body, names)]


def canary_index(service: Service, component: str) -> int | None:
    """Which entry of ``canary`` a component "canary/NAME" is (0.20); None if there is none."""
    for index, one in enumerate(sequence(service.spec.get("canary"))):
        if f"canary/{mapping(mapping(one).get('predictor')).get('name')}" == component:
            return index
    return None


def _at(data: Any, field: Field) -> Any:
    for step in field:
        data = dict(enumerate(sequence(data))).get(step) if isinstance(step, int) else mapping(data).get(step)
    return data


def without_version(service: Service, component: str) -> Service | None:
    """The service without the version of a component; None if it names none."""
    field = version_field(service, component)
    if field is None:
        return None
    return service._replace(spec=_without(service.spec, field[1:]))


def _without(data: Any, field: Field) -> Any:
    first, rest = field[0], field[1:]
    if isinstance(first, int):
        return [_without(one, rest) if index == first else one for index, one in enumerate(sequence(data))]
    if not rest:
        return {name: value for name, value in mapping(data).items() if name != first}
    return {**mapping(data), first: _without(mapping(data).get(first), rest)}


def default_version(service: Service, component: str, world: World) -> str | None:
    """The version that admission would write if a component named none; None if it would write none."""
    free = without_version(service, component)
    if free is None:
        return None
    admitted = admit(free, world).service
    field = version_field(admitted, component)
    return None if field is None else string(_at(admitted.spec, field[1:]))


def stays_in_place(service: Service, component: str, world: World) -> bool:
    """Whether the next write leaves the version where it stands: admission may turn a framework's block into model."""
    field = version_field(service, component)
    return field is not None and _at(admit(service, world).service.spec, field[1:]) is not None


def set_by_owner(service: Service, field: Field) -> bool:
    """Whether who owns the service has written its version: by kubectl apply, or by server-side apply."""
    applied = service.annotations.get(_LAST_APPLIED)
    if isinstance(applied, str):
        try:
            if _at(json.loads(applied), field) is not None:
                return True
        except (ValueError, RecursionError):
            return True  # unreadable: not ours to touch
    for entry in map(mapping, sequence(service.metadata.get("managedFields"))):
        if entry.get("operation") == "Apply" and _owns(mapping(entry.get("fieldsV1")), field):
            return True
    return False


def _owns(fields: Mapping[str, Any], field: Field) -> bool:
    for step in field:
        if isinstance(step, int):
            return True  # lists of these are owned as a whole
        if f"f:{step}" not in fields:
            return False
        fields = mapping(fields[f"f:{step}"])
    return True
