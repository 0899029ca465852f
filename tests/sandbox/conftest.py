"""Sandboxes for tests: one control plane for a release at a time, a namespace and a restored config for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import build, handle, places
from sandbox.kubelet.container import Pace
from sandbox.releases import RELEASES, Release
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe

_HERE = Path(__file__).parent
_PACE = Pace(probes=0.03, back_off=0.5)


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of one release stand together, and what they need is built before the first of them.

    Where no sandbox can run they are skipped with one line that says why; in CI that is a failure.
    """
    mine = [item for item in items if _HERE in item.path.parents and _release_of(item)]
    releases = [RELEASES[name] for name in sorted({_release_of(item) for item in mine})]
    if not releases:
        return
    units = build.units_for(releases)
    problem = handle.forbidden() or ("" if all(unit.built for unit in units) else build.missing_go())
    if problem:
        if os.environ.get("CI", "") not in ("", "0", "false"):
            raise pytest.UsageError(f"the tests on a real KServe cannot run: {problem}")
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=f"needs a real KServe: {problem}"))
    elif not config.option.collectonly:
        try:
            build.build(units, _say_in(config))
        except build.BuildError as error:
            raise pytest.UsageError(str(error)) from error
    others = [item for item in items if item not in mine]
    items[:] = [*others, *sorted(mine, key=_release_of)]


def _say_in(config: pytest.Config) -> Callable[[str], None]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.write_line if reporter else print


def _release_of(item: pytest.Item) -> str:
    marker = item.get_closest_marker("kserve")
    return str(marker.args[0]) if marker else ""


class Sandboxes:
    """The sandbox of the release that is being tested; there is one at a time."""

    def __init__(self) -> None:
        self._running: handle.Sandbox | None = None

    def get(self, release: Release) -> handle.Sandbox:
        """The sandbox of a release, started if need be."""
        if self._running is None or self._running.release != release:
            self.stop()
            self._running = handle.start(release, lambda text: None, pace=_PACE)
        return self._running

    def stop(self) -> None:
        """End it."""
        if self._running:
            self._running.stop()
            self._running = None


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[Sandboxes]:
    """The sandboxes of this run."""
    held = Sandboxes()
    yield held
    held.stop()
    for place in places.living():
        assert place.alive(), f"{place.folder} was left"


@pytest.fixture
def kserve(request: pytest.FixtureRequest, sandboxes: Sandboxes) -> Iterator[KServe]:
    """KServe of the release that the test's marker names."""
    marker = request.node.get_closest_marker("kserve")
    assert marker, "a test that uses KServe says which: @pytest.mark.kserve('0.7.0')"
    made = KServe(sandboxes.get(RELEASES[marker.args[0]]))
    before = made.remember()
    yield made
    made.restore(before)


@pytest.fixture
def ksconfig(kserve: KServe) -> CommandLine:
    """The command line of somebody who may do everything."""
    return CommandLine(kserve.sandbox.kubeconfig)


@pytest.fixture
def kubectl(kserve: KServe) -> str:
    """The path of the sandbox's kubectl."""
    found = shutil.which("kubectl", path=str(kserve.sandbox.place.programs))
    assert found
    return found
