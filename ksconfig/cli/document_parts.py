"""What several documents hold (see `ksconfig.cli.documents`)."""

from __future__ import annotations

from typing import Any, TypedDict


class Object(TypedDict):
    """A Kubernetes object.

    Attributes:
        namespace: null where none is given.
    """

    kind: str
    namespace: str | None
    name: str


class Release(TypedDict):
    """The KServe release whose rules were taken.

    Attributes:
        candidates: those that it may be, oldest first; at least one.
        likely: the one among them that the image tags point to, or null.
        given: whether --kserve-version said so.
        toldBy: what told it, for people.
        unverified: whether it is newer than all that this ksconfig knows.
    """

    candidates: list[str]
    likely: str | None
    given: bool
    toldBy: str
    unverified: bool


class Warning(TypedDict):
    """Something that a person should know.

    Attributes:
        code: what kind, for programs.
        message: for people.
    """

    code: str
    message: str


class ImageChange(TypedDict):
    """A target's image, before and after.

    Attributes:
        target: as set-image takes it.
        before: "" where there was none.
    """

    target: str
    before: str
    after: str


class _BeforeAndAfter(TypedDict, total=False):
    """What may be left out.

    Attributes:
        before: the JSON value; left out where there was none.
        after: the JSON value; left out where there is none any more.
    """

    before: Any
    after: Any


class ValueChange(_BeforeAndAfter):
    """One value that changes.

    Attributes:
        object: the object that holds it.
        place: the file and line, or the object once more on a cluster.
        path: where in the object; of the config, the PATH that get and set take.
    """

    object: Object
    place: str
    path: str


class ServiceImpact(TypedDict):
    """What a change does to one component of an InferenceService.

    Attributes:
        namespace: null in a manifest that names none.
        component: predictor, explainer, transformer, canary, canary/NAME, storage-initializer or agent.
        effect: one of pinned-tag, invalid, changes, canary, other, next-pod, not-reached (docs/impact.md).
        before: the image that runs, or would.
        after: the image that would run.
        reason: why, for people; may be empty.
        runtime: the serving runtime that it runs on, or null.
        runtimeVersion: the version that pins it, or null.
        replicas: the pods that restart; null where that was not looked at.
        gpus: the GPUs that these have; null where that was not looked at.
        traffic: of a canary, the per cent of the traffic that change, else null.
    """

    namespace: str | None
    name: str
    component: str
    effect: str
    before: str
    after: str
    reason: str
    runtime: str | None
    runtimeVersion: str | None
    replicas: int | None
    gpus: int | None
    traffic: int | None


class Impact(TypedDict):
    """What a change does to the services.

    Attributes:
        lookedAt: how many services were looked at.
        unknown: why some or all were not, or null.
        services: those that change, or that one would expect to.
        newServices: what services that are made from now on get, by target.
        inferenceGraphs: those whose routers change, as NAMESPACE/NAME.
    """

    lookedAt: int
    unknown: str | None
    services: list[ServiceImpact]
    newServices: list[ImageChange]
    inferenceGraphs: list[str]
