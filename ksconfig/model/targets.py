"""From a TARGET to the image of the config that it names, and whether the release reads it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ksconfig.errors import Ambiguous, KsconfigError, TargetNotFound
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.images import ImagePlace
from ksconfig.model.releases import FRAMEWORKS, Rules
from ksconfig.model.runtimes import STORAGE_KIND
from ksconfig.text.json_scanner import fold

_PYTORCH = (
    "v1 is pytorchserver, for models that name a modelClassName; v2 is TorchServe, for all others, "
    "whatever protocol they speak (KServe 0.5 to 0.7)"
)


def find_place(
    target: str, places: tuple[ImagePlace, ...], release: ReleaseGuess, elsewhere: tuple[str, ...] = ()
) -> ImagePlace:
    """The image of the config that a TARGET names.

    A framework with a block for each protocol means v1, KServe's default protocol; only for pytorch the two are
    different servers, so there it must be said.

    Args:
        elsewhere: the names of images in other objects, to suggest.

    Raises:
        TargetNotFound: nothing of that name; the message lists what there is, and the nearest name.
        Ambiguous: bare ``pytorch`` where it has two servers.
    """
    named = {place.name: place for place in places}
    protocols = [name for name in (f"{target}/v1", f"{target}/v2") if name in named]
    if target in named:
        return named[target]
    if target.partition("/")[0] in FRAMEWORKS and target != "pytorch":
        # in another case there, which KServe does not mind
        folded = {fold(name): place for name, place in named.items()}
        found = folded.get(fold(target)) or folded.get(fold(f"{target}/v1"))
        if found is not None:
            return found
    if target == "pytorch" and protocols:
        raise Ambiguous(
            f"pytorch has two servers: {_PYTORCH}", advice=f"Say {' or '.join(protocols)}, as the one you mean."
        )
    if f"{target}/v1" in named:
        return named[f"{target}/v1"]
    raise _not_found(target, named, protocols, release, elsewhere)


def _not_found(
    target: str,
    named: dict[str, ImagePlace],
    protocols: list[str],
    release: ReleaseGuess,
    elsewhere: tuple[str, ...],
) -> KsconfigError:
    known = (*named, *elsewhere)
    if protocols:
        return TargetNotFound(f"{target} has no v1 server here", known=known, advice=f"Say {protocols[0]}.")
    framework, slash, _ = target.partition("/")
    if slash and framework in named:
        return TargetNotFound(
            f"{framework} has one server for all protocols here", known=known, advice=f"Say {framework}."
        )
    if framework in FRAMEWORKS and not any(place.key == "predictors" for place in named.values()):
        unread = all(rules.predictors == "unread" for rules in release.rules)
        return TargetNotFound(
            f"KServe {release} keeps the images of its frameworks in ClusterServingRuntimes, "
            "not in this ConfigMap, which has no predictors"
            if unread
            else f"the config has no predictors, so no image of {framework}; from KServe 0.8 on these images are "
            "in ClusterServingRuntimes",
            known=known,
            advice=f"Name the manifest of the ClusterServingRuntime for {framework} with -f, beside this one.",
        )
    near = difflib.get_close_matches(target, [*known, *{name.partition("/")[0] for name in known}], 1, 0.6)
    what = f'"{target}" is not in this config' if framework in FRAMEWORKS else f'there is no "{target}"'
    listed = f"The targets are {', '.join(known)}." if known else "There is no image at all."
    return TargetNotFound(what, known=known, advice=f"Did you mean {near[0]}? {listed}" if near else listed)


def is_read(place: ImagePlace, rules: Rules) -> bool:
    """Whether the code of a release reads this image at all.

    ``logger.image`` and ``batcher.image`` are dead since 0.5 (the sidecar runs ``agent.image``), ``transformers.feast``
    always was; frameworks are read in the shape that the release knows.
    """
    if place.object is not None:
        return rules.storage_containers if place.object.kind == STORAGE_KIND else rules.runtimes
    if place.key == "predictors":
        shape = rules.shape_of(str(place.path[0]))
        return shape == ("protocols" if len(place.path) == 2 else "flat")
    if place.key == "explainers":
        return rules.explains(str(place.path[0]))
    if place.key == "transformers":
        return False
    if place.key in rules.images:
        return True
    return place.key not in _KNOWN_IMAGE_KEYS


# Keys of forks (oauthProxy, say) are theirs to read; of KServe's own the rules know.
_KNOWN_IMAGE_KEYS = frozenset({"storageInitializer", "agent", "logger", "batcher", "router", "localModel"})


def why_unread(place: ImagePlace, rules: Iterable[Rules]) -> str:
    """Why no release of these reads the image, and what it reads instead."""
    first = next(iter(rules))
    if place.object is not None:
        return f"KServe {first.release} knows no {place.object.kind}"
    if place.key in ("logger", "batcher"):
        return f"{place.key}.image is not used from KServe 0.5 on: the sidecar runs agent.image"
    if place.key == "transformers":
        return "KServe has never read the images of transformers"
    if place.key == "predictors":
        if first.predictors == "unread":
            return f"KServe {first.release} does not read predictors: its images are in ClusterServingRuntimes"
        shape = first.shape_of(str(place.path[0]))
        if shape is None:
            return f"KServe {first.release} knows no framework {place.path[0]} in predictors"
        if shape == "flat":
            return f"KServe {first.release} reads {place.path[0]} without v1 and v2, so this block has no effect"
        return f"KServe {first.release} reads {place.path[0]} only inside v1 and v2, so this entry has no effect"
    return f"KServe {first.release} does not read {place.name}"
