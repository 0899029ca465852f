"""Objects inside a manifest text: which they are, and the texts of their fields with the way back to the file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ksconfig.errors import Ambiguous, InvalidDocument, KsconfigError, Refused
from ksconfig.model.plan import Field, ObjectRef
from ksconfig.source.port import Place
from ksconfig.text.json_path import format_path
from ksconfig.text.spans import Lines, Origin
from ksconfig.text.yaml_documents import Document
from ksconfig.text.yaml_scalar import ScalarMap
from ksconfig.text.yaml_tree import (
    MAP_TAG,
    STRING_TAG,
    YamlMapping,
    YamlNode,
    YamlScalar,
    YamlSequence,
    is_null,
    plain_data,
)

CONFIG_NAME = "inferenceservice-config"


class ManifestObject:
    """An object inside a manifest text (see `ksconfig.source.port.Object`)."""

    selector: str | None = None

    def __init__(self, lines: Lines, label: str, document: Document, root: YamlMapping) -> None:
        self.document = document
        self.root = root
        self._lines = lines
        self._text = lines.text
        self._label = label
        self._maps: dict[Field, ScalarMap] = {}
        self._check_mapping(root, "the object", ("kind", "metadata"))
        self._check_mapping(root.get("metadata"), "metadata", ("name", "namespace"))
        kind = root.text("kind") or ""
        # what is of the cluster has no namespace, though a manifest may name one
        namespace = None if kind.startswith("Cluster") else root.text("metadata", "namespace") or None
        self.ref = ObjectRef(kind, namespace, root.text("metadata", "name") or "")

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self._label}:{self._lines.position(self.root.start).line}"

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """The whole object as plain data."""
        try:
            data: Mapping[str, Any] = plain_data(self.root)
        except RecursionError:
            raise InvalidDocument(
                f"{self.ref} is nested too deeply, or an alias in it names what holds it", label=self._label
            ) from None
        return data

    @cached_property
    def repeated(self) -> tuple[Field, ...]:
        """The fields whose key stands twice, `data` of a config apart."""
        found: list[Field] = []
        pending: list[tuple[Field, YamlNode]] = [((), self.root)]
        seen: set[int] = set()
        while pending:
            path, node = pending.pop()
            if id(node) in seen:
                continue  # an alias
            seen.add(id(node))
            if isinstance(node, YamlMapping):
                found += [(*path, key) for key in node.repeated if path != ("data",)]
                pending += [((*path, key.value), value) for key, value in node.items()]
            elif isinstance(node, YamlSequence):
                pending += [((*path, index), item) for index, item in enumerate(node.items)]
        return tuple(found)

    def text(self, field: Field) -> str:
        """The decoded text of a field."""
        return self.scalar_map(field).text

    def value(self, field: Field) -> str | None:
        """The string of a field as any YAML reader has it, or None; it may be one that cannot be edited."""
        node = self._nearest(field)
        return node.value if isinstance(node, YamlScalar) and node.tag == STRING_TAG else None

    def origin(self, field: Field) -> Origin:
        """Where the text of a field stands in the file."""
        return Origin(self._text, self._field_label(field), self.scalar_map(field).to_source)

    def locate(self, field: Field, offset: int = 0) -> Place:
        """File, line and column of an offset in the text of a field, or of what would hold the field."""
        try:
            place = self.scalar_map(field).to_source(offset) if field else self.root.start
        except (KeyError, KsconfigError):
            place = self._nearest(field).start
        return Place(self._label, *self._lines.position(place))

    def _nearest(self, field: Field) -> YamlNode:
        node: YamlNode = self.root
        for step in field:
            below = _below(node, step)
            if below is None:
                break
            node = below
        return node

    def scalar_map(self, field: Field) -> ScalarMap:
        """The map between the text of a field and the file.

        Raises:
            KeyError: there is no such field.
            Ambiguous: a key on the way stands there twice.
            Refused: its text is another field's too, through an alias; or an entry comes through a YAML merge.
            InvalidDocument: its value is no string.
        """
        if field not in self._maps:
            self._maps[field] = self._read(field)
        return self._maps[field]

    def scalar(self, field: Field) -> YamlNode:
        """The node of a field (errors as in `scalar_map`)."""
        return self._walk(field)[1]

    def _field_label(self, field: Field) -> str:
        where = f"key {field[1]}" if field[0] == "data" else f"{self.ref} {format_path(field)}"
        return f"{self._label}, {where}"

    def _walk(self, field: Field) -> tuple[YamlMapping, YamlNode]:
        """The mapping that holds a field, and the field's node."""
        holder = self.root
        node: YamlNode = self.root
        for depth, step in enumerate(field):
            if isinstance(node, YamlMapping) and isinstance(step, str):
                self._check_mapping(node, format_path(field[:depth]) if depth else "the object", (step,))
                holder = node
            below = _below(node, step)
            if below is None:
                raise KeyError(format_path(field))
            node = below
        return holder, node

    def _read(self, field: Field) -> ScalarMap:
        holder, value = self._walk(field)
        name = str(field[-1])
        if holder.shared or value.shared or self.root.shared:
            raise Refused(
                f"{self._at(value)}: the text of {name} is that of another place too, through a YAML alias; "
                "one cannot be edited without the other",
                advice="Write the text out in both places first.",
            )
        if not isinstance(value, YamlScalar):
            kind = "mapping" if isinstance(value, YamlMapping) else "sequence"
            raise self._no_text(field, value, f"a YAML {kind}")
        if value.tag != STRING_TAG:
            raise self._no_text(field, value, f"{value.value or 'null'} ({value.tag.rpartition(':')[2]})")
        return ScalarMap(self._text, value, holder.column, holder.flow, self._field_label(field))

    def _no_text(self, field: Field, value: YamlNode, what: str) -> InvalidDocument:
        place = self._lines.position(value.start)
        in_config = field[0] == "data"
        name = str(field[-1])
        return InvalidDocument(
            f"{name} is {what}, but " + ("the values of a ConfigMap are texts" if in_config else "must be a string"),
            line=place.line,
            column=place.column,
            label=self._label,
            advice=f'Begin the value with "{name}: |-" and indent the JSON below it.'
            if in_config
            else "Write it in quotes.",
        )

    def _check_mapping(self, mapping: YamlNode | None, where: str, once: tuple[str, ...]) -> None:
        """Refuse what makes it unsure which object this is, and which fields it has."""
        if not isinstance(mapping, YamlMapping):
            return
        if mapping.tag != MAP_TAG:
            raise Refused(
                f"{self._at(mapping)}: {where} is a mapping, and its tag says that it is {mapping.tag}",
                advice="Take the tag away first.",
            )
        for key in once:
            self._refuse_twice(mapping, key, where)
        if mapping.merge is not None:
            raise Refused(
                f"{self._at(mapping.merge)}: {where} takes entries from elsewhere through a YAML merge (<<)",
                advice="Write the entries out first.",
            )

    def _refuse_twice(self, mapping: YamlMapping, key: str, where: str) -> None:
        if key in mapping.repeated:
            places = [self._at(node) for node, _ in mapping.items() if node.value == key]
            raise Ambiguous(
                f"{where} holds the key {key} more than once: {' and '.join(places)}",
                advice="Remove all but one by hand, then try again.",
            )

    def _at(self, node: YamlNode) -> str:
        return f"{self._label}, {self._lines.position(node.start)}"


