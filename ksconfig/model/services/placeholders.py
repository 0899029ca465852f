"""What KServe fills in from a service: into the image of a runtime, and into the template of host names."""

from __future__ import annotations

import re

from ksconfig.model.plain import mapping
from ksconfig.model.services.service import Service

_PLACEHOLDER = re.compile(
    r"\{\{(?:-\s+|\s*)\.(Name|Namespace|(?:(?:Labels|Annotations)\.([A-Za-z_]\w*)))(?:\s+-|\s*)\}\}", re.ASCII
)


#: What Go's html/template writes for some characters.
_ESCAPED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "+": "&#43;", "\0": "\ufffd"}
)


def fill_in(image: str, service: Service) -> str | None:
    """An image with the placeholders of a runtime filled in from a service; None if that cannot be done here.

    Go's html/template does it, so what is filled in is escaped (utils.go, ReplacePlaceholders).
    """
    if "{{" not in image:
        return image

    def one(match: re.Match[str]) -> str:
        if match[1] == "Name":
            return service.name
        if match[1] == "Namespace":
            return service.namespace
        group = "labels" if match[1].startswith("Labels") else "annotations"
        value = mapping(service.metadata.get(group)).get(match[2], "")
        return str(value).translate(_ESCAPED)

    filled = _PLACEHOLDER.sub(one, image)
    return None if "{{" in filled else filled
