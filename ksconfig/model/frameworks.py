"""What a TARGET stands for: one image, or all that decide the image of a framework in this release.

To 0.7 ``predictors`` decides; in 0.8 and 0.9 ClusterServingRuntimes do, and ``predictors`` for services not updated
since 0.7; from 0.10 on ClusterServingRuntimes alone. From 0.11 on a ClusterStorageContainer comes before the key
``storageInitializer`` (pkg/webhook/admission/pod/storage_initializer_injector.go).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ksconfig.errors import Ambiguous, Refused, TargetNotFound, UsageError
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.images import ImagePlace
from ksconfig.model.plain import mapping, string
from ksconfig.model.plan import Notice, ObjectRef
from ksconfig.model.releases import FRAMEWORKS
from ksconfig.model.runtimes import CLUSTER_KIND, SERVING_CONTAINER, Runtime, choose_runtime, framework_runtime
from ksconfig.model.targets import find_place, is_read
from ksconfig.text.json_path import format_path

#: Where a framework's image is to be changed: in the config only, or in runtimes (and storage containers) only.
Within = Literal["config", "runtimes"] | None
_WHICH_RELEASE = "Say which release with --kserve-version."


class Known(NamedTuple):
    """All images that were read.

    Attributes:
        config: whether there is a config.
        places: the images of the config.
        runtimes: the serving runtimes.
        storage: the images of the ClusterStorageContainers, by their targets' names.
        elsewhere: advice where to look for what is not here.
    """

    release: ReleaseGuess
    config: bool
    places: tuple[ImagePlace, ...]
    runtimes: tuple[Runtime, ...]
    storage: Mapping[str, ImagePlace]
    elsewhere: str = ""

    @property
    def cluster_runtimes(self) -> tuple[Runtime, ...]:
        """The runtimes that serve all namespaces."""
        return tuple(one for one in self.runtimes if one.ref.kind == CLUSTER_KIND)


class Covered(NamedTuple):
    """What a TARGET stands for."""

    places: tuple[ImagePlace, ...]
    notices: tuple[Notice, ...] = ()


def cover(target: str, known: Known, within: Within = None) -> Covered:
    """Everything that a TARGET stands for.

    Raises:
        TargetNotFound: nothing of that name.
        Ambiguous: two things answer to it, or the release decides which.
        Refused: the framework's runtime serves other frameworks too.
        UsageError: ``within`` for a target that is one image, or neither "config" nor "runtimes".
    """
    if within not in (None, "config", "runtimes"):
        raise UsageError(f'within is {within!r}, and must be "config", "runtimes" or None')
    group = target.partition("/")[0]
    if target == "storageInitializer":
        return _storage_initializer(known, within)
    named = {place.name for place in known.places if place.key != "predictors"}
    listed = {name for runtime in known.runtimes for name in runtime.format_names}
    in_predictors = {str(place.path[0]) for place in known.places if place.key == "predictors"}
    if target not in named and group in FRAMEWORKS | listed | in_predictors:
        return _framework(target, known, within)
    if within:
        raise UsageError(f"--in {within} is for frameworks, and {target} is one image", advice="Leave --in out.")
    if group == "runtime":
        return Covered((runtime_place(_named_runtime(target, known), known.release),))
    if group == "storageContainer":
        if target not in known.storage:
            raise _no_object(target, "ClusterStorageContainer", known.storage, known)
        return Covered((_with_image(known.storage[target]),))
    return Covered((find_place(target, known.places, known.release, _object_names(known)),))


def _object_names(known: Known) -> tuple[str, ...]:
    """The targets in other objects than the config, frameworks first."""
    frameworks = (name for runtime in known.cluster_runtimes for name in runtime.format_names)
    return (*dict.fromkeys(frameworks), *(runtime.name for runtime in known.runtimes), *known.storage)


def storage_place(ref: ObjectRef, data: Mapping[str, Any]) -> ImagePlace:
    """The image of a ClusterStorageContainer; without one if it has none."""
    image = string(mapping(mapping(data.get("spec")).get("container")).get("image"))
    return ImagePlace(f"storageContainer/{ref.name}", "spec", ("container",), "whole", image=image, object=ref)


def runtime_place(runtime: Runtime, release: ReleaseGuess) -> ImagePlace:
    """The image of a runtime's serving container.

    Raises:
        Ambiguous: the possible releases take different containers.
        Refused: it has no such container, or no image in it.
    """
    found = {runtime.serving_container(rules) for rules in release.likely_rules}
    if len(found) > 1:
        raise Ambiguous(
            f"the serving container of {runtime.name} depends on the release: the first to 0.10, the one named "
            f"{SERVING_CONTAINER} from 0.11 on, and this may be KServe {release}",
            advice=_WHICH_RELEASE,
        )
    index = found.pop()
    if index is None:
        raise Refused(
            f"{runtime.ref} has no container named {SERVING_CONTAINER}, the one that serves"
            if runtime.containers
            else f"{runtime.ref} has no containers here",
            advice="If this manifest is a patch, edit the manifest that it patches.",
        )
    image = runtime.containers[index].image
    return _with_image(
        ImagePlace(runtime.name, "spec", ("containers", index), "whole", image=image, object=runtime.ref)
    )


def _with_image(place: ImagePlace) -> ImagePlace:
    if place.image is None:
        raise Refused(
            f"{place.object} has no image at {format_path((place.key, *place.path))}",
            advice="If this manifest is a patch, edit the manifest that it patches, or add the field by hand.",
        )
    return place


def listed_place(runtime: Runtime, release: ReleaseGuess) -> ImagePlace:
    """As `runtime_place`, for a list: without an image where there is none to be found."""
    try:
        return runtime_place(runtime, release)
    except Refused:
        return ImagePlace(runtime.name, "spec", ("containers",), "whole", object=runtime.ref)


def _named_runtime(target: str, known: Known) -> Runtime:
    by_name = {runtime.name: runtime for runtime in known.runtimes}
    # a ServingRuntime whose manifest names no namespace is runtime//NAME; without a rival, runtime/NAME will do
    found = by_name.get(target) or by_name.get(target.replace("/", "//", 1))
    if found is None:
        raise _no_object(target, "serving runtime", by_name, known)
    return found


def _no_object(target: str, what: str, names: Mapping[str, object], known: Known) -> TargetNotFound:
    bare = {name.partition("/")[2]: name for name in names}
    near = [bare[one] for one in difflib.get_close_matches(target.partition("/")[2], bare, 1)]
    listed = f"There are {', '.join(names)}." if names else known.elsewhere
    if what == "serving runtime" and not any(rules.runtimes for rules in known.release.likely_rules):
        listed = f"KServe {known.release} has none: they came with 0.8. Say the framework instead."
    return TargetNotFound(
        f"there is no {what} {target.partition('/')[2]}",
        known=tuple(names),
        advice=f"Did you mean {near[0]}?" if near else listed,
    )


def _storage_initializer(known: Known, within: Within) -> Covered:
    default = known.storage.get("storageContainer/default")
    if not any(rules.storage_containers for rules in known.release.likely_rules):
        default = None
    places = []
    if within != "runtimes" and (known.config or default is None):
        places.append(find_place("storageInitializer", known.places, known.release, _object_names(known)))
    if default is not None and within != "config":
        places.append(_with_image(default))
    if not places:
        raise TargetNotFound("there is no ClusterStorageContainer default here", known=tuple(known.storage))
    notices = []
    if default is None and within is None and any(rules.storage_containers for rules in known.release.likely_rules):
        notices.append(
            Notice(
                "storage-container-left",
                "from KServe 0.11 on the image of the ClusterStorageContainer default comes before this key, for all "
                "but volumes (pvc://), and that object is not here",
            )
        )
    return Covered(tuple(places), tuple(notices))


def _framework(target: str, known: Known, within: Within) -> Covered:
    framework, slash, protocol = target.partition("/")
    if slash and protocol not in ("v1", "v2"):
        raise TargetNotFound(
            f'"{protocol}" is no protocol', advice=f"Say {framework}, or {framework}/v1 or {framework}/v2."
        )
    likely = known.release.likely_rules
    runtime = None
    if within != "config" and known.cluster_runtimes and any(rules.runtimes for rules in likely):
        runtime = _framework_runtime(target, framework, protocol or None, known)
    place = None
    if within == "config" or runtime is None or any(rules.predictors != "unread" for rules in likely):
        place = _predictor(target, known, within)
    if runtime is None and place is None:
        raise _no_runtime(framework, known)
    notices: list[Notice] = []
    if runtime is not None:
        notices += _left_runtimes(framework, protocol or None, runtime, known)
        if within is None:
            notices += _left_predictors(framework, place, known)
    elif within is None:
        notices += _runtimes_not_here(framework, known)
    found = [place] if place else []
    if runtime is not None:
        found.append(runtime_place(runtime, known.release))
    return Covered(tuple(found), tuple(notices))


def _predictor(target: str, known: Known, within: Within) -> ImagePlace | None:
    """The framework's image in ``predictors``; None if runtimes decide and this release reads none there."""
    likely = known.release.likely_rules
    if within == "runtimes" or not known.config:
        return None
    if within == "config" or not (known.cluster_runtimes and any(rules.runtimes for rules in likely)):
        return find_place(target, known.places, known.release, _object_names(known))
    read = tuple(one for one in known.places if one.key == "predictors" and any(is_read(one, r) for r in likely))
    try:
        return find_place(target, read, known.release)
    except TargetNotFound:
        return None


