"""One manifest text: the ConfigMaps in it, and edits of their keys as edits of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ksconfig.errors import Ambiguous, Conflict, InvalidDocument, KsconfigError, Refused, UnsupportedEdit
from ksconfig.model.plan import FieldEdit, ObjectRef
from ksconfig.text.json_write import write_string
from ksconfig.text.proof import prove_yaml
from ksconfig.text.spans import Edit, Origin, apply_edits, position_of
from ksconfig.text.templates import holds_template, template_fault
from ksconfig.text.yaml_documents import Document, kind_of, split_documents
from ksconfig.text.yaml_scalar import ScalarMap
from ksconfig.text.yaml_tree import STRING_TAG, YamlMapping, YamlNode, YamlScalar, YamlSequence, read_document

# Letters that no YAML reader takes for a number, a boolean or null.
_PLAIN_KEY = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z0-9_-]*", re.IGNORECASE)
_WORTH_READING = 300_000
CONFIG_NAME = "inferenceservice-config"


class ManifestConfig:
    """A ConfigMap inside a manifest text (see `ksconfig.source.port.Config`)."""

    def __init__(self, text: str, label: str, document: Document, root: YamlMapping, tree: YamlNode) -> None:
        self.document = document
        self.tree = tree
        self.root = root
        self._text = text
        self._label = label
        self._maps: dict[str, ScalarMap] = {}
        self._check_mapping(root, "the object", ("kind", "metadata", "data"))
        self._check_mapping(root.get("metadata"), "metadata", ("name", "namespace"))
        self._check_mapping(root.get("data"), "data", ())  # a key of it is looked at when it is read
        self.ref = ObjectRef("ConfigMap", root.text("metadata", "namespace"), CONFIG_NAME)
        data = root.get("data")
        self.data = data if isinstance(data, YamlMapping) else None
        self.keys = tuple(dict.fromkeys(key.value for key, _ in self.data.items())) if self.data else ()

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self._label}:{position_of(self._text, self.root.start).line}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What would be an obstacle on a cluster."""
        found = []
        if self.root.text("immutable") == "true":
            found.append("the ConfigMap is immutable: a cluster will refuse the edited manifest for an existing one")
        if self.root.get("binaryData") is not None:
            found.append("the ConfigMap has binaryData, which is left as it is; KServe does not read it")
        return tuple(found)

    def text(self, key: str) -> str:
        """The decoded text of a key."""
        return self.scalar_map(key).text

    def origin(self, key: str) -> Origin:
        """Where the text of a key stands in the file."""
        return Origin(self._text, f"{self._label}, key {key}", self.scalar_map(key).to_source)

    def scalar_map(self, key: str) -> ScalarMap:
        """The map between the text of a key and the file.

        Raises:
            Ambiguous: the key stands there twice.
            Refused: its text is another key's too, through an alias.
            InvalidDocument: its value is no string.
        """
        if key not in self._maps:
            self._maps[key] = self._read(key)
        return self._maps[key]

    def _read(self, key: str) -> ScalarMap:
        data = self.data
        if data is None:
            raise KeyError(key)
        self._refuse_twice(data, key, "data")
        value = data.get(key)
        if value is None:
            raise KeyError(key)
        if data.shared or value.shared or self.root.shared:
            raise Refused(
                f"{self._at(value)}: the text of {key} is that of another place too, through a YAML alias; "
                "one cannot be edited without the other",
                advice="Write the text out in both places first.",
            )
        if not isinstance(value, YamlScalar):
            kind = "mapping" if isinstance(value, YamlMapping) else "sequence"
            raise self._no_text(key, value, f"a YAML {kind}")
        if value.tag != STRING_TAG:
            raise self._no_text(key, value, f"{value.value or 'null'} ({value.tag.rpartition(':')[2]})")
        return ScalarMap(self._text, value, data.column, data.flow, f"{self._label}, key {key}")

    def _no_text(self, key: str, value: YamlNode, what: str) -> InvalidDocument:
        place = position_of(self._text, value.start)
        return InvalidDocument(
            f"{key} is {what}, but the values of a ConfigMap are texts",
            line=place.line,
            column=place.column,
            label=self._label,
            advice=f'Begin the value with "{key}: |-" and indent the JSON below it.',
        )

    def _check_mapping(self, mapping: YamlNode | None, where: str, once: tuple[str, ...]) -> None:
        """Refuse what makes it unsure which object this is, and which keys it has."""
        if not isinstance(mapping, YamlMapping):
            return
        for key in once:
            self._refuse_twice(mapping, key, where)
        for node, _ in mapping.items():
            if node.value == "<<" and node.style == "plain":
                raise Refused(
                    f"{self._at(node)}: {where} takes entries from elsewhere through a YAML merge (<<)",
                    advice="Write the entries out first.",
                )

    def _refuse_twice(self, mapping: YamlMapping, key: str, where: str) -> None:
        same = [node for node, _ in mapping.items() if node.value == key]
        if len(same) > 1:
            places = [self._at(node) for node in same]
            raise Ambiguous(
                f"{where} holds the key {key} more than once: {' and '.join(places)}",
                advice="Remove all but one by hand, then try again.",
            )

    def _at(self, node: YamlNode) -> str:
        return f"{self._label}, {position_of(self._text, node.start)}"


