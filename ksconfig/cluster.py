"""The library's face for clusters: `connect` gives `Cluster`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ksconfig import operations
from ksconfig.errors import ClusterFailure, NotReady, UsageError, not_done
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.frameworks import Within
from ksconfig.model.plan import Notice, Plan
from ksconfig.model.restart import plan_restarts
from ksconfig.model.revision import Revision, undone
from ksconfig.model.rollout import is_ready, wanted_replicas
from ksconfig.operations import Image, Scope, history, live, preflight
from ksconfig.operations import rollback as way_back
from ksconfig.operations.certain import planned
from ksconfig.operations.images import Pinning, unchanged
from ksconfig.operations.live import Result
from ksconfig.operations.rollout import check_restartable, restart, unproved
from ksconfig.operations.site import Options, Say, Site
from ksconfig.operations.status import Status
from ksconfig.operations.view import Care, View
from ksconfig.source.cluster.access import Access, open_access
from ksconfig.source.cluster.client import is_transient
from ksconfig.source.cluster.finder import CONFIG, Found, find_kserve
from ksconfig.source.cluster.patience import Patience
from ksconfig.source.cluster.records import Records
from ksconfig.source.cluster.rights import who_am_i
from ksconfig.source.cluster.source import ClusterSource
from ksconfig.source.cluster.workload import Workload
from ksconfig.text.json_path import Step

if TYPE_CHECKING:
    from ksconfig.cluster_runtimes import Runtimes
    from ksconfig.operations.doctor import Finding
    from ksconfig.operations.models import ServiceState

_TIMEOUT = 300.0


class Cluster:
    """One KServe in one cluster. Use it in a ``with`` block, or call `close`."""

    def __init__(self, access: Access, *, namespace: str | None = None, kserve_version: str | None = None) -> None:
        self.access = access
        self._version = kserve_version
        patience = Patience(_TIMEOUT)
        with not_done("the cluster was not looked at"):
            found = _found(access, namespace, patience)
        workload = Workload(access.client, found.controller, patience) if found.controller else None
        self.namespace = found.namespace
        self.source = ClusterSource(access.client, found, patience)
        self._patience = patience
        self._workload = workload
        self._why = found.why
        self._site: Site | None = None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.access.client.close()

    @property
    def site(self) -> Site:
        """What the operations work on."""
        if self._site is None:
            records = Records(self.access.client, self.namespace, self._patience)
            user = who_am_i(self.access.client, self.access.user, self._patience)
            self._site = Site(self.source, records, self._workload, self._patience, user, self._why)
        return self._site

    def scope(self, allow: Collection[str] = (), care: Care | None = None) -> Scope:
        """Namespace, release and overrides, as the operations take them."""
        self._patience.renew(_TIMEOUT)  # each plan and each look begins with a scope
        return Scope(
            self.namespace, self._version, (allow,) if isinstance(allow, str) else tuple(allow), care or Care()
        )

    @property
    def release(self) -> ReleaseGuess:
        """The KServe release that runs, as far as it can be told."""
        return View(self.source, self.scope()).release

    @property
    def runtimes(self) -> Runtimes:
        """The serving runtimes."""
        from ksconfig.cluster_runtimes import Runtimes  # what only this needs is loaded only here

        return Runtimes(self)

    # Reading

    def images(self, *, users: bool = False) -> tuple[Image, ...]:
        """Every image of the config, the runtimes and the storage containers, by target name."""
        return operations.list_images(self.source, self.scope(), users=users)[0]

    def get(self, path: str | Sequence[Step]) -> Any:
        """The JSON value at a path of the config, as Python data."""
        return operations.get_value(self.source, path, self.scope()).value

    def doctor(self) -> tuple[Finding, ...]:
        """What is wrong with the config and the runtimes as they stand, what breaks something first."""
        from ksconfig.operations.doctor import diagnose  # what only this needs is loaded only here

        return diagnose(self.source, self.scope()).findings

    def history(self) -> tuple[Revision, ...]:
        """The revisions, oldest first; pending ones are judged by the texts that are there now."""
        with not_done("the history was not read"):
            return history.effective(self.site)

    def status(self) -> Status:
        """Release, controller, whether a restart is due, and what became of the last revisions."""
        with not_done("the status was not read"):
            view = View(self.source, self.scope())
            workload, due = self._workload, frozenset[str]()
            pods: list[dict[str, Any]] = []
            notices: list[Notice] = list(view.release_notices())
            if view.config is None:
                missing = f"there is no ConfigMap {CONFIG} in namespace {self.namespace}, which KServe needs to start"
                notices.append(Notice("no-config", missing))
            if workload is not None:
                pods = workload.staying_pods()
            elif self._why:
                notices.append(Notice("controller", f"the controller was not found: {self._why}"))
            revisions = history.effective(self.site)
            if workload is not None:
                due, _ = history.restart_due(self.site, view.release.likely_rules, pods, revisions)
            notices += [Notice("unreadable-revision", error.why) for error in self.site.records.unreadable]
            return Status(
                view.release,
                self.namespace,
                str(workload.controller) if workload else "",
                sum(is_ready(pod) for pod in pods),
                wanted_replicas(workload.controller.workload) if workload else 0,
                tuple(sorted(pod["metadata"]["name"] for pod in pods if pod["metadata"]["uid"] in due)),
                revisions[::-1],
                undone(revisions),
                tuple(notices),
            )

    def services(self, *, care: Care | None = None) -> tuple[ServiceState, ...]:
        """How every service runs: the image that it should have, the one that it has, and what pins it."""
        from ksconfig.operations.models import service_states

        with not_done("the services were not looked at"):
            return service_states(self.site, self.scope(care=care))

    # Planning: nothing is written

    def plan_set_image(
        self,
        images: Mapping[str, str],
        *,
        gpu_version: str | Sequence[str] = (),
        within: Within = None,
        allow: Collection[str] = (),
        care: Care | None = None,
        pin: Pinning = None,
    ) -> Plan:
        """What `set_image` would do; ``plan.impact`` tells which services change.

        Args:
            pin: gives the digest of an image, which is written then, if that is wanted.
            care: how services are dealt with that are pinned to a version, and how many may change.
        """
        versions = (gpu_version,) if isinstance(gpu_version, str) else tuple(gpu_version)
        scope = self.scope(allow, care)

        def make() -> Plan:
            plan = operations.plan_set_image(self.source, images, scope, gpu_version=versions, within=within, pin=pin)
            return preflight.review(self.site, plan, scope)

        with not_done(unchanged(images)):
            return replace(planned(self.source, make), again=make)

    def plan_set(
        self,
        path: str | Sequence[Step],
        value: Any,
        *,
        allow_type_change: bool = False,
        allow: Collection[str] = (),
        care: Care | None = None,
    ) -> Plan:
        """What `set` would do."""
        scope = self.scope(allow, care)

        def make() -> Plan:
            plan = operations.plan_set(self.source, path, value, scope, allow_type_change=allow_type_change)
            return preflight.review(self.site, plan, scope)

        with not_done(f"{path} was not set"):
            return replace(planned(self.source, make), again=make)

    def plan_unset(self, path: str | Sequence[Step], *, allow: Collection[str] = (), care: Care | None = None) -> Plan:
        """What `unset` would do."""
        scope = self.scope(allow, care)

        def make() -> Plan:
            return preflight.review(self.site, operations.plan_unset(self.source, path, scope), scope)

        with not_done(f"{path} was not removed"):
            return replace(planned(self.source, make), again=make)

    def plan_rollback(self, to: int | None = None, *, allow: Collection[str] = (), care: Care | None = None) -> Plan:
        """What `rollback` would do."""
        scope = self.scope(allow, care)

        def make() -> Plan:
            return preflight.review(self.site, way_back.plan_rollback(self.site, scope, to), scope)

        with not_done("nothing was rolled back"):
            return replace(planned(self.source, make), again=make)

    # Writing

    def apply(self, plan: Plan, **options: Any) -> Result:
        """Carry out a plan: record, write, restart the controller, wait until it serves.

        Args:
            options: as the attributes of `ksconfig.operations.site.Options`: ``reason``, ``restart``, ``wait``,
                ``timeout`` (seconds), ``restart_by``, ``history``, ``history_limit``, ``rollback_on_failure``,
                ``wait_models``, ``models_timeout`` (seconds), ``say``.

        Raises:
            Conflict: somebody changed the same values meanwhile; nothing was written.
            RightMissing: a right is missing; nothing was written.
            NotReady: written, and the controller does not serve.
            ModelsNotReady: services do not run their new image, or are not ready with it.
            RolledBack: the controller or a service did not come up with the change, which was taken back.
        """
        made = Options.of(options)
        self._patience.renew(made.timeout)
        with not_done(f"{plan.command} was not carried out"):
            return live.apply(self.site, plan, made)

    def dry_run(self, plan: Plan, **options: Any) -> None:
        """Have the API server check all that `apply` would write, rights included, without writing it.

        Raises:
            KsconfigError: as `apply`.
        """
        with not_done(f"{plan.command} cannot be carried out"):
            live.dry_run(self.site, plan, Options.of(options))

    def restarts(self, plan: Plan) -> bool:
        """Whether carrying out a plan restarts the controller."""
        return plan_restarts(plan)

    def set_image(self, target: str | Mapping[str, str], image: str | None = None, **options: Any) -> Result:
        """Give one target, or several in a mapping, a new image: plan and apply in one call.

        Args:
            options: those of `plan_set_image` and of `apply`.
        """
        if isinstance(target, str) == (image is None):
            raise UsageError("set_image takes a target and an image, or one mapping from target to image")
        images = {target: image or ""} if isinstance(target, str) else target
        mine, rest = _split(options, ("gpu_version", "within", "allow", "care", "pin"))
        return self.apply(self.plan_set_image(images, **mine), **rest)

    def set(self, path: str | Sequence[Step], value: Any, **options: Any) -> Result:
        """Set one JSON value of the config (options of `plan_set` and of `apply`)."""
        mine, rest = _split(options, ("allow_type_change", "allow", "care"))
        return self.apply(self.plan_set(path, value, **mine), **rest)

    def unset(self, path: str | Sequence[Step], **options: Any) -> Result:
        """Remove one JSON value of the config (options of `plan_unset` and of `apply`)."""
        mine, rest = _split(options, ("allow", "care"))
        return self.apply(self.plan_unset(path, **mine), **rest)

    def close_pending(self, *, dry_run: bool = False) -> Revision | None:
        """Close the newest revision if it was recorded and never written; gives it, unless it was a rollback."""
        pending = way_back.never_written(self.site)
        if pending is None:
            return None
        closed = pending if dry_run else self.site.records.mark(pending, "closed")
        return None if closed.is_rollback else closed

    def rollback(self, to: int | None = None, **options: Any) -> Result:
        """Undo the newest change that is not undone yet, or restore the state right after revision ``to``.

        A newest revision that was recorded and never written is closed, and nothing else is done.
        """
        mine, rest = _split(options, ("allow", "care"))
        if to is None and (closed := self.close_pending()):
            notice = Notice("closed", f"revision {closed.number} was never written; it is closed now")
            empty = Plan("rollback", (), (), (), (), (notice,), self.release)
            return Result(empty, False, closed.number)
        return self.apply(self.plan_rollback(to, **mine), **rest)

    def restart(
        self, *, allow: Collection[str] = (), wait: bool = True, timeout: float = _TIMEOUT, restart_by: str = "delete",
        say: Say = lambda _: None, began: Callable[[], None] = lambda: None,
    ) -> tuple[Notice, ...]:  # fmt: skip
        """Restart the controller and wait until it serves.

        Returns:
            What a person should know.

        Raises:
            Refused: it could not start with the config as it stands.
            NotReady: it does not serve.
        """
        with not_done("nothing was restarted"):
            if self._workload is None:
                raise NotReady("no controller was found" + (f": {self._why}" if self._why else ""))
            options = Options(wait=wait, timeout=timeout, restart_by=restart_by, say=say)
            preflight.check_restart_rights(self.site, options)
            release = self.release
            notices = preflight.refuse_broken_start(self.site, release.likely_rules, str(release), self.scope(allow))
            check_restartable(self._workload, restart_by)
        self._workload.patience = Patience(timeout)
        try:
            if not self._restart_all(restart_by, say, wait, began):
                # they were gone already: of another time, or somebody else's; those that are there now are meant
                self._restart_all(restart_by, say, wait, began)
        except ClusterFailure as error:
            raise NotReady(f"the controller could not be restarted, or not be seen to serve: {error.why}") from error
        if wait:
            with suppress(ClusterFailure):
                self.site.records.list()
                history.close_older(self.site, None)
        return (*notices, *unproved(self._workload))

    def _restart_all(self, by: str, say: Say, wait: bool, began: Callable[[], None]) -> bool:
        """Restart all pods that are there; whether any of them went by our doing."""
        assert self._workload is not None
        due = frozenset(pod["metadata"]["uid"] for pod in self._workload.pods())
        return restart(self._workload, due, by, self._workload.patience, say, wait=wait, began=began)


def _found(access: Access, namespace: str | None, patience: Patience) -> Found:
    """Find KServe; a server that does not answer at all is told at once, one that is busy is waited for."""
    try:
        return find_kserve(access.client, namespace)
    except ClusterFailure as error:
        if error.status == 0 or not is_transient(error):
            raise
    return patience.call(lambda: find_kserve(access.client, namespace))


def _split(options: dict[str, Any], names: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    mine = {name: value for name, value in options.items() if name in names}
    return mine, {name: value for name, value in options.items() if name not in names}


def connect(
    context: str | None = None,
    *,
    kubeconfig: str | Path | None = None,
    config_namespace: str | None = None,
    kserve_version: str | None = None,
) -> Cluster:
    """Connect to the cluster of a kubeconfig context, or inside a pod to its own.

    Args:
        context: of the kubeconfig; its current one if not given.
        kubeconfig: a path; else KUBECONFIG or ~/.kube/config, as kubectl.
        config_namespace: where the config is; found by the controller if not given.
        kserve_version: the release ("0.7"); told by the controller's image and what the server serves if not given.

    Raises:
        UsageError: there is no such context.
        ConfigNotFound: there is no KServe.
        Ambiguous: there are several.
        ClusterFailure: the cluster does not answer.
    """
    access = open_access(context, kubeconfig)
    try:
        return Cluster(access, namespace=config_namespace, kserve_version=kserve_version)
    except BaseException:
        access.client.close()
        raise


__all__ = ["Cluster", "Result", "Status", "connect"]
