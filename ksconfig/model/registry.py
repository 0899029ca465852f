"""What a registry holds, judged: where a reference leads, and whether what was found there is enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ksconfig.errors import UsageError
from ksconfig.model.reference import Reference

#: found: it is there, for all platforms. The next three are proven to be of no use: nothing of that name, not for a
#: platform, no reference at all. Of the others nothing is known: no answer, no login (or none that suffices), too many
#: requests, an answer that cannot be understood.
Outcome = Literal[
    "found", "not-found", "no-platform", "no-reference", "unreachable", "login-refused", "rate-limited", "failed"
]
MISSING: frozenset[Outcome] = frozenset(("not-found", "no-platform", "no-reference"))

DOCKER_HUB = "docker.io"


class Location(NamedTuple):
    """Where a reference leads.

    Attributes:
        host: the registry, with its port if there is one.
        path: the repository there.
        name: the digest if there is one, else the tag.
    """

    host: str
    path: str
    name: str


def locate(reference: Reference) -> Location:
    """Where a container runtime looks for a reference: Docker Hub and "latest" where nothing else is said."""
    first, slash, rest = reference.repository.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        host, path = DOCKER_HUB, reference.repository
    else:
        host, path = first, rest
    if host == "index.docker.io":
        host = DOCKER_HUB
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return Location(host, path, reference.digest or reference.tag or "latest")


def is_loopback(host: str) -> bool:
    """Whether a registry is on this machine, so that it needs no TLS."""
    name = re.sub(r":\d+$", "", host).strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    import ipaddress  # not small, and only who looks into registries needs it

    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Platform(NamedTuple):
    """What an image runs on; the variant ("v8") may be left open."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``os/arch`` or ``os/arch/variant``.

        Raises:
            UsageError: it is neither.
        """
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(re.fullmatch(r"[a-z0-9._-]+", part) for part in parts):
            raise UsageError(f'"{text}" is no platform', advice="Write it like linux/amd64.")
        return cls(*parts)

    def serves(self, wanted: Platform) -> bool:
        """Whether an image for this platform runs on the wanted one."""
        variants = {self.variant, wanted.variant} - {""}
        return self[:2] == wanted[:2] and len(variants) < 2


DEFAULT_PLATFORM = Platform("linux", "amd64")


class Answer(NamedTuple):
    """What a registry says to a reference.

    Attributes:
        outcome: "found", or why not; "no-platform" and "no-reference" are not for a registry to say.
        digest: of what the reference names, an index of several platforms included.
        platforms: those it is there for; empty if that cannot be told.
        why: for people, if it was not found.
    """

    outcome: Outcome
    digest: str = ""
    platforms: tuple[Platform, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class ImageCheck:
    """What is known of an image.

    Attributes:
        image: the reference as it was asked for.
        outcome: see `Outcome`.
        digest: "" unless the registry told it.
        platforms: those it is there for.
        why: for people, unless it is as it should be.
        used_by: what has it, or would have it: targets, and services as NAMESPACE/NAME.
    """

    image: str
    outcome: Outcome
    digest: str = ""
    platforms: tuple[Platform, ...] = ()
    why: str = ""
    used_by: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it is there, for all platforms."""
        return self.outcome == "found"

    @property
    def missing(self) -> bool:
        """Whether it is proven that it cannot be used."""
        return self.outcome in MISSING


def judge(image: str, answer: Answer, wanted: Sequence[Platform], used_by: Iterable[str] = ()) -> ImageCheck:
    """Whether what a registry said is enough for the wanted platforms."""
    users = tuple(used_by)
    if answer.outcome != "found":
        return ImageCheck(image, answer.outcome, answer.digest, answer.platforms, answer.why, users)
    lacking = [one for one in wanted if not any(there.serves(one) for there in answer.platforms)]
    if lacking and answer.platforms:
        there = ", ".join(map(str, answer.platforms))
        why = f"it is there for {there}, not for {' and '.join(map(str, lacking))}"
        return ImageCheck(image, "no-platform", answer.digest, answer.platforms, why, users)
    why = "" if answer.platforms else "it does not say which platforms it is for"
    return ImageCheck(image, "found", answer.digest, answer.platforms, why, users)
