"""A document becomes a tree of nodes that know where they stand in the file."""

from __future__ import annotations

import pytest
from ruamel.yaml.scanner import Scanner

from ksconfig.errors import InvalidDocument
from ksconfig.text.yaml_documents import Document, split_documents
from ksconfig.text.yaml_tree import STRING_TAG, YamlMapping, YamlNode, YamlScalar, YamlSequence, read_document


def read(text: str) -> YamlNode | None:
    return read_document(Document(text, 0, len(text)), "f.yaml")


def mapping(text: str) -> YamlMapping:
    node = read(text)
    assert isinstance(node, YamlMapping)
    return node


@pytest.mark.parametrize(
    ("value", "style", "decoded", "tag"),
    [
        ("a b", "plain", "a b", "str"),
        ("'it''s'", "single", "it's", "str"),
        ('"a\\n"', "double", "a\n", "str"),
        ("|\n  a\n", "literal", "a\n", "str"),
        (">-\n  a\n  b\n", "folded", "a b", "str"),
        ("1", "plain", "1", "int"),
        ("true", "plain", "true", "bool"),
        ("!!str 1", "plain", "1", "str"),
        ("", "plain", "", "null"),
    ],
)
def test_a_scalar_knows_its_style_value_and_type(value: str, style: str, decoded: str, tag: str) -> None:
    node = mapping(f"k: {value}").get("k")

    assert isinstance(node, YamlScalar)
    assert (node.style, node.value, node.tag) == (style, decoded, f"tag:yaml.org,2002:{tag}")


def test_offsets_count_in_the_whole_file() -> None:
    text = "\ufeffa: 1\n---\nb: 'x'\nc: [y]\n"
    second = list(split_documents(text))[1]
    root = read_document(second, None)

    assert isinstance(root, YamlMapping)
    value, items = root.get("b"), root.get("c")
    assert isinstance(value, YamlScalar)
    assert text[value.start : value.end] == "'x'"
    assert isinstance(items, YamlSequence)
    assert text[items.items[0].start : items.items[0].end] == "y"


def test_json_is_read_as_json_with_tabs_and_its_own_escapes() -> None:
    root = mapping('{\n\t"a":\t"\\/\\ud83d\\ude00", "n": 1, "l": [null, true]}\n')

    value = root.get("a")
    assert isinstance(value, YamlScalar)
    assert (value.value, value.style, value.tag) == ("/\U0001f600", "json", STRING_TAG)
    assert root.flow


def test_flow_style_that_is_not_json_is_read_as_yaml() -> None:
    assert mapping("{a: 'b'}").text("a") == "b"


def test_a_mapping_knows_the_column_of_its_keys_and_keeps_duplicates() -> None:
    root = mapping("a:\n    x: 1\n    x: 2\n")

    inner = root.get("a")
    assert isinstance(inner, YamlMapping)
    assert (root.column, inner.column) == (0, 4)
    assert [key.value for key, _ in inner.items()] == ["x", "x"]
    assert root.text("a", "x") == "1"
    assert root.get("a", "y") is None
    assert root.get("a", "x", "z") is None


def test_what_an_alias_repeats_is_marked_shared_with_all_below_it() -> None:
    root = mapping("a: &x\n  b: [c]\nd: *x\ne: &y f\n")
    a, e = root.get("a"), root.get("e")

    assert a is root.get("d")
    assert a is not None
    assert a.shared
    assert e is not None
    assert not e.shared
    below = root.get("a", "b")
    assert isinstance(below, YamlSequence)
    assert below.shared
    assert below.items[0].shared
    assert not root.shared


@pytest.mark.parametrize("text", ["", "# only\n", "---\n"])
def test_an_empty_document_has_no_tree_or_a_null(text: str) -> None:
    node = read(text)

    assert node is None or (isinstance(node, YamlScalar) and node.value == "")


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("a: \x85\n", 4, "the line break NEL (U+0085) means different things to different YAML readers"),
        ("# \u2028\n", 3, "the line break U+2028 means different things to different YAML readers"),
        ("a: '\u2029'", 5, "the line break U+2029 means different things to different YAML readers"),
        ("a: 1\rb: 2\n", 5, "a carriage return without a line feed"),
        ("a: \x01\n", 4, "not YAML: special characters are not allowed"),
        ("a: *b\n", 4, "not YAML: found undefined alias 'b'"),
        ("@a: 1", 1, "not YAML: while scanning for the next token found character '@' that cannot start any token"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_place(text: str, column: int, reason: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read(text)

    assert (caught.value.line, caught.value.column, caught.value.reason) == (1, column, reason)
    assert caught.value.label == "f.yaml"
    assert caught.value.picture is not None


@pytest.mark.parametrize(
    "text", ["[" * 5000, "[" * 5000 + "]" * 5000, '{"a":' * 5000, "{a: " * 5000 + "1" + "}" * 5000]
)
def test_deep_nesting_is_refused_and_no_crash(text: str) -> None:
    with pytest.raises(InvalidDocument, match="nested too deeply"):
        read(text)


def test_brackets_within_brackets_take_no_time_that_grows_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    original = Scanner.stale_possible_simple_keys

    def counted(self: Scanner) -> None:
        nonlocal looked_at
        looked_at += len(self.possible_simple_keys)
        original(self)

    monkeypatch.setattr(Scanner, "stale_possible_simple_keys", counted)
    with pytest.raises(InvalidDocument, match="nested too deeply"):
        read("a: " + "[{" * 5000)
    assert looked_at < 500_000  # 10 million without a bound


def test_a_name_of_an_anchor_may_be_used_again() -> None:
    root = mapping("a: &x 1\nb: *x\nc: &x 2\nd: *x\n")  # a warning would fail the test
    assert [root.text(key) for key in "abcd"] == ["1", "1", "2", "2"]


@pytest.mark.parametrize("text", ["%YAML 1.3\n---\na: 1\n", "a: 1\nb:\n%YAML 3.0\n---\n"])
def test_a_version_of_yaml_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocument, match="%YAML names a version that cannot be read"):
        read(text)
