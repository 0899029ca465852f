"""Whether the controller serves again after its pods were replaced: one verdict for one look at the cluster.

Done is more than Ready: none of the old pods is left, the wanted number of new ones is ready, their addresses are
endpoints of the webhook, the webhook has answered (releases before 0.12 have no probes, so Ready comes before the port
is open), where the controller elects a leader the lease is renewed by another holder than before, and no container has
restarted meanwhile: one that cannot read its config is seen Ready for half a second before it exits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MANAGER = "manager"
_PULL_FAILURES = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_CREATE_FAILURES = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})


class Before(NamedTuple):
    """What was the case before the restart.

    Attributes:
        pods: the UIDs of the pods that are to go.
        workload: the UID of the workload.
        holder: who held the lease; "" if nobody or if that is not known.
        template: whether the workload's template is changed for the restart (else its pods are deleted).
    """

    pods: frozenset[str]
    workload: str
    holder: str = ""
    template: bool = False


class Sample(NamedTuple):
    """One look at the controller; None stands for what may not be read.

    Attributes:
        workload: its Deployment or StatefulSet; None if it is gone.
        pods: its pods, those that are going included.
        endpoints: the endpoints of its webhook's Service, of all slices.
        lease: its lease; an empty mapping if there is none.
        answered: whether the webhook has answered since the pods were as they are; None if it could not be asked.
        silence: what it said instead of answering.
    """

    workload: Mapping[str, Any] | None
    pods: Sequence[Mapping[str, Any]]
    endpoints: Sequence[Mapping[str, Any]] | None
    lease: Mapping[str, Any] | None
    answered: bool | None
    silence: str = ""


class Verdict(NamedTuple):
    """What a sample means.

    Attributes:
        state: "done", "waiting" or "failed".
        message: what is missing, or why it failed.
        by_config: of a failure, whether the config can have caused it.
        pod: of a failure, the name of the pod.
        marks: what must stay the same for the state to count as lasting: pods and restarts of their containers.
        only_lease: whether nothing but the lease is missing.
        leads: whether a new pod was seen to hold the lease that an old one held.
    """

    state: str
    message: str = ""
    by_config: bool = False
    pod: str = ""
    marks: frozenset[tuple[str, int]] = frozenset()
    only_lease: bool = False
    leads: bool = False


def verdict(sample: Sample, before: Before) -> Verdict:
    """Judge one sample."""
    if sample.workload is None:
        return Verdict("failed", "its workload was deleted meanwhile")
    if sample.workload["metadata"]["uid"] != before.workload:
        return Verdict("failed", "its workload was deleted and made anew meanwhile")
    new = [pod for pod in sample.pods if pod["metadata"]["uid"] not in before.pods]
    staying = [pod for pod in new if "deletionTimestamp" not in pod["metadata"]]
    for pod in staying:
        if (failure := _failure(pod)) is not None:
            return failure
    leads = bool(sample.lease and before.holder)
    return _missing(sample, before, staying) or Verdict("done", marks=_marks(staying), leads=leads)


def _missing(sample: Sample, before: Before, staying: Sequence[Mapping[str, Any]]) -> Verdict | None:
    """What is missing, if anything."""
    assert sample.workload is not None
    old = [pod["metadata"]["name"] for pod in sample.pods if pod["metadata"]["uid"] in before.pods]
    if old:
        return Verdict("waiting", f"{', '.join(sorted(old))} is still ending" if len(old) == 1 else
                       f"{len(old)} old pods are still there")  # fmt: skip
    wanted = wanted_replicas(sample.workload)
    if before.template and (late := _template_not_everywhere(sample.workload)):
        return Verdict("waiting", late)
    if len(staying) < wanted:
        return Verdict("waiting", f"{len(staying)} of {wanted} new pods are there")
    ready = [pod for pod in staying if is_ready(pod)]
    if len(ready) < wanted:
        unready = next(pod for pod in staying if not is_ready(pod))
        return Verdict("waiting", f"{len(ready)} of {wanted} new pods are ready{_why_not(unready)}")
    if sample.endpoints is not None and not _are_endpoints(ready, sample.endpoints):
        return Verdict("waiting", "the webhook's Service does not lead to the new pods yet")
    if sample.answered is False:
        return Verdict("waiting", f"the webhook does not answer yet{': ' if sample.silence else ''}{sample.silence}")
    if sample.lease:
        holder = holder_of(sample.lease)
        if not holder or holder == before.holder or not any(leads(pod, holder) for pod in staying):
            message = "no new pod leads yet: the lease of the old one has to run out"
            return Verdict("waiting", message, marks=_marks(staying), only_lease=True)
    return None


def wanted_replicas(workload: Mapping[str, Any]) -> int:
    """How many pods a workload is to have."""
    return int(workload.get("spec", {}).get("replicas", 1))


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether a pod's Ready condition is true."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def holder_of(lease: Mapping[str, Any]) -> str:
    """Who holds a lease: the pod's host name, an underscore and something random; "" if nobody does."""
    return str(lease.get("spec", {}).get("holderIdentity") or "")


