"""Certificates are checked, unless the kubeconfig itself says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.conftest import SECRETS, Certificate, Home
from tests.security.stub import serving

USER = {"token": SECRETS["token"]}


def refuse(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    return 404, {}, b"{}"


@pytest.mark.parametrize("trusted", ["another authority", "the system's authorities", "another name"])
def test_a_server_that_is_not_trusted_is_told_nothing(home: Home, certificate: Certificate, trusted: str) -> None:
    served = certificate("DNS:other.example" if trusted == "another name" else "IP:127.0.0.1")
    other = certificate("IP:127.0.0.2")
    cluster: dict[str, Any] = {
        "another authority": {"certificate-authority": f"{other}.crt"},
        "the system's authorities": {},
        "another name": {"certificate-authority": f"{served}.crt"},
    }[trusted]
    with serving(refuse, served) as stub:
        home.kubeconfig(USER, server=stub.url, **cluster)
        done = home.run("status", "-v")
    assert done.code == 1
    assert "certificate" in done.said
    assert "was not reached" in done.said or "did not answer" in done.said
    assert not stub.heard


def test_a_server_whose_authority_is_named_is_asked(home: Home, certificate: Certificate) -> None:
    served = certificate("IP:127.0.0.1")
    with serving(refuse, served) as stub:
        home.kubeconfig(USER, server=stub.url, **{"certificate-authority": f"{served}.crt"})
        home.run("status")
    assert stub.heard


def test_a_registry_that_is_not_trusted_is_sent_no_login(home: Home, certificate: Certificate) -> None:
    with serving(refuse, certificate("IP:127.0.0.1")) as stub:
        host = stub.url.removeprefix("https://")
        (home.folder / ".docker/config.json").write_text(
            f'{{"auths": {{"{host}": {{"username": "me", "password": "{SECRETS["docker"]}"}}}}}}'
        )
        done = home.run("images", "check", f"{host}/team/sk:1")
    assert done.code == 1
    assert "certificate" in done.said
    assert not stub.heard
