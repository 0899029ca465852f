"""The options that every command shares, accepted before and after the command's name alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from ksconfig.cli.completing import names_of
from ksconfig.cli.durations import Duration
from ksconfig.errors import UsageError
from ksconfig.operations import ALLOWABLE, Scope
from ksconfig.operations.view import Care


@dataclass
class Settings:
    """The shared options as given.

    Attributes:
        program: as it was called.
        written: whether a file or the cluster was changed already; ``revision`` is the record of that.
        saved: the files that are written.
        taken_back: whether what was written is not there any more, since it failed.
        restarted: whether the controller is being restarted.
        served: whether the controller serves with it, and only services are waited for.
    """

    files: list[str] = field(default_factory=list)
    context: str | None = None
    kubeconfig: str | None = None
    namespace: str | None = None
    config_namespace: str | None = None
    kserve_version: str | None = None
    output: str = "table"
    dry_run: bool = False
    yes: bool = False
    verbose: bool = False
    allow: list[str] = field(default_factory=list)
    timeout: float = 300.0
    no_restart: bool = False
    no_wait: bool = False
    reason: str = ""
    restart_by: str = "delete"
    rollback_on_failure: bool = False
    no_history: bool = False
    history_limit: int = 10
    unpin: bool = False
    unpin_services: list[str] = field(default_factory=list)
    max_affected: int | None = None
    impact_namespaces: list[str] = field(default_factory=list)
    wait_models: bool = False
    models_timeout: float = 1800.0
    program: str = "ksconfig"
    written: bool = False
    revision: int | None = None
    saved: list[str] = field(default_factory=list)
    taken_back: bool = False
    restarted: bool = False
    served: bool = False
    given: set[str] = field(default_factory=set)

    def about_the_config(self) -> None:
        """Take -n for the namespace of the config, as `--config-namespace` is in any case.

        Raises:
            UsageError: both are given.
        """
        if self.namespace is not None and self.config_namespace is not None:
            raise UsageError("-n and --config-namespace mean the same here, and both are given")
        self.namespace = self.config_namespace = self.namespace or self.config_namespace

    @property
    def for_machines(self) -> bool:
        """Whether the result is one document for programs."""
        return self.output in ("json", "yaml")

    @property
    def scope(self) -> Scope:
        """What the operations need to know of them."""
        return Scope(self.config_namespace, self.kserve_version, tuple(self.allow), self.care)

    @property
    def care(self) -> Care:
        """How services are dealt with."""
        namespaces = [one for given in self.impact_namespaces for one in given.split(",") if one]
        for service in self.unpin_services:
            if service.count("/") != 1:
                raise UsageError(f'--unpin-service is "{service}"', advice="Write it as NAMESPACE/NAME.")
        return Care(tuple(namespaces), self.unpin, tuple(self.unpin_services), self.max_affected)


class Number(click.IntRange):
    """A number from some bound on, and the error that says which."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = isinstance(value, int) or re.fullmatch("-?[0-9]+", value)  # int() takes 1_000 and other scripts too
        if number:
            with suppress(click.BadParameter):
                return int(super().convert(value, param, ctx))
        name = param.opts[-1] if isinstance(param, click.Option) else param.human_readable_name if param else "It"
        raise click.UsageError(
            f"{name} is {value if number else repr(value)}, and must be a number from {self.min}", ctx
        )


_Command = TypeVar("_Command", bound=Callable[..., Any])
_REPEATABLE = {"files", "allow", "unpin_services", "impact_namespaces"}


