"""The names that a person may type, for shell completion."""

from __future__ import annotations

from ksconfig.operations.images import list_images
from ksconfig.operations.view import Scope
from ksconfig.source.port import Source


def target_names(source: Source, scope: Scope) -> tuple[str, ...]:
    """What set-image takes as TARGET here, frameworks first; what the release does not read is left out."""
    images = [image for image in list_images(source, scope)[0] if image.read]
    names: dict[str, None] = {}
    for image in images:
        framework, _, protocol = image.name.partition("/")
        if protocol == "v1" and framework != "pytorch":  # of which v1 and v2 are two servers
            names[framework] = None
        names.update(dict.fromkeys(image.frameworks))
    return tuple(dict.fromkeys((*names, *(image.name for image in images))))
