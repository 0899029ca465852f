"""Kubeconfigs that do not work: what is wrong is said, with a way on, before a server is asked."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Outcome, Run, runs, within

CLUSTER = {"server": "https://127.0.0.1:1"}
Status = Callable[..., Outcome]


@pytest.fixture
def status(run: Run, tmp_path: Path) -> Status:
    """Run ``status`` with a kubeconfig of these parts."""

    def call(*arguments: str, user: Any = None, cluster: Any = None, **parts: Any) -> Outcome:
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "one",
            "clusters": [{"name": "c", "cluster": CLUSTER if cluster is None else cluster}],
            "users": [{"name": "u", "user": user or {"token": "secret-token"}}],
            "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
            **parts,
        }  # fmt: skip
        path = tmp_path / "config"
        path.write_text(json.dumps(config))
        return run("status", *arguments, KUBECONFIG=str(path))

    return call


def plugin(folder: Path, script: str) -> dict[str, Any]:
    """A user whose credentials come from a program."""
    path = folder / "get-token"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path)}}


def test_a_plugin_that_fails_is_told_with_its_own_words(status: Status, tmp_path: Path) -> None:
    done = status(user=plugin(tmp_path, "echo 'token expired, run login' >&2; exit 3"))
    assert done.code == 1
    assert 'user "u" cannot be had' in done.err
    assert "token expired, run login" in done.err
    assert str(tmp_path / "get-token") in done.err.split("\n")[-2]
    assert "did not answer" not in done.err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_plugin_does_not_outlive_a_command_that_is_interrupted(status: Status, tmp_path: Path, sent: int) -> None:
    script = "sleep 300 & echo $! > its-child.new; mv its-child.new its-child; wait"
    status(user=plugin(tmp_path, "exit 1"))
    plugin(tmp_path, script)
    command = subprocess.Popen(
        [sys.executable, "-m", "ksconfig", "status"], cwd=tmp_path, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "KUBECONFIG": str(tmp_path / "config")},
    )  # fmt: skip
    started = tmp_path / "its-child"
    assert within(30, started.exists)
    command.send_signal(sent)
    assert b"interrupted: " in command.communicate(timeout=30)[1]
    assert command.returncode == 128 + sent
    assert within(5, lambda: not runs(int(started.read_text())))


@pytest.mark.parametrize(
    ("script", "after", "end"),
    [
        ('printf "Word: " >&2; read word; echo "got $word" >&2; exit 3', b"Word: ", (1, b"get-token ended with 3")),
        ("echo Waiting >&2; sleep 300", b"Waiting", (143, b"interrupted: ")),
    ],
    ids=["asks", "hangs"],
)
def test_a_plugin_may_ask_at_a_terminal(
    status: Status, tmp_path: Path, script: str, after: bytes, end: tuple[int, bytes]
) -> None:
    code, told = end
    status(user=plugin(tmp_path, "exit 1"))
    plugin(tmp_path, script)
    ours, its = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "ksconfig", "status"], cwd=tmp_path, stdin=its, stdout=its, stderr=its,
        start_new_session=True, env={**os.environ, "KUBECONFIG": str(tmp_path / "config")},
    )  # fmt: skip
    os.close(its)
    said = b""
    while after not in said:
        said += os.read(ours, 1000)
    if code == 143:
        command.terminate()
    os.write(ours, b"xyzzy\n")
    assert command.wait(30) == code
    while told not in said:
        said += os.read(ours, 1000)  # fails if there is no more
    assert code == 143 or b"got xyzzy" in said
    os.close(ours)


def test_a_plugin_that_is_not_installed_is_named(status: Status) -> None:
    done = status(user={"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login"}})
    assert done.code == 1
    assert "no-such-login" in done.err


def test_a_plugin_that_says_nothing_useful_is_named(status: Status, tmp_path: Path) -> None:
    done = status(user=plugin(tmp_path, "echo hello"))
    assert done.code == 1
    assert "gave no JSON" in done.err
    assert "get-token" in done.err


def test_a_plugin_that_works_is_used(status: Status, tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "secret-token"}
    }  # fmt: skip
    done = status(user=plugin(tmp_path, f"echo '{json.dumps(credential)}'"))
    assert "did not answer" in done.err  # the server was asked
    assert "secret-token" not in done.err


def test_without_a_current_context_those_that_are_there_are_listed(status: Status) -> None:
    done = status(**{"current-context": ""})
    assert done.code == 2
    assert "no current context" in done.err
    assert "--context: one" in done.err


@pytest.mark.parametrize("kind", ["user", "cluster"])
def test_a_context_that_names_what_is_not_there_is_refused(status: Status, kind: str) -> None:
    done = status(**{f"{kind}s": []})
    assert done.code == 1
    assert f'names the {kind} "{kind[0]}", which' in done.err


def test_a_token_file_that_is_gone_is_named_not_the_kubeconfig(status: Status, tmp_path: Path) -> None:
    done = status(user={"tokenFile": str(tmp_path / "token")})
    assert done.code == 1
    assert f"{tmp_path / 'token'}, which is not there" in done.err
    assert "--kubeconfig" not in done.err


def test_a_token_file_may_end_with_a_line_break(status: Status, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret-token\n")
    done = status(user={"tokenFile": str(tmp_path / "token")})
    assert "did not answer" in done.err  # the server was asked


def test_a_certificate_that_is_gone_is_named(status: Status, tmp_path: Path) -> None:
    done = status(cluster={**CLUSTER, "certificate-authority": str(tmp_path / "ca.crt")})
    assert done.code == 1
    assert str(tmp_path / "ca.crt") in done.err


@pytest.mark.parametrize("cluster", [{}, {"server": "127.0.0.1:6443"}])
def test_a_server_without_scheme_is_shown(status: Status, cluster: dict[str, str]) -> None:
    done = status(cluster=cluster)
    assert done.code == 1
    assert 'the server of cluster "c" is "' in done.err
    assert "https://" in done.err


@pytest.mark.parametrize("server", ["https://[127.0.0.1", "https://127.0.0.1:port", "https://", "https://:6443"])
def test_a_server_that_is_no_address_is_not_blamed_on_the_user(status: Status, server: str) -> None:
    done = status(cluster={"server": server})
    assert done.code == 1
    assert f'the server of cluster "c" is "{server}", which is no address' in done.err


@pytest.mark.skipif(find_spec("socks") is not None, reason="PySocks is installed")
def test_a_socks_proxy_names_the_package_that_it_needs(status: Status) -> None:
    done = status(cluster={**CLUSTER, "proxy-url": "socks5://127.0.0.1:2"})
    assert done.code == 1
    assert "socks5://127.0.0.1:2 is a SOCKS proxy, and the package PySocks is not installed" in done.err
    assert "pip install PySocks" in done.err


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"username": "me", "password": "pass☃word"}, 'the password of user "u" holds a character that cannot be sent'),
        ({"username": "me", "password": 123456}, 'the password of user "u" is no text, but a number'),
        ({"token": 12345678}, 'the token of user "u" is no text, but a number'),
        ({"token": "secret\u0001token"}, "a control character or one that is no ASCII (U+0001)"),
        ({"auth-provider": {"name": "azure", "config": {}}}, 'its auth-provider "azure" gave no token'),
        ({"auth-provider": {"name": "oidc", "config": {"id-token": "none"}}}, 'its auth-provider "oidc" gave no token'),
    ],
)
def test_credentials_that_cannot_be_sent_are_told_before_a_server_is_asked(
    status: Status, user: Any, told: str
) -> None:
    done = status(user=user)
    assert done.code == 1
    assert told in done.err
    assert "did not answer" not in done.err
    assert "codec" not in done.err


@pytest.mark.parametrize(
    "text", ["", "[]", "- a\n- b", "just words", "contexts: 3", "contexts: [one]", "a: [", "kind: Config\nusers:\n- {}"]
)
def test_what_is_no_kubeconfig_is_one_clear_line(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    done = run("status", KUBECONFIG=str(path))
    assert done.code in (1, 2)
    assert str(path) in done.err
    assert "Traceback" not in done.err
    assert "object has no" not in done.err


def test_a_folder_is_no_kubeconfig(run: Run, tmp_path: Path) -> None:
    done = run("status", "--kubeconfig", str(tmp_path))
    assert done.code == 2
    assert "Is a directory" in done.err


def test_a_list_of_kubeconfigs_is_one(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(json.dumps({"current-context": "one", "contexts": [{"name": "one", "context": {"cluster": "c"}}]}))
    second.write_text(json.dumps({"clusters": [{"name": "c", "cluster": CLUSTER}]}))
    done = run("status", KUBECONFIG=os.pathsep.join([str(first), str(tmp_path / "none"), str(second)]))
    assert "https://127.0.0.1:1 did not answer" in done.err


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port, and the first bytes of each connection to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # the test is over
                    return
                with connection:
                    connection.settimeout(10)
                    heard.append(connection.recv(4096))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_proxy_url_is_used(status: Status, listener: tuple[int, list[bytes]]) -> None:
    port, heard = listener
    status(cluster={"server": "https://kube.example:6443", "proxy-url": f"http://127.0.0.1:{port}"})
    assert heard[0].startswith(b"CONNECT kube.example:6443 ")


def test_the_proxy_of_the_environment_is_used_unless_no_proxy_names_the_server(
    run: Run, tmp_path: Path, listener: tuple[int, list[bytes]]
) -> None:
    port, heard = listener
    path = tmp_path / "config"
    path.write_text(
        json.dumps({
            "current-context": "one", "contexts": [{"name": "one", "context": {"cluster": "c"}}],
            "clusters": [{"name": "c", "cluster": CLUSTER}],
        })
    )  # fmt: skip
    proxy = {"KUBECONFIG": str(path), "HTTPS_PROXY": f"http://127.0.0.1:{port}"}
    run("status", **proxy, NO_PROXY="example.com,127.0.0.1")
    assert not heard
    run("status", **proxy, NO_PROXY="example.com")
    assert heard[0].startswith(b"CONNECT 127.0.0.1:1 ")


def test_tls_server_name_is_sent(status: Status, listener: tuple[int, list[bytes]]) -> None:
    port, heard = listener
    status(cluster={"server": f"https://127.0.0.1:{port}", "tls-server-name": "kube.example"})
    assert b"kube.example" in heard[0]
