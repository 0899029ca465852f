"""What is found done already is looked at twice.

A write tests what it was computed from, so an old text cannot do harm where something is written. Where nothing is,
nothing would show that what was read was old; a second read that is older than the first is known as such.
"""

from __future__ import annotations

from collections.abc import Callable

from ksconfig.model.plan import Plan
from ksconfig.source.cluster.source import ClusterSource


def planned(source: ClusterSource, make: Callable[[], Plan]) -> Plan:
    """A plan, made once more if it leaves an object as it is that it was asked to change."""
    plan = make()
    written = {edit.object for edit in plan.edits}
    if plan.edits and all(one.object in written for one in plan.asked):
        return plan
    source.refresh()
    return make()
