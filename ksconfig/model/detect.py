"""Which KServe release a set of objects belongs to, as far as the objects themselves can tell.

Nothing in a cluster or a manifest names the release. The tag of the controller's image says it, where it is a tag of
KServe's own; the custom resources and the keys of the config exclude releases; the tags of the helper images, which
releases ship under their own number, narrow what is left, but people change those, so they are a likelihood only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ksconfig.errors import UsageError
from ksconfig.model.fields import since
from ksconfig.model.releases import NEWEST, OLDEST, RULES, Release, Rules, rules_of

_KNOWN_KEYS = frozenset(key for rules in RULES.values() for key in rules.keys)
_KNOWN_CRDS = frozenset(crd for rules in RULES.values() for crd in rules.crds)
_TAG = re.compile(r":v?0\.([0-9]+)(?:\.[0-9]+)?(?:[-+].*)?")
_CONTROLLER = re.compile(r"(?:.*/)?(?:kserve|kfserving)-controller:(v?[01]\.[0-9]+(?:[.\-+][^@]*)?)(?:@.*)?")
_HELPER = re.compile(r"(?:.*/)?(?:sklearn|xgb|lgb|pmml|paddle|huggingface)server(:[^@]*)(?:@.*)?")
_CORE_CRDS = frozenset({"servingruntimes", "clusterservingruntimes"})


class Evidence(NamedTuple):
    """What the objects beside the config tell.

    Attributes:
        controllers: the images of the containers ``manager`` of KServe's controllers.
        crds: the full names of the custom resource definitions ("servingruntimes.serving.kserve.io"), and of fields
            that tell a release ("servingruntimes/priority").
        kinds: the kinds of all objects.
    """

    controllers: tuple[str, ...] = ()
    crds: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()


class RuntimeEvidence(NamedTuple):
    """What serving runtimes tell: their images, and the release that first has all the fields they use."""

    images: tuple[str, ...]
    since: Release


class ReleaseGuess(NamedTuple):
    """The releases that the objects may belong to.

    Attributes:
        candidates: in order, at least one.
        likely: the one among them that the helper images point to, or None.
        given: whether a person said so.
        told_by: what told it, for people: "the controller's image", "--kserve-version", ...
    """

    candidates: tuple[Release, ...]
    likely: Release | None = None
    given: bool = False
    told_by: str = ""

    def __str__(self) -> str:
        return f"{self.likely} (by its image tags)" if self.likely else span_of(self.candidates)

    @property
    def rules(self) -> tuple[Rules, ...]:
        """The rules of every candidate."""
        return tuple(rules_of(release) for release in self.candidates)

    @property
    def likely_rules(self) -> tuple[Rules, ...]:
        """The rules of the likely release, or of every candidate when none is."""
        return (rules_of(self.likely),) if self.likely else self.rules

    @property
    def unverified(self) -> bool:
        """Whether the release is newer than all that ksconfig knows, so that the newest known rules stand in."""
        return self.candidates[-1] > NEWEST


def span_of(releases: Sequence[Release], joint: str = " or ") -> str:
    """Releases for people: ``0.7``, ``0.7 or 0.8``, ``0.11 to 0.20``."""
    first, last = releases[0], releases[-1]
    contiguous = len(releases) == last.minor - first.minor + 1 and first.major == last.major
    return f"{first} to {last}" if contiguous and len(releases) > 2 else joint.join(map(str, releases))


def given_release(version: str) -> ReleaseGuess:
    """The release that a person named.

    Raises:
        UsageError: as in `Release.parse`.
    """
    return ReleaseGuess((Release.parse(version),), given=True, told_by="--kserve-version")


def controller_releases(images: Iterable[str]) -> tuple[Release, ...]:
    """The releases that the tags of controller images name, each once; tags that name none are passed over."""
    found = set()
    for image in images:
        match = _CONTROLLER.fullmatch(image)
        try:
            if match:
                found.add(Release.parse(match[1]))
        except UsageError:
            continue  # older than any that is known here
    return tuple(sorted(found))


def guess_release(
    data: Mapping[str, Any],
    names: frozenset[str],
    evidence: Evidence = Evidence(),  # noqa: B008  (a tuple)
    runtimes: Callable[[], RuntimeEvidence] | None = None,
) -> ReleaseGuess:
    """Tell the release of a config and of what stands beside it.

    Args:
        data: the parsed keys of the config, those that do not parse left out.
        names: all keys of the ConfigMap.
        evidence: of the other objects.
        runtimes: what the serving runtimes tell, asked for only where nothing else decides.
    """
    controllers = controller_releases(evidence.controllers)
    if len(controllers) == 1 and (controllers[0] <= NEWEST or not _is_far_older(names)):
        return ReleaseGuess(controllers, told_by="the image of the controller")
    everyone = list(RULES.values())
    fitting = [rules for rules in everyone if _resources_fit(evidence, rules)] or everyone
    tagged = _tagged(_helper_images(data))
    # custom resources may be of another release, or not all there
    candidates = _by_keys(data, names, fitting, tagged) or _by_keys(data, names, everyone, tagged)
    candidates = candidates or tuple(rules.release for rules in fitting)
    possible = {rules.release for rules in fitting if _could_be(rules, data, names)} | set(candidates)
    likely = tagged if tagged in possible else None
    if likely is None and len(candidates) > 1 and runtimes is not None:
        images, since_runtimes = runtimes()
        candidates = tuple(one for one in candidates if one >= since_runtimes) or candidates
        tagged = _tagged(match[1] for match in map(_HELPER.fullmatch, images) if match)
        likely = tagged if tagged in candidates else None
    if likely is not None:
        candidates = tuple(sorted({*candidates, likely}))  # though a key of its own may be missing
    told_by = "the keys of the config" if names else "the kinds of objects"
    if len(fitting) < len(everyone) and names:
        told_by += " and the kinds of objects"
    if len(candidates) == 1:
        return ReleaseGuess(candidates, told_by=told_by)
    return ReleaseGuess(candidates, likely, told_by=told_by)


def _is_far_older(names: frozenset[str]) -> bool:
    """Whether a whole config has so few keys of the newest release that the tag of a newer one is somebody's own."""
    return is_whole(names) and 2 * len(names & RULES[NEWEST].keys) <= len(RULES[NEWEST].keys)


