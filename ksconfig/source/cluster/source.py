"""A cluster as a source (see `ksconfig.source.port.Source`), and the writes to its objects."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from ksconfig.errors import ClusterFailure, Conflict, RightMissing
from ksconfig.model.detect import Evidence, controller_releases
from ksconfig.model.objects import WHOLE
from ksconfig.model.owners import FIELD_MANAGER
from ksconfig.model.plan import Field, FieldEdit, ObjectRef
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND
from ksconfig.model.services.service import KIND as SERVICE_KIND
from ksconfig.model.services.workload import Workload
from ksconfig.source.cluster.client import JSON_PATCH, Client, is_transient, namespaced, part
from ksconfig.source.cluster.finder import CONFIG, Found
from ksconfig.source.cluster.objects import ClusterConfig, ClusterObject
from ksconfig.source.cluster.patches import json_patch
from ksconfig.source.cluster.patience import Patience
from ksconfig.source.cluster.services import GROUP, OLD_GROUP, ClusterServices
from ksconfig.text.diff import TextPatch
from ksconfig.text.json_path import format_path
from ksconfig.text.spans import Edit

#: The resource of each kind that KServe has beside its config.
RESOURCES = {
    CLUSTER_KIND: "clusterservingruntimes",
    NAMESPACED_KIND: "servingruntimes",
    STORAGE_KIND: "clusterstoragecontainers",
}
#: What is written first: runtimes, then storage containers, then the config, then services.
_ORDER = (NAMESPACED_KIND, CLUSTER_KIND, STORAGE_KIND, "ConfigMap", SERVICE_KIND)


class ClusterSource:
    """The objects of one KServe in one cluster; each is read once, until `refresh`."""

    elsewhere = "Name the config's namespace with -n, or another cluster with --context."
    submitted = False

    def __init__(self, client: Client, found: Found, patience: Patience) -> None:
        self.client = client
        self.found = found
        self.patience = patience
        self._config: ClusterConfig | None = None
        self._objects: dict[str, tuple[ClusterObject, ...]] = {}
        self._services: dict[ObjectRef, ClusterObject | None] = {}
        kserve = found.controller is None or found.controller.name.startswith("kserve")
        self.running = ClusterServices(client, GROUP if kserve else OLD_GROUP, patience)

    @property
    def config_path(self) -> str:
        """Where the config is."""
        return namespaced("/api/v1", "configmaps", self.found.namespace, CONFIG)

    def refresh(self) -> None:
        """Forget what was read."""
        self._config = None
        self._objects = {}
        self._services = {}

    # Reading

    def configs(self) -> tuple[ClusterConfig, ...]:
        """The config; none if it is not there."""
        if self._config is None:
            found = self.patience.call(lambda: self.client.find(self.config_path))
            if found is None:
                return ()
            self._config = ClusterConfig(found, self.config_path)
        return (self._config,)

    def objects(self, kind: str) -> tuple[ClusterObject, ...]:
        """Every object of a kind; none where the release has no such kind."""
        if kind not in self._objects:
            self._objects[kind] = self.patience.call(lambda: self._list(kind))
        return self._objects[kind]

    def _list(self, kind: str) -> tuple[ClusterObject, ...]:
        base = f"/apis/{GROUP}/v1alpha1"
        resource = RESOURCES[kind]
        try:
            listed = list(self.client.items(f"{base}/{resource}"))
        except RightMissing:
            if not self._has(base, resource):  # 403 comes before 404
                return ()
            if kind == NAMESPACED_KIND:  # they are never changed by a framework's name: known or not
                return ()
            raise
        except ClusterFailure as error:
            if error.status == 404:
                return ()
            raise
        names = {"apiVersion": f"{GROUP}/v1alpha1", "kind": kind}  # the items of a list do without
        return tuple(ClusterObject({**names, **one}, kind, self._path(kind, one["metadata"])) for one in listed)

    def _has(self, base: str, resource: str) -> bool:
        """Whether the API server has a resource at all, as anybody may know."""
        served = self.client.find(base) or {}
        return any(one.get("name") == resource for one in served.get("resources") or ())

    def _path(self, kind: str, metadata: Mapping[str, Any]) -> str:
        """Where a runtime or storage container is; without a name, where those of its kind are."""
        base, resource = f"/apis/{GROUP}/v1alpha1", RESOURCES[kind]
        namespace, name = metadata.get("namespace"), metadata.get("name", "")
        if namespace:
            return namespaced(base, resource, namespace, name)
        return f"{base}/{resource}" + (f"/{part(name)}" if name else "")

    def services(self, namespaces: Sequence[str] = ()) -> Iterator[Mapping[str, Any]]:
        """Every InferenceService, of some namespaces or of all, page by page."""
        return self.running.services(namespaces)

    def keep(self, service: Mapping[str, Any]) -> None:
        """Remember a service that was given by `services`, so that it can be edited."""
        one = self.running.as_object(service)
        self._services[one.ref] = one

    def _read_service(self, ref: ObjectRef) -> ClusterObject | None:
        if ref not in self._services:
            self._services[ref] = self.running.find(ref)
        return self._services[ref]

    def workloads(self, services: Collection[tuple[str, str]] | None) -> Iterator[Workload]:
        """The workloads of services (namespace, name), or of all, from lists by label."""
        return self.running.workloads(services)

    def graphs(self) -> Iterator[str]:
        """Every InferenceGraph, as NAMESPACE/NAME."""
        return self.running.graphs()

    def evidence(self) -> Evidence:
        """What tells the release: the controller's image, else the kinds that the API server serves."""
        images = (self.found.controller.image,) if self.found.controller else ()
        if controller_releases(images):
            return Evidence(images)
        crds = set()
        for group in ("serving.kserve.io", "serving.kubeflow.org"):
            for version in ("v1alpha1", "v1alpha2", "v1beta1"):
                path = f"/apis/{group}/{version}"
                served = self.patience.call(partial(self.client.find, path)) or {}
                crds |= {
                    f"{one['name']}.{group}" for one in served.get("resources") or () if "/" not in one.get("name", "/")
                }
        return Evidence(images, frozenset(crds))

    def explain_absence(self) -> None:
        """Nothing to explain: the object is not there."""

    def text_now(self, ref: ObjectRef, field: Field) -> str | None:
        """The text of a field as it was read; None if there is none."""
        one = self._one(ref)
        return one.value(field) if one else None

    def the_object(self, ref: ObjectRef) -> ClusterObject:
        """An object that was read.

        Raises:
            Conflict: it is gone.
        """
        found = self._one(ref)
        if found is None:
            raise Conflict(f"{ref} is not there any more", advice="Plan again from what is there now.")
        return found

    def has(self, ref: ObjectRef) -> bool:
        """Whether an object is there."""
        return self._one(ref) is not None

    def _one(self, ref: ObjectRef) -> ClusterObject | None:
        if ref.kind == SERVICE_KIND:
            return self._read_service(ref)
        of_kind: Iterable[ClusterObject] = self.configs() if ref.kind == "ConfigMap" else self.objects(ref.kind)
        return next((one for one in of_kind if one.ref == ref), None)

    # Writing

    def prepare(self, edits: Sequence[FieldEdit]) -> tuple[TextPatch, ...]:
        """The edits as they would be written: a text for each field."""
        patches = []
        for edit in edits:
            creates = edit.field == WHOLE and edit.before is None
            one = self._one(edit.object) if creates else self.the_object(edit.object)
            if (one.value(edit.field) if one else None) != edit.before:
                what = edit.field[-1] if edit.field else edit.object
                raise Conflict(
                    f"the text of {what} is no longer that which the change was computed from",
                    advice="Nothing of it was taken. Plan again from what is there now.",
                )
            patches.append(field_patch(edit))
        return tuple(patches)

    def write(self, edits: Sequence[FieldEdit], manager: str = FIELD_MANAGER) -> None:
        """Write objects one after the other; if one fails, those before it get back what they had.

        Args:
            manager: the field manager, in whose name that is.

        Raises:
            Conflict: somebody has changed a text meanwhile.
            ClusterFailure: the API server refused.

        Nothing of ours is left after an error, or it has the objects of which something is in ``left``.
        """
        written: list[list[FieldEdit]] = []
        for group in in_order(edits):
            try:
                self.write_object(group, manager=manager)
            except (ClusterFailure, Conflict) as error:
                self._take_back(written, error)
                raise
            written.append(group)

    def _take_back(self, written: list[list[FieldEdit]], cause: ClusterFailure | Conflict) -> None:
        if written:
            self.refresh()  # what was made is to be seen
        for group in reversed(written):
            try:
                self.write_object([reverse(edit) for edit in group])
            except (ClusterFailure, Conflict) as error:
                ref = str(group[0].object)
                cause.left = (*cause.left, ref)
                cause.advice = f"{ref} is changed already and could not be put back: {error.why}"

    def write_object(
        self, edits: Sequence[FieldEdit], dry_run: bool = False, manager: str = FIELD_MANAGER
    ) -> Mapping[str, Any]:
        """Write the edits of one object; gives the object as it is then.

        What an error leaves open is settled by looking: the new text is there, so it is done; the old one, so it is
        tried again; another one, so somebody else was quicker.

        Raises:
            Conflict: a text is another than the edits were computed from.
            ClusterFailure: the API server refused for good.
        """
        ref = edits[0].object
        if edits[0].field == WHOLE:
            return self._write_whole(edits[0], dry_run=dry_run)
        one = self.the_object(ref)
        query = {"fieldManager": manager, **({"dryRun": "All"} if dry_run else {})}
        pause = 0.1
        while True:
            try:
                return self.client.request(
                    "PATCH", one.path, json_patch(one.data, edits), content_type=JSON_PATCH, query=query
                )
            except ClusterFailure as error:
                unclear = is_transient(error) or error.reason == "BadAnswer"
                if dry_run or not (unclear or error.status in (404, 409, 422)):
                    raise
                tried = one.metadata
                self.refresh()
                one = self.the_object(ref)
                if all(one.value(edit.field) == edit.after for edit in edits):
                    return one.data
                if any(one.value(edit.field) != edit.before for edit in edits):
                    raise Conflict(
                        f"{ref} was changed by somebody else meanwhile", advice="Run the same command again."
                    ) from None
                same = all(tried.get(name) == one.metadata.get(name) for name in ("uid", "resourceVersion"))
                if (error.status == 422 and same) or self.patience.left <= error.retry_after:
                    raise
                self.patience.sleep(max(pause, error.retry_after))
                pause = min(2 * pause, 2.0)

    def _write_whole(self, edit: FieldEdit, *, dry_run: bool) -> Mapping[str, Any]:
        """Create or delete an object; what an error leaves open is settled by looking."""
        query = {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}
        pause = 0.1
        while True:
            present = self._one(edit.object)
            try:
                if edit.after is not None:
                    body = json.loads(edit.after)
                    place = {"namespace": edit.object.namespace} if edit.object.namespace else {}
                    return self.client.request("POST", self._path(edit.object.kind, place), body, query=query)
                if present is None:
                    return {}
                same = {"uid": present.metadata["uid"], "resourceVersion": present.metadata["resourceVersion"]}
                options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": same}
                if dry_run:
                    options["dryRun"] = ["All"]  # with a body, the API server does not look at the query
                return self.client.request("DELETE", present.path, options, query=query)
            except ClusterFailure as error:
                unclear = is_transient(error) or error.reason == "BadAnswer"
                if dry_run or not (unclear or error.status in (404, 409)):
                    raise
                self.refresh()
                now = self.text_now(edit.object, WHOLE)
                if now == edit.after:
                    return {}
                if now != edit.before:
                    raise Conflict(
                        f"{edit.object} was changed by somebody else meanwhile", advice="Run the same command again."
                    ) from None
                if self.patience.left <= error.retry_after:
                    raise
                self.patience.sleep(max(pause, error.retry_after))
                pause = min(2 * pause, 2.0)

    def as_kept(self, edits: Sequence[FieldEdit], field: Field) -> FieldEdit:
        """The edit of a structure to what the API server and admission would make of edits; nothing is written.

        Raises:
            ClusterFailure: they refuse.
            Conflict: a text is another than the edits were computed from.
        """
        ref = edits[0].object
        before = self.the_object(ref)
        kept = ClusterObject(self.write_object(edits, dry_run=True), ref.kind, before.path)
        return FieldEdit.between(ref, field, before.value(field), kept.value(field))

    def as_stored(self, data: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
        """What the API server would make of an object that is created; nothing is written.

        Raises:
            ClusterFailure: it, or KServe's admission, refuses.
        """
        query = {"fieldManager": FIELD_MANAGER, "dryRun": "All"}
        metadata = {name: value for name, value in data["metadata"].items() if name != "name"}
        return self.patience.call(lambda: self.client.request("POST", self._path(kind, metadata), data, query=query))


def field_patch(edit: FieldEdit) -> TextPatch:
    """The edit of a field, for a diff; a field of one line is shown as a line."""
    before = edit.before or ""
    edits = (Edit(0, len(before), ""),) if edit.removes else edit.edits
    if edit.field == WHOLE:
        return TextPatch(str(edit.object), before, edits)
    if edit.field[0] == "data":
        return TextPatch(f"{edit.object}, key {edit.field[1]}", before, edits)
    where = f"{edit.object}, {format_path(edit.field)}"
    if edit.before is None:
        return TextPatch(where, "", (Edit(0, 0, f"{edit.after}\n"),))
    return TextPatch(where, f"{before}\n", (Edit(0, len(before) + 1, ""),) if edit.removes else edits)


def in_order(edits: Iterable[FieldEdit]) -> list[list[FieldEdit]]:
    """The edits object by object, in the order of writing; deletions come last, when nothing names the object."""

    def rank(edit: FieldEdit) -> tuple[bool, int, str]:
        return edit.field == WHOLE and edit.after is None, _ORDER.index(edit.object.kind), str(edit.object)

    ordered = sorted(edits, key=rank)
    return [list(group) for _, group in groupby(ordered, key=lambda edit: edit.object)]


def reverse(edit: FieldEdit) -> FieldEdit:
    """The edit that takes one back."""
    return FieldEdit.between(edit.object, edit.field, edit.after, edit.before)