def leads(pod: Mapping[str, Any], holder: str) -> bool:
    """Whether a pod holds a lease: the holder begins with its host name, which is its node's on the node's network."""
    spec = pod.get("spec") or {}
    names = {pod["metadata"]["name"], spec.get("hostname"), spec.get("nodeName") if spec.get("hostNetwork") else None}
    return holder.partition("_")[0] in names - {None}


def elects_leader(workload: Mapping[str, Any]) -> bool:
    """Whether the controller is started with ``--leader-elect`` (0.9 on)."""
    container = manager_of(workload)
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    return any(word in ("--leader-elect", "--leader-elect=true", "-leader-elect") for word in words)


def manager_of(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container ``manager`` of a workload; the first one if none is called so."""
    containers = workload["spec"]["template"]["spec"]["containers"]
    found: Mapping[str, Any] = next((one for one in containers if one["name"] == MANAGER), containers[0])
    return found


def _template_not_everywhere(workload: Mapping[str, Any]) -> str:
    """Why the newest template is not yet what all pods are made of; "" if it is (as kubectl rollout status judges)."""
    status, wanted = workload.get("status", {}), wanted_replicas(workload)
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return "the restart has not been taken up yet"
    if status.get("updatedReplicas", 0) < wanted:
        return f"{status.get('updatedReplicas', 0)} of {wanted} pods are of the new template"
    return ""


def _statuses(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return pod.get("status", {}).get("containerStatuses") or ()


def _failure(pod: Mapping[str, Any]) -> Verdict | None:
    """A state that does not mend by waiting."""
    name = pod["metadata"]["name"]
    for status in _statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        last = (status.get("lastState") or {}).get("terminated") or {}
        if reason == "CrashLoopBackOff":
            code = f" with exit code {last['exitCode']}" if "exitCode" in last else ""
            message = f"{name} crashes again and again{code} (container {status['name']})"
            return Verdict("failed", message, by_config=True, pod=name)
        if reason in _PULL_FAILURES or reason in _CREATE_FAILURES:
            return Verdict(
                "failed", f"{name} cannot start: {reason}: {waiting.get('message', '')}".rstrip(": "), pod=name
            )
    return None


def _why_not(pod: Mapping[str, Any]) -> str:
    for status in _statuses(pod):
        state = status.get("state") or {}
        waiting = state.get("waiting") or {}
        if waiting.get("reason") not in (None, "", "ContainerCreating", "PodInitializing"):
            return f" ({pod['metadata']['name']}: {waiting['reason']})"
        if (state.get("terminated") or {}).get("exitCode"):
            return f" ({pod['metadata']['name']} ended with {state['terminated']['exitCode']} and is started again)"
    conditions = pod.get("status", {}).get("conditions") or ()
    for one in conditions:
        if one["type"] == "PodScheduled" and one["status"] == "False":
            return f" ({pod['metadata']['name']} is not scheduled: {one.get('message', one.get('reason', ''))})"
    return ""


def _are_endpoints(pods: Sequence[Mapping[str, Any]], endpoints: Sequence[Mapping[str, Any]]) -> bool:
    serving = {
        (one.get("targetRef") or {}).get("uid")
        for one in endpoints
        if (one.get("conditions") or {}).get("ready") is not False
    }
    return all(pod["metadata"]["uid"] in serving for pod in pods)


def _marks(pods: Sequence[Mapping[str, Any]]) -> frozenset[tuple[str, int]]:
    return frozenset(
        (f"{pod['metadata']['uid']}/{status['name']}", int(status.get("restartCount", 0)))
        for pod in pods
        for status in _statuses(pod)
    )
