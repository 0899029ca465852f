"""Manifest files: read once, edited in memory, saved whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from os.path import isdir
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ksconfig.errors import Conflict, FileFailure, UsageError
from ksconfig.model.detect import Evidence
from ksconfig.model.plan import FieldEdit, ObjectRef
from ksconfig.model.services.service import KIND as SERVICE_KIND
from ksconfig.source.directories import (
    is_values_file,
    manifest_paths,
    real_path,
    refuse_chart,
    refuse_chart_template,
    refuse_generator,
    refuse_values_file,
    worth_reading,
)
from ksconfig.source.manifest_objects import ManifestConfig, ManifestObject
from ksconfig.source.manifest_text import ManifestText
from ksconfig.source.saving import encoded, save_all
from ksconfig.source.selectors import selector
from ksconfig.text.diff import TextPatch
from ksconfig.text.spans import Edit, EditedText

if TYPE_CHECKING:
    from ksconfig.model.services.workload import Workload

#: More than any manifest, less than what would fill the memory of a small machine.
LARGEST = 512 * 1024 * 1024


class ManifestFile:
    """One manifest: a file, or a text that stands for one.

    Attributes:
        path: None for a text that came from elsewhere (standard input).
        label: what it is called in messages and diffs.
        root: the directory that was named, if it was found below one.
    """

    def __init__(self, data: bytes, path: Path | None, label: str, root: Path | None = None) -> None:
        self.path = path
        self.root = root
        self.label = label
        self._manifest: ManifestText | None = None
        try:
            self._edited = EditedText(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise FileFailure(
                f"{label} was not read: byte {error.start + 1} is 0x{data[error.start]:02X}, which is not UTF-8",
                path=label,
                advice="Convert it to UTF-8 first.",
            ) from None

    @property
    def text(self) -> str:
        """The present text."""
        return self._edited.text

    @property
    def patch(self) -> TextPatch:
        """All edits since the file was read or saved."""
        return TextPatch(self.label, self._edited.original, self._edited.edits())

    @property
    def manifest(self) -> ManifestText:
        """The present text, read (once, and only when asked for)."""
        if self._manifest is None:
            self._manifest = ManifestText(self.text, self.label)
        return self._manifest

    def to_bytes(self) -> bytes:
        """The present text."""
        return self.text.encode("utf-8")

    def is_unchanged(self, stream: BinaryIO) -> bool:
        """Whether a stream still holds what was read or saved."""
        return all(stream.read(len(part)) == part for part in encoded(self._edited.original)) and not stream.read(1)

    def edit(self, edits: Sequence[Edit]) -> None:
        """Take edits of the present text, of which it is known that the result reads."""
        self._edited.edit(edits)
        self._manifest = None

    def saved(self) -> None:
        """The present text is what the file now holds."""
        self._edited = EditedText(self.text)


def read_paths(paths: Iterable[str | Path]) -> tuple[ManifestFile, ...]:
    """Read files and directories, each file once even if several paths lead to it.

    Raises:
        UsageError: a path is empty.
        FileFailure, Refused: as in `read_path`.
    """
    files: dict[Path, ManifestFile] = {}
    for given in paths:
        if not str(given):  # to pathlib that is the working directory
            raise UsageError("the path of a manifest is empty", advice="Is it from a variable that is not set?")
        path = Path(given)
        for file in read_path(path):
            files.setdefault(real_path(file.path or path), file)
    return tuple(files.values())


def read_path(path: Path) -> tuple[ManifestFile, ...]:
    """Read a manifest file, or those below a directory that may hold anything of KServe's.

    Raises:
        FileFailure: something cannot be read, or a directory holds no manifest at all.
        Refused: a file is a template of a Helm chart, or a values file.
    """
    if not isdir(path):
        return (read_file(path),)
    files, count = [], 0
    for found in manifest_paths(path):
        count += 1
        data = _read_bytes(found)
        if worth_reading(data):
            refuse_chart_template(found, data)
            file = ManifestFile(data, found, str(found), path)
            if not is_values_file(found, file.text):
                files.append(file)
    if not count:
        raise FileFailure(
            f"{path} is a directory that holds no *.yaml, *.yml or *.json",
            path=str(path),
            advice="Name a manifest, or another directory.",
        )
    if not files:
        refuse_chart(path)
    return tuple(files)


def read_file(path: Path) -> ManifestFile:
    """Read a manifest file.

    Raises:
        FileFailure: it cannot be read, is a directory, too large, or not UTF-8.
        Refused: it is a template of a Helm chart, or a values file.
    """
    data = _read_bytes(path)
    refuse_chart_template(path, data)
    file = ManifestFile(data, path, str(path))
    refuse_values_file(path, file.text)
    return file


def read_bounded(file: BinaryIO, label: str) -> bytes:
    """All that a file holds.

    Raises:
        FileFailure: it is more than `LARGEST`.
    """
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise FileFailure(f"{label} is larger than {LARGEST >> 20} MiB", path=label)
    return data


def _read_bytes(path: Path) -> bytes:
    label = str(path)
    try:
        with path.open("rb") as file:
            data = read_bounded(file, label)
    except IsADirectoryError:
        raise FileFailure(f"{label} is a directory", path=label, advice="Name a file in it.") from None
    except FileFailure:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise FileFailure(f"{label} cannot be read: {reason}", path=label, advice="Check the path.") from None
    return data


class FileSource:
    """A set of manifests as a source (see `ksconfig.source.port.Source`)."""

    elsewhere = "Name the manifest that holds it with -f."
    submitted = True

    def __init__(self, files: Sequence[ManifestFile]) -> None:
        self.files = tuple(files)
        self._prepared: tuple[Sequence[FieldEdit], list[tuple[ManifestFile, TextPatch]]] = ((), [])

    def configs(self) -> tuple[ManifestConfig, ...]:
        """Every config, in the order of the files."""
        found = [(file, config) for file in self.files for config in file.manifest.configs]
        for file, config in found:
            config.selector = selector(self.files, file, config, found) if len(found) > 1 else None
        return tuple(config for _, config in found)

    def objects(self, kind: str) -> tuple[ManifestObject, ...]:
        """Every object of a kind, in the order of the files."""
        found = [(file, one) for file in self.files for one in file.manifest.objects(kind)]
        groups: dict[ObjectRef, list[tuple[ManifestFile, ManifestObject]]] = {}
        for file, one in found:
            groups.setdefault(one.ref, []).append((file, one))
        for rivals in groups.values():
            for file, one in rivals:
                one.selector = selector(self.files, file, one, rivals) if len(rivals) > 1 else None
        return tuple(one for _, one in found)

    def services(self, namespaces: Sequence[str] = ()) -> Iterator[Mapping[str, Any]]:
        """Every InferenceService, in the order of the files."""
        for file in self.files:
            for one in file.manifest.objects(SERVICE_KIND):
                if not namespaces or one.ref.namespace in namespaces:
                    yield one.data

    def keep(self, service: Mapping[str, Any]) -> None:
        """Nothing to keep: services in files are not edited."""

    def workloads(self, services: Collection[tuple[str, str]] | None) -> Iterator[Workload]:
        """None: nothing runs in files."""
        return iter(())

    def graphs(self) -> Iterator[str]:
        """Every InferenceGraph, as NAMESPACE/NAME."""
        for file in self.files:
            for one in file.manifest.objects("InferenceGraph"):
                yield f"{one.ref.namespace or ''}/{one.ref.name}".lstrip("/")

    def evidence(self) -> Evidence:
        """What tells the release, of all files together."""
        parts = [file.manifest.evidence() for file in self.files]
        return Evidence(
            tuple(image for part in parts for image in part.controllers),
            frozenset(name for part in parts for name in part.crds),
            frozenset(kind for part in parts for kind in part.kinds),
        )

    def explain_absence(self) -> None:
        """Say why nothing was found: a file is not YAML at all, or a Helm chart.

        Raises:
            InvalidDocument, Refused: so it is.
        """
        for file in self.files:
            file.manifest.check_readable()
            if file.path is not None:
                refuse_generator(file.path, file.text)
        for root in dict.fromkeys(file.root for file in self.files):
            if root is not None:
                refuse_chart(root)

    def prepare(self, edits: Sequence[FieldEdit]) -> tuple[TextPatch, ...]:
        """The edits as edits of the files, proven."""
        return tuple(patch for _, patch in self._prepare(edits))

    def write(self, edits: Sequence[FieldEdit]) -> None:
        """Make the edits in memory; `save` writes them."""
        for file, patch in self._prepare(edits):
            file.edit(patch.edits)
        self._prepared = ((), [])

    def _prepare(self, edits: Sequence[FieldEdit]) -> list[tuple[ManifestFile, TextPatch]]:
        if self._prepared[0] is edits:
            return self._prepared[1]
        result = []
        kinds = {edit.object.kind for edit in edits}
        left = {edit.object for edit in edits}
        for file in self.files:
            targets: dict[ObjectRef, ManifestObject] = {}
            for kind in kinds:
                targets |= {one.ref: one for one in file.manifest.objects(kind) if one.ref in left}
            mine = [(targets[edit.object], edit) for edit in edits if edit.object in targets]
            left -= targets.keys()
            if mine:
                result.append((file, TextPatch(file.label, file.text, file.manifest.prepare(mine))))
        if left:
            raise Conflict(f"{next(iter(left))} is not in these files", advice="Plan again from what is there now.")
        self._prepared = (edits, result)
        return result

    def save(self) -> tuple[Path, ...]:
        """Write every changed file (errors as in `save_all`); the paths that were written."""
        changed = [file for file in self.files if file.path is not None and file.patch.edits]
        if changed:
            save_all(changed)
        return tuple(file.path for file in changed if file.path is not None)
