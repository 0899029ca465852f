"""Bytes outside the replaced spans."""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[int, int, str]


def fault_in_bytes(before: bytes, after: bytes, spans: Sequence[Span]) -> str | None:
    """What is wrong if ``after`` is not ``before`` with these spans (offsets in code points) replaced; None if it is.

    Told twice: by building the new text, and by what the two have in common at both ends.
    """
    old, new = before.decode("utf-8"), after.decode("utf-8")
    built, position = "", 0
    for start, end, text in sorted(spans):
        if start < position:
            return f"the spans {spans} overlap"
        built += old[position:start] + text
        position = end
    if built + old[position:] != new:
        return "bytes outside the replaced spans differ"
    if old == new:
        return None
    first = min(start for start, _, _ in spans)
    last = max(end for _, end, _ in spans)
    if old[:first] != new[:first]:
        return f"the texts differ before offset {first}, where the first span begins"
    tail = len(old) - last
    if tail and old[-tail:] != new[-tail:]:
        return f"the texts differ behind offset {last}, where the last span ends"
    return None
