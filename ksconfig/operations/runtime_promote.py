"""Plans that make a tried runtime the standard, and that delete one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ksconfig.errors import NotFound, Refused, UsageError, not_done
from ksconfig.model.few import first_few
from ksconfig.model.new_runtime import FROM
from ksconfig.model.objects import WHOLE, WHOLE_PATH, object_text
from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.plan import ABSENT, Change, Field, FieldEdit, ImageChange, Notice, Plan
from ksconfig.model.runtimes import Runtime
from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import read_service
from ksconfig.operations.history import newest_effective
from ksconfig.operations.runtime_use import move, refuse_unfit
from ksconfig.operations.runtimes import find_runtime, named_runtime, plan_of, rules_of, users_of
from ksconfig.operations.site import Site
from ksconfig.operations.view import Scope, View
from ksconfig.operations.worlds import present_world
from ksconfig.source.cluster.source import ClusterSource


def plan_promote(source: ClusterSource, scope: Scope, name: str, namespace: str | None, to: str | None = None) -> Plan:
    """A plan that gives the image of a tried runtime to the standard one, and its services back to that.

    Args:
        to: the standard runtime; by default the one that the tried one was made from.
    """
    with not_done(f"{name} was not promoted"):
        view = View(source, scope)
        rules = rules_of(view)
        tried = find_runtime(view, name, namespace)
        annotations = mapping(mapping(view.first[tried.ref].data.get("metadata")).get("annotations"))
        origin = to or string(annotations.get(FROM))
        if origin is None:
            raise UsageError(
                f"{tried.ref} was not made by ksconfig, so its standard is not known", advice="Say --to RUNTIME."
            )
        standard = find_runtime(view, origin, None)
        if standard.ref == tried.ref:
            raise UsageError(f"{tried.ref} is the standard itself")
        place, other = standard.serving_container(rules), tried.serving_container(rules)
        if place is None or other is None:
            raise Refused(f"{standard.ref} or {tried.ref} has no container that serves")
        lacking = {one.name for one in tried.formats} - {one.name for one in standard.formats}
        if lacking:
            raise Refused(
                f"{standard.ref} does not list {', '.join(sorted(lacking))}, which {tried.ref} serves",
                advice="Say --to RUNTIME with one that does.",
            )
        before, after = standard.containers[place].image, tried.containers[other].image
        edits = []
        if before != after:
            field: Field = ("spec", "containers", place, "image")
            edits.append(FieldEdit.between(standard.ref, field, before, after))
        moved, notices = _back_to(view, standard, tried)
        notices += _only_the_image(view, standard, tried, (place, other))
        images = (ImageChange(standard.name, before or "", after or ""),)
        return replace(plan_of(view, "runtime promote", [*edits, *moved], notices), images=images)


def _back_to(view: View, standard: Runtime, tried: Runtime) -> tuple[list[FieldEdit], list[Notice]]:
    """The edits that give services of a tried runtime back to the standard one."""
    source, world = view.source, present_world(view, rules_of(view))
    assert isinstance(source, ClusterSource)
    edits: list[FieldEdit] = []
    notices = []
    for data in source.services((tried.ref.namespace,) if tried.ref.namespace else ()):
        service = read_service(data)
        if named_runtime(service, world) != tried:
            continue
        meant = world.named(standard.ref.name, service.namespace)
        if meant != standard:
            why = f"in its namespace {standard.ref.name} is {meant.ref if meant else 'not there'}"
            notices.append(Notice("stays", f"{service.namespace}/{service.name} stays on {tried.ref}: {why}"))
            continue
        refuse_unfit(admit(service, world).service, standard, world)
        source.keep(data)
        model = {name: one for name, one in mapping(service.predictor.get("model")).items() if name != "runtime"}
        free = service._replace(spec={**service.spec, "predictor": {**service.predictor, "model": model}})
        unasked = resolve(free, world)["predictor"].runtime == (standard.ref,)
        edits += move(source, service, world, None if unasked else standard)
    return edits, notices


def _only_the_image(view: View, standard: Runtime, tried: Runtime, places: tuple[int, int]) -> Iterator[Notice]:
    """What else of a tried runtime differs, and is not taken over."""
    both = [
        mapping(sequence(mapping(view.first[one.ref].data.get("spec")).get("containers"))[place])
        for one, place in zip((standard, tried), places, strict=True)
    ]
    names = sorted(name for name in both[0].keys() | both[1].keys() if both[0].get(name) != both[1].get(name))
    left = [name for name in names if name not in ("image", "name")]
    if left:
        why = f"{tried.ref} differs from it in {', '.join(left)} of its container too, which stays behind"
        yield Notice("only-the-image", f"{standard.ref} gets the image alone: {why}")


def plan_delete(source: ClusterSource, scope: Scope, name: str, namespace: str | None) -> Plan:
    """A plan that deletes a runtime.

    Raises:
        Refused: services run on it, or may.
    """
    with not_done(f"{name} was not deleted"):
        view = View(source, scope)
        rules_of(view)
        runtime = find_runtime(view, name, namespace)
        held = sequence(mapping(view.first[runtime.ref].data.get("metadata")).get("finalizers"))
        if held:
            raise Refused(
                f"{runtime.ref} has finalizers ({', '.join(map(str, held))}), so that it would stay there half deleted",
                advice="Have what set them take them away, or delete it with kubectl.",
            )
        users = users_of(view)
        if users is None:
            raise Refused(f"which services run on {runtime.ref} is not known: they may not be listed")
        if found := sorted(users.get(runtime.ref, ())):
            advice = "Move them first: ksconfig runtime use, or promote."
            raise Refused(f"{first_few(found)} run on {runtime.ref}", advice=advice)
        before = object_text(view.first[runtime.ref].data)
        return plan_of(view, "runtime delete", [FieldEdit.between(runtime.ref, WHOLE, before, None)], [])


def deleted_already(site: Site, scope: Scope, name: str, missing: NotFound) -> Plan:
    """Nothing to write, if the newest revision has deleted that runtime; a restart may be due yet.

    Raises:
        NotFound: ``missing``, if that was not so.
    """
    newest = newest_effective(site)
    gone = newest.fields[0].object if newest and newest.command == "runtime delete" and newest.fields else None
    if gone is None or gone.name != name.rpartition("/")[2]:
        raise missing
    view = View(site.source, scope)
    asked = Change(gone, WHOLE_PATH, ABSENT, ABSENT, str(gone), changed=False)
    return Plan("runtime delete", (asked,), (), (), (), tuple(view.release_notices()), view.release)
