"""Edits as spans: what a set of them means, how it is undone, and how a series becomes one set."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksconfig.text.spans import (
    Edit,
    EditedText,
    Lines,
    Origin,
    Position,
    apply_edits,
    invert_edits,
    ordered,
    picture_of,
    position_of,
)


@st.composite
def edit_sets(draw: st.DrawFn, length: int) -> tuple[Edit, ...]:
    """Edits that do not overlap, in any order."""
    bounds = sorted(draw(st.lists(st.integers(0, length), max_size=8, unique=True)))
    spans = zip(bounds[::2], bounds[1::2], strict=False)
    edits = [
        Edit(start, draw(st.sampled_from([start, end])), draw(st.text("xyz\n", max_size=3))) for start, end in spans
    ]
    return tuple(draw(st.permutations(edits)))


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        ("abc", [], "abc"),
        ("abc", [Edit(1, 2, "XX")], "aXXc"),
        ("abc", [Edit(0, 0, "X"), Edit(3, 3, "Y")], "XabcY"),
        ("abc", [Edit(2, 3, "C"), Edit(0, 1, "A")], "AbC"),
        ("abc", [Edit(0, 1, ""), Edit(1, 2, "")], "c"),
        ("abc", [Edit(0, 1, "A"), Edit(1, 1, "-")], "A-bc"),
        ("\U0001f600b", [Edit(0, 1, "a")], "ab"),
        ("", [Edit(0, 0, "a")], "a"),
    ],
)
def test_edits_replace_their_spans_and_nothing_else(before: str, edits: list[Edit], after: str) -> None:
    assert apply_edits(before, edits) == after
    assert apply_edits(after, invert_edits(before, edits)) == before


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(0, 2, ""), Edit(1, 3, "")],
        [Edit(0, 3, ""), Edit(1, 2, "")],
        [Edit(1, 1, "a"), Edit(1, 1, "b")],
        [Edit(1, 1, "a"), Edit(1, 2, "b")],
        [Edit(2, 1, "")],
        [Edit(3, 4, "")],
        [Edit(-1, 0, "")],
    ],
)
def test_edits_that_overlap_or_leave_the_text_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="overlaps another one or leaves the text"):
        ordered(edits, 3)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_inverse_edits_restore_the_text(data: st.DataObject) -> None:
    text = data.draw(st.text("abc\n", max_size=20))
    edits = data.draw(edit_sets(len(text)))

    assert apply_edits(apply_edits(text, edits), invert_edits(text, edits)) == text


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_series_of_edits_can_be_said_as_one_set_on_the_original(data: st.DataObject) -> None:
    original = data.draw(st.text("abc\n", max_size=20))
    edited, expected = EditedText(original), original
    for _ in range(data.draw(st.integers(0, 5))):
        edits = data.draw(edit_sets(len(edited.text)))
        edited.edit(edits)
        expected = apply_edits(expected, edits)

    assert edited.text == expected
    assert apply_edits(original, edited.edits()) == expected


def test_edits_that_ended_as_they_began_are_left_out() -> None:
    edited = EditedText("abc")
    edited.edit([Edit(1, 2, "X"), Edit(2, 3, "C")])
    edited.edit([Edit(1, 2, "b")])
    edited.edit([Edit(2, 3, "c")])

    assert edited.edits() == ()


def test_an_edit_that_is_refused_leaves_the_text_alone() -> None:
    edited = EditedText("abc")
    with pytest.raises(ValueError, match="leaves the text"):
        edited.edit([Edit(0, 9, "")])

    assert (edited.text, edited.edits()) == ("abc", ())


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("", 0, (1, 1)),
        ("ab", 1, (1, 2)),
        ("a\nb", 1, (1, 2)),
        ("a\nb", 2, (2, 1)),
        ("a\r\nb", 3, (2, 1)),
        ("a\n", 2, (2, 1)),
        ("\U0001f600b", 1, (1, 2)),
    ],
)
def test_places_count_lines_and_code_points_from_one(text: str, offset: int, place: tuple[int, int]) -> None:
    assert position_of(text, offset) == place
    assert str(Position(*place)) == f"line {place[0]}, column {place[1]}"


@pytest.mark.parametrize(
    ("text", "offset", "picture"),
    [
        ("ab", 1, "  1 | ab\n    |  ^"),
        ("a\nbc\r\nd", 5, "  2 | bc\n    |   ^"),
        ("\tb", 1, "  1 |  b\n    |  ^"),
        ("a\0b", 2, "  1 | a\u00b7b\n    |   ^"),
        ("", 0, "  1 | \n    | ^"),
        ("x\n" * 99 + "ab", 199, "  100 | ab\n      |  ^"),
    ],
)
def test_a_picture_is_the_line_with_a_caret_under_the_place(text: str, offset: int, picture: str) -> None:
    assert picture_of(text, offset) == picture


@pytest.mark.parametrize("number", [1, 10, 1000])
@pytest.mark.parametrize("offset", [0, 1, 60, 68, 69, 300, 499, 550, 599, 600])
def test_a_picture_of_a_long_line_is_cut_to_80_columns_and_keeps_its_caret(number: int, offset: int) -> None:
    text = "".join(chr(ord("a") + i % 26) for i in range(600))
    before = "\n" * (number - 1)

    line, caret = picture_of(before + text, len(before) + offset).split("\n")

    assert max(len(line), len(caret)) <= 80
    assert line[caret.index("^") :][:1] == text[offset : offset + 1]


def test_an_origin_names_places_in_the_source_that_a_text_stands_in() -> None:
    origin = Origin("a: |\n  xy\n", "f", lambda offset: offset + 7)

    assert origin.position(1) == (2, 4)
    assert origin.picture(1) == "  2 |   xy\n    |    ^"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_lines_tells_the_positions_that_position_of_tells(size: int) -> None:
    text = ("ab\n\nc" * (size // 5 + 1))[:size]
    lines = Lines(text)
    for offset in {0, size // 3, max(size - 1, 0), size, size // 2, min(size, 65_536)}:
        assert lines.position(offset) == position_of(text, offset)
