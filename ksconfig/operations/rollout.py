"""The restart of the controller, and the wait until it truly serves."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from ksconfig.errors import NotReady, Refused, RolloutFailed, RolloutTimeout
from ksconfig.model.plan import Notice
from ksconfig.model.rollout import Before, Verdict, leads, wanted_replicas
from ksconfig.operations.site import Say
from ksconfig.source.cluster.patience import Patience
from ksconfig.source.cluster.workload import Workload

# The first seconds are looked at more closely: most controllers are back within them.
_POLL_SECONDS, _EARLY_POLL_SECONDS, _EARLY_SECONDS = 0.25, 0.1, 5.0
_LEASE_LOOKS = 10
# How long the pods must have been as they are: a controller that cannot use its config may exit after its first look.
_SETTLE_SECONDS = 2.0
# An image may be pulled at the second try.
_PULL_GRACE_SECONDS = 5.0


def check_restartable(workload: Workload, by: str) -> None:
    """Refuse a restart that could not end as it should.

    Raises:
        Refused: the workload's pods would come back as something else, or not at all.
    """
    spec, status = workload.controller.workload["spec"], workload.controller.workload.get("status", {})
    name = str(workload.controller)
    if by == "rollout" and spec.get("paused"):
        raise Refused(f"{name} is paused, so nothing would roll out", advice="Resume it: kubectl rollout resume")
    if workload.controller.resource == "statefulsets":
        current, update = status.get("currentRevision"), status.get("updateRevision")
        if current and update and current != update:
            raise Refused(
                f"{name} is in the middle of an update (or waits for one: its strategy is "
                f"{(spec.get('updateStrategy') or {}).get('type', 'RollingUpdate')}), so its pods would come back as "
                f"revision {update}, not {current}",
                advice="Finish that update first.",
            )
        if by == "rollout" and (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
            raise Refused(f"{name} replaces pods only when they are deleted", advice="Leave --restart-by rollout out.")


def restart(
    workload: Workload,
    due: frozenset[str],
    by: str,
    patience: Patience,
    say: Say,
    *,
    wait: bool = True,
    began: Callable[[], None] = lambda: None,
) -> bool:
    """Replace the controller's pods that are due, and wait until it serves.

    Args:
        due: the UIDs of the pods that are to go.
        by: "delete" them one after the other, the leader last; or "rollout", unless one is replacing them already.
        began: is called when the first one goes by our doing.

    Returns:
        Whether anything was restarted.

    Raises:
        RolloutFailed: it is proven not to come up.
        RolloutTimeout: the time is over.
        NotReady: it has no replicas.
    """
    if wanted_replicas(workload.controller.workload) == 0:
        raise NotReady(
            f"{workload.controller} has 0 replicas: nothing runs that could be restarted",
            advice="Scale it up; it reads the config when it starts.",
        )
    holder = workload.holder()
    pods = [pod for pod in workload.pods() if pod["metadata"]["uid"] in due]
    uid = workload.controller.workload["metadata"]["uid"]
    held = holder if any(leads(pod, holder) for pod in pods) else ""
    if by == "rollout":
        rolls = bool(pods) and not workload.replaces(pods)
        if rolls:
            say(f"rolling out new pods of {workload.controller}")
            workload.roll(datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds"))
            began()
        if wait:
            wait_until_serving(workload, Before(due, uid, held, template=True), patience, say)
        return rolls
    pods.sort(key=lambda pod: (leads(pod, holder), pod["metadata"]["name"]))
    gone: frozenset[str] = frozenset()
    ours = False
    for pod in pods:
        last = pod is pods[-1]
        say(f"deleting pod {pod['metadata']['name']}")
        if workload.delete(pod):
            ours = True
            began()
        gone |= {pod["metadata"]["uid"]}
        if not last:
            wait_until_serving(workload, Before(gone, uid), patience, say, lease=False)
    if wait:
        wait_until_serving(workload, Before(due, uid, held), patience, say)
    return ours


def wait_until_serving(workload: Workload, before: Before, patience: Patience, say: Say, *, lease: bool = True) -> None:
    """Look again and again until the controller serves (errors as in `restart`)."""
    marks: frozenset[tuple[str, int]] = frozenset()
    since = 0.0
    answered: frozenset[tuple[str, int]] = frozenset()
    failing_since: float | None = None
    said = ""
    begin = patience.clock()
    while True:
        found = workload.look(before, answered, lease=lease)
        now = patience.clock()
        if found.state == "failed":
            failing_since = now if failing_since is None else failing_since
            if found.by_config or not found.pod or now - failing_since >= _PULL_GRACE_SECONDS:
                raise _failure(workload, found)
            found = found._replace(state="waiting")
        else:
            failing_since = None
        if found.marks != marks:
            marks, since = found.marks, now
        if found.state == "done" or found.only_lease:
            answered = found.marks
        if found.state == "done":
            # a new leader has been running for longer than that
            if now - since >= _SETTLE_SECONDS or found.leads:
                return
            found = found._replace(message="it answers; looking whether it stays")
            left_to_settle = _SETTLE_SECONDS - (now - since)
        else:
            left_to_settle = _SETTLE_SECONDS
        if found.message and found.message != said:
            said = found.message
            say(said)
        if patience.left <= 0:
            raise RolloutTimeout(
                f"the controller does not serve after {patience.seconds:g} s: {said}",
                advice="See kubectl -n "
                f"{workload.controller.namespace} get pods; run the same command again to go on waiting.",
            )
        if found.only_lease:
            _watch_lease(workload, patience)
            continue
        pause = _EARLY_POLL_SECONDS if now - begin < _EARLY_SECONDS else _POLL_SECONDS
        patience.sleep(min(pause, left_to_settle, patience.left))


def unproved(workload: Workload) -> tuple[Notice, ...]:
    """What the wait could not look at, for want of a right."""
    return tuple(Notice("unproved", f"{proof} was not seen: {why}") for proof, why in workload.unproved.items())


def _watch_lease(workload: Workload, patience: Patience) -> None:
    """Wait until the lease has another holder, or for as long as the rest may be left unseen."""
    holder = workload.holder()
    for _ in range(_LEASE_LOOKS):
        patience.sleep(min(_EARLY_POLL_SECONDS, patience.left))
        if workload.holder() != holder:
            return


def _failure(workload: Workload, found: Verdict) -> RolloutFailed:
    log = workload.log_tail(found.pod) if found.pod else ""
    return RolloutFailed(f"the controller does not come up: {found.message}", by_config=found.by_config, log=log)
