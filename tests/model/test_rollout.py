"""One look at the controller, one verdict."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.model.rollout import Before, Sample, elects_leader, leads, verdict

Object = dict[str, Any]


def workload(replicas: int = 1, **more: Any) -> Object:
    container = {"name": "manager", "args": ["--leader-elect"]}
    spec = {"replicas": replicas, "template": {"spec": {"containers": [{"name": "kube-rbac-proxy"}, container]}}}
    return {"metadata": {"uid": "w", "generation": 2, **more}, "spec": spec, "status": {}}


def pod(uid: str, ready: bool = True, restarts: int = 0, state: Object | None = None, **metadata: Any) -> Object:
    status = {"name": "manager", "restartCount": restarts, "state": state or {"running": {}}}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {"uid": uid, "name": f"pod-{uid}", **metadata},
        "status": {"conditions": conditions, "containerStatuses": [status]},
    }


def endpoint(uid: str, ready: bool = True) -> Object:
    return {"targetRef": {"uid": uid}, "conditions": {"ready": ready}}


def lease(pod_name: str) -> Object:
    return {"spec": {"holderIdentity": f"{pod_name}_1234" if pod_name else ""}}


BEFORE = Before(frozenset({"old"}), "w", "pod-old_1")
DONE = Sample(workload(), [pod("new")], [endpoint("new")], lease("pod-new"), True)


def test_done_is_all_of_it() -> None:
    found = verdict(DONE, BEFORE)
    assert found.state == "done"
    assert found.marks == {("new/manager", 0)}
    assert found.leads


@pytest.mark.parametrize(
    ("sample", "before"),
    [(DONE._replace(lease=None), BEFORE), (DONE._replace(lease={}), BEFORE), (DONE, BEFORE._replace(holder=""))],
    ids=["may not be read", "is not there", "was not held by one that goes"],
)
def test_a_lease_that_proves_nothing_is_not_taken_for_a_new_leader(sample: Sample, before: Before) -> None:
    found = verdict(sample, before)
    assert (found.state, found.leads) == ("done", False)


@pytest.mark.parametrize(
    ("spec", "holder", "expected"),
    [
        ({"nodeName": "node-1"}, "pod-new_1", True),
        ({"nodeName": "node-1"}, "node-1_1", False),
        ({"nodeName": "node-1", "hostNetwork": True}, "node-1_1", True),
        ({"hostname": "kserve"}, "kserve_1", True),
    ],
)
def test_a_leader_is_known_by_its_host_name(spec: Object, holder: str, expected: bool) -> None:
    assert leads({**pod("new"), "spec": spec}, holder) is expected
    new = {**pod("new"), "spec": spec}
    found = verdict(DONE._replace(pods=[new], lease={"spec": {"holderIdentity": holder}}), BEFORE)
    assert (found.state == "done") is expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pods": [pod("old", deletionTimestamp="x"), pod("new")]}, "pod-old is still ending"),
        ({"pods": []}, "0 of 1 new pods are there"),
        ({"pods": [pod("new", deletionTimestamp="x")]}, "0 of 1 new pods are there"),
        ({"pods": [pod("new", ready=False)]}, "0 of 1 new pods are ready"),
        (
            {"pods": [pod("new", ready=False, state={"terminated": {"exitCode": 1}})]},
            "0 of 1 new pods are ready (pod-new ended with 1 and is started again)",
        ),
        ({"workload": workload(2)}, "1 of 2 new pods are there"),
        ({"endpoints": []}, "the webhook's Service does not lead to the new pods yet"),
        ({"endpoints": [endpoint("new", ready=False)]}, "the webhook's Service does not lead to the new pods yet"),
        ({"answered": False, "silence": "connection refused"}, "the webhook does not answer yet: connection refused"),
        ({"lease": lease("pod-old")}, "no new pod leads yet: the lease of the old one has to run out"),
        ({"lease": lease("")}, "no new pod leads yet: the lease of the old one has to run out"),
    ],
)
def test_what_is_missing_is_said(change: Object, message: str) -> None:
    found = verdict(DONE._replace(**change), BEFORE)
    assert (found.state, found.message) == ("waiting", message)


def test_what_may_not_be_read_stops_nothing() -> None:
    assert verdict(DONE._replace(endpoints=None, lease=None, answered=None), BEFORE).state == "done"


@pytest.mark.parametrize(
    ("state", "by_config"),
    [
        ({"waiting": {"reason": "CrashLoopBackOff"}}, True),
        ({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}, False),
        ({"waiting": {"reason": "CreateContainerConfigError"}}, False),
    ],
)
def test_a_proven_failure_ends_the_wait(state: Object, by_config: bool) -> None:
    found = verdict(DONE._replace(pods=[pod("new", ready=False, state=state)]), BEFORE)
    assert (found.state, found.by_config, found.pod) == ("failed", by_config, "pod-new")


def test_an_old_pod_that_crashes_is_no_failure_of_the_new_one() -> None:
    crashing = pod("old", ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}}, deletionTimestamp="x")
    assert verdict(DONE._replace(pods=[crashing, pod("new")]), BEFORE).state == "waiting"


def test_a_workload_that_was_made_anew_is_another() -> None:
    assert verdict(DONE._replace(workload=None), BEFORE).state == "failed"
    assert verdict(DONE._replace(workload=workload(uid="other")), BEFORE).state == "failed"


def test_a_restart_of_a_container_is_another_mark() -> None:
    assert verdict(DONE, BEFORE).marks != verdict(DONE._replace(pods=[pod("new", restarts=1)]), BEFORE).marks


def test_a_changed_template_is_waited_for() -> None:
    by_template = BEFORE._replace(template=True)
    assert "has not been taken up" in verdict(DONE, by_template).message
    seen = workload()
    seen["status"] = {"observedGeneration": 2, "updatedReplicas": 0}
    assert verdict(DONE._replace(workload=seen), by_template).message == "0 of 1 pods are of the new template"


@pytest.mark.parametrize(
    ("words", "elects"), [(["--leader-elect"], True), (["--leader-elect=false"], False), ([], False)]
)
def test_whether_a_leader_is_elected_stands_in_the_arguments(words: list[str], elects: bool) -> None:
    one = workload()
    one["spec"]["template"]["spec"]["containers"][1]["args"] = words
    assert elects_leader(one) is elects