def _below(node: YamlNode, step: str | int) -> YamlNode | None:
    """The value at a key of a mapping, or the item at an index of a sequence; None if there is none."""
    if isinstance(node, YamlMapping) and isinstance(step, str):
        return node.get(step)
    if isinstance(node, YamlSequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


class ManifestConfig(ManifestObject):
    """A ConfigMap inside a manifest text (see `ksconfig.source.port.Config`)."""

    def __init__(self, lines: Lines, label: str, document: Document, root: YamlMapping) -> None:
        super().__init__(lines, label, document, root)
        self._check_mapping(root, "the object", ("data",))
        self._check_mapping(root.get("data"), "data", ())  # a key of it is looked at when it is read
        data = root.get("data")
        if data is not None and not isinstance(data, YamlMapping) and not is_null(data):
            what = "a YAML sequence" if isinstance(data, YamlSequence) else "a scalar"
            raise Origin(lines.text, label).fault(data.start, f"data is {what}, but must be a mapping")
        self.entries = data if isinstance(data, YamlMapping) else None
        self.keys = tuple(dict.fromkeys(key.value for key, _ in self.entries.items())) if self.entries else ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What would be an obstacle on a cluster."""
        found = []
        if self.root.text("immutable") == "true":
            found.append("the ConfigMap is immutable: a cluster will refuse the edited manifest for an existing one")
        if self.root.get("binaryData") is not None:
            found.append("the ConfigMap has binaryData, which is left as it is; KServe does not read it")
        return tuple(found)
