"""One input through the file core as a user would take it there, and all that was wrong with what came of it."""

from __future__ import annotations

import contextlib
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import ksconfig
from fuzz.actions import Action, choose
from fuzz.bounds import bounded
from fuzz.judge import Planned, Verdict, judge
from fuzz.judge.expected import NOT_THERE, as_read
from fuzz.judge.spans import Span
from ksconfig.text.json_write import RawJson

T = TypeVar("T")
WRITTEN, UNCHANGED, READ = "written", "unchanged", "read"


class Finding(NamedTuple):
    """Something that must not happen: ``what`` in few words, ``detail`` with all that helps."""

    what: str
    detail: str


class Outcome(NamedTuple):
    """What one call or one action led to; the name of the class where it was refused."""

    name: str
    reader: str = ""


class _End(Exception):
    """The action went no further; its outcome is noted."""


class Trial:
    """The outcomes and findings of one input."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.outcomes: list[Outcome] = []
        self.findings: list[Finding] = []

    def run(self) -> Trial:
        """Do all that is done with an input."""
        targets = self._targets()
        choice = choose(self.data, targets)
        if choice.doctor:
            self._guarded("doctor", lambda: self._call("doctor", lambda: self._load().doctor()))
        for action in choice.actions:
            self._guarded(str(action), lambda action=action: self._act(action))  # type: ignore[misc]
        if choice.by_command_line and choice.actions:
            from fuzz.command_line import run_command

            action = choice.actions[0]
            self._guarded(f"ksconfig {action}", lambda: run_command(self, action))
        return self

    def found(self, what: str, detail: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(what, detail))

    def call(self, what: str, function: Callable[[], T]) -> T:
        """The result of a call that may be refused, and do nothing else; every other end is a finding."""
        return self._call(what, function)

    def _guarded(self, what: str, function: Callable[[], object]) -> None:
        with contextlib.suppress(_End):
            function()

    def _call(self, what: str, function: Callable[[], T], *, must: bool = False) -> T:
        try:
            with warnings.catch_warnings(), bounded():
                warnings.simplefilter("error")  # what a library has to say it says in its results
                return function()
        except ksconfig.InternalError as error:
            self.found(f"InternalError: {error.why}", f"{what}\n{error}")
        except ksconfig.KsconfigError as error:
            if must:
                self.found(f"refused: {type(error).__name__} where the same was possible before", f"{what}\n{error}")
            elif not str(error).strip():
                self.found(f"{type(error).__name__} without a message", what)
            self.outcomes.append(Outcome(type(error).__name__))
            raise _End from None
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)
            inside = [frame for frame in where if "/ksconfig/" in frame.filename] or where
            place = f"{inside[-1].filename.rpartition('/')[2]}:{inside[-1].name}" if inside else ""
            trace = traceback.format_exception(error)
            self.found(f"{type(error).__name__} in {place}", f"{what}\n{''.join(trace[:3] + trace[-12:])}")
        self.outcomes.append(Outcome("a finding"))
        raise _End

    def _load(self, data: bytes | None = None, version: str | None = None) -> ksconfig.Manifests:
        return ksconfig.loads(self.data if data is None else data, kserve_version=version)

    def _targets(self) -> tuple[str, ...]:
        try:
            images = self._call("images", lambda: self._load().images())
        except _End:
            return ()
        self.outcomes.append(Outcome(READ))
        return tuple(image.name for image in images)

    # One action

    def _act(self, action: Action) -> None:
        if action.verb != "set-image":
            self._read(action)
        written = self.written_by(action)
        if written is None:
            return
        self._again(action, written)
        self._back(action, *written)

    def _read(self, action: Action) -> None:
        try:
            self._call(f"get {action.subject!r}", lambda: self._load(version=action.version).get(action.subject))
        except _End:
            return
        self.outcomes.append(Outcome(READ))

    def written_by(self, action: Action) -> tuple[bytes, ksconfig.Plan] | None:
        """The bytes after an action, judged, with its plan; None if it changes nothing."""
        manifests = self._call("loads", lambda: self._load(version=action.version))
        plan = self._call(str(action), lambda: plan_of(manifests, action))
        shown = self._call("diff", plan.diff)
        self._call("apply", lambda: manifests.apply(plan), must=True)
        after = self._call("to_bytes", manifests.to_bytes)
        self._call("diff", manifests.diff)
        if plan.changed == (after == self.data):
            self.found("plan.changed does not say whether bytes change", f"{action}: {plan.changed}")
        if bool(shown) != plan.changed:
            self.found("a diff without a change, or a change without a diff", f"{action}\n{shown}")
        if not plan.changed:
            self.outcomes.append(Outcome(UNCHANGED))
            return None
        try:
            verdict = verdict_on(self.data, after, plan, action)
        except (ValueError, RecursionError):
            verdict = Verdict(None, "")  # a number too large for Python, or nesting too deep for it
        if verdict.fault:
            self.found("a write that is not confirmed", f"{action}\n{verdict.fault} ({verdict.reader})\n{shown}")
        self.outcomes.append(Outcome(WRITTEN, verdict.reader))
        return after, plan

    def _again(self, action: Action, written: tuple[bytes, ksconfig.Plan]) -> None:
        """The same once more does nothing, unless it is to append, or to remove an item: then it is about the next."""
        if "-" in action.subject or "/-" in action.subject:
            return
        if action.verb == "unset" and isinstance(written[1].changes[0].path[-1], int):
            return
        manifests = self._load(written[0], action.version)
        plan = self._call(f"again: {action}", lambda: plan_of(manifests, action), must=True)
        if plan.changed:
            self.found("doing it again changes something", f"{action}\n{plan.diff()}")

    def _back(self, action: Action, after: bytes, plan: ksconfig.Plan) -> None:
        """What was there set back gives the first bytes, where those had one way only to be written."""
        manifests = self._load(after, action.version)
        original = self._load(version=action.version)
        allow = ("unread", "new-key", "broken-start")
        for change in reversed(plan.changes):
            back = _inverse(original, change)
            if back is None:
                return
            done = self._attempt(lambda back=back: plan_of(manifests, back._replace(allow=allow)))  # type: ignore[misc]
            if done is None:
                return
            self._call("apply", lambda done=done: manifests.apply(done), must=True)  # type: ignore[misc]
        restored = manifests.to_bytes()
        if restored != self.data and _is_plainly_written(self.data, plan):
            self.found("setting the old value back does not restore the bytes", f"{action}\n{plan.diff()}")

    def _attempt(self, function: Callable[[], T]) -> T | None:
        try:
            return self._call("back", function)
        except _End:
            self.outcomes.pop()
            return None


def plan_of(manifests: ksconfig.Manifests, action: Action) -> ksconfig.Plan:
    """The plan for an action."""
    if action.verb == "set-image":
        within: Any = action.within
        return manifests.plan_set_image({action.subject: action.value}, within=within, allow=action.allow)
    if action.verb == "unset":
        return manifests.plan_unset(action.subject)
    value = RawJson(action.value) if action.is_json else action.value
    return manifests.plan_set(action.subject, value, allow_type_change=action.change_type, allow=action.allow)


def verdict_on(before: bytes, after: bytes, plan: ksconfig.Plan, action: Action) -> Verdict:
    """What the independent reader says of a write; of `set` what was asked for counts, not the plan's word."""
    planned = []
    for change in plan.changes:
        ref = change.object
        raw = ref.kind != "ConfigMap"
        sure = not isinstance(change.before, int | float | list | dict) or isinstance(change.before, bool)
        was = _value(change.before, raw) if sure else None
        new_key = change.before is ksconfig.ABSENT and len(change.path) == 1  # its value holds what was asked for
        asked = action.verb == "set" and (not new_key or action.subject in (change.path, change.path[0]))
        now = as_read(action.value, action.is_json) if asked else _value(change.after, raw)
        planned.append(Planned(ref.kind, ref.namespace, ref.name, tuple(change.path), was, now, sure))
    return judge(before, after, spans_of(plan), planned)


