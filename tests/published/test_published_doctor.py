"""`doctor` on KServe's published manifests: nothing that breaks, and every fault planted in them is found."""

from __future__ import annotations

from functools import cache

import pytest
from ruamel.yaml import YAML

import ksconfig
from tests.planted import FAULTS, Planted, manifest_of
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
def test_a_planted_fault_is_found(planted: Planted, minor: int, given: bool) -> None:
    texts = published_texts(minor)
    planted.change(texts)
    found = ksconfig.loads(manifest_of(texts), kserve_version=f"0.{minor}" if given else None).doctor()
    assert (planted.code, planted.path) in {(finding.code, finding.written_path) for finding in found}
