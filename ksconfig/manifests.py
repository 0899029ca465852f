"""The library's face for files: `load` and `loads` give `Manifests`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ksconfig import operations
from ksconfig.errors import UsageError
from ksconfig.model.frameworks import Within
from ksconfig.model.plan import Change, Notice, Plan
from ksconfig.operations import Image, Scope
from ksconfig.operations.images import Pinning
from ksconfig.source.files import FileSource, ManifestFile, read_paths
from ksconfig.text.diff import unified_diff
from ksconfig.text.json_path import Step

if TYPE_CHECKING:
    from ksconfig.operations.doctor import Finding


class Manifests:
    """Manifests in memory: edited by the methods here, written by `save`.

    Every edit is proven before it is taken; a method that raises leaves all as it was.
    """

    def __init__(self, source: FileSource, *, namespace: str | None = None, kserve_version: str | None = None) -> None:
        self._source = source
        self._plans: list[Plan] = []
        self._namespace = namespace
        self._version = kserve_version

    def scope(self, allow: Collection[str] = ()) -> Scope:
        """Namespace, release and overrides, as the operations take them."""
        return Scope(self._namespace, self._version, (allow,) if isinstance(allow, str) else tuple(allow))

    # Reading

    def images(self) -> tuple[Image, ...]:
        """Every image of the config, the runtimes and the storage containers, by target name."""
        return operations.list_images(self._source, self.scope())[0]

    def get(self, path: str | Sequence[Step]) -> Any:
        """The JSON value at a path, as Python data.

        Raises:
            PathNotFound: nothing is there (`KsconfigError` otherwise, as `plan_set`).
        """
        return operations.get_value(self._source, path, self.scope()).value

    def doctor(self) -> tuple[Finding, ...]:
        """What is wrong with the config and the runtimes as they stand, what breaks something first."""
        from ksconfig.operations.doctor import diagnose  # what only this needs is loaded only here

        return diagnose(self._source, self.scope()).findings

    # Planning: nothing changes

    def plan_set(
        self,
        path: str | Sequence[Step],
        value: Any,
        *,
        allow_type_change: bool = False,
        allow: Collection[str] = (),
    ) -> Plan:
        """What `set` would do."""
        return operations.plan_set(self._source, path, value, self.scope(allow), allow_type_change=allow_type_change)

    def plan_unset(self, path: str | Sequence[Step]) -> Plan:
        """What `unset` would do."""
        return operations.plan_unset(self._source, path, self.scope())

    def plan_set_image(
        self,
        images: Mapping[str, str],
        *,
        gpu_version: str | Sequence[str] = (),
        within: Within = None,
        allow: Collection[str] = (),
        pin: Pinning = None,
    ) -> Plan:
        """What `set_image` would do; ``pin`` gives the digest of an image, which is written then."""
        versions = (gpu_version,) if isinstance(gpu_version, str) else tuple(gpu_version)
        return operations.plan_set_image(
            self._source, images, self.scope(allow), gpu_version=versions, within=within, pin=pin
        )

    def apply(self, plan: Plan) -> None:
        """Take a plan into the text in memory. It must have been made from the text as it is now."""
        if plan.edits:
            self._source.write(plan.edits)
        self._plans.append(plan)

    # Editing

    def set(
        self,
        path: str | Sequence[Step],
        value: Any,
        *,
        allow_type_change: bool = False,
        allow: Collection[str] = (),
    ) -> Change:
        """Set one JSON value; a Python value means the JSON value of its type.

        Args:
            path: ``key.field[0]``, a JSON Pointer, or a tuple of names and indexes.
            allow: ``"new-key"`` to add a key to the ConfigMap.

        Returns:
            The change; ``changed`` is False if the value was there already.

        Raises:
            Refused: the JSON type would change without ``allow_type_change``, or the controller could not start.
            KsconfigError: the path is ambiguous, or the text broken.
        """
        plan = self.plan_set(path, value, allow_type_change=allow_type_change, allow=allow)
        self.apply(plan)
        return plan.asked[0]

    def unset(self, path: str | Sequence[Step]) -> Change:
        """Remove one JSON value; ``changed`` is False if it was not there."""
        plan = self.plan_unset(path)
        self.apply(plan)
        return plan.asked[0]

    def set_image(
        self,
        target: str | Mapping[str, str],
        image: str | None = None,
        *,
        gpu_version: str | Sequence[str] = (),
        within: Within = None,
        allow: Collection[str] = (),
    ) -> tuple[Change, ...]:
        """Give one target, or several in a mapping, a new image.

        Args:
            gpu_version: the tag for services with a GPU; ``TARGET=TAG`` where several targets have one.
            within: "config" or "runtimes" to change a framework only there; None for all that decides its image.

        Returns:
            The values that changed; empty if all were there already.

        Raises:
            KsconfigError: as `ksconfig.operations.plan_set_image`.
        """
        if isinstance(target, str) == (image is None):
            raise UsageError("set_image takes a target and an image, or one mapping from target to image")
        images = {target: image or ""} if isinstance(target, str) else target
        plan = self.plan_set_image(images, gpu_version=gpu_version, within=within, allow=allow)
        self.apply(plan)
        return plan.changes

    # Results

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The warnings of all edits so far."""
        return tuple(dict.fromkeys(notice for plan in self._plans for notice in plan.notices))

    @property
    def files(self) -> Mapping[str, str]:
        """The present text of each file, by its path as given."""
        return {file.label: file.text for file in self._source.files}

    @property
    def text(self) -> str:
        """The present text, of a single file."""
        return self._single().text

    def to_bytes(self) -> bytes:
        """The present bytes, of a single file: byte order mark and line ends as they were."""
        return self._single().to_bytes()

    def _single(self) -> ManifestFile:
        if len(self._source.files) != 1:
            raise UsageError(
                f"{len(self._source.files)} files were loaded", advice="Use files, which has one text for each."
            )
        return self._source.files[0]

    def diff(self) -> str:
        """All changes since loading or saving, as a unified diff."""
        return unified_diff(file.patch for file in self._source.files)

    def save(self) -> tuple[Path, ...]:
        """Write the changed files, each at one stroke; all are checked before the first is written.

        Returns:
            The paths that were written.

        Raises:
            Conflict: a file was changed by somebody else meanwhile.
            FileFailure: a file cannot be written; it is as it was.
        """
        return self._source.save()