def _framework_runtime(target: str, framework: str, protocol: str | None, known: Known) -> Runtime | None:
    """The ClusterServingRuntime that decides a framework's image; None if none of them does."""
    choices = {
        framework_runtime(known.cluster_runtimes, framework, protocol, rules)
        for rules in known.release.likely_rules
        if rules.runtimes
    }
    if protocol == "v2" and all(rules.protocol_filter == "never" for rules in known.release.likely_rules):
        raise Ambiguous(
            f"KServe {known.release} chooses runtimes without regard to the protocol, so {target} names none of them",
            advice=_ways(_listing(framework, known)) + " With --in config only predictors is changed.",
        )
    firsts = {choice.first for choice in choices}
    if len(firsts) > 1:
        raise Ambiguous(
            f"which runtime {target} gets depends on the release, and this may be KServe {known.release}",
            advice=_WHICH_RELEASE,
        )
    first = firsts.pop()
    if not first:
        return None
    if len(first) > 1:
        raise Ambiguous(
            f"{_names(first)} may all be given to services of {target}: nothing here decides between them",
            advice=_ways(first),
        )
    runtime = first[0]
    others = [name for name in runtime.format_names if name != framework]
    if others:
        raise Refused(
            f"{runtime.name}, which serves {target}, serves {', '.join(others)} too",
            advice=f"To change it for all of them say {runtime.name}; to give {framework} a runtime of its own, copy "
            "it under another name (ksconfig runtime create).",
        )
    return runtime


