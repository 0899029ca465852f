"""Work on serving runtimes, as a part of `ksconfig.cluster.Cluster`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ksconfig.errors import NotFound, not_done
from ksconfig.model.new_runtime import NewRuntime
from ksconfig.model.plan import Plan
from ksconfig.operations import preflight
from ksconfig.operations.certain import planned
from ksconfig.operations.runtime_create import plan_create
from ksconfig.operations.runtime_promote import deleted_already, plan_delete, plan_promote
from ksconfig.operations.runtime_use import Chosen, plan_use
from ksconfig.operations.runtimes import RuntimeUse, list_runtimes
from ksconfig.operations.view import Care, Scope

if TYPE_CHECKING:
    from ksconfig.cluster import Cluster


class Runtimes:
    """The serving runtimes of one KServe: ``cluster.runtimes``. Plans are carried out with ``cluster.apply``."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def list(self) -> tuple[RuntimeUse, ...]:
        """Every runtime with its image and the services that run on it."""
        with not_done("the runtimes were not listed"):
            return list_runtimes(self._cluster.source, self._cluster.scope())

    def plan_create(
        self,
        name: str,
        image: str,
        *,
        base: str | None = None,
        namespace: str | None = None,
        env: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
        formats: Sequence[str] = (),
        auto_select: bool = False,
        priority: int | None = None,
        allow: Collection[str] = (),
        care: Care | None = None,
    ) -> Plan:
        """Make a runtime, from another one or from nothing.

        Args:
            base: the runtime to copy; None to make one with KServe's usual arguments for ``formats``.
            namespace: where it is to serve; None for the whole cluster.
            env: variables to set, by name.
            args: arguments to add; one of the same flag takes the place of the old one.
            formats: what it serves, as NAME or NAME:VERSION; those of the base if empty.
            auto_select: whether services get it that name none.
        """
        wanted = NewRuntime(
            name, namespace, image, base, tuple((env or {}).items()), tuple(args), tuple(formats), auto_select, priority
        )
        return self._plan(allow, care, lambda scope: plan_create(self._cluster.source, scope, wanted))

    def plan_use(
        self,
        name: str,
        services: Sequence[str] = (),
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        all_of: str | None = None,
        clear_version: bool = False,
        allow: Collection[str] = (),
        care: Care | None = None,
    ) -> Plan:
        """Move services to a runtime.

        Args:
            services: their names; none to choose by labels or framework.
            namespace: theirs; None for all namespaces.
            clear_version: whether a ``runtimeVersion`` that would replace the image's tag is taken away.
        """
        chosen = Chosen(namespace, tuple(services), tuple((labels or {}).items()), all_of)

        def make(scope: Scope) -> Plan:
            return plan_use(self._cluster.source, scope, name, chosen, clear_version=clear_version)

        return self._plan(allow, care, make)

    def plan_promote(
        self,
        name: str,
        *,
        namespace: str | None = None,
        to: str | None = None,
        allow: Collection[str] = (),
        care: Care | None = None,
    ) -> Plan:
        """Give a tried runtime's image to the standard one, and its services back to that."""
        source = self._cluster.source
        return self._plan(allow, care, lambda scope: plan_promote(source, scope, name, namespace, to))

    def plan_delete(self, name: str, *, namespace: str | None = None, allow: Collection[str] = ()) -> Plan:
        """Delete a runtime that no service runs on."""

        def make(scope: Scope) -> Plan:
            try:
                return plan_delete(self._cluster.source, scope, name, namespace)
            except NotFound as missing:
                return deleted_already(self._cluster.site, scope, name, missing)

        return self._plan(allow, None, make)

    def _plan(self, allow: Collection[str], care: Care | None, plan: Callable[[Scope], Plan]) -> Plan:
        scope = self._cluster.scope(allow, care)

        def make() -> Plan:
            return preflight.review(self._cluster.site, plan(scope), scope)

        return replace(planned(self._cluster.source, make), again=make)
