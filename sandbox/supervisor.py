"""The first process of a sandbox: starts all the others in its namespaces, and ends with them.

It runs as ``python -m sandbox.supervisor ORDERS`` (JSON, see :class:`Orders`) inside namespaces made by ``unshare``.
It tells its starter on standard output, a line of JSON each, what it does: ``say``, then ``ready`` or ``failed``. It
ends, at any time, when the lifeline (a pipe whose other end its starter holds) closes without the word ``stay``, when
an order to stop comes through the control socket, or on SIGTERM; being the first of its process namespace, it takes
everything with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sandbox import build, relay
from sandbox.control_plane import ADDRESS, KUBELET_PORT, LOCAL_NODE, PORT, ControlPlane, kubeconfig
from sandbox.install import Installation
from sandbox.knative import Knative
from sandbox.kubelet import logs
from sandbox.kubelet.container import Pace
from sandbox.kubelet.images import Image, Images
from sandbox.kubelet.node import Kubelet
from sandbox.kubelet.pod import Node
from sandbox.places import Place, forget
from sandbox.releases import release_called

#: What runs beside a controller and is only said to run.
_IDLE = ("gcr.io/kubebuilder/kube-rbac-proxy:", "quay.io/brancz/kube-rbac-proxy:")
#: An image for Jobs: the ksconfig of this checkout, with the Python that runs the sandbox.
_KSCONFIG = "registry.example/team/ksconfig:"


def _ksconfig() -> Image:
    """An image that holds ksconfig: a pod sees the programs of the machine, but not the rest of its disk."""
    pythons = {sys.base_prefix, sys.prefix}
    files = {one: Path(one) for one in sorted(pythons) if not one.startswith("/usr")}
    package = Path(__file__).parents[1] / "ksconfig"
    run = ("/usr/bin/env", "PYTHONPATH=/app", "PYTHONDONTWRITEBYTECODE=1", sys.executable, "-m", "ksconfig")
    return Image({**files, "/app/ksconfig": package}, run)


@dataclass(frozen=True)
class Orders:
    """What a supervisor is to do; the descriptors are of files that it inherits."""

    folder: str
    release: str
    listening: int
    lifeline: int
    probes: float
    back_off: float


class Supervisor:
    """Everything that runs in one sandbox."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._place = Place(Path(orders.folder))
        self._release = release_called(orders.release)
        self._began = time.monotonic()
        self._stop = threading.Event()  # never set: the threads end with the process
        self._ending = threading.Lock()
        self._problems: list[str] = []
        self._plane = ControlPlane(self._place.folder, build.kubernetes(), build.etcd_and_kwok())

    def run(self) -> NoReturn:
        """Start, and stay until the end."""
        signal.signal(signal.SIGTERM, lambda *_: self._end(0))
        self._listen_for_orders()
        self._thread("lifeline", self._hold_lifeline, self._orders.lifeline)
        try:
            self._tell(ready=self._start())
        except Exception as error:  # whatever it is, the starter is to know
            self._tell(failed=f"{type(error).__name__}: {error}", log=self._last_words())
            self._end(1)
        while True:
            signal.pause()

    def _start(self) -> dict[str, Any]:
        _private_network()
        self._say("starting etcd and the API server ...")
        self._plane.start()
        port = self._open_to_the_outside()
        self._say(f"installing {self._release.name} as released ...")
        unit = build.kserve(self._release)
        objects = json.loads((unit.folder / "objects.json").read_text())
        installation = Installation(self._plane.api, self._release, objects, self._plane.authority)
        self._start_kubelet(unit, installation.controller_images())
        self._thread("knative", Knative(self._plane.api).run, self._stop)
        installation.begin()
        self._say("waiting for the controller's webhook ...")
        installation.finish()
        return {"seconds": time.monotonic() - self._began, "megabytes": _megabytes(), "port": port}

    def _start_kubelet(self, unit: build.Unit, controllers: list[str]) -> None:
        manager = Image({"/manager": unit.folder / "manager"}, ("/manager",))
        families = {**dict.fromkeys(_IDLE, Image(idle=True)), _KSCONFIG: _ksconfig()}
        images = Images(dict.fromkeys(controllers, manager), families)
        pace = Pace(self._orders.probes, self._orders.back_off)
        folder = self._place.folder / "pods"
        kubelet = Kubelet(Node(self._plane.api, LOCAL_NODE, folder, images, pace, (ADDRESS, PORT)))
        self._thread("kubelet", kubelet.run, self._stop)
        certificate, key = self._plane.authority.issue("kubelet", [f"IP:{ADDRESS}"])
        self._thread("logs", logs.server(kubelet, (ADDRESS, KUBELET_PORT), certificate, key).serve_forever)

    def _open_to_the_outside(self) -> int:
        """Relay the outer socket, and write the kubeconfig and the PATH for the outside; gives the outer port."""
        listening = socket.socket(fileno=self._orders.listening)
        port: int = listening.getsockname()[1]
        self._thread("relay", relay.run, listening, (ADDRESS, PORT))
        authority, token = self._plane.authority.certificate, self._plane.token
        text = kubeconfig(f"https://127.0.0.1:{port}", authority, token, f"sandbox-{self._place.name}")
        self._place.kubeconfig.touch(mode=0o600)
        self._place.kubeconfig.write_text(text)
        self._place.programs.mkdir()
        (self._place.programs / "kubectl").symlink_to(self._plane.kubectl())
        return port

    def _listen_for_orders(self) -> None:
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        control.bind(str(self._place.control))
        control.listen()

        def serve() -> None:
            while True:
                connection, _ = control.accept()
                with connection, contextlib.suppress(OSError):  # whoever asks may go away meanwhile
                    connection.settimeout(5)
                    if connection.recv(100) == b"stop":
                        self._end(0)
                    connection.sendall(json.dumps(self._status()).encode())

        self._thread("control", serve)

    def _status(self) -> dict[str, Any]:
        return {
            "release": self._release.name,
            "age": time.monotonic() - self._began,
            "megabytes": _megabytes(),
            "problem": "; ".join(filter(None, [self._plane.processes.dead(), *self._problems])),
        }

    def _hold_lifeline(self, descriptor: int) -> None:
        while word := os.read(descriptor, 100):
            if word == b"stay":
                return
        self._end(0)

    def _end(self, code: int) -> NoReturn:
        """End all processes, remove the folder, and end: from whatever thread, whatever the others do."""
        self._ending.acquire()
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                try:
                    os.kill(int(name), signal.SIGKILL)
                except OSError:
                    continue
        forget(self._place)
        os._exit(code)

    def _last_words(self) -> str:
        """The ends of the logs, for a start that failed."""
        parts = []
        for log in [*sorted((self._place.folder / "logs").glob("*.log")), *self._place.folder.glob("pods/*/*.log")]:
            lines = log.read_text(errors="replace").strip().splitlines()[-8:]
            parts += [f"--- {log.name}", *lines] if lines else []
        return "\n".join(parts)

    def _thread(self, name: str, function: Any, *arguments: Any) -> None:
        def run() -> None:
            try:
                function(*arguments)
            except Exception as error:
                self._problems.append(f"{name} ended: {type(error).__name__}: {error}")
                raise

        threading.Thread(target=run, name=name, daemon=True).start()

    def _say(self, text: str) -> None:
        self._tell(say=text)

    def _tell(self, **what: Any) -> None:
        with contextlib.suppress(OSError):  # the starter has gone
            print(json.dumps(what), flush=True)


def _private_network() -> None:
    """The addresses of the sandbox, and a place for the pods' network namespaces."""
    for command in (
        "ip link set lo up",
        f"ip address add {ADDRESS}/32 dev lo",
        "mount -t tmpfs -o mode=755 sandbox /run",
    ):
        subprocess.run(command.split(), check=True, capture_output=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else soft, hard))


def _megabytes() -> float:
    """The memory of all processes of the sandbox; what they share is counted once."""
    total = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            rollup = Path("/proc", name, "smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1000


if __name__ == "__main__":
    Supervisor(Orders(**json.loads(sys.argv[1]))).run()
