"""A plan that makes a serving runtime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ksconfig.errors import Refused, UsageError, not_done
from ksconfig.model.check_runtimes import RuntimeFacts, runtime_faults
from ksconfig.model.new_runtime import NewRuntime, build_runtime, lost_with_the_name
from ksconfig.model.objects import WHOLE, WHOLE_PATH, object_text, own_part
from ksconfig.model.plan import Change, FieldEdit, Notice, ObjectRef, Plan
from ksconfig.model.reference import ImageArgument
from ksconfig.model.runtimes import Runtime, read_runtime
from ksconfig.operations.runtimes import find_runtime, plan_of, rules_of
from ksconfig.operations.view import RENAMED_RUNTIME, Scope, View
from ksconfig.source.cluster.source import ClusterSource

_LONGEST_NAME = 253
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def plan_create(source: ClusterSource, scope: Scope, wanted: NewRuntime) -> Plan:
    """A plan that makes a runtime.

    Raises:
        UsageError: the image is no reference; nothing says what it serves.
        Refused: another one of that name is there; KServe would refuse it, or it could not work.
    """
    with not_done(f"runtime {wanted.name} was not made"):
        _check_names(wanted)
        view = View(source, scope)
        rules = rules_of(view)
        base = find_runtime(view, wanted.base, wanted.namespace) if wanted.base else None
        data = view.first[base.ref].data if base else {}
        made = build_runtime(wanted, base, data, rules)
        ref = ObjectRef(made["kind"], wanted.namespace, wanted.name)
        if ref in view.first:
            return _there_already(view, ref, made)
        notices = _check_new(view, ref, made, base, scope)
        stored = source.as_stored(made, ref.kind)
        text = object_text({**stored, "apiVersion": made["apiVersion"], "kind": ref.kind})
        return plan_of(view, "runtime create", [FieldEdit.between(ref, WHOLE, None, text)], notices)


def _check_names(wanted: NewRuntime) -> None:
    if ImageArgument.parse(wanted.image).repository is None:
        raise UsageError(f'"{wanted.image}" is a tag alone', advice="A new runtime needs a repository too.")
    if len(wanted.name) > _LONGEST_NAME or not _NAME.fullmatch(wanted.name):
        raise UsageError(
            f'"{wanted.name}" cannot be the name of a runtime',
            advice="A name is made of lower-case letters, digits, - and ., and begins and ends with a letter or digit.",
        )


def _there_already(view: View, ref: ObjectRef, made: Mapping[str, Any]) -> Plan:
    """Nothing to do, if what is there is what was asked for."""
    there = own_part(view.first[ref].data)
    if not _holds(there, made):
        name = f"runtime/{ref.namespace}/{ref.name}" if ref.namespace else f"runtime/{ref.name}"
        raise Refused(
            f"{ref} is there already, and is another than this would be",
            advice=f"Change its image with: ksconfig set-image {name} IMAGE; or delete it first, or take another name.",
        )
    asked = Change(ref, WHOLE_PATH, there, there, str(ref), changed=False)
    return Plan("runtime create", (asked,), (), (), (), tuple(view.release_notices()), view.release)


def _holds(there: Any, made: Any) -> bool:
    """Whether what is there has all that was made; the API server adds defaults."""
    if isinstance(made, Mapping):
        return isinstance(there, Mapping) and all(_holds(there.get(name), value) for name, value in made.items())
    if isinstance(made, list):
        return isinstance(there, list) and len(there) == len(made) and all(map(_holds, there, made))
    return bool(there == made)


def _check_new(view: View, ref: ObjectRef, made: Mapping[str, Any], base: Runtime | None, scope: Scope) -> list[Notice]:
    """What a person should know of a new runtime.

    Raises:
        Refused: KServe would refuse it, or it could not work.
    """
    rules = rules_of(view)
    facts = [RuntimeFacts(one, view.first[one.ref].data) for one in view.runtimes]
    old = set(runtime_faults(facts, rules))
    mine = RuntimeFacts(read_runtime(ref, made), made)
    notices = []
    for fault in runtime_faults([*facts, mine], rules):
        if fault in old:
            continue
        if fault.effect.breaks:
            raise Refused(f"{fault.what}: {fault.effect.text}", advice=fault.mend)
        notices.append(Notice(fault.code, fault.what))
    for lost in lost_with_the_name(base, mine.runtime, rules) if base else ():
        why = f"under another name than {base.ref.name if base else ''} KServe {rules.release} does not give it {lost}"
        if RENAMED_RUNTIME not in scope.allow:
            name = base.ref.name if base else ""
            raise Refused(
                why,
                allow=RENAMED_RUNTIME,
                advice=f"Make a copy of the same name in a namespace (runtime create {name} --from {name} -n "
                f"NAMESPACE), or set it by hand with --env and --arg and say --allow {RENAMED_RUNTIME}.",
            )
        notices.append(Notice(RENAMED_RUNTIME, why))
    return notices
