"""One manifest text: the objects in it, and edits of their fields as edits of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ksconfig.errors import Conflict, InvalidDocument, KsconfigError
from ksconfig.model.detect import Evidence
from ksconfig.model.plan import FieldEdit
from ksconfig.source.manifest_objects import CONFIG_NAME, ManifestConfig, ManifestObject
from ksconfig.source.new_keys import new_key
from ksconfig.text.spans import Edit, Lines, apply_edits
from ksconfig.text.templates import needs_rendering, template_fault
from ksconfig.text.yaml_documents import Document, kind_of, split_documents
from ksconfig.text.yaml_proof import prove_yaml
from ksconfig.text.yaml_tree import YamlMapping, YamlNode, YamlSequence, read_document, refuse_odd_breaks

_WORTH_READING = 300_000
_CONTROLLERS = ("kserve-controller-manager", "kfserving-controller-manager")
_WORKLOADS = ("Deployment", "StatefulSet")
_CRD = "CustomResourceDefinition"
_GROUP = "serving.kserve.io"
_GROUPS = (_GROUP, "serving.kubeflow.org")
_NESTED_KIND = re.compile(
    r"""\bkind["']?\s*:\s*["']?(Deployment|StatefulSet|(?:Cluster)?ServingRuntime|ClusterStorageContainer)\b"""
)


class ManifestText:
    """A manifest text and the objects in it; a document is read when an object of its kind is asked for."""

    def __init__(self, text: str, label: str) -> None:
        self.text = text
        self.label = label
        self._lines = Lines(text)
        self._documents = [(document, kind_of(document)) for document in split_documents(text)]
        self._trees: dict[int, YamlNode | KsconfigError | None] = {}
        self._objects: dict[str, tuple[ManifestObject, ...]] = {}

    @property
    def configs(self) -> tuple[ManifestConfig, ...]:
        """The ConfigMaps ``inferenceservice-config``.

        Raises:
            InvalidDocument: a document that may hold one is not YAML, or a template.
        """
        return tuple(one for one in self.objects("ConfigMap") if isinstance(one, ManifestConfig))

    def objects(self, kind: str) -> tuple[ManifestObject, ...]:
        """The objects of a kind, in the order of the text; of ConfigMaps only the config (errors as in `configs`)."""
        if kind not in self._objects:
            self._objects[kind] = tuple(self._find(kind))
        return self._objects[kind]

    def _find(self, kind: str) -> Iterator[ManifestObject]:
        for document, stated in self._documents:
            if not _may_hold(document, stated, kind):
                continue
            for root in _roots(self._tree(document)):
                if root.text("kind") != kind:
                    continue
                if kind != "ConfigMap":
                    group = (root.text("apiVersion") or _GROUP).partition("/")[0]
                    if group not in _GROUPS:
                        continue  # a namesake of somebody else's
                    yield ManifestObject(self._lines, self.label, document, root)
                elif root.text("metadata", "name") == CONFIG_NAME:
                    yield ManifestConfig(self._lines, self.label, document, root)

    def _tree(self, document: Document) -> YamlNode | None:
        """The tree of a document, read once, even if it cannot be: that takes as long."""
        if document.start not in self._trees:
            try:
                self._trees[document.start] = _read(document, self.label)
            except KsconfigError as error:
                self._trees[document.start] = error
        tree = self._trees[document.start]
        if isinstance(tree, KsconfigError):
            tree.not_done = None  # whoever asks again could not do something else
            raise tree.with_traceback(None)
        return tree

    def evidence(self) -> Evidence:
        """What tells the release: without reading more than the manifest of the controller."""
        crds: set[str] = set()
        kinds = set()
        images = []
        for document, kind in self._documents:
            if kind:
                kinds.add(kind)
            if kind == _CRD:
                crds |= _crd_names(document)
                continue
            nested = kind in (None, "", "List")
            if nested:
                kinds |= set(_NESTED_KIND.findall(*document))
            named = any(self.text.find(name, document.start, document.end) >= 0 for name in _CONTROLLERS)
            if named and (kind in _WORKLOADS or (nested and kinds & set(_WORKLOADS))):
                images += _manager_images(self._tree(document))
        return Evidence(tuple(images), frozenset(crds), frozenset(kinds))

    def check_readable(self) -> None:
        """Read all of a text in which nothing was found, unless it is so large that the answer would take long.

        Raises:
            InvalidDocument: it is not YAML, or a template, or its lines end as only some readers take it.
        """
        refuse_odd_breaks(Document(self.text, 0, len(self.text)), self.label)
        for document, _ in self._documents if len(self.text) < _WORTH_READING else ():
            self._tree(document)

    def prepare(self, edits: Sequence[tuple[ManifestObject, FieldEdit]]) -> tuple[Edit, ...]:
        """Edits of fields as edits of the text.

        Raises:
            Conflict: a field is not what its edit was computed from.
            UnsupportedEdit: a scalar's style cannot hold its edit.
            InternalError: the result does not read back as planned.
        """
        made: dict[int, list[Edit]] = {}
        replaced: dict[int, str] = {}
        added: dict[int, dict[str, str]] = {}
        for target, edit in edits:
            if edit.before != _present(target, edit):
                raise Conflict(
                    f"the text of {edit.field[-1]} is no longer that which the change was computed from",
                    advice="Nothing of it was taken. Plan again from what is there now.",
                )
            mine = made.setdefault(target.document.start, [])
            if edit.before is None and isinstance(target, ManifestConfig):
                key, text = str(edit.field[1]), apply_edits("", edit.edits)
                mine.append(new_key(self.text, target, key, text))
                start = target.entries.start if target.entries else 0
                added[start] = {**added.get(start, {}), key: text}
                continue
            mine += target.scalar_map(edit.field).to_source_edits(edit.edits)
            replaced[target.scalar(edit.field).start] = apply_edits(edit.before or "", edit.edits)
        self._prove(made, replaced, added)
        return tuple(edit for mine in made.values() for edit in mine)

    def _prove(
        self, made: Mapping[int, Sequence[Edit]], replaced: Mapping[int, str], added: Mapping[int, dict[str, str]]
    ) -> None:
        """Read every edited document again, and find in it what was planned and nothing else."""
        after = apply_edits(self.text, [edit for mine in made.values() for edit in mine])
        shift = 0
        for document, _ in self._documents:
            mine = made.get(document.start)
            tree = self._tree(document) if mine else None
            if mine and tree is not None:
                start, shift = document.start + shift, shift + _growth(mine)
                edited = Document(after, start, document.end + shift)
                prove_yaml(tree, read_document(edited, self.label), replaced, added)


