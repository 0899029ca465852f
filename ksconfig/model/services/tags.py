"""How KServe puts an image together from what a runtime or the config says and the version of a service.

The rules are those of ``UpdateImageTag`` (controller/v1beta1/inferenceservice/utils/utils.go) at the tag of each
release, faults included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ksconfig.model.plain import mapping, string
from ksconfig.model.releases import Release, Rules
from ksconfig.text.json_scanner import fold

_TAG = re.compile(r"(:([\w.\-]*))\Z", re.ASCII)
_EXPANSION = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})?", re.ASCII)
_GPU_VERSION = fold("defaultGpuImageVersion")
_DOUBLED_IN = Release(0, 10)


def update_tag(
    image: str, version: str | None, *, gpu: bool, server: str | None, rules: Rules, predictors: Mapping[str, Any]
) -> tuple[str, ...]:
    """The image of a service; more than one where it depends on the patch release.

    Args:
        image: of the runtime's container with the service's laid over it.
        version: the service's runtimeVersion.
        gpu: whether the merged container has a GPU limit.
        server: which of KServe's servers the runtime is taken for, or None.
        predictors: of the config; 0.8 and 0.9 take the GPU's tag from there.
    """
    if rules.keeps_digests and "@sha256:" in image:
        return (image,)
    if version is not None:
        return (_with_version(image, version, rules),)
    if rules.predictors == "leftovers":
        return (_gpu_version(image, predictors) if gpu else image,)
    tag = _TAG.search(image)
    if tag is None or server is None:
        return (image,)
    if gpu and server in rules.gpu_suffix:
        if not image.endswith("-gpu"):
            return (f"{image}-gpu",)
        # v0.10.0 appends it once more, v0.10.1 does not
        return (image, f"{image}-gpu") if rules.release == _DOUBLED_IN else (image,)
    if not gpu and server in rules.cpu_suffix and not image[: tag.start()].endswith("-cpu"):
        return (f"{image[: tag.start()]}-cpu{tag[0]}",)
    return (image,)


def _with_version(image: str, version: str, rules: Rules) -> str:
    if rules.cuts_at_first_colon:
        return f"{image.partition(':')[0]}:{version}"
    tag = _TAG.search(image)
    return f"{image[: tag.start()]}{_expand(':' + version, tag)}" if tag else f"{image}:{version}"


def _expand(text: str, match: re.Match[str]) -> str:
    """What Go's regexp makes of ``$`` in a replacement."""
    if "$" not in text:
        return text
    groups = {"0": match[0], "1": match[1], "2": match[2]}

    def one(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name is None:
            return "$"
        return groups.get(name, "")

    return _EXPANSION.sub(one, text)


def _gpu_version(image: str, predictors: Mapping[str, Any]) -> str:
    """The image for a GPU in 0.8 and 0.9: that of tensorflow or pytorch in ``predictors`` has a tag for it."""
    name = image.partition(":")[0]
    for framework in ("tensorflow", "pytorch"):
        entry = mapping(predictors.get(framework))
        if name == (string(entry.get("image")) or ""):
            return f"{name}:{string(entry.get(_GPU_VERSION)) or ''}"
    return image
