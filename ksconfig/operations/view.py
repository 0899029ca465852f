"""What a source holds, as read: the config parsed where it parses, the runtimes, the release told."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
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
from ksconfig.model.detect import ReleaseGuess, RuntimeEvidence, given_release, guess_release
from ksconfig.model.images import EXAMPLE_KEY, ImagePlace, image_places
from ksconfig.model.plan import Notice, ObjectRef
from ksconfig.model.releases import NEWEST, OLDEST
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND, Runtime, read_runtime
from ksconfig.source.port import Config, Object, Source
from ksconfig.text.json_path import Path, Step, find, format_path, missing, parse_path
from ksconfig.text.json_scanner import Node, parse_json
from ksconfig.text.spans import Origin
from ksconfig.text.templates import holds_template, template_fault

#: The refusals that a person may override, by the word for ``allow``.
BROKEN_START = "broken-start"
FOREIGN_OWNER = "foreign-owner"
PINNED_TAGS = "pinned-tags"
RENAMED_RUNTIME = "renamed-runtime"
UNKNOWN_IMPACT = "unknown-impact"
ALLOWABLE = (
    BROKEN_START,
    FOREIGN_OWNER,
    "gpu-rule",
    "new-key",
    "old-gpu-version",
    PINNED_TAGS,
    RENAMED_RUNTIME,
    UNKNOWN_IMPACT,
    "unread",
)


@dataclass(frozen=True)
class Care:
    """How a plan deals with services.

    Attributes:
        impact_namespaces: where services are looked at; everywhere if empty.
        unpin: whether those follow whose version is the default that the plan replaces.
        unpin_services: those that follow besides, as NAMESPACE/NAME, though their owner wrote the version.
        max_affected: how many services may change at most, or None.
    """

    impact_namespaces: tuple[str, ...] = ()
    unpin: bool = False
    unpin_services: tuple[str, ...] = ()
    max_affected: int | None = None


@dataclass(frozen=True)
class Scope:
    """What a command is about, whatever it does.

    Attributes:
        namespace: of the config, where several are there.
        kserve_version: the release, or None to tell it from what is read.
        allow: the refusals that a person overrides.
        care: how a plan deals with services.
    """

    namespace: str | None = None
    kserve_version: str | None = None
    allow: Collection[str] = ()
    care: Care = Care()

    def __post_init__(self) -> None:
        for name in ("namespace", "kserve_version"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise UsageError(f"{name} is {value!r}, and must be a string")
        unknown = [word for word in self.allow if word not in ALLOWABLE]
        if unknown:
            raise UsageError(f'there is no "{unknown[0]}" to allow', advice=f"The words are {', '.join(ALLOWABLE)}.")


class ConfigView:
    """A config as read: its keys parsed where they parse."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.roots: dict[str, Node] = {}
        self.broken: dict[str, KsconfigError] = {}
        self.shared: dict[str, Refused] = {}  # sound, but the text is that of another place too (a YAML alias)
        for key in config.keys:
            if key == EXAMPLE_KEY:
                continue
            try:
                self.roots[key] = parse_json(self._readable(key), self._origin(key))
            except KsconfigError as error:
                self.broken[key] = error
        self.data: dict[str, Any] = {key: root.value for key, root in self.roots.items()}

    @cached_property
    def places(self) -> tuple[ImagePlace, ...]:
        """Its images."""
        return image_places(self.data)

    def _readable(self, key: str) -> str:
        """The text of a key, one that can only be read included."""
        try:
            return self.text(key)
        except (Ambiguous, InvalidDocument):
            raise
        except Refused as error:
            value = self.config.value(("data", key))
            if value is None:
                raise
            self.shared[key] = error
            return value

    def _origin(self, key: str) -> Origin:
        return Origin("", None) if key in self.shared else self.config.origin(("data", key))

    def text(self, key: str) -> str:
        """The text of a key (errors as in `ksconfig.source.port.Object.text`)."""
        return self.config.text(("data", key))

    def root(self, key: str) -> Node:
        """The JSON of a key.

        Raises:
            PathNotFound: there is no such key.
            KsconfigError: it cannot be read; a template is named as one.
        """
        if key in self.shared:
            raise self.shared[key]
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
            if isinstance(error, InvalidDocument) and holds_template(self.text(key)):
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


