"""Readiness and liveness as a pod's spec asks for them, with the delays scaled down."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

Probe = dict[str, Any]
_SHORTEST = 0.1  # seconds between two tries, however much they are scaled


class Target(NamedTuple):
    """What is probed: the address of a pod, and the process of the container (for commands inside it)."""

    address: str
    pid: int


def watch(probe: Probe, target: Target, scale: float, stop: threading.Event, turned: Callable[[bool], None]) -> None:
    """Try a probe again and again until ``stop``; call ``turned`` whenever its verdict changes.

    Delays and periods are multiplied by ``scale``; thresholds count as they are.
    """
    if stop.wait(probe.get("initialDelaySeconds", 0) * scale):
        return
    period = max(_SHORTEST, probe.get("periodSeconds", 10) * scale)
    verdict: bool | None = None
    good = bad = 0
    while not stop.is_set():
        if _succeeds(probe, target):
            good, bad = good + 1, 0
            if verdict is not True and good >= probe.get("successThreshold", 1):
                verdict = True
                turned(True)
        else:
            good, bad = 0, bad + 1
            if verdict is not False and bad >= probe.get("failureThreshold", 3):
                verdict = False
                turned(False)
        if stop.wait(period):
            return


def _succeeds(probe: Probe, target: Target) -> bool:
    timeout, address = probe.get("timeoutSeconds", 1), target.address
    try:
        if action := probe.get("httpGet"):
            return _http(action, address, timeout)
        if action := probe.get("tcpSocket"):
            socket.create_connection((address, int(action["port"])), timeout).close()
            return True
        if action := probe.get("exec"):
            enter = ["nsenter", f"--target={target.pid}", "--mount", "--net", "--uts", "--root", "--wd", "--"]
            command = [*enter, *action["command"]]
            return subprocess.run(command, capture_output=True, timeout=timeout, check=False).returncode == 0
    except (OSError, http.client.HTTPException, ValueError, subprocess.TimeoutExpired):
        return False
    return False  # gRPC, which nothing here speaks


def _http(action: dict[str, Any], address: str, timeout: float) -> bool:
    host, port = action.get("host") or address, int(action["port"])
    connection: http.client.HTTPConnection
    if action.get("scheme", "HTTP") == "HTTPS":  # a kubelet does not verify either
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", action.get("path", "/"))
        return 200 <= connection.getresponse().status < 400
    finally:
        connection.close()
