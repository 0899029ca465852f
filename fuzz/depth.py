"""Whether a text is nested so deeply that libyaml would overflow the stack of the process."""

from __future__ import annotations

_DEEP = 100


def is_deep(text: str) -> bool:
    """Whether many brackets are open at once, or dashes stand in a row; rather too often than not."""
    depth = deepest = 0
    for letter in text:
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}" and depth:
            depth -= 1
    return deepest > _DEEP or any(mark * 20 in text for mark in ("- ", "? ", ": ")) or " " * (2 * _DEEP) in text