def _take(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Put a given option into the settings; one that may stand only once must not stand twice, wherever."""
    settings = settings_of(context)
    name = str(parameter.name)
    if not value:
        return
    if name in _REPEATABLE:
        getattr(settings, name).extend(value)
        return
    times = value if isinstance(value, int) else len(value)
    if name != "verbose" and (times > 1 or name in settings.given):
        raise click.UsageError(f"Option {'/'.join(parameter.opts)} is given twice.", context)
    if not isinstance(value, int) and value[0] == "":
        raise click.UsageError(f"Option {'/'.join(parameter.opts)} needs a value.", context)
    settings.given.add(name)
    setattr(settings, name, True if isinstance(value, int) else value[0])


def settings_of(context: click.Context) -> Settings:
    """The settings of this run."""
    root = context.find_root()
    if root.obj is None:
        root.obj = Settings()
    settings: Settings = root.obj
    return settings


def _value(*names: str, **more: Any) -> Callable[[_Command], _Command]:
    return click.option(*names, multiple=True, expose_value=False, callback=_take, **more)


def _flag(*names: str, **more: Any) -> Callable[[_Command], _Command]:
    return click.option(*names, count=True, expose_value=False, callback=_take, **more)


def shared_options(command: _Command) -> _Command:
    """Add the shared options to a command or group."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def writing_options(command: _Command) -> _Command:
    """Add the options of commands that write to a cluster."""
    for option in reversed(_WRITING):
        command = option(command)
    return command


_WRITING: list[Callable[[Any], Any]] = [
    _value("--reason", metavar="TEXT", help="Why, for the history."),
    _flag("--rollback-on-failure", help="Put the old state back if the controller cannot start with the new one."),
    _flag(
        "--unpin",
        help="Let services follow whose runtimeVersion is the replaced default, and not their owner's wish.",
    ),
    _value(
        "--unpin-service",
        "unpin_services",
        metavar="NAMESPACE/NAME",
        shell_complete=names_of("namespaced_services"),
        help="Let a service follow whose owner set its runtimeVersion; repeatable.",
    ),
    _value("--max-affected", type=Number(0), metavar="N", help="Refuse if more than N services would change."),
    _value(
        "--impact-namespaces",
        metavar="A,B",
        shell_complete=names_of("listed_namespaces"),
        help="Look at the services of these namespaces only; of others nothing is known then.",
    ),
    _flag("--wait-models", help="Wait until the services that change run their new image and are ready (exit 6)."),
    _value(
        "--models-timeout",
        type=Duration("Leave --wait-models out."),
        metavar="TIME",
        help="How long to wait for services.  [default: 30m]",
    ),
    _flag("--no-restart", help="Write only; running services keep what they have until the controller restarts."),
    _flag("--no-wait", help="Restart the controller without waiting until it serves."),
    _value(
        "--restart-by",
        type=click.Choice(["delete", "rollout"]),
        help="Delete the controller's pods, or let the workload roll out new ones (no gap).  [default: delete]",
    ),
    _flag("--no-history", help="Make no record; there is no rollback of this change then."),
    _value(
        "--history-limit",
        type=Number(0),
        metavar="N",
        help="How many revisions are kept; 0 for all.  [default: 10]",
    ),
]
_OPTIONS: list[Callable[[Any], Any]] = [
    _value(
        "-f",
        "--filename",
        "files",
        metavar="FILE",
        shell_complete=names_of("files"),
        help="Manifest, or directory of them, to work on without a cluster; repeatable. With '-' it is read from "
        "standard input and the edited manifest is written to standard output.",
    ),
    _value(
        "--context",
        metavar="NAME",
        shell_complete=names_of("contexts"),
        help="Context of the kubeconfig; by default its current one.",
    ),
    _value(
        "--kubeconfig",
        metavar="FILE",
        shell_complete=names_of("files"),
        help="Kubeconfig; by default KUBECONFIG, or ~/.kube/config.",
    ),
    _value(
        "-n",
        "--namespace",
        metavar="NAME",
        shell_complete=names_of("namespaces"),
        help="Namespace of the config; on a cluster it is found by the controller if not given. Of 'runtime' commands, "
        "that of the runtime and its services.",
    ),
    _value(
        "--config-namespace",
        metavar="NAME",
        shell_complete=names_of("namespaces"),
        help="Namespace of the config, whatever -n is about.",
    ),
    _value(
        "--kserve-version",
        metavar="VERSION",
        help="KServe release whose rules hold, like 0.7; told from what is read if not given.",
    ),
    _flag("--dry-run", help="Show what would change, checked by the API server too; write nothing."),
    _value(
        "-o",
        "--output",
        "output",
        type=click.Choice(["table", "json", "yaml", "name"]),
        help="Form of the result on standard output.  [default: table]",
    ),
    _value(
        "--allow",
        type=click.Choice(ALLOWABLE),
        metavar="WHAT",
        help=f"Override a refusal, by the word that it names; repeatable. One of: {', '.join(ALLOWABLE)}.",
    ),
    _value(
        "--timeout",
        type=Duration("To wait for nothing: --no-wait."),
        metavar="TIME",
        help="How long to wait for the controller, like 90s or 5m.  [default: 5m]",
    ),
    _flag("-y", "--yes", help="Answer yes to every question (with -f there are none)."),
    _flag("-v", "--verbose", help="Say more: the release and how it was told; the trace of an internal error."),
]