def spans_of(plan: ksconfig.Plan) -> Sequence[Span]:
    """The replaced stretches."""
    return [(edit.start, edit.end, edit.text) for patch in plan.patches for edit in patch.edits]


def _value(value: Any, raw: bool) -> Any:
    if value is ksconfig.ABSENT:
        return NOT_THERE
    return value if raw else as_read(value, is_json=False)


def _inverse(original: ksconfig.Manifests, change: ksconfig.Change) -> Action | None:
    """The action that takes back one change, or None where none does."""
    ref, path = change.object, change.path
    if ref.kind != "ConfigMap":
        kinds = {
            "ServingRuntime": "runtime",
            "ClusterServingRuntime": "runtime",
            "ClusterStorageContainer": "storageContainer",
        }
        scope = f"{ref.namespace}/" if ref.namespace else ""
        if "@" not in change.after and _has_tag(change.before):
            return Action("set-image", f"{kinds.get(ref.kind, ref.kind)}/{scope}{ref.name}", change.before)
        return None
    if change.before is ksconfig.ABSENT:
        return Action("unset", path) if len(path) > 1 and not isinstance(path[-1], int) else None
    if change.after is ksconfig.ABSENT:
        return None  # it would come back at the end
    if not isinstance(change.before, str | bool | None):
        return None
    return Action("set", path, change.before, change_type=True)


def _has_tag(image: Any) -> bool:
    return isinstance(image, str) and "@" not in image and ":" in image.rpartition("/")[2]


def _is_plainly_written(data: bytes, plan: ksconfig.Plan) -> bool:
    """Whether each replaced stretch could be written in one way only, and nothing was inserted where nothing was."""
    text = data.decode("utf-8")
    for start, end, new in spans_of(plan):
        old = text[start:end]
        if any(letter in old + new for letter in "\\'\r\n\t{}[]") or not old.isprintable():
            return False
    return all(change.before is not ksconfig.ABSENT and change.after is not ksconfig.ABSENT for change in plan.changes)
