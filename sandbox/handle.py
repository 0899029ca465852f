"""A running sandbox, from outside: started, asked and stopped from Python."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from sandbox import build, places
from sandbox.api import Api
from sandbox.kubelet.container import Pace
from sandbox.places import Place
from sandbox.releases import Release, release_called
from sandbox.supervisor import Orders

_NAMESPACES = ("--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_PROGRAMS = ("unshare", "nsenter", "ip", "openssl")
_STOP_SECONDS = 3.0
_ANSWER_SECONDS = 3.0
Say = Callable[[str], None]


class StartError(Exception):
    """A sandbox did not start; the message says why."""


def forbidden() -> str:
    """Why this system lets nobody make namespaces, and how to allow it; empty if it does."""
    if not sys.platform.startswith("linux"):
        return "the sandbox needs Linux: run it in a virtual machine"
    if lacking := [program for program in _PROGRAMS if not shutil.which(program)]:
        return f"there is no {' and no '.join(lacking)} here: install util-linux, iproute2 and openssl"
    command = ["unshare", *_NAMESPACES, "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    return (
        f"this system lets you make no user namespaces ({done.stderr.strip()}): allow them with "
        "`sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000` and, on Ubuntu, "
        "`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or run as root"
    )


class Sandbox:
    """One sandbox that runs."""

    def __init__(self, place: Place, release: Release | None = None) -> None:
        self.place = place
        self._release = release
        self.figures: dict[str, float] = {}
        self.lifeline: int | None = None  # as long as it is open, the sandbox lives on
        self.process: subprocess.Popen[bytes] | None = None  # if this process started it

    @property
    def release(self) -> Release:
        """Which KServe it is."""
        if self._release is None:
            self._release = release_called(self.status()["release"])
        return self._release

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of its administrator."""
        return self.place.kubeconfig

    def environment(self) -> dict[str, str]:
        """The caller's environment, with KUBECONFIG set and its kubectl first on PATH."""
        path = f"{self.place.programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return os.environ | {"KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def api(self) -> Api:
        """Its API server, as administrator."""
        return self.api_as(self._config()["users"][0]["user"]["token"])

    def api_as(self, token: str) -> Api:
        """Its API server, as whoever holds a token."""
        cluster = self._config()["clusters"][0]["cluster"]
        authority = self.place.folder / "outside-ca.crt"
        if not authority.exists():
            authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        return Api(cluster["server"], authority, token)

    def _config(self) -> Any:
        return json.loads(self.kubeconfig.read_text())

    def status(self) -> dict[str, Any]:
        """What it says of itself: release, age in seconds, megabytes, problem."""
        with self._order(b"status") as connection:
            answer = b""
            while part := connection.recv(65536):
                answer += part
        status: dict[str, Any] = json.loads(answer)
        return status

    def stop(self) -> None:
        """End it, and wait until nothing of it is left."""
        with contextlib.suppress(FileNotFoundError), self.place.lock.open("r") as lock:
            with contextlib.suppress(OSError), self._order(b"stop"):
                pass  # if nobody takes the order, it has ended already, or the lifeline will tell it
            self._let_go()
            if not _wait_for(lock, _STOP_SECONDS):
                self.place.kill()
                _wait_for(lock, _STOP_SECONDS)
        self._let_go()
        if self.process:
            self.process.kill()  # it waits for nothing but its child, which has ended
            self.process.wait()
        places.living()  # removes what a killed one left

    def _let_go(self) -> None:
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None

    def _order(self, order: bytes) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_ANSWER_SECONDS)
        try:
            connection.connect(str(self.place.control))
            connection.sendall(order)
        except OSError:
            connection.close()
            raise
        return connection


def _wait_for(lock: IO[str], seconds: float) -> bool:
    """Wait until the last process that holds a lock has ended; whether it has."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.01)
    return False


def all_running() -> list[Sandbox]:
    """Every sandbox of this user, those that are starting included."""
    return [Sandbox(place) for place in places.living()]


def start(release: Release, say: Say, name: str = "", stays: bool = False, pace: Pace | None = None) -> Sandbox:
    """Start a sandbox and wait until KServe's webhook answers.

    Args:
        release: which KServe.
        say: called with a line of progress now and then.
        name: how it is called; made up if empty.
        stays: it lives on when this process ends; otherwise it ends with it, however that ends.
        pace: how fast its kubelet is.

    Raises:
        StartError: it is forbidden here, one of that name runs, or something in it failed.
        build.BuildError: a program is missing and could not be built.
    """
    if problem := forbidden():
        raise StartError(f"The sandbox was not started: {problem}.")
    build.build(build.units_for([release]), say)
    try:
        place, lock = places.claim(name or f"{release.name}-{secrets.token_hex(3)}")
    except places.Taken:
        raise StartError(
            f"The sandbox was not started: one called {name} runs already. Say another --name, or end it: "
            f"scripts/sandbox down --name {name}"
        ) from None
    except ValueError as error:
        raise StartError(f"The sandbox was not started: {error}.") from None
    sandbox = Sandbox(place, release)
    lifeline, sandbox.lifeline = os.pipe()
    pace = pace or Pace()
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    orders = Orders(str(place.folder), release.name, listening.fileno(), lifeline, pace.probes, pace.back_off)
    inherited = (listening.fileno(), lifeline, lock)
    command = ["unshare", *_NAMESPACES, sys.executable, "-m", "sandbox.supervisor", json.dumps(asdict(orders))]
    path = (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))
    with (place.folder / "supervisor.log").open("wb") as log:
        sandbox.process = subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=inherited,
            start_new_session=True,
        )
    (place.folder / "pid").write_text(str(sandbox.process.pid))
    for descriptor in (lock, lifeline):
        os.close(descriptor)
    listening.close()
    try:
        sandbox.figures = _told(sandbox.process, place, say)
        if stays:
            assert sandbox.lifeline is not None
            os.write(sandbox.lifeline, b"stay")
            sandbox._let_go()
    except BaseException:
        sandbox.stop()
        raise
    return sandbox


def _told(process: subprocess.Popen[bytes], place: Place, say: Say) -> dict[str, float]:
    """Pass on what the supervisor tells until it is ready; gives its figures."""
    assert process.stdout
    with process.stdout:
        for line in process.stdout:
            told = json.loads(line)
            if "say" in told:
                say(told["say"])
            elif "ready" in told:
                figures: dict[str, float] = told["ready"]
                return figures
            else:
                raise StartError(f"The sandbox was not started: {told['failed']}\n{told['log']}".rstrip())
    log = place.folder / "supervisor.log"
    words = log.read_text(errors="replace").strip() if log.exists() else ""
    raise StartError(f"The sandbox was not started: its first process ended.\n{words}".rstrip())
