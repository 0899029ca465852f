"""`doctor` on KServe's published manifests: nothing that breaks, and every fault planted in them is found."""

from __future__ import annotations

import re
from functools import cache

import pytest
from ruamel.yaml import YAML

import ksconfig
from tests.planted import FAULTS, Planted, literal_manifest_of
from tests.published import walker
from tests.published.walker import Published

if not walker.DATA.is_dir():
    pytest.skip(walker.REASON, allow_module_level=True)

CONFIGS = {published.minor: published for published in walker.configs()}


@cache
def published_data(minor: int) -> dict[str, str]:
    documents = YAML(typ="safe").load_all(walker.text_of(CONFIGS[minor]))
    return next(one["data"] for one in documents if one and one["metadata"]["name"] == "inferenceservice-config")


def published_texts(minor: int) -> dict[str, str]:
    return dict(published_data(minor))


@pytest.mark.parametrize("published", CONFIGS.values(), ids=str)
@pytest.mark.parametrize("what", ["config", "all"])
def test_nothing_that_breaks_is_found_as_published(published: Published, what: str) -> None:
    path = published.path if what == "config" else published.path.parent
    assert [finding for finding in ksconfig.load(path).doctor() if finding.severity == "breaks"] == []


@pytest.mark.parametrize("whole", walker.releases(), ids=str)
def test_nothing_that_breaks_is_found_in_the_whole_manifests(whole: Published) -> None:
    found = ksconfig.loads(walker.text_of(whole)).doctor()
    assert [finding for finding in found if finding.severity == "breaks"] == []


@pytest.mark.parametrize(
    ("planted", "minor"),
    [pytest.param(planted, minor, id=f"{planted.name}-{minor}") for planted in FAULTS for minor in planted.releases],
)
@pytest.mark.parametrize("given", [True, False], ids=["release given", "release told"])
def test_a_planted_fault_is_found_at_its_place(planted: Planted, minor: int, given: bool) -> None:
    texts = published_texts(minor)
    planted.change(texts)
    text = literal_manifest_of(texts)
    found = ksconfig.loads(text, kserve_version=f"0.{minor}" if given else None).doctor()
    (finding,) = {one for one in found if (one.code, one.written_path) == (planted.code, planted.path)}
    if given:
        assert finding.severity == ("breaks" if minor in planted.breaks else "note")
    assert finding.place.line in lines_of(text, planted.path)


def lines_of(text: str, path: str) -> range:
    """The lines of a key's block, from the one that names it; of a key that is not there, those of the object."""
    lines = text.split("\n")
    names = [number for number, line in enumerate(lines, 1) if re.match(r"  \w", line)]
    start = next((number for number in names if lines[number - 1].startswith(f"  {path.partition('.')[0]}:")), None)
    if start is None:
        return range(1, len(lines) + 1)
    return range(start, min([number for number in names if number > start], default=len(lines) + 1))
