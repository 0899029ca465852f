"""Tab on a real cluster: through the real kubectl and by the program itself, with few requests and a bound on each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.proxy import Answer, Forward, Proxy, Request
from sandbox.handle import Sandbox
from tests.sandbox.command_line import ROOT, CommandLine
from tests.sandbox.kserve import KServe

PROGRAMS = {
    "ksconfig": "ksconfig.__main__ import main",
    "kubectl-ksconfig": "ksconfig.__main__ import main",
    "kubectl_complete-ksconfig": "ksconfig.cli.tab import kubectl_complete as main",
}
SKLEARN = {"sklearn": {"storageUri": "gs://models/iris"}}


class Shell:
    """Runs programs as a user's shell does: found by PATH, with one kubeconfig."""

    def __init__(self, folder: Path, kubectl: str | None, kubeconfig: Path) -> None:
        self.folder = folder
        for name, source in PROGRAMS.items():  # as pip makes them of the entry points
            (folder / name).write_text(f"#!{sys.executable}\nimport sys\nfrom {source}\nsys.exit(main())\n")
            (folder / name).chmod(0o755)
        path = [str(folder), *([str(Path(kubectl).parent)] if kubectl else []), "/bin", "/usr/bin"]
        self.environment = os.environ | {
            "PATH": os.pathsep.join(path), "PYTHONPATH": str(ROOT), "KUBECONFIG": str(kubeconfig),
            "KSCONFIG_COMPLETION_SECONDS": "30",
        }  # fmt: skip

    def __call__(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip

    def offered(self, *words: str) -> list[str]:
        """What kubectl's completion of the plugin offers."""
        done = self("kubectl_complete-ksconfig", *words)
        assert (done.returncode, done.stderr) == (0, "")
        *names, directive = done.stdout.splitlines()
        assert directive in (":4", ":6")
        return names


class Door(Proxy):
    """A proxy for kubectl, which sends no credentials where there is no TLS."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        super().__init__(sandbox, folder)
        token = json.loads(sandbox.kubeconfig.read_text())["users"][0]["user"]["token"]
        self._credentials = {"Authorization": f"Bearer {token}"}

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return super()._ask(method, path, self._credentials | headers, body)


@pytest.fixture
def proxy(kserve: KServe, tmp_path: Path) -> Iterator[Proxy]:
    with Door(kserve.sandbox, tmp_path).running() as one:
        yield one


@pytest.fixture
def shell(proxy: Proxy, kubectl: str, tmp_path: Path) -> Shell:
    return Shell(tmp_path, kubectl, proxy.kubeconfig)


@pytest.mark.kserve("0.8.0")
def test_names_come_from_the_cluster_with_few_requests(
    kserve: KServe, shell: Shell, proxy: Proxy, tmp_path: Path
) -> None:
    kserve.create("iris", SKLEARN)
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    ksconfig.ok("set-image", "agent", "reg.local/agent:v9", "--no-restart")
    namespace, number = kserve.namespace, str(ksconfig.ok("history", "-o", "json").json["items"][-1]["number"])
    images = ksconfig.ok("images", "-o", "name").out.split()
    # runtimes of namespaces may be those of an earlier test, on their way
    read = {name for name in images if name not in ("logger", "batcher") and name.count("/") < 2}
    for words, wanted, most in (
        (["set-image", ""], {"sklearn", "agent", "explainer/alibi", "runtime/kserve-sklearnserver"}, 4),
        (["set-image", "runtime/kserve-sk"], {"runtime/kserve-sklearnserver"}, 3),
        (["set-image", "agent=:v9", "xg"], {"xgboost="}, 3),
        (["history", ""], {number}, 1),
        (["rollback", "--to-revision", ""], {number, "0"}, 1),
        (["runtime", "use", ""], {"kserve-sklearnserver"}, 2),
        (["runtime", "create", "x", "--from", "kserve-sk"], {"kserve-sklearnserver"}, 2),
        (["runtime", "use", "x", "-n", namespace, ""], {"iris"}, 1),
        (["set-image", "--unpin-service", ""], {f"{namespace}/iris"}, 1),
        (["images", "-n", ""], {namespace, "kserve"}, 1),
        (["images", "-n", "kserve", "--context", ""], {contexts(shell)[0]}, 0),
    ):
        proxy.forget()
        assert wanted <= set(shell.offered(*words)), words
        assert len(proxy.requests) <= most, list(map(str, proxy.requests))
        assert {one.method for one in proxy.requests} <= {"GET"}
    assert read <= set(shell.offered("set-image", ""))
    assert "iris" not in shell.offered("runtime", "use", "x", "-n", namespace, "iris", "")


def contexts(shell: Shell) -> list[str]:
    return shell("kubectl", "config", "get-contexts", "-o", "name").stdout.split()


@pytest.mark.kserve("0.8.0")
def test_kubectl_runs_and_completes_the_plugin(kserve: KServe, shell: Shell) -> None:
    listed = shell("kubectl", "plugin", "list")
    assert str(shell.folder / "kubectl-ksconfig") in listed.stdout
    done = shell("kubectl", "ksconfig", "images", "-o", "name")
    assert "runtime/kserve-sklearnserver" in done.stdout.split()
    assert shell("kubectl", "ksconfig", "get", "-h").stdout.startswith("Usage: kubectl ksconfig get ")
    done = shell("kubectl", "__complete", "ksconfig", "set-image", "skl")
    assert done.stdout.splitlines() == ["sklearn", "sklearn/v1", "sklearn/v2", ":4"]
    done = shell("kubectl", "__complete", "ksconfig", "roll")
    assert done.stdout.splitlines()[0].startswith("rollback\t")


@pytest.mark.kserve("0.8.0")
def test_without_kubectl_our_own_client_asks(kserve: KServe, proxy: Proxy, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", "from ksconfig.source.cluster.glance import Glance; g = Glance(None, None, None); "
         "print(g.contexts(), g.namespaces(), g.runtimes(), len(g.source([]).configs()))"],
        env=Shell(tmp_path, None, proxy.kubeconfig).environment | {"PATH": "/nowhere"},
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert kserve.namespace in found.stdout
    assert "kserve-sklearnserver" in found.stdout
    assert found.stdout.endswith(" 1\n")
    assert [one.method for one in proxy.requests] == ["GET"] * 4


@pytest.mark.kserve("0.8.0")
def test_a_server_that_is_silent_or_refuses_holds_nothing_up(
    kserve: KServe, shell: Shell, proxy: Proxy, tmp_path: Path
) -> None:
    go_on = threading.Event()
    del shell.environment["KSCONFIG_COMPLETION_SECONDS"]

    def wait(request: Request, forward: Forward) -> None:
        go_on.wait(50)

    proxy.hook = wait
    try:
        for words in (["set-image", ""], ["history", ""], ["images", "-n", ""]):
            assert shell.offered(*words) == []  # and not after 50 seconds
        assert not go_on.is_set()
    finally:
        go_on.set()
    proxy.hook = lambda request, forward: None
    assert shell.offered("set-image", "") == []
