"""Logins from Docker's configuration file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ksconfig.errors import FileFailure
from ksconfig.source.registry.logins import Login, Logins


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def logins(folder: Path, config: Any) -> Logins:
    (folder / "config.json").write_text(json.dumps(config))
    return Logins({"DOCKER_CONFIG": str(folder)})


def helper(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("reg.example:5000", "reg.example:5000"),
        ("reg.example", "https://reg.example"),
        ("reg.example", "https://reg.example/v2/"),
        ("docker.io", "https://index.docker.io/v1/"),
        ("docker.io", "docker.io"),
    ],
)
def test_a_registry_may_be_called_several_names(tmp_path: Path, host: str, key: str) -> None:
    found = logins(tmp_path, {"auths": {key: auth("me", "a:b")}})
    assert found.of(host) == Login("me", "a:b")
    assert not found.of("other.example")


def test_user_and_password_may_stand_apart(tmp_path: Path) -> None:
    assert logins(tmp_path, {"auths": {"r.example": {"username": "me", "password": "p"}}}).of("r.example").user == "me"


@pytest.mark.parametrize(
    "entry", [{}, {"auth": ""}, {"auth": 1}, None, "x", {"username": None}]
)  # fmt: skip
def test_an_entry_without_a_login_is_none(tmp_path: Path, entry: Any) -> None:
    assert not logins(tmp_path, {"auths": {"r.example": entry}}).of("r.example")
    assert not logins(tmp_path, {"auths": entry}).of("r.example")
    assert not logins(tmp_path, entry).of("r.example")


def test_what_is_not_supported_is_said(tmp_path: Path) -> None:
    assert (
        "identity token" in logins(tmp_path, {"auths": {"r.example": {"identitytoken": "t"}}}).of("r.example").problem
    )
    assert "no base64" in logins(tmp_path, {"auths": {"r.example": {"auth": "%%"}}}).of("r.example").problem


def test_without_a_file_there_is_no_login(tmp_path: Path) -> None:
    assert not Logins({"DOCKER_CONFIG": str(tmp_path / "none")}).of("r.example")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(FileFailure, match="cannot be read"):
        Logins({"DOCKER_CONFIG": str(tmp_path)})


def test_a_helper_of_the_registry_goes_before_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = 'read key; echo "{\\"Username\\": \\"$0\\", \\"Secret\\": \\"$key\\"}"'
    helper(tmp_path, monkeypatch, "one", answer)
    helper(tmp_path, monkeypatch, "store", answer)
    found = logins(tmp_path, {"credHelpers": {"r.example": "one"}, "credsStore": "store"})
    assert found.of("r.example") == Login(f"{tmp_path}/docker-credential-one", "r.example")
    assert found.of("docker.io") == Login(f"{tmp_path}/docker-credential-store", "https://index.docker.io/v1/")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo credentials not found in native keychain; exit 1", ""),
        ("echo locked; exit 1", "failed: locked"),
        ('echo \'{"Username": "<token>", "Secret": "s"}\'', "identity token"),
        ("echo nonsense", ""),
    ],
)
def test_a_helper_that_gives_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str
) -> None:
    helper(tmp_path, monkeypatch, "one", script)
    found = logins(tmp_path, {"credsStore": "one"}).of("r.example")
    assert not found
    assert problem in found.problem


def test_where_a_helper_has_none_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "one", "echo credentials not found; exit 1")
    config = {"credsStore": "one", "auths": {"r.example": auth("me", "p")}}
    assert logins(tmp_path, config).of("r.example") == Login("me", "p")