class ManifestText:
    """A manifest text and the configs in it."""

    def __init__(self, text: str, label: str) -> None:
        """Read the documents that may hold a config; the others are not looked at.

        Raises:
            InvalidDocument: one of those is not YAML, or a template.
        """
        self.text = text
        self.label = label
        self.configs = tuple(_configs(text, label))

    def check_readable(self) -> None:
        """Read all of a text in which no config was found, unless it is so large that the answer would take long.

        Raises:
            InvalidDocument: it is not YAML, or a template.
        """
        for document in split_documents(self.text) if len(self.text) < _WORTH_READING else ():
            _read(document, self.label)

    def prepare(self, edits: Mapping[str, FieldEdit], config: ManifestConfig) -> tuple[Edit, ...]:
        """Edits of a config's keys as edits of the text.

        Args:
            edits: by key of ``data``.

        Raises:
            UnsupportedEdit: a scalar's style cannot hold its edit.
            InternalError: the result does not read back as planned.
        """
        result: list[Edit] = []
        replaced: dict[int, str] = {}
        added: dict[int, dict[str, str]] = {}
        for key, edit in edits.items():
            if edit.before != (config.text(key) if key in config.keys else None):
                raise Conflict(
                    f"the text of {key} is no longer that which the change was computed from",
                    advice="Nothing of it was taken. Plan again from what is there now.",
                )
            if edit.before is None:
                if config.data is None:
                    raise UnsupportedEdit("the ConfigMap has no data to put a new key in")
                text = apply_edits("", edit.edits)
                result.append(_new_key(self.text, config, config.data, key, text))
                added[config.data.start] = {**added.get(config.data.start, {}), key: text}
                continue
            scalar = config.data.get(key) if config.data else None
            if scalar is None:
                raise KeyError(key)
            result += config.scalar_map(key).to_source_edits(edit.edits)
            replaced[scalar.start] = apply_edits(edit.before, edit.edits)
        after = apply_edits(self.text, result)
        self._prove(config, after, replaced, added)
        return tuple(result)

    def _prove(
        self, config: ManifestConfig, after: str, replaced: dict[int, str], added: dict[int, dict[str, str]]
    ) -> None:
        document = config.document
        end = document.end + len(after) - len(self.text)
        prove_yaml(config.tree, read_document(Document(after, document.start, end), self.label), replaced, added)


def _configs(text: str, label: str) -> Iterator[ManifestConfig]:
    for document in split_documents(text):
        if text.find(CONFIG_NAME, document.start, document.end) < 0:
            continue
        kind = kind_of(document)
        if kind not in (None, "", "ConfigMap", "ConfigMapList", "List"):
            continue
        tree = _read(document, label)
        for root in _objects(tree):
            if root.text("kind") == "ConfigMap" and root.text("metadata", "name") == CONFIG_NAME and tree is not None:
                yield ManifestConfig(text, label, document, root, tree)


def _read(document: Document, label: str) -> YamlNode | None:
    try:
        return read_document(document, label)
    except InvalidDocument as error:
        if not holds_template(*document):
            raise
        raise template_fault(error, "this is a template (Helm or Jinja), not YAML yet") from None


def _objects(tree: YamlNode | None) -> Iterator[YamlMapping]:
    """The objects of a document; those inside a List one by one."""
    if isinstance(tree, YamlMapping):
        items = tree.get("items")
        if isinstance(items, YamlSequence):
            for item in items.items:
                yield from _objects(item)
        else:
            yield tree


def _new_key(text: str, config: ManifestConfig, data: YamlMapping, key: str, value: str) -> Edit:
    """A new entry of ``data``, set out like the others: at its place if the keys are in order, else at the end."""
    if not data.flow and data.entries:
        names = [node.value for node, _ in data.items()]
        smaller = [name for name in names if name < key] if names == sorted(names) else names
        place = _line_after(text, config, data, smaller[-1]) if smaller else None
        if place is None:
            place = _first_line(text, data)
        newline = "\r\n" if "\r\n" in text[: data.start] else "\n"
        indent = " " * data.column
        body = newline.join(f"{indent}  {row}" if row else "" for row in value.split("\n"))
        before = newline if place and text[place - 1] != "\n" else ""
        name = key if _PLAIN_KEY.fullmatch(key) else write_string(key)
        return Edit(place, place, f"{before}{indent}{name}: |-{newline}{body}{newline}")
    opening = text.find("{", data.start, data.end)
    if opening < 0:
        raise UnsupportedEdit("data is laid out in a way that a new key cannot be put into")
    comma = ", " if data.entries else ""
    return Edit(opening + 1, opening + 1, f"{write_string(key)}: {write_string(value)}{comma}")


def _line_after(text: str, config: ManifestConfig, data: YamlMapping, key: str) -> int | None:
    """The start of the line below an entry; None where a line there would change the entry's own text."""
    value = data.get(key)
    try:
        scalar = config.scalar_map(key)
    except KsconfigError:
        return None
    block = scalar.style in ("literal", "folded")
    feed = text.find("\n", scalar.end if block or value is None else value.end)
    if feed >= 0:
        kept = block and scalar.text.endswith("\n\n")  # the blank lines below belong to the text
        return None if kept else feed + 1
    return None if block and "-" not in text[scalar.header : scalar.start] else len(text)


def _first_line(text: str, data: YamlMapping) -> int:
    """The start of the first entry's line, or of the comments that stand above it."""
    line = text.rfind("\n", 0, data.start) + 1
    while line:
        above = text.rfind("\n", 0, line - 1) + 1
        if not text[above:line].lstrip().startswith("#"):
            break
        line = above
    return line
