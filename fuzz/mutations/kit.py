"""Places in a text that matter more than others."""

from __future__ import annotations

import re
from random import Random

_INTERESTING = re.compile(
    r'"image"|image:|kind:|name:|data:|: [|>]|"[\w-]+"\s*:|^ {2}\w|---|containers:|[{}\[\]]', re.MULTILINE
)
_LINE = re.compile(r"^", re.MULTILINE)


def place(random: Random, text: str) -> int:
    """An offset: mostly in or near what decides."""
    if random.random() < 0.7:
        spots = [match.span() for match in _INTERESTING.finditer(text)]
        if spots:
            start, end = random.choice(spots)
            return min(len(text), max(0, random.randint(start, end + 3)))
    return random.randint(0, len(text))


def line_start(random: Random, text: str) -> int:
    """The start of a line."""
    return text.rfind("\n", 0, place(random, text)) + 1


def stretch(random: Random, text: str, longest: int = 40) -> tuple[int, int]:
    """A stretch of a few characters, seldom of many."""
    start = place(random, text)
    length = random.randint(1, longest if random.random() < 0.8 else max(1, len(text) // 3))
    return start, min(len(text), start + length)


def pick(random: Random, pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """One of the matches."""
    found = list(pattern.finditer(text))
    return random.choice(found) if found else None


def replace_one(random: Random, pattern: re.Pattern[str], text: str, new: str) -> str:
    """The text with one match replaced, literally."""
    match = pick(random, pattern, text)
    return text[: match.start()] + new + text[match.end() :] if match else text
