"""The command doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ksconfig.cli import output
from ksconfig.cli.commands import Command
from ksconfig.cli.opened import open_source, tell_release
from ksconfig.cli.options import shared_options
from ksconfig.errors import ExitCode
from ksconfig.model.detect import span_of
from ksconfig.model.releases import Release

if TYPE_CHECKING:
    from ksconfig.cli import documents
    from ksconfig.operations.doctor import Diagnosis, Finding


@click.command(cls=Command, examples=("doctor", "doctor -f kserve.yaml -f runtimes.yaml --kserve-version 0.8"))
@shared_options
def doctor() -> None:
    """Find what is wrong with the config and runtimes.

    Each finding says where it is, what KServe does with it, and how to mend it. Nothing is written. Ends with 3 if a
    finding breaks something, with 0 if there are none or mere notes.
    """
    from ksconfig.operations.doctor import diagnose  # what only this command needs is loaded only here

    opened = open_source()
    found = diagnose(opened.source, opened.scope)
    tell_release(opened.settings, found.release)
    output.warnings(found.notices)
    if opened.settings.for_machines:
        output.document(_content(found), opened.settings.output)
    elif opened.settings.output == "name":
        for finding in found.findings:
            output.result(f"{finding.code} {finding.written_path}".rstrip())
    else:
        for finding in found.findings:
            _print(finding)
        output.result(_summary(found))
    if found.breaks:
        raise click.exceptions.Exit(ExitCode.REFUSED)


def _print(finding: Finding) -> None:
    kind = click.style("breaks", fg="red", bold=True) if finding.severity == "breaks" else "note"
    only = f" (KServe {span_of(list(map(Release.parse, finding.releases)), ', ')} only)" if finding.releases else ""
    where = f"{finding.object}, " if finding.object and finding.object.kind != "ConfigMap" else ""
    message = output.visible_line(where + finding.message + only)
    output.styled(f"{output.visible_line(str(finding.place))}: {kind}: {message}")
    for line in (f"{_sentence(finding.effect)}.", finding.mend):
        output.result(f"    {line}")


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _summary(found: Diagnosis) -> str:
    notes = len(found.findings) - found.breaks
    parts = []
    if found.breaks:
        parts.append("1 finding breaks something" if found.breaks == 1 else f"{found.breaks} findings break something")
    if notes:
        parts.append("1 note" if notes == 1 else f"{notes} notes")
    return (", ".join(parts) if parts else "nothing found") + f" (KServe {found.release})"


def _content(found: Diagnosis) -> documents.Diagnosis:
    return {
        "apiVersion": output.API_VERSION,
        "kind": "Diagnosis",
        "release": output.release_content(found.release),
        "breaks": found.breaks,
        "notes": len(found.findings) - found.breaks,
        "items": [
            {
                "severity": one.severity,
                "code": one.code,
                "object": output.object_content(one.object) if one.object else None,
                "path": one.written_path,
                "place": str(one.place),
                "file": one.place.label,
                "line": one.place.line,
                "column": one.place.column,
                "message": one.message,
                "effect": one.effect,
                "mend": one.mend,
                "releases": list(one.releases),
            }
            for one in found.findings
        ],
        "warnings": output.notices_content(found.notices),
    }
