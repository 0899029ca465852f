"""Every other writing command, killed at its requests: nothing is lost, and the same command goes on from there.

`set-image` and `rollback` have tests of their own. Which requests are points to be killed at is said there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from chaos.proxy import Proxy, Request
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe
from tests.sandbox.test_live_crashes import ALL, killed_at, points, proxy, report, requests_of

__all__ = ["proxy"]

IMAGE = "reg.local:5000/team/sk:py38"
STANDARD = "kserve-sklearnserver"
MODEL = {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/iris"}}
CREATE = ("runtime", "create", "mine", "--from", STANDARD, "--image", IMAGE)
USE = ("runtime", "use", "mine", "iris")

#: Commands that come before, and the command that is killed.
COMMANDS: dict[str, tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    # keys that need no restart, which takes most of the time: set-image's tests have that
    "set": ((), ("set", "agent.cpuRequest", "200m")),
    "unset": ((), ("unset", "agent.cpuRequest")),
    "create": ((), CREATE),
    "use": ((CREATE,), USE),
    "promote": ((CREATE, USE), ("runtime", "promote", "mine")),
    "delete": ((CREATE,), ("runtime", "delete", "mine")),
}


def state(kserve: KServe) -> dict[str, Any]:
    """What a command may change, as owners have written it."""
    path = f"/apis/serving.kserve.io/v1alpha1/namespaces/{kserve.namespace}/servingruntimes"
    return {
        "config": kserve.config(),
        "cluster": {name: one["spec"] for name, one in kserve.remember().runtimes.items()},
        "namespace": {one["metadata"]["name"]: one["spec"] for one in kserve.api.items(path)},
        "service": kserve.stored("iris")["spec"],
    }


def check(kserve: KServe, proxy: Proxy, first: Sequence[tuple[str, ...]], command: tuple[str, ...]) -> None:
    """Kill the command at each point, run it again, and roll back."""
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    for one in first:
        ksconfig.ok(*one)
    before = state(kserve)
    requests = requests_of(proxy, *command)
    after = state(kserve)
    assert after != before
    ksconfig.ok("rollback")
    assert state(kserve) == before
    killed = 0
    for number, when in moments(requests):
        if not killed_at(proxy, number, when, *command):
            continue
        killed += 1
        ksconfig.ok(*command)
        assert state(kserve) == after, (number, when)
        status = ksconfig.ok("status", "--no-services", "-o", "json").json
        # a record of what was killed before it wrote stays as what it is
        assert {one["state"] for one in status["unfinished"]} <= {"pending"}, (number, when)
        assert not status["restartDue"], (number, when)
        ksconfig.ok("rollback")
        assert state(kserve) == before, (number, when)
    report(" ".join(command), requests, killed)
    assert killed >= 0.7 * len(moments(requests))  # how often it looks differs from run to run


def moments(requests: list[Request]) -> list[tuple[int, str]]:
    """Requests, and whether to be killed before or after them: both of each, or in turn."""
    found = points(requests)
    if ALL:
        return [(number, when) for number in found for when in ("before", "after")]
    return [(number, ("after", "before")[place % 2]) for place, number in enumerate(found)]


@pytest.mark.kserve("0.20.0")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_killed_at_a_request_goes_on_when_run_again(kserve: KServe, proxy: Proxy, name: str) -> None:
    kserve.create("iris", MODEL)
    kserve.wait_until_settled("iris")
    first, command = COMMANDS[name]
    check(kserve, proxy, [within(kserve.namespace, one) for one in first], within(kserve.namespace, command))


def within(namespace: str, command: tuple[str, ...]) -> tuple[str, ...]:
    """A command as it is in a namespace, if it is about runtimes; elsewhere -n is the config's."""
    return (*command, "-n", namespace) if command[0] == "runtime" else command


@pytest.mark.kserve("0.7.0")
def test_a_restart_killed_at_a_request_is_completed_when_run_again(kserve: KServe, proxy: Proxy) -> None:
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    before = kserve.config()
    requests = requests_of(proxy, "restart")
    for number, when in moments(requests):
        pod = kserve.controller()["metadata"]["uid"]
        if killed_at(proxy, number, when, "restart"):
            ksconfig.ok("restart")
            assert kserve.controller()["metadata"]["uid"] != pod
    assert kserve.config() == before