def _by_keys(
    data: Mapping[str, Any], names: frozenset[str], pool: Iterable[Rules], tagged: Release | None
) -> tuple[Release, ...]:
    """The releases that the keys and fields of a config allow, by the strictest test that any of them passes.

    A field that came later excludes a release, unless the tags of its images speak for it: people add fields that are
    not read.
    """
    first: tuple[Release, ...] = ()
    releases = list(pool)
    for test in _key_tests(data, names):
        passing = tuple(rules.release for rules in releases if test(rules))
        fitting = tuple(one for one in passing if _fields_fit(data, one))
        if fitting or tagged in passing:
            return fitting or passing
        first = first or passing
    return first


def _could_be(rules: Rules, data: Mapping[str, Any], names: frozenset[str]) -> bool:
    """Whether a release has all these keys, though they may not be all that it has."""
    return names & _KNOWN_KEYS <= rules.keys and _shapes_fit(data, rules)


def _key_tests(data: Mapping[str, Any], names: frozenset[str]) -> list[Callable[[Rules], bool]]:
    """From the strictest to the most lenient: the first that any release passes decides."""
    present = names & _KNOWN_KEYS
    whole = is_whole(names)
    return [
        lambda rules: present <= rules.keys and _shapes_fit(data, rules) and (not whole or rules.keys <= present),
        lambda rules: present <= rules.keys and _shapes_fit(data, rules),
        lambda rules: present <= rules.keys and (not whole or rules.keys - present <= {"_example"}),
        lambda rules: present <= rules.keys,
        # what is left of an older release does no harm: predictors in 0.10 and later
        lambda rules: present - {"predictors", "transformers"} <= rules.keys,
    ]


def is_whole(names: frozenset[str]) -> bool:
    """Whether these are the keys of a whole config; a kustomize fragment or patch holds but a few."""
    return names >= {"credentials", "ingress", "explainers", "storageInitializer", "logger"}


def _resources_fit(evidence: Evidence, rules: Rules) -> bool:
    """Whether a release has all these custom resources, and lacks none of those that always come together."""
    groups = {name.partition(".")[2] for name in evidence.crds if "." in name}
    if groups and rules.group not in groups:
        return False
    if "serving.kserve.io" in groups and rules.group != "serving.kserve.io":
        return False  # definitions of the old group outlive an upgrade
    plurals = {name.partition(".")[0] for name in evidence.crds} & _KNOWN_CRDS
    from_kinds = {f"{kind.lower()}s" for kind in evidence.kinds} & (_KNOWN_CRDS - {"trainedmodels"})
    if not (plurals | from_kinds) <= rules.crds:
        return False
    if "inferenceservices" in plurals and not (rules.crds & _CORE_CRDS) <= plurals:
        return False
    field = "servingruntimes/priority"
    return "servingruntimes" not in plurals or (field in plurals) == (field in rules.crds)


def _shapes_fit(data: Mapping[str, Any], rules: Rules) -> bool:
    predictors = data.get("predictors")
    if not isinstance(predictors, dict):
        return True
    for name, entry in predictors.items():
        shape = rules.frameworks.get(name)
        if not isinstance(entry, dict):
            continue
        if shape is None:
            return False
        if ("v1" in entry or "v2" in entry) != (shape == "protocols") and name != "pytorch":
            return False
        if name == "pytorch" and ("v1" in entry or "v2" in entry) and "protocols" not in rules.frameworks.values():
            return False
        if "allowedImageVersions" in entry and not rules.version_list:
            return False
    if rules.version_list and predictors:
        return any(isinstance(entry, dict) and "allowedImageVersions" in entry for entry in predictors.values())
    return True


def _fields_fit(data: Mapping[str, Any], release: Release) -> bool:
    fields = ((key, name) for key, value in data.items() if isinstance(value, dict) for name in value)
    return all(since(path) <= release for path in fields)


def _helper_images(data: Mapping[str, Any]) -> Iterable[str]:
    """The images of the config that releases ship under their own number."""
    for key in ("agent", "storageInitializer", "router"):
        value = data.get(key)
        image = value.get("image") if isinstance(value, dict) else None
        if isinstance(image, str):
            yield image[image.rfind("/") :]


def _tagged(images: Iterable[str]) -> Release | None:
    """The release that the tags of KServe's own images agree on."""
    minors = {int(match[1]) for match in map(_TAG.search, images) if match}
    return Release(OLDEST.major, minors.pop()) if len(minors) == 1 else None
