"""Values are replaced, inserted and removed in the layout of their neighbours, and all else stays."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ksconfig.errors import Ambiguous, PathNotFound, Refused, UsageError
from ksconfig.text.json_edit import remove_value, same_value, set_value
from ksconfig.text.json_path import Path, parse_path
from ksconfig.text.json_scanner import parse_json
from ksconfig.text.json_write import RawJson
from ksconfig.text.spans import Edit, apply_edits, invert_edits
from tests.text.strategies import DATA, Place, at, places

SETTINGS = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


def set_in(text: str, path: str | Path, value: Any) -> str:
    return apply_edits(text, set_value(parse_json(text), parse_path(path), value, ("key",)))


def remove_from(text: str, path: str | Path) -> str:
    return apply_edits(text, remove_value(parse_json(text), parse_path(path), ("key",)))


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ('{"a": "x"}', "a", "y", '{"a": "y"}'),
        ('{"a": "x"}', "a", '"\\\n\x7f\u2028é', '{"a": "\\"\\\\\\n\\u007f\\u2028é"}'),
        ('{"a" :1 }', "a", True, '{"a" :true }'),
        ('{"a": "x"}', "a", {"b": [1, None]}, '{"a": {"b": [1, null]}}'),
        ('{"a": 100}', "a", RawJson("1e2"), '{"a": 1e2}'),
        ('{"a": 1}', "a", 1.0, '{"a": 1.0}'),
        ('{"a": 1}', "a", True, '{"a": true}'),
        ('{"a": [1, 2]}', "a[1]", 3, '{"a": [1, 3]}'),
        (
            '{\n  "a": 1,\n  "b": 2\n}',
            "a",
            {"k": [1], "e": {}},
            '{\n  "a": {\n    "k": [\n      1\n    ],\n    "e": {}\n  },\n  "b": 2\n}',
        ),
    ],
)
def test_a_value_is_replaced(before: str, path: str, value: Any, after: str) -> None:
    assert set_in(before, path, value) == after


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        # one line
        ('{"a": 1}', "b", 2, '{"a": 1, "b": 2}'),
        ('{ "a": 1 }', "b", 2, '{ "a": 1, "b": 2 }'),
        ('{"a":1,"c":3}', "b", 2, '{"a":1,"c":3,"b":2}'),
        ('{"a" : "x"}', "b", "y", '{"a" : "x", "b" : "y"}'),
        ('{"a": [1]}', "a[1]", 2, '{"a": [1, 2]}'),
        ('{"a": [1]}', "/a/-", 2, '{"a": [1, 2]}'),
        ('{"a": [1]}', "/a/1", 2, '{"a": [1, 2]}'),
        # lines
        ('{\n  "a": 1\n}', "b", 2, '{\n  "a": 1,\n  "b": 2\n}'),
        ('{\r\n  "a": 1\r\n}', "b.c", 2, '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 2\r\n  }\r\n}'),
        ('{\n\t"a": 1\n}', "b", {"x": 1}, '{\n\t"a": 1,\n\t"b": {\n\t\t"x": 1\n\t}\n}'),
        ('{"a": [\n    1,\n    2\n  ]}', "a[2]", 3, '{"a": [\n    1,\n    2,\n    3\n  ]}'),
        ('{\n  "a": 1, "b": 2\n}', "c", 3, '{\n  "a": 1, "b": 2, "c": 3\n}'),
        # the comma first
        ('{\n  "x": 1\n, "y": 2\n}', "z", 3, '{\n  "x": 1\n, "y": 2\n, "z": 3\n}'),
        ('{ "x": 1\r\n, "y": 2\r\n}', "z", 3, '{ "x": 1\r\n, "y": 2\r\n, "z": 3\r\n}'),
        # into what is empty
        ("{}", "b", 2, '{"b": 2}'),
        ("{ }", "b", 2, '{"b": 2}'),
        ("{\n}", "b", 2, '{\n    "b": 2\n}'),
        ("[]", "/0", 1, "[1]"),
        ('{"a": []}', "a[0]", 1, '{"a": [1]}'),
        ('{\n  "a": {}\n}', "a.b", 1, '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{\n  "a": {\n  }\n}', "a.b", 1, '{\n  "a": {\n    "b": 1\n  }\n}'),
        # missing parents
        ('{"a": {}}', "a.b.c", 1, '{"a": {"b": {"c": 1}}}'),
        ('{"b": 1}', "x.y[0].z", 2, '{"b": 1, "x": {"y": [{"z": 2}]}}'),
        ('{\n  "a": {}\n}', "a.b.c", 1, '{\n  "a": {\n    "b": {\n      "c": 1\n    }\n  }\n}'),
    ],
)
def test_what_is_missing_is_inserted_as_its_neighbours_are_set_out(
    before: str, path: str, value: Any, after: str
) -> None:
    assert set_in(before, path, value) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ('{"a": 1}', "a", "{}"),
        ('{"a": 1, "b": 2}', "a", '{"b": 2}'),
        ('{"a": 1, "b": 2}', "b", '{"a": 1}'),
        ('{"a": 1, "b": 2, "c": 3}', "b", '{"a": 1, "c": 3}'),
        ('{\n  "a": 1,\n  "b": 2\n}', "a", '{\n  "b": 2\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', "b", '{\n  "a": 1\n}'),
        ('{\n  "x": 1\n, "y": 2\n}', "x", '{\n  "y": 2\n}'),
        ('{\n  "x": 1\n, "y": 2\n}', "y", '{\n  "x": 1\n}'),
        ('{"a": [1,2,3]}', "a[0]", '{"a": [2,3]}'),
        ('{"a": [1,2,3]}', "a[2]", '{"a": [1,2]}'),
        ('{"a": [1,2,3]}', "a[9]", '{"a": [1,2,3]}'),
        ('{"a": 1}', "z.y", '{"a": 1}'),
    ],
)
def test_a_value_is_removed_with_its_name_and_one_comma(before: str, path: str, after: str) -> None:
    assert remove_from(before, path) == after


@pytest.mark.parametrize(
    ("text", "path", "error"),
    [
        ('{"a": [1]}', "a[2]", PathNotFound),
        ('{"a": 1}', "a.b", PathNotFound),
        ('{"a": 1}', "x[1]", PathNotFound),
        ('{"A": 1}', "a", Refused),
        ('{"a": 1, "A": 2}', "a", Ambiguous),
        ('{"a": {"b": 1}, "a": {}}', "a.b", Ambiguous),
    ],
)
def test_what_cannot_be_set_is_refused(text: str, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        set_in(text, path, 2)


def test_what_cannot_be_removed_is_refused() -> None:
    with pytest.raises(Ambiguous):
        remove_from('{"a": 1, "A": 2}', "a")
    with pytest.raises(UsageError, match="is a whole text"):
        remove_value(parse_json("{}"), (), ("key",))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {1}, b"x"])
def test_what_has_no_json_form_cannot_be_set(value: Any) -> None:
    with pytest.raises(UsageError):
        set_in('{"a": null}', "a", value)


@pytest.mark.parametrize(
    ("text", "value", "same"),
    [
        ('{"a": 1, "b": 2}', {"b": 2, "a": 1}, True),
        ("[1]", (1,), True),
        ('"\\u0061\\/"', "a/", True),
        ("1e400", RawJson("1e400"), True),
        ("1.0", 1.0, True),
        ("1", 1.0, False),
        ("1", True, False),
        ("0", False, False),
        ("null", False, False),
        ("100", RawJson("1e2"), False),
        ('{"a": 1, "a": 1}', {"a": 1}, False),
        ('"1"', 1, False),
    ],
)
def test_a_value_is_the_same_when_go_reads_the_same(text: str, value: Any, same: bool) -> None:
    assert same_value(parse_json(text), value) is same


def outside(text: str, edits: tuple[Edit, ...]) -> list[str]:
    """The stretches of a text that no edit touches."""
    bounds = [0, *(place for edit in sorted(edits) for place in (edit.start, edit.end)), len(text)]
    return [text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True)]


@SETTINGS
@given(places(), DATA)
def test_only_the_value_at_the_path_changes(place: Place, value: Any) -> None:
    text, data, path = place
    root = parse_json(text)
    edits = set_value(root, path, value)
    after = apply_edits(text, edits)
    wanted = copy.deepcopy(data)
    at(wanted, path[:-1])[path[-1]] = value

    assert json.loads(after) == wanted
    assert outside(text, edits) == outside(after, invert_edits(text, edits))
    assert apply_edits(after, invert_edits(text, edits)) == text
    assert set_value(parse_json(after), path, value) == ()


@SETTINGS
@given(places())
def test_the_present_value_is_no_edit(place: Place) -> None:
    assert set_value(parse_json(place.text), place.path, at(place.data, place.path)) == ()


@SETTINGS
@given(places(), DATA)
def test_a_new_member_comes_last_and_changes_nothing_else(place: Place, value: Any) -> None:
    text, data, _ = place
    after = apply_edits(text, set_value(parse_json(text), ("brand new", "inner"), value))

    assert json.loads(after) == {**data, "brand new": {"inner": value}}
    assert list(json.loads(after))[-1] == "brand new"


@SETTINGS
@given(places())
def test_what_is_removed_is_absent_and_all_else_is_there(place: Place) -> None:
    text, data, path = place
    edits = remove_value(parse_json(text), path)
    after = apply_edits(text, edits)
    wanted = copy.deepcopy(data)
    del at(wanted, path[:-1])[path[-1]]

    assert json.loads(after) == wanted
    assert apply_edits(after, invert_edits(text, edits)) == text
    if isinstance(path[-1], str):
        assert remove_value(parse_json(after), path) == ()


@SETTINGS
@given(places(), st.data())
def test_edits_at_two_separate_paths_can_be_made_in_either_order_or_at_once(place: Place, data: st.DataObject) -> None:
    text = place.text
    tops = list(place.data)
    assume(len([top for top in tops if top != "twice"]) >= 2)
    one, other = data.draw(st.permutations([top for top in tops if top != "twice"]))[:2]
    first, second = data.draw(DATA), data.draw(DATA)

    def change(source: str, name: str, value: Any) -> str:
        return apply_edits(source, set_value(parse_json(source), (name,), value))

    both = (*set_value(parse_json(text), (one,), first), *set_value(parse_json(text), (other,), second))
    in_turn = change(change(text, one, first), other, second)
    assert json.loads(in_turn) == json.loads(change(change(text, other, second), one, first))
    assert json.loads(apply_edits(text, both)) == json.loads(in_turn)
