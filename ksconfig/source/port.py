"""The small port that all sources fit: read objects, prepare edits, write them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ksconfig.model.detect import Evidence
from ksconfig.model.plan import Field, FieldEdit, ObjectRef
from ksconfig.text.diff import TextPatch
from ksconfig.text.spans import Origin

if TYPE_CHECKING:
    from ksconfig.model.services.workload import Workload


class Place(NamedTuple):
    """Where something stands: a file with line and column, both from 1; or an object of a cluster, without them."""

    label: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in self if part is not None)


class Object(Protocol):
    """A Kubernetes object, some of whose fields are texts to be edited."""

    @property
    def ref(self) -> ObjectRef:
        """Which object it is."""

    @property
    def place(self) -> str:
        """Where it stands: a file and line, or a cluster."""

    @property
    def selector(self) -> str | None:
        """The options that make a command see this object and not others of its name, or None."""

    @property
    def data(self) -> Mapping[str, Any]:
        """The whole object as plain data.

        Raises:
            InvalidDocument: it cannot be said as plain data.
        """

    @property
    def repeated(self) -> tuple[Field, ...]:
        """The fields whose key stands twice, keys of a config's data apart; none on a cluster."""

    def value(self, field: Field) -> str | None:
        """The string of a field, one that cannot be edited included; None if it is none."""

    def text(self, field: Field) -> str:
        """The text of a field, to be edited.

        Raises:
            KeyError: there is no such field.
            KsconfigError: it has no one text (a duplicate key, an alias, a value that is no string).
        """

    def origin(self, field: Field) -> Origin:
        """Where that text stands."""

    def locate(self, field: Field, offset: int = 0) -> Place:
        """Where an offset in the text of a field stands; of a field that is not there, what would hold it."""


class Config(Object, Protocol):
    """The ConfigMap whose keys hold JSON texts: the fields ``("data", KEY)``."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its data, each once."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is unusual about the object and no obstacle here."""


class Source(Protocol):
    """Files, or a cluster.

    Attributes:
        elsewhere: advice where to look for what is not here.
        submitted: whether services stand here as their owners wrote them, before KServe's admission.
    """

    elsewhere: str
    submitted: bool

    def configs(self) -> Sequence[Config]:
        """Every ConfigMap ``inferenceservice-config`` there is."""

    def objects(self, kind: str) -> Sequence[Object]:
        """Every object of a kind: ServingRuntime, ClusterServingRuntime, ClusterStorageContainer."""

    def services(self, namespaces: Sequence[str] = ()) -> Iterator[Mapping[str, Any]]:
        """Every InferenceService, of some namespaces or of all, one by one as plain data.

        Raises:
            RightMissing: they may not be read.
        """

    def keep(self, service: Mapping[str, Any]) -> None:
        """Remember a service that was given by `services`, so that it can be edited."""

    def workloads(self, services: Collection[tuple[str, str]] | None) -> Iterator[Workload]:
        """The workloads of services (namespace, name), or of all; none where nothing runs.

        Raises:
            RightMissing: they may not be read.
        """

    def graphs(self) -> Iterator[str]:
        """Every InferenceGraph, as NAMESPACE/NAME (errors as in `services`)."""

    def evidence(self) -> Evidence:
        """What tells the release, beside the config."""

    def explain_absence(self) -> None:
        """Say why nothing was found, if there is a reason.

        Raises:
            KsconfigError: what was read cannot hold what was looked for (it is not YAML, say).
        """

    def prepare(self, edits: Sequence[FieldEdit]) -> tuple[TextPatch, ...]:
        """The edits as they would be written, proven to be exactly that.

        Raises:
            UnsupportedEdit: a text cannot take its edit.
            InternalError: the proof failed.
        """

    def write(self, edits: Sequence[FieldEdit]) -> None:
        """Make the edits."""
