"""The main job: a plan that gives targets new images, with KServe's rules of tags checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ksconfig.errors import Refused, UsageError, not_done
from ksconfig.model.images import Assignment, ImagePlace, assign_image, gpu_versions, image_places
from ksconfig.model.plan import ImageChange, Plan
from ksconfig.model.reference import ImageArgument
from ksconfig.model.targets import find_place, is_read, why_unread
from ksconfig.operations.draft import Draft
from ksconfig.operations.view import ConfigView, Scope, open_config
from ksconfig.source.port import Source


def plan_set_image(source: Source, images: Mapping[str, str], scope: Scope, *, gpu_version: Sequence[str] = ()) -> Plan:
    """A plan that gives targets new images: one write for all of them.

    Args:
        images: from TARGET to IMAGE.
        gpu_version: ``TAG``, or ``TARGET=TAG`` where several targets have a GPU tag.

    Raises:
        InvalidReference, UsageError: an IMAGE is none.
        TargetNotFound, Ambiguous: a TARGET names nothing, or two servers.
        Refused: the release does not read the image; a GPU tag would be left behind; a tag breaks the ``-gpu`` rule.
    """
    if not images or not all(images):
        raise UsageError("no target was named", advice="Say TARGET IMAGE, or TARGET=IMAGE several times.")
    with not_done(f"{', '.join(images)} {'was' if len(images) == 1 else 'were'} not changed"):
        arguments = {target: ImageArgument.parse(image) for target, image in images.items()}
        view = open_config(source, scope)
        draft = Draft(view, "set-image", source)
        places = _places(view, arguments)
        with_gpu = [place.name for place in places.values() if place.gpu_version is not None]
        gpu = gpu_versions(gpu_version, with_gpu)
        for target, argument in arguments.items():
            place = places[target]
            _set_image(draft, place, argument, gpu.get(place.name), scope)
            if place.name != target and place.name == f"{target}/v1":
                draft.notice(
                    "protocol",
                    f"{target} means {place.name}, KServe's default protocol; {target}/v2 is left as it is",
                )
        _warn_about_runtimes(draft, places.values())
        return draft.plan()


def _places(view: ConfigView, arguments: Mapping[str, ImageArgument]) -> dict[str, ImagePlace]:
    places = image_places(view.data)
    result: dict[str, ImagePlace] = {}
    for target in arguments:
        _refuse_broken(view, target)
        place = find_place(target, places, view.release)
        twice = next((other for other, found in result.items() if found.name == place.name), None)
        if twice:
            raise UsageError(f"{twice} and {target} are the same image, {place.name}", advice="Name it once.")
        result[target] = place
    return result


def _refuse_broken(view: ConfigView, target: str) -> None:
    """If the key that would hold the target is broken, that is the answer, not "no such target"."""
    group = target.partition("/")[0]
    key = {"explainer": "explainers", "transformer": "transformers"}.get(group, group)
    frameworks = {name for rules in view.release.rules for name in rules.frameworks}
    if key not in view.config.keys and (group in frameworks or not view.data.keys() & {"predictors"}):
        key = "predictors"
    if key in view.broken:
        view.root(key)


def _set_image(draft: Draft, place: ImagePlace, argument: ImageArgument, gpu_version: str | None, scope: Scope) -> None:
    release = draft.view.release
    if not any(is_read(place, rules) for rules in release.rules):
        advice = "Nothing would change. To write it all the same: --allow unread."
        _refuse_unless_allowed(draft, scope, "unread", why_unread(place, release.rules), advice)
    elif not all(is_read(place, rules) for rules in release.likely_rules):
        unread = [rules for rules in release.likely_rules if not is_read(place, rules)]
        draft.notice("unread", f"{why_unread(place, unread)}; say which release with --kserve-version")
    version_list = any(rules.version_list for rules in release.rules)
    assignments = assign_image(place, argument, gpu_version, version_list=version_list)
    if argument.digest is not None and place.key == "predictors" and place.gpu_version is not None:
        _check_gpu_digest(draft, place, argument, scope)
    else:
        _check_gpu(draft, place, assignments, scope)
    if argument.tag and argument.digest and place.shape == "split":
        draft.notice(
            "tag-dropped",
            f"{place.name} holds repository and version apart, so a digest leaves no room for a tag: "
            f'"{argument.tag}" is dropped, the digest kept',
        )
    for assignment in assignments:
        draft.assign((assignment.key, *assignment.path), assignment.value)
    draft.images.append(ImageChange(place.name, place.shown, _shown_after(place, assignments)))


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


def _check_gpu(draft: Draft, place: ImagePlace, assignments: tuple[Assignment, ...], scope: Scope) -> None:
    """The rules of tags for services with a GPU (KServe to 0.9: validateGPU in v1alpha2 and v1beta1)."""
    likely = draft.view.release.likely_rules
    if place.key != "predictors" or not all(place.path[0] in rules.gpu_tags for rules in likely):
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
    if "image" in values and place.gpu_version and "defaultGpuImageVersion" not in values:
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


def _warn_about_runtimes(draft: Draft, places: Collection[ImagePlace]) -> None:
    names = [place.path[0] for place in places if place.key == "predictors"]
    release = draft.view.release
    if not names or not any(rules.runtimes for rules in release.likely_rules):
        return
    listed = " and ".join(dict.fromkeys(names))
    sure = all(rules.runtimes for rules in release.likely_rules)
    draft.notice(
        "runtimes-left",
        (f"in KServe {release} " if sure else f"this may be KServe {release}: from 0.8 on ")
        + f"most services take the image of {listed} from a ClusterServingRuntime, which is left as it is; predictors "
        "decides only for services stored by KServe 0.7 and not updated since"
        + ("" if sure else ". Say which release with --kserve-version"),
    )
