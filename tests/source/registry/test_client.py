"""What a registry may answer, by a server of our own: what no well-behaved registry does on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ksconfig.model.reference import Reference
from ksconfig.model.registry import Answer, Platform
from ksconfig.source.registry.client import Registries
from tests.registry.local import make_certificate, missing

CONFIG = json.dumps({"os": "linux", "architecture": "arm64", "variant": "v8"}).encode()
OCI = "application/vnd.oci.image"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest(media_type: str = f"{OCI}.config.v1+json") -> bytes:
    config = {"mediaType": media_type, "digest": digest(CONFIG), "size": len(CONFIG)}
    return json.dumps({"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": config}).encode()


class Stub(BaseHTTPRequestHandler):
    """Answers by path; all that is asked is remembered."""

    answers: ClassVar[dict[str, tuple[int, bytes, dict[str, str]]]] = {}
    asked: ClassVar[list[str]] = []
    #: If there is one it is wanted, and given to these logins (None: to anybody).
    token: ClassVar[str] = ""
    logins: ClassVar[tuple[str | None, ...]] = ()

    #: The Authorization headers that came.
    logins_seen: ClassVar[set[str | None]] = set()
    #: Between the bytes of an answer, in seconds.
    pause: ClassVar[float] = 0.0

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.logins_seen.add(self.headers.get("Authorization"))
        if self.path.startswith("/token"):
            self._send(*self._token())
        elif self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            realm = f"https://{self.headers['Host']}/token"
            challenge = f'Bearer realm="{realm}",service="stub",scope="repository:a:pull"'
            self._send(401, b"{}", {"Www-Authenticate": challenge})
        else:
            self._send(*self.answers.get(self.path, (404, b"{}", {})))

    def _token(self) -> tuple[int, bytes, dict[str, str]]:
        if self.headers.get("Authorization") not in self.logins:
            return 401, b"{}", {}
        return 200, json.dumps({"token": self.token}).encode(), {}

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not self.pause:
            self.wfile.write(content)
            return
        with suppress(OSError):  # who waits may go away
            for byte in content:
                self.wfile.write(bytes([byte]))
                time.sleep(self.pause)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path_factory.mktemp("docker")))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    Stub.answers = {f"/v2/a/blobs/{digest(CONFIG)}": (200, CONFIG, {})}
    Stub.asked, Stub.token, Stub.logins_seen, Stub.pause = [], "", set(), 0.0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def look(host: str, name: str = "a:1", **options: Any) -> Answer:
    return Registries(**options).look(Reference.parse(f"{host}/{name}"))


def answer(status: int = 200, *, content: bytes = b"{}", name: str = "1", **given: str) -> None:
    headers = {key.replace("_", "-"): value for key, value in given.items()}
    Stub.answers[f"/v2/a/manifests/{name}"] = (status, content, headers)


def test_the_platform_of_a_manifest_is_in_its_config(host: str) -> None:
    answer(content=manifest())
    assert look(host) == Answer("found", digest(manifest()), (Platform("linux", "arm64", "v8"),))


def test_an_index_without_any_platform_is_of_no_use(host: str) -> None:
    entries = [{"platform": {"os": "unknown", "architecture": "unknown"}}]
    answer(content=json.dumps({"manifests": entries}).encode())
    assert look(host).outcome == "no-platform"


@pytest.mark.parametrize(
    "content", [b'{"manifests": {}}', b'{"schemaVersion": 2, "config": [1]}', b'{"a":' + b"[" * 200000 + b"]" * 200000]
)
def test_a_manifest_of_another_shape_is_an_answer_and_no_crash(content: bytes, host: str) -> None:
    answer(content=content)
    assert look(host).outcome == "failed"


def test_a_login_of_netrc_is_sent_to_nobody(host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password planted\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    answer(content=manifest())
    look(host)
    assert Stub.logins_seen == {None}


def test_an_answer_that_comes_byte_by_byte_has_an_end(host: str) -> None:
    Stub.pause = 0.05
    answer(content=manifest() + b" " * 1000)
    begin = time.monotonic()
    assert look(host, seconds=0.2).outcome == "unreachable"
    assert time.monotonic() - begin < 10


def test_an_answer_without_end_is_not_read_to_it(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ksconfig.source.registry.session.LARGEST_ANSWER", 1000)
    answer(content=manifest() + b" " * 2000)
    found = look(host)
    assert found.outcome != "found"
    assert "longer than" in found.why


def test_attestations_in_an_index_are_no_platforms(host: str) -> None:
    entries = [
        {"platform": {"os": "linux", "architecture": "amd64"}},
        {"platform": {"os": "unknown", "architecture": "unknown"}},
    ]
    answer(content=json.dumps({"manifests": [*entries, {}, "x", {"platform": None}]}).encode())
    assert look(host).platforms == (Platform("linux", "amd64"),)


def test_the_first_schema_of_docker(host: str) -> None:
    answer(content=json.dumps({"schemaVersion": 1, "architecture": "amd64"}).encode())
    assert look(host).platforms == (Platform("linux", "amd64"),)


def test_what_is_no_container_image(host: str) -> None:
    answer(content=manifest("application/vnd.cncf.helm.config.v1+json"))
    found = look(host)
    assert (found.outcome, found.why) == (
        "no-platform", "it is no container image but application/vnd.cncf.helm.config.v1+json",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "why"),
    [
        (404, {}, "not-found", "has no a with 1"),
        (429, {"Retry-After": "30"}, "rate-limited", "it asks to wait 30 s"),
        (429, {}, "rate-limited", "too many requests; a login may raise the limit"),
        (403, {}, "login-refused", "wants a login"),
        (401, {"Www-Authenticate": 'Basic realm="x"'}, "login-refused", "none is sent without TLS"),
        (401, {}, "login-refused", "none is sent without TLS"),
        (500, {}, "failed", "answered 500"),
        (503, {}, "failed", "answered 503"),
    ],
)
def test_refusals_are_told_apart(host: str, status: int, headers: dict[str, str], outcome: str, why: str) -> None:
    answer(status)
    Stub.answers["/v2/a/manifests/1"] = (status, b"{}", headers)
    found = look(host)
    assert found.outcome == outcome
    assert why in found.why


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'"x"', b"{", b"\xff", b'{"config": {"mediaType": 1}}'])
def test_an_answer_that_is_no_manifest_is_not_understood(host: str, content: bytes) -> None:
    answer(content=content)
    found = look(host)
    assert found.outcome in ("failed", "no-platform"), found


def test_a_config_that_is_not_there(host: str) -> None:
    Stub.answers.clear()
    answer(content=manifest())
    assert look(host).outcome == "failed"


def test_a_digest_must_be_that_of_the_content(host: str) -> None:
    answer(content=manifest(), Docker_Content_Digest=f"sha256:{'0' * 64}")
    assert "sent something else than it says" in look(host).why
    wrong = f"sha256:{'1' * 64}"
    answer(content=manifest(), name=wrong)
    assert "sent something else than it says" in look(host, f"a@{wrong}").why


def test_each_reference_is_asked_for_once(host: str) -> None:
    answer(content=manifest())
    registries = Registries()
    wanted = [Reference.parse(f"{host}/a:{tag}") for tag in ("1", "2", "1")]
    found = registries.look_all([*wanted, *wanted])
    assert [found[one].outcome for one in wanted] == ["found", "not-found", "found"]
    registries.look(wanted[0])
    assert Stub.asked.count("/v2/a/manifests/1") == 1


def test_a_registry_that_hangs_is_left_after_the_time_out(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = threading.Event()

    def wait(self: Stub) -> None:
        hold.wait(20)

    monkeypatch.setattr(Stub, "do_GET", wait)
    found = look(host, seconds=0.3)
    hold.set()
    assert found.outcome == "unreachable"
    assert "timed out" in found.why.lower()


@pytest.fixture
def closed(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry with TLS that wants a token, as the public ones do."""
    if "openssl" in missing():
        pytest.skip("needs openssl")
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    answer(content=manifest())
    Stub.token = "granted"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_token_is_asked_for_without_a_login_where_anybody_may_read(closed: str) -> None:
    Stub.logins = (None,)
    assert look(closed).outcome == "found"
    assert any("scope=repository%3Aa%3Apull" in path for path in Stub.asked)


def test_a_token_is_asked_for_with_the_login(closed: str) -> None:
    Stub.logins = ("Basic " + base64.b64encode(b"me:secret").decode(),)
    found = look(closed)
    assert (found.outcome, f"docker login {closed}" in found.why) == ("login-refused", True)
    folder = Path(os.environ["DOCKER_CONFIG"])
    (folder / "config.json").write_text(json.dumps({"auths": {closed: {"username": "me", "password": "secret"}}}))
    assert look(closed).outcome == "found"
    (folder / "config.json").write_text(json.dumps({"auths": {closed: {"username": "me", "password": "old"}}}))
    found = look(closed)
    assert (found.outcome, found.why) == (
        "login-refused",
        f'{closed}: the login "me" of Docker\'s configuration is refused',
    )
