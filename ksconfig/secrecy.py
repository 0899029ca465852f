"""Secrets that this process has read, and texts without them.

A server, a proxy or a plugin may repeat what it was given, and messages quote what they say. So whoever reads a secret
tells it here, and every error, and all that the command line prints besides values that were asked for, goes through
`hide`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

#: A shorter one would also hide words that have nothing to do with it.
_SHORTEST = 6
_HIDDEN = "(hidden)"
#: Names of options, variables and settings that hold a secret for sure.
SECRET_NAME = re.compile(r"token|secret|pass|pwd|key|credential|auth|bearer|cookie", re.IGNORECASE)
#: Words that tell nothing, and that a program may well say.
_HARMLESS = frozenset({
    "true", "false", "yes", "no", "none", "null", "default", "json", "yaml", "text", "http", "https", "bearer", "basic",
    "authorization", "login", "token", "get-token", "oidc-login", "eks", "credential", "credentials", "get-credentials",
    "password",
})  # fmt: skip
_SHORTEST_WORD = 3
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


def without(text: str, given: Iterable[str]) -> str:
    """The text of a program without what it was given, which may be a secret whatever it is called: each value, and
    each part of one that could be one, as the password in a header, in an address or behind `=`.

    That would hide too much of other texts; this one may hold a secret in any form, and its reader can run the program.
    """
    for part in sorted({part for value in given for part in _parts(value)}, key=len, reverse=True):
        found = re.escape(part)
        # a short one may be a part of any word
        text = re.sub(found if len(part) >= _SHORTEST else rf"(?<!\w){found}(?!\w)", lambda _: _HIDDEN, text)
    return text


def _parts(value: str) -> Iterator[str]:
    words = [*value.split(), *re.split(r"[\s,;&\"'{}()\[\]]+", value)]
    words = [word for word in words if not _is_option(word)]
    logins = [re.sub(r"^.*?//", "", word.rpartition("@")[0]) for word in words if "@" in word]
    behind = [word.partition(mark)[2] for word in [*words, *logins] for mark in "=:"]
    behind += [word[2:] for word in words if re.match(r"-\w", word)]  # -pVALUE
    for part in [" ".join(value.split()), *words, *logins, *behind]:
        for form in (part, quote(part, safe=""), unquote(part), base64.b64encode(part.encode()).decode()):
            if len(form) >= _SHORTEST_WORD and form.lower() not in _HARMLESS and not _is_option(form):
                yield form


def _is_option(word: str) -> bool:
    """The name of an option, without a value."""
    return re.fullmatch(r"--?[A-Za-z][A-Za-z-]*", word) is not None
