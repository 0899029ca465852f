"""Faults of a config by the rules of one release: its keys, and the JSON types and names in them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ksconfig.model.check_images import image_faults
from ksconfig.model.check_values import COMPLETE, value_faults
from ksconfig.model.effects import Effect, absent, null, unreadable
from ksconfig.model.faults import Code, Fault
from ksconfig.model.fields import read_type_faults, since, type_faults, unknown_fields
from ksconfig.model.images import EXAMPLE_KEY
from ksconfig.model.releases import RULES, Rules
from ksconfig.text.json_path import format_path
from ksconfig.text.json_scanner import fold

_ALL_KEYS = frozenset(key for rules in RULES.values() for key in rules.reads)
_NAMES = frozenset(fold(name) for rules in RULES.values() for name in (*rules.frameworks, *rules.explainers))
_KEY_LINE = re.compile(r"^[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*:(?=[ \t]*(?:[|>'\"{]|$))", re.MULTILINE)
_IGNORED = Effect(False, "KServe ignores it")
_SPARE = frozenset({"credentials", "transformers", "metricsAggregator", "opentelemetryCollector", "autoscaler"})


class BrokenKey(NamedTuple):
    """A key that cannot be used.

    Attributes:
        kind: its JSON does not parse; it stands twice; or its value is no string.
        reason: why, a clause.
        advice: what to do, or None.
        text: its text, or "" if it has none.
    """

    kind: Literal["json", "twice", "no-text"]
    reason: str
    advice: str | None
    text: str


class ConfigFacts(NamedTuple):
    """A config as it was read.

    Attributes:
        names: all keys of the ConfigMap.
        data: the keys that parse.
        broken: the keys that do not.
        in_example: the key that the end of ``_example`` holds by its looks, or None (see `last_key`).
    """

    names: tuple[str, ...]
    data: Mapping[str, Any]
    broken: Mapping[str, BrokenKey]
    in_example: str | None = None

    def is_fragment(self, rules: Rules) -> bool:
        """Whether it lacks most keys of its release: a patch, which other texts complete."""
        return 2 * len(rules.keys & set(self.names)) <= len(rules.keys - {EXAMPLE_KEY})


def config_faults(config: ConfigFacts, rules: Rules) -> Iterator[Fault]:
    """Every fault of a config that a release would meet."""
    yield from _broken_keys(config, rules)
    yield from _absent_keys(config, rules)
    for name in config.names:
        if name not in rules.reads and name != EXAMPLE_KEY:
            yield from _unread_key(name, config, rules)
    found: list[Fault] = []
    for key, value in config.data.items():
        if key not in rules.reads:
            continue
        if value is None:
            yield Fault("null-key", (key,), f"{key} is null", null(key, rules), COMPLETE)
            continue
        yield from _types(key, value, rules)
        yield from _names(key, value, rules)
        if isinstance(value, Mapping):
            found += value_faults(key, value, rules)
    found += image_faults(config.data, rules)
    yield from _of_fragment(found) if config.is_fragment(rules) else found


def _of_fragment(faults: Iterable[Fault]) -> Iterator[Fault]:
    """The faults of a fragment, in which nothing counts as missing: what a key lacks is one note."""
    lacking: dict[str, list[Fault]] = {}
    for fault in faults:
        if fault.code == "missing-field":
            lacking.setdefault(str(fault.path[0]), []).append(fault)
        elif fault.code != "missing-framework":
            yield fault
    for key, group in lacking.items():
        fields = ", ".join(format_path(fault.path[1:]) or key for fault in group)
        effect = Effect(False, f"if this fragment replaces the whole key, as kustomize does: {group[0].effect.text}")
        yield Fault("partial-key", (key,), f"{key} holds no {fields}", effect, "Write the whole key into the fragment.")


# Keys


def swallowed_keys(text: str) -> tuple[str, ...]:
    """The keys that a wrong indentation has made a part of another key's text."""
    return tuple(dict.fromkeys(name for name in _KEY_LINE.findall(text) if name in _ALL_KEYS | {EXAMPLE_KEY}))


def last_key(text: str) -> tuple[str, int] | None:
    """The last line of ``_example`` that looks like a key of the config: the key, and where its text begins."""
    found = [match for match in _KEY_LINE.finditer(text) if match[1] in _ALL_KEYS]
    if not found:
        return None
    begin = text.find("\n", found[-1].end())
    return (found[-1][1], begin + 1) if begin >= 0 else None


