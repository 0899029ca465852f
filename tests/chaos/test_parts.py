"""The parts know nothing that would spoil the proof."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "chaos"
PURE = {"plan.py", "judge.py", "report.py"}
CLOCK_AND_WORLD = {"time", "datetime", "os", "subprocess", "socket", "http", "pathlib"}


def imported(path: Path) -> set[str]:
    """The modules that a file imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {
        name.partition(".")[0]
        for node in nodes
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_none_of_them_uses_ksconfig(path: Path) -> None:
    assert "ksconfig" not in imported(path)
    if path.name in PURE:
        assert not imported(path) & CLOCK_AND_WORLD
