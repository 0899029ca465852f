"""A small client for the API server: plain JSON in and out, and a list that follows its changes.

It shares nothing with ksconfig's own client, so that a fault in the one cannot hide in the other.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class ApiError(Exception):
    """The API server refused: ``code`` and ``reason`` of its Status, and the message."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Event:
    """What happened to an object: ``ADDED``, ``MODIFIED`` or ``DELETED``, and the object as it is (was)."""

    kind: str
    object: Object


class Api:
    """One user's access to one API server."""

    def __init__(self, server: str, ca: Path, token: str) -> None:
        self.server = server
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._pool = urllib3.PoolManager(
            ca_certs=str(ca), retries=False, maxsize=16, timeout=urllib3.Timeout(connect=5, read=60)
        )
        self._resources: dict[str, dict[str, tuple[str, bool]]] = {}

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        **query: str,
    ) -> Object:
        """Send one request and give the answer's JSON.

        Raises:
            ApiError: the server answered with an error; ``code`` 0 if it did not answer at all.
        """
        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, url, body=data, headers={**self._headers, "Content-Type": content_type})
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, "Unreachable", f"{method} {path}: {error}") from error
        return _checked(method, path, answer.status, answer.data)

    def get(self, path: str, **query: str) -> Object:
        """GET one object or list."""
        return self.request("GET", path, **query)

    def find(self, path: str) -> Object | None:
        """GET one object, or nothing if it is not there."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def items(self, path: str, **query: str) -> list[Object]:
        """The objects of a list."""
        listed: list[Object] = self.get(path, **query)["items"]
        return listed

    def patch(self, path: str, body: object, content_type: str = MERGE, **query: str) -> Object:
        """PATCH, as a JSON merge patch unless another type is said."""
        return self.request("PATCH", path, body, content_type, **query)

    def delete(self, path: str, body: Mapping[str, object] | None = None) -> None:
        """DELETE; it is no fault if the object is not there."""
        try:
            self.request("DELETE", path, body)
        except ApiError as error:
            if error.code != 404:
                raise

    def create(self, obj: Object, **query: str) -> Object:
        """POST an object to where its kind lives."""
        return self.request("POST", self.path_of(obj, collection=True), obj, **query)

    def path_of(self, obj: Mapping[str, Any], collection: bool = False) -> str:
        """Where an object (its kind's collection) is served, as the server's discovery tells.

        Raises:
            ApiError: the server does not know the kind.
        """
        version, kind, metadata = obj["apiVersion"], obj["kind"], obj["metadata"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        known = self._resources.get(version, {})
        if kind not in known:
            found = self.get(base)["resources"]
            known = {one["kind"]: (one["name"], one["namespaced"]) for one in found if "/" not in one["name"]}
            self._resources[version] = known
        if kind not in known:
            raise ApiError(404, "NotFound", f"{version} has no {kind}")
        plural, namespaced = known[kind]
        where = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        return f"{base}{where}/{plural}" + ("" if collection else f"/{metadata['name']}")

    def follow(self, path: str, stop: threading.Event, **query: str) -> Iterator[Event]:
        """The objects of a list, then every change, until ``stop`` is set; lost connections are taken up again."""
        known: dict[str, Object] = {}
        while not stop.is_set():
            try:
                listed = self.get(path, **query)
                # the items of a list do without what its own kind tells
                names = {"apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")}
                now = {obj["metadata"]["uid"]: {**names, **obj} for obj in listed["items"]}
                for uid in known.keys() - now.keys():
                    yield Event("DELETED", known[uid])
                for uid, obj in now.items():
                    yield Event("MODIFIED" if uid in known else "ADDED", obj)
                known = now
                for event in self._watch(path, listed["metadata"]["resourceVersion"], stop, query):
                    uid = event.object["metadata"]["uid"]
                    if event.kind == "DELETED":
                        known.pop(uid, None)
                    else:
                        known[uid] = event.object
                    yield event
            except (ApiError, urllib3.exceptions.HTTPError, OSError):
                stop.wait(0.2)  # the server is starting or stopping, or the version is too old: list again

    def _watch(self, path: str, version: str, stop: threading.Event, query: Mapping[str, str]) -> Iterator[Event]:
        parameters = urlencode({**query, "watch": "1", "resourceVersion": version, "timeoutSeconds": "300"})
        answer = self._pool.request(
            "GET", f"{self.server}{path}?{parameters}", headers=self._headers, preload_content=False, timeout=330
        )
        if answer.status != 200:
            _checked("GET", path, answer.status, answer.read())
        try:
            rest = b""
            for chunk in answer.stream(None if answer.chunked else 65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return
                    yield Event(event["type"], event["object"])
                if stop.is_set():
                    return
        finally:
            answer.close()


def _checked(method: str, path: str, status: int, data: bytes) -> Object:
    """The JSON of an answer that is no error."""
    try:
        body = json.loads(data) if data else {}
    except ValueError:
        body = {"message": data.decode(errors="replace")[:500]}
    if not isinstance(body, dict):
        body = {"message": str(body)}
    if status < 400:
        return body
    raise ApiError(status, str(body.get("reason", "")), f"{method} {path}: {status} {body.get('message', '')}".strip())


def wait_until(what: str, check: Any, seconds: float, every: float = 0.1) -> Any:
    """Ask again and again until the answer is true, and give it.

    Raises:
        TimeoutError: it was not true within ``seconds``.
    """
    end = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(every)