class View:
    """What a source holds, read when it is asked for: the config, the runtimes, the release they belong to."""

    def __init__(self, source: Source, scope: Scope) -> None:
        self.source = source
        self.scope = scope

    @cached_property
    def config(self) -> ConfigView | None:
        """The one config, or None if there is none (errors as in `find_config`)."""
        found = find_config(self.source, self.scope.namespace)
        return ConfigView(found) if found else None

    def need_config(self) -> ConfigView:
        """The one config.

        Raises:
            ConfigNotFound: there is none.
        """
        if self.config is None:
            self.source.explain_absence()
            more = "" if self.objects else ", and no serving runtime"
            raise ConfigNotFound(
                f"there is no ConfigMap inferenceservice-config here{more}",
                advice=self.source.elsewhere,
            )
        return self.config

    def need_anything(self) -> None:
        """See that there is a config, or another object.

        Raises:
            ConfigNotFound: there is nothing at all.
        """
        if self.config is None and not self.objects:
            self.need_config()

    @cached_property
    def objects(self) -> dict[ObjectRef, list[Object]]:
        """The serving runtimes and storage containers; more than one of a name where several manifests hold it."""
        found: dict[ObjectRef, list[Object]] = {}
        for kind in (CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND):
            for one in self.source.objects(kind):
                found.setdefault(one.ref, []).append(one)
        return found

    @cached_property
    def first(self) -> dict[ObjectRef, Object]:
        """The manifest that counts where several hold one object: the first that is no patch, so lists formats."""
        return {
            ref: next((one for one in objects if len(objects) > 1 and read_runtime(ref, one.data).formats), objects[0])
            for ref, objects in self.objects.items()
        }

    @cached_property
    def runtimes(self) -> tuple[Runtime, ...]:
        """The serving runtimes, each once."""
        return tuple(read_runtime(ref, one.data) for ref, one in self.first.items() if ref.kind != STORAGE_KIND)

    @cached_property
    def release(self) -> ReleaseGuess:
        """The KServe release."""
        if self.scope.kserve_version is not None:
            return given_release(self.scope.kserve_version)
        try:
            config = self.config
        except KsconfigError:
            config = None  # who needs it will say why it cannot be read
        data, keys = (config.data, config.config.keys) if config else ({}, ())
        return guess_release(data, frozenset(keys), self.source.evidence(), self._runtime_evidence)

    def _runtime_evidence(self) -> RuntimeEvidence:
        try:
            runtimes = self.runtimes
        except KsconfigError:
            return RuntimeEvidence((), OLDEST)  # who needs them will say why they cannot be read
        images = tuple(one.image for runtime in runtimes for one in runtime.containers if one.image)
        return RuntimeEvidence(images, max((runtime.since for runtime in runtimes), default=OLDEST))

    def the_object(self, ref: ObjectRef) -> Object:
        """The one object of a name.

        Raises:
            Ambiguous: several manifests hold it.
        """
        objects = self.objects[ref]
        if len(objects) == 1:
            return objects[0]
        error = several(f"{ref} stands there several times", objects)
        target = next((one.name for one in self.runtimes if one.ref == ref), None)
        if target and any(not read_runtime(ref, one.data).formats for one in objects):
            # a patch of a runtime serves no framework by itself, so the same command would not find it
            error = Ambiguous(error.why, advice=f"Say {target}, with {' or '.join(error.selectors)}.")
        raise error

    def notices(self, touched: Collection[str]) -> tuple[Notice, ...]:
        """What a person should know beside the change."""
        return (*(self.config.notices(touched) if self.config else ()), *self.release_notices())

    def release_notices(self) -> Iterator[Notice]:
        """What a person should know about the release."""
        if self.release.unverified:
            known = f"KServe {self.release} is newer than {NEWEST}, the newest that ksconfig knows"
            yield Notice("unverified", f"{known}: the rules of {NEWEST} are taken, unverified")


def several(why: str, objects: Sequence[Object]) -> Ambiguous:
    """The refusal to choose among objects, with the options that single each one out."""
    listed = " and ".join(f"{one.ref} ({one.place})" for one in objects)
    selectors = tuple(one.selector for one in objects if one.selector)
    advice = None if selectors else "Remove all but one, or move them to files of their own."
    return Ambiguous(f"{why}: {listed}", selectors=selectors, advice=advice)


def find_config(source: Source, namespace: str | None) -> Config | None:
    """The one config of a source, or None if it has none.

    Raises:
        ConfigNotFound: there is none in that namespace.
        Ambiguous: there are several; all are named.
    """
    configs = list(source.configs())
    if namespace is not None and configs:
        named = [config for config in configs if config.ref.namespace == namespace]
        configs = named or [config for config in configs if config.ref.namespace is None]
        if not configs:
            seen = ", ".join(sorted({str(config.ref.namespace) for config in source.configs()}))
            raise ConfigNotFound(
                f"there is no ConfigMap inferenceservice-config in namespace {namespace}",
                advice=f"It is in namespace {seen}.",
            )
    if len(configs) > 1:
        raise several("there are several configs", configs)
    return configs[0] if configs else None


def key_path(path: str | Sequence[Step]) -> Path:
    """The path as a tuple that begins with a key of the config."""
    steps = parse_path(path)
    if not isinstance(steps[0], str) or not steps[0]:
        raise UsageError(f"{format_path(steps)} does not begin with a key of the config")
    return steps


def get_value(source: Source, path: str | Sequence[Step], scope: Scope) -> Node:
    """The JSON node at a path.

    Raises:
        PathNotFound: nothing is there.
    """
    steps = key_path(path)
    with not_done(f"{format_path(steps)} was not read"):
        root = View(source, scope).need_config().root(str(steps[0]))
        found = find(root, steps[1:], steps[:1])
        if found.rest:
            raise missing(found, steps)
        return found.node
