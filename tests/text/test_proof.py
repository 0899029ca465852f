"""The proof accepts what was planned and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.errors import InternalError, Refused
from ksconfig.text.json_path import Path
from ksconfig.text.json_write import RawJson
from ksconfig.text.proof import ABSENT, prove_json
from ksconfig.text.yaml_documents import Document
from ksconfig.text.yaml_proof import prove_yaml
from ksconfig.text.yaml_tree import YamlMapping, YamlNode, YamlScalar, read_document

BEFORE = '{"a": {"b": 1, "c": [1, 2]}, "d": "x", "d": "y"}'


@pytest.mark.parametrize(
    ("after", "path", "value"),
    [
        ('{"a":{"b":2,"c":[1,2]},"d":"x","d":"y"}', ("a", "b"), 2),
        ('{"a":{"b":1,"c":[1,3]},"d":"x","d":"y"}', ("a", "c", 1), 3),
        ('{"a":{"b":1,"c":[1,2,3]},"d":"x","d":"y"}', ("a", "c", "-"), 3),
        ('{"a":{"b":1,"c":[2]},"d":"x","d":"y"}', ("a", "c", 0), ABSENT),
        ('{"a":{"c":[1,2]},"d":"x","d":"y"}', ("a", "b"), ABSENT),
        ('{"a":{"b":1,"c":[1,2],"n":{"m":[null]}},"d":"x","d":"y"}', ("a", "n", "m", 0), None),
        ('{"a":{"b":1.50,"c":[1,2]},"d":"x","d":"y"}', ("a", "b"), RawJson("1.50")),
        (BEFORE, ("no", "where"), ABSENT),
    ],
)
def test_json_that_differs_just_as_planned_is_accepted(after: str, path: Path, value: Any) -> None:
    prove_json(BEFORE, after, [(path, value)])


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(BEFORE, id="nothing changed"),
        pytest.param('{"a": {"b": 3, "c": [1, 2]}, "d": "x", "d": "y"}', id="another value"),
        pytest.param('{"a": {"b": 2.0, "c": [1, 2]}, "d": "x", "d": "y"}', id="other digits"),
        pytest.param('{"a": {"b": "2", "c": [1, 2]}, "d": "x", "d": "y"}', id="another type"),
        pytest.param('{"a": {"b": 2, "c": [1, 3]}, "d": "x", "d": "y"}', id="another path as well"),
        pytest.param('{"a": {"b": 2}, "d": "x", "d": "y"}', id="a lost member"),
        pytest.param('{"a": {"b": 2, "c": [1, 2]}, "d": "y"}', id="a lost duplicate"),
        pytest.param('{"a": {"c": [1, 2], "b": 2}, "d": "x", "d": "y"}', id="reordered members"),
        pytest.param('{"a": {"b": 2, "c": [2, 1]}, "d": "x", "d": "y"}', id="reordered items"),
        pytest.param('{"a": {"b": 2, "c": [1, 2]}, "d": "x", "d": "y", "e": 1}', id="a new member"),
        pytest.param('{"a": {"b": 2, "c": [1, 2]}, "d": "x", "d": "y"', id="no JSON"),
        pytest.param('{"a": {"b": NaN, "c": [1, 2]}, "d": "x", "d": "y"}', id="NaN"),
    ],
)
def test_json_that_differs_in_anything_else_is_an_internal_error(after: str) -> None:
    with pytest.raises(InternalError, match="read back"):
        prove_json(BEFORE, after, [(("a", "b"), 2)])


def test_assignments_are_made_in_their_order() -> None:
    prove_json('{"a":1}', '{"b":{"c":2}}', [(("a",), ABSENT), (("b", "c"), 1), (("b", "c"), 2)])


def test_json_that_is_too_deep_for_the_other_reader_is_refused() -> None:
    deep = "[" * 100_000 + "]" * 100_000

    with pytest.raises(Refused, match="nested too deeply"):
        prove_json(deep, deep, [])


YAML = "kind: ConfigMap\ndata:\n  a: |\n    x\n  b: 'y'\nlist: [1, two]\n"


def tree(text: str) -> YamlNode:
    node = read_document(Document(text, 0, len(text)), None)
    assert node is not None
    return node


def scalar(root: YamlNode, *names: str) -> YamlNode:
    assert isinstance(root, YamlMapping)
    node = root.get(*names)
    assert node is not None
    return node


def test_yaml_that_differs_just_as_planned_is_accepted() -> None:
    before = tree(YAML)
    a, data = scalar(before, "data", "a"), scalar(before, "data")
    assert isinstance(a, YamlScalar)

    prove_yaml(before, tree(YAML.replace("x", "z")), {a.start: "z\n"}, {})
    prove_yaml(before, tree(YAML.replace("  b:", "  ab: |-\n    n\n  b:")), {}, {data.start: {"ab": "n"}})
    prove_yaml(before, before, {}, {})


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(YAML, id="nothing changed"),
        pytest.param(YAML.replace("x", "zz"), id="another value"),
        pytest.param(YAML.replace("x", "z").replace("y", "w"), id="another key as well"),
        pytest.param(YAML.replace("x", "z").replace("  b: 'y'\n", ""), id="a lost key"),
        pytest.param(YAML.replace("x", "z").replace("list", "  c: d\nlist"), id="a new key"),
        pytest.param("kind: ConfigMap\ndata:\n  b: 'y'\n  a: |\n    z\nlist: [1, two]\n", id="reordered keys"),
        pytest.param(YAML.replace("x", "z").replace("[1, two]", "[1]"), id="a lost item"),
        pytest.param(YAML.replace("x", "z").replace("[1,", "['1',"), id="another type"),
        pytest.param(YAML.replace("x", "z").replace("[1, two]", "{1: two}"), id="another structure"),
        pytest.param("'text'", id="no mapping"),
    ],
)
def test_yaml_that_differs_in_anything_else_is_an_internal_error(after: str) -> None:
    before = tree(YAML)

    with pytest.raises(InternalError):
        prove_yaml(before, tree(after), {scalar(before, "data", "a").start: "z\n"}, {})


def test_a_document_that_is_gone_or_a_new_key_that_is_not_there_is_an_internal_error() -> None:
    before = tree(YAML)

    with pytest.raises(InternalError):
        prove_yaml(before, None, {}, {})
    with pytest.raises(InternalError, match="new YAML key"):
        prove_yaml(before, tree(YAML), {}, {scalar(before, "data").start: {"n": "m"}})
