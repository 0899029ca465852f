"""A Dockerfile as instructions and words, each character with the offset that it came from. Pure.

Only as much is read as is needed to find words where they stand: comments, line continuations (the escape directive
included), here-documents, quotes. What an instruction means is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_DIRECTIVE = re.compile(r"#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(\S+?)[ \t]*\r?\n?")
#: A word that opens a here-document: the builder knows it by its beginning, and a quoted one begins with its quote.
_HEREDOC = re.compile(r"[0-9]*<<(-?)([^<]+)")
_TAKES_HEREDOCS = ("RUN", "COPY", "ADD")
_BOM = "\ufeff"


class Word(NamedTuple):
    """A stretch of text whose characters each know where they stand in the file.

    Attributes:
        text: the characters.
        offsets: one for each; None for a character that stands nowhere in the file.
    """

    text: str
    offsets: tuple[int | None, ...]

    def part(self, start: int, end: int) -> Word:
        """The characters from start to end."""
        return Word(self.text[start:end], self.offsets[start:end])

    def __add__(self, other: object) -> Word:
        if not isinstance(other, Word):
            return NotImplemented
        return Word(self.text + other.text, self.offsets + other.offsets)


EMPTY = Word("", ())


class Instruction(NamedTuple):
    """One instruction.

    Attributes:
        name: in upper case: "FROM", "ARG".
        words: what follows it, split at white space outside quotes.
        escape: the file's escape character.
        line: the number of its first line, from 1.
    """

    name: str
    words: tuple[Word, ...]
    escape: str
    line: int


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile in their order."""
    escape = _escape(text)
    lines = _Lines(text)
    while (begin := lines.next()) is not None:
        if not begin.text.strip() or begin.text.lstrip().startswith("#"):
            continue
        first = lines.number
        whole = EMPTY
        part: Word | None = begin
        while part is not None:
            if part is not begin and (not part.text.strip() or part.text.lstrip().startswith("#")):
                part = lines.next()  # comments and empty lines may stand between continued lines
                continue
            bare = part.text.rstrip(" \t\r\n")
            if not bare.endswith(escape) or bare.endswith(escape * 2):
                whole += part.part(0, len(part.text.rstrip("\r\n")))
                break
            whole += part.part(0, len(bare) - 1)
            part = lines.next()
        words = _split(whole, escape)
        if not words:
            continue
        name = words[0].text.upper()
        inner = words[1].text.upper() if name == "ONBUILD" and len(words) > 1 else name
        if inner in _TAKES_HEREDOCS:
            for word in words[1:]:
                if opened := _HEREDOC.fullmatch(word.text):
                    lines.skip_to(_unquoted(opened[2], escape), tabs=bool(opened[1]))
        yield Instruction(name, words[1:], escape, first)


def _unquoted(word: str, escape: str) -> str:
    """A word without its quotes and escape characters."""
    return re.sub(f"[\"']|{re.escape(escape)}(.)", lambda match: match[1] or "", word)


def _escape(text: str) -> str:
    """The escape character: directives stand before all else, each on a line of its own."""
    for line in text.removeprefix(_BOM).splitlines(keepends=True):
        directive = _DIRECTIVE.fullmatch(line)
        if directive is None:
            break
        if directive[1].lower() == "escape" and directive[2] in ("\\", "`"):
            return directive[2]
    return "\\"


class _Lines:
    """The lines of a text, each with its offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = len(_BOM) if text.startswith(_BOM) else 0
        self.number = 0

    def next(self) -> Word | None:
        """The next line with its line end; None at the end."""
        start = self._position
        if start >= len(self._text):
            return None
        end = self._text.find("\n", start) + 1 or len(self._text)
        self._position = end
        self.number += 1
        return Word(self._text[start:end], tuple(range(start, end)))

    def skip_to(self, word: str, *, tabs: bool) -> None:
        """Pass over a here-document and the line that ends it."""
        while (line := self.next()) is not None:
            bare = line.text.rstrip("\r\n")
            if (bare.lstrip("\t") if tabs else bare) == word:
                return


def _split(whole: Word, escape: str) -> tuple[Word, ...]:
    """The words between white space; quotes hold a word together and stay in it."""
    words: list[Word] = []
    start: int | None = None
    quote = ""
    position = 0
    while position < len(whole.text):
        character = whole.text[position]
        if not quote and character in " \t\r\n\f\v":
            if start is not None:
                words.append(whole.part(start, position))
                start = None
        else:
            start = position if start is None else start
            if character == escape and quote != "'":
                position += 1
            elif quote:
                quote = "" if character == quote else quote
            elif character in "\"'":
                quote = character
        position += 1
    if start is not None:
        words.append(whole.part(start, len(whole.text)))
    return tuple(words)
