"""Whether what was foretold of a service is what came of it."""

from __future__ import annotations

from typing import NamedTuple

from conformance.predict import Component, Prediction
from conformance.submit import Observed


class Verdict(NamedTuple):
    """How a prediction did.

    Attributes:
        difference: what is otherwise than foretold; "" if nothing is.
        one_of: whether several images were foretold, and the real one is among them.
    """

    difference: str = ""
    one_of: bool = False


def compare(foretold: Prediction, seen: Observed, updated: bool = False) -> Verdict:
    """Lay a prediction beside what came of the service.

    Args:
        updated: whether the case is about an update of the service.
    """
    if seen.refusal:
        if updated and not seen.of_update:
            return Verdict(f"it was refused before its update: {seen.refusal}")
        return Verdict() if foretold.refusal else Verdict(f"it was admitted, but really {seen.refusal}")
    if foretold.refusal:
        return Verdict(f"admission refuses it: {foretold.refusal}; but really it is admitted, and runs {seen.images}")
    differences = []
    one_of = False
    for name in sorted(foretold.components.keys() | seen.images):
        component = foretold.components.get(name, Component(problem="there is no such component"))
        difference = _of(name, component, seen)
        if difference:
            differences.append(difference)
        one_of |= len(component.images) > 1
    if not updated and foretold.pod is not None and seen.pod is not None and dict(foretold.pod) != seen.pod:
        differences.append(f"pod: foretold {dict(foretold.pod)}, but really it is given {seen.pod}")
    if not foretold.awaited and not seen.control and not differences:
        differences.append("nothing came of it, as foretold, but nothing came of the service submitted after it either")
    return Verdict("; ".join(differences), one_of and not differences)


def _of(name: str, component: Component, seen: Observed) -> str:
    real = seen.images.get(name)
    if component.images:
        if real in component.images:
            return ""
        given = f"runs {real}" if real is not None else f"has no workload ({_said(seen)})"
        return (
            f"{name}: foretold {' or '.join(component.images)} ({'; '.join(component.reasons)}), but really it {given}"
        )
    if real is None:
        return ""
    return f"{name}: foretold no workload ({component.problem}), but really it runs {real}"


def _said(seen: Observed) -> str:
    return "; ".join(seen.complaints) or "the controller says nothing"
