"""A fault in what a source holds, as one release sees it, and the verdict over all releases that it may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from ksconfig.model.effects import Effect
from ksconfig.model.plan import Field, ObjectRef
from ksconfig.model.releases import Release

Severity = Literal["breaks", "note"]

#: What kind of fault, for machines; docs/doctor.md says what each one means.
Code = Literal[
    "bad-placeholder",
    "bad-quantity",
    "bad-value",
    "broken-json",
    "defined-twice",
    "duplicate-name",
    "equal-priorities",
    "fixed-model-name",
    "gpu-rule",
    "key-twice",
    "missing-field",
    "missing-framework",
    "missing-key",
    "misspelt-field",
    "misspelt-key",
    "misspelt-name",
    "no-model-name",
    "no-reference",
    "no-serving-container",
    "no-text",
    "null-key",
    "partial-key",
    "placeholder",
    "request-over-limit",
    "several-priorities",
    "swallowed-key",
    "template",
    "unknown-field",
    "unknown-name",
    "unread-field",
    "unread-image",
    "unread-key",
    "unread-shape",
    "unreadable",
    "version-not-allowed",
    "wrong-type",
]


class Fault(NamedTuple):
    """Something wrong, by the rules of one release.

    Attributes:
        code: what kind of fault.
        path: where: ``(key, name or index, ...)`` in the config, the field in another object.
        what: the fault with the value seen, a clause.
        effect: what KServe does with it.
        mend: what to do, a sentence.
        object: None for the config.
    """

    code: Code
    path: Field
    what: str
    effect: Effect
    mend: str
    object: ObjectRef | None = None


class Verdict(NamedTuple):
    """A fault over all releases that the text may belong to.

    Attributes:
        severity: "breaks" if it breaks something in all of them, else "note".
        releases: those that have it, or in which it breaks something, where these are not all; else empty.
        found_in: all that have it.
    """

    fault: Fault
    severity: Severity
    releases: tuple[Release, ...]
    found_in: tuple[Release, ...]


def judge(found: Mapping[Release, Iterable[Fault]], likely: Release | None = None) -> tuple[Verdict, ...]:
    """One verdict for each fault that any of the releases has; with a likely one, for each that this one has."""
    by_place: dict[tuple[object, ...], dict[Release, Fault]] = {}
    for release, faults in found.items():
        for fault in faults:
            by_place.setdefault((fault.code, fault.object, fault.path), {})[release] = fault
    verdicts = (_verdict(faults, len(found)) for faults in by_place.values())
    return tuple(verdict for verdict in verdicts if likely is None or likely in verdict.found_in)


def _verdict(faults: Mapping[Release, Fault], releases: int) -> Verdict:
    breaking = tuple(release for release, fault in faults.items() if fault.effect.breaks)
    shown = faults[breaking[0]] if breaking else next(iter(faults.values()))
    if len(breaking) == releases:
        return Verdict(shown, "breaks", (), breaking)
    concerned = breaking or tuple(faults)
    return Verdict(shown, "note", concerned if len(concerned) < releases else (), tuple(faults))
