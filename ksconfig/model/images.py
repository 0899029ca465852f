"""The images of the config and of other objects: where each stands, what it is called, what a new one means there.

Two shapes hold an image. Split: ``image`` is the repository and ``defaultImageVersion`` the tag (predictors,
explainers, transformers); KServe joins them with a colon. Whole: one string (storageInitializer, agent, the containers
of runtimes and storage containers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ksconfig.errors import InvalidReference, Refused, UsageError
from ksconfig.model.fields import go_fields
from ksconfig.model.plan import ObjectRef
from ksconfig.model.reference import ImageArgument, Reference
from ksconfig.text.json_scanner import fold

#: Never parsed, never edited: KServe does not read it (0.11 and later).
EXAMPLE_KEY = "_example"

_GROUPS = {"explainers": "explainer/", "transformers": "transformer/"}


class ImagePlace(NamedTuple):
    """One image.

    Attributes:
        name: the target's name: ``sklearn/v1``, ``tensorflow``, ``explainer/art``, ``agent``, ``runtime/NAME``.
        key: the key of the ConfigMap's data; "spec" in another object.
        path: where its fields stand inside that key.
        shape: "split" or "whole".
        field: the name of the image field.
        image, version, gpu_version: the strings that stand there, or None.
        versions: ``allowedImageVersions``, or None.
        object: which object holds it; None for the config.
    """

    name: str
    key: str
    path: tuple[str | int, ...]
    shape: Literal["split", "whole"]
    field: str = "image"
    image: str | None = None
    version: str | None = None
    gpu_version: str | None = None
    versions: tuple[str, ...] | None = None
    object: ObjectRef | None = None

    @property
    def shown(self) -> str:
        """The image as KServe would put it together; "" if there is none."""
        if self.shape == "whole" or not self.version:
            return self.image or ""
        return f"{self.image or ''}:{self.version}"


def image_places(data: Mapping[str, Any]) -> tuple[ImagePlace, ...]:
    """Every image of a config, in the order of its keys.

    Args:
        data: the keys that parse.
    """
    found: list[ImagePlace] = []
    for key, value in data.items():
        if not isinstance(value, dict) or key == EXAMPLE_KEY:
            continue
        if key == "predictors":
            for name, entry in value.items():
                found += _predictor(name, entry)
        elif key in _GROUPS:
            found += [
                _split(_GROUPS[key] + name, key, (name,), entry)
                for name, entry in value.items()
                if isinstance(entry, dict)
            ]
        else:
            field = "defaultJobImage" if key == "localModel" else "image"
            image = go_fields(value).get(fold(field))
            if isinstance(image, str):
                found.append(ImagePlace(key, key, (), "whole", field, image))
    return tuple(found)


def _predictor(name: str, entry: Any) -> Iterable[ImagePlace]:
    if not isinstance(entry, dict):
        return
    protocols = [block for block in entry if fold(block) in ("v1", "v2") and isinstance(entry[block], dict)]
    if not protocols or go_fields(entry).get("image") is not None:
        yield _split(name, "predictors", (name,), entry)
    for protocol in protocols:
        yield _split(f"{name}/{fold(protocol)}", "predictors", (name, protocol), entry[protocol])


def _split(name: str, key: str, path: tuple[str, ...], entry: dict[str, Any]) -> ImagePlace:
    fields = go_fields(entry)  # who edits a name in another case is refused

    def text(name: str) -> str | None:
        found = fields.get(fold(name))
        return found if isinstance(found, str) else None

    versions = fields.get(fold("allowedImageVersions"))
    return ImagePlace(
        name,
        key,
        path,
        "split",
        image=text("image"),
        version=text("defaultImageVersion"),
        gpu_version=text("defaultGpuImageVersion"),
        versions=tuple(map(str, versions)) if isinstance(versions, list) else None,
    )


class Assignment(NamedTuple):
    """One value to be set: ``path`` inside ``key``."""

    key: str
    path: tuple[str | int, ...]
    value: Any


def assign_image(
    place: ImagePlace, argument: ImageArgument, gpu_version: str | None, *, version_list: bool
) -> tuple[Assignment, ...]:
    """What to set so that the place holds the image.

    Args:
        gpu_version: the new ``defaultGpuImageVersion``, or None to leave it.
        version_list: whether the release demands that a tag stand in ``allowedImageVersions``; a missing one is
            appended, the old ones stay.

    Raises:
        Refused: half an image was given, and what stands there cannot be taken apart to keep the other half.
    """
    if place.shape == "whole":
        present = _present(place, place.image or "") if _is_half(argument) else Reference("x")
        return (Assignment(place.key, (*place.path, place.field), str(argument.on(present))),)
    image, version = _split_image(place, argument)
    result = []
    if image != place.image:
        result.append(Assignment(place.key, (*place.path, place.field), image))
    if version is not None and version != place.version:
        result.append(Assignment(place.key, (*place.path, "defaultImageVersion"), version))
    if gpu_version is not None and gpu_version != place.gpu_version:
        result.append(Assignment(place.key, (*place.path, "defaultGpuImageVersion"), gpu_version))
    if version_list and place.versions is not None:
        wanted = [tag for tag in dict.fromkeys((version, gpu_version)) if tag and tag not in place.versions]
        result += [
            Assignment(place.key, (*place.path, "allowedImageVersions", len(place.versions) + i), tag)
            for i, tag in enumerate(wanted)
        ]
    return tuple(result)


def _is_half(argument: ImageArgument) -> bool:
    return argument.repository is None or (argument.tag is None and argument.digest is None)


def _split_image(place: ImagePlace, argument: ImageArgument) -> tuple[str, str | None]:
    """New values of ``image`` and ``defaultImageVersion``; None where the version stays.

    A digest can only be written by cutting it at its colon (``repo@sha256`` and the hex digits), since KServe joins the
    two fields with a colon.
    """
    if argument.digest is not None:
        algorithm, _, digits = argument.digest.partition(":")
        return f"{argument.repository}@{algorithm}", digits
    repository, at, algorithm = (place.image or "").partition("@")
    if argument.repository is None:
        _present(place, f"{repository}:{argument.tag}")
        return repository, argument.tag
    if argument.tag is None:
        image = f"{argument.repository}{at}{algorithm}"
        if place.version:
            _present(place, f"{image}:{place.version}")
        return image, None
    return argument.repository, argument.tag


def _present(place: ImagePlace, text: str) -> Reference:
    """The reference that stands there, or would with the given half."""
    try:
        return Reference.parse(text)
    except InvalidReference as error:
        raise Refused(
            f'half an image was given, and with what stands at {place.name} ("{place.shown}") it makes no whole: '
            f"{error.why}",
            advice="Give repository and tag together.",
        ) from None


def gpu_versions(given: Iterable[str], targets: Iterable[str]) -> dict[str, str]:
    """From ``--gpu-version TAG`` or ``TARGET=TAG`` to the tag for each target that has a GPU tag.

    Raises:
        UsageError: a TAG alone with several such targets or none, or for a target that has none.
        InvalidReference: no tag by the OCI grammar.
    """
    names = tuple(targets)
    result: dict[str, str] = {}
    for text in given:
        name, equals, tag = text.partition("=")
        if not equals:
            name, tag = "", text
        ImageArgument.parse(f":{tag}")
        if not names:
            raise UsageError(f"--gpu-version {text}: none of the targets has a GPU version")
        if not name and len(names) > 1:
            raise UsageError(
                f"--gpu-version {text} could be meant for {' or '.join(names)}",
                advice=f"Say --gpu-version {names[0]}={text}.",
            )
        if name and name not in names:
            raise UsageError(f"--gpu-version {text}: only {' and '.join(names)} can have one here")
        name = name or names[0]
        if result.get(name, tag) != tag:
            raise UsageError(f"--gpu-version names two tags for {name}: {result[name]} and {tag}")
        result[name] = tag
    return result
