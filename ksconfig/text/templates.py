"""Texts that are yet to be filled in by Helm or Jinja: told, and never edited."""

from __future__ import annotations

import re

from ksconfig.errors import InvalidDocument

_OPENING = re.compile(r"\{\{|\{%")
_ACTION = re.compile(r"\{\{(-?)([^{}]*)|\{%")
# what KServe itself fills in for each service stands in sound manifests
_PLACEHOLDER = re.compile(r"\s*\.(?:Name|Namespace|IngressDomain|Labels|Annotations)\b")

#: What to do instead of editing a template.
ADVICE = "Edit the values that it is rendered from, or render it first and edit the result."


def holds_template(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether a template is opened in a text, or in a stretch of it."""
    return bool(_OPENING.search(text, start, len(text) if end is None else end))


def needs_rendering(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether a manifest is a template of Helm or Jinja; the placeholders that KServe itself fills in do not count."""
    for match in _ACTION.finditer(text, start, len(text) if end is None else end):
        if match[1] or match[2] is None or not _PLACEHOLDER.match(match[2]):
            return True
    return False


def template_fault(error: InvalidDocument, reason: str, *, picture: str | None = None) -> InvalidDocument:
    """The fault of a text that does not read because it is a template, at the place of ``error``."""
    return InvalidDocument(
        reason, line=error.line, column=error.column, label=error.label, picture=picture, advice=ADVICE
    )
