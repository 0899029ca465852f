"""Single faults between a command and the real API server, as scripts/chaos found them; and a few runs of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.faults import Spoiler
from chaos.plan import Fault
from chaos.proxy import Proxy
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe

SCRIPT = Path(__file__).parents[2] / "scripts" / "chaos"
IMAGE = "reg.local:5000/team/sk:v9"
SET_IMAGE = ("set-image", "sklearn", IMAGE)


class Spoilt:
    """A proxy with faults to order."""

    def __init__(self, proxy: Proxy) -> None:
        self._spoiler = Spoiler()
        proxy.hook = self._spoiler
        self.ksconfig = CommandLine(proxy.kubeconfig)

    def expect(self, kind: str, among: str, at: int) -> None:
        """A fault of the next command."""
        self._spoiler.expect([Fault(kind, among, at)])

    def happened(self) -> str:
        """The request that it happened to."""
        (hit,) = self._spoiler.hits
        return f"{hit.request.method} {hit.request.path.partition('?')[0].rpartition('/')[2]}"


@pytest.fixture
def spoilt(kserve: KServe, tmp_path: Path) -> Iterator[Spoilt]:
    with Proxy(kserve.sandbox, tmp_path).running() as proxy:
        yield Spoilt(proxy)


@pytest.mark.kserve("0.7.0")
def test_a_conflict_at_the_deletion_of_a_pod_is_no_restart_by_somebody_else(kserve: KServe, spoilt: Spoilt) -> None:
    pod = kserve.controller()["metadata"]
    spoilt.expect("409", "writes", 0)
    done = spoilt.ksconfig.ok("restart", "-o", "json").json
    assert spoilt.happened() == f"DELETE {pod['name']}"
    assert done["restarted"]
    assert kserve.controller()["metadata"]["uid"] != pod["uid"]


@pytest.mark.kserve("0.7.0")
def test_a_rollback_that_reads_the_config_of_before_the_change_undoes_it(kserve: KServe, spoilt: Spoilt) -> None:
    before = kserve.config()
    spoilt.ksconfig.ok(*SET_IMAGE)
    spoilt.expect("stale", "reads", 2)
    done = spoilt.ksconfig.ok("rollback", "-o", "json").json
    assert spoilt.happened() == "GET inferenceservice-config"
    assert done["changed"]
    assert kserve.config() == before


@pytest.mark.kserve("0.7.0")
@pytest.mark.parametrize("read", [3, 4])
def test_a_restart_that_reads_pods_of_before_restarts_those_that_are_there(
    kserve: KServe, spoilt: Spoilt, read: int
) -> None:
    spoilt.ksconfig.ok("restart")
    pod = kserve.controller()["metadata"]["uid"]
    spoilt.expect("stale", "reads", read)
    done = spoilt.ksconfig.ok("restart", "-o", "json").json
    assert spoilt.happened() == "GET pods"
    assert done["restarted"]
    assert kserve.controller()["metadata"]["uid"] != pod


@pytest.mark.kserve("0.7.0")
@pytest.mark.parametrize(("read", "what"), [(10, "pods"), (11, "inferenceservice-config"), (12, "pods")])
def test_who_loses_the_server_between_write_and_restart_says_that_the_change_is_written(
    kserve: KServe, spoilt: Spoilt, read: int, what: str
) -> None:
    pod = kserve.controller()["metadata"]["uid"]
    spoilt.expect("garbled", "reads", read)
    done = spoilt.ksconfig(*SET_IMAGE, "-o", "json")
    assert spoilt.happened() == f"GET {what}"
    assert (done.code, done.json["changed"], done.json["restarted"]) == (5, True, False), done.err
    assert "error: the change is written (revision 1): " in done.err
    assert kserve.controller()["metadata"]["uid"] == pod
    assert spoilt.ksconfig.ok(*SET_IMAGE, "-o", "json").json["restarted"]


@pytest.mark.kserve("0.7.0")
def test_who_loses_the_server_after_the_deletion_says_that_the_controller_was_restarted(
    kserve: KServe, spoilt: Spoilt
) -> None:
    pod = kserve.controller()["metadata"]["uid"]
    spoilt.expect("garbled", "reads", 17)
    done = spoilt.ksconfig(*SET_IMAGE, "-o", "json")
    assert (done.code, done.json["changed"], done.json["restarted"]) == (5, True, True), (done.err, spoilt.happened())
    kserve.wait_for_controller({pod})
    pod = kserve.controller()["metadata"]["uid"]
    again = spoilt.ksconfig.ok(*SET_IMAGE, "-o", "json").json
    assert (again["changed"], again["restarted"]) == (False, False)
    assert kserve.controller()["metadata"]["uid"] == pod


@pytest.mark.kserve("0.20.0")
def test_a_record_whose_state_could_not_be_set_is_completed_by_the_same_command(spoilt: Spoilt) -> None:
    spoilt.expect("422", "writes", 3)
    spoilt.ksconfig.ok(*SET_IMAGE)
    assert spoilt.happened() == "PATCH ksconfig-revision-000001"
    states = [spoilt.ksconfig.ok("history", "1", "-o", "json").json["state"]]
    spoilt.ksconfig.ok(*SET_IMAGE)
    states.append(spoilt.ksconfig.ok("history", "1", "-o", "json").json["state"])
    assert states == ["applied", "ready"]


@pytest.mark.kserve("0.20.0")
def test_a_few_runs_keep_their_promises() -> None:
    done = subprocess.run(
        [SCRIPT, "--runs", "3", "--seed", "5", "--kserve", "0.20.0"],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].startswith("runs 3 failed 0 kinds "), done.stdout + done.stderr
    assert done.returncode == 0
