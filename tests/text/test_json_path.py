"""Paths: how they are written, where they lead, and what is said when they lead nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksconfig.errors import Ambiguous, InvalidPath, PathNotFound, Refused
from ksconfig.text.json_path import Path, find, format_path, missing, parse_path, refuse_other_case
from ksconfig.text.json_scanner import parse_json


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a", ("a",)),
        ("a.b[0]", ("a", "b", 0)),
        ("a[0][12].c", ("a", 0, 12, "c")),
        ("a b.c-d", ("a b", "c-d")),
        ("/a/b/0", ("a", "b", "0")),
        ("/a.b/c", ("a.b", "c")),
        ("/a~1b/c~0d", ("a/b", "c~d")),
        ("/~01", ("~1",)),
        ("/a/-", ("a", "-")),
        ("/", ("",)),
        (("a.b", 0, ""), ("a.b", 0, "")),
        (["a", "b"], ("a", "b")),
    ],
)
def test_a_path_is_dotted_or_a_json_pointer_or_a_sequence(written: Any, path: Path) -> None:
    assert parse_path(written) == path


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".a",
        "a.",
        "a..b",
        "a[",
        "a[x]",
        "a[-1]",
        "a]b",
        "[0]",
        "/a~2",
        "/a~",
        (),
        ("a", -1),
        ("a", True),
        ("a", 1.5),
        ("a", None),
    ],
)
def test_what_is_no_path_is_refused(written: Any) -> None:
    with pytest.raises(InvalidPath):
        parse_path(written)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("a", "b", 0, 1), "a.b[0][1]"),
        (("a.b", 0), "/a.b/0"),
        (("a", ""), "/a/"),
        (("a", "x/y", "~"), "/a/x~1y/~0"),
        (("a", "b[0]"), "/a/b[0]"),
    ],
)
def test_a_path_is_written_dotted_where_that_is_exact_and_else_as_a_pointer(path: Path, written: str) -> None:
    assert format_path(path) == written


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(st.sampled_from("ab./~[]01 -é"), max_size=4) | st.integers(0, 30), min_size=1, max_size=5))
def test_a_written_path_reads_back_as_the_same_path(steps: list[str | int]) -> None:
    written = format_path(steps)

    # a pointer does not tell an index from a name of digits; `find` does
    assert parse_path(written) == (tuple(map(str, steps)) if written.startswith("/") else tuple(steps))
    assert format_path(parse_path(written)) in (written, format_path(parse_path(written)))


TEXT = '{"a": {"image": "x", "list": [10, {"b": 20}]}, "": 30, "a.b": 40, "1": 50}'


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.image", '"x"'),
        ("a.list[0]", "10"),
        ("/a/list/0", "10"),
        ("a.list[1].b", "20"),
        ("/a/list/1/b", "20"),
        (("",), "30"),
        ("/a.b", "40"),
        ("/1", "50"),
    ],
)
def test_a_path_leads_to_its_value(path: str, source: str) -> None:
    found = find(parse_json(TEXT), parse_path(path))

    assert (found.node.source, found.rest) == (source, ())
    assert found.parent is not None
    assert found.at is not None
    assert found.parent.children[found.at] is found.node


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("a", "list", "1", "b"), ("a", "list", 1, "b")),
        (("a", "list", 1, "b"), ("a", "list", 1, "b")),
        (("a", "list", "-"), ("a", "list", 2)),
        (("a", "list", "2", "0"), ("a", "list", 2, "0")),
        (("a", "1"), ("a", "1")),
    ],
)
def test_a_place_has_one_name_however_it_was_asked_for(path: Path, name: Path) -> None:
    assert find(parse_json(TEXT), path).path == name


@pytest.mark.parametrize(
    ("path", "deepest", "rest"),
    [
        (("a", "x", "y"), '{"image": "x", "list": [10, {"b": 20}]}', ("x", "y")),
        (("a", "list", 2), '[10, {"b": 20}]', (2,)),
        (("a", "list", "-"), '[10, {"b": 20}]', (2,)),
        (("A",), TEXT, ("A",)),
    ],
)
def test_a_path_that_leads_further_than_the_text_says_how_far_it_came(path: Path, deepest: str, rest: Path) -> None:
    found = find(parse_json(TEXT), path)

    assert (found.node.source, found.rest) == (deepest, rest)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("a", "image", "b"), 'k.a.image is the string "x", so nothing lies at k.a.image.b. Ask for k.a.image itself.'),
        (("a", 0), "k.a is an object, not an array, so it has no item [0]"),
        (("a", "list", "x"), 'k.a.list is an array of 2, and "x" is no index. Items are k.a.list[0] and so on.'),
        (("a", "list", "01"), 'k.a.list is an array of 2, and "01" is no index. Items are k.a.list[0] and so on.'),
    ],
)
def test_a_step_that_does_not_fit_what_stands_there_is_named(path: Path, message: str) -> None:
    with pytest.raises(PathNotFound) as caught:
        find(parse_json(TEXT), path, ("k",))

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "path", "places"),
    [
        ('{"a": 1,\n "a": 2}', ("a",), '"a" at line 1, column 2 and "a" at line 2, column 2'),
        ('{"a": 1,\n "A": 2}', ("a",), '"a" at line 1, column 2 and "A" at line 2, column 2'),
        ('{"Key": 1, "\u212aey": 2}', ("key",), '"Key" at line 1, column 2 and "\u212aey" at line 1, column 12'),
        ('{"\u017f": 1, "s": 2}', ("S",), '"\u017f" at line 1, column 2 and "s" at line 1, column 10'),
        ('{"\\u0061": 1, "a": 2}', ("a", "b"), '"\\u0061" at line 1, column 2 and "a" at line 1, column 15'),
    ],
)
def test_names_on_the_path_that_kserve_takes_for_one_are_refused_with_both_places(
    text: str, path: Path, places: str
) -> None:
    with pytest.raises(Ambiguous, match="more than once") as caught:
        find(parse_json(text), path, ("k",))

    assert places in str(caught.value)


def test_duplicates_beside_the_path_are_not_in_the_way() -> None:
    assert find(parse_json('{"x": 1, "a": {"b": 2}, "X": 1}'), ("a", "b")).node.source == "2"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("a", "imaeg"), "k.a.imaeg is not there. Did you mean k.a.image?"),
        (("a", "imaeg", "x"), "k.a.imaeg.x is not there. Did you mean k.a.image.x?"),
        (("a", "IMAGE"), "k.a.IMAGE is not there. Did you mean k.a.image?"),
        (("a", "zzz"), "k.a.zzz is not there: k.a holds image, list"),
        (("a", "list", 1, "c"), "k.a.list[1].c is not there: k.a.list[1] holds b"),
        (("a", "list", 7), "k.a.list[7] is not there: k.a.list has 2 items"),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest_name(path: Path, message: str) -> None:
    assert str(missing(find(parse_json(TEXT), path, ("k",)), ("k", *path))) == message


def test_an_empty_object_holds_nothing() -> None:
    found = find(parse_json("{}"), ("x",), ("k",))

    assert str(missing(found, ("k", "x"))) == "k.x is not there: k holds nothing"


@pytest.mark.parametrize(("there", "asked"), [("Image", "image"), ("\u212a", "k"), ("\u017f", "s"), ("É", "é")])
def test_a_name_is_not_added_beside_one_that_differs_only_in_case(there: str, asked: str) -> None:
    found = find(parse_json(f'{{"{there}": 1}}'), (asked,), ("k",))

    with pytest.raises(Refused) as caught:
        refuse_other_case(found, ("k", asked))
    assert f'"{there}" at line 1, column 2 differs from {asked} only in case' in str(caught.value)
    assert str(caught.value).endswith(f"Say k.{there}.")


def test_a_name_that_differs_in_more_than_case_may_be_added() -> None:
    refuse_other_case(find(parse_json('{"a": 1}'), ("b",)), ("b",))
    refuse_other_case(find(parse_json("[1]"), (1,)), (1,))
