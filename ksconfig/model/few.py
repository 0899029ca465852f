"""Long lists in messages: the first few, and that there are more."""

from __future__ import annotations

from collections.abc import Iterable

from ksconfig.errors import on_one_line

#: So many of a list are named, unless a place has a reason for another number.
FEW = 5


def first_few(items: Iterable[object], limit: int = FEW) -> str:
    """``a, b and 3 more``."""
    names = [str(one) for one in items]
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def and_so_on(items: Iterable[object], limit: int = FEW) -> str:
    """``a, b, ...``, where it does not matter how many more there are."""
    names = [str(one) for one in items]
    return ", ".join([*names[:limit], *(["..."] if len(names) > limit else [])])


def first_lines(lines: Iterable[str], limit: int = FEW) -> str:
    """The first lines, and one that says how many more there are."""
    found = [on_one_line(line) for line in lines]
    more = [f"  ... and {len(found) - limit} more"] if len(found) > limit else []
    return "\n".join([*found[:limit], *more])
