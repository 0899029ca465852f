"""A case: a service to submit, and what must be there before it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Object = dict[str, Any]
#: Where cases are that share a namespace. Nothing in it can change which runtime a service gets.
SHARED = "conformance"


@dataclass(frozen=True)
class Case:
    """A service to submit.

    Attributes:
        name: told apart by it, in reports and files.
        dimension: what it is about, or the file that it is from.
        service: the InferenceService.
        runtimes: created before all services.
        younger: created some seconds after the others, where their age matters.
        then: a JSON merge patch for the service once it has its workload; the case is what becomes of that.
    """

    name: str
    dimension: str
    service: Object
    runtimes: tuple[Object, ...] = ()
    younger: tuple[Object, ...] = ()
    then: Object | None = None

    @property
    def namespace(self) -> str:
        """The namespace of its service."""
        return str(self.service["metadata"]["namespace"])

    def as_json(self) -> Object:
        """It as plain data."""
        return asdict(self)


def merged(before: Any, patch: Any) -> Any:
    """What a JSON merge patch (RFC 7386) makes of a value."""
    if not isinstance(patch, dict):
        return patch
    result = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
