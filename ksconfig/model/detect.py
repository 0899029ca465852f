"""Which KServe release a config belongs to, as far as the config itself can tell.

The manifests name no release. Its keys tell most of it (releases differ in the keys that they ship); the tags of the
helper images, which releases ship under their own number, narrow what is left, but people change those tags, so they
are a likelihood only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ksconfig.model.releases import RULES, Release, Rules, rules_of

_KNOWN_KEYS = frozenset(key for rules in RULES.values() for key in rules.keys)
_TAG = re.compile(r":v?0\.([0-9]+)(?:\.[0-9]+)?(?:[-+].*)?")


class ReleaseGuess(NamedTuple):
    """The releases that a config may belong to.

    Attributes:
        candidates: in order, at least one.
        likely: the one among them that the helper images point to, or None.
        given: whether a person said so.
    """

    candidates: tuple[Release, ...]
    likely: Release | None = None
    given: bool = False

    def __str__(self) -> str:
        if len(self.candidates) == 1:
            return str(self.candidates[0])
        if self.likely:
            return f"{self.likely} (by its image tags)"
        first, last = self.candidates[0], self.candidates[-1]
        contiguous = len(self.candidates) == last.minor - first.minor + 1 and first.major == last.major
        return (
            f"{first} to {last}" if contiguous and len(self.candidates) > 2 else " or ".join(map(str, self.candidates))
        )

    @property
    def rules(self) -> tuple[Rules, ...]:
        """The rules of every candidate."""
        return tuple(rules_of(release) for release in self.candidates)

    @property
    def likely_rules(self) -> tuple[Rules, ...]:
        """The rules of the likely release, or of every candidate when none is."""
        return (rules_of(self.likely),) if self.likely else self.rules


def given_release(version: str) -> ReleaseGuess:
    """The release that a person named.

    Raises:
        UsageError: as in `Release.parse`.
    """
    return ReleaseGuess((Release.parse(version),), given=True)


def guess_release(data: Mapping[str, Any], names: frozenset[str]) -> ReleaseGuess:
    """Tell the release of a config.

    Args:
        data: the parsed keys, those that do not parse left out.
        names: all keys of the ConfigMap.
    """
    present = names & _KNOWN_KEYS
    whole = {"credentials", "ingress", "explainers", "storageInitializer", "logger"} <= present
    tests: list[Callable[[Rules], bool]] = [
        lambda rules: present <= rules.keys and _shapes_fit(data, rules) and (not whole or rules.keys <= present),
        lambda rules: present <= rules.keys and _shapes_fit(data, rules),
        lambda rules: present <= rules.keys and (not whole or rules.keys - present <= {"_example"}),
        lambda rules: present <= rules.keys,
        # what is left of an older release does no harm: predictors in 0.10 and later
        lambda rules: present - {"predictors", "transformers"} <= rules.keys,
        lambda _: True,
    ]
    candidates: tuple[Release, ...] = ()
    for test in tests:
        candidates = tuple(release for release, rules in RULES.items() if test(rules))
        if candidates:
            break
    return ReleaseGuess(candidates, _likely(data, candidates) if len(candidates) > 1 else None)


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


def _likely(data: Mapping[str, Any], candidates: tuple[Release, ...]) -> Release | None:
    """The release that the tags of KServe's own helper images agree on, if it is a candidate."""
    minors = set()
    for key in ("agent", "storageInitializer", "router"):
        value = data.get(key)
        image = value.get("image") if isinstance(value, dict) else None
        match = _TAG.search(image[image.rfind("/") :]) if isinstance(image, str) else None
        if match:
            minors.add(int(match[1]))
    found = Release(0, minors.pop()) if len(minors) == 1 else None
    return found if found in candidates else None
