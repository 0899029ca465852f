"""What a kubeconfig says, checked before it is used.

The Kubernetes client goes on without credentials where a user is missing or a plugin fails, and then the server's
refusal tells nothing of the cause.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ksconfig.errors import ClusterFailure, UsageError
from ksconfig.secrecy import SECRET_NAME, keep, keep_login, keep_password_of
from ksconfig.source.cluster.checks import check_filled, check_server, check_user, unfit

if TYPE_CHECKING:
    from kubernetes.client import Configuration

_DEFAULT = "~/.kube/config"


class Chosen(NamedTuple):
    """The context that is used.

    Attributes:
        merged: the files' content, as the Kubernetes client takes it.
        namespace: the context's namespace; "default" if it names none.
        user: the name of its user; "" if it names none.
        login: what it says of its user.
        plugin: the command that gives its credentials; "" if there is none.
    """

    merged: Any
    context: str
    namespace: str
    user: str
    login: Mapping[str, Any]
    plugin: str


def location(path: str | None) -> str:
    """Where a kubeconfig is read from: the path itself, else KUBECONFIG (a list), else ~/.kube/config."""
    return path or os.environ.get("KUBECONFIG") or _DEFAULT


def exists(path: str | None = None) -> bool:
    """Whether there is any of its files."""
    return any(os.path.exists(os.path.expanduser(one)) for one in location(path).split(os.pathsep) if one)


def choose(path: str | None, context: str | None) -> Chosen:
    """Read the files and find a context with all that it names.

    Raises:
        UsageError: there is no such file or context.
        ClusterFailure: the files are no kubeconfig, or what the context names is not there.
    """
    where = location(path)
    merged = _merged(where)
    content: Mapping[str, Any] = merged.value
    contexts = {one["name"]: one.get("context") or {} for one in _entries(content, "contexts", where)}
    listed = f"Name one with --context: {', '.join(contexts)}." if contexts else "It has no contexts."
    name = context or content.get("current-context")
    if not name:
        raise UsageError(f"{where} has no current context", advice=listed)
    if name not in contexts:
        raise UsageError(f'there is no context "{name}" in {where}', advice=listed)
    chosen = contexts[name]
    parts = {}
    for kind in ("cluster", "user"):
        wanted = chosen.get(kind)
        if kind == "user" and not wanted:
            continue
        found = {one["name"]: one.get(kind) or {} for one in _entries(content, kind + "s", where)}
        if wanted not in found:
            raise unfit(f'context "{name}" names the {kind} "{wanted or ""}", which {where} does not have')
        parts[kind] = found[wanted]
    _keep_secrets(parts["cluster"], parts.get("user", {}))
    server = str(parts["cluster"].get("server") or "")
    check_server(str(chosen["cluster"]), server)
    user = parts.get("user", {})
    check_user(str(chosen.get("user")), user)
    plugin = str((user.get("exec") or {}).get("command", ""))
    return Chosen(merged, name, chosen.get("namespace") or "default", str(chosen.get("user") or ""), user, plugin)


def context_names(path: str | None) -> list[str]:
    """The contexts that there are (errors as in `choose`)."""
    where = location(path)
    return [str(one["name"]) for one in _entries(_merged(where).value, "contexts", where)]


def _keep_secrets(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> None:
    """Hide what a context holds of secrets from now on, whoever repeats it.

    Of what a plugin is given, only what is called a secret: other values may be words of our own messages. What the
    plugin itself says is quoted without any of them.
    """
    keep_password_of(cluster.get("server"))
    keep_password_of(cluster.get("proxy-url"))
    keep(user.get("token"), user.get("client-key-data"))
    keep_login(str(user.get("username") or ""), str(user.get("password") or ""))
    provider = (user.get("auth-provider") or {}).get("config") or {}
    keep(*(value for name, value in provider.items() if SECRET_NAME.search(name)))
    plugin = user.get("exec") or {}
    for variable in plugin.get("env") or ():
        if SECRET_NAME.search(str(variable.get("name"))):
            keep(variable.get("value"))
    words = [str(word) for word in plugin.get("args") or ()]
    for word, following in zip(words, [*words[1:], ""], strict=False):
        option, _, value = word.partition("=")
        if option.startswith("-") and SECRET_NAME.search(option):
            keep(value or ("" if following.startswith("-") else following))


def _merged(where: str) -> Any:
    from kubernetes.config.kube_config import KubeConfigMerger

    try:
        merged = KubeConfigMerger(where).config  # type: ignore[no-untyped-call]
    except OSError as error:
        raise UsageError(
            f"{error.filename or where} cannot be read: {error.strerror or error}", advice="Check --kubeconfig."
        ) from None
    except Exception as error:  # of the YAML reader, or of code that meets another shape than it expects
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        at = f", line {mark.line + 1}: {problem}" if mark and problem else ""
        raise unfit(f"{where} is no kubeconfig{at}") from None
    if merged is None:
        raise UsageError(f"{where} cannot be read: no such file", advice="Check --kubeconfig, or KUBECONFIG.")
    return merged


def _entries(content: Mapping[str, Any], kind: str, where: str) -> list[Mapping[str, Any]]:
    nodes = content.get(kind) or []
    entries = [getattr(one, "value", one) for one in nodes]
    for entry in entries:
        inner = entry.get(kind[:-1]) if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or "name" not in entry or not isinstance(inner, Mapping | None):
            raise unfit(f"{where} is no kubeconfig: its {kind} must have a name and a {kind[:-1]} each")
    return entries


def fill(settings: Configuration, chosen: Chosen) -> None:
    """Take the server, the certificates and the credentials of a context; its plugin is run.

    Raises:
        ClusterFailure: credentials cannot be had.
    """
    from ksconfig.source.cluster.loader import Loader

    heard = _Heard()
    root = logging.getLogger()
    root.addHandler(heard)
    try:
        loader = Loader(chosen.merged, chosen.context, config_base_path=None)  # type: ignore[no-untyped-call]
        loader.load_and_set(settings)  # type: ignore[no-untyped-call]
    except ClusterFailure as error:
        raise ClusterFailure(
            f'the credentials of user "{chosen.user}" cannot be had: {error.why}',
            advice=error.advice, status=error.status, reason=error.reason,
        ) from None  # fmt: skip
    except FileNotFoundError as error:
        raise unfit(f'user "{chosen.user}" names the file {error.filename}, which is not there') from None
    except Exception as error:  # whatever a plugin or a reader of certificates raises
        text = " ".join(str(error).split()) or type(error).__name__
        raise unfit(f'the credentials of user "{chosen.user}" cannot be had: {text}') from None
    finally:
        root.removeHandler(heard)
    if heard.errors:
        raise ClusterFailure(
            f'the credentials of user "{chosen.user}" cannot be had: {"; ".join(heard.errors)}',
            advice=f"Run its plugin by hand: {chosen.plugin}" if chosen.plugin else "Check it: kubectl config view",
        )
    check_filled(chosen.user, chosen.login, settings)


class _Heard(logging.Handler):
    """The client's own complaints: it logs that a plugin failed, and goes on without credentials."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.module == "kube_config":
            self.errors.append(" ".join(record.getMessage().split()))
