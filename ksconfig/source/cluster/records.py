"""Revisions as ConfigMaps beside the config: the store behind ``history`` and ``rollback``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from ksconfig.errors import ClusterFailure, InvalidDocument
from ksconfig.model.owners import FIELD_MANAGER
from ksconfig.model.revision import LABELS, STATE, Revision, from_config_map, to_config_map
from ksconfig.source.cluster.client import MERGE_PATCH, Client, namespaced
from ksconfig.source.cluster.patience import Patience

_MARK_SECONDS = 10.0
_SELECTOR = ",".join(f"{name}={value}" for name, value in LABELS.items())


class Records:
    """The revisions of the config in one namespace."""

    def __init__(self, client: Client, namespace: str, patience: Patience) -> None:
        self._client = client
        self._namespace = namespace
        self._patience = patience
        self.unreadable: list[InvalidDocument] = []
        self.known: tuple[Revision, ...] = ()  # as last listed

    def _path(self, name: str = "") -> str:
        return namespaced("/api/v1", "configmaps", self._namespace, name)

    def list(self) -> tuple[Revision, ...]:
        """All revisions, oldest first; those that cannot be read stand in ``unreadable``."""
        self.unreadable = []
        found = []
        for one in self._patience.call(lambda: list(self._client.items(self._path(), labelSelector=_SELECTOR))):
            try:
                found.append(from_config_map(one))
            except InvalidDocument as error:
                self.unreadable.append(error)
        self.known = tuple(sorted(found, key=lambda one: one.number))
        return self.known

    def add(self, revision: Revision, after: int) -> Revision:
        """Store a revision under the next free number above ``after``; gives it with number and time.

        Creating the object is what takes the number, so two writers never have the same one.

        Raises:
            RightMissing: records may not be created here.
            ClusterFailure: the API server refused.
        """
        number = after
        while True:
            number += 1
            made = replace(revision, number=number)
            body = to_config_map(made, self._namespace)
            try:
                stored = self._create(body)
            except ClusterFailure as error:
                if error.status != 409 or self._patience.left <= 0:
                    raise
                continue
            return replace(made, time=stored["metadata"].get("creationTimestamp", ""))

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create the object; an answer that was lost is settled by looking whether it is ours that is there."""
        name = body["metadata"]["name"]
        tried = False

        def create() -> dict[str, Any]:
            nonlocal tried
            try:
                return self._client.request("POST", self._path(), body, query={"fieldManager": FIELD_MANAGER})
            except ClusterFailure as error:
                if error.status == 409 and tried:
                    found = self._client.find(self._path(name))
                    if found and found.get("data") == body["data"]:
                        return found
                tried = True
                raise

        return self._patience.call(create)

    def mark(self, revision: Revision, state: str) -> Revision:
        """Set the state of a revision; one that somebody has deleted meanwhile is let go."""
        body = {"metadata": {"annotations": {STATE: state}}}
        query = {"fieldManager": FIELD_MANAGER}

        try:
            self._patience.another(min(_MARK_SECONDS, self._patience.seconds)).call(
                lambda: self._client.request(
                    "PATCH", self._path(revision.name), body, content_type=MERGE_PATCH, query=query
                ),
                also=(409,),  # it states no version: others wrote at the same moment
            )
        except ClusterFailure as error:
            if error.status != 404:
                raise
        return replace(revision, state=state)

    def delete(self, revisions: Iterable[Revision]) -> None:
        """Delete revisions; one that is gone already is no fault."""
        for one in revisions:
            try:
                self._patience.call(partial(self._client.request, "DELETE", self._path(one.name)))
            except ClusterFailure as error:
                if error.status != 404:
                    return  # it stays, as one that was never written or is no longer needed
