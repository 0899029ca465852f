"""Objects of a cluster, as the port wants them: each field is a text of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksconfig.errors import InvalidDocument
from ksconfig.model.objects import STRUCTURES, WHOLE, object_text, structure_text
from ksconfig.model.plan import Field, ObjectRef
from ksconfig.source.port import Place
from ksconfig.text.spans import Origin


class ClusterObject:
    """An object of a cluster (see `ksconfig.source.port.Object`)."""

    repeated: tuple[Field, ...] = ()

    def __init__(self, data: Mapping[str, Any], kind: str, path: str) -> None:
        metadata = data["metadata"]
        self.data = data
        self.path = path
        self.metadata: Mapping[str, Any] = metadata
        namespace = metadata.get("namespace") or None
        self.ref = ObjectRef(kind, namespace, metadata["name"])
        self.selector = f"-n {namespace}" if namespace else None

    @property
    def place(self) -> str:
        """The object once more."""
        return str(self.ref)

    def value(self, field: Field) -> str | None:
        """The string of a field; the JSON of a structure; of the whole object what an owner wrote of it."""
        if field == WHOLE:
            return object_text(self.data)
        found: Any = self.data
        for step in field:
            if isinstance(step, int):
                found = found[step] if isinstance(found, list) and step < len(found) else None
            else:
                found = found.get(step) if isinstance(found, Mapping) else None
        if field in STRUCTURES and isinstance(found, Mapping):
            return structure_text(found)
        return found if isinstance(found, str) else None

    def text(self, field: Field) -> str:
        """The text of a field.

        Raises:
            KeyError: there is none.
        """
        found = self.value(field)
        if found is None:
            raise KeyError(field)
        return found

    def origin(self, field: Field) -> Origin:
        """The text is its own source."""
        name = f"key {field[1]}" if field[0] == "data" else "/".join(map(str, field))
        return Origin(self.value(field) or "", f"{self.ref}, {name}")

    def locate(self, field: Field, offset: int = 0) -> Place:
        """The object and field; line and column inside the text of a config's key."""
        if field[:1] == ("data",) and len(field) == 2 and self.value(field) is not None:
            return Place(f"{self.ref}, key {field[1]}", *self.origin(field).position(offset))
        return Place(str(self.ref))


class ClusterConfig(ClusterObject):
    """The ConfigMap ``inferenceservice-config`` of a cluster (see `ksconfig.source.port.Config`)."""

    def __init__(self, data: Mapping[str, Any], path: str) -> None:
        super().__init__(data, "ConfigMap", path)
        entries = data.get("data") or {}
        if not isinstance(entries, Mapping):
            raise InvalidDocument(f"{self.ref} has no mapping as its data")
        self.keys: tuple[str, ...] = tuple(entries)

    @property
    def immutable(self) -> bool:
        """Whether the API server refuses to change it."""
        return self.data.get("immutable") is True

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is unusual about it and no obstacle."""
        if self.data.get("binaryData"):
            return ("the ConfigMap has binaryData, which is left as it is; KServe does not read it",)
        return ()
