"""Figures of the benches, gathered in one file for ``scripts/bench --all``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

#: Names the file, a figure a line; without it nothing is gathered.
FILE = "KSCONFIG_FIGURES"


class Figure(NamedTuple):
    """One measure of ours, beside that of a peer where there is one, and the bound that it has to keep.

    Attributes:
        what: what is measured, with its unit.
        ours, theirs: the measures; None where there is no peer.
        peer: what is compared with.
        bound: the bound in words.
        holds: whether it is kept.
    """

    what: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    bound: str = ""
    holds: bool = True

    @property
    def verdict(self) -> str:
        """Whether the bound is kept, in a word; "" where there is none."""
        return ("holds" if self.holds else "MISSED") if self.bound else ""

    def __str__(self) -> str:
        theirs = f"{self.theirs:10.2f}" if self.theirs is not None else f"{'':10}"
        ratio = f"{self.ours / self.theirs:7.2f}" if self.theirs else f"{'':7}"
        return (
            f"{self.what:<52}{self.ours:10.2f}  {self.peer:<12}{theirs}{ratio}  {self.bound:<40}{self.verdict}".rstrip()
        )


HEADING = f"{'figure':<52}{'ours':>10}  {'peer':<12}{'':10}{'ratio':>7}  bound"


def gather(*figures: Figure) -> None:
    """Add figures to the file, if there is one."""
    if path := os.environ.get(FILE):
        with open(path, "a", encoding="utf-8") as out:
            out.writelines(json.dumps(figure) + "\n" for figure in figures)


def gathered(path: Path) -> list[Figure]:
    """The figures of a file."""
    return [Figure(*json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