def _listing(framework: str, known: Known) -> tuple[Runtime, ...]:
    return tuple(one for one in known.cluster_runtimes if framework in one.format_names)


def _names(runtimes: tuple[Runtime, ...]) -> str:
    return " and ".join(runtime.name for runtime in runtimes)


def _ways(runtimes: tuple[Runtime, ...]) -> str:
    return f"Say {' or '.join(runtime.name for runtime in runtimes)}."


def _no_runtime(framework: str, known: Known) -> TargetNotFound:
    names = tuple(dict.fromkeys(name for one in known.runtimes for name in one.format_names))
    if not any(rules.runtimes for rules in known.release.likely_rules):
        return TargetNotFound(
            f"KServe {known.release} takes the image of {framework} from predictors in the config, which is not here",
            known=names,
            advice=known.elsewhere,
        )
    listing = _listing(framework, known) or tuple(one for one in known.runtimes if framework in one.format_names)
    if listing:
        why = f"no ClusterServingRuntime here is given to services of {framework} that name none"
        return TargetNotFound(f"{why}; {_names(listing)} only lists it", known=names, advice=_ways(listing))
    near = difflib.get_close_matches(framework, names, 1, 0.6)
    listed = f"The frameworks are {', '.join(names)}." if names else known.elsewhere
    return TargetNotFound(
        f"there is no ClusterServingRuntime for {framework} here",
        known=names,
        advice=f"Did you mean {near[0]}? {listed}" if near else listed,
    )


def _left_runtimes(framework: str, protocol: str | None, runtime: Runtime, known: Known) -> list[Notice]:
    """The runtimes that serve some of the framework's services besides, and are left as they are."""
    notices = []
    others = [one.name for one in _listing(framework, known) if one.ref != runtime.ref]
    if others:
        notices.append(
            Notice(
                "other-runtimes",
                f"{' and '.join(others)} can serve {framework} too, for services that name it, another protocol or a "
                "version; left as it is",
            )
        )
    rules = known.release.likely_rules[-1]
    if not choose_runtime(known.cluster_runtimes, framework, protocol, rules).first:
        protocol = "v2"  # the runtime is that of services of v2
    for captor in known.runtimes:
        if captor.ref.kind != CLUSTER_KIND and choose_runtime((captor,), framework, protocol, rules).first:
            where = f"namespace {captor.ref.namespace}" if captor.ref.namespace else "its namespace"
            message = f"services of {framework} in {where} get {captor.name} instead, which is left as it is"
            notices.append(Notice("captured", message))
    return notices


def _left_predictors(framework: str, place: ImagePlace | None, known: Known) -> list[Notice]:
    """What ``predictors`` has to do with a change of the runtime."""
    likely = known.release.likely_rules
    if place is None and not known.config and any(rules.predictors == "leftovers" for rules in likely):
        sure = all(rules.predictors == "leftovers" for rules in likely)
        which = f"in KServe {known.release}" if sure else "in KServe 0.8 and 0.9"
        return [
            Notice(
                "predictors-left",
                f"{which} services stored by 0.7 and not updated since take the image of {framework} from predictors "
                "in the config, which is not here",
            )
        ]
    if place is None and any(one.key == "predictors" and one.path[0] == framework for one in known.places):
        return [
            Notice(
                "unread-left",
                f"KServe {known.release} does not read the images of {framework} in predictors, which are left",
            )
        ]
    return []


def _runtimes_not_here(framework: str, known: Known) -> list[Notice]:
    """What ClusterServingRuntimes have to do with a change of ``predictors`` alone."""
    likely = known.release.likely_rules
    if not any(rules.runtimes for rules in likely):
        return []
    sure = all(rules.runtimes for rules in likely)
    return [
        Notice(
            "runtimes-left",
            (f"in KServe {known.release} " if sure else f"this may be KServe {known.release}: from 0.8 on ")
            + f"most services take the image of {framework} from a ClusterServingRuntime, and there is none for it "
            "here; predictors decides only for services stored by KServe 0.7 and not updated since"
            + ("" if sure else ". Say which release with --kserve-version"),
        )
    ]
