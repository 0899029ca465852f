"""Secrets that this process has read, and texts without them.

A server, a proxy or a plugin may repeat what it was given, and messages quote what they say. So whoever reads a secret
tells it here, and every error, and all that the command line prints besides values that were asked for, goes through
`hide`.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, unquote

#: A shorter one would also hide words that have nothing to do with it.
_SHORTEST = 6
_HIDDEN = "(hidden)"
_known: set[str] = set()


def keep(*secrets: object) -> None:
    """Remember secrets, to hide them from now on; what is no text, or too short to be one, is left."""
    for secret in secrets:
        if isinstance(secret, str):
            parts = [secret, *secret.split()]
            forms = [form for part in parts for form in (part, quote(part, safe=""), unquote(part))]
            _known.update(form for form in forms if len(form) >= _SHORTEST)


def keep_login(user: str, password: str) -> None:
    """Remember the password of a user, and the form in which it is sent."""
    keep(password, base64.b64encode(f"{user}:{password}".encode()).decode())


def keep_password_of(url: object) -> None:
    """Remember the password that stands in an address, if there is one."""
    if isinstance(url, str) and "@" in url:
        login = re.sub(r"^[\w.+-]*://", "", url.rpartition("@")[0])
        user, _, password = login.partition(":")
        keep_login(unquote(user), unquote(password))
        keep(password)


def hide(text: str) -> str:
    """The text without any secret that is known."""
    for secret in sorted(_known, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, _HIDDEN)
    return text
