"""The main job: a plan that gives targets new images, with KServe's rules of tags checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ksconfig.errors import Refused, UsageError, not_done
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.frameworks import Known, Within, cover, listed_place, storage_place
from ksconfig.model.images import Assignment, ImagePlace, assign_image, gpu_versions
from ksconfig.model.plan import ImageChange, Notice, Plan
from ksconfig.model.reference import ImageArgument, Reference
from ksconfig.model.runtimes import STORAGE_KIND, served_frameworks, tag_rule
from ksconfig.model.targets import is_read, why_unread
from ksconfig.operations.draft import Draft
from ksconfig.operations.view import ConfigView, Scope, View
from ksconfig.source.port import Source
from ksconfig.text.json_path import format_path
from ksconfig.text.json_scanner import fold

#: Gives the digest of an image; None where images are written as they are given.
Pinning = Callable[[Reference], str] | None


@dataclass(frozen=True)
class Image:
    """A target and the image it holds.

    Attributes:
        name: as `set_image` takes it.
        image: repository and tag as KServe joins them; "" if there is none.
        gpu_version: the tag for services with a GPU, or None.
        where: object and path.
        read: whether the release reads it at all.
        frameworks: of a ClusterServingRuntime, the frameworks whose services get it if they name none.
        used_by: how many services have it from here; None where that was not asked, or is not known.
    """

    name: str
    image: str
    gpu_version: str | None
    where: str
    read: bool
    frameworks: tuple[str, ...] = ()
    used_by: int | None = None


def known_images(view: View, *, config_only: bool = False) -> Known:
    """All images that a source holds: the config's, and other objects' unless these need not be read."""
    config = view.config
    places = config.places if config else ()
    if config_only:
        return Known(view.release, config is not None, places, (), {}, view.source.elsewhere)
    storage = [storage_place(ref, one.data) for ref, one in view.first.items() if ref.kind == STORAGE_KIND]
    names = {place.name: place for place in storage}
    return Known(view.release, config is not None, places, view.runtimes, names, view.source.elsewhere)


def _stand_in_config(view: View, targets: Iterable[str]) -> bool:
    """Whether all targets are keys of the config that no other object has a say in: then runtimes are not read."""
    places = view.config.places if view.config else ()
    alone = {place.name for place in places if place.key != "predictors"} - {"storageInitializer"}
    return set(targets) <= alone


def unchanged(images: Mapping[str, str]) -> str:
    """The clause that says that none of these targets was changed.

    Raises:
        UsageError: it is no mapping from target to image, or empty.
    """
    if not isinstance(images, Mapping) or not all(isinstance(one, str) for pair in images.items() for one in pair):
        raise UsageError("images must be a mapping from target to image, both strings")
    if not images or not all(images):
        raise UsageError("no target was named", advice="Say TARGET IMAGE, or TARGET=IMAGE several times.")
    return f"{', '.join(images)} {'was' if len(images) == 1 else 'were'} not changed"


def plan_set_image(
    source: Source,
    images: Mapping[str, str],
    scope: Scope,
    *,
    gpu_version: Sequence[str] = (),
    within: Within = None,
    pin: Pinning = None,
) -> Plan:
    """A plan that gives targets new images: one write for all of them.

    Args:
        images: from TARGET to IMAGE.
        gpu_version: ``TAG``, or ``TARGET=TAG`` where several targets have a GPU tag.
        within: "config" or "runtimes" to change a framework's image only there.
        pin: gives the digest of an image; each is written with its own then.

    Raises:
        InvalidReference, UsageError: an IMAGE is none.
        TargetNotFound, Ambiguous: a TARGET names nothing, or two servers.
        Refused: the release does not read the image; the runtime serves other frameworks too; a GPU tag would be left
            behind; a tag breaks the ``-gpu`` rule; with ``pin``, the release makes something else of a digest.
    """
    from ksconfig.operations.foresight import foresee  # what only plans need is loaded only for them

    with not_done(unchanged(images)):
        arguments = {target: ImageArgument.parse(image) for target, image in images.items()}
        draft = Draft(View(source, scope), "set-image")
        places = _places(draft, arguments, within)
        with_gpu = [place.name for group in places.values() for place in group if place.gpu_version is not None]
        gpu = gpu_versions(gpu_version, with_gpu)
        for target, argument in arguments.items():
            for place in places[target]:
                _set_image(draft, place, argument, gpu.get(place.name), scope, pin=pin)
                if place.name != target and place.name == f"{target}/v1":
                    draft.notice(
                        "protocol",
                        f"{target} means {place.name}, KServe's default protocol; {target}/v2 is left as it is",
                    )
        return foresee(draft.view, draft.plan())


def _places(draft: Draft, arguments: Mapping[str, ImageArgument], within: Within) -> dict[str, tuple[ImagePlace, ...]]:
    view = draft.view
    view.need_anything()
    known = known_images(view, config_only=_stand_in_config(view, arguments))
    result: dict[str, tuple[ImagePlace, ...]] = {}
    taken: dict[str, str] = {}
    for target in arguments:
        if view.config is not None and within != "runtimes":
            _refuse_broken(view, view.config, target, within)
        covered = cover(target, known, within)
        for place in covered.places:
            if place.name in taken:
                raise UsageError(
                    f"{taken[place.name]} and {target} are the same image, {place.name}", advice="Name it once."
                )
            taken[place.name] = target
        draft.notices += covered.notices
        result[target] = covered.places
    return result


def _refuse_broken(view: View, config: ConfigView, target: str, within: Within) -> None:
    """If the key that would hold the target is broken, that is the answer, not "no such target"."""
    group = target.partition("/")[0]
    if group in ("runtime", "storageContainer"):
        return
    key = {"explainer": "explainers", "transformer": "transformers"}.get(group, group)
    frameworks = {name for rules in view.release.rules for name in rules.frameworks}
    if key not in config.config.keys and (group in frameworks or "predictors" not in config.data):
        key = "predictors"
    decides = within == "config" or any(rules.predictors != "unread" for rules in view.release.likely_rules)
    if key in config.broken and (key != "predictors" or decides):
        config.root(key)


def _set_image(
    draft: Draft, place: ImagePlace, argument: ImageArgument, gpu_version: str | None, scope: Scope, *, pin: Pinning
) -> None:
    release = draft.view.release
    if not any(is_read(place, rules) for rules in release.rules):
        advice = "Nothing would change. To write it all the same: --allow unread."
        _refuse_unless_allowed(draft, scope, "unread", why_unread(place, release.rules), advice)
    elif not all(is_read(place, rules) for rules in release.likely_rules):
        unread = [rules for rules in release.likely_rules if not is_read(place, rules)]
        draft.notice("unread", f"{why_unread(place, unread)}; say which release with --kserve-version")
    version_list = any(rules.version_list for rules in release.rules)
    assignments = assign_image(place, argument, gpu_version, version_list=version_list)
    if pin is not None:
        argument = _with_digest(draft, place, Reference.parse(_shown_after(place, assignments)), pin)
        assignments = assign_image(place, argument, gpu_version, version_list=version_list)
    if argument.digest is not None and place.key == "predictors" and place.gpu_version is not None:
        _check_gpu_digest(draft, place, argument, scope)
    else:
        _check_gpu(draft, place, assignments, scope, given=gpu_version is not None)
    if argument.tag and argument.digest and place.shape == "split":
        draft.notice(
            "tag-dropped",
            f"{place.name} holds repository and version apart, so a digest leaves no room for a tag: "
            f'"{argument.tag}" is dropped, the digest kept',
        )
    if place.object is not None and place.object.kind != STORAGE_KIND:
        _warn_about_tags(draft, place, str(assignments[0].value))
    for assignment in assignments:
        path = (assignment.key, *assignment.path)
        if place.object is None:
            draft.assign(path, assignment.value)
        else:
            draft.assign_field(place.object, path, assignment.value)
    draft.images.append(ImageChange(place.name, place.shown, _shown_after(place, assignments)))


def _with_digest(draft: Draft, place: ImagePlace, image: Reference, pin: Callable[[Reference], str]) -> ImageArgument:
    """The image with its digest.

    Raises:
        Refused: it has none, or KServe would append something to it.
    """
    pinned = image._replace(digest=pin(image))
    if place.object is not None and place.object.kind != STORAGE_KIND:
        runtime = next(one for one in draft.view.runtimes if one.ref == place.object)
        for rules in draft.view.release.likely_rules:
            if runtime.server(rules) in rules.gpu_suffix and not rules.keeps_digests:
                raise Refused(
                    f"{place.name} cannot have a digest: {tag_rule(runtime, pinned, rules)}",
                    advice="Leave out --pin-digest.",
                )
            if not rules.keeps_digests:
                draft.notice(
                    "digest-rule",
                    f"{place.name}: KServe {rules.release} breaks a digest for services that have a runtimeVersion",
                )
    return ImageArgument(*pinned)


def _refuse_unless_allowed(draft: Draft, scope: Scope, word: str, why: str, advice: str) -> None:
    """Refuse, or only say so where a person overrode it with ``--allow WORD``."""
    if word not in scope.allow:
        raise Refused(why, allow=word, advice=advice)
    draft.notice(word, why)


def _shown_after(place: ImagePlace, assignments: tuple[Assignment, ...]) -> str:
    values = {assignment.path[-1]: assignment.value for assignment in assignments}
    image = values.get(place.field, place.image or "")
    version = values.get("defaultImageVersion", place.version)
    return f"{image}:{version}" if place.shape == "split" and version else str(image)


def _check_gpu(
    draft: Draft, place: ImagePlace, assignments: tuple[Assignment, ...], scope: Scope, *, given: bool
) -> None:
    """The rules of tags for services with a GPU (KServe to 0.9: validateGPU in v1alpha2 and v1beta1)."""
    likely = draft.view.release.likely_rules
    if place.key != "predictors" or not all(str(place.path[0]) in rules.gpu_tags for rules in likely):
        return
    values = {assignment.path[-1]: assignment.value for assignment in assignments}
    fault = None
    if "-gpu" in values.get("defaultImageVersion", ""):
        fault = f'the tag {values["defaultImageVersion"]} holds "-gpu", so new services without a GPU would be refused'
    elif "-gpu" not in values.get("defaultGpuImageVersion", "-gpu"):
        fault = (
            f'the GPU tag {values["defaultGpuImageVersion"]} lacks "-gpu", so new services with a GPU would be refused'
        )
    if fault:
        advice = "Give another tag. To write it all the same: --allow gpu-rule."
        _refuse_unless_allowed(draft, scope, "gpu-rule", fault, advice)
    if "image" in values and place.gpu_version and "defaultGpuImageVersion" not in values and not given:
        left = f"{values['image']}:{place.gpu_version}"
        why = f"the repository changes, but services with a GPU would still get the old tag: {left}"
        advice = "Give the GPU tag with --gpu-version TAG; if the old one exists there: --allow old-gpu-version."
        _refuse_unless_allowed(draft, scope, "old-gpu-version", why, advice)


def _check_gpu_digest(draft: Draft, place: ImagePlace, argument: ImageArgument, scope: Scope) -> None:
    """A digest fills both fields of a split image, and with a GPU tag in place of the digits it is no reference."""
    algorithm = (argument.digest or "").partition(":")[0]
    why = (
        f"{place.name} has a GPU tag, which KServe joins to the same image field: services with a GPU would get "
        f"{argument.repository}@{algorithm}:{place.gpu_version}, which is no reference"
    )
    advice = "Give a tag instead of a digest; if no service of it uses a GPU: --allow old-gpu-version."
    _refuse_unless_allowed(draft, scope, "old-gpu-version", why, advice)


def _warn_about_tags(draft: Draft, place: ImagePlace, image: str) -> None:
    """What KServe makes of a runtime's image for some services."""
    runtime = next(one for one in draft.view.runtimes if one.ref == place.object)
    reference = Reference.parse(image)
    likely = draft.view.release.likely_rules
    said = {tag_rule(runtime, reference, rules) for rules in likely}
    if len(said) == 1 and (rule := said.pop()):
        draft.notice("tag-rule", f"{place.name}: {rule}")
    if all(rules.predictors == "leftovers" for rules in likely) and draft.view.config:
        _warn_about_lost_gpu_tag(draft, draft.view.config, place, reference)


