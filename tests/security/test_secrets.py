"""No secret of a kubeconfig, of Docker's file or of an address is in what is printed or written."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.security.conftest import SECRETS, Certificate, Home
from tests.security.stub import serving

TOKEN = {"token": SECRETS["token"]}
NOWHERE = "https://127.0.0.1:1"
COMMANDS = [["status", "-v"], ["set-image", "sklearn", "a.example/b:1", "-v", "-o", "json"]]


def echo(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """What a debugging proxy says: the request, with its headers."""
    message = f"{method} {path} " + " ".join(f"{name}: {value}" for name, value in headers.items())
    return 400, {}, json.dumps({"kind": "Status", "message": message, "reason": message}).encode()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 422])
def test_a_server_that_repeats_the_credentials_is_not_quoted(home: Home, command: list[str], status: int) -> None:
    for form in ("json", "text"):

        def answer(method: str, path: str, headers: dict[str, str], form: str = form) -> tuple[int, Any, bytes]:
            body = echo(method, path, headers)[2]
            return status, {}, body if form == "json" else str(headers).encode()

        with serving(answer) as stub:
            home.kubeconfig(TOKEN, server=stub.url)
            done = home.run(*command)
            assert done.code
            assert stub.heard


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    "cluster",
    [
        {"server": f"https://me:{SECRETS['server']}@127.0.0.1:1"},
        {"server": f"me:{SECRETS['server']}@127.0.0.1:1"},
        {"server": f"https://me:{SECRETS['server']}@127.0.0.1:port"},
        {"server": f"https://me:{SECRETS['server']}@[127.0.0.1"},
        {"server": NOWHERE, "proxy-url": f"http://me:{SECRETS['proxy']}@127.0.0.1:1"},
        {"server": NOWHERE, "proxy-url": f"me:{SECRETS['proxy']}@127.0.0.1:1"},
        {"server": NOWHERE, "proxy-url": f"ftp://me:{SECRETS['proxy']}@127.0.0.1:1"},
        {"server": NOWHERE, "proxy-url": f"http://me:{SECRETS['proxy']}@127.0.0.1:port"},
        {"server": NOWHERE, "proxy-url": f"socks5://me:{SECRETS['proxy']}@127.0.0.1:1"},
    ],
    ids=lambda cluster: str(cluster.get("proxy-url", cluster["server"])).replace("/", "_"),
)
def test_passwords_in_addresses_are_not_shown(home: Home, command: list[str], cluster: dict[str, str]) -> None:
    home.kubeconfig(TOKEN, **cluster)
    done = home.run(*command)
    assert done.code
    assert "Traceback" not in done.said
    assert "internal error" not in done.said


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_password_of_the_environments_proxy_is_not_shown(home: Home, variable: str) -> None:
    for scheme in ("http://", "", "ftp://"):
        home.kubeconfig(TOKEN, server="https://cluster.example:1")
        done = home.run("status", "-v", **{variable: f"{scheme}me:{SECRETS['proxy']}@127.0.0.1:1", "NO_PROXY": ""})
        assert done.code
        assert "internal error" not in done.said


@pytest.mark.parametrize(
    "user",
    [
        {"token": SECRETS["token"] + "\n"},
        {"token": SECRETS["token"] + "é☃"},
        {"username": "me", "password": SECRETS["password"]},
        {"username": "me", "password": SECRETS["password"] + "\n"},
        {"client-certificate-data": "bm8=", "client-key-data": base64.b64encode(SECRETS["key"].encode()).decode()},
        {"client-certificate-data": "!", "client-key-data": SECRETS["key"]},
        {"auth-provider": {"name": "oidc", "config": {"id-token": SECRETS["token"], "idp-issuer-url": "x"}}},
        {"token": [SECRETS["token"]]},
    ],
    ids="-".join,
)
def test_credentials_that_do_not_work_are_not_shown(home: Home, user: Any, certificate: Certificate) -> None:
    pem = certificate("IP:127.0.0.1")
    with serving(echo, pem) as stub:
        home.kubeconfig(user, server=stub.url, **{"certificate-authority": f"{pem}.crt"})
        done = home.run("status", "-v")
        assert done.code
        assert "internal error" not in done.said


ANSWER = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
SCRIPTS = {
    "fails with its environment on stderr": 'echo "could not log in with $LOGIN_PASSWORD" >&2; exit 3',
    "fails with its answer on stdout": f"echo '{json.dumps({'token': SECRETS['plugin-token']})}'; exit 1",
    "gives no JSON": f"echo token={SECRETS['plugin-token']}",
    "gives half an answer": f"echo '{json.dumps({**ANSWER, 'status': {'tokn': SECRETS['plugin-token']}})}'",
    "gives another version": f"echo '{json.dumps({**ANSWER, 'apiVersion': 'x', 'status': {'token': SECRETS['plugin-token']}})}'",
    "gives a bad date": f"echo '{json.dumps({**ANSWER, 'status': {'token': SECRETS['plugin-token'], 'expirationTimestamp': 'x'}})}'",
    "works": f"echo '{json.dumps({**ANSWER, 'status': {'token': SECRETS['plugin-token']}})}'",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=list(SCRIPTS))
def test_what_a_plugin_is_given_and_gives_is_not_shown(home: Home, script: str) -> None:
    user = login_plugin(home, script, {"LOGIN_PASSWORD": SECRETS["plugin"]}, ["--client-secret", SECRETS["plugin"]])
    with serving(echo) as stub:
        home.kubeconfig(user, server=stub.url)
        done = home.run("status", "-v")
    assert done.code
    assert "internal error" not in done.said


S = SECRETS["plugin"]
GIVEN: list[tuple[dict[str, str], list[str]]] = [
    *(({name: S}, []) for name in ("PASSPHRASE", "SESSION", "BEARER", "PIN", "OTP", "COOKIE", "X")),
    ({"COOKIES": f"a=1; session={S}; b=2"}, []),
    ({"LOGIN": json.dumps({"user": "me", "word": S})}, []),
    ({"LOGIN": f"https://me:{S}@login.example/"}, []),
    ({}, ["-p", S]),
    ({}, [f"-p{S}"]),
    ({}, ["--pass", S]),
    ({}, ["--header", f"Authorization: Bearer {S}"]),
    ({}, [f"--header=X-Word:{S}"]),
    ({}, ["--url", f"https://bob:{S}@login.example"]),
    ({}, ["--url", f"https://login.example?word={S}&x=y"]),
    ({}, [f"password={S}"]),
    ({}, ["-u", f"bob:{S}"]),
    ({}, ["login", S]),
    ({}, [S]),
]


def login_plugin(home: Home, script: str, variables: dict[str, str], arguments: list[str]) -> dict[str, Any]:
    """A user whose credentials come from a program called ``login``."""
    path = home.folder / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    env = [{"name": name, "value": value} for name, value in variables.items()]
    return {"exec": {"apiVersion": ANSWER["apiVersion"], "command": str(path), "args": arguments, "env": env}}


@pytest.mark.parametrize(("variables", "arguments"), GIVEN, ids=lambda one: str(one).replace("/", "_"))
def test_what_a_plugin_is_given_is_hidden_whatever_it_is_called(
    home: Home, variables: dict[str, str], arguments: list[str]
) -> None:
    said = f'echo "no login for $* $LOGIN, that is {S}" >&2; exit 3'
    home.kubeconfig(login_plugin(home, said, variables, arguments), server=NOWHERE)
    done = home.run("status", "-v")
    assert done.code == 1
    assert f"{home.folder / 'login'} ended with 3: no login for " in done.said
    assert "that is (hidden)" in done.said


def test_a_short_pin_is_hidden_and_words_are_left(home: Home) -> None:
    said = "echo 'login: PIN 4711 is wrong, see line 47110' >&2; exit 3"
    home.kubeconfig(login_plugin(home, said, {"PIN": "4711", "DEBUG": "true"}, ["get-token", "--line"]), server=NOWHERE)
    assert "login: PIN (hidden) is wrong, see line 47110" in home.run("status").said


@pytest.mark.parametrize("printed", [{**ANSWER, "status": {"token": SECRETS["plugin-token"]}}, SECRETS["plugin-token"]])
def test_a_token_that_a_plugin_prints_before_it_fails_is_not_quoted(home: Home, printed: Any) -> None:
    told = printed if isinstance(printed, str) else json.dumps(printed)
    said = f"echo '{told}'; echo 'refused: {SECRETS['plugin-token']}' >&2; exit 1"
    home.kubeconfig(login_plugin(home, said, {}, []), server=NOWHERE)
    assert "ended with 1: refused: (hidden)" in home.run("status", "-v").said


@pytest.mark.parametrize(
    "entry",
    [
        {"username": "me", "password": SECRETS["docker"]},
        {"auth": base64.b64encode(f"me:{SECRETS['docker']}".encode()).decode()},
        {"auth": SECRETS["docker"]},
        {"identitytoken": SECRETS["docker"]},
        {"username": "me", "password": SECRETS["docker"] + "\n☃"},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_logins_of_docker_are_not_shown(home: Home, entry: Any, status: int, certificate: Certificate) -> None:
    pem = certificate("IP:127.0.0.1")

    def answer(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        challenge = {"WWW-Authenticate": 'Basic realm="x"'} if status == 401 else {}
        return status, challenge, echo(method, path, headers)[2]

    with serving(answer, pem) as stub:
        host = stub.url.removeprefix("https://")
        (home.folder / ".docker/config.json").write_text(json.dumps({"auths": {host: entry}}))
        done = home.run("images", "check", f"{host}/team/sk:1", "-v", "--registry-ca", f"{pem}.crt")
        assert done.code
        assert "internal error" not in done.said


def test_a_broken_file_of_docker_is_not_quoted(home: Home) -> None:
    (home.folder / ".docker/config.json").write_text(
        f'{{"auths": {{"r.example": {{"password": "{SECRETS["docker"]}",}}}}'
    )
    done = home.run("images", "check", "r.example/team/sk:1", "-v")
    assert done.code
    assert "config.json" in done.said


def test_a_broken_kubeconfig_is_not_quoted(home: Home) -> None:
    for text in ("users: [{{name: u, user: {{token: {0}}}", "token: '{0}\nusers: ]", "{0}: {0}\n {0}: *{0}"):
        (home.folder / "kubeconfig").write_text(text.format(SECRETS["token"]))
        assert home.run("status", "-v").code


def test_a_config_that_holds_no_credentials_is_what_is_written(home: Home) -> None:
    """Values that the config itself holds are its user's to see: a password in a path of the config is a value."""
    (home.folder / "work/kserve.yaml").write_text(
        (Path(__file__).parents[2] / "examples/inferenceservice-config.yaml").read_text()
    )
    home.kubeconfig(TOKEN, server=NOWHERE)
    assert home.run("set-image", "agent", ":v2", "-f", "kserve.yaml", "-v").code == 0
