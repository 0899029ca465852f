"""What an image's name stands for here: there are no layers, only programs of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Image:
    """The files that an image adds to the machine's own, by their path inside; ``idle`` if it runs nothing."""

    files: Mapping[str, Path] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    idle: bool = False


class Images:
    """The images that can be pulled: by their whole reference, or by the start of it for a family of them."""

    def __init__(self, exact: Mapping[str, Image], families: Mapping[str, Image]) -> None:
        self._exact = exact
        self._families = families

    def pull(self, reference: str) -> Image | None:
        """The image of that reference; nothing if no registry has it."""
        if reference in self._exact:
            return self._exact[reference]
        return next((image for start, image in self._families.items() if reference.startswith(start)), None)
