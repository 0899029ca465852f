"""Answers that are older than others before them: an API server gives none, what stands between may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Freshness:
    """The newest versions that were seen, so that an older answer is known as such.

    Versions of one resource rise with every write to it; a list has that of its moment, an object that of its last
    write. Those of different resources are not compared.
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}

    def is_older(self, method: str, path: str, query: Mapping[str, str], answer: Mapping[str, Any]) -> bool:
        """Whether an answer is older than one before it; remembers it if it is not."""
        if "dryRun" in query or "continue" in query:  # what was never stored; the rest of what was read before
            return False
        metadata = answer.get("metadata")
        version = str(metadata.get("resourceVersion", "")) if isinstance(metadata, Mapping) else ""
        if not version.isdigit():
            return False
        resource = _resource(path)
        is_list = "items" in answer
        name = "" if is_list or method == "POST" else path
        if method == "GET" and int(version) < self._newest.get(resource if is_list else name, 0):
            return True
        for known in filter(None, (resource, name)):
            self._newest[known] = max(int(version), self._newest.get(known, 0))
        return False


def _resource(path: str) -> str:
    """The resource that a path is of, whatever the namespace and the object."""
    parts = path.strip("/").split("/")
    base = 2 if parts[0] == "api" else 3
    rest = parts[base:]
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    return "/".join([*parts[:base], *rest[:1]])
