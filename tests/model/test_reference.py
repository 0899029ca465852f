"""Image references: the OCI grammar, why a text is none, and the short forms of the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksconfig.errors import ExitCode, InvalidReference, UsageError
from ksconfig.model.reference import ImageArgument, Reference

HEX = "0123456789abcdef" * 4
SHA256 = f"sha256:{HEX}"
SHA512 = f"sha512:{HEX}{HEX}"


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("sklearnserver", "sklearnserver", None, None),
        ("sklearnserver:1.2", "sklearnserver", "1.2", None),
        ("kserve/sklearnserver:v0.7.0", "kserve/sklearnserver", "v0.7.0", None),
        ("registry.example/team/sk:1", "registry.example/team/sk", "1", None),
        ("registry.example:5000/team/sk", "registry.example:5000/team/sk", None, None),
        ("registry.example:5000/team/sk:1", "registry.example:5000/team/sk", "1", None),
        ("registry.example:5000/sk", "registry.example:5000/sk", None, None),
        ("Registry.Example/team/sk:1", "Registry.Example/team/sk", "1", None),
        ("REGISTRY:5000/sk:1", "REGISTRY:5000/sk", "1", None),
        ("localhost/sk:1", "localhost/sk", "1", None),
        ("localhost:5000/sk:1", "localhost:5000/sk", "1", None),
        ("10.0.0.7:5000/sk:1", "10.0.0.7:5000/sk", "1", None),
        ("[::1]:5000/sk:1", "[::1]:5000/sk", "1", None),
        ("[2001:db8::1]/sk", "[2001:db8::1]/sk", None, None),
        (f"team/sk@{SHA256}", "team/sk", None, SHA256),
        (f"team/sk@{SHA512}", "team/sk", None, SHA512),
        (f"team/sk:1.2@{SHA256}", "team/sk", "1.2", SHA256),
        (f"r.example:5000/sk:1.2@{SHA256}", "r.example:5000/sk", "1.2", SHA256),
        (f"team/sk@blake2.b+x:{HEX}", "team/sk", None, f"blake2.b+x:{HEX}"),
        ("a/b/c/d/e:1", "a/b/c/d/e", "1", None),
        ("team/a.b_c__d-e--f:1", "team/a.b_c__d-e--f", "1", None),
        ("team/sk:Upper_Case-1.2", "team/sk", "Upper_Case-1.2", None),
        ("team/sk:_1", "team/sk", "_1", None),
        ("team/sk:" + "t" * 128, "team/sk", "t" * 128, None),
        ("r.example/" + "a" * 245, "r.example/" + "a" * 245, None, None),
    ],
)
def test_a_reference_has_up_to_three_parts(text: str, repository: str, tag: str | None, digest: str | None) -> None:
    assert Reference.parse(text) == (repository, tag, digest)
    assert str(Reference.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the repository is missing"),
        (":1", "the repository is missing"),
        (f"@{SHA256}", "the repository is missing"),
        ("team/SkLearn:1", '"SkLearn" holds upper case'),
        ("Team/sk:1", '"Team" holds upper case'),
        ("LOCALHOST/sk", '"LOCALHOST" holds upper case'),
        ("r.example/Team/sk:1", '"Team" holds upper case'),
        ("team/sk:", 'the tag "" is empty'),
        ("team/sk:-1", 'the tag "-1" is no tag'),
        ("team/sk:.1", 'the tag ".1" is no tag'),
        ("team/sk:1+2", 'the tag "1+2" is no tag'),
        ("team/sk:" + "t" * 129, "129 characters long, 128 are allowed"),
        ("r.example/" + "a" * 246, "256 characters long, 255 are allowed"),
        ("team//sk:1", "a part between two slashes is empty"),
        ("/sk:1", "a part between two slashes is empty"),
        ("team/:1", "a part between two slashes is empty"),
        ("team/sk-:1", '"sk-" is no part of a repository'),
        ("team/_sk:1", '"_sk" is no part of a repository'),
        ("team/a___b:1", '"a___b" is no part of a repository'),
        ("team/a..b:1", '"a..b" is no part of a repository'),
        ("https://r.example/sk:1", '"https:" is no registry'),
        ("r.example:port/sk:1", '"r.example:port" is no registry'),
        ("-r.example/sk:1", '"-r.example" is no registry'),
        ("a.b_c/sk:1", '"a.b_c" is no registry'),
        ("[::1/sk:1", '"[::1" is no registry'),
        ("team/s k:1", "white space"),
        ("team/sk :1", "white space"),
        (" team/sk:1", "white space"),
        ("team/sk\n", "white space"),
        ("team/sk:1\n", "is no tag"),
        ("team/sk:1 ", "is no tag"),
        ("team/sk@", "is no digest"),
        ("team/sk@sha256", "is no digest"),
        ("team/sk@latest", "is no digest"),
        ("team/sk@sha256:abc", "is no digest"),
        ("team/sk@sha256:" + "g" * 64, "is no digest"),
        (f"team/sk@{SHA256}@{SHA256}", "is no digest"),
        (f"team/sk@{SHA256}:1", "is no digest"),
        (f"team/sk@{SHA256}0", "a sha256 digest has 64 lower-case"),
        (f"team/sk@sha512:{HEX}", "a sha512 digest has 128 lower-case"),
        (f"team/sk@sha256:{HEX.upper()}", "a sha256 digest has 64 lower-case"),
        ("team/sk:ü", "is no tag"),
        ("team/skü:1", "is no part of a repository"),
    ],
)
def test_what_is_none_is_refused_with_the_part_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(text)

    assert reason in str(caught.value)
    shown = text.replace("\n", "\\n")
    assert f'"{shown}"' in str(caught.value)
    assert caught.value.exit_code == ExitCode.USAGE
    assert isinstance(caught.value, ValueError)


COMPONENT = st.from_regex(r"\A[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}\Z")
HOST = st.sampled_from(["registry.example", "localhost", "r.example:5000", "localhost:1", "[::1]:5000", "R.Example"])
# A first component with a dot is a registry, so it is either one of the hosts or a word without a dot.
REPOSITORY = st.builds(
    lambda first, parts: "/".join([first, *parts]),
    HOST | st.just("team"),
    st.lists(COMPONENT, min_size=1, max_size=4),
)
TAG = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z")
DIGEST = st.from_regex(r"\Asha256:[0-9a-f]{64}\Z")


@given(REPOSITORY, st.none() | TAG, st.none() | DIGEST)
def test_parts_put_together_are_read_as_the_same_parts(repository: str, tag: str | None, digest: str | None) -> None:
    reference = Reference(repository, tag, digest)
    assert Reference.parse(str(reference)) == reference


@given(st.text(max_size=60) | st.text("ab/:@.-_A[] ", max_size=30))
def test_a_text_is_read_without_loss_or_refused(text: str) -> None:
    try:
        parsed = Reference.parse(text)
    except InvalidReference:
        return
    assert str(parsed) == text


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        (":1.2", None, "1.2", None),
        (":Latest_1", None, "Latest_1", None),
        ("team/sk", "team/sk", None, None),
        ("r.example:5000/team/sk", "r.example:5000/team/sk", None, None),
        ("sk:1", "sk", "1", None),
        ("team/sk:1", "team/sk", "1", None),
        (f"sk@{SHA256}", "sk", None, SHA256),
        (f"team/sk:1@{SHA256}", "team/sk", "1", SHA256),
    ],
)
def test_an_argument_is_a_reference_or_half_of_one(
    text: str, repository: str | None, tag: str | None, digest: str | None
) -> None:
    assert ImageArgument.parse(text) == (repository, tag, digest)


@pytest.mark.parametrize("word", ["latest", "1.2", "v0.7.0", "sklearnserver"])
def test_a_bare_word_could_be_either_half(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        ImageArgument.parse(word)

    assert f"Did you mean :{word}" in str(caught.value)
    assert f"docker.io/library/{word}" in str(caught.value)
    assert not isinstance(caught.value, InvalidReference)


@pytest.mark.parametrize("text", ["", ":", ":a/b", "::1", f":1@{SHA256}", f"@{SHA256}", "Team/sk", "team/sk:1 "])
def test_a_half_keeps_to_the_grammar_too(text: str) -> None:
    with pytest.raises(InvalidReference):
        ImageArgument.parse(text)


@pytest.mark.parametrize(
    ("present", "argument", "after"),
    [
        ("a/b:1", ":2", "a/b:2"),
        ("a/b", ":2", "a/b:2"),
        (f"a/b@{SHA256}", ":2", "a/b:2"),
        (f"a/b:1@{SHA256}", ":2", "a/b:2"),
        (f"a/b:1@{SHA256}", ":1", "a/b:1"),
        ("a/b:1", "c/d", "c/d:1"),
        ("a/b", "c/d", "c/d"),
        (f"a/b@{SHA256}", "c/d", f"c/d@{SHA256}"),
        (f"a/b:1@{SHA256}", "c/d", f"c/d:1@{SHA256}"),
        (f"a/b:1@{SHA256}", "c/d:2", "c/d:2"),
        ("a/b:1", f"c/d@{SHA256}", f"c/d@{SHA256}"),
        ("a/b:1", f"c/d:2@{SHA256}", f"c/d:2@{SHA256}"),
        ("r.example:5000/a", ":2", "r.example:5000/a:2"),
    ],
)
def test_a_half_keeps_the_other_but_a_new_tag_drops_a_digest(present: str, argument: str, after: str) -> None:
    assert str(ImageArgument.parse(argument).on(Reference.parse(present))) == after