def load(
    path: str | Path | Sequence[str | Path], *, namespace: str | None = None, kserve_version: str | None = None
) -> Manifests:
    """Load a manifest file, the manifests below a directory, or several of these that belong together.

    Args:
        path: a file; or a directory, of which every ``*.yaml``, ``*.yml`` and ``*.json`` that may hold anything of
            KServe's is taken (recursive, without hidden folders and links that lead out).
        namespace: of the config, if there are several.
        kserve_version: the release ("0.7"), told from the config if not given.

    Files are read at once and parsed when first asked for, so a text that is not YAML is an `InvalidDocument` then.

    Raises:
        UsageError: a path is empty.
        FileFailure: a file cannot be read, or is not UTF-8.
        Refused: a file is a template of a Helm chart.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    source = FileSource(read_paths(paths))
    return Manifests(source, namespace=namespace, kserve_version=kserve_version)


def loads(
    text: str | bytes, *, namespace: str | None = None, kserve_version: str | None = None, label: str = "<text>"
) -> Manifests:
    """Load a manifest from a text; ``label`` is its name in messages."""
    if isinstance(text, str):
        try:
            text = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UsageError(
                f"the text holds a lone surrogate at offset {error.start}, which UTF-8 cannot hold"
            ) from None
    source = FileSource([ManifestFile(text, None, label)])
    return Manifests(source, namespace=namespace, kserve_version=kserve_version)
