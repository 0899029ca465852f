"""The user's logins to registries: the configuration file of Docker, and the credential helpers that it names."""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ksconfig.errors import FileFailure
from ksconfig.model.plain import mapping, string
from ksconfig.model.registry import DOCKER_HUB
from ksconfig.secrecy import keep_login

_HUB_KEY = "https://index.docker.io/v1/"
_HELPER_SECONDS = 30
#: The user name that a helper gives with a token which is to be changed for another one first.
_TOKEN_USER = "<token>"


class Login(NamedTuple):
    """A user of a registry.

    Attributes:
        problem: why there is none, if there should be one.
    """

    user: str = ""
    password: str = ""
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.user)


class Logins:
    """The logins of this user.

    Args:
        environment: for tests.

    Raises:
        FileFailure: Docker's file is there and cannot be read.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        folder = variables.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")
        self.path = Path(folder, "config.json")
        self._config = self._read()

    def _read(self) -> Mapping[str, Any]:
        try:
            data = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise FileFailure(f"{self.path} cannot be read: {error.strerror}", path=str(self.path)) from None
        except ValueError as error:
            raise FileFailure(f"{self.path} is no JSON: {error}", path=str(self.path)) from None
        return mapping(data)

    def of(self, host: str) -> Login:
        """The login for a registry; an empty one if there is none."""
        login = self._find(host)
        keep_login(login.user, login.password)
        return login

    def _find(self, host: str) -> Login:
        keys = tuple(_keys(host))
        helpers = mapping(self._config.get("credHelpers"))
        named = [name for key in keys if (name := string(helpers.get(key)))]
        store = string(self._config.get("credsStore"))
        helper = named[0] if named else store
        login = _ask_helper(helper, keys[0]) if helper else Login()
        entries = mapping(self._config.get("auths"))
        for key in keys:
            if not login and isinstance(entries.get(key), dict):
                written = _written(entries[key])
                login = written if written or written.problem else login
        return login


def _keys(host: str) -> Iterator[str]:
    """What a registry may be called in the file."""
    if host == DOCKER_HUB:
        yield from (_HUB_KEY, "index.docker.io", DOCKER_HUB, "registry-1.docker.io")
        return
    yield host
    for scheme in ("https", "http"):
        for end in ("", "/", "/v1/", "/v2/"):
            yield f"{scheme}://{host}{end}"


def _written(entry: Mapping[str, Any]) -> Login:
    """A login that stands in the file itself."""
    if string(entry.get("identitytoken")):
        return Login(problem="the login is an identity token, which is not supported")
    user, password = string(entry.get("username")) or "", string(entry.get("password")) or ""
    if not user and string(entry.get("auth")):
        try:
            user, _, password = base64.b64decode(entry["auth"], validate=True).decode().rstrip("\0").partition(":")
        except (binascii.Error, ValueError):
            return Login(problem="the login in Docker's file is no base64")
    return Login(user, password)


def _ask_helper(name: str, key: str) -> Login:
    """The login that a credential helper holds."""
    program = f"docker-credential-{name}"
    try:
        done = subprocess.run(
            [program, "get"], input=key.encode(), capture_output=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        return Login(problem=f"the credential helper {program} is not installed")
    except (OSError, subprocess.TimeoutExpired):
        return Login(problem=f"the credential helper {program} does not answer")
    if done.returncode:
        said = " ".join(done.stdout.decode(errors="replace").split())
        return Login() if "not found" in said else Login(problem=f"the credential helper {program} failed: {said}")
    try:
        answer = mapping(json.loads(done.stdout))
    except ValueError:
        answer = {}
    user, password = string(answer.get("Username")) or "", string(answer.get("Secret")) or ""
    if user == _TOKEN_USER:
        return Login(problem=f"{program} gives an identity token, which is not supported")
    return Login(user, password)