def _broken_keys(config: ConfigFacts, rules: Rules) -> Iterator[Fault]:
    for key, (kind, reason, advice, text) in config.broken.items():
        if kind == "no-text":
            refused = Effect(True, "the API server refuses the whole ConfigMap")
            yield Fault("no-text", (key,), reason, refused, advice or "Write it as a text.")
            continue
        if kind == "twice":
            one = Effect(True, "tools refuse the manifest, or take one of the two without a word")
            yield Fault("key-twice", (key,), reason, one, "Keep one of them.")
            continue
        effect = unreadable(key, rules) if key in rules.reads else _IGNORED
        swallowed = " and ".join(swallowed_keys(text))
        if swallowed:
            what = f"the text of {key} has swallowed the key {swallowed}, which is indented too far"
            mend = f"Indent {swallowed} like the other keys of data."
            yield Fault("swallowed-key", (key,), what, effect, mend)
        else:
            mend = advice or "Mend it at that place."
            yield Fault("broken-json", (key,), f"{key} does not parse: {reason}", effect, mend)


def _absent_keys(config: ConfigFacts, rules: Rules) -> Iterator[Fault]:
    if config.is_fragment(rules):
        return
    missing = rules.keys - {EXAMPLE_KEY} - set(config.names)
    for broken in config.broken.values():
        missing -= set(swallowed_keys(broken.text))
    misspelt = {_nearest(name, missing) for name in config.names if name not in _ALL_KEYS}
    for key in sorted(missing - misspelt):
        if key == config.in_example:
            what = f"{EXAMPLE_KEY} has swallowed the key {key}, which is indented too far"
            mend = f"Indent {key} like the other keys of data."
            yield Fault("swallowed-key", (EXAMPLE_KEY,), what, absent(key, rules), mend)
        elif key not in _SPARE:
            what = f"the config has no key {key}, which that of KServe {rules.release} has"
            mend = f"Add {key} from the config of your release."
            yield Fault("missing-key", (key,), what, absent(key, rules), mend)


def _unread_key(name: str, config: ConfigFacts, rules: Rules) -> Iterator[Fault]:
    near = _nearest(name, rules.reads - set(config.names))
    if name not in _ALL_KEYS and near:
        without = absent(near, rules)
        effect = Effect(without.breaks, f"KServe ignores it, and without {near}: {without.text}")
        yield Fault("misspelt-key", (name,), f"the key {name} looks misspelt", effect, f"Call it {near}.")
    elif name in _ALL_KEYS:
        what = f"KServe {rules.release} does not read the key {name}"
        yield Fault("unread-key", (name,), what, _IGNORED, "Remove it, unless another release is to come.")


def _nearest(name: str, names: Iterable[str]) -> str | None:
    folded = {fold(other): other for other in sorted(names)}
    near = difflib.get_close_matches(fold(name), folded, 1, 0.75)
    return folded[near[0]] if near else None


# Types and names


def _types(key: str, value: Any, rules: Rules) -> Iterator[Fault]:
    read = read_type_faults(key, value, rules)
    effect = unreadable(key, rules)
    for fault in dict.fromkeys((*read, *type_faults((key,), value))):
        mend = "Write it as that type, whatever it looks like: KServe's code wants it so."
        yield Fault("wrong-type", fault.path, fault.reason, effect if fault in read else _IGNORED, mend)


def _names(key: str, value: Any, rules: Rules) -> Iterator[Fault]:
    for inner in _paths(value, (key,)) if key != "predictors" else ():
        if since(inner) > rules.release:
            what = f"KServe {rules.release} does not know {format_path(inner)}, which came with {since(inner)}"
            yield Fault("unread-field", inner, what, _IGNORED, "Remove it, or tell the release with --kserve-version.")
    for path, names in unknown_fields((key,), value):
        near = _nearest(str(path[-1]), names)
        what = f"KServe has no {format_path(path)}" + (", which looks misspelt" if near else "")
        mend = f"Call it {near}." if near else "Remove it, or write it where it belongs."
        yield Fault("misspelt-field" if near else "unknown-field", path, what, _IGNORED, mend)
    if key not in ("predictors", "explainers") or not isinstance(value, Mapping):
        return
    left = set(rules.frameworks if key == "predictors" else rules.explainers) - value.keys()
    for name in value:
        # what other releases know is looked at with the images
        if fold(name) not in _NAMES:
            near = _nearest(name, left)
            effect = _IGNORED
            if near and (key == "explainers" or rules.predictors == "decide"):
                effect = Effect(True, f"KServe ignores it, and services of {near} find no image")
            code: Code = "misspelt-name" if near else "unknown-name"
            mend = f"Call it {near}." if near else "Remove it."
            yield Fault(code, (key, name), f"KServe knows no {name} in {key}", effect, mend)


_LONGEST = 3  # no path that `since` knows has more names: credentials.s3.s3Region


def _paths(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, item in value.items() if isinstance(value, Mapping) else ():
        yield (*path, name)
        if len(path) + 1 < _LONGEST:
            yield from _paths(item, (*path, name))
