"""Container image references, by the grammar of the OCI distribution project.

    reference  = [domain "/"] path [":" tag] ["@" digest]
    domain     = host [":" port]; the first component is one if it holds "." or ":" or is "localhost"
    path       = lower-case components of letters and digits, joined by ".", "_", "__" or dashes, separated by "/"

The IMAGE of the command line has two short forms besides: ``:tag`` and ``repo`` (with a "/", no tag), which keep the
other half of what stands there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ksconfig.errors import InvalidReference, UsageError

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])"
_DOMAIN = re.compile(rf"{_HOST}(?::[0-9]+)?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_LONGEST_NAME = 255


class Reference(NamedTuple):
    """An image reference in its three parts, as written; nothing is filled in or normalised.

    Attributes:
        repository: registry and path.
        tag: without its colon, or None.
        digest: ``algorithm:hex``, or None.
    """

    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return self.repository + tag + (f"@{self.digest}" if self.digest else "")

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a reference.

        Raises:
            InvalidReference: the grammar does not allow it; the message says which part and why.
        """
        rest, at, digest = text.partition("@")
        slash, colon = rest.rfind("/"), rest.rfind(":")
        repository, tag = (rest[:colon], rest[colon + 1 :]) if colon > slash else (rest, None)
        if at:
            _check_digest(text, digest)
        if tag is not None:
            _check_tag(text, tag)
        _check_repository(text, repository)
        return cls(repository, tag, digest if at else None)


def _bad(text: str, reason: str) -> InvalidReference:
    return InvalidReference(
        f'"{text}" is no image reference: {reason}',
        advice="Write it like registry.example:5000/team/sklearnserver:1.2 or registry.example/team/sk@sha256:...",
    )


def _check_digest(text: str, digest: str) -> None:
    if not _DIGEST.fullmatch(digest):
        raise _bad(text, f'"{digest}" is no digest (algorithm:hex, at least 32 hexadecimal digits)')
    algorithm, _, encoded = digest.partition(":")
    if algorithm in _LENGTHS and (len(encoded) != _LENGTHS[algorithm] or encoded != encoded.lower()):
        raise _bad(text, f"a {algorithm} digest has {_LENGTHS[algorithm]} lower-case hexadecimal digits")


def _check_tag(text: str, tag: str) -> None:
    if not _TAG.fullmatch(tag):
        why = (
            "is empty"
            if not tag
            else f"is {len(tag)} characters long, 128 are allowed"
            if len(tag) > 128
            else "is no tag"
        )
        raise _bad(text, f'the tag "{tag}" {why} (letters, digits, "_", "." and "-")')


def _check_repository(text: str, repository: str) -> None:
    if not repository:
        raise _bad(text, "the repository is missing")
    if space := re.search(r"\s", text):
        raise _bad(text, f"it holds white space ({space[0]!r})")
    first, slash, path = repository.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        path = repository
    elif not _DOMAIN.fullmatch(first):
        raise _bad(text, f'"{first}" is no registry (host or host:port)')
    for component in path.split("/"):
        if not component:
            raise _bad(text, "a part between two slashes is empty")
        if _COMPONENT.fullmatch(component):
            continue
        if _COMPONENT.fullmatch(component.lower()):
            raise _bad(text, f'"{component}" holds upper case; a repository is lower case, only tags may hold both')
        raise _bad(text, f'"{component}" is no part of a repository (lower-case letters and digits, joined by . _ -)')
    if len(repository) > _LONGEST_NAME:
        raise _bad(text, f"the repository is {len(repository)} characters long, {_LONGEST_NAME} are allowed")


class ImageArgument(NamedTuple):
    """An IMAGE as given: a new repository, a new tag or digest, or both.

    Attributes:
        repository: None for ``:tag``, which keeps the repository that stands there.
        tag, digest: None for ``repo``, which keeps the tag and digest that stand there.
    """

    repository: str | None
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> ImageArgument:
        """Read an IMAGE of the command line.

        Raises:
            UsageError: a bare word, which could be a tag or a repository.
            InvalidReference: a part breaks the grammar.
        """
        if text.startswith(":"):
            _check_tag(text, text[1:])
            return cls(None, text[1:], None)
        if text and not any(character in text for character in "/:@"):
            raise UsageError(
                f'"{text}" may be a tag or a repository',
                advice=f"Did you mean :{text} (the tag)? A repository needs a / or a tag: docker.io/library/{text}",
            )
        reference = Reference.parse(text)
        return cls(reference.repository, reference.tag, reference.digest)

    def on(self, present: Reference) -> Reference:
        """The reference after the change: what is not given stays, and a new tag drops a digest that stands there."""
        if self.repository is None:
            return Reference(present.repository, self.tag, None)
        if self.tag is None and self.digest is None:
            return Reference(self.repository, present.tag, present.digest)
        return Reference(self.repository, self.tag, self.digest)