def _growth(edits: Sequence[Edit]) -> int:
    return sum(len(edit.text) - (edit.end - edit.start) for edit in edits)


def _present(target: ManifestObject, edit: FieldEdit) -> str | None:
    try:
        return target.text(edit.field)
    except KeyError:
        return None


def _may_hold(document: Document, stated: str | None, kind: str) -> bool:
    """Whether a document is worth reading for an object of a kind; reading is slow."""
    text, start, end = document
    if kind == "ConfigMap" and text.find(CONFIG_NAME, start, end) < 0:
        return False
    if stated == kind:
        return True
    if stated not in (None, "", "List", f"{kind}List") or text.find(kind, start, end) < 0:
        return False
    return re.compile(rf"""\bkind["']?\s*:\s*["']?{kind}(?:List)?\b""").search(text, start, end) is not None


def _read(document: Document, label: str) -> YamlNode | None:
    try:
        return read_document(document, label)
    except InvalidDocument as error:
        if not needs_rendering(*document):
            raise
        raise template_fault(error, f"this is a template (Helm or Jinja), not YAML yet: {error.reason}") from None


def _roots(tree: YamlNode | None) -> Iterator[YamlMapping]:
    """The objects of a document; those inside a List one by one, each once."""
    pending = [tree]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if not isinstance(node, YamlMapping) or id(node) in seen:
            continue
        seen.add(id(node))
        items = node.get("items")
        if isinstance(items, YamlSequence):
            pending += reversed(items.items)
        else:
            yield node


def _crd_names(document: Document) -> set[str]:
    """The name of a definition, found as controller-gen writes it; definitions are too large to be read."""
    text, start, end = document
    line = text.find("\n  name: ", start, end)
    if line < 0:
        return set()
    name = text[line + 9 : text.find("\n", line + 1)].strip().strip("\"'")
    if not name.endswith((".serving.kserve.io", ".serving.kubeflow.org")):
        return set()
    field = "servingruntimes/priority"
    has_field = name.startswith("servingruntimes.") and text.find(" priority:", start, end) >= 0
    return {name, field} if has_field else {name}


def _manager_images(tree: YamlNode | None) -> list[str]:
    """The images of the containers ``manager`` of a workload."""
    found = []
    for root in _roots(tree):
        containers = root.get("spec", "template", "spec", "containers")
        for container in containers.items if isinstance(containers, YamlSequence) else ():
            image = container.text("image") if isinstance(container, YamlMapping) else None
            if image and isinstance(container, YamlMapping) and container.text("name") == "manager":
                found.append(image)
    return found
