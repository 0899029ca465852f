"""The documents that ``-o json`` and ``-o yaml`` print, as types: the code that prints them is held to these by mypy,
and ``ksconfig/schema/ksconfig-v1.json`` is made of them (`ksconfig.cli.schema`). Nothing here is loaded by a command.

Within ``ksconfig/v1`` a field is never taken away, renamed or given another meaning; new ones, new kinds of documents
and new words for ``code`` and ``effect`` may come.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ksconfig.cli.document_parts import ImageChange, Impact, Object, Release, ValueChange, Warning

ApiVersion = Literal["ksconfig/v1"]


class Change(TypedDict):
    """What a command that writes has done, or with --dry-run would do.

    Attributes:
        command: set-image, set, unset, rollback, restart or runtime ...
        dryRun: whether it was only looked at.
        changed: whether anything was written, or with dryRun would be.
        restarted: whether the controller was restarted.
        served: whether the controller was seen to serve afterwards; null if nobody waited for it.
        rolledBack: whether the change was taken back again; false here, see Error.
        revision: the number of its record on the cluster, or null.
        closed: of a rollback, the revision that was recorded, never written and is closed now, or null.
        modelsReady: how many services run their new image and are ready; null if nobody waited for them.
        release: the KServe release.
        images: the targets of set-image, those included that have their image already.
        changes: the values that change.
        impact: what it does to services; null if nothing is to be written.
        diff: the texts that change, as a unified diff.
    """

    apiVersion: ApiVersion
    kind: Literal["Change"]
    command: str
    dryRun: bool
    changed: bool
    restarted: bool
    served: bool | None
    rolledBack: bool
    revision: int | None
    closed: int | None
    modelsReady: int | None
    release: Release
    images: list[ImageChange]
    changes: list[ValueChange]
    impact: Impact | None
    diff: str
    warnings: list[Warning]


class Fault(TypedDict):
    """Why a command failed.

    Attributes:
        type: the class of ksconfig.KsconfigError; Interrupted after a signal.
        exitCode: of the process.
        notDone: what did therefore not happen, or null.
        why: the reason, with the value that was seen.
        advice: what to do next, or null.
        allow: the word for --allow that overrides a refusal, or null.
        revision: the record of what was written before, or null.
        line: where a text is at fault, from 1, or null.
        column: where a text is at fault, from 1, or null.
    """

    type: str
    exitCode: int
    notDone: str | None
    why: str
    advice: str | None
    allow: str | None
    revision: int | None
    line: int | None
    column: int | None


class Error(TypedDict):
    """A command failed, or was refused.

    Attributes:
        changed: whether something was written, and is there still.
        restarted: whether the controller was restarted.
        rolledBack: whether what was written was taken back again.
    """

    apiVersion: ApiVersion
    kind: Literal["Error"]
    changed: bool
    restarted: bool
    rolledBack: bool
    error: Fault


class Image(TypedDict):
    """A target and its image.

    Attributes:
        name: as set-image takes it.
        image: repository and tag as KServe joins them; "" if there is none.
        gpuVersion: the tag for services with a GPU, or null.
        where: object and path, for people.
        read: whether the release reads it at all.
        frameworks: of a ClusterServingRuntime, those whose services get it if they name none.
        usedBy: how many services have it; null where that was not looked at.
    """

    name: str
    image: str
    gpuVersion: str | None
    where: str
    read: bool
    frameworks: list[str]
    usedBy: int | None


class ImageList(TypedDict):
    """``images``: every target."""

    apiVersion: ApiVersion
    kind: Literal["ImageList"]
    release: Release
    items: list[Image]
    warnings: list[Warning]


class ImageCheck(TypedDict):
    """What a registry says of an image.

    Attributes:
        image: as it was asked for.
        result: found, or what is wrong (docs/images.md).
        digest: null unless the registry told it.
        platforms: those that it is there for.
        why: for people; null if it is as it should be.
        usedBy: targets that have it, and services as NAMESPACE/NAME.
    """

    image: str
    result: str
    digest: str | None
    platforms: list[str]
    why: str | None
    usedBy: list[str]


class ImageCheckList(TypedDict):
    """``images check``: what the registries say.

    Attributes:
        platforms: those that were asked for.
    """

    apiVersion: ApiVersion
    kind: Literal["ImageCheckList"]
    platforms: list[str]
    items: list[ImageCheck]


class Finding(TypedDict):
    """Something wrong.

    Attributes:
        severity: whether it breaks something.
        code: what kind of fault, for programs (docs/doctor.md).
        object: what has it; null for a text that cannot be read.
        path: where in the object; may be empty.
        place: file, line and column, for people.
        file: the file, or on a cluster the object.
        line: from 1, or null.
        column: from 1, or null.
        message: the fault, with the value seen.
        effect: what KServe does with it.
        mend: what to do.
        releases: those that it is about, where the text fits others too; else empty.
    """

    severity: Literal["breaks", "note"]
    code: str
    object: Object | None
    path: str
    place: str
    file: str
    line: int | None
    column: int | None
    message: str
    effect: str
    mend: str
    releases: list[str]


class Diagnosis(TypedDict):
    """``doctor``: what is wrong.

    Attributes:
        breaks: how many findings break something; the exit code is 3 then.
        notes: how many do not.
    """

    apiVersion: ApiVersion
    kind: Literal["Diagnosis"]
    release: Release
    breaks: int
    notes: int
    items: list[Finding]
    warnings: list[Warning]


class RevisionSummary(TypedDict):
    """The record of a change on a cluster.

    Attributes:
        number: from 1.
        time: of its creation (RFC 3339), by the API server's clock.
        state: pending, written, applied, ready, failed or closed.
        rolledBack: whether a later revision has undone it.
        user: who made it, as far as that is known.
        command: what it was made by.
        reason: why; "" if nothing was said.
        release: the KServe release that it was made for.
        rollbackOf: the revisions that it undid.
        rollbackTo: the revision whose state it restored; null if it is no rollback.
    """

    number: int
    time: str
    state: str
    rolledBack: bool
    user: str
    command: str
    reason: str
    release: str
    images: list[ImageChange]
    changes: list[ValueChange]
    rollbackOf: list[int]
    rollbackTo: int | None


class HistoryItem(RevisionSummary):
    """A revision among the others.

    Attributes:
        changedOutsideAfter: whether something else than ksconfig changed its texts before the next one.
    """

    changedOutsideAfter: bool


class History(TypedDict):
    """``history``: the revisions, oldest first."""

    apiVersion: ApiVersion
    kind: Literal["History"]
    items: list[HistoryItem]


class Revision(RevisionSummary):
    """``history N``: one revision.

    Attributes:
        diff: the texts that it changed, as a unified diff.
    """

    apiVersion: ApiVersion
    kind: Literal["Revision"]
    diff: str


class Controller(TypedDict):
    """KServe's controller.

    Attributes:
        name: the workload, for people; null if none was found.
        ready: how many of its pods are.
        wanted: how many are to be.
    """

    name: str | None
    ready: int
    wanted: int


class ServiceState(TypedDict):
    """How a component of a service runs.

    Attributes:
        component: predictor, explainer, ...
        runtime: what it runs on, or null.
        expected: the image that KServe would give it now, or null if none can be told.
        running: the image of its workload, or null.
        runtimeVersion: the version that pins it, or null.
        pinnedByDefault: whether KServe's admission has written that version, and not its owner.
        upToDate: whether it runs what it should, and wholly.
        why: what it lacks, or why KServe leaves it as it is, or null.
    """

    namespace: str
    name: str
    component: str
    runtime: str | None
    expected: str | None
    running: str | None
    runtimeVersion: str | None
    pinnedByDefault: bool
    upToDate: bool
    why: str | None


class Status(TypedDict):
    """``status``: how a KServe stands.

    Attributes:
        namespace: of the config and the controller.
        restartDue: the controller's pods that run on older texts.
        lastRevision: the newest revision, or null.
        unfinished: revisions that did not come to their end.
        services: null where they were not looked at.
    """

    apiVersion: ApiVersion
    kind: Literal["Status"]
    release: Release
    namespace: str
    controller: Controller
    restartDue: list[str]
    lastRevision: RevisionSummary | None
    unfinished: list[RevisionSummary]
    services: list[ServiceState] | None
    warnings: list[Warning]


class Runtime(TypedDict):
    """A serving runtime.

    Attributes:
        name: as a target: runtime/NAME, or runtime/NAMESPACE/NAME.
        image: of its server; "" if it has none.
        formats: what it lists, as NAME or NAME:VERSION.
        autoSelected: the formats that it gets unasked.
        services: those that run on it, as NAMESPACE/NAME; null if they may not be read.
    """

    name: str
    image: str
    formats: list[str]
    autoSelected: list[str]
    protocols: list[str]
    disabled: bool
    services: list[str] | None


class RuntimeList(TypedDict):
    """``runtime list``: the serving runtimes."""

    apiVersion: ApiVersion
    kind: Literal["RuntimeList"]
    items: list[Runtime]


Document = Change | Diagnosis | Error | History | ImageCheckList | ImageList | Revision | RuntimeList | Status
