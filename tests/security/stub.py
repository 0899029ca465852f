"""A server that answers every request the same: not a Kubernetes, but what a hostile or broken one may say."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: The status, headers and body for a request, given its method, path and headers.
Answer = Callable[[str, str, dict[str, str]], tuple[int, dict[str, str], bytes]]


class Stub:
    """A server that runs.

    Attributes:
        url: where it is.
        heard: the method and path of each request.
    """

    def __init__(self, answer: Answer, certificate: Path | None = None) -> None:
        self.heard: list[tuple[str, str]] = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                stub.heard.append((self.command, self.path))
                status, headers, body = answer(self.command, self.path, dict(self.headers.items()))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = do_CONNECT = _answer

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server.server_port}"


@contextmanager
def serving(answer: Answer, certificate: Path | None = None) -> Iterator[Stub]:
    """Serve until the block is left."""
    stub = Stub(answer, certificate)
    thread = threading.Thread(target=stub.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.server.shutdown()
        stub.server.server_close()
        thread.join()
