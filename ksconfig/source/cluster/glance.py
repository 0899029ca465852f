"""A quick look at a cluster, for shell completion: each thing is asked for once, the first alone and the others at the
same time, and what does not come within a moment is not there.

kubectl asks, where it is installed: it knows all credentials, and has its answer before our own client is loaded.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from typing import Any, Protocol

from ksconfig.errors import KsconfigError
from ksconfig.model.detect import Evidence
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND
from ksconfig.source.cluster import children
from ksconfig.source.cluster.client import Client, namespaced
from ksconfig.source.cluster.finder import CONFIG, USUAL, Found
from ksconfig.source.cluster.objects import ClusterConfig, ClusterObject
from ksconfig.source.cluster.patience import Patience
from ksconfig.source.cluster.services import GROUP
from ksconfig.source.cluster.source import RESOURCES, ClusterSource

_MOST = "500"
_CONFIGS = "/api/v1/configmaps"

Data = dict[str, Any]


class _Asker(Protocol):
    def ask(self, paths: Sequence[str]) -> list[Data | None]:
        """The answer to a GET of each path; None where there is none."""

    def namespace(self) -> str:
        """The context's namespace."""

    def contexts(self) -> list[str]:
        """The contexts of the kubeconfig."""


class _Kubectl:
    """Asks with kubectl."""

    def __init__(self, program: str, context: str | None, kubeconfig: str | None, seconds: float) -> None:
        self._seconds = seconds
        self._known: bool | None = None  # whether one logs in, and in time
        self._command = [program, f"--request-timeout={round(1000 * seconds)}ms"]
        self._command += [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
        self._command += [f"--context={context}"] if context else []

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return children.start([*self._command, *arguments])

    def _answer(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bool]:
        """What it says, and whether the API server knew who asked."""
        try:
            code, out, err = children.wait(process, 2 * self._seconds)
        except subprocess.TimeoutExpired:
            return b"", False
        return out, code == 0 or err.startswith(b"Error from server")  # else: "error: You must be logged in ..."

    def _output(self, *arguments: str) -> bytes:
        return self._answer(self._start(*arguments))[0]

    def ask(self, paths: Sequence[str]) -> list[Data | None]:
        # each kubectl runs the login plugin anew, and one that fails or is slow is better not run again
        found = [] if self._known else [self._ask_first(paths[0])]
        if self._known:
            started = [self._start("get", "--raw", path) for path in paths[len(found) :]]
            found += [_data(self._answer(one)[0]) for one in started]
        return found + [None] * (len(paths) - len(found))

    def _ask_first(self, path: str) -> Data | None:
        if self._known is False:
            return None
        begun = time.monotonic()
        out, known = self._answer(self._start("get", "--raw", path))
        self._known = known and time.monotonic() - begun < self._seconds
        return _data(out)

    def namespace(self) -> str:
        found = self._output("config", "view", "--minify", "-o", "jsonpath={..namespace}")
        return found.decode() or "default"

    def contexts(self) -> list[str]:
        return self._output("config", "get-contexts", "-o", "name").decode().split()


class _OwnClient:
    """Asks with the client that all commands have."""

    def __init__(self, context: str | None, kubeconfig: str | None, seconds: float) -> None:
        self._context, self._kubeconfig, self._seconds = context, kubeconfig, seconds
        self._access: Any = None

    def _open(self) -> Any:
        from ksconfig.source.cluster.access import open_access

        self._access = self._access or open_access(self._context, self._kubeconfig)
        return self._access

    def ask(self, paths: Sequence[str]) -> list[Data | None]:
        client: Client = self._open().client
        found: list[Data | None] = []
        for path in paths:
            try:
                found.append(client.request("GET", path, seconds=self._seconds))
            except KsconfigError:
                found.append(None)
        return found

    def namespace(self) -> str:
        return str(self._open().namespace)

    def contexts(self) -> list[str]:
        from ksconfig.source.cluster.kubeconfig import context_names

        return context_names(self._kubeconfig)


class Glance:
    """What is seen of a cluster at a glance; what is not is empty.

    Args:
        namespace: as -n names it.
        of_config: as --config-namespace does; by default ``namespace``.
        seconds: how long an answer may take.
    """

    def __init__(
        self,
        context: str | None,
        kubeconfig: str | None,
        namespace: str | None,
        of_config: str | None = None,
        *,
        seconds: float = 0.5,
    ) -> None:
        program = shutil.which("kubectl")
        if program:
            self._asker: _Asker = _Kubectl(program, context, kubeconfig, seconds)
        else:
            self._asker = _OwnClient(context, kubeconfig, seconds)
        self._given = namespace
        self._config_given = of_config or namespace

    def contexts(self) -> list[str]:
        """The contexts of the kubeconfig."""
        return self._asker.contexts()

    def namespaces(self) -> list[str]:
        """All namespaces."""
        return [one["metadata"]["name"] for one in self._items(f"/api/v1/namespaces?limit={_MOST}")[0]]

    def revisions(self) -> list[int]:
        """The numbers of the revisions, newest first."""
        from ksconfig.model.revision import LABELS, PREFIX

        labels = ",".join(f"{name}%3D{value}" for name, value in LABELS.items())
        names = [one["metadata"]["name"] for one in self._beside_config(f"labelSelector={labels}")]
        numbers = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
        return sorted((int(number) for number in numbers if number.isdigit()), reverse=True)

    def runtimes(self) -> list[str]:
        """The runtimes that the namespace may use, its own first."""
        namespace = self._given or self._asker.namespace()
        own = f"/apis/{GROUP}/v1alpha1/namespaces/{namespace}/{RESOURCES[NAMESPACED_KIND]}?limit={_MOST}"
        items = self._items(own, _listing(CLUSTER_KIND))
        return [one["metadata"]["name"] for listed in items for one in listed]

    def services(self, everywhere: bool) -> list[tuple[str, str]]:
        """The InferenceServices of the namespace, or of all: namespace and name."""
        within = "" if everywhere else f"namespaces/{self._given or self._asker.namespace()}/"
        listed = self._items(f"/apis/{GROUP}/v1beta1/{within}inferenceservices?limit={_MOST}")[0]
        return [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in listed]

    def source(self, kinds: Sequence[str]) -> ClusterSource:
        """The config, and the objects of these kinds."""
        paths = [_listing(kind) for kind in kinds]
        first = self._asker.ask([self._configs(f"fieldSelector=metadata.name%3D{CONFIG}"), *paths])
        configs = _items(first[0]) or ([] if first[0] is not None else self._usual())
        objects = {kind: _items(answer) for kind, answer in zip(kinds, first[1:], strict=True)}
        return _Snapshot(configs[0] if configs else None, objects)

    def _items(self, *paths: str) -> list[list[Data]]:
        return [_items(answer) for answer in self._asker.ask(paths)]

    def _configs(self, query: str) -> str:
        where = namespaced("/api/v1", "configmaps", self._config_given) if self._config_given else _CONFIGS
        return f"{where}?{query}"

    def _usual(self) -> list[Data]:
        """The config where it usually is, for those who may not list all ConfigMaps."""
        paths = [namespaced("/api/v1", "configmaps", one, CONFIG) for one in USUAL]
        return [] if self._config_given else [one for one in self._asker.ask(paths) if one]

    def _beside_config(self, query: str) -> list[Data]:
        answer = self._asker.ask([self._configs(query)])[0]
        if answer is not None or self._config_given:
            return _items(answer)
        paths = [f"{namespaced('/api/v1', 'configmaps', one)}?{query}" for one in USUAL]
        return [one for listed in self._items(*paths) for one in listed]


class _Snapshot(ClusterSource):
    """What was seen, as a source: nothing more is read."""

    def __init__(self, config: Data | None, objects: dict[str, list[Data]]) -> None:
        namespace = str(config["metadata"]["namespace"]) if config else ""
        self.found = Found(namespace, None)
        self.patience = Patience(0)
        self._config = ClusterConfig(config, self.config_path) if config else None
        self._seen = {kind: tuple(ClusterObject(one, kind, "") for one in listed) for kind, listed in objects.items()}

    def configs(self) -> tuple[ClusterConfig, ...]:
        return (self._config,) if self._config else ()

    def objects(self, kind: str) -> tuple[ClusterObject, ...]:
        return self._seen.get(kind, ())

    def evidence(self) -> Evidence:
        return Evidence(())


def _listing(kind: str) -> str:
    return f"/apis/{GROUP}/v1alpha1/{RESOURCES[kind]}?limit={_MOST}"


def _data(answer: bytes) -> Data | None:
    try:
        found = json.loads(answer) if answer else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _items(answer: Data | None) -> list[Data]:
    return list((answer or {}).get("items") or ())


__all__ = ["CLUSTER_KIND", "NAMESPACED_KIND", "STORAGE_KIND", "Glance"]
