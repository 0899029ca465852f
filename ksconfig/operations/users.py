"""How many services each image of a cluster is for."""

from __future__ import annotations

from collections import Counter

from ksconfig.errors import RightMissing
from ksconfig.model.services.service import read_service
from ksconfig.model.services.users import Giver, givers
from ksconfig.operations.view import View
from ksconfig.operations.worlds import present_world


def count_users(view: View) -> tuple[Counter[Giver], str]:
    """The number of services by what gives them an image, and why that is not known; "" if it is."""
    world = present_world(view, view.release.likely_rules[-1])
    found: Counter[Giver] = Counter()
    try:
        for data in view.source.services(view.scope.care.impact_namespaces):
            found.update(set(givers(read_service(data), world)))
    except RightMissing as missing:
        return Counter(), f"how many services use each image is not known: {missing.why}"
    return found, ""
