"""From a kubeconfig, or a pod's own ServiceAccount, to a client."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ksconfig.errors import ClusterFailure, UsageError
from ksconfig.secrecy import keep_password_of
from ksconfig.source.cluster import children, plugin
from ksconfig.source.cluster.client import Client
from ksconfig.source.cluster.kubeconfig import choose, exists, fill, location

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

# Longer than a login plugin may take, which then tells more of it.
_LOGIN_SECONDS = plugin.SECONDS + 5
# Not waited at one go: a signal that the other thread receives would not be seen until its end.
_MOMENT = 0.2


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
    from kubernetes.client import Configuration

    settings = type.__call__(Configuration)  # a fresh one, never the default that others may have set
    # tenacity is the only one to try again: by default urllib3 sends GET and DELETE up to four times
    settings.retries = False
    path = str(kubeconfig) if kubeconfig is not None else None
    if path is None and not exists():
        if context is not None or not os.environ.get("KUBERNETES_SERVICE_HOST"):
            raise UsageError(
                f"there is no kubeconfig: {location(None)} is not there",
                advice="Name one with --kubeconfig, or a manifest with -f FILE to work without a cluster.",
            )
        return _in_cluster(settings)
    chosen = choose(path, context)
    _within_seconds(lambda: fill(settings, chosen), chosen.user)
    return Access(Client(_api(settings)), chosen.context, chosen.namespace, chosen.user)


def _api(settings: Configuration) -> ApiClient:
    """The client for these settings.

    Raises:
        ClusterFailure: they cannot be used: a proxy's address that is none, a certificate that does not parse.
    """
    from kubernetes.client import ApiClient

    keep_password_of(settings.proxy)
    keep_password_of(settings.host)
    try:
        return ApiClient(settings)
    except ModuleNotFoundError as error:
        if error.name != "socks":
            raise
        raise ClusterFailure(
            f"the connection to the cluster cannot be made: its proxy {settings.proxy} is a SOCKS proxy, and the "
            "package PySocks is not installed",
            advice="Install it: pip install PySocks",
        ) from None
    except Exception as error:  # whatever urllib3 and the readers of certificates and addresses raise
        raise ClusterFailure(
            f"the connection to the cluster cannot be made: {' '.join(str(error).split())}",
            advice="Check its proxy (proxy-url, or HTTPS_PROXY), server and certificates: kubectl config view.",
        ) from None


def _in_cluster(settings: Configuration) -> Access:
    from kubernetes import config

    try:
        config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        namespace = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace").read_text().strip()
    except (config.ConfigException, OSError) as error:
        raise ClusterFailure(f"the ServiceAccount of this pod cannot be read: {error}") from None
    return Access(Client(_api(settings)), "in-cluster", namespace or "default", "in-cluster ServiceAccount")


def _within_seconds(load: Callable[[], None], user: str) -> None:
    """Load credentials, within a bound of time."""
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            load()
            outcome.append(None)
        except BaseException as error:  # raised where somebody hears it
            outcome.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    try:
        end = time.monotonic() + _LOGIN_SECONDS
        while worker.is_alive() and time.monotonic() < end:
            worker.join(_MOMENT)
    except BaseException:  # Ctrl-C, or SIGTERM: the thread does not hear of it
        children.end_all()
        raise
    if not outcome:
        raise ClusterFailure(
            f'the credentials of user "{user}" were not there within {_LOGIN_SECONDS:g} s',
            advice="Log in by hand first; here nothing can be asked.",
        )
    if outcome[0] is not None:
        raise outcome[0]
