"""The text inside a YAML scalar of any style is edited in the file, and nothing around it changes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ksconfig.errors import InvalidDocument, UnsupportedEdit
from ksconfig.text.json_edit import set_value
from ksconfig.text.json_path import parse_path
from ksconfig.text.json_scanner import parse_json
from ksconfig.text.spans import Edit, apply_edits, invert_edits
from ksconfig.text.yaml_documents import split_documents
from ksconfig.text.yaml_scalar import ScalarMap
from ksconfig.text.yaml_tree import YamlMapping, YamlScalar, YamlSequence, read_document
from tests.text.strategies import manifests


def mapping_of(text: str) -> YamlMapping:
    """The ``data`` of the last document of a manifest or of the first item of its list."""
    document = list(split_documents(text))[-1]
    root = read_document(document, None)
    assert isinstance(root, YamlMapping)
    items = root.get("items")
    if isinstance(items, YamlSequence):
        assert isinstance(items.items[0], YamlMapping)
        root = items.items[0]
    data = root.get("data")
    assert isinstance(data, YamlMapping)
    return data


def scalar_of(text: str) -> YamlScalar:
    scalar = mapping_of(text).get("key")
    assert isinstance(scalar, YamlScalar)
    return scalar


def map_of(text: str) -> ScalarMap:
    data = mapping_of(text)
    return ScalarMap(text, scalar_of(text), data.column, data.flow)


def edited(text: str, *edits: tuple[str, str]) -> str:
    """The file after edits of the decoded text, each said as what stands there (once) and its replacement."""
    scalar = map_of(text)
    assert all(scalar.text.count(old) == 1 for old, _ in edits), scalar.text
    inner = tuple(Edit(scalar.text.index(old), scalar.text.index(old) + len(old), new) for old, new in edits)
    result = apply_edits(text, scalar.to_source_edits(inner))
    assert scalar_of(result).value == apply_edits(scalar.text, inner)
    return result


HEAD = "kind: ConfigMap\ndata:\n"
LITERAL = HEAD + '  key: |-\n    {\n      "image": "x:1"\n    }\n'

# one file of each kind; in all of them the JSON holds "x:1" once
LAYOUTS = {
    "literal, stripped": LITERAL,
    "literal, clipped": LITERAL.replace("|-", "|"),
    "literal, kept": LITERAL.replace("|-", "|+") + "\n\n",
    "literal, with a comment": LITERAL.replace("|-", "|- # why"),
    "literal, indentation said": HEAD + '  key: |2-\n      {\n    "image": "x:1"\n    }\n',
    "literal, indentation behind chomping": HEAD + '  key: |+4\n        {\n      "image": "x:1"}\n\n  after: x\n',
    "literal, blank lines first": HEAD + '  key: |\n\n    \n    {"image": "x:1"}\n',
    "literal, blank lines inside": HEAD + '  key: |\n    {\n\n   \n      "image":\n      \n "x:1"}\n'.replace('\n "', '\n     "'),
    "literal, tabs inside": HEAD + '  key: |\n    {\n    \t"image":\t"x:1"\n    }\n',
    "literal, followed by a key": LITERAL + "  after: x\n",
    "literal, followed by a comment": LITERAL + "# end\n",
    "literal, followed by a document": "\n---\n".join([LITERAL.rstrip("\n")]),
    "literal, no final line break": LITERAL.rstrip("\n"),
    "literal, CRLF": LITERAL.replace("\n", "\r\n"),
    "literal, kept, CRLF": (LITERAL.replace("|-", "|+") + "\n  after: x\n").replace("\n", "\r\n"),
    "literal, byte order mark": "\ufeff" + LITERAL,
    "literal, second document": "kind: Other\n---\n" + LITERAL,
    "literal, byte order mark, CRLF, second document": "\ufeff" + ("a: b\n---\n" + LITERAL).replace("\n", "\r\n"),
    "literal, anchored": LITERAL.replace("|-", "&a |-"),
    "literal, tagged": LITERAL.replace("|-", "!!str |-"),
    "literal, tagged and anchored on their own line": LITERAL.replace("|-", "!!str &a\n    |-"),
    "literal, item of a List": 'kind: List\nitems:\n- kind: ConfigMap\n  data:\n    key: |\n      {"image": "x:1"}\n',
    "literal, indented item of a List": 'kind: List\nitems:\n  - data:\n      key: |2\n          {\n        "image": "x:1"}\n',
    "literal, one more column": HEAD + '  key: |\n   {"image": "x:1"}\n',
    "folded": HEAD + '  key: >\n    {"a": 1,\n    "image": "x:1",\n\n    "b":\n    2}\n',
    "folded, more indented": HEAD + '  key: >-\n    {\n      "image": "x:1",\n      "b": 1\n    }\n',
    "folded, kept, CRLF": (HEAD + '  key: >+\n    {"a":\n    1, "image": "x:1"\n\n    }\n\n').replace("\n", "\r\n"),
    "folded, indentation said": HEAD + '  key: >2\n    {"a":\n    1,\n      "image": "x:1"\n    }\n',
    "plain": HEAD + "  key: image=x:1 b\n",
    "plain, over lines": HEAD + "  key: a\n    image=x:1\n\n    b\n  after: x\n",
    "plain, over lines, CRLF": (HEAD + "  key: a\n    image=x:1\n\n    b\n").replace("\n", "\r\n"),
    "plain, commented": HEAD + "  key: image=x:1 # why\n",
    "plain, flow": "kind: ConfigMap\ndata: {key: image=x:1, after: x}\n",
    "plain, anchored": HEAD + "  key: &a image=x:1",
    "single": HEAD + "  key: '{\"image\": \"x:1\"}'\n",
    "single, with quotes": HEAD + "  key: '{\"a''b\": \"''\", \"image\": \"x:1\"}' # why\n",
    "single, over lines": HEAD + "  key: '{\"a\": 1,\n    \"image\":   \n    \"x:1\",\n\n    \"b\": 2}'\n",
    "single, over lines, CRLF": (HEAD + "  key: '{\"a\": 1,\n    \"image\": \"x:1\",\n\n    \"b\": 2}'\n").replace("\n", "\r\n"),
    "single, flow": "kind: ConfigMap\ndata: {key: '{\"image\": \"x:1\"}', after: x}",
    "single, tagged": HEAD + "  key: !!str '{\"image\": \"x:1\"}'\n",
    "double": HEAD + '  key: "{\\"image\\": \\"x:1\\"}"\n',
    "double, escapes of each kind": HEAD + '  key: "{\\x22a\\u0022:\\t\\U0001f600,\\n\\"image\\": \\"x:1\\"\\/\\_}"\n',
    "double, escaped line breaks": HEAD + '  key: "{\\"a\\": 1,\\\n    \\  \\"image\\": \\"x:1\\",\\n\\\n    \\"b\\": 2}"\n',
    "double, folded lines": HEAD + '  key: "{\\"a\\": 1,\n    \\"image\\":  \n   \\"x:1\\",\n\n\n    \\"b\\": 2}"\n',
    "double, folded lines, CRLF": (HEAD + '  key: "{\n    \\"image\\": \\"x:1\\",\n\n  \\"b\\": 2}"').replace("\n", "\r\n"),
    "double, escaped line breaks, CRLF": (HEAD + '  key: "{\\\n   \\"image\\": \\"x:1\\"\\\n\n  }"\n').replace("\n", "\r\n"),
    "double, flow": 'kind: ConfigMap\ndata: {"key": "{\\"image\\": \\"x:1\\"}", after: x}\n',
    "double, anchored": HEAD + '  key: &a "{\\"image\\": \\"x:1\\"}"\n',
    "double, emoji": HEAD + '  key: "\U0001f600 {\\"image\\": \\"x:1\\"} \U0001f600"\n',
    "json": '{"kind": "ConfigMap", "data": {"key": "{\\"image\\": \\"x:1\\"}"}}',
    "json, tabs and CRLF": '{\r\n\t"data": {\r\n\t\t"key":\t"{\\n\\t\\"image\\": \\"x:1\\"\\n}"}\r\n}\r\n',
    "json, surrogate pairs": '{"data": {"key": "\\ud83d\\ude00 \U0001f600 {\\"image\\": \\"x:1\\"}\\/\\ud83d"}}\n',
    "json, byte order mark": '\ufeff{"data": {"key": "{\\"image\\": \\"x:1\\"}"}}\n',
}  # fmt: skip


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
class TestInEveryLayout:
    def test_the_text_is_what_the_yaml_reader_reads(self, text: str) -> None:
        assert map_of(text).text == scalar_of(text).value

    def test_each_character_leads_to_its_place_in_the_file(self, text: str) -> None:
        scalar = map_of(text)
        place = text.index("x:1")

        inner = scalar.text.index("x:1")
        assert [scalar.to_source(inner + i) for i in range(4)] == [place, place + 1, place + 2, place + 3]

    def test_a_replacement_changes_just_those_characters_of_the_file(self, text: str) -> None:
        assert edited(text, ("x:1", "y/z:22")) == text.replace("x:1", "y/z:22")

    def test_an_edit_and_its_inverse_leave_the_file_as_it_was(self, text: str) -> None:
        scalar = map_of(text)
        place = scalar.text.index("x:1")
        inner = (Edit(place, place + 3, "longer:than-before"),)
        outer = scalar.to_source_edits(inner)
        after = apply_edits(text, outer)

        back = map_of(after).to_source_edits(invert_edits(scalar.text, inner))
        assert apply_edits(after, back) == text == apply_edits(after, invert_edits(text, outer))

    def test_no_edits_are_no_edits(self, text: str) -> None:
        assert map_of(text).to_source_edits(()) == ()


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        pytest.param(
            LITERAL, ('"x:1"', '"x:1",\n  "b": 2'), LITERAL.replace('"x:1"', '"x:1",\n      "b": 2'), id="literal"
        ),
        pytest.param(
            LITERAL.replace("\n", "\r\n"),
            ('"x:1"', '"x:1",\n  "b": 2'),
            LITERAL.replace('"x:1"', '"x:1",\n      "b": 2').replace("\n", "\r\n"),
            id="literal, CRLF",
        ),
        pytest.param(
            LITERAL, ('"x:1"', '"x:1",\n\n"b": 2'), LITERAL.replace('"x:1"', '"x:1",\n\n    "b": 2'), id="a blank line"
        ),
        pytest.param(
            LITERAL.replace("\n", "\r\n"),
            ('{\n  "image"', '{"image"'),
            LITERAL.replace('{\n      "image"', '{"image"').replace("\n", "\r\n"),
            id="lines joined, CRLF",
        ),
        pytest.param(
            HEAD + '  key: |2-\n      {"image": 1}\n',
            ("1", "[\n  1]"),
            HEAD + '  key: |2-\n      {"image": [\n      1]}\n',
            id="indentation said",
        ),
        pytest.param(
            HEAD + '  key: "{\\"a\\": 1}"\n',
            ("1", '{\n\t"b": "\\\\ \x7f\u2028\U0001f600"}'),
            HEAD + '  key: "{\\"a\\": {\\n\\t\\"b\\": \\"\\\\\\\\ \\x7f\\u2028\U0001f600\\"}}"\n',
            id="double",
        ),
        pytest.param(
            '{"data": {"key": "{\\"a\\": 1}"}}',
            ("1", '{\n\t"b": "\\\\"}'),
            '{"data": {"key": "{\\"a\\": {\\n\\t\\"b\\": \\"\\\\\\\\\\"}}"}}',
            id="json",
        ),
        pytest.param(HEAD + "  key: '{\"a\": 1}'", ("1", '"it\'s"'), HEAD + "  key: '{\"a\": \"it''s\"}'", id="single"),
        pytest.param(HEAD + "  key: '{\"a\": \"it''s\"}'", ("t's", "t"), HEAD + "  key: '{\"a\": \"it\"}'", id="quote gone"),
        pytest.param(HEAD + '  key: "a\\u0062\\x63d"', ("bc", "B"), HEAD + '  key: "aBd"', id="escapes replaced whole"),
        pytest.param(HEAD + "  key: >\n    a\n    b c\n", ("a b", "d"), HEAD + "  key: >\n    d c\n", id="fold replaced"),
        pytest.param(HEAD + '  key: "a\n    b c"\n', ("a b", "d"), HEAD + '  key: "d c"\n', id="folded line joined"),
        pytest.param(HEAD + "  key: a b\n", ("a", "é\U0001f600"), HEAD + "  key: é\U0001f600 b\n", id="plain"),
        pytest.param('{"data": {"key": "\\ud83d\\ude00-1"}}', ("\U0001f600", "x"), '{"data": {"key": "x-1"}}', id="pair"),
    ],
)  # fmt: skip
def test_a_replacement_is_written_in_the_style_that_the_scalar_has(
    before: str, edit: tuple[str, str], after: str
) -> None:
    assert edited(before, edit) == after


def test_several_edits_are_made_at_once() -> None:
    assert edited(HEAD + '  key: |\n    {"a": 1,\n     "b": 2}\n', ("1", "10"), ("2", "[\n2]")) == (
        HEAD + '  key: |\n    {"a": 10,\n     "b": [\n    2]}\n'
    )


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        pytest.param(HEAD + "  key: '{\"a\": 1}'\n", ("1", "[\n1]"), id="a line break in single quotes"),
        pytest.param(HEAD + "  key: '{\"a\": 1}'\n", ("1", '"\x7f"'), id="a control character in single quotes"),
        pytest.param(LITERAL, ("x:1", "\u2028"), id="a line separator in a literal"),
        pytest.param(LITERAL, ("x:1", "\x85"), id="NEL in a literal"),
        pytest.param(LITERAL, ("x:1", "\ufeff"), id="a byte order mark in a literal"),
        pytest.param(LITERAL, ("x:1", "\r"), id="a carriage return in a literal"),
        pytest.param(HEAD + "  key: >\n    {a: 1}\n", ("1", "[\n1]"), id="a line break where lines fold"),
        pytest.param(HEAD + "  key: a b\n", ("a", "a:"), id="a colon in plain"),
        pytest.param(HEAD + "  key: a b\n", ("b", "#b"), id="a comment in plain"),
        pytest.param(HEAD + "  key: a b\n", ("a b", "true"), id="another type in plain"),
        pytest.param(HEAD + "  key: a b\n", ("a b", "1"), id="a number in plain"),
        pytest.param(HEAD + "  key: a:1\n", ("a", "1"), id="a number to base 60 (YAML 1.1) in plain"),
        pytest.param(HEAD + "  key: a b\n", ("a", "{"), id="a brace first in plain"),
        pytest.param(HEAD + "  key: a b\n", ("a", ""), id="a space first in plain"),
        pytest.param(HEAD + "  key: a b\n", ("b", "\n"), id="a line break in plain"),
        pytest.param("data: {key: a b, after: c}\n", ("b", "b, c"), id="a comma in flow"),
        pytest.param("data: {key: a b, after: c}\n", ("b", "b]"), id="a bracket in flow"),
        pytest.param("data: {key: a b, after: c}\n", ("a", ":a"), id="a colon first in flow"),
        pytest.param("data: {key: a b, after: c}\n", ("b", "b:"), id="a colon last in flow"),
        pytest.param(HEAD + "  key: |\n    a\n    b\n", ("a", " a"), id="a space first in a literal"),
        pytest.param(HEAD + "  key: |-\n    a\n", ("a", "a\n"), id="a line break last in a stripped literal"),
    ],
)
def test_what_the_style_cannot_hold_is_refused(text: str, edit: tuple[str, str]) -> None:
    with pytest.raises(UnsupportedEdit):
        edited(text, edit)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('  key: "{\\"a\\": 1\\\n    }"\n', id="an escaped line break"),
        pytest.param('  key: "{\\"a\\": 1\n\n    }"\n', id="a blank line in double quotes"),
        pytest.param("  key: '{\"a\": 1\n\n    }'\n", id="a blank line in single quotes"),
        pytest.param("  key: >\n    {a: 1\n\n    }\n", id="a blank line in a folded scalar"),
    ],
)
def test_the_line_breaks_behind_a_replaced_value_stay(text: str) -> None:
    assert edited(HEAD + text, ("1", "2")) == HEAD + text.replace("1", "2")


@pytest.mark.parametrize("style", ['data: {key: "\\U0001f600"}'])
def test_a_character_that_the_file_writes_as_several_is_one_place(style: str) -> None:
    scalar = map_of(style)

    assert (scalar.to_source(0), scalar.to_source(1)) == (style.index("\\"), style.index('"}'))


def test_a_refusal_names_style_place_and_way_out() -> None:
    with pytest.raises(UnsupportedEdit) as caught:
        edited(HEAD + "  key: 'a'\n", ("a", "\n"))

    assert str(caught.value) == (
        "the single YAML scalar at line 3, column 9 cannot hold a line break. "
        "Write the value as a literal block (|-) or in double quotes first."
    )


def test_a_scalar_that_the_yaml_reader_reads_otherwise_is_refused() -> None:
    scalar = scalar_of(LITERAL)
    scalar.value += "!"

    with pytest.raises(InvalidDocument, match="does not read like other YAML readers") as caught:
        ScalarMap(LITERAL, scalar, 2, False)
    assert (caught.value.line, caught.value.column) == (3, 8)


@pytest.mark.parametrize("value", ['""', "''", "|", "|-", ">+", "!!str", "&a ''"])
def test_an_empty_scalar_maps_to_its_own_place(value: str) -> None:
    text = f"{HEAD}  key: {value}\n  after: x\n"

    scalar = map_of(text)
    assert scalar.text == ""
    assert scalar.to_source(0) == scalar.start


@pytest.mark.parametrize("text", [text for name, text in LAYOUTS.items() if "CRLF" in name and "json" not in name])
def test_a_line_feed_of_the_text_stands_for_the_whole_line_break_of_the_file(text: str) -> None:
    for segment in map_of(text).segments:
        source = text[segment.source_start : segment.source_end]
        assert not source.endswith("\r")
        assert not text.startswith("\n", segment.source_end) or not source.endswith("\r")
        assert source.count("\r") == source.count("\n")


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_stretches_follow_each_other_in_the_text_and_in_the_file(text: str) -> None:
    scalar = map_of(text)
    text_end, source_end = 0, scalar.start
    for segment in scalar.segments:
        assert segment.start == text_end
        assert source_end <= segment.source_start <= segment.source_end
        text_end, source_end = segment.end, segment.source_end
    assert text_end == len(scalar.text)


@pytest.mark.parametrize(
    ("text", "folds"),
    [
        ('  key: "a  \n    b"\n', ["  \n    "]),
        ("  key: 'a\n    b'\n", ["\n    "]),
        ("  key: a\n    b\n", ["\n    "]),
        ("  key: a\r\n    b\r\n", ["\r\n    "]),
        ("  key: >-\n    a\n    b\n", ["\n"]),
        ("  key: >-\r\n    a\r\n    b\r\n", ["\r\n"]),
    ],
)
def test_a_space_that_a_line_break_was_folded_to_stands_for_all_of_the_fold(text: str, folds: list[str]) -> None:
    scalar = map_of(HEAD + text)

    assert scalar.text == "a b"
    stretches = [(HEAD + text)[s.source_start : s.source_end] for s in scalar.segments]
    assert stretches == ["a", *folds, "b"]


SETTINGS = settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))


def sound(text: str) -> ScalarMap:
    """The map of a generated scalar; examples that YAML does not allow, or reads as no string, are thrown away."""
    try:
        scalar = scalar_of(text)
    except InvalidDocument:
        assume(False)
        raise
    assume(scalar.tag == "tag:yaml.org,2002:str")
    return map_of(text)


@SETTINGS
@given(manifests())
def test_every_generated_scalar_is_decoded_as_the_yaml_reader_does(manifest: Any) -> None:
    scalar = sound(manifest.text)

    assert scalar.text == scalar_of(manifest.text).value
    places = [scalar.to_source(offset) for offset in range(len(scalar.text) + 1)]
    assert places == sorted(places)
    for segment in scalar.segments:
        if segment.end - segment.start == segment.source_end - segment.source_start > 1:
            assert manifest.text[segment.source_start : segment.source_end] == scalar.text[segment.start : segment.end]


@SETTINGS
@given(st.data())
def test_any_edit_reads_back_as_planned_and_touches_nothing_else_or_is_refused(data: st.DataObject) -> None:
    text = data.draw(manifests()).text
    scalar = sound(text)
    start = data.draw(st.integers(0, len(scalar.text)))
    end = data.draw(st.integers(start, min(len(scalar.text), start + 6)))
    new = data.draw(st.text(st.sampled_from("ab\"'\\ \n:#{}é\U0001f600\t\x7f\u2028"), max_size=5))
    inner = (Edit(start, end, new),)
    try:
        outer = scalar.to_source_edits(inner)
    except UnsupportedEdit:
        assume(False)
        raise
    after = apply_edits(text, outer)

    assert scalar_of(after).value == apply_edits(scalar.text, inner)
    assert outer[0].start == scalar.to_source(start)
    assert outer[0].end <= scalar.to_source(end)
    others = [key.value for key, _ in mapping_of(after).items()]
    assert others == [key.value for key, _ in mapping_of(text).items()]


@SETTINGS
@given(st.data())
def test_a_word_for_a_word_is_never_refused(data: st.DataObject) -> None:
    """Letters for letters, not at an end of the text: there is no style that cannot hold that."""
    text = data.draw(manifests()).text
    scalar = sound(text)
    words = [m for m in re.finditer("[a-zA-Z]{3,}", scalar.text) if m.start() > 0]
    assume(words)
    word = data.draw(st.sampled_from(words))
    inner = (Edit(word.start(), word.end(), "replaced"),)
    after = apply_edits(text, scalar.to_source_edits(inner))

    assert scalar_of(after).value == apply_edits(scalar.text, inner)


@pytest.mark.parametrize("text", [t for n, t in LAYOUTS.items() if n.startswith(("literal", "double", "json"))])
@pytest.mark.parametrize("value", ["y:2", 12, {"deep": ["er", "é\U0001f600"]}, None])
def test_a_json_value_is_set_inside_the_file(text: str, value: Any) -> None:
    scalar = map_of(text)
    try:
        root = parse_json(scalar.text)
    except InvalidDocument:
        pytest.skip("this layout holds more than JSON")
    after = apply_edits(text, scalar.to_source_edits(set_value(root, parse_path("image"), value)))

    assert json.loads(scalar_of(after).value) == {**json.loads(scalar.text), "image": value}
