"""A proxy between a client and the API server: it counts requests, and does what it is told with each of them."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sandbox.handle import Sandbox

#: Headers that belong to one connection.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length", "host"}


class Request(NamedTuple):
    """A request that came through, with its number from 0; the path includes the query."""

    number: int
    method: str
    path: str

    @property
    def writes(self) -> bool:
        """Whether it is to change an object."""
        return self.method != "GET" and "dryRun=" not in self.path and "/selfsubject" not in self.path

    def __str__(self) -> str:
        return f"{self.number} {self.method} {urlsplit(self.path).path}"


class Answer(NamedTuple):
    """An answer for the client.

    Attributes:
        promised: the length that its head tells; that of the body if not given.
        pause: the seconds between head and body.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    promised: int | None = None
    pause: float = 0.0


Forward = Callable[[], Answer]
#: Answers a request, by asking the real server or not; None drops the connection.
Hook = Callable[[Request, Forward], "Answer | None"]


def untouched(request: Request, forward: Forward) -> Answer:
    """The hook that changes nothing."""
    return forward()


class Proxy:
    """A proxy that runs; clients reach it with :attr:`kubeconfig`."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        config = json.loads(sandbox.kubeconfig.read_text())
        self._server = urlsplit(config["clusters"][0]["cluster"]["server"])
        sandbox.api()  # writes the certificate of the authority
        self._tls = ssl.create_default_context(cafile=str(sandbox.place.folder / "outside-ca.crt"))
        self.requests: list[Request] = []
        self.hook: Hook = untouched
        self._lock = threading.Lock()
        self._listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._listener.daemon_threads = True
        self.kubeconfig = folder / "proxied.kubeconfig"
        config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{self._listener.server_port}"}
        self.kubeconfig.write_text(json.dumps(config))

    def forget(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self.requests.clear()

    def _next(self, method: str, path: str) -> Request:
        with self._lock:
            request = Request(len(self.requests), method, path)
            self.requests.append(request)
            return request

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The real server's answer."""
        upstream = http.client.HTTPSConnection(
            self._server.hostname or "", self._server.port, context=self._tls, timeout=60
        )
        with contextlib.closing(upstream):
            upstream.request(method, path, body or None, headers)
            answer = upstream.getresponse()
            kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP)
            return Answer(answer.status, kept, answer.read())

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
                request = proxy._next(self.command, self.path)
                answer = proxy.hook(request, lambda: proxy._ask(self.command, self.path, headers, body))
                if answer is None:
                    self._drop()
                    return
                try:
                    self._send(answer)
                except OSError:  # the client has gone
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                promised = len(answer.body) if answer.promised is None else answer.promised
                self.send_header("Content-Length", str(promised))
                self.end_headers()
                if answer.pause:
                    self.wfile.flush()
                    time.sleep(answer.pause)
                self.wfile.write(answer.body)
                if promised != len(answer.body):
                    self._drop()

            def _drop(self) -> None:
                self.close_connection = True
                self.connection.close()

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        return Handler

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        """Serve until the block is left."""
        thread = threading.Thread(target=self._listener.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown()
            self._listener.server_close()
            thread.join()
