"""What is looked at before a cluster is written to: whether it may be, by whom else, and whether KServe would start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ksconfig.errors import InvalidDocument, Refused, RightMissing
from ksconfig.model.objects import WHOLE
from ksconfig.model.owners import owners
from ksconfig.model.plan import FieldEdit, Notice, Plan
from ksconfig.model.releases import Rules
from ksconfig.model.restart import plan_restarts
from ksconfig.model.services.service import KIND as SERVICE_KIND
from ksconfig.model.start import start_faults
from ksconfig.operations.history import with_the_rest
from ksconfig.operations.impact_refusals import notices_of
from ksconfig.operations.site import Options, Site
from ksconfig.operations.view import BROKEN_START, FOREIGN_OWNER, Scope
from ksconfig.source.cluster.rights import Right, missing_rights
from ksconfig.source.cluster.services import GROUP
from ksconfig.source.cluster.source import RESOURCES, in_order
from ksconfig.text.json_scanner import parse_json


def review(site: Site, plan: Plan, scope: Scope) -> Plan:
    """The plan with what a person should know of its objects.

    Raises:
        Refused: an object is immutable or belongs to somebody who takes changes back; the controller could not start
            with the resulting config.
    """
    plan = with_the_rest(site, plan)
    notices = list(plan.notices)
    if not plan.changed and (scope.care.unpin or scope.care.unpin_services):
        message = "the values are there already, so no service is unpinned; ksconfig status shows which are pinned"
        notices.append(Notice("not-unpinned", message))
    for group in in_order(plan.edits):
        ref = group[0].object
        if ref.kind == SERVICE_KIND:
            continue  # its version was no wish of its owner's, or its owner was named
        if group[0].field == WHOLE and group[0].before is None:
            continue  # it is made
        one = site.source.the_object(ref)
        if one.data.get("immutable") is True:
            raise Refused(
                f"{ref} is immutable, so the API server lets nobody change it",
                advice="Delete it and create it anew without immutable: true; KServe reads it again by itself.",
            )
        for owner in owners(one.metadata):
            why = f"{ref} belongs to {owner.who}: {owner.effect}"
            if owner.reverts and FOREIGN_OWNER not in scope.allow:
                raise Refused(
                    why, allow=FOREIGN_OWNER,
                    advice="Make the same change with -f in the manifest that it comes from; to write it here all the "
                    f"same: --allow {FOREIGN_OWNER}.",
                )  # fmt: skip
            notices.append(Notice(FOREIGN_OWNER, why))
    if plan.impact is not None:
        notices += notices_of(plan.impact)
    faults = start_problems(site, plan.edits, plan.release.likely_rules)
    if faults and plan_restarts(plan):
        notices += _refuse_start(faults, str(plan.release), scope)
    elif BROKEN_START not in scope.allow:
        plan = replace(plan, unstartable=faults)
    return replace(plan, notices=tuple(dict.fromkeys(notices)))


def refuse_broken_start(site: Site, rules: Iterable[Rules], release: str, scope: Scope) -> list[Notice]:
    """Refuse to restart a controller that could not start with the config as it stands (a notice if allowed)."""
    faults = start_problems(site, (), rules)
    return _refuse_start(faults, release, scope) if faults else []


def _refuse_start(faults: tuple[str, ...], release: str, scope: Scope) -> list[Notice]:
    refusal = start_refusal(faults, release)
    if BROKEN_START in scope.allow:
        return [Notice(BROKEN_START, refusal.why)]
    raise refusal


def start_refusal(faults: tuple[str, ...], release: object) -> Refused:
    """The refusal to restart a controller that could not start."""
    return Refused(
        f"the controller of KServe {release} would exit at its next start: {'; '.join(faults)}", allow=BROKEN_START,
        advice="It runs as long as nobody restarts it. Mend that first (ksconfig doctor says more); to go on all the "
        f"same: --allow {BROKEN_START}.",
    )  # fmt: skip


def start_problems(site: Site, edits: Iterable[FieldEdit], rules: Iterable[Rules]) -> tuple[str, ...]:
    """Why the controller would exit at its next start with the config after the edits, in every likely release."""
    texts: dict[str, str | None] = {}
    for config in site.source.configs():
        texts |= {key: config.value(("data", key)) for key in config.keys}
    texts |= {str(edit.field[1]): edit.after for edit in edits if edit.object.kind == "ConfigMap"}
    found = [_start_problems(texts, one) for one in rules]
    return tuple(dict.fromkeys(fault for group in found for fault in group)) if found and all(found) else ()


def _start_problems(texts: Mapping[str, str | None], rules: Rules) -> tuple[str, ...]:
    data, broken = {}, []
    for key in rules.start_keys & texts.keys():
        text = texts[key]
        if text is None:
            continue
        try:
            data[key] = parse_json(text).value
        except InvalidDocument as error:
            broken.append(f"{key} is no JSON (line {error.line}, column {error.column}): {error.reason}")
    return (*sorted(broken), *(fault.reason for fault in start_faults(rules, data)))


def check_rights(site: Site, plan: Plan, options: Options) -> None:
    """See that all that is to be written may be written, before anything is.

    Raises:
        RightMissing: something may not; all missing rights are named.
    """
    restarts = options.restart and plan_restarts(plan)
    rights = [*_rights_to_write(site, plan)]
    namespace = site.source.found.namespace
    if restarts:
        rights += restart_rights(site, options)
    if options.wait_models:
        rights.append(Right("list", "apps", "deployments", None))
    records = [Right("create", "", "configmaps", namespace), Right("list", "", "configmaps", namespace)]
    lacking = missing_rights(site.source.client, [*rights, *(records if options.history else ())], site.patience)
    needed = tuple(right for right in lacking if right in rights)
    if needed:
        raise _missing(site, lacking, "nothing was written")
    if lacking:
        raise Refused(
            f"no record of the change can be made, so there would be no way back: {site.user} may not "
            f"{', nor '.join(map(str, lacking))}",
            advice="Get these rights (docs/rbac.yaml), or go on without a record: --no-history.",
        )


def restart_rights(site: Site, options: Options) -> list[Right]:
    """What a restart needs."""
    namespace = site.source.found.namespace
    rights = [Right("list", "", "pods", namespace)]
    if site.workload is None:
        return rights
    controller = site.workload.controller
    if options.restart_by == "rollout":
        rights.append(Right("patch", "apps", controller.resource, namespace, controller.name))
    else:
        rights.append(Right("delete", "", "pods", namespace))
    if options.wait:
        rights.append(Right("get", "apps", controller.resource, namespace, controller.name))
    return rights


def check_restart_rights(site: Site, options: Options) -> None:
    """See that the controller may be restarted (errors as in `check_rights`)."""
    lacking = missing_rights(site.source.client, restart_rights(site, options), site.patience)
    if lacking:
        raise _missing(site, lacking, "nothing was restarted")


def _missing(site: Site, lacking: Iterable[Right], not_done: str) -> RightMissing:
    error = RightMissing(
        f"{site.user} may not {', nor '.join(map(str, lacking))}", status=403, reason="Forbidden",
        advice="docs/rbac.yaml holds a Role with all that is needed.",
    )  # fmt: skip
    error.not_done = not_done
    return error


def _rights_to_write(site: Site, plan: Plan) -> Iterable[Right]:
    for group in in_order(plan.edits):
        ref = group[0].object
        if ref.kind == "ConfigMap":
            yield Right("patch", "", "configmaps", ref.namespace, ref.name)
        elif ref.kind == SERVICE_KIND:
            yield Right("patch", site.source.running.group, "inferenceservices", ref.namespace, ref.name)
        elif group[0].field == WHOLE and group[0].before is None:
            yield Right("create", GROUP, RESOURCES[ref.kind], ref.namespace)
        else:
            verb = "delete" if group[0].field == WHOLE else "patch"
            yield Right(verb, GROUP, RESOURCES[ref.kind], ref.namespace, ref.name)
