"""What the API server asks a kubelet for: the log of a container (``kubectl logs``)."""

from __future__ import annotations

import http.server
import ssl
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sandbox.kubelet.container import Container
from sandbox.kubelet.node import Kubelet


def server(kubelet: Kubelet, address: tuple[str, int], certificate: Path, key: Path) -> http.server.HTTPServer:
    """A server for ``/containerLogs/NAMESPACE/POD/CONTAINER``; the caller runs it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            words = url.path.strip("/").split("/")
            container = kubelet.container(*words[1:]) if words[0] == "containerLogs" and len(words) == 4 else None
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            log = container.log(query.get("previous") == "true") if container else None
            self.close_connection = True
            if container is None or log is None or not log.exists():
                self.send_error(404, "no such container, or it has no log")
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self._send(container, log, query)

        def _send(self, container: Container, log: Path, query: dict[str, str]) -> None:
            with log.open("rb") as file:
                text = file.read()
                if "tailLines" in query:
                    lines = text.splitlines(keepends=True)
                    text = b"".join(lines[max(0, len(lines) - int(query["tailLines"])) :])
                if "limitBytes" in query:
                    text = text[: int(query["limitBytes"])]
                self.wfile.write(text)
                while query.get("follow") == "true" and container.log() == log and log.exists():
                    ended = "running" not in container.state
                    self.wfile.write(file.read())
                    if ended:
                        return
                    self.wfile.flush()
                    time.sleep(0.2)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing: the API server logs what it asks."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    made = http.server.ThreadingHTTPServer(address, Handler)
    made.daemon_threads = True
    made.socket = context.wrap_socket(made.socket, server_side=True)
    return made
