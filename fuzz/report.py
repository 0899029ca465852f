"""What is counted and printed."""

from __future__ import annotations

from collections import Counter

from fuzz.mutations import Input
from fuzz.trial import READ, UNCHANGED, WRITTEN, Finding, Outcome

_WIDTH = 32
_COLUMNS = ("inputs", "written", "unchanged", "refused", "findings")


class Report:
    """The sums of a run."""

    def __init__(self) -> None:
        self.inputs = 0
        self.findings = 0
        self._by_kind: dict[str, Counter[str]] = {}
        self._outcomes: Counter[str] = Counter()
        self._readers: Counter[str] = Counter()
        self._found: Counter[str] = Counter()

    def add(self, one: Input, outcomes: list[Outcome], findings: list[Finding]) -> None:
        """Count one input: for each of its kinds it counts once, by the best that came of it."""
        self.inputs += 1
        self.findings += len(findings)
        names = {outcome.name for outcome in outcomes}
        best = "written" if WRITTEN in names else "unchanged" if UNCHANGED in names else "refused"
        for kind in one.kinds:
            row = self._by_kind.setdefault(kind, Counter())
            row.update(("inputs", best))
            row["findings"] += len(findings)
        self._outcomes.update(outcome.name for outcome in outcomes)
        self._readers.update(outcome.reader or "none" for outcome in outcomes if outcome.name == WRITTEN)
        self._found.update(finding.what for finding in findings)

    def lines(self, seconds: float) -> list[str]:
        """The report; the last line is its sum."""
        head = f"{'kind of mutation':{_WIDTH}} " + " ".join(f"{name:>9}" for name in _COLUMNS)
        rows = [
            f"{kind:{_WIDTH}} " + " ".join(f"{counts[name]:9}" for name in _COLUMNS)
            for kind, counts in sorted(self._by_kind.items())
        ]
        first = {READ: 0, WRITTEN: 1, UNCHANGED: 2}
        outcomes = sorted(self._outcomes.items(), key=lambda item: (first.get(item[0], 3), item[0]))
        found = [f"{count:9}  {what}" for what, count in self._found.most_common()]
        return [
            head, *rows, "",
            "outcomes, each of one call or one action:",
            *(f"  {name:{_WIDTH}} {count:9}" for name, count in outcomes), "",
            "writes, by the reader that judged them:",
            *(f"  {name:{_WIDTH}} {count:9}" for name, count in sorted(self._readers.items())), "",
            *(["findings:", *found, ""] if found else []),
            f"{self.inputs / seconds if seconds else 0:.1f} inputs per second, {seconds:.0f} s",
            f"inputs {self.inputs} findings {self.findings}",
        ]  # fmt: skip
