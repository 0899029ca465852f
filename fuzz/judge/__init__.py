"""Whether a write is right, told without any of ksconfig's own code.

`spans` compares bytes. `reading` reads both texts with PyYAML (and with the standard library where a document is JSON),
`expected` computes on plain data what should have become of each text, and `verdict` finds every difference and lets
only the planned ones pass.
"""

from fuzz.judge.verdict import Planned, Verdict, judge

__all__ = ["Planned", "Verdict", "judge"]
