"""The documents of a YAML stream, found without reading them.

A release manifest is megabytes of CRDs around one small ConfigMap, and a YAML reader is slow; so documents are split at
their markers, and only those worth it are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_BLANK = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*[ \t]*(?:#[^\n]*)?\Z")
_KIND = re.compile(r"""(?:^|\n|\ufeff)(?:kind|"kind"|'kind')[ \t]*:[ \t]*["']?([A-Za-z]*)""")


class Document(NamedTuple):
    """One document of a stream: ``text[start:end]``, its markers and directives included."""

    text: str
    start: int
    end: int

    @property
    def source(self) -> str:
        """The characters of the document."""
        return self.text[self.start : self.end]


def split_documents(text: str) -> Iterator[Document]:
    """The documents of a stream in order; blank ones are left out.

    A document begins at a line ``---`` (content may follow on that line) or behind a line ``...``; directives before
    ``---`` belong to the document that they introduce. A byte order mark at the start belongs to none.
    """
    start = 1 if text.startswith("\ufeff") else 0
    for offset, ends in _markers(text, start):
        if ends:
            line_end = text.find("\n", offset)
            stop = len(text) if line_end < 0 else line_end + 1
        elif _BLANK.match(text[start:offset]):
            continue  # comments and directives above the marker
        else:
            stop = offset
        if not _BLANK.match(text[start:offset]):
            yield Document(text, start, stop)
        start = stop
    if not _BLANK.match(text[start:]):
        yield Document(text, start, len(text))


def _markers(text: str, start: int) -> Iterator[tuple[int, bool]]:
    """Offsets of the lines that begin with ``---`` (False) or ``...`` (True), by plain search, which is fast."""
    found: list[tuple[int, bool]] = []
    for marker in ("---", "..."):
        position = start if text.startswith(marker, start) else _next_line(text, marker, start)
        while position >= 0:
            if text[position + 3 : position + 4] in ("", " ", "\t", "\n", "\r"):
                found.append((position, marker == "..."))
            position = _next_line(text, marker, position)
    return iter(sorted(found))


def _next_line(text: str, marker: str, position: int) -> int:
    """The start of the next line that begins with the marker, or -1."""
    feed = text.find("\n" + marker, position)
    return feed + 1 if feed >= 0 else -1


def kind_of(document: Document) -> str | None:
    """The word on the document's ``kind:`` line in the first column, or None if it has no such line.

    Flow and JSON documents, and indented ones, have none; they must be read to know.
    """
    match = _KIND.search(document.text, max(document.start - 1, 0), document.end)
    return match[1] if match else None
