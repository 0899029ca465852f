"""The parts know nothing of one another that would spoil the proof."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "conformance"


def imported(path: Path) -> set[str]:
    """The modules that a file imports."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {
        name
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }


def ours(path: Path) -> set[str]:
    """The modules of this project that a file imports."""
    return {name for name in imported(path) if name.partition(".")[0] in ("conformance", "ksconfig", "sandbox")}


def test_who_submits_services_knows_neither_the_model_nor_its_predictions() -> None:
    assert ours(PACKAGE / "submit.py") == {"conformance.case", "sandbox.api", "sandbox.handle", "sandbox.places"}


def test_who_predicts_knows_nothing_but_the_model() -> None:
    found = ours(PACKAGE / "predict.py")
    assert {name for name in found if not name.startswith("ksconfig.model.")} == {"conformance.case"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "generator").glob("*.py")), ids=lambda path: path.stem)
def test_who_makes_cases_asks_for_no_prediction(path: Path) -> None:
    allowed = ("conformance.case", "conformance.generator", "ksconfig.model.")
    assert all(name.startswith(allowed) for name in ours(path))
    assert not any(name.endswith((".resolve", ".impact")) for name in ours(path))
