"""What is printed: results on standard output, warnings and diffs on standard error."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from ksconfig.errors import KsconfigError, Refused, on_one_line
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.objects import WHOLE_PATH
from ksconfig.model.plan import ABSENT, Change, ImageChange, Notice, ObjectRef, Plan
from ksconfig.secrecy import hide
from ksconfig.text.diff import unified_diff

if TYPE_CHECKING:
    from ksconfig.cli import document_parts as parts
    from ksconfig.cli import documents  # types alone: no command loads them

API_VERSION: Final = "ksconfig/v1"

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """The text with control characters written out, so that data never steers a terminal."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text.replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """As `visible`, and on one line."""
    return on_one_line(visible(text))


def result(text: str) -> None:
    """Print a line to standard output."""
    click.echo(visible_line(text))


def styled(text: str, *, err: bool = False) -> None:
    """Print a line that holds colours: seen on a terminal (click drops them elsewhere), unless NO_COLOR is set."""
    echo = _tell if err else click.echo
    echo(text, color=False if os.environ.get("NO_COLOR") else None)


def _tell(text: str, color: bool | None = None) -> None:
    """Print to standard error; that nobody reads it any more does not stop what is being done."""
    try:
        click.echo(text, err=True, color=color)
    except OSError:
        sys.stderr = nowhere()


def nowhere() -> TextIO:
    """A stream for what cannot be printed, until the process ends."""
    return open(os.devnull, "w")


def remark(text: str) -> None:
    """Print a line to standard error; no secret that was read is in it."""
    _tell(hide(visible_line(text)))


def remark_lines(text: str) -> None:
    """Print several lines to standard error: an error with its picture, a trace."""
    _tell(hide(visible(text)))


def progress(text: str) -> None:
    """Print how far it is; of several lines (a log's) all but the first are set in."""
    first, *others = text.split("\n")
    for line in (first, *(f"    {line}" for line in others)):
        remark(line)


def document(content: documents.Document, form: str) -> None:
    """Print one machine-readable document."""
    if form == "yaml":
        from ksconfig.text.yaml_print import print_yaml

        click.echo(print_yaml(content), nl=False)
    else:
        # what JSON leaves as it is and a terminal obeys (C1, bidirectional marks) is as good as an escape
        click.echo(visible(json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)))


def _finite(data: Any) -> Any:
    """The data with numbers too large for a program (1e400) as strings, since JSON has no infinity."""
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return str(data) if isinstance(data, float) and not math.isfinite(data) else data


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, only_filled: bool = False) -> None:
    """Print columns as kubectl does: padded with spaces, two between them.

    Args:
        only_filled: whether columns are left out that hold nothing in any row.
    """
    lines = [list(headings), *([visible(cell).replace("\n", " ") for cell in row] for row in rows)]
    if only_filled:
        told = [column for column in range(len(headings)) if any(line[column] for line in lines[1:])]
        lines = [[line[column] for column in told] for line in lines]
        headings = lines[0]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def warnings(notices: Iterable[Notice]) -> None:
    """Print warnings."""
    for notice in notices:
        remark(f"warning: {notice.message}")


#: Of a plan that brings services along, a person is shown the diffs of so many of them.
_SHOWN_SERVICES = 5


def plan_diff(plan: Plan, *, err: bool) -> None:
    """Print the diff of a plan: of many services that change along, of the first few."""
    shown, services = [], 0
    for patch in plan.patches:
        of_service = patch.label.startswith("inferenceservice ")
        services += of_service
        if not of_service or services <= _SHOWN_SERVICES:
            shown.append(patch)
    diff(unified_diff(shown), err=err)
    if services > _SHOWN_SERVICES:
        styled(f"... and {services - _SHOWN_SERVICES} more services alike (-o json shows all)", err=err)


def diff(text: str, *, err: bool) -> None:
    """Print a diff, coloured on a terminal."""
    for line in visible(text).splitlines():
        bold = line.startswith(("--- ", "+++ "))
        colour = None if bold else {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        styled_line = click.style(line, fg=colour, bold=True if bold else None) if bold or colour else line
        styled(styled_line, err=err)


def error_content(error: KsconfigError) -> documents.Fault:
    """An error for machines."""
    return {
        "type": type(error).__name__,
        "exitCode": int(error.exit_code),
        "notDone": error.not_done,
        "why": error.why,
        "advice": error.advice,
        "allow": error.allow if isinstance(error, Refused) else None,
        "revision": getattr(error, "revision", None),
        "line": getattr(error, "line", None),
        "column": getattr(error, "column", None),
    }


def release_content(release: ReleaseGuess) -> parts.Release:
    """A release for machines."""
    return {
        "candidates": [str(candidate) for candidate in release.candidates],
        "likely": str(release.likely) if release.likely else None,
        "given": release.given,
        "toldBy": release.told_by,
        "unverified": release.unverified,
    }


def object_content(ref: ObjectRef) -> parts.Object:
    """Which object something is about, for machines."""
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def notices_content(notices: Iterable[Notice]) -> list[parts.Warning]:
    """Warnings for machines."""
    return [{"code": notice.code, "message": notice.message} for notice in notices]


def change_document(command: str, release: ReleaseGuess) -> documents.Change:
    """The document of a command that may write, as it is if nothing is done."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Change",
        "command": command,
        "dryRun": False,
        "changed": False,
        "restarted": False,
        "served": None,
        "rolledBack": False,
        "revision": None,
        "closed": None,
        "modelsReady": None,
        "release": release_content(release),
        "images": [],
        "changes": [],
        "impact": None,
        "diff": "",
        "warnings": [],
    }


def plan_document(plan: Plan, *, dry_run: bool) -> documents.Change:
    """A plan, carried out or not, for machines."""
    from ksconfig.cli.services_output import impact_content

    return {
        **change_document(plan.command, plan.release),
        "dryRun": dry_run,
        "changed": plan.changed,
        "images": images_content(plan.images),
        "changes": [change_content(change) for change in plan.changes],
        "impact": impact_content(plan.impact) if plan.impact is not None else None,
        "diff": plan.diff(),
        "warnings": notices_content(plan.notices),
    }


def images_content(images: Iterable[ImageChange]) -> list[parts.ImageChange]:
    """Images before and after, for machines."""
    return [{"target": one.target, "before": one.before, "after": one.after} for one in images]


def change_content(change: Change) -> parts.ValueChange:
    """One value that changes, for machines."""
    content: parts.ValueChange = {
        "object": object_content(change.object),
        "place": change.place,
        "path": change.written_path,
    }
    if change.before is not ABSENT:
        content["before"] = change.before
    if change.after is not ABSENT:
        content["after"] = change.after
    return content


def change_line(change: Change) -> str:
    """A change on one line: a value of the config by its path, one of another object with the object's name."""
    if change.path == WHOLE_PATH:
        done = "made" if change.before is ABSENT else "deleted" if change.after is ABSENT else "replaced"
        return f"{change.object} {done}"
    where = change.written_path if change.object.kind == "ConfigMap" else f"{change.object} {change.written_path}"
    return f"{where}: {shown(change.before)} -> {shown(change.after)}"


def shown(value: Any) -> str:
    """A JSON value on one line."""
    text = "(absent)" if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:197]}..."


def is_terminal() -> bool:
    """Whether a person can be asked: standard input and standard error are terminals."""
    return all(one is not None and one.isatty() for one in (sys.stdin, sys.stderr))
