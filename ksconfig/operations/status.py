"""How a KServe stands."""

from __future__ import annotations

from dataclasses import dataclass

from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.plan import Notice
from ksconfig.model.revision import Revision


@dataclass(frozen=True)
class Status:
    """How a KServe stands.

    Attributes:
        release: which it is.
        namespace: of the config and the controller.
        controller: the workload, for people; "" if none was found.
        ready, wanted: the controller's pods.
        restart_due: the names of the pods that run on older texts than those that are there.
        revisions: the history, newest first; pending ones judged by the texts that are there.
        undone: the numbers of those that were rolled back.
        notices: what a person should know.
    """

    release: ReleaseGuess
    namespace: str
    controller: str
    ready: int
    wanted: int
    restart_due: tuple[str, ...]
    revisions: tuple[Revision, ...]
    undone: frozenset[int]
    notices: tuple[Notice, ...] = ()
