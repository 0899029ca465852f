"""The small port that all sources fit: read configs, prepare edits, write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ksconfig.model.plan import FieldEdit, ObjectRef
from ksconfig.text.diff import TextPatch
from ksconfig.text.spans import Origin


class Config(Protocol):
    """A ConfigMap whose keys hold JSON texts."""

    @property
    def ref(self) -> ObjectRef:
        """Which object it is."""

    @property
    def place(self) -> str:
        """Where it stands: a file and line, or a cluster."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its data, each once."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is unusual about the object and no obstacle here."""

    def text(self, key: str) -> str:
        """The text of a key.

        Raises:
            KsconfigError: it has no one text (a duplicate key, an alias, a value that is no string).
        """

    def origin(self, key: str) -> Origin:
        """Where that text stands."""


class Source(Protocol):
    """Files, or a cluster."""

    def configs(self) -> Sequence[Config]:
        """Every ConfigMap ``inferenceservice-config`` there is."""

    def prepare(self, edits: Sequence[FieldEdit]) -> tuple[TextPatch, ...]:
        """The edits as they would be written, proven to be exactly that.

        Raises:
            UnsupportedEdit: a text cannot take its edit.
            InternalError: the proof failed.
        """

    def write(self, edits: Sequence[FieldEdit]) -> None:
        """Make the edits."""
