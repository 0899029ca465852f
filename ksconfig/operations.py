"""The only place that joins the parts: read, plan, check. Sources do the rest, models decide, texts are edited."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ksconfig.errors import (
    Ambiguous,
    ConfigNotFound,
    InvalidDocument,
    InvalidReference,
    KsconfigError,
    PathNotFound,
    Refused,
    UsageError,
    not_done,
)
from ksconfig.model.detect import ReleaseGuess, given_release, guess_release
from ksconfig.model.fields import json_kind, required_kind
from ksconfig.model.images import EXAMPLE_KEY, Assignment, ImagePlace, assign_image, gpu_versions, image_places
from ksconfig.model.plan import ABSENT, Change, FieldEdit, ImageChange, Notice, Plan
from ksconfig.model.reference import ImageArgument, Reference
from ksconfig.model.start import start_faults
from ksconfig.model.targets import find_place, is_read, why_unread
from ksconfig.source.manifest_text import holds_template
from ksconfig.source.port import Config, Source
from ksconfig.text.json_edit import remove_value, set_value
from ksconfig.text.json_path import Path, Step, find, format_path, missing, parse_path
from ksconfig.text.json_scanner import Node, parse_json
from ksconfig.text.json_write import Layout, RawJson, write_json
from ksconfig.text.proof import prove_json
from ksconfig.text.spans import Edit, EditedText

#: Fields that are Go templates by KServe's own design, so that "{{" in them means nothing to us.
_KSERVE_TEMPLATES = {("ingress", "domainTemplate"), ("ingress", "pathTemplate")}


class Typed(str):
    """A value as a person types it: it takes the JSON type that the field has, or that KServe requires, else string."""

    __slots__ = ()


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


class _View:
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
            if scope.kserve_version
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
            raise Refused(f"{EXAMPLE_KEY} is a text for people to read; KServe does not read it")
        if key not in self.roots:
            near = missing(find(parse_json(write_json(dict.fromkeys(self.config.keys))), (key,)), (key,))
            hint = near.advice or f"The keys are {', '.join(self.config.keys) or 'none at all'}."
            raise PathNotFound(f"{self.config.ref} has no key {key}", advice=hint)
        return self.roots[key]

    def _as_template(self, key: str, error: KsconfigError) -> KsconfigError:
        try:
            template = isinstance(error, InvalidDocument) and holds_template(self.config.text(key))
        except KsconfigError:
            template = False
        if not template or not isinstance(error, InvalidDocument):
            return error
        return InvalidDocument(
            f"the text of {key} is a template (Helm or Jinja), not JSON yet: {error.reason}",
            line=error.line,
            column=error.column,
            label=error.label,
            picture=error.picture,
            advice="Edit the values that it is rendered from, or render it first and edit the result.",
        )

    def notices(self, touched: Collection[str]) -> list[Notice]:
        """What a person should know about the config beside the change."""
        found = [Notice("config-remark", remark) for remark in self.config.remarks]
        for key, error in self.broken.items():
            if key not in touched:
                found.append(Notice("broken-key", f"the key {key} beside it is broken: {error.why}"))
        return found


def _open(source: Source, scope: Scope) -> _View:
    return _View(find_config(source, scope.namespace), scope)


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


# Reading


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
        view = _open(source, scope)
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
        root = _open(source, scope).root(steps[0])
        found = find(root, steps[1:], steps[:1])
        if found.rest:
            raise missing(found, steps)
        return found.node


# Planning


class _Draft:
    """Edits on the keys of one config, collected into a plan."""

    def __init__(self, view: _View, command: str, source: Source) -> None:
        self.view = view
        self.command = command
        self.source = source
        self.texts: dict[str, EditedText] = {}
        self.done: dict[str, list[tuple[Path, Any]]] = {}
        self.changes: list[Change] = []
        self.images: list[ImageChange] = []
        self.notices: list[Notice] = []
        self.new_keys: set[str] = set()

    def notice(self, code: str, message: str) -> None:
        """Add a warning."""
        self.notices.append(Notice(code, message))

    def node(self, path: Path) -> Node | None:
        """What stands at a path now, in the text as read.

        Raises:
            KsconfigError: the path is ambiguous, or its key cannot be read.
        """
        found = find(self.view.root(str(path[0])), path[1:], path[:1])
        return None if found.rest else found.node

    def assign(self, path: Path, value: Any) -> None:
        """Set a value, or remove it (`ABSENT`)."""
        key, inner = str(path[0]), path[1:]
        before = self.node(path)
        if before is not None and before.kind == "string" and path not in _KSERVE_TEMPLATES:
            if holds_template(before.string):
                raise Refused(
                    f"the value of {format_path(path)} is a template (Helm or Jinja): {before.source}",
                    advice="Edit the values that it is rendered from, or render it first and edit the result.",
                )
        text = self.texts.setdefault(key, EditedText(self.view.config.text(key)))
        root = self.view.roots[key] if text.text == text.original else parse_json(text.text)
        edits = remove_value(root, inner, (key,)) if value is ABSENT else set_value(root, inner, value, (key,))
        after = before.value if before is not None and not edits else _plain(value)
        before_value = ABSENT if before is None else before.value
        if edits:
            text.edit(edits)
            self.done.setdefault(key, []).append((inner, value))
        self.changes.append(
            Change(self.view.config.ref, path, before_value, after if edits else before_value, self.view.config.place)
        )

    def add_key(self, key: str, inner: Path, value: Any) -> None:
        """A new key of ``data`` that holds one value."""
        for step in reversed(inner):
            value = {step: value} if isinstance(step, str) else [value]
        text = EditedText("")
        text.edit([Edit(0, 0, write_json(value, Layout("\n", "    ", ": ", ", ")))])
        self.texts[key] = text
        self.new_keys.add(key)
        self.changes.append(Change(self.view.config.ref, (key,), ABSENT, _plain(value), self.view.config.place))

    def plan(self) -> Plan:
        """Check and prove the whole, and turn it into a plan."""
        config = self.view.config
        edits = []
        data = dict(self.view.data)
        for key, text in self.texts.items():
            if text.text == text.original and key not in self.new_keys:
                continue
            if key not in self.new_keys:
                prove_json(text.original, text.text, self.done[key])
            data[key] = parse_json(text.text).value
            before = None if key in self.new_keys else text.original
            edits.append(FieldEdit(config.ref, ("data", key), before, text.edits()))
        self._check_start(data)
        final = tuple(edits)
        patches = self.source.prepare(final) if final else ()
        changes = tuple(change for change in self.changes if change.changed)
        notices = tuple([*self.notices, *self.view.notices(tuple(self.texts))])
        return Plan(
            self.command, changes if edits else (), tuple(self.images), final, patches, notices, self.view.release
        )

    def _check_start(self, data: Mapping[str, Any]) -> None:
        """Refuse what the controller could not start with, if it is this change that brings it."""
        found: list[tuple[str, ...]] = []
        for rules in self.view.release.rules:
            old = start_faults(rules, self.view.data)
            found.append(tuple(fault for fault in start_faults(rules, data) if fault not in old))
        faults = tuple(dict.fromkeys(fault for group in found for fault in group))
        if not faults:
            return
        if all(found):
            raise Refused(
                f"the controller of KServe {self.view.release} would exit at its next start: {'; '.join(faults)}",
                advice="Give a value that it starts with.",
            )
        releases = [str(rules.release) for rules, group in zip(self.view.release.rules, found, strict=True) if group]
        self.notice("start", f"the controller of KServe {', '.join(releases)} would not start: {'; '.join(faults)}")


def _plain(value: Any) -> Any:
    """A new value as plain data."""
    return parse_json(value).value if isinstance(value, RawJson) else value


def key_path(path: str | Sequence[Step]) -> Path:
    """The path as a tuple that begins with a key of the config."""
    steps = parse_path(path)
    if not isinstance(steps[0], str) or not steps[0]:
        raise UsageError(f"{format_path(steps)} does not begin with a key of the config")
    return steps


def plan_set(
    source: Source, path: str | Sequence[Step], value: Any, scope: Scope, *, allow_type_change: bool = False
) -> Plan:
    """A plan that sets one value.

    Args:
        value: Python data, `RawJson`, or `Typed` to take the type that the field has.

    Raises:
        Refused: the JSON type would change without ``allow_type_change``; the key is not there (``--allow new-key``);
            the controller could not start with the result.
        KsconfigError: the path is ambiguous or leads nowhere, or the text is broken.
    """
    steps = key_path(path)
    with not_done(f"{format_path(steps)} was not set"):
        view = _open(source, scope)
        draft = _Draft(view, "set", source)
        key = str(steps[0])
        if key not in view.config.keys and key != EXAMPLE_KEY:
            if "new-key" not in scope.allow:
                _refuse_new_key(view, key)
            draft.add_key(key, steps[1:], _typed(value, required_kind(steps), steps))
            return draft.plan()
        node = draft.node(steps)
        kind = node.kind if node and node.kind != "null" else required_kind(steps)
        if isinstance(value, Typed):
            value = _typed(value, kind, steps)
        new_kind = parse_json(value).kind if isinstance(value, RawJson) else json_kind(value)
        if kind and new_kind != kind:
            shown = node.source if node and len(node.source) < 60 else kind
            if not allow_type_change:
                raise Refused(
                    f"{format_path(steps)} is a JSON {kind}{f' ({shown})' if node else ''}, and the new value a {new_kind}",
                    advice=f"Give a {kind}; to change the type on purpose use --json (allow_type_change=True).",
                )
            draft.notice("type-change", f"{format_path(steps)} changes its JSON type from {kind} to {new_kind}")
        draft.assign(steps, value)
        _warn_about_image(draft, steps)
        return draft.plan()


def _typed(value: Any, kind: str | None, steps: Path) -> Any:
    """A `Typed` text as a value of the kind; anything else as it is."""
    if not isinstance(value, Typed):
        return value
    where = format_path(steps)
    if kind == "boolean":
        if value not in ("true", "false"):
            raise UsageError(f'{where} is a boolean, and "{value}" is none', advice="Say true or false.")
        return value == "true"
    if kind == "number":
        try:
            if parse_json(value).kind == "number":
                return RawJson(value.strip())
        except InvalidDocument:
            pass
        raise UsageError(f'{where} is a number, and "{value}" is none', advice="Write it as JSON does: 10, -1, 0.5.")
    if kind in ("object", "array"):
        raise UsageError(f"{where} is a JSON {kind}", advice="Give the whole of it as JSON with --json.")
    return str(value)


def _refuse_new_key(view: _View, key: str) -> None:
    try:
        view.root(key)
    except PathNotFound as error:
        raise Refused(error.why, allow="new-key", advice=f"{error.advice} A new key needs --allow new-key.") from None


def _warn_about_image(draft: _Draft, steps: Path) -> None:
    """`set` writes any value; what `set_image` would refuse is said here."""
    data = {key: parse_json(text.text).value for key, text in draft.texts.items()}
    for place in image_places(data):
        inside = (place.key, *place.path)
        if steps[: len(inside)] != inside or len(steps) != len(inside) + 1:
            continue
        if steps[-1] not in (place.field, "defaultImageVersion", "defaultGpuImageVersion"):
            continue
        if not any(is_read(place, rules) for rules in draft.view.release.rules):
            draft.notice("unread", why_unread(place, draft.view.release.rules))
        try:
            Reference.parse(place.shown)
        except InvalidReference as error:
            draft.notice("no-reference", f"{place.name}: {error.why}")


def plan_unset(source: Source, path: str | Sequence[Step], scope: Scope) -> Plan:
    """A plan that removes one value; without change if it is not there."""
    steps = key_path(path)
    with not_done(f"{format_path(steps)} was not removed"):
        view = _open(source, scope)
        draft = _Draft(view, "unset", source)
        if steps[0] not in view.config.keys:
            return draft.plan()
        if len(steps) == 1:
            raise UsageError(f"{steps[0]} is a whole key of the ConfigMap", advice="Name a value inside it.")
        draft.assign(steps, ABSENT)
        return draft.plan()


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
    if not images:
        raise UsageError("no target was named", advice="Say TARGET IMAGE, or TARGET=IMAGE several times.")
    with not_done(f"{', '.join(images)} {'was' if len(images) == 1 else 'were'} not changed"):
        arguments = {target: ImageArgument.parse(image) for target, image in images.items()}
        view = _open(source, scope)
        draft = _Draft(view, "set-image", source)
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


def _places(view: _View, arguments: Mapping[str, ImageArgument]) -> dict[str, ImagePlace]:
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


def _refuse_broken(view: _View, target: str) -> None:
    """If the key that would hold the target is broken, that is the answer, not "no such target"."""
    group = target.partition("/")[0]
    key = {"explainer": "explainers", "transformer": "transformers"}.get(group, group)
    frameworks = {name for rules in view.release.rules for name in rules.frameworks}
    if key not in view.config.keys and (group in frameworks or not view.data.keys() & {"predictors"}):
        key = "predictors"
    if key in view.broken:
        view.root(key)


def _set_image(
    draft: _Draft, place: ImagePlace, argument: ImageArgument, gpu_version: str | None, scope: Scope
) -> None:
    release = draft.view.release
    if not any(is_read(place, rules) for rules in release.rules):
        why = why_unread(place, release.rules)
        if "unread" not in scope.allow:
            raise Refused(why, allow="unread", advice="Nothing would change. To write it all the same: --allow unread.")
        draft.notice("unread", why)
    elif not all(is_read(place, rules) for rules in release.likely_rules):
        unread = [rules for rules in release.likely_rules if not is_read(place, rules)]
        draft.notice("unread", f"{why_unread(place, unread)}; say which release with --kserve-version")
    version_list = any(rules.version_list for rules in release.rules)
    assignments = assign_image(place, argument, gpu_version, version_list=version_list)
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


def _shown_after(place: ImagePlace, assignments: tuple[Assignment, ...]) -> str:
    values = {assignment.path[-1]: assignment.value for assignment in assignments}
    image = values.get(place.field, place.image or "")
    version = values.get("defaultImageVersion", place.version)
    return f"{image}:{version}" if place.shape == "split" and version else str(image)


def _check_gpu(draft: _Draft, place: ImagePlace, assignments: tuple[Assignment, ...], scope: Scope) -> None:
    """The rules of tags for services with a GPU (KServe to 0.9: validateGPU in v1alpha2 and v1beta1)."""
    rules = [rules for rules in draft.view.release.rules if place.path and place.path[0] in rules.gpu_tags]
    if place.key != "predictors" or not rules:
        return
    values = {assignment.path[-1]: assignment.value for assignment in assignments}
    fault = None
    if "-gpu" in values.get("defaultImageVersion", ""):
        fault = (
            f'the tag {values["defaultImageVersion"]} holds "-gpu", so every new service without a GPU would be refused'
        )
    elif "-gpu" not in values.get("defaultGpuImageVersion", "-gpu"):
        fault = f'the GPU tag {values["defaultGpuImageVersion"]} lacks "-gpu", so every new service with a GPU would be refused'
    if fault and "gpu-rule" not in scope.allow:
        raise Refused(fault, allow="gpu-rule", advice="Give another tag. To write it all the same: --allow gpu-rule.")
    if fault:
        draft.notice("gpu-rule", fault)
    if "image" in values and place.gpu_version and "defaultGpuImageVersion" not in values:
        left = f"{values['image']}:{place.gpu_version}"
        why = f"the repository changes, but services with a GPU would still get the old tag: {left}"
        if "old-gpu-version" not in scope.allow:
            raise Refused(
                why,
                allow="old-gpu-version",
                advice="Give the GPU tag with --gpu-version TAG; if the old one exists there: --allow old-gpu-version.",
            )
        draft.notice("old-gpu-version", why)


def _warn_about_runtimes(draft: _Draft, places: Collection[ImagePlace]) -> None:
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
