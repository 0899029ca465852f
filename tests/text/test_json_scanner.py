"""JSON is scanned as strictly as Go reads it, and each fault is named where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksconfig.errors import InvalidDocument
from ksconfig.text.json_scanner import Node, fold, names_taken_twice, parse_json
from ksconfig.text.spans import Origin
from tests.text.strategies import DATA, OBJECTS, written_json

DEEP = 200_000


def fault(text: str, origin: Origin | None = None) -> InvalidDocument:
    with pytest.raises(InvalidDocument) as caught:
        parse_json(text, origin)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("[]", []),
        (" \t\r\n[ \n]\r\n", []),
        ("1", 1),
        ("-0", 0),
        ("0", 0),
        ("1e2", 100.0),
        ("1E+2", 100.0),
        ("-1.5e-2", -0.015),
        ("1e400", float("inf")),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("true", True),
        ("false", False),
        ("null", None),
        ('""', ""),
        ('"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
        ('"\\u00e9\\u0000"', "é\0"),
        ('"\\ud83d\\ude00 \\uD83D\\uDE00"', "\U0001f600 \U0001f600"),
        ('"\x7f\u2028\ufeff\U0001f600"', "\x7f\u2028\ufeff\U0001f600"),
        ('{"a": [1, {"b": null}], "": {}}', {"a": [1, {"b": None}], "": {}}),
        ('{"a": "{{ x }} // # \'"}', {"a": "{{ x }} // # '"}),
    ],
)
def test_what_rfc_8259_allows_is_read(text: str, value: Any) -> None:
    assert parse_json(text).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"\\ud800"', "\ufffd"),
        ('"\\udc00"', "\ufffd"),
        ('"a\\uDFFFb"', "a\ufffdb"),
        ('"\\ud800\\ud83d\\ude00"', "\ufffd\U0001f600"),
        ('"\\ude00\\ud83d"', "\ufffd\ufffd"),
        ('"\\ud800\\u0041"', "\ufffdA"),
    ],
)
def test_a_lone_surrogate_escape_is_read_as_the_replacement_character(text: str, value: str) -> None:
    assert parse_json(text).value == value


def test_of_duplicate_names_the_last_counts() -> None:
    assert parse_json('{"a": 1, "b": 2, "a": 3}').value == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "the text is empty"),
        (" ", 2, "the text is empty"),
        ("NaN", 1, "NaN is no JSON number"),
        ('{"a": NaN}', 7, "NaN is no JSON number"),
        ("-Infinity", 1, "-Infinity is no JSON number"),
        ("\ufeff{}", 1, "a byte order mark (U+FEFF) stands here; JSON must begin without one"),
        ("{} x", 4, "text after the end of the JSON value: x"),
        ("{}{}", 3, "text after the end of the JSON value: {"),
        ('{"a": 1}]', 9, "text after the end of the JSON value: ]"),
        ("1 2", 3, "text after the end of the JSON value: 2"),
        ('"a\tb"', 3, "the control character U+0009 must be written as an escape"),
        ('"a\0b"', 3, "the control character U+0000 must be written as an escape"),
        ('"a\nb"', 3, "a line break inside a string, or its closing quote is missing"),
        ('"a\rb"', 3, "a line break inside a string, or its closing quote is missing"),
        ("01", 1, "01 is no JSON number"),
        ("-01", 1, "-01 is no JSON number"),
        ("1.", 1, "1. is no JSON number"),
        (".5", 1, ".5 is no JSON number"),
        ("+1", 1, "+1 is no JSON number"),
        ("0x1F", 1, "0x1F is no JSON number"),
        ("1e", 1, "1e is no JSON number"),
        ("-", 1, "- is no JSON number"),
        ("\u00a01", 1, "white space that JSON does not know: U+00A0"),
        ("[1\u00a0]", 3, "white space that JSON does not know: U+00A0"),
        ("\x0c1", 1, "white space that JSON does not know: U+000C"),
        ("[\u2028]", 2, "white space that JSON does not know: U+2028"),
        ("{'a':1}", 2, 'JSON strings stand in double quotes (")'),
        ("['a']", 2, 'JSON strings stand in double quotes (")'),
        ("// c\n{}", 1, "JSON has no comments"),
        ('{"a":1 /* c */}', 8, "JSON has no comments"),
        ("# c\n1", 1, "JSON has no comments"),
        ("{{ x }}", 1, "a template stands here, not JSON"),
        ('{"a": {{ x }} }', 7, "a template stands here, not JSON"),
        ("True", 1, "True is written true in JSON"),
        ("FALSE", 1, "FALSE is written false in JSON"),
        ("None", 1, "None is written null in JSON"),
        ("undefined", 1, "undefined is written null in JSON"),
        ("nul", 1, "a value must stand here, not nul"),
        ("[1,]", 3, 'a comma too many before "]"'),
        ('{"a":1,}', 7, 'a comma too many before "}"'),
        ("[,1]", 2, 'a value is missing before ","'),
        ("[1,,2]", 4, 'a value is missing before ","'),
        ('{"a":}', 6, 'a value is missing before "}"'),
        ("{,}", 2, "a comma where a name must stand"),
        ('{"a":1,,"b":2}', 8, "a comma where a name must stand"),
        ('{"a"}', 5, 'a colon is missing after the name "a"'),
        ('{"a" 1}', 5, 'a colon is missing after the name "a"'),
        ("{a:1}", 2, "a name in double quotes must stand here, not a"),
        ("{1:2}", 2, "a name in double quotes must stand here, not 1"),
        ("[1 2]", 3, "a comma is missing after 1"),
        ('{"a":"x" "b":2}', 9, 'a comma is missing after "x"'),
        ('{"a":{"b":1} "c":2}', 13, 'a comma is missing after "}"'),
        ("[[1] [2]]", 5, 'a comma is missing after "]"'),
        ("[1:2]", 3, "a colon inside an array"),
        ("[1}", 3, '"}" cannot close the array that begins at line 1, column 1'),
        ('{"a":1]', 7, '"]" cannot close the object that begins at line 1, column 1'),
        ("[", 2, 'the array that begins at line 1, column 1 is not closed by "]"'),
        ('{"a": {"b": 1}  ', 15, 'the object that begins at line 1, column 1 is not closed by "}"'),
        ('{"a":', 6, 'the object that begins at line 1, column 1 is not closed by "}"'),
        ('["a', 4, "the string that begins at line 1, column 2 is not closed"),
        ('"\\x"', 2, "JSON has no escape \\x"),
        ('"\\u12"', 2, "\\u needs four hexadecimal digits"),
        ('"\\', 2, "JSON has no escape \\"),
        ("\U0001f4a5", 1, "a value must stand here, not \U0001f4a5"),
    ],
)
def test_all_else_is_refused_with_its_place_and_the_reason(text: str, column: int, reason: str) -> None:
    error = fault(text)

    assert (error.line, error.column, error.reason) == (1, column, reason)
    assert error.picture is not None
    assert error.picture.split("\n")[1].index("^") - len("  1 | ") == column - 1


def test_a_fault_names_line_and_column_and_shows_the_line_with_a_caret() -> None:
    error = fault('{\n  "a": {"b": 1}\n  "c": 2\n}')

    assert (
        str(error) == 'line 2, column 16: a comma is missing after "}"\n  2 |   "a": {"b": 1}\n    |                ^'
    )


def test_a_long_value_before_a_missing_comma_is_shown_by_its_ends() -> None:
    assert fault(f'["{"x" * 30}{"y" * 30}" 1]').reason == f'a comma is missing after "{"x" * 19} ... {"y" * 14}"'


def test_a_fault_is_placed_in_the_source_that_the_text_stands_in() -> None:
    origin = Origin("k: |\n  {a}\n", "kserve.yaml, key k", lambda offset: offset + 7)

    error = fault("{a}", origin)

    assert (error.label, error.line, error.column) == ("kserve.yaml, key k", 2, 4)
    assert error.picture == "  2 |   {a}\n    |    ^"


def test_every_node_knows_its_span_its_names_and_its_children() -> None:
    text = ' {"a" : [1, "x"],\r\n"b":{} } '
    root = parse_json(text)

    def outline(node: Node) -> Any:
        return (node.kind, node.source, [n.source for n in node.names], [outline(child) for child in node.children])

    assert (root.start, root.end) == (1, len(text) - 1)
    assert outline(root) == (
        "object",
        '{"a" : [1, "x"],\r\n"b":{} }',
        ['"a"', '"b"'],
        [
            ("array", '[1, "x"]', [], [("number", "1", [], []), ("string", '"x"', [], [])]),
            ("object", "{}", [], []),
        ],
    )


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_nesting_is_bounded_by_memory_alone(opening: str, closing: str) -> None:
    node, depth = parse_json(opening * DEEP + "1" + closing * DEEP), 0
    while node.children:
        node, depth = node.children[0], depth + 1

    assert node.source == "1"
    assert depth == DEEP * (len(closing))


@pytest.mark.parametrize(("opening", "kind"), [("[", "array"), ('{"a":', "object")])
def test_deep_nesting_that_is_not_closed_is_refused_like_any_other(opening: str, kind: str) -> None:
    error = fault(opening * DEEP)

    assert error.reason.startswith(f"the {kind} that begins at line 1, column {(DEEP - 1) * len(opening) + 1} is not")
    assert error.column == DEEP * len(opening) + 1


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_value_is_what_the_standard_library_reads(data: st.DataObject) -> None:
    value = data.draw(DATA)
    indent = data.draw(st.sampled_from([None, 0, 2, "\t"]))
    separators = data.draw(st.sampled_from([(",", ":"), (", ", ": "), ("\r\n, ", "\t:\t")]))
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=data.draw(st.booleans()))

    assert parse_json(text).value == json.loads(text) == value


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_white_space_has_no_meaning(data: st.DataObject) -> None:
    value = data.draw(OBJECTS)

    assert parse_json(data.draw(written_json(value))).value == value


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_text_is_refused_exactly_when_the_standard_library_refuses_it(data: st.DataObject) -> None:
    text = json.dumps(data.draw(OBJECTS), ensure_ascii=False)
    place = data.draw(st.integers(0, len(text)))
    character = data.draw(st.sampled_from(list("{}[],:\"\\0-.e \n/#'")))
    damaged = text[:place] + character + text[place + data.draw(st.integers(0, 1)) :]
    try:
        wanted = json.loads(damaged)
    except ValueError:
        fault(damaged)
    else:
        assert parse_json(damaged).value == wanted


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("image", "IMAGE", True),
        ("k", "\u212a", True),
        ("s", "\u017f", True),
        ("É", "é", True),
        ("i", "\u0131", False),
        ("ss", "ß", False),
        ("image", "images", False),
    ],
)
def test_names_are_compared_letter_by_letter_without_case(one: str, other: str, same: bool) -> None:
    assert (fold(one) == fold(other)) is same


def test_names_that_go_takes_for_one_another_are_grouped() -> None:
    assert names_taken_twice(parse_json('{"a":1,"b":2,"A":3,"c":4,"b":5,"a":6}')) == [[0, 2, 5], [1, 4]]
    assert names_taken_twice(parse_json('{"a":1,"b":{"a":2}}')) == []
