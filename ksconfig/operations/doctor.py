"""What is wrong with what stands there already, and what KServe does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ksconfig.errors import Ambiguous, InvalidDocument, KsconfigError, Refused, not_done
from ksconfig.model.check_config import BrokenKey, ConfigFacts, config_faults, last_key
from ksconfig.model.check_runtimes import RuntimeFacts, runtime_faults, storage_faults
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.effects import Effect
from ksconfig.model.faults import Code, Fault, Severity, Verdict, judge
from ksconfig.model.images import EXAMPLE_KEY
from ksconfig.model.plan import Field, Notice, ObjectRef
from ksconfig.model.runtimes import STORAGE_KIND
from ksconfig.operations.view import ConfigView, Scope, View
from ksconfig.source.port import Object, Place, Source
from ksconfig.text.json_path import format_path, walk
from ksconfig.text.json_scanner import Node, fold, names_taken_twice, parse_json


@dataclass(frozen=True)
class Finding:
    """Something wrong with a config or another object.

    Attributes:
        severity: "breaks" if it breaks something in every release that this may be, else "note".
        code: what kind of fault, for machines (docs/doctor.md).
        object: the object that has it; None for a text that cannot be read.
        path: where in it: ``(key, name or index, ...)``.
        place: file, line and column.
        message: the fault with the value seen.
        effect: what KServe does with it.
        mend: what to do.
        releases: those that the fault is about, in order, where the text fits others too; else empty.
    """

    severity: Severity
    code: Code
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
    release: ReleaseGuess
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
        findings: list[Finding] = []
        checks: tuple[Callable[[View], Iterable[Finding]], ...] = (_check_presence, _check_config, _check_objects)
        for check in checks:
            try:
                findings += check(view)
            except Ambiguous as error:
                if check is not _check_objects:
                    raise
                findings.append(_unreadable(error))
            except Refused as error:  # a text that is no YAML must not hide what is wrong with the others
                findings.append(_unreadable(error))
        found = sorted(dict.fromkeys(findings), key=_order)
        return Diagnosis(tuple(found), view.release, tuple(view.release_notices()))


def _order(one: Finding) -> tuple[str, str, int, int]:
    return one.severity, one.place.label, one.place.line or 0, one.place.column or 0


def _unreadable(error: Refused) -> Finding:
    if isinstance(error, InvalidDocument):
        place, what = Place(error.label or "", error.line, error.column), error.reason
    else:
        place, what = Place(""), error.why
    effect = "the whole manifest is refused, or read in one way or another"
    return Finding("breaks", "unreadable", None, (), place, what, effect, error.advice or "Mend it at that place.")


def _check_presence(view: View) -> tuple[Finding, ...]:
    view.need_anything()
    return ()


def _check_config(view: View) -> Iterator[Finding]:
    config = view.config
    if config is None:
        return
    for fault in _of_manifests([config.config]):
        yield _finding(Verdict(fault, "breaks", (), ()), config.config.ref, config.config.locate(fault.path))
    broken = {key: _broken_key(config, key, error) for key, error in config.broken.items()}
    if EXAMPLE_KEY in config.config.keys and config.config.value(("data", EXAMPLE_KEY)) is None:
        broken[EXAMPLE_KEY] = BrokenKey("no-text", f"{EXAMPLE_KEY} is no text", "Write it as a text.", "")
    facts = ConfigFacts(config.config.keys, config.data, broken, _in_example(config))
    twins = tuple(_twins(config))
    found = {rules.release: (*config_faults(facts, rules), *twins) for rules in view.release.rules}
    places = _Places(config)
    for verdict in judge(found, view.release.likely):
        yield _finding(verdict, config.config.ref, places.of(verdict.fault.path))


def _broken_key(config: ConfigView, key: str, error: KsconfigError) -> BrokenKey:
    if isinstance(error, Ambiguous):
        return BrokenKey("twice", error.why, error.advice, "")
    reason = error.reason if isinstance(error, InvalidDocument) else error.why
    text = config.config.value(("data", key))
    return BrokenKey("no-text" if text is None else "json", reason, error.advice, text or "")


def _in_example(config: ConfigView) -> str | None:
    """The key that has become the end of ``_example``, if what stands there is JSON."""
    text = config.config.value(("data", EXAMPLE_KEY)) if EXAMPLE_KEY in config.config.keys else None
    last = last_key(text) if text else None
    if text is None or last is None:
        return None
    try:
        parse_json(text[last[1] :])
    except InvalidDocument:
        return None  # an example, with comments in it
    return last[0]


class _Places:
    """Where the faults of a config stand."""

    def __init__(self, config: ConfigView) -> None:
        self.config = config
        self._indexes: dict[int, dict[str, int]] = {}

    def of(self, path: Field) -> Place:
        """The place of a value, or of what would hold it."""
        key = str(path[0])
        config = self.config.config
        field = ("data", key)
        if key == EXAMPLE_KEY:
            text = config.value(field) or ""
            last = last_key(text)
            return config.locate(field, text.rfind("\n", 0, last[1] - 1) + 1 if last else 0)
        error = self.config.broken.get(key)
        if isinstance(error, InvalidDocument) and error.line is not None:
            return Place(config.locate(field).label, error.line, error.column)
        root = self.config.roots.get(key)
        return config.locate(field, self._offset(root, path[1:]) if root else 0)

    def _offset(self, root: Node, path: Field) -> int:
        node = root
        for step in path:
            index = step if isinstance(step, int) else self._index(node).get(step, self._index(node).get(fold(step)))
            if index is None or index >= len(node.children):
                break
            node = node.children[index]
        return node.start

    def _index(self, node: Node) -> dict[str, int]:
        """The members by their names and, for what Go takes for the same, by their folded names; the last counts."""
        if id(node) not in self._indexes:
            names = [name.string for name in node.names]
            folded = {fold(name): index for index, name in enumerate(names)}
            self._indexes[id(node)] = {**folded, **{name: index for index, name in enumerate(names)}}
        return self._indexes[id(node)]


def _twins(config: ConfigView) -> Iterator[Fault]:
    """Names that stand twice in one object, or differ in case alone."""
    for key, root in config.roots.items():
        for path, node in walk(root, (key,)):
            for group in names_taken_twice(node):
                names = [node.names[index].string for index in group]
                what = f"{format_path(path)} holds {' and '.join(names)}, which KServe takes for one name"
                effect = Effect(False, "KServe takes the last of them, field by field")
                yield Fault("duplicate-name", (*path, names[-1]), what, effect, "Keep one of them.")


def _check_objects(view: View) -> Iterator[Finding]:
    facts = [RuntimeFacts(runtime, view.first[runtime.ref].data) for runtime in view.runtimes]
    found = {rules.release: list(runtime_faults(facts, rules)) for rules in view.release.rules}
    for ref, objects in view.objects.items():
        if ref.kind == STORAGE_KIND:
            for rules in view.release.rules:
                faults = storage_faults(view.first[ref].data, rules)
                found[rules.release] += [fault._replace(object=ref) for fault in faults]
        for fault in _of_manifests(objects):
            for those in found.values():
                those.append(fault._replace(object=ref))
    for verdict in judge(found, view.release.likely):
        about = verdict.fault.object
        if about is not None:
            yield _finding(verdict, about, view.first[about].locate(verdict.fault.path))


def _of_manifests(objects: Sequence[Object]) -> Iterator[Fault]:
    """What is wrong with how an object is written down, whatever the release."""
    if len(objects) > 1:
        what = f"it stands in {len(objects)} manifests: {', '.join(one.place for one in objects)}"
        effect = Effect(False, "the one that is applied last counts, unless one is a patch of the other")
        yield Fault("defined-twice", (), what, effect, "Keep one of them, unless it is a patch.")
    effect = Effect(True, "tools refuse the manifest, or take one of the two without a word")
    for one in objects:
        for field in one.repeated:
            what = f"{format_path(field)} stands there twice ({one.place})"
            yield Fault("key-twice", field, what, effect, "Keep one of them.")


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
