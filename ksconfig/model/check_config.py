"""Faults of a config by the rules of one release: its keys, their JSON types and names, and what each key requires."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ksconfig.model.check_images import image_faults
from ksconfig.model.effects import Effect, absent, null, unreadable
from ksconfig.model.faults import Fault
from ksconfig.model.fields import since, type_faults, unknown_fields
from ksconfig.model.images import EXAMPLE_KEY
from ksconfig.model.quantities import is_duration, parse_quantity
from ksconfig.model.releases import RULES, Release, Rules
from ksconfig.model.start import required_faults
from ksconfig.text.json_path import format_path
from ksconfig.text.json_scanner import fold

_ALL_KEYS = frozenset(key for rules in RULES.values() for key in rules.reads)
_KEY_LINE = re.compile(r"^[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*:(?=[ \t]*(?:[|>'\"{]|$))", re.MULTILINE)
_IGNORED = Effect(False, "KServe ignores it")
_CUT = "Give the value, or take the whole key from the config of your release."


class ConfigFacts(NamedTuple):
    """A config as it was read.

    Attributes:
        names: all keys of the ConfigMap.
        data: the keys that parse.
        broken: why the others do not.
        texts: their texts, of those that have one.
    """

    names: tuple[str, ...]
    data: Mapping[str, Any]
    broken: Mapping[str, str]
    texts: Mapping[str, str]

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
            yield Fault("null-key", (key,), f"{key} is null", null(key, rules), _CUT)
            continue
        yield from _types_and_names(key, value, rules)
        if isinstance(value, Mapping):
            found += _required(key, value, rules)
            found += _values(key, {fold(name): item for name, item in value.items()}, rules)
    found += image_faults(config.data, rules)
    yield from _of_fragment(found) if config.is_fragment(rules) else found


def _of_fragment(faults: Iterable[Fault]) -> Iterator[Fault]:
    """The faults of a fragment, in which nothing counts as missing: what a key lacks is one note."""
    lacking: dict[str, list[Fault]] = {}
    for fault in faults:
        if fault.code == "missing-field":
            lacking.setdefault(str(fault.path[0]), []).append(fault)
        else:
            yield fault
    for key, group in lacking.items():
        fields = ", ".join(format_path(fault.path[1:]) for fault in group)
        effect = Effect(False, f"if this fragment replaces the whole key, as kustomize does: {group[0].effect.text}")
        yield Fault("partial-key", (key,), f"{key} holds no {fields}", effect, "Write the whole key into the fragment.")


# Keys


def swallowed_keys(text: str) -> tuple[str, ...]:
    """The keys that a wrong indentation has made a part of another key's text."""
    return tuple(dict.fromkeys(name for name in _KEY_LINE.findall(text) if name in _ALL_KEYS | {EXAMPLE_KEY}))


def _broken_keys(config: ConfigFacts, rules: Rules) -> Iterator[Fault]:
    for key, reason in config.broken.items():
        effect = unreadable(key, rules) if key in rules.reads else _IGNORED
        swallowed = swallowed_keys(config.texts.get(key, ""))
        if swallowed:
            what = f"the text of {key} has swallowed the key {' and '.join(swallowed)}, which is indented too far"
            mend = f"Indent {' and '.join(swallowed)} like the other keys of data."
            yield Fault("swallowed-key", (key,), what, effect, mend)
        else:
            yield Fault("broken-json", (key,), f"{key} does not parse: {reason}", effect, "Mend it at that place.")


def _absent_keys(config: ConfigFacts, rules: Rules) -> Iterator[Fault]:
    if config.is_fragment(rules):
        return
    swallowed = {name for key in config.broken for name in swallowed_keys(config.texts.get(key, ""))}
    lower = {name.lower() for name in config.names}
    for key in sorted(rules.keys - {EXAMPLE_KEY} - set(config.names) - swallowed):
        effect = absent(key, rules)
        harmless = key in ("credentials", "transformers", "metricsAggregator", "opentelemetryCollector", "autoscaler")
        if key.lower() not in lower and not harmless:
            what = f"the config has no key {key}, which that of KServe {rules.release} has"
            yield Fault("missing-key", (key,), what, effect, f"Add {key} from the config of your release.")


def _unread_key(name: str, config: ConfigFacts, rules: Rules) -> Iterator[Fault]:
    missing = tuple(sorted(rules.reads - set(config.names)))
    near = _nearest(name, missing)
    if name not in _ALL_KEYS and near:
        without = absent(near, rules)
        effect = Effect(without.breaks, f"KServe ignores it, and without {near}: {without.text}")
        yield Fault("misspelt-key", (name,), f"the key {name} looks misspelt", effect, f"Call it {near}.")
    elif name in _ALL_KEYS:
        what = f"KServe {rules.release} does not read the key {name}"
        yield Fault("unread-key", (name,), what, _IGNORED, "Remove it, unless another release is to come.")


