"""What is printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from conformance.case import Case
from conformance.compare import Verdict
from conformance.predict import Prediction
from conformance.submit import Observed

_WIDTH = 34


class Result(NamedTuple):
    """A case, and all that is known of it.

    Attributes:
        naive: whether the one who knows but defaults is right too.
    """

    case: Case
    foretold: Prediction
    seen: Observed
    verdict: Verdict
    naive: bool


def lines(results: Sequence[Result], left: Sequence[str] = ()) -> list[str]:
    """The report; the last line is its sum.

    Args:
        left: what is no case at all, and why.
    """
    tried = [one for one in results if not one.seen.skipped]
    skipped = [one for one in results if one.seen.skipped]
    differing = [one for one in tried if one.verdict.difference]
    found = [*_table(tried), ""]
    refused = sum(one.foretold.refused for one in tried)
    if tried:
        naive = sum(one.naive for one in tried)
        found.append(f"refused by KServe, as foretold: {refused} of {len(tried)} ({refused / len(tried):.0%})")
        found.append(f"always saying the default would agree in {naive} of {len(tried)} ({naive / len(tried):.0%})")
    told = [f"{_label(one.case)}: {one.seen.skipped}" for one in skipped]
    wrong = [f"{_label(one.case)}: {one.verdict.difference}" for one in differing]
    for title, some in (("skipped", [*left, *told]), ("differences", wrong)):
        if some:
            found += ["", f"{title}:", *(f"  {one}" for one in some)]
    agreeing = len(tried) - len(differing)
    return [*found, "", f"cases {len(tried)} agree {agreeing} differ {len(differing)}"]


def _table(results: Sequence[Result]) -> list[str]:
    rows = [f"{'dimension':{_WIDTH}} cases agree one of refused differ"]
    for name in dict.fromkeys(one.case.dimension for one in results):
        some = [one for one in results if one.case.dimension == name]
        differing = sum(bool(one.verdict.difference) for one in some)
        numbers = (
            len(some),
            len(some) - differing,
            sum(one.verdict.one_of for one in some),
            sum(one.foretold.refused for one in some),
            differing,
        )
        widths = (5, 5, 6, 7, 6)
        rows.append(f"{name:{_WIDTH}} " + " ".join(f"{n:{w}}" for n, w in zip(numbers, widths, strict=True)))
    return rows


def _label(case: Case) -> str:
    return f"{case.name} [{case.dimension}]"
