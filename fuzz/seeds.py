"""Where inputs begin: KServe's published manifests where they are at hand, examples, and those of the tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT.parent / "shared/data/kserve"
_KEY = re.compile(r"^  (\w+): \|-?\n(?:    .*\n|\n)*", re.MULTILINE)
_OBJECT = re.compile(r"^kind: (?:ConfigMap|List|(?:Cluster)?(?:ServingRuntime|StorageContainer))$", re.MULTILINE)
_CONFIG = re.compile(r"^  name: inferenceservice-config$", re.MULTILINE)
_RUNTIME = re.compile(r"^kind: (?:Cluster)?(?:ServingRuntime|StorageContainer)$(?s:.*?)^ +(?:- )?image: ", re.MULTILINE)
_LARGEST = 60_000  # more is read no other way, only slower


class Seed(NamedTuple):
    """A manifest before anything was done to it."""

    name: str
    text: str


class Seeds(NamedTuple):
    """All of them, in an order that does not change; those of a group are alike."""

    groups: tuple[tuple[Seed, ...], ...]

    def choose(self, random: Random) -> Seed:
        """One of them; each group has the same share."""
        return random.choice(random.choice(self.groups))

    def __len__(self) -> int:
        return sum(map(len, self.groups))


def seeds() -> Seeds:
    """Those in which there is something to edit."""
    published = list(_published())
    groups = (
        [one for one in published if one.name.endswith("config.yaml")],
        [one for one in published if one.name.endswith("config.yaml")],  # once more: most of the work is on these
        [one for one in published if one.name.endswith("runtimes.yaml")],
        [*_examples(), *_of_tests()],
    )
    worth = (tuple(one for one in group if len(one.text) <= _LARGEST and _is_worth(one.text)) for group in groups)
    return Seeds(tuple(group for group in worth if group))


def _is_worth(text: str) -> bool:
    return bool(_RUNTIME.search(text) or (_CONFIG.search(text) and '"image"' in text))


def shortened(text: str, random: Random) -> str:
    """A config with a few of its keys: what is tried is read sooner, and is more often hit by a mutation."""
    keys = list(_KEY.finditer(text))
    if len(keys) < 4:
        return text
    kept = set(random.sample(range(len(keys)), random.randint(1, 3)))
    for index in reversed(range(len(keys))):
        if index not in kept:
            text = text[: keys[index].start()] + text[keys[index].end() :]
    return text


def _published() -> Iterator[Seed]:
    for path in sorted(PUBLISHED.glob("*/*.yaml")):
        if path.name in ("config.yaml", "runtimes.yaml"):
            yield Seed(f"{path.parent.name}/{path.name}", path.read_text(encoding="utf-8"))


def _examples() -> Iterator[Seed]:
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        yield Seed(f"examples/{path.name}", path.read_text(encoding="utf-8"))


def _of_tests() -> Iterator[Seed]:
    """The texts in the tests that are manifests with something to edit."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _OBJECT.search(node.value):
                yield Seed(f"tests/{path.name}:{node.lineno}", node.value)
