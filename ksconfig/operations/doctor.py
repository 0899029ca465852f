"""What is wrong with what stands there already, and what KServe does with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ksconfig.errors import InvalidDocument, KsconfigError, not_done
from ksconfig.model.check_config import ConfigFacts, config_faults
from ksconfig.model.check_runtimes import RuntimeFacts, runtime_faults, storage_faults
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.effects import Effect
from ksconfig.model.faults import Fault, Severity, Verdict, judge
from ksconfig.model.plan import Field, Notice, ObjectRef
from ksconfig.model.runtimes import STORAGE_KIND
from ksconfig.operations.view import ConfigView, Scope, View
from ksconfig.source.port import Object, Place, Source
from ksconfig.text.json_path import format_path
from ksconfig.text.json_scanner import Node, fold, names_taken_twice


@dataclass(frozen=True)
class Finding:
    """Something wrong with a config or another object.

    Attributes:
        severity: "breaks" if it breaks something in every release that this may be, else "note".
        code: what kind of fault, for machines.
        object: the object that has it; None for a text that cannot be read.
        path: where in it: ``(key, name or index, ...)``.
        place: file, line and column.
        message: the fault with the value seen.
        effect: what KServe does with it.
        mend: what to do.
        releases: those that the fault is about, where the text fits others too; else empty.
    """

    severity: Severity
    code: str
    object: ObjectRef | None
    path: Field
    place: Place
    message: str
    effect: str
    mend: str
    releases: tuple[str, ...] = ()

    @property
    def written_path(self) -> str:
        """The path as a person writes it."""
        return format_path(self.path) if self.path else ""


@dataclass(frozen=True)
class Diagnosis:
    """All findings, those that break something first; the release they were made for; and what is worth knowing."""

    findings: tuple[Finding, ...]
    release: ReleaseGuess | None
    notices: tuple[Notice, ...] = ()

    @property
    def breaks(self) -> int:
        """How many findings break something."""
        return sum(finding.severity == "breaks" for finding in self.findings)


def diagnose(source: Source, scope: Scope) -> Diagnosis:
    """Check the config, the runtimes and the storage containers for every release that they may belong to.

    Raises:
        ConfigNotFound: there is nothing to check.
        Ambiguous: there are several configs.
    """
    with not_done("nothing was checked"):
        view = View(source, scope)
        try:
            if view.config is None and not view.objects:
                view.need_config()
            findings = [*_check_config(view), *_check_objects(view)]
        except InvalidDocument as error:
            return Diagnosis((_unreadable(error),), None)
        findings.sort(key=lambda one: (one.severity, one.place.label, one.place.line or 0, one.place.column or 0))
        return Diagnosis(tuple(findings), view.release, view.notices(tuple(view.config.broken) if view.config else ()))


def _unreadable(error: InvalidDocument) -> Finding:
    place = Place(error.label or "", error.line, error.column)
    return Finding(
        "breaks",
        "unreadable",
        None,
        (),
        place,
        error.reason,
        "kubectl refuses the whole manifest",
        error.advice or "Mend it at that place.",
    )


def _check_config(view: View) -> Iterator[Finding]:
    config = view.config
    if config is None:
        return
    texts = dict(_texts(config))
    broken = {
        key: error.reason if isinstance(error, InvalidDocument) else error.why for key, error in config.broken.items()
    }
    facts = ConfigFacts(config.config.keys, config.data, broken, texts)
    found = {rules.release: [*config_faults(facts, rules), *_twins(config)] for rules in view.release.rules}
    for verdict in judge(found, view.release.likely):
        yield _finding(verdict, config.config.ref, _place(config, verdict.fault.path))


def _texts(config: ConfigView) -> Iterator[tuple[str, str]]:
    for key in config.broken:
        try:
            yield key, config.text(key)
        except KsconfigError:
            continue  # no one text: that is its fault


def _place(config: ConfigView, path: Field) -> Place:
    key = str(path[0])
    error = config.broken.get(key)
    if isinstance(error, InvalidDocument) and error.line is not None:
        whole = config.config.locate(("data", key))
        return Place(whole.label, error.line, error.column)
    root = config.roots.get(key)
    return config.config.locate(("data", key), _offset(root, path[1:]) if root else 0)


def _offset(root: Node, path: Field) -> int:
    """Where the value at a path begins, or what would hold it."""
    node = root
    for step in path:
        if isinstance(step, int) and node.kind == "array" and step < len(node.children):
            node = node.children[step]
            continue
        names = [fold(name.string) for name in node.names]
        if isinstance(step, int) or fold(step) not in names:
            break
        node = node.children[len(names) - 1 - names[::-1].index(fold(step))]  # Go takes the last
    return node.start


def _twins(config: ConfigView) -> Iterator[Fault]:
    """Names that stand twice in one object, or differ in case alone."""
    for key, root in config.roots.items():
        pending: list[tuple[Field, Node]] = [((key,), root)]
        while pending:
            path, node = pending.pop()
            for group in names_taken_twice(node):
                names = [node.names[index].string for index in group]
                what = f"{format_path(path)} holds {' and '.join(names)}, which KServe takes for one name"
                effect = Effect(False, "KServe takes the last of them, field by field")
                yield Fault("duplicate-name", (*path, names[-1]), what, effect, "Keep one of them.")
            steps: Sequence[str | int] = (
                [name.string for name in node.names] if node.kind == "object" else range(len(node.children))
            )
            pending += [((*path, step), child) for step, child in zip(steps, node.children, strict=True)]


def _check_objects(view: View) -> Iterator[Finding]:
    facts = [RuntimeFacts(runtime, _first(view, runtime.ref).data) for runtime in view.runtimes]
    found = {rules.release: list(runtime_faults(facts, rules)) for rules in view.release.rules}
    for ref, objects in view.objects.items():
        if ref.kind == STORAGE_KIND:
            for rules in view.release.rules:
                faults = storage_faults(objects[0].data, rules)
                found[rules.release] += [fault._replace(object=ref) for fault in faults]
        if len(objects) > 1:
            what = f"{ref} stands in {len(objects)} manifests: {', '.join(one.place for one in objects)}"
            effect = Effect(False, "the one that is applied last counts, unless one is a patch of the other")
            for faults_of in found.values():
                faults_of.append(Fault("defined-twice", (), what, effect, "Keep one of them.", ref))
    for verdict in judge(found, view.release.likely):
        about = verdict.fault.object
        if about is not None:
            yield _finding(verdict, about, _first(view, about).locate(verdict.fault.path))


def _first(view: View, ref: ObjectRef) -> Object:
    """The manifest that counts where several hold one object: the first that is no patch."""
    objects: Sequence[Object] = view.objects[ref]
    whole = (one for one in objects if "supportedModelFormats" in (one.data.get("spec") or {}))
    return next(whole, objects[0])


def _finding(verdict: Verdict, ref: ObjectRef, place: Place) -> Finding:
    fault = verdict.fault
    return Finding(
        verdict.severity,
        fault.code,
        ref,
        fault.path,
        place,
        fault.what,
        fault.effect.text,
        fault.mend,
        tuple(map(str, verdict.releases)),
    )
