"""Whether what a kubeconfig says of a cluster and of a user can be used at all: libraries tell less of it, later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ksconfig.errors import ClusterFailure

if TYPE_CHECKING:
    from kubernetes.client import Configuration

_QUOTED = ("token", "username", "password")


def check_server(cluster: str, server: str) -> None:
    """Raises:
    ClusterFailure: it is no address.
    """
    if not server.startswith(("https://", "http://")):
        raise unfit(f'the server of cluster "{cluster}" is "{server}", and must begin with https://')
    try:
        parts = urlsplit(server)
        usable = parts.hostname and parts.port != 0
    except ValueError as error:
        fault = "" if "@" in server else f": {error}"  # which may quote a part of a password
        raise unfit(f'the server of cluster "{cluster}" is "{server}", which is no address{fault}') from None
    if not usable:
        raise unfit(
            f'the server of cluster "{cluster}" is "{server}", which is no address: it names no host, or port 0'
        )


def check_user(name: str, user: Mapping[str, Any]) -> None:
    """Raises:
    ClusterFailure: a text of it is none, or cannot be sent.
    """
    for key in _QUOTED:
        value = user.get(key)
        if value is not None and not isinstance(value, str):
            raise ClusterFailure(
                f'the {key} of user "{name}" is no text, but {_kind(value)}',
                advice=f"Write the {key} in quotes in the kubeconfig.",
            )
    for key in ("username", "password"):
        if not str(user.get(key) or "").isascii():
            _check_latin(name, key, str(user[key]))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "a list or an object"


def _check_latin(name: str, key: str, value: str) -> None:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise ClusterFailure(
            f'the {key} of user "{name}" holds a character that cannot be sent: it is not of Latin-1',
            advice="Log in with a token, a certificate or a plugin, or change it.",
        ) from None


def check_filled(name: str, user: Mapping[str, Any], settings: Configuration) -> None:
    """The same when its credentials are there.

    Raises:
        ClusterFailure: its token cannot be sent, or its auth-provider gave none.
    """
    token = str(settings.api_key.get("BearerToken") or "")
    if odd := re.search(r"[^ -~]", token):
        raise ClusterFailure(
            f'the credentials of user "{name}" cannot be sent: the token holds a line break, a control character or '
            f"one that is no ASCII (U+{ord(odd[0]):04X})",
            reason="BadCredentials",
            status=400,
            advice="Write the token on one line, as it was given; or log in again.",
        )
    provider = (user.get("auth-provider") or {}).get("name")
    if provider and not token and not settings.cert_file:
        raise ClusterFailure(
            f'the credentials of user "{name}" cannot be had: its auth-provider "{provider}" gave no token',
            advice="Log in again; of the auth-providers only oidc and gcp are known here, and a login plugin (exec) "
            "takes the place of the others.",
        )


def unfit(why: str) -> ClusterFailure:
    """The error for a kubeconfig that cannot be used."""
    return ClusterFailure(why, advice="Check it with: kubectl config view")
