"""A network namespace for each pod, joined to the sandbox by a pair of virtual devices."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import threading

_FIRST = 10 << 24 | 99 << 16 | 1 << 8 | 1  # 10.99.1.1
_numbers = itertools.count()
_lock = threading.Lock()


class PodNetwork:
    """The address of a pod and what stands behind it."""

    def __init__(self, gateway: str) -> None:
        with _lock:
            self._number = next(_numbers)
        self._gateway = gateway
        self.name = f"pod-{self._number}"
        self.address = ".".join(str((_FIRST + self._number) >> shift & 255) for shift in (24, 16, 8, 0))

    def make(self) -> None:
        """Make the namespace, with an address that the rest of the sandbox reaches, and that reaches it."""
        device, inside = f"sb{self._number}", ("ip", "-n", self.name)
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _run("ip", "link", "set", device, "up")
        _run("ip", "route", "add", f"{self.address}/32", "dev", device, "src", self._gateway)
        _run(*inside, "link", "set", "lo", "up")
        _run(*inside, "address", "add", f"{self.address}/32", "dev", "eth0")
        _run(*inside, "link", "set", "eth0", "up")
        _run(*inside, "route", "add", f"{self._gateway}/32", "dev", "eth0")
        _run(*inside, "route", "add", "default", "via", self._gateway)

    def enter(self) -> list[str]:
        """The words before a command that is to run in it."""
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def remove(self) -> None:
        """Take it away, with whatever still runs in it; the devices go with it."""
        left = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False).stdout
        for pid in map(int, left.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
