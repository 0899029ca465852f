"""Faults of the images in a config by the rules of one release: shapes it does not read, parts that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.errors import InvalidReference
from ksconfig.model.effects import Effect
from ksconfig.model.faults import Fault
from ksconfig.model.images import ImagePlace, image_places
from ksconfig.model.reference import Reference
from ksconfig.model.releases import FRAMEWORKS, Rules
from ksconfig.model.targets import is_read, why_unread
from ksconfig.text.json_scanner import fold
from ksconfig.text.templates import holds_template


def image_faults(data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """Every fault of the images of a config.

    Args:
        data: the keys that parse.
    """
    places = image_places(data)
    for place in places:
        if place.key not in rules.reads:
            continue
        path = (place.key, *place.path)
        if not is_read(place, rules):
            if place.key == "predictors":
                yield from _unread_shape(place, rules)
            elif place.key == "explainers":
                what = why_unread(place, (rules,))
                yield Fault("unread-image", path, what, Effect(False, "KServe ignores it"), "Remove it.")
            continue
        yield from _reference(place, rules)
        if place.key == "predictors":
            yield from _tags(place, rules)
    yield from _blocks(data.get("predictors"), rules)
    yield from _whole_images(data, rules)


def _services(place: ImagePlace, rules: Rules) -> tuple[bool, str]:
    """Whether a fault of an image breaks services of this release, and which."""
    if place.key == "predictors":
        if rules.predictors == "decide":
            return True, f"services of {place.path[0]}"
        return False, f"services of {place.path[0]} stored by KServe 0.7 and not updated since"
    if place.key == "explainers":
        return True, f"services with the explainer {place.path[0]}"
    whose = {"router": "InferenceGraphs", "agent": "models with a logger or batcher", "localModel": "download jobs"}
    return place.key != "localModel", f"pods of {whose.get(place.key, 'models')}"


def _unread_shape(place: ImagePlace, rules: Rules) -> Iterator[Fault]:
    """A framework in the shape of another release."""
    path = (place.key, *place.path)
    framework = str(place.path[0])
    shape = rules.frameworks.get(framework)
    if framework not in FRAMEWORKS:
        return  # another case, which Go's decoder does not mind; or a name that nobody knows, which is said elsewhere
    effect = Effect(False, "KServe ignores it")
    mend = "Remove it, or tell the release with --kserve-version."
    if shape == "protocols" and len(place.path) == 1:
        crash = f"KServe finds no v1 in {framework} and panics on its services"
        effect = Effect(rules.predictors == "decide", crash)
        mend = f'Put it inside: "{framework}": {{"v1": {{...}}}}.'
    elif shape == "flat":
        effect = Effect(False, f"KServe reads the image of {framework} beside v1 and v2, where none is")
        mend = "The ClusterServingRuntime decides; change that one."
    yield Fault("unread-shape", path, why_unread(place, (rules,)), effect, mend)


def _reference(place: ImagePlace, rules: Rules) -> Iterator[Fault]:
    path = (place.key, *place.path, place.field)
    breaks, who = _services(place, rules)
    if holds_template(place.shown):
        effect = Effect(False, "KServe would take it literally, but something is to fill it in first")
        yield Fault("template", path, f"{place.name} is a template: {place.shown}", effect, "Render it, then check.")
        return
    if not place.image:
        shown = f', so the image is ":{place.version or ""}"' if place.shape == "split" else ""
        effect = Effect(breaks, f"{who} get an image that does not exist")
        yield Fault("missing-field", path, f"{place.name} has no {place.field}{shown}", effect, "Give it an image.")
        return
    if place.shape == "split" and not place.version:
        effect = Effect(breaks, f"{who} get the image {place.image}:, which is no reference")
        where = (place.key, *place.path, "defaultImageVersion")
        yield Fault("missing-field", where, f"{place.name} has no defaultImageVersion", effect, "Give it a tag.")
        return
    tags = [("", place.shown)]
    if place.gpu_version:
        tags.append(("for GPUs ", f"{place.image}:{place.gpu_version}"))
    for which, image in tags:
        try:
            Reference.parse(image)
        except InvalidReference as error:
            effect = Effect(breaks, f"{who} cannot pull it")
            what = f"the image {which}of {place.name} is none: {error.why}"
            yield Fault("no-reference", path, what, effect, error.advice or "")
            return


def _tags(place: ImagePlace, rules: Rules) -> Iterator[Fault]:
    """The version lists of 0.2 and 0.3, and the ``-gpu`` rule of tensorflow and pytorch."""
    path = (place.key, *place.path)
    breaks, who = _services(place, rules)
    refused = Effect(breaks, f"admission refuses {who}")
    if rules.version_list and place.version:
        listed = place.versions or ()
        for tag in filter(None, (place.version, place.gpu_version)):
            if tag not in listed:
                what = f"{place.name} does not hold its own version {tag} in allowedImageVersions"
                mend = f"Add {tag} to allowedImageVersions."
                yield Fault("version-not-allowed", (*path, "allowedImageVersions"), what, refused, mend)
                break
    if str(place.path[0]) not in rules.gpu_tags or rules.predictors != "decide":
        return
    if place.version and "-gpu" in place.version:
        what = f'{place.name}.defaultImageVersion is {place.version}, which holds "-gpu"'
        mend = "Give services without a GPU another tag."
        yield Fault("gpu-rule", (*path, "defaultImageVersion"), what, refused, mend)
    gpu_fault = "is missing" if not place.gpu_version else 'lacks "-gpu"' if "-gpu" not in place.gpu_version else None
    if gpu_fault:
        what = f"{place.name}.defaultGpuImageVersion {gpu_fault}"
        effect = Effect(breaks, f"admission refuses {who} with a GPU")
        yield Fault("gpu-rule", (*path, "defaultGpuImageVersion"), what, effect, 'Give a tag that holds "-gpu".')


def _blocks(predictors: Any, rules: Rules) -> Iterator[Fault]:
    """Frameworks without the block for the protocol that KServe takes for granted."""
    if not isinstance(predictors, Mapping) or rules.predictors != "decide":
        return
    for framework, entry in predictors.items():
        if rules.frameworks.get(framework) != "protocols" or not isinstance(entry, Mapping):
            continue
        present = {fold(name) for name in entry}
        if "image" in present:
            continue  # said already: the shape of another release
        for block in ("v1", "v2"):
            if block not in present:
                what = f"predictors.{framework} has no {block}"
                # v1 is looked at for every service, v2 of pytorch for all that name no class
                common = block == "v1" or framework == "pytorch"
                effect = Effect(common, f"KServe panics on services of {framework}" + ("" if common else " of v2"))
                yield Fault("missing-field", ("predictors", framework, block), what, effect, f"Add {block}.")


def _whole_images(data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """Keys whose one image is not there at all."""
    for key in sorted(rules.images - {"localModel"}):
        value = data.get(key)
        if isinstance(value, Mapping) and "image" not in {fold(name) for name in value}:
            place = ImagePlace(key, key, (), "whole")
            yield from _reference(place, rules)
