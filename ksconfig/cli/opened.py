"""What a command works on, as the options name it: manifests, or a cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import click

from ksconfig import operations
from ksconfig.cli import output
from ksconfig.cli.options import Settings, settings_of
from ksconfig.errors import Declined, FileFailure, UsageError, not_done
from ksconfig.model.detect import ReleaseGuess
from ksconfig.model.plan import Plan
from ksconfig.operations import Scope
from ksconfig.source.port import Source

if TYPE_CHECKING:
    from ksconfig.cluster import Cluster
    from ksconfig.operations.images import Pinning
    from ksconfig.operations.live import Result
    from ksconfig.source.files import ManifestFile


class Opened(Protocol):
    """A source with the options of this run."""

    settings: Settings

    @property
    def source(self) -> Source:
        """What is read."""

    @property
    def scope(self) -> Scope:
        """Namespace, release and overrides."""

    def plan_set_image(
        self, images: Mapping[str, str], gpu_version: Sequence[str], within: Any, pin: Pinning = None
    ) -> Plan:
        """As `ksconfig.operations.plan_set_image`."""

    def plan_set(self, path: str, value: Any, allow_type_change: bool) -> Plan:
        """As `ksconfig.operations.plan_set`."""

    def plan_unset(self, path: str) -> Plan:
        """As `ksconfig.operations.plan_unset`."""

    def carry_out(self, plan: Plan, lines: list[str]) -> None:
        """Write a plan, unless it is a dry run, and print what came of it."""


def tell_release(settings: Settings, release: ReleaseGuess) -> None:
    """With -v, say which release it is and how it was told."""
    if settings.verbose:
        output.remark(f"KServe release: {release}, told by {release.told_by}")


def tell_impact(plan: Plan, say: Callable[[str], None]) -> None:
    """Print what a plan does to services, if there is anything to say."""
    if plan.impact is not None:
        from ksconfig.cli.services_output import impact_lines

        for line in impact_lines(plan.impact):
            say(line)


def print_names(plan: Plan) -> None:
    """The objects that a plan changes, as kubectl names them."""
    for name in dict.fromkeys(str(edit.object) for edit in plan.edits):
        output.result(name.replace(" ", "/", 1))


class OpenedFiles:
    """Manifests."""

    def __init__(self, settings: Settings) -> None:
        from ksconfig.manifests import Manifests  # a cluster needs none of the YAML
        from ksconfig.source.files import FileSource, read_paths

        if settings.files.count("-") > 1:
            raise UsageError("-f - is given twice, but there is one standard input")
        for name in ("context", "kubeconfig", "rollback_on_failure", "unpin", "unpin_services", "wait_models"):
            if name in settings.given or (name == "unpin_services" and settings.unpin_services):
                option = "--" + name.removesuffix("s" * (name == "unpin_services")).replace("_", "-")
                raise UsageError(f"{option} is for a cluster, and -f names manifests", advice="Leave one of them out.")
        with not_done("no manifest was read"):
            stream = (_standard_input(),) if "-" in settings.files else ()
            files = [*stream, *read_paths(name for name in settings.files if name != "-")]
        self.settings = settings
        self.source = FileSource(files)
        self.manifests = Manifests(
            self.source, namespace=settings.config_namespace, kserve_version=settings.kserve_version
        )
        self.stream = stream[0] if stream else None

    @property
    def scope(self) -> Scope:
        """Namespace, release and overrides."""
        return self.settings.scope

    def plan_set_image(
        self, images: Mapping[str, str], gpu_version: Sequence[str], within: Any, pin: Pinning = None
    ) -> Plan:
        """As `ksconfig.operations.plan_set_image`."""
        return operations.plan_set_image(
            self.source, images, self.scope, gpu_version=gpu_version, within=within, pin=pin
        )

    def plan_set(self, path: str, value: Any, allow_type_change: bool) -> Plan:
        """As `ksconfig.operations.plan_set`."""
        return operations.plan_set(self.source, path, value, self.scope, allow_type_change=allow_type_change)

    def plan_unset(self, path: str) -> Plan:
        """As `ksconfig.operations.plan_unset`."""
        return operations.plan_unset(self.source, path, self.scope)

    def carry_out(self, plan: Plan, lines: list[str]) -> None:
        """Save the files, unless it is a dry run, and print what came of it."""
        settings = self.settings
        tell_release(settings, plan.release)
        if len(self.source.files) == 1 and self.stream is not None and "output" in settings.given:
            settings.dry_run = True  # the manifest goes nowhere
        if not settings.dry_run:
            self.manifests.apply(plan)
            edited = [file for file in self.source.files if file.path is not None and file.patch.edits]
            with not_done("nothing was saved"):
                try:
                    self.manifests.save()
                finally:  # an error or a signal may come between two files
                    settings.saved = [file.label for file in edited if not file.patch.edits]
                    settings.written = bool(settings.saved)
        output.warnings(plan.notices)
        if plan.changed and not settings.dry_run:
            output.plan_diff(plan, err=True)
            tell_impact(plan, output.remark)
        if settings.for_machines:
            output.document(output.plan_document(plan, dry_run=settings.dry_run), settings.output)
        elif settings.output == "name":
            print_names(plan)
        elif self.stream is not None and not settings.dry_run and "output" not in settings.given:
            if sys.stdout is None:
                raise FileFailure("standard output is closed, so the manifest went nowhere", path="-")
            sys.stdout.buffer.write(self.stream.to_bytes())
            sys.stdout.buffer.flush()
        else:
            for line in lines:
                output.result(line + (" (dry run)" if settings.dry_run and plan.changed else ""))
            if settings.dry_run:
                output.plan_diff(plan, err=False)
                tell_impact(plan, output.result)


def _standard_input() -> ManifestFile:
    from ksconfig.source.files import ManifestFile, read_bounded

    if sys.stdin is None or sys.stdin.closed:
        raise FileFailure("standard input is closed", path="-")
    return ManifestFile(read_bounded(sys.stdin.buffer, "standard input"), None, "standard input")


class OpenedCluster:
    """A cluster, by kubeconfig or from inside a pod."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._care = settings.care  # what is wrong with it is said before anything is read

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster; the first line on standard error says which it is."""
        from ksconfig.cluster import connect  # the Kubernetes client takes its time to load

        settings = self.settings
        cluster = connect(
            settings.context,
            kubeconfig=settings.kubeconfig,
            config_namespace=settings.config_namespace,
            kserve_version=settings.kserve_version,
        )
        click.get_current_context().call_on_close(cluster.close)
        release = cluster.release
        output.remark(
            f"{cluster.access.context} ({cluster.access.client.server}), namespace {cluster.namespace}, "
            f"KServe {release}"
        )
        tell_release(settings, release)
        return cluster

    @property
    def source(self) -> Source:
        """The objects of the cluster."""
        return self.cluster.source

    @property
    def scope(self) -> Scope:
        """Namespace, release and overrides."""
        return self.cluster.scope(self.settings.allow, self._care)

    def plan_set_image(
        self, images: Mapping[str, str], gpu_version: Sequence[str], within: Any, pin: Pinning = None
    ) -> Plan:
        """As `ksconfig.cluster.Cluster.plan_set_image`."""
        return self.cluster.plan_set_image(
            images,
            gpu_version=gpu_version,
            within=within,
            allow=tuple(self.settings.allow),
            care=self._care,
            pin=pin,
        )

    def plan_set(self, path: str, value: Any, allow_type_change: bool) -> Plan:
        """As `ksconfig.cluster.Cluster.plan_set`."""
        settings = self.settings
        return self.cluster.plan_set(
            path, value, allow_type_change=allow_type_change, allow=tuple(settings.allow), care=self._care
        )

    def plan_unset(self, path: str) -> Plan:
        """As `ksconfig.cluster.Cluster.plan_unset`."""
        return self.cluster.plan_unset(path, allow=tuple(self.settings.allow), care=self._care)

    def carry_out(self, plan: Plan, lines: list[str]) -> None:
        """Write to the cluster, unless it is a dry run, and print what came of it."""
        settings = self.settings
        output.warnings(plan.notices)
        if settings.dry_run:
            self._dry_run(plan, lines)
            return
        if plan.changed:
            output.plan_diff(plan, err=True)
            tell_impact(plan, output.remark)
            self._confirm(plan)
        result = self.cluster.apply(plan, **self.options())
        output.warnings(result.notices)
        if settings.for_machines:
            done = output.plan_document(result.plan, dry_run=False)
            done["changed"] = result.changed
            done["restarted"] = result.restarted
            done["served"] = result.served
            done["revision"] = result.revision
            done["modelsReady"] = result.models
            done["warnings"] += output.notices_content(result.notices)
            output.document(done, settings.output)
        elif settings.output == "name":
            print_names(result.plan)
        else:
            for line in lines:
                output.result(line)
            output.result(_outcome(result))

    def options(self) -> dict[str, Any]:
        """The options of `ksconfig.cluster.Cluster.apply`."""
        settings = self.settings

        def written(revision: int | None) -> None:
            settings.written = True
            settings.revision = revision

        def taken_back(revision: int | None) -> None:
            settings.written, settings.taken_back = False, True
            settings.revision, settings.served = revision, False

        def began() -> None:
            settings.restarted = True

        def served() -> None:
            settings.served = True

        return {
            "reason": settings.reason,
            "restart": not settings.no_restart,
            "wait": not settings.no_wait,
            "timeout": settings.timeout,
            "restart_by": settings.restart_by,
            "history": not settings.no_history,
            "history_limit": settings.history_limit,
            "rollback_on_failure": settings.rollback_on_failure,
            "wait_models": settings.wait_models,
            "models_timeout": settings.models_timeout,
            "say": output.progress,
            "written": written,
            "taken_back": taken_back,
            "began": began,
            "served": served,
        }

    def _dry_run(self, plan: Plan, lines: list[str]) -> None:
        settings = self.settings
        if plan.changed:
            self.cluster.dry_run(plan, **self.options())
        if settings.for_machines:
            output.document(output.plan_document(plan, dry_run=True), settings.output)
        elif settings.output == "name":
            print_names(plan)
        else:
            for line in lines:
                output.result(line + (" (server dry run)" if plan.changed else ""))
            output.plan_diff(plan, err=False)
            tell_impact(plan, output.result)

    def _confirm(self, plan: Plan) -> None:
        """Ask a person, where there is one."""
        settings = self.settings
        if settings.yes or not output.is_terminal():
            return
        question = "Write this to the cluster?"
        if not settings.no_restart and self.cluster.restarts(plan):
            question = (
                "Write this to the cluster and restart the controller? While it restarts, InferenceServices can be "
                "neither created nor changed (seconds)."
            )
        ask(question, "nothing was written")


def _outcome(result: Result) -> str:
    parts = [f"revision {result.revision}"] if result.revision and result.changed else []
    if result.revision and not result.changed:
        gone = ", ".join(map(str, result.plan.rollback_of))
        parts.append(f"nothing of revision {gone} was left to bring back; it counts as rolled back")
    if result.restarted:
        parts.append("controller restarted" + (" and serving" if result.served else ""))
    elif result.served:
        parts.append("controller serving")
    if result.models:
        parts.append(f"{result.models} service{'s' if result.models > 1 else ''} ready with the new image")
    return ", ".join(parts) if parts else "nothing to do"


def ask(question: str, otherwise: str) -> None:
    """Ask a person, who may also end the input.

    Raises:
        Declined: they said no; the message begins with ``otherwise``.
    """
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise  # Ctrl-C
        agreed = False
    if not agreed:
        raise Declined(f"{otherwise}: you said no")


def open_source() -> OpenedFiles | OpenedCluster:
    """What the options of this run name."""
    settings = settings_of(click.get_current_context())
    settings.about_the_config()
    return OpenedFiles(settings) if settings.files else OpenedCluster(settings)


def open_cluster(command: str, *, about_the_config: bool = True) -> OpenedCluster:
    """The cluster, for a command that is about nothing else.

    Args:
        about_the_config: whether -n names the namespace of the config.
    """
    settings = settings_of(click.get_current_context())
    if about_the_config:
        settings.about_the_config()
    if settings.files:
        advice = "Of files, Git keeps the history." if command in ("history", "rollback") else "Leave -f out."
        raise UsageError(f"{command} is for a cluster, and -f names manifests", advice=advice)
    return OpenedCluster(settings)
