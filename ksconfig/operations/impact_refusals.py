"""What of a plan's impact is refused, and what a person should know of it besides the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ksconfig.errors import InvalidDocument, Refused
from ksconfig.model.few import FEW, and_so_on, first_lines
from ksconfig.model.fields import go_fields
from ksconfig.model.plain import string
from ksconfig.model.plan import FieldEdit, Notice
from ksconfig.model.releases import Rules
from ksconfig.model.services.impact import ROLLS, Impact, ServiceImpact, repository, unusable
from ksconfig.operations.pinned import Pinned
from ksconfig.operations.view import PINNED_TAGS, UNKNOWN_IMPACT, View
from ksconfig.text.json_scanner import fold, parse_json


def refuse_combinations(view: View, impact: Impact, pinned: Sequence[Pinned]) -> None:
    """Refuse what combines a new repository with an old version, or what could do so unseen.

    Args:
        pinned: the components whose version can be changed so that they follow, those included that do.
    """
    care, allow = view.scope.care, view.scope.allow
    kept = sorted({str(one.impact) for one in pinned})
    unmatched = sorted(set(care.unpin_services) - set(kept))
    if unmatched and not impact.unknown:
        raise Refused(
            f"{', '.join(unmatched)}: there is no such service, or no runtimeVersion keeps it from following",
            advice=f"Leave --unpin-service out for it; those that are kept: {and_so_on(kept) or 'none'}.",
        )
    found = impact.having("pinned-tag")
    if found and PINNED_TAGS not in allow:
        raise _combined(found, pinned, in_files=view.source.submitted)
    moved = [one for one in impact.new if repository(one.before) != repository(one.after) and one.before]
    if impact.unknown and moved and UNKNOWN_IMPACT not in allow and not view.source.submitted:
        raise Refused(
            f"services may be pinned to an old version, which would be combined with the new repository, and not all "
            f"can be looked at: {impact.unknown}",
            allow=UNKNOWN_IMPACT,
            advice="Have somebody plan it who may list InferenceServices in all namespaces, or change the tag only "
            f"(:TAG); to go on all the same: --allow {UNKNOWN_IMPACT}.",
        )


def refuse_too_many(view: View, impact: Impact) -> None:
    """Refuse what changes more services than a person wants."""
    bound = view.scope.care.max_affected
    if bound is None:
        return
    if impact.unknown and not view.source.submitted:
        raise Refused(
            f"how many services would change is not known: {impact.unknown}",
            advice="Leave --max-affected out, or have somebody plan it who may list InferenceServices.",
        )
    count = len({(one.namespace, one.name) for one in impact.having(*ROLLS)})
    if count > bound:
        raise Refused(
            f"{count} service{'s' if count > 1 else ''} would change, and --max-affected is {bound}",
            advice="See them with --dry-run, and raise the bound if you want them all.",
        )


_IN_FILES = (
    "On a cluster --unpin lets services follow; in files, write the runtimeVersion into theirs that they are to have "
    "with the new repository."
)


def _combined(found: Sequence[ServiceImpact], pinned: Sequence[Pinned], *, in_files: bool) -> Refused:
    default = {str(one.impact): one.default for one in pinned}
    listed = [f"  {one}: {one.before} -> {one.after}{_kept(one, default, in_files)}" for one in found]
    ways = _IN_FILES if in_files else _ways(found, default)
    return combined("the new repository", listed, f"{ways} To change the tag only, say :TAG.")


def combined(what: str, listed: Sequence[str], ways: str) -> Refused:
    """The refusal to combine an image with old versions.

    Args:
        what: the image, in words.
        listed: a line for each service.
        ways: how to go on without such a combination.
    """
    several = len(listed) > 1
    return Refused(
        f"{f'{len(listed)} services' if several else 'a service'} would get {what} with an old version, since a "
        f"runtimeVersion is written in {'them' if several else 'it'}; whether such an image exists is not known",
        allow=PINNED_TAGS,
        picture=first_lines(listed),
        advice=f"{ways} If the images exist: --allow {PINNED_TAGS}.",
    )


def _kept(one: ServiceImpact, default: Mapping[str, bool], in_files: bool) -> str:
    """Why --unpin does not let a service follow; "" if it does."""
    if in_files or default.get(str(one)):
        return ""
    return " (its owner wrote the version)" if str(one) in default else " (its version cannot be changed in its place)"


def _ways(found: Sequence[ServiceImpact], default: Mapping[str, bool]) -> str:
    ways = []
    if any(default.get(str(one)) for one in found):
        ways.append("--unpin lets those follow whose version is KServe's old default.")
    owned = [str(one) for one in found if default.get(str(one)) is False]
    if owned:
        each = " ".join(f"--unpin-service {name}" for name in dict.fromkeys(owned[:FEW]))
        more = " and so on" if len(owned) > FEW else ""
        ways.append(f"{'Those' if len(owned) > 1 else 'One'} whose owner wrote it must be named: {each}{more}.")
    return " ".join(ways)


def mode_notices(edits: Iterable[FieldEdit], likely: Sequence[Rules]) -> list[Notice]:
    """What a person should know of a change of how services are deployed that say nothing of it."""
    for edit in edits:
        if edit.object.kind != "ConfigMap" or edit.field != ("data", "deploy"):
            continue
        was, will = (_mode(text) for text in (edit.before, edit.after))
        if was == will or not likely[-1].modes:
            continue
        which = "are new and " if likely[-1].keeps_mode else ""
        said = f"services that {which}name no deployment mode would be deployed as {will}, not {was}"
        left = "" if which else "; their images stay, and what is made anew of their workloads is not foretold"
        return [Notice("deployment-mode", said + left)]
    return []


def _mode(text: str | None) -> str:
    with suppress(InvalidDocument):
        mode = go_fields(parse_json(text or "{}").value).get(fold("defaultDeploymentMode"))
        return string(mode) or "the default"
    return "the default"


def notices_of(impact: Impact) -> tuple[Notice, ...]:
    """What a person should know of it besides the list."""
    found = []
    if impact.unknown:
        found.append(Notice("unknown-impact", f"which services change is not wholly known: {impact.unknown}"))
    invalid = impact.having("invalid")
    if invalid:
        found.append(Notice("invalid", f"KServe could not serve {and_so_on(invalid)} any more: {invalid[0].reason}"))
    for one in impact.new:
        if (why := unusable(one.after)) and not unusable(one.before):
            found.append(Notice("invalid", f"new services of {one.target} would get {one.after}: {why}"))
    return tuple(found)
