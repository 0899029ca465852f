"""What is found done already is looked at twice."""

from __future__ import annotations

import pytest

from ksconfig.model.detect import given_release
from ksconfig.model.plan import Change, FieldEdit, ObjectRef, Plan
from ksconfig.operations.certain import planned

CONFIG = ObjectRef("ConfigMap", "kserve", "inferenceservice-config")
RUNTIME = ObjectRef("ClusterServingRuntime", None, "sk")


class Source:
    """A source that counts how often it is to forget what was read."""

    def __init__(self) -> None:
        self.refreshed = 0

    def refresh(self) -> None:
        self.refreshed += 1


def plan(asked: list[ObjectRef], written: list[ObjectRef]) -> Plan:
    """A plan that was asked to change some objects, and writes some."""
    changes = tuple(Change(one, ("x",), 1, 2, str(one)) for one in asked)
    edits = tuple(FieldEdit.between(one, ("x",), "1", "2") for one in written)
    return Plan("set-image", changes, (), edits, (), (), given_release("0.7"))


@pytest.mark.parametrize(
    ("first", "looks"),
    [
        (plan([CONFIG], [CONFIG]), 1),
        (plan([CONFIG, RUNTIME], [CONFIG, RUNTIME]), 1),
        (plan([CONFIG], []), 2),
        (plan([], []), 2),
        (plan([CONFIG, RUNTIME], [CONFIG]), 2),
    ],
)
def test_what_no_write_would_test_is_read_again(first: Plan, looks: int) -> None:
    source, second = Source(), plan([CONFIG], [CONFIG])
    made = iter([first, second])
    assert planned(source, lambda: next(made)) is (first if looks == 1 else second)  # type: ignore[arg-type]
    assert source.refreshed == looks - 1
