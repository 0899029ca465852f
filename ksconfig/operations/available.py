"""Whether images are in their registries, for the platforms that they will run on; and with which digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ksconfig.errors import InvalidReference, Refused
from ksconfig.model.few import and_so_on
from ksconfig.model.plan import Plan
from ksconfig.model.reference import Reference
from ksconfig.model.registry import Answer, ImageCheck, Platform, judge
from ksconfig.model.services.impact import Effect
from ksconfig.operations.images import Image
from ksconfig.text.templates import holds_template

#: What a plan leads services to.
_LEADS: tuple[Effect, ...] = ("pinned-tag", "changes", "canary", "next-pod")
_SHOWN_USERS = 3

#: From images, as KServe puts them together, to those that have them: targets, services.
Users = Mapping[str, Sequence[str]]


class Registry(Protocol):
    """Registries, as `ksconfig.source.registry.client.Registries` asks them."""

    def look_all(self, references: Iterable[Reference]) -> Mapping[Reference, Answer]:
        """What the registries say to references."""

    def look(self, reference: Reference) -> Answer:
        """What the registry of one reference says to it."""


class Found(NamedTuple):
    """Images to be looked up.

    Attributes:
        users: by image.
        templates: those that cannot be, since KServe fills them in for each service.
    """

    users: Users
    templates: Users


def _collect(pairs: Iterable[tuple[str, str]]) -> Found:
    users: dict[str, list[str]] = {}
    templates: dict[str, list[str]] = {}
    for image, user in pairs:
        if image:
            group = templates if holds_template(image) else users
            names = group.setdefault(image, [])
            if user not in names:
                names.append(user)
    return Found(users, templates)


def listed(images: Iterable[Image]) -> Found:
    """The images of targets, those for services with a GPU included."""

    def pairs() -> Iterable[tuple[str, str]]:
        for one in images:
            yield one.image, one.name
            if one.gpu_version:
                yield f"{_repository(one.image)}:{one.gpu_version}", f"{one.name} (GPU)"

    return _collect(pairs())


def led_to(plan: Plan, present: Iterable[Image] = ()) -> Found:
    """Every image that a plan leads to: of its targets, and of services whose own versions are combined with them.

    Args:
        present: the images before it, whose tags for services with a GPU may stay.
    """

    def pairs() -> Iterable[tuple[str, str]]:
        for one in plan.images:
            yield one.after, one.target
        yield from _gpu_tags(plan, present)
        if plan.impact is not None:
            for new in plan.impact.new:
                yield from _alternatives(new.after, f"new services of {new.target}")
            for service in plan.impact.having(*_LEADS):
                yield from _alternatives(service.after, str(service))

    return _collect(pairs())


def _alternatives(after: str, user: str) -> Iterable[tuple[str, str]]:
    """A service may get one of two images, where KServe's order decides and is not defined."""
    return ((image, user) for image in after.split(" or ") if _is_reference(image) or holds_template(image))


def _is_reference(image: str) -> bool:
    """Whether it is one; else the impact says in words why there is none."""
    return bool(image) and " " not in image and not image.startswith("(")


def _gpu_tags(plan: Plan, present: Iterable[Image]) -> Iterable[tuple[str, str]]:
    tags = {one.name: one.gpu_version for one in present}
    for change in plan.asked:
        if change.path[-1] == "defaultGpuImageVersion" and change.path[0] == "predictors":
            tags["/".join(map(str, change.path[1:-1]))] = str(change.after)
    folded = {name.lower(): tag for name, tag in tags.items() if tag}
    for one in plan.images:
        if tag := folded.get(one.target.lower()):
            yield f"{_repository(one.after)}:{tag}", f"{one.target} (GPU)"


def _repository(image: str) -> str:
    name, colon, tag = image.rpartition(":")
    return name if colon and "/" not in tag else image


def check_images(users: Users, platforms: Sequence[Platform], registry: Registry) -> tuple[ImageCheck, ...]:
    """Look up images."""
    references: dict[str, Reference] = {}
    broken: dict[str, str] = {}
    for image in users:
        try:
            references[image] = Reference.parse(image)
        except InvalidReference as error:
            broken[image] = error.why
    answers = registry.look_all(references.values())
    return tuple(
        ImageCheck(image, "no-reference", why=broken[image], used_by=tuple(names))
        if image in broken
        else judge(image, answers[references[image]], platforms, names)
        for image, names in users.items()
    )


def described(check: ImageCheck) -> str:
    """What is wrong with an image, for people."""
    names = and_so_on(check.used_by, _SHOWN_USERS)
    users = f" ({names})" if names else ""
    return f"{check.image}{users}: {check.why or check.outcome}"


def refuse_unusable(checks: Iterable[ImageCheck]) -> None:
    """Stop a plan that leads to images which are not there, or not known to be.

    Raises:
        Refused: naming each.
    """
    bad = [check for check in checks if not check.good]
    if not bad:
        return
    every = "\n".join(f"  {described(check)}" for check in bad)
    count = "an image that is" if len(bad) == 1 else f"{len(bad)} images that are"
    proven = "not there" if all(check.missing for check in bad) else "not known to be there"
    raise Refused(f"it leads to {count} {proven}", picture=every, advice="Push what is missing, or name another image.")


class Pin:
    """Gives each image the digest that its registry has for it now.

    Args:
        platforms: the image must be there for these.
    """

    def __init__(self, registry: Registry, platforms: Sequence[Platform]) -> None:
        self._registry = registry
        self._platforms = platforms

    def __call__(self, reference: Reference) -> str:
        """The digest of a reference.

        Raises:
            Refused: it is not there, or its digest cannot be told.
        """
        check = judge(str(reference), self._registry.look(reference), self._platforms)
        refuse_unusable([check])
        if not check.digest.startswith("sha256:"):
            raise Refused(f"the registry told no digest for {reference}")
        return check.digest


def refuse_broken_digests(plan: Plan) -> None:
    """Stop a plan that writes digests, in a release whose rules of tags make something else of them for services.

    Raises:
        Refused: naming the services.
    """
    broken = plan.impact.having("invalid") if plan.impact is not None else ()
    if broken:
        raise Refused(
            f"with a digest KServe could not serve {and_so_on(broken, _SHOWN_USERS)}: {broken[0].reason}",
            advice="Leave out --pin-digest, or clear the runtimeVersion of these services first.",
        )
