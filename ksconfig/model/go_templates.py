"""The Go templates that KServe fills in itself: ``domainTemplate``, ``pathTemplate``, the containers of runtimes."""

from __future__ import annotations

import re
from collections.abc import Collection

_ACTION = re.compile(r"\{\{(?:/\*.*?\*/|([^{}]*))\}\}", re.DOTALL)
_FIELD = re.compile(r"(?<![\w.)\]$])\.([A-Za-z]\w*)")
_OPENS = frozenset({"if", "with", "range"})
_OTHER_WORDS = frozenset({"else", "end", "template", "block", "define", "and", "or", "not", "index", "len", "call"})
_FUNCTIONS = frozenset({"print", "printf", "println", "html", "js", "urlquery", "slice"})
_WORDS = _OPENS | _OTHER_WORDS | _FUNCTIONS | {"eq", "ne", "lt", "le", "gt", "ge"}


def go_template_fault(text: str, fields: Collection[str]) -> str | None:
    """Why Go would not parse or execute a template, as far as can be told; None if it would.

    Args:
        fields: those that KServe gives it (``.Name``).
    """
    rest = _ACTION.sub("", text)
    if "{{" in rest or "}}" in rest:
        return "holds {{ without }}, or the reverse"
    depth = 0
    inner = False  # within "with" and "range" the dot is something else
    for match in _ACTION.finditer(text):
        action = (match[1] or "").strip("- \t\n")
        if match[1] is None:
            continue
        if not action:
            return "holds an empty action {{ }}"
        word = re.split(r"[\s(]", action, maxsplit=1)[0]
        if word.isidentifier() and word not in _WORDS:
            return f"calls {word}, which is no function"
        unknown = [name for name in _FIELD.findall(action) if name not in fields]
        if unknown and not inner:
            return f"takes .{unknown[0]}, which KServe does not give"
        depth += (word in _OPENS) - (word == "end")
        inner = inner or word in ("with", "range")
    return "has an {{ if }} or {{ with }} without its {{ end }}" if depth else None
