"""What a pod sees of the cluster: its volumes as folders, its environment, its ServiceAccount's token."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.api import Api, ApiError, Object

_TOKEN_SECONDS = 30 * 86400  # no token is renewed here, and no sandbox is meant to live longer


class NotYet(Exception):
    """Something that a pod refers to is not there; a kubelet tries again."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Mounts:
    """The volumes of one pod."""

    def __init__(self, api: Api, pod: Object, folder: Path, host: str) -> None:
        self._api = api
        self._host = host
        self._pod = pod
        self._namespace: str = pod["metadata"]["namespace"]
        self._folder = folder

    def make(self) -> dict[str, Path]:
        """Write every volume; gives their folders by name.

        Raises:
            NotYet: a Secret or ConfigMap is missing.
        """
        made = {}
        for volume in self._pod["spec"].get("volumes", []):
            made[volume["name"]] = folder = self._folder / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            for name, data in self._files(volume).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(data)
        return made

    def environment(self, container: Object, address: str) -> dict[str, str]:
        """The environment of a container, as its spec says it."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            kind = "secrets" if "secretRef" in source else "configmaps"
            reference = source.get("secretRef") or source["configMapRef"]
            data = self._config_data(kind, reference["name"], reference.get("optional", False))
            found |= {source.get("prefix", "") + name: value.decode() for name, value in data.items()}
        for variable in container.get("env", []):
            source = variable.get("valueFrom")
            if source is None:
                found[variable["name"]] = expanded(variable.get("value", ""), found)
            elif "fieldRef" in source:
                found[variable["name"]] = self._field(source["fieldRef"]["fieldPath"], address)
            elif key := source.get("secretKeyRef") or source.get("configMapKeyRef"):
                kind = "secrets" if "secretKeyRef" in source else "configmaps"
                data = self._config_data(kind, key["name"], key.get("optional", False))
                if key["key"] in data:
                    found[variable["name"]] = data[key["key"]].decode()
                elif not key.get("optional", False):
                    message = f"couldn't find key {key['key']} in {kind.removesuffix('s')} {key['name']}"
                    raise NotYet("CreateContainerConfigError", message)
            else:
                message = f"{variable['name']}: {next(iter(source))} is not played here"
                raise NotYet("CreateContainerConfigError", message)
        return found

    def _config_data(self, kind: str, name: str, optional: bool) -> dict[str, bytes]:
        try:
            return self._data(kind, name, optional)
        except NotYet:
            message = f'{kind.removesuffix("s")} "{name}" not found'
            raise NotYet("CreateContainerConfigError", message) from None

    def _files(self, volume: Object) -> dict[str, bytes]:
        if source := volume.get("secret"):
            return self._chosen(self._data("secrets", source["secretName"], source.get("optional", False)), source)
        if source := volume.get("configMap"):
            return self._chosen(self._data("configmaps", source["name"], source.get("optional", False)), source)
        if source := volume.get("downwardAPI"):
            return self._downward(source)
        files: dict[str, bytes] = {}
        for part in volume.get("projected", {}).get("sources", []):
            if source := part.get("serviceAccountToken"):
                files[source["path"]] = self._token(source).encode()
            elif source := part.get("downwardAPI"):
                files |= self._downward(source)
            elif source := part.get("configMap"):
                files |= self._chosen(self._data("configmaps", source["name"], source.get("optional", False)), source)
            elif source := part.get("secret"):
                files |= self._chosen(self._data("secrets", source["name"], source.get("optional", False)), source)
        return files

    @staticmethod
    def _chosen(data: dict[str, bytes], source: Object) -> dict[str, bytes]:
        if "items" not in source:
            return data
        return {item["path"]: data[item["key"]] for item in source["items"] if item["key"] in data}

    def _data(self, kind: str, name: str, optional: bool) -> dict[str, bytes]:
        found = self._api.find(f"/api/v1/namespaces/{self._namespace}/{kind}/{name}")
        if found is None:
            if optional:
                return {}
            raise NotYet("ContainerCreating", f'MountVolume.SetUp failed: {kind.removesuffix("s")} "{name}" not found')
        if kind == "secrets":
            return {key: base64.b64decode(value) for key, value in found.get("data", {}).items()}
        binary = {key: base64.b64decode(value) for key, value in found.get("binaryData", {}).items()}
        return {key: value.encode() for key, value in found.get("data", {}).items()} | binary

    def _downward(self, source: Object) -> dict[str, bytes]:
        return {
            item["path"]: self._field(item["fieldRef"]["fieldPath"], "").encode()
            for item in source.get("items", [])
            if "fieldRef" in item
        }

    def _field(self, path: str, address: str) -> str:
        if path == "status.podIP":
            return address
        if path == "status.hostIP":
            return self._host
        if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path):
            return str(self._pod["metadata"].get(match[1], {}).get(match[2], ""))
        value: Any = self._pod
        for name in path.split("."):
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        return str(value)

    def _token(self, source: Object) -> str:
        account = self._pod["spec"].get("serviceAccountName", "default")
        metadata = self._pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec: Object = {"expirationSeconds": _TOKEN_SECONDS, "boundObjectRef": bound}
        if "audience" in source:
            spec["audiences"] = [source["audience"]]
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{account}/token"
        try:
            return str(self._api.request("POST", path, body)["status"]["token"])
        except ApiError as error:
            raise NotYet("ContainerCreating", f"no token for {account}: {error}") from error


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """The text with ``$(NAME)`` replaced where the name is known, and ``$$`` by ``$``."""
    return re.sub(
        r"\$(\$|\((\w+)\))", lambda match: "$" if match[1] == "$" else variables.get(match[2], match[0]), text
    )
