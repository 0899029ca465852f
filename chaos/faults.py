"""Faults as they happen: a hook for the proxy that spoils the requests which the plan names."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chaos.plan import KINDS, Fault
from chaos.proxy import Answer, Forward, Request

_MESSAGES = {
    409: ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "too many requests, please try again later"),
    500: ("InternalError", "etcdserver: request timed out"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
}
_RETRY_AFTER = "1"


class Hit(NamedTuple):
    """A fault that has happened, and to which request."""

    fault: Fault
    request: Request

    def __str__(self) -> str:
        acted = " (the server has acted)" if self.fault.acted else ""
        return f"{self.fault.kind}{acted} at {self.request}"


class Spoiler:
    """Faults that wait for their requests.

    It remembers what was answered, all the time that it is the proxy's hook, so that a read can be answered with what
    was true once.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._seen = {"all": 0, "writes": 0, "reads": 0}
        self._answers: dict[str, list[Answer]] = {}
        self.hits: list[Hit] = []

    def expect(self, faults: Sequence[Fault]) -> None:
        """Count requests from here on, and let these faults happen; none to let everything pass."""
        with self._lock:
            self._waiting = list(faults)
            self._seen = {"all": 0, "writes": 0, "reads": 0}
            self.hits = []

    def __call__(self, request: Request, forward: Forward) -> Answer | None:
        """The hook."""
        fault = self._due(request)
        if fault is None:
            return self._remembered(request, forward())
        return self._spoilt(fault, request, forward)

    def _due(self, request: Request) -> Fault | None:
        with self._lock:
            groups = ["all", *(["writes"] if request.writes else []), *(["reads"] if request.method == "GET" else [])]
            numbers = {group: self._seen[group] for group in groups}
            for group in groups:
                self._seen[group] += 1
            for fault in self._waiting:
                if fault.among not in numbers or numbers[fault.among] < fault.at or not self._fits(fault, request):
                    continue
                self._waiting.remove(fault)
                self.hits.append(Hit(fault, request))
                return fault
        return None

    def _fits(self, fault: Fault, request: Request) -> bool:
        if KINDS[fault.kind] == "writes":
            # a DELETE changes no text, so nothing in it can be invalid
            return request.writes and not (fault.kind == "422" and request.method == "DELETE")
        return fault.kind != "stale" or (request.method == "GET" and bool(self._answers.get(request.path)))

    def _remembered(self, request: Request, answer: Answer) -> Answer:
        if request.method == "GET" and answer.status == 200:
            with self._lock:
                self._answers.setdefault(request.path, []).append(answer)
        return answer

    def _spoilt(self, fault: Fault, request: Request, forward: Forward) -> Answer | None:
        kind = fault.kind
        if kind == "reset before":
            return None
        if kind == "reset after":
            forward()
            return None
        if kind == "stale":
            return self._stale(request, forward())
        if kind.isdigit():
            if fault.acted:
                forward()
            return refusal(int(kind))
        if kind == "silence":
            self._sleep(fault.seconds)
        answer = self._remembered(request, forward())
        half = answer.body[: len(answer.body) // 2]
        if kind == "truncated":
            return answer._replace(body=half, promised=len(answer.body))
        if kind == "garbled":
            return answer._replace(body=half)
        return answer._replace(pause=fault.seconds) if kind == "delayed" else answer

    def _stale(self, request: Request, now: Answer) -> Answer:
        """The oldest answer that says something else, or the oldest one."""
        with self._lock:
            old = self._answers[request.path]
            return next((one for one in old if one.body != now.body), old[0])


def refusal(status: int) -> Answer:
    """An error as the API server words it."""
    reason, message = _MESSAGES[status]
    body = {
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reason, "message": message,
    }  # fmt: skip
    headers = [("Content-Type", "application/json")]
    if status == 429:
        headers.append(("Retry-After", _RETRY_AFTER))
    return Answer(status, tuple(headers), json.dumps(body).encode())
