"""The layers of docs/architecture.md, held: what each part may import."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ksconfig"

_BELOW_CLI = ("errors", "text", "model", "source", "operations", "manifests", "cluster", "cli")

# from lowest to highest: a part may import those before it; third parties are named
LAYERS: dict[str, tuple[set[str], set[str]]] = {
    "secrecy": (set(), set()),
    "errors": ({"secrecy"}, set()),
    "text": ({"errors", "text"}, {"ruamel"}),
    "model": ({"errors", "text", "model"}, set()),
    "source": (
        {"secrecy", "errors", "text", "model", "source", ""},
        {"kubernetes", "tenacity", "urllib3", "dxf", "requests"},
    ),
    "operations": ({"errors", "text", "model", "source", "operations", ""}, set()),
    "manifests": ({"errors", "text", "model", "source", "operations", ""}, set()),
    "cluster": ({"errors", "text", "model", "source", "operations", "cluster_runtimes", ""}, set()),
    "cluster_runtimes": ({"errors", "model", "operations", "cluster", ""}, set()),
    "cli": ({"secrecy", *_BELOW_CLI, ""}, {"click"}),
    "__main__": ({"cli"}, set()),
    "__init__": ({"errors", "model", "operations", "manifests", "cluster"}, set()),
}
IMPURE = {"os", "io", "pathlib", "socket", "subprocess", "tempfile", "time", "datetime", "random", "shutil", "sys"}


def imports_of(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def modules() -> list[tuple[str, Path]]:
    """Every module with the part that it belongs to."""
    return [(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path) for path in sorted(PACKAGE.rglob("*.py"))]


@pytest.mark.parametrize(("part", "path"), modules(), ids=lambda value: str(value).removeprefix(f"{PACKAGE}/"))
def test_a_module_imports_only_what_its_layer_may(part: str, path: Path) -> None:
    own, others = LAYERS[part]
    for name in imports_of(path):
        top, _, rest = name.partition(".")
        if top == "ksconfig":
            assert rest.partition(".")[0] in own, f"{path.name} imports {name}"
        elif top not in sys.stdlib_module_names:
            assert top in others, f"{path.name} imports {name}"


@pytest.mark.parametrize(
    "path", [path for part, path in modules() if part in ("text", "model")], ids=lambda path: path.stem
)
def test_texts_and_models_do_no_input_or_output(path: Path) -> None:
    allowed = {"io"} if path.name == "yaml_print.py" else set()  # a StringIO, for a printer that wants a file
    assert imports_of(path) & IMPURE <= allowed
    names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    assert not names & {"open", "print", "input"}


@pytest.mark.parametrize("path", [path for _, path in modules()], ids=lambda path: path.stem)
def test_a_module_holds_one_idea(path: Path) -> None:
    assert path.read_text().count("\n") <= 400
