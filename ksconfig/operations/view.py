"""A config as read: found, parsed where it parses, its release told."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ksconfig.errors import (
    Ambiguous,
    ConfigNotFound,
    InvalidDocument,
    KsconfigError,
    PathNotFound,
    Refused,
    UsageError,
    not_done,
)
from ksconfig.model.detect import ReleaseGuess, given_release, guess_release
from ksconfig.model.images import EXAMPLE_KEY, image_places
from ksconfig.model.plan import Notice
from ksconfig.model.targets import is_read
from ksconfig.source.port import Config, Source
from ksconfig.text.json_path import Path, Step, find, format_path, missing, parse_path
from ksconfig.text.json_scanner import Node, parse_json
from ksconfig.text.templates import holds_template, template_fault

#: The refusals that a person may override, by the word for ``allow``.
ALLOWABLE = ("gpu-rule", "new-key", "old-gpu-version", "unread")


@dataclass(frozen=True)
class Scope:
    """What a command is about, whatever it does.

    Attributes:
        namespace: of the config, where several are there.
        kserve_version: the release, or None to tell it from what is read.
        allow: the refusals that a person overrides.
    """

    namespace: str | None = None
    kserve_version: str | None = None
    allow: Collection[str] = ()

    def __post_init__(self) -> None:
        unknown = [word for word in self.allow if word not in ALLOWABLE]
        if unknown:
            raise UsageError(f'there is no "{unknown[0]}" to allow', advice=f"The words are {', '.join(ALLOWABLE)}.")


class ConfigView:
    """A config as read: its keys parsed where they parse."""

    def __init__(self, config: Config, scope: Scope) -> None:
        self.config = config
        self.roots: dict[str, Node] = {}
        self.broken: dict[str, KsconfigError] = {}
        for key in config.keys:
            if key == EXAMPLE_KEY:
                continue
            try:
                self.roots[key] = parse_json(config.text(key), config.origin(key))
            except KsconfigError as error:
                self.broken[key] = error
        self.data: dict[str, Any] = {key: root.value for key, root in self.roots.items()}
        self.release = (
            given_release(scope.kserve_version)
            if scope.kserve_version is not None
            else guess_release(self.data, frozenset(config.keys))
        )

    def root(self, key: str) -> Node:
        """The JSON of a key.

        Raises:
            PathNotFound: there is no such key.
            KsconfigError: it cannot be read; a template is named as one.
        """
        if key in self.broken:
            raise self._as_template(key, self.broken[key])
        if key == EXAMPLE_KEY:
            raise Refused(f"{EXAMPLE_KEY} is a text for people, which KServe does not read; it is never edited")
        if key not in self.roots:
            near = difflib.get_close_matches(key, self.config.keys, 1)
            listed = ", ".join(self.config.keys) or "none at all"
            hint = f"Did you mean {near[0]}?" if near else f"The keys are {listed}."
            raise PathNotFound(f"{self.config.ref} has no key {key}", advice=hint)
        return self.roots[key]

    def _as_template(self, key: str, error: KsconfigError) -> KsconfigError:
        try:
            if isinstance(error, InvalidDocument) and holds_template(self.config.text(key)):
                reason = f"the text of {key} is a template (Helm or Jinja), not JSON yet: {error.reason}"
                return template_fault(error, reason, picture=error.picture)
        except KsconfigError:
            pass  # the key has no text that could be one
        return error

    def notices(self, touched: Collection[str]) -> list[Notice]:
        """What a person should know about the config beside the change."""
        found = [Notice("config-remark", remark) for remark in self.config.remarks]
        for key, error in self.broken.items():
            if key not in touched:
                found.append(Notice("broken-key", f"the key {key} beside it is broken: {error.why}"))
        return found


def open_config(source: Source, scope: Scope) -> ConfigView:
    """The one config of a source, as read (errors as in `find_config`)."""
    return ConfigView(find_config(source, scope.namespace), scope)


def find_config(source: Source, namespace: str | None) -> Config:
    """The one config of a source.

    Raises:
        ConfigNotFound: there is none, or none in that namespace.
        Ambiguous: there are several; all are named.
    """
    configs = list(source.configs())
    if not configs:
        raise ConfigNotFound(
            "there is no ConfigMap inferenceservice-config in what was read",
            advice="Name the manifest that holds it with -f.",
        )
    if namespace is not None:
        named = [config for config in configs if config.ref.namespace == namespace]
        configs = named or [config for config in configs if config.ref.namespace is None]
        if not configs:
            seen = ", ".join(sorted({str(config.ref.namespace) for config in source.configs()}))
            raise ConfigNotFound(
                f"there is no ConfigMap inferenceservice-config in namespace {namespace}",
                advice=f"It is in namespace {seen}.",
            )
    if len(configs) > 1:
        listed = " and ".join(f"{config.ref} ({config.place})" for config in configs)
        raise Ambiguous(f"there are several configs: {listed}", advice="Say which with -n NAMESPACE, or name one file.")
    return configs[0]


def key_path(path: str | Sequence[Step]) -> Path:
    """The path as a tuple that begins with a key of the config."""
    steps = parse_path(path)
    if not isinstance(steps[0], str) or not steps[0]:
        raise UsageError(f"{format_path(steps)} does not begin with a key of the config")
    return steps


@dataclass(frozen=True)
class Image:
    """A target and the image it holds.

    Attributes:
        name: as `set_image` takes it.
        image: repository and tag as KServe joins them; "" if there is none.
        gpu_version: the tag for services with a GPU, or None.
        where: object and path.
        read: whether the release reads it at all.
    """

    name: str
    image: str
    gpu_version: str | None
    where: str
    read: bool


def list_images(source: Source, scope: Scope) -> tuple[tuple[Image, ...], ReleaseGuess, tuple[Notice, ...]]:
    """Every image of the config, the release it was read by, and notices."""
    with not_done("the images were not listed"):
        view = open_config(source, scope)
        images = tuple(
            Image(
                place.name,
                place.shown,
                place.gpu_version,
                f"{view.config.ref} {format_path((place.key, *place.path))}",
                any(is_read(place, rules) for rules in view.release.likely_rules),
            )
            for place in image_places(view.data)
        )
        return images, view.release, tuple(view.notices(()))


def get_value(source: Source, path: str | Sequence[Step], scope: Scope) -> Node:
    """The JSON node at a path.

    Raises:
        PathNotFound: nothing is there.
    """
    steps = key_path(path)
    with not_done(f"{format_path(steps)} was not read"):
        root = open_config(source, scope).root(str(steps[0]))
        found = find(root, steps[1:], steps[:1])
        if found.rest:
            raise missing(found, steps)
        return found.node
