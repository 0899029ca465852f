"""The Go templates that KServe fills in itself: ``domainTemplate``, ``pathTemplate``, the containers of runtimes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

# an action with its strings and comments; what is not closed matches without its end
_ACTION = re.compile(r"""\{\{((?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|/\*.*?\*/|(?!\}\})[^"`])*)(\}\})?""", re.DOTALL)
_STRING = re.compile(r"""\"(?:[^"\\\n]|\\.)*"|`[^`]*`""")
_FIELD = re.compile(r"(?<![\w.)\]$])\.([A-Za-z]\w*)")
_BLOCKS = frozenset({"if", "with", "range", "define", "block"})
_NAMED = frozenset({"template", "define", "block"})
_WORDS = _BLOCKS | {"else", "end", "template", "break", "continue", "nil", "true", "false"}
_FUNCTIONS = frozenset({"and", "or", "not", "index", "len", "call", "print", "printf", "println", "slice"})
_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "html", "js", "urlquery"})
_KNOWN = _WORDS | _FUNCTIONS | _COMPARISONS
#: The fields of an object's metadata (ObjectMeta), which the containers of runtimes are templates over.
METADATA = frozenset(
    {"Name", "GenerateName", "Namespace", "SelfLink", "UID", "ResourceVersion", "Generation", "CreationTimestamp"}
    | {"DeletionTimestamp", "DeletionGracePeriodSeconds", "Labels", "Annotations", "OwnerReferences", "Finalizers"}
    | {"ManagedFields"}
)


def go_template_fault(text: str, fields: Collection[str], *, quoted: bool = False) -> str | None:
    """Why Go would not parse or execute a template, as far as can be told; None if it would.

    Args:
        fields: those that KServe gives it (``.Name``).
        quoted: whether KServe puts the text into JSON first, where quotes in an action are escaped, and no Go any more.
    """
    open_blocks: list[str] = []
    for action, closed in _actions(text):
        if not closed:
            return "opens {{ and does not close it"
        if quoted and _STRING.search(action):
            return "holds quotes, which KServe escapes before it reads the template"
        action = _STRING.sub('""', action)  # noqa: PLW2901
        if not action:
            return "holds an empty action {{ }}"
        fault = _action_fault(action, () if set(open_blocks) - {"if"} else fields)
        if fault:
            return fault
        word = re.split(r"[\s(]", action, maxsplit=1)[0]
        if word in _NAMED and '""' not in action and "`" not in action:
            return f"names no template to {word}"
        if word in _BLOCKS:
            open_blocks.append(word)
        elif word == "end":
            if not open_blocks:
                return "has an {{ end }} of nothing"
            open_blocks.pop()
    return f"has an {{{{ {open_blocks[-1]} }}}} without its {{{{ end }}}}" if open_blocks else None


def _actions(text: str) -> Iterator[tuple[str, bool]]:
    """What stands between the braces, comments left out, and whether they are closed."""
    for match in _ACTION.finditer(text):
        action = re.sub(r"^-(?=\s)|(?<=\s)-$", "", match[1]).strip()
        if not (match[2] and action.startswith("/*")):
            yield action, bool(match[2])


def _action_fault(action: str, fields: Collection[str]) -> str | None:
    """A word that is no function, or a field that is not there; no fields at all where the dot may be anything."""
    if "{" in action or "}" in action:
        return "opens {{ and does not close it"
    for part in action.split("|"):
        word = re.split(r"[\s(]", part.strip(), maxsplit=1)[0]
        if word.isidentifier() and word not in _KNOWN:
            return f"calls {word}, which is no function"
    if re.search(r"\.\w+-[A-Za-z]", action):
        return "names a field with a dash, which Go does not read"
    unknown = [name for name in _FIELD.findall(action) if fields and name not in fields]
    return f"takes .{unknown[0]}, which KServe does not give" if unknown else None
