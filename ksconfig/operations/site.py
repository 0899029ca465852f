"""A KServe in a cluster, with all that commands need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from ksconfig.errors import UsageError
from ksconfig.source.cluster.patience import Patience
from ksconfig.source.cluster.records import Records
from ksconfig.source.cluster.source import ClusterSource
from ksconfig.source.cluster.workload import Workload

#: How the controller's pods are replaced.
RESTART_BY = ("delete", "rollout")
#: Is called with a line about long work, whenever there is something new to say.
Say = Callable[[str], None]


def _silent(_: str) -> None:
    pass


def _nothing(_: int | None) -> None:
    pass


@dataclass(frozen=True)
class Options:
    """How a plan is carried out.

    Attributes:
        reason: why, for the record.
        restart: whether the controller is restarted where the change needs it.
        wait: whether to wait until it serves again.
        timeout: for that, in seconds.
        restart_by: "delete" its pods, or have the workload "rollout" new ones.
        history: whether a revision is recorded.
        history_limit: how many revisions are kept.
        rollback_on_failure: whether the old state is put back if the controller is proven not to come up with the new.
        wait_models: whether to wait until the services that change run their new image and are ready.
        models_timeout: for that, in seconds.
        say: is told the progress.
        written: is called as soon as something is written, with the number of its record.
        taken_back: is called as soon as the old texts are back, with the number of the record of that.
        began: is called as soon as a pod of the controller goes.
        served: is called as soon as the controller serves and services are waited for.
    """

    reason: str = ""
    restart: bool = True
    wait: bool = True
    timeout: float = 300.0
    restart_by: str = "delete"
    history: bool = True
    history_limit: int = 10
    rollback_on_failure: bool = False
    wait_models: bool = False
    models_timeout: float = 1800.0
    say: Say = field(default=_silent)
    written: Callable[[int | None], None] = field(default=_nothing)
    taken_back: Callable[[int | None], None] = field(default=_nothing)
    began: Callable[[], None] = field(default=lambda: None)
    served: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        for name in ("timeout", "models_timeout"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or value <= 0:
                raise UsageError(f"{name} is {value!r}, and must be a number of seconds above 0")
        if self.restart_by not in RESTART_BY:
            raise UsageError(f"restart_by is {self.restart_by!r}, and must be one of {', '.join(RESTART_BY)}")
        if not isinstance(self.history_limit, int) or self.history_limit < 0:
            raise UsageError(f"history_limit is {self.history_limit!r}, and must be a number from 0 (keep all)")
        if not isinstance(self.reason, str):
            raise UsageError(f"reason is {self.reason!r}, and must be a string")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """From keyword arguments.

        Raises:
            UsageError: there is no such option, or a value is none that it takes.
        """
        names = [one.name for one in fields(cls)]
        for name in given:
            if name not in names:
                near = get_close_matches(name, names, 1)
                raise UsageError(f"there is no option {name}", advice=f"Did you mean {near[0]}?" if near else None)
        return cls(**given)


@dataclass(frozen=True)
class Site:
    """One KServe.

    Attributes:
        workload: its controller, None where none is seen.
        why_no_workload: why, where that is known.
        user: who works on it.
    """

    source: ClusterSource
    records: Records
    workload: Workload | None
    patience: Patience
    user: str
    why_no_workload: str = ""
