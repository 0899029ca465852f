"""What is printed of a run."""

from __future__ import annotations

from conformance.case import Case
from conformance.compare import Verdict
from conformance.predict import Component, Prediction
from conformance.report import Result, lines
from conformance.submit import Observed

GOOD = Prediction(components={"predictor": Component(("a",))})


def result(name: str, dimension: str, verdict: Verdict, *, naive: bool = False, skipped: str = "") -> Result:
    """A case with what is known of it."""
    return Result(Case(name, dimension, {}), GOOD, Observed(name, skipped=skipped), verdict, naive)


def test_the_last_line_is_the_sum() -> None:
    found = lines(
        [
            result("1", "images", Verdict(), naive=True),
            result("2", "images", Verdict(one_of=True)),
            result("3", "tags", Verdict("predictor: foretold a, but really it runs b")),
            result("4", "tags", Verdict(), skipped="this release has no x"),
        ],
        ["a.yaml: no YAML"],
    )
    assert found[-1] == "cases 3 agree 2 differ 1"
    assert [row.split() for row in found[1:3]] == [
        ["images", "2", "2", "1", "0", "0"],
        ["tags", "1", "0", "0", "0", "1"],
    ]
    assert "always saying the default would agree in 1 of 3 (33%)" in found
    assert "  3 [tags]: predictor: foretold a, but really it runs b" in found
    assert "  4 [tags]: this release has no x" in found
    assert "  a.yaml: no YAML" in found


def test_nothing_tried_is_said_as_well() -> None:
    assert lines([])[-1] == "cases 0 agree 0 differ 0"
