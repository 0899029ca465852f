"""A pod that is deleted, whatever becomes of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ksconfig.errors import ClusterFailure
from ksconfig.source.cluster.finder import Controller
from ksconfig.source.cluster.patience import Patience
from ksconfig.source.cluster.workload import Workload

CONTROLLER = Controller(
    "deployments", {"metadata": {"name": "c", "namespace": "kserve", "uid": "w"}, "spec": {"selector": {}}}
)
POD = {"metadata": {"name": "c-1", "namespace": "kserve", "uid": "pod-1"}}
STAYS, GOES = [POD], [{"metadata": {**POD["metadata"], "deletionTimestamp": "now"}}]
NEW = [{"metadata": {**POD["metadata"], "uid": "pod-2"}}]


class Server:
    """Answers deletions one after the other; None is a success."""

    def __init__(self, *answers: ClusterFailure | None, pods: list[dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.pods = pods

    def request(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert (method, body["preconditions"]) == ("DELETE", {"uid": "pod-1"})
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer
        return {}

    def items(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        return iter(self.pods)


def no_answer(reason: str = "NoAnswer") -> ClusterFailure:
    return ClusterFailure("reset", reason=reason)


def refused(status: int, retry_after: float = 0.0) -> ClusterFailure:
    return ClusterFailure("no", status=status, retry_after=retry_after)


@pytest.mark.parametrize(
    ("answers", "pods", "ours"),
    [
        ([None], GOES, True),
        ([refused(404)], NEW, False),  # somebody else has restarted it
        ([refused(409)], NEW, False),
        ([refused(409)], GOES, False),
        ([refused(409), None], STAYS, True),  # it was no other pod: something else was in the way
        ([no_answer()], GOES, True),
        ([no_answer()], NEW, True),
        ([no_answer("BadAnswer")], GOES, True),
        ([no_answer(), None], STAYS, True),
        ([no_answer(), refused(409), None], STAYS, True),
        ([refused(429, 1.0), refused(503), None], STAYS, True),
    ],
)
def test_a_pod_is_deleted_or_found_gone(
    answers: list[ClusterFailure | None], pods: list[dict[str, Any]], ours: bool
) -> None:
    slept: list[float] = []
    server = Server(*answers, pods=pods)
    workload = Workload(server, CONTROLLER, Patience(60, slept.append, lambda: sum(slept)))  # type: ignore[arg-type]
    assert workload.delete(POD) is ours
    assert not server.answers
    assert sum(slept) >= sum(one.retry_after for one in answers if one)


def test_a_deletion_that_is_refused_for_good_is_told_and_one_that_never_succeeds_ends() -> None:
    slept: list[float] = []
    patience = Patience(60, slept.append, lambda: sum(slept))
    forbidden = Workload(Server(refused(403), pods=STAYS), CONTROLLER, patience)  # type: ignore[arg-type]
    with pytest.raises(ClusterFailure):
        forbidden.delete(POD)
    never = Workload(Server(*[refused(409)] * 99, pods=STAYS), CONTROLLER, patience)  # type: ignore[arg-type]
    with pytest.raises(ClusterFailure):
        never.delete(POD)
    assert 60 <= sum(slept) < 63