def _warn_about_lost_gpu_tag(draft: Draft, config: ConfigView, place: ImagePlace, image: Reference) -> None:
    """In 0.8 and 0.9 a runtime has the GPU tag of the flat predictor whose repository it has (UpdateImageTag)."""
    before = (place.image or "").rpartition(":")[0]
    for predictor in config.places:
        framework = predictor.path[0] if predictor.key == "predictors" and len(predictor.path) == 1 else None
        if framework not in ("tensorflow", "pytorch") or not predictor.gpu_version or predictor.image != before:
            continue
        changed = any(change.path == ("predictors", framework, "image") for change in draft.asked)
        if image.repository != predictor.image and not changed:
            draft.notice(
                "gpu-tag-lost",
                f"services with a GPU get {before}:{predictor.gpu_version} while {place.name} has the repository of "
                f"predictors.{framework}; with another one they get {image} like all others",
            )


def list_images(
    source: Source, scope: Scope, *, users: bool = False
) -> tuple[tuple[Image, ...], ReleaseGuess, tuple[Notice, ...]]:
    """Every image of the config, the runtimes and the storage containers; the release it was read by, and notices.

    Args:
        users: whether the services are counted that have each image.
    """
    with not_done("the images were not listed"):
        view = View(source, scope)
        view.need_anything()
        known = known_images(view)
        places: list[tuple[ImagePlace, tuple[str, ...]]] = []
        places += [(place, ()) for place in (*known.places, *known.storage.values())]
        served = served_frameworks(known.cluster_runtimes, view.release.likely_rules[-1])
        for runtime in known.runtimes:
            places.append((listed_place(runtime, view.release), served.get(runtime, ())))
        images = tuple(
            Image(
                place.name,
                place.shown,
                place.gpu_version,
                f"{place.object or (view.config and view.config.config.ref)} {format_path((place.key, *place.path))}",
                any(is_read(place, rules) for rules in view.release.likely_rules),
                frameworks,
            )
            for place, frameworks in places
        )
        notices = view.notices(())
        if users:
            from ksconfig.operations.users import count_users  # only a cluster is asked for its services

            counts, unknown = count_users(view)
            if unknown:
                return images, view.release, (*notices, Notice("unknown-users", unknown))
            images = tuple(
                replace(image, used_by=counts[place.object or (place.key, *(fold(str(step)) for step in place.path))])
                for image, (place, _) in zip(images, places, strict=True)
            )
        return images, view.release, notices
