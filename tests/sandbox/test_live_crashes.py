"""A command that is killed at any of its requests leaves a state that ``status`` explains and that goes on from there.

Every request is a point to be killed at, before it is forwarded and after the server has acted. KSCONFIG_ALL_CRASHES=1
takes them all; else it is those that write, and a few others.
"""

from __future__ import annotations

import collections
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.proxy import Answer, Forward, Proxy, Request, untouched
from tests.sandbox.command_line import CommandLine, finished
from tests.sandbox.kserve import KServe

IMAGE = "reg.local:5000/team/sk:v9"
SET_IMAGE = ("set-image", "sklearn", IMAGE)
ALL = bool(os.environ.get("KSCONFIG_ALL_CRASHES"))


@pytest.fixture
def proxy(kserve: KServe, tmp_path: Path) -> Iterator[Proxy]:
    with Proxy(kserve.sandbox, tmp_path).running() as made:
        yield made


def killed_at(proxy: Proxy, number: int, when: str, *arguments: str) -> bool:
    """Run a command and kill it at its request of that number; whether it came so far."""
    process = CommandLine(proxy.kubeconfig).start(*arguments)
    hit: list[Request] = []

    def hook(request: Request, forward: Forward) -> Answer | None:
        if request.number != number:
            return forward()
        if when == "after":
            forward()
        hit.append(request)
        process.kill()
        return None

    proxy.forget()
    proxy.hook = hook
    try:
        finished(process)
    finally:
        proxy.hook = untouched
    return bool(hit)


def requests_of(proxy: Proxy, *arguments: str) -> list[Request]:
    """The requests of a command that runs to its end."""
    proxy.forget()
    CommandLine(proxy.kubeconfig).ok(*arguments)
    return list(proxy.requests)


def points(requests: list[Request]) -> list[int]:
    """The numbers of the requests to be killed at."""
    if ALL:
        return [request.number for request in requests]
    writes = [request.number for request in requests if request.method != "GET" and "selfsubject" not in request.path]
    return sorted({*writes, 0, len(requests) // 2, len(requests) - 1})


def check_told(kserve: KServe, ksconfig: CommandLine, before: dict[str, str]) -> None:
    """``status`` knows whether the change is there, and whether a restart is due."""
    status = ksconfig.ok("status", "-o", "json").json
    unfinished = {one["state"] for one in status["unfinished"]}
    if kserve.config() == before:
        assert unfinished <= {"pending"}
    else:
        assert status["lastRevision"]["state"] in ("written", "applied", "ready")
        assert unfinished or status["lastRevision"]["state"] == "ready"


def report(command: str, requests: list[Request], killed: int) -> None:
    verbs = collections.Counter(request.method for request in requests)
    print(f"\n{command}: {len(requests)} requests ({dict(verbs)}), killed {killed} times")
    for request in requests:
        print(f"  {request}")


@pytest.mark.kserve("0.7.0")
def test_set_image_killed_at_a_request_goes_on_when_run_again(kserve: KServe, proxy: Proxy) -> None:
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    before = kserve.config()
    requests = requests_of(proxy, *SET_IMAGE)
    ksconfig.ok("rollback")
    count = 0
    for number in points(requests):
        for when in ("before", "after"):
            pod = kserve.controller()["metadata"]["uid"]
            if not killed_at(proxy, number, when, *SET_IMAGE):
                continue
            count += 1
            check_told(kserve, ksconfig, before)
            ksconfig.ok(*SET_IMAGE)
            assert IMAGE.rpartition(":")[0] in kserve.config()["predictors"]
            assert kserve.controller()["metadata"]["uid"] != pod, (number, when)
            ksconfig.ok("rollback")
            assert kserve.config() == before, (number, when)
    report("set-image", requests, count)
    assert {"GET", "POST", "PATCH", "DELETE"} <= {request.method for request in requests}
    assert count >= 1.6 * len(points(requests))  # how often it looks differs from run to run


@pytest.mark.kserve("0.7.0")
def test_rollback_killed_at_a_request_goes_on_when_run_again(kserve: KServe, proxy: Proxy) -> None:
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    before = kserve.config()
    ksconfig.ok(*SET_IMAGE)
    requests = requests_of(proxy, "rollback")
    count = 0
    for number in points(requests):
        for when in ("before", "after"):
            ksconfig.ok(*SET_IMAGE)
            changed = kserve.config()
            pod = kserve.controller()["metadata"]["uid"]
            if not killed_at(proxy, number, when, "rollback"):
                continue
            count += 1
            assert kserve.config() in (before, changed)
            ksconfig.ok("status")
            again = ksconfig("rollback")
            finished_before = "there is no revision to undo" in again.err  # killed after its very last request
            assert again.code == 0 or finished_before, (number, when, again.err)
            assert kserve.config() == before, (number, when)
            assert kserve.controller()["metadata"]["uid"] != pod, (number, when)
    report("rollback", requests, count)
    assert {"GET", "POST", "PATCH", "DELETE"} <= {request.method for request in requests}
    assert count >= 1.6 * len(points(requests))  # how often it looks differs from run to run


@pytest.mark.kserve("0.7.0")
def test_a_process_that_is_interrupted_says_how_to_go_on(kserve: KServe, proxy: Proxy) -> None:
    process: subprocess.Popen[str] | None = None

    def hook(request: Request, forward: Forward) -> Answer:
        answer = forward()
        if request.method == "DELETE" and process is not None:
            process.terminate()
        return answer

    proxy.hook = hook
    process = CommandLine(proxy.kubeconfig).start(*SET_IMAGE)
    done = finished(process)
    assert done.code == 143
    assert "interrupted: the change is written (revision 1)" in done.err
    assert "the same command goes on from there" in done.err
    CommandLine(kserve.sandbox.kubeconfig).ok(*SET_IMAGE)