def _nearest(name: str, names: Iterable[str]) -> str | None:
    folded = {fold(other): other for other in names}
    near = difflib.get_close_matches(fold(name), folded, 1, 0.75)
    return folded[near[0]] if near else None


# Types and names


def _types_and_names(key: str, value: Any, rules: Rules) -> Iterator[Fault]:
    for path, reason in type_faults((key,), value):
        if since(path) <= rules.release:
            mend = "KServe wants that type on purpose." if len(path) > 1 else "Write an object."
            yield Fault("wrong-type", path, reason, unreadable(key, rules), mend)
    for path in _paths(value, (key,)):
        if since(path) > rules.release:
            what = f"KServe {rules.release} does not know {format_path(path)}, which came with {since(path)}"
            yield Fault("unread-field", path, what, _IGNORED, "Remove it, or tell the release with --kserve-version.")
    for path, names in unknown_fields((key,), value):
        near = _nearest(str(path[-1]), names)
        what = f"KServe has no {format_path(path)}" + (", which looks misspelt" if near else "")
        mend = f"Call it {near}." if near else "Remove it, or write it where it belongs."
        yield Fault("misspelt-field" if near else "unknown-field", path, what, _IGNORED, mend)
    known = {"predictors": frozenset(rules.frameworks), "explainers": rules.explainers}.get(key)
    for name in value if known is not None and isinstance(value, Mapping) else ():
        # the frameworks and explainers that other releases know are looked at with the images
        everywhere = {one for other in RULES.values() for one in (*other.frameworks, *other.explainers)}
        if fold(name) not in map(fold, everywhere):
            near = _nearest(name, (known or frozenset()) - value.keys())
            mend = f"Call it {near}." if near else "Remove it."
            code = "misspelt-name" if near else "unknown-name"
            effect = _IGNORED
            if near and (key == "explainers" or rules.predictors == "decide"):
                effect = Effect(True, f"KServe ignores it, and services of {near} find no image")
            yield Fault(code, (key, name), f"KServe knows no {name} in {key}", effect, mend)


