"""Where references lead, and what is enough for a platform."""

from __future__ import annotations

import pytest

from ksconfig.errors import UsageError
from ksconfig.model.reference import Reference
from ksconfig.model.registry import Answer, Location, Platform, is_loopback, judge, locate

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("reference", "location"),
    [
        ("python", ("docker.io", "library/python", "latest")),
        ("kserve/sk:1", ("docker.io", "kserve/sk", "1")),
        ("docker.io/python:3", ("docker.io", "library/python", "3")),
        ("index.docker.io/a/b", ("docker.io", "a/b", "latest")),
        ("reg.example/sk:1", ("reg.example", "sk", "1")),
        ("reg:5000/a/sk", ("reg:5000", "a/sk", "latest")),
        ("localhost/a/sk:1", ("localhost", "a/sk", "1")),
        (f"reg.example/sk:1@{DIGEST}", ("reg.example", "sk", DIGEST)),
    ],
)
def test_where_a_reference_leads(reference: str, location: tuple[str, str, str]) -> None:
    assert locate(Reference.parse(reference)) == Location(*location)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000", "a.localhost"]
)
def test_what_is_on_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["reg.example", "10.0.0.1:5000", "localhost.example", "127.0.0.1.example", "[::2]", ""]
)
def test_what_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("text", ["amd64", "linux/", "/amd64", "linux/arm/v7/x", "linux amd64", "Linux/amd64", ""])
def test_a_platform_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no platform"):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("there", "wanted", "serves"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("windows/amd64", "linux/amd64", False),
        ("linux/arm64", "linux/amd64", False),
    ],
)
def test_which_platform_serves_which(there: str, wanted: str, serves: bool) -> None:
    assert Platform.parse(there).serves(Platform.parse(wanted)) is serves
    assert str(Platform.parse(there)) == there


def test_an_image_must_be_there_for_all_platforms() -> None:
    found = Answer("found", DIGEST, (AMD,))
    assert judge("a/b", found, (AMD,)).good
    check = judge("a/b", found, (AMD, ARM), ["agent"])
    assert (check.outcome, check.missing, check.used_by) == ("no-platform", True, ("agent",))
    assert check.why == "it is there for linux/amd64, not for linux/arm64"


def test_one_that_says_no_platform_is_taken_with_a_remark() -> None:
    check = judge("a/b", Answer("found", DIGEST), (AMD,))
    assert check.good
    assert check.why == "it does not say which platforms it is for"


def test_what_could_not_be_looked_up_is_not_proven_to_be_missing() -> None:
    check = judge("a/b", Answer("unreachable", why="no answer"), (AMD,))
    assert (check.good, check.missing, check.why) == (False, False, "no answer")
