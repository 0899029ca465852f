"""A proxy between a client and the API server: it counts requests, and does what a test asks at one of them."""

from __future__ import annotations

import http.client
import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sandbox.handle import Sandbox

#: Headers that belong to one connection.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "content-length", "host"}


class Request(NamedTuple):
    """A request that came through, with its number from 0."""

    number: int
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.number} {self.method} {urlsplit(self.path).path}"


#: Is called before a request is forwarded, and after the server has answered and before the client hears of it;
#: ("before" or "after", the request). False drops the connection instead of going on.
Hook = Callable[[str, Request], bool]


class Proxy:
    """A proxy that runs; clients reach it with :attr:`kubeconfig`."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        config = json.loads(sandbox.kubeconfig.read_text())
        self._server = urlsplit(config["clusters"][0]["cluster"]["server"])
        sandbox.api()  # writes the certificate of the authority
        self._tls = ssl.create_default_context(cafile=str(sandbox.place.folder / "outside-ca.crt"))
        self.requests: list[Request] = []
        self.hook: Hook = lambda when, request: True
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

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = proxy._next(self.command, self.path)
                if not proxy.hook("before", request):
                    self._drop()
                    return
                upstream = http.client.HTTPSConnection(
                    proxy._server.hostname or "", proxy._server.port, context=proxy._tls, timeout=60
                )
                try:
                    headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
                    upstream.request(self.command, self.path, body or None, headers)
                    answer = upstream.getresponse()
                    data = answer.read()
                finally:
                    upstream.close()
                if not proxy.hook("after", request):
                    self._drop()
                    return
                try:
                    self.send_response(answer.status)
                    for name, value in answer.getheaders():
                        if name.lower() not in _HOP_BY_HOP:
                            self.send_header(name, value)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:  # the client has gone
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward

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