def _paths(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, item in value.items() if isinstance(value, Mapping) else ():
        yield (*path, name)
        yield from _paths(item, (*path, name))


# What each key requires


def _required(key: str, value: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    for path, reason in required_faults(rules, key, value):
        missing = " is required" in reason
        mend = _CUT if missing else "Write one that this release takes."
        yield Fault("missing-field" if missing else "bad-value", path, reason, unreadable(key, rules), mend)


_RESOURCES = ("cpuRequest", "cpuLimit", "memoryRequest", "memoryLimit")
_WITH_RESOURCES = frozenset({"storageInitializer", "logger", "batcher", "agent", "router"})


def _values(key: str, fields: Mapping[str, Any], rules: Rules) -> Iterator[Fault]:
    if key in _WITH_RESOURCES:
        yield from _quantities((key,), fields, _RESOURCES, unreadable(key, rules), required=True)
    if key == "storageInitializer" and rules.release >= Release(0, 12):
        car = unreadable(key, rules)
        if rules.release < Release(0, 16):
            car = Effect(True, "the webhook refuses pods of models from oci://")
        names = ("cpuModelcar", "memoryModelcar")
        yield from _quantities((key,), fields, names, car, required=rules.release == Release(0, 16))
    if key in ("inferenceService", "opentelemetryCollector"):
        inner = fields.get("resource")
        who = "custom containers and explainers" if key == "inferenceService" else "services that scale by metrics"
        effect = Effect(True, f"{who} are refused" if key == "inferenceService" else f"{who} are not reconciled")
        if isinstance(inner, Mapping):
            folded = {fold(name): item for name, item in inner.items()}
            yield from _quantities((key, "resource"), folded, _RESOURCES, effect, required=False)
    for name, check, effect_text, breaks, mend in _CHECKS.get(key, ()):
        found = fields.get(fold(name))
        if isinstance(found, str) and found and since((key, name)) <= rules.release and not check(found):
            what = f'{key}.{name} is "{found}"'
            yield Fault("bad-value", (key, name), what, Effect(breaks, effect_text), mend)
    if key == "localModel" and fields.get("enabled") is True and not fields.get(fold("jobNamespace")):
        effect = Effect(True, "no model is cached on nodes: the jobs have no namespace")
        yield Fault("missing-field", (key, "jobNamespace"), "localModel.jobNamespace is required", effect, _CUT)


def _quantities(
    path: tuple[str, ...], fields: Mapping[str, Any], names: Iterable[str], effect: Effect, *, required: bool
) -> Iterator[Fault]:
    amounts = {}
    for name in names:
        where, value = (*path, name), fields.get(fold(name))
        if value in (None, ""):
            if required:
                why = "is missing" if value is None else "is empty"
                yield Fault("missing-field", where, f"{format_path(where)} {why}, and KServe requires it", effect, _CUT)
        elif isinstance(value, str):
            amounts[name] = parse_quantity(value)
            if amounts[name] is None:
                mend = "Write a quantity like 100m, 1, 100Mi or 1Gi."
                what = f'{format_path(where)} is "{value}", which is no quantity'
                yield Fault("bad-quantity", where, what, effect, mend)
    for kind in ("cpu", "memory"):
        request, limit = amounts.get(f"{kind}Request"), amounts.get(f"{kind}Limit")
        if request is not None and limit is not None and request > limit:
            where = (*path, f"{kind}Request")
            what = f"{format_path(where)} is more than {kind}Limit beside it"
            refused = Effect(True, "Kubernetes refuses the pods that take both")
            yield Fault("request-over-limit", where, what, refused, "Raise the limit, or lower the request.")


def _one_of(*values: str) -> Any:
    return lambda found: found in values


def _is_percent_or_number(found: str) -> bool:
    return bool(re.fullmatch(r"[0-9]+%?", found))


def _is_template(found: str, names: frozenset[str]) -> bool:
    """Whether a Go template closes what it opens and takes only these fields."""
    inside = re.findall(r"\{\{([^{}]*)\}\}", found)
    rest = re.sub(r"\{\{[^{}]*\}\}", "", found)
    used = {name for part in inside for name in re.findall(r"(?<![\w.)\]])\.([A-Za-z]\w*)", part)}
    return "{{" not in rest and "}}" not in rest and used <= names


_DOMAIN_FIELDS = frozenset({"Name", "Namespace", "IngressDomain", "Annotations", "Labels"})
_PATH_FIELDS = frozenset({"Name", "Namespace"})
_TEMPLATE_MEND = "It is a Go template; close each {{ and use only the fields that KServe gives."
_INTEGER = re.compile(r"[+-]?[0-9]+")

# By key: a string field, its test, what KServe does with other values, whether that breaks something, what to write.
_CHECKS: dict[str, tuple[tuple[str, Any, str, bool, str], ...]] = {
    "router": (
        (
            "imagePullPolicy",
            _one_of("Always", "IfNotPresent", "Never"),
            "Kubernetes refuses the pods of InferenceGraphs",
            True,
            "Write Always, IfNotPresent or Never.",
        ),
    ),
    "storageInitializer": (
        (
            "ociModelMode",
            _one_of("modelcar", "native", "fetch"),
            "the webhook refuses every pod of every InferenceService, and every reconcile fails",
            True,
            "Write modelcar, native or fetch.",
        ),
    ),
    "ingress": (
        (
            "domainTemplate",
            lambda found: _is_template(found, _DOMAIN_FIELDS),
            "services deployed without Knative are not reconciled",
            True,
            _TEMPLATE_MEND,
        ),
        (
            "pathTemplate",
            lambda found: _is_template(found, _PATH_FIELDS),
            "the controller exits at its next start, or services get no URL",
            True,
            _TEMPLATE_MEND,
        ),
        ("urlScheme", _one_of("http", "https"), "it only shows in the URLs", False, "Write http or https."),
        (
            "modelBasedRoutingMode",
            lambda found: found.lower() in ("enabled", "forced", "disabled"),
            "KServe takes it for enabled",
            False,
            "Write enabled, forced or disabled.",
        ),
    ),
    "logger": (
        (
            "batchInterval",
            is_duration,
            "the agent beside each model with a logger exits",
            True,
            "Write a duration like 500ms or 5s.",
        ),
    ),
    "opentelemetryCollector": (
        (
            "scrapeInterval",
            is_duration,
            "the collector does not start, so services that scale by its metrics do not scale",
            True,
            "Write a duration like 5s.",
        ),
    ),
    "autoscaler": tuple(
        (name, _INTEGER.fullmatch, "KServe ignores it", False, "Write a whole number of seconds, in quotes.")
        for name in ("scaleUpStabilizationWindowSeconds", "scaleDownStabilizationWindowSeconds")
    ),
    "batcher": tuple(
        (name, _INTEGER.fullmatch, "KServe does not use it", False, "Write a whole number, in quotes.")
        for name in ("maxBatchSize", "maxLatency")
    ),
}
