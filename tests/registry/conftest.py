"""One registry, one that wants a login, and one buildah for all tests here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.local import Registry, missing

_HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where the programs are missing the tests are skipped with one line that says so; in CI that is a failure."""
    mine = [item for item in items if _HERE in item.path.parents]
    lacking = missing()
    if not mine or not lacking:
        return
    problem = f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed (Debian: apt-get install)"
    if os.environ.get("CI", "") not in ("", "0", "false"):
        raise pytest.UsageError(f"the tests of images cannot run: {problem}")
    for item in mine:
        item.add_marker(pytest.mark.skip(reason=f"needs a registry: {problem}"))


@pytest.fixture(scope="session")
def closed_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with TLS that wants a login."""
    held = Registry(tmp_path_factory.mktemp("closed"), login=True)
    yield held
    held.stop()
