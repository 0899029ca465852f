"""The names that a person may type, for shell completion."""

from __future__ import annotations

from ksconfig.model.runtimes import served_frameworks
from ksconfig.model.targets import is_read
from ksconfig.operations.images import known_images
from ksconfig.operations.view import Scope, View
from ksconfig.source.port import Source


def target_names(source: Source, scope: Scope) -> tuple[str, ...]:
    """What set-image takes as TARGET here, frameworks first; what no release reads that this may be is left out."""
    view = View(source, scope)
    known = known_images(view)
    places = (*known.places, *known.storage.values())
    names = [place.name for place in places if any(is_read(place, rules) for rules in view.release.rules)]
    frameworks: dict[str, None] = {}
    for name in names:
        framework, _, protocol = name.partition("/")
        if protocol == "v1" and framework != "pytorch":  # of which v1 and v2 are two servers
            frameworks[framework] = None
    for served in served_frameworks(known.cluster_runtimes, view.release.likely_rules[-1]).values():
        frameworks.update(dict.fromkeys(served))
    return tuple(dict.fromkeys((*frameworks, *names, *(runtime.name for runtime in known.runtimes))))
