"""The login plugin of a kubeconfig: run within a bound of time, and quoted without what it was given or gave.

The Kubernetes client runs plugins too, but without a bound, leaves them running when ksconfig is interrupted, and lets
nobody see what a plugin that fails has printed, which may be the token that it then complains of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.errors import ClusterFailure
from ksconfig.secrecy import SECRET_NAME, hide, keep, without
from ksconfig.source.cluster.children import output

#: A plugin may wait for a person who is not there.
SECONDS = 60.0
_QUOTED = 1000
_CONFIG = "client.authentication.k8s.io/exec"


def credentials(plugin: Mapping[str, Any], folder: str | None, cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run a plugin: the status of its answer, which holds a token, or a certificate with its key.

    Args:
        plugin: as the kubeconfig has it.
        folder: where it runs.
        cluster: what it is told if it wants to know of the cluster.

    Raises:
        ClusterFailure: it gives no credentials.
    """
    command = str(plugin.get("command") or "")
    variables = {str(one.get("name")): str(one.get("value") or "") for one in plugin.get("env") or ()}
    arguments = [str(one) for one in plugin.get("args") or ()]
    talks = all(one is not None and one.isatty() for one in (sys.stdin, sys.stderr))
    environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": _question(plugin, cluster, talks)}
    try:
        code, out, err = output([command, *arguments], SECONDS, talks=talks, folder=folder, environment=environment)
    except subprocess.TimeoutExpired:
        raise unfit(
            command,
            f"did not end within {SECONDS:g} s, and was ended",
            "Log in with it by hand first; here it may wait for an answer that cannot come.",
        ) from None
    except (OSError, ValueError) as error:
        raise unfit(command, f"cannot be run: {getattr(error, 'strerror', None) or error}") from None
    if code:
        inherited = [value for name, value in os.environ.items() if SECRET_NAME.search(name)]
        given = [*arguments, *variables.values(), *inherited]
        said = without(hide(_one_line(err)), [*given, *_printed(out)])[-_QUOTED:]
        raise unfit(command, f"ended with {code}" + (f": {said}" if said else ""))
    return _status(command, out, plugin.get("apiVersion"))


def _question(plugin: Mapping[str, Any], cluster: Mapping[str, Any], talks: bool) -> str:
    spec: dict[str, Any] = {"interactive": talks}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = dict(cluster)
        for extension in cluster.get("extensions") or ():
            if extension["name"] == _CONFIG:
                spec["cluster"]["config"] = extension["extension"]
    return json.dumps({"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": spec})


def _status(command: str, out: bytes, version: object) -> Mapping[str, Any]:
    try:
        answer = json.loads(out)
        status = answer["status"]
        keep(*_texts(status))
        if "token" in status or ("clientCertificateData" in status and "clientKeyData" in status):
            found: Mapping[str, Any] = status
        else:
            raise unfit(command, "gave neither a token nor a certificate with its key")
    except ValueError:
        raise unfit(command, "gave no JSON on standard output") from None
    except (KeyError, TypeError):
        raise unfit(command, "gave an answer without a status on standard output") from None
    if answer.get("apiVersion") != version:
        raise unfit(command, f"answered in another apiVersion than {version}, which the kubeconfig wants")
    return found


def _printed(out: bytes) -> list[str]:
    """What may be a secret in the output of a plugin that failed."""
    try:
        return list(_texts(json.loads(out)))
    except ValueError:
        # prose, which may be said again on standard error, is no secret; long words and those with digits may be
        return [word for word in out.decode(errors="replace").split() if len(word) >= 12 or not word.isalpha()]


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for name, value in node.items():
            if name not in ("apiVersion", "kind", "expirationTimestamp"):
                yield from _texts(value)
    elif isinstance(node, list):
        for one in node:
            yield from _texts(one)


def unfit(command: str, why: str, advice: str | None = None) -> ClusterFailure:
    """The error for a plugin that gives no credentials; to run it again at once would not help."""
    return ClusterFailure(
        f"the login plugin {command} {why}",
        advice=advice or f"Run its plugin by hand: {command}",
        status=400,
        reason="BadCredentials",
    )


def _one_line(text: bytes) -> str:
    return " ".join(text.decode(errors="replace").split())
