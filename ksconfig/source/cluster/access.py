"""From a kubeconfig, or a pod's own ServiceAccount, to a client."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ksconfig.errors import ClusterFailure, UsageError
from ksconfig.source.cluster.client import Client

if TYPE_CHECKING:
    from kubernetes.client import Configuration

# A credential plugin may wait for a person who is not there.
_PLUGIN_SECONDS = 60.0


class Access(NamedTuple):
    """A way into a cluster.

    Attributes:
        context: the kubeconfig's context, or "in-cluster".
        namespace: the context's namespace; "default" if it names none.
        user: the kubeconfig's user, for records where the server does not tell who one is.
    """

    client: Client
    context: str
    namespace: str
    user: str


def open_access(context: str | None = None, kubeconfig: str | Path | None = None) -> Access:
    """Read the kubeconfig as kubectl does: ``kubeconfig``, else KUBECONFIG (a list), else ~/.kube/config.

    Without any of them, inside a pod, its ServiceAccount is taken.

    Raises:
        UsageError: there is no such context, or no kubeconfig.
        ClusterFailure: credentials cannot be had.
    """
    from kubernetes.client import ApiClient, Configuration

    settings = type.__call__(Configuration)  # a fresh one, never the default that others may have set
    if kubeconfig is None and not _default_exists():
        if context is not None or not os.environ.get("KUBERNETES_SERVICE_HOST"):
            raise UsageError(
                "there is no kubeconfig: neither KUBECONFIG nor ~/.kube/config names a cluster",
                advice="Name one with --kubeconfig, or a manifest with -f FILE to work without a cluster.",
            )
        return _in_cluster(settings)
    name, namespace, user = _load(settings, context, str(kubeconfig) if kubeconfig is not None else None)
    # tenacity is the only one to try again: by default urllib3 sends GET and DELETE up to four times
    settings.retries = False
    return Access(Client(ApiClient(settings)), name, namespace, user)


def _default_exists() -> bool:
    named = [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    paths = named or [str(Path("~/.kube/config").expanduser())]
    return any(Path(path).exists() for path in paths)


def _in_cluster(settings: Configuration) -> Access:
    from kubernetes import config
    from kubernetes.client import ApiClient

    try:
        config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        namespace = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace").read_text().strip()
    except (config.ConfigException, OSError) as error:
        raise ClusterFailure(f"the ServiceAccount of this pod cannot be read: {error}") from None
    settings.retries = False
    return Access(Client(ApiClient(settings)), "in-cluster", namespace or "default", "in-cluster ServiceAccount")


def _load(settings: Configuration, context: str | None, path: str | None) -> tuple[str, str, str]:
    """Fill the settings; the context's name, namespace and user."""
    from kubernetes import config

    outcome: list[Any] = []

    def load() -> None:
        try:
            config.load_kube_config(path, context, settings, persist_config=False)  # type: ignore[no-untyped-call]
            contexts, current = config.list_kube_config_contexts(path)  # type: ignore[no-untyped-call]
            chosen = next(one for one in contexts if one["name"] == context) if context else current
            outcome.append(chosen)
        except BaseException as error:  # whatever a plugin raises is told by the caller
            outcome.append(error)

    worker = threading.Thread(target=load, daemon=True)
    worker.start()
    worker.join(_PLUGIN_SECONDS)
    if not outcome:
        raise ClusterFailure(
            f"the credential plugin of the kubeconfig did not end within {_PLUGIN_SECONDS:g} s",
            advice="Log in with it by hand first; here it cannot ask anything.",
        )
    if isinstance(outcome[0], BaseException):
        raise _unreadable(outcome[0], context, path)
    chosen = outcome[0]
    inside = chosen.get("context") or {}
    return chosen["name"], inside.get("namespace") or "default", inside.get("user", "")


def _unreadable(error: BaseException, context: str | None, path: str | None) -> Exception:
    from kubernetes import config

    where = path or os.environ.get("KUBECONFIG") or "~/.kube/config"
    if isinstance(error, FileNotFoundError) or (path and not Path(path).exists()):
        return UsageError(f"{where} cannot be read: no such file", advice="Check --kubeconfig.")
    if isinstance(error, config.ConfigException | StopIteration):
        names = _context_names(path)
        if context and context not in names:
            listed = f"The contexts are {', '.join(names)}." if names else "It has no contexts."
            return UsageError(f'there is no context "{context}" in {where}', advice=listed)
        if not context and names and "current-context" in str(error):
            return UsageError(f"{where} has no current context", advice=f"Say --context: {', '.join(names)}.")
        return ClusterFailure(f"{where}: {' '.join(str(error).split())}", advice="Check it with: kubectl config view")
    return ClusterFailure(f"{where} cannot be used: {type(error).__name__}: {' '.join(str(error).split())}")


def _context_names(path: str | None) -> list[str]:
    from kubernetes import config

    try:
        contexts, _ = config.list_kube_config_contexts(path)  # type: ignore[no-untyped-call]
    except Exception:  # without a current context the list cannot be had
        return []
    return [one["name"] for one in contexts]
