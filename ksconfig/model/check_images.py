"""Faults of the images in a config by the rules of one release: shapes it does not read, parts that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.errors import InvalidReference
from ksconfig.model.effects import Effect, absent
from ksconfig.model.faults import Fault
from ksconfig.model.fields import go_fields
from ksconfig.model.images import ImagePlace, image_places
from ksconfig.model.reference import Reference
from ksconfig.model.releases import FRAMEWORKS, RULES, Rules
from ksconfig.model.targets import is_read, why_unread
from ksconfig.text.json_scanner import fold
from ksconfig.text.templates import holds_template

_EXPLAINERS = frozenset(fold(name) for rules in RULES.values() for name in rules.explainers)
_IGNORED = Effect(False, "KServe ignores it")


def image_faults(data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """Every fault of the images of a config.

    Args:
        data: the keys that parse.
    """
    for place in image_places(data):
        if place.key not in rules.reads:
            continue
        if is_read(place, rules):
            yield from _reference(place, rules)
            yield from _tags(place, rules)
        elif place.key == "predictors":
            yield from _unread_shape(place, rules)
        elif place.key == "explainers" and fold(str(place.path[0])) in _EXPLAINERS:
            yield Fault("unread-image", (place.key, *place.path), why_unread(place, (rules,)), _IGNORED, "Remove it.")
    yield from _frameworks(data.get("predictors"), rules)
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
    framework = str(place.path[0])
    if fold(framework) not in map(fold, FRAMEWORKS):
        return  # a name that nobody knows, which is said elsewhere
    shape = rules.shape_of(framework)
    decide = rules.predictors == "decide"
    effect, mend = _IGNORED, "Remove it, or tell the release with --kserve-version."
    if shape == "protocols" and len(place.path) == 1:
        if place.image is None:
            return  # no shape at all: that v1 is missing is said
        effect = Effect(decide, f"KServe finds no v1 in {framework} and panics on its services")
        mend = f'Put it inside: "{framework}": {{"v1": {{...}}}}.'
    elif shape == "flat":
        none = f"KServe reads the image of {framework} beside v1 and v2, where none is"
        effect = Effect(decide, f"{none}, so its services get the image :" if decide else none)
        mend = "Write it without v1 and v2." if decide else "The ClusterServingRuntime decides; change that one."
    yield Fault("unread-shape", (place.key, *place.path), why_unread(place, (rules,)), effect, mend)


def _reference(place: ImagePlace, rules: Rules) -> Iterator[Fault]:
    path = (place.key, *place.path, place.field)
    breaks, who = _services(place, rules)
    if holds_template(place.shown) or "$(" in place.shown:
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
    images = [("", place.shown)]
    if place.gpu_version:
        images.append((" with a GPU", f"{place.image}:{place.gpu_version}"))
    for which, image in images:
        try:
            Reference.parse(image)
        except InvalidReference as error:
            effect = Effect(breaks, f"{who}{which} cannot pull it")
            yield Fault("no-reference", path, f"the image of {place.name}: {error.why}", effect, error.advice or "")
            return


def _tags(place: ImagePlace, rules: Rules) -> Iterator[Fault]:
    """The version lists of 0.2 and 0.3, and the ``-gpu`` rule of tensorflow and pytorch."""
    if place.shape != "split":
        return
    path = (place.key, *place.path)
    breaks, who = _services(place, rules)
    refused = Effect(breaks, f"admission refuses {who}")
    unlisted = [tag for tag in (place.version, place.gpu_version) if tag and tag not in (place.versions or ())]
    if rules.version_list and unlisted:
        what = f"{place.name} does not hold its own version {unlisted[0]} in allowedImageVersions"
        mend = f"Add {unlisted[0]} to allowedImageVersions."
        yield Fault("version-not-allowed", (*path, "allowedImageVersions"), what, refused, mend)
    tagged = place.key == "predictors" and fold(str(place.path[0])) in map(fold, rules.gpu_tags)
    if not tagged or rules.predictors != "decide":
        return
    if place.version and "-gpu" in place.version:
        what = f'{place.name}.defaultImageVersion is {place.version}, which holds "-gpu"'
        mend = "Give services without a GPU another tag."
        yield Fault("gpu-rule", (*path, "defaultImageVersion"), what, refused, mend)
    where = (*path, "defaultGpuImageVersion")
    effect = Effect(breaks, f"admission refuses {who} with a GPU")
    if not place.gpu_version:
        what = f"{place.name} has no defaultGpuImageVersion"
        yield Fault("missing-field", where, what, effect, 'Give a tag that holds "-gpu".')
    elif "-gpu" not in place.gpu_version:
        what = f'{place.name}.defaultGpuImageVersion is {place.gpu_version}, which lacks "-gpu"'
        yield Fault("gpu-rule", where, what, effect, 'Give a tag that holds "-gpu".')


def _frameworks(predictors: Any, rules: Rules) -> Iterator[Fault]:
    """Frameworks that are not there, or lack the block for the protocol that KServe takes for granted."""
    if not isinstance(predictors, Mapping) or rules.predictors != "decide":
        return
    if not predictors:
        effect = absent("predictors", rules)
        yield Fault("missing-field", ("predictors",), "predictors is empty", effect, "Take it from your release.")
        return
    entries = go_fields(predictors)
    for framework, shape in rules.frameworks.items():
        path = ("predictors", framework)
        if fold(framework) in entries and entries[fold(framework)] is None:
            effect = Effect(True, f"services of {framework} find no image")
            yield Fault("missing-field", path, f"predictors.{framework} is null", effect, "Give it its images.")
        elif fold(framework) not in entries:
            fate = "KServe panics on them" if shape == "protocols" else "they get the image :"
            effect = Effect(False, f"if there are services of {framework}, {fate}")
            mend = f"Take {framework} from the config of your release, unless nobody uses it."
            yield Fault("missing-framework", path, f"predictors has no {framework}", effect, mend)
        elif shape == "protocols" and isinstance(entries[fold(framework)], Mapping):
            yield from _blocks(framework, entries[fold(framework)])


def _blocks(framework: str, entry: Mapping[str, Any]) -> Iterator[Fault]:
    present = {name for name, block in go_fields(entry).items() if block is not None}
    if "image" in present:
        return  # said already: the shape of another release
    for block in ("v1", "v2"):
        if block not in present:
            # v1 is looked at for every service, v2 of pytorch for all that name no class
            common = block == "v1" or framework == "pytorch"
            effect = Effect(common, f"KServe panics on services of {framework}" + ("" if common else " of v2"))
            path = ("predictors", framework, block)
            yield Fault("missing-field", path, f"predictors.{framework} has no {block}", effect, f"Add {block}.")


def _whole_images(data: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    """Keys whose one image is not there at all."""
    for key in sorted(rules.images - {"localModel"}):
        value = data.get(key)
        if isinstance(value, Mapping) and go_fields(value).get("image") is None:
            yield from _reference(ImagePlace(key, key, (), "whole"), rules)
