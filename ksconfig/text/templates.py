"""Texts that are yet to be filled in by Helm or Jinja: told, and never edited."""

from __future__ import annotations

import re

from ksconfig.errors import InvalidDocument

_OPENING = re.compile(r"\{\{|\{%")

#: What to do instead of editing a template.
ADVICE = "Edit the values that it is rendered from, or render it first and edit the result."


def holds_template(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether a template is opened in a text, or in a stretch of it."""
    return bool(_OPENING.search(text, start, len(text) if end is None else end))


def template_fault(error: InvalidDocument, reason: str, *, picture: str | None = None) -> InvalidDocument:
    """The fault of a text that does not read because it is a template, at the place of ``error``."""
    return InvalidDocument(
        reason, line=error.line, column=error.column, label=error.label, picture=picture, advice=ADVICE
    )
