"""Shell completion: by click's own scripts for bash, zsh and fish, and by kubectl's protocol for its plugins."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, ShellComplete

from ksconfig.cli.commands import PROGRAM
from ksconfig.cli.options import settings_of
from ksconfig.cli.shells import SHELLS
from ksconfig.cli.tab import VARIABLE, seconds

if TYPE_CHECKING:
    from ksconfig.source.cluster.glance import Glance
    from ksconfig.source.port import Source

# Directives of kubectl's protocol, which is that of cobra.
_DEFAULT, _NO_SPACE, _NO_FILES = 0, 2, 4


class Names:
    """The names that may stand at a place of the command line, as far as they can be told at once."""

    def __init__(self, context: click.Context, incomplete: str) -> None:
        self._settings = settings_of(context)
        self._given = [one for value in context.params.values() for one in _words(value)]
        self._incomplete = incomplete
        self._everywhere = bool(context.params.get("everywhere"))

    @cached_property
    def _glance(self) -> Glance:
        from ksconfig.source.cluster.glance import Glance

        settings = self._settings
        of_config = settings.config_namespace
        return Glance(settings.context, settings.kubeconfig, settings.namespace, of_config, seconds=0.7 * seconds())

    @property
    def _live(self) -> bool:
        return not self._settings.files

    def files(self) -> Iterable[CompletionItem[str]]:
        """Files, which the shell finds itself."""
        return [CompletionItem(self._incomplete, type="file")]

    def contexts(self) -> Iterable[str]:
        """Contexts of the kubeconfig."""
        return self._glance.contexts()

    def namespaces(self) -> Iterable[str]:
        """Namespaces of the cluster, none with -f."""
        return self._glance.namespaces() if self._live else ()

    def listed_namespaces(self) -> Iterable[str]:
        """Namespaces behind the last comma."""
        before, comma, _ = self._incomplete.rpartition(",")
        return [before + comma + one for one in self.namespaces() if one not in before.split(",")]

    def targets(self) -> Iterable[str]:
        """TARGET of set-image: the first argument, or all if they are TARGET=IMAGE."""
        pairs = any("=" in one for one in self._given)
        if (self._given and not pairs) or "=" in self._incomplete:
            return ()
        from ksconfig.operations.names import target_names

        self._settings.about_the_config()
        names = target_names(self._source(), self._settings.scope)
        done = {one.partition("=")[0] for one in self._given}
        return [f"{name}=" if pairs else name for name in names if name not in done]

    def _source(self) -> Source:
        if not self._live:
            from pathlib import Path

            from ksconfig.source.files import FileSource, read_paths

            return FileSource(read_paths(Path(name) for name in self._settings.files if name != "-"))
        from ksconfig.source.cluster.glance import CLUSTER_KIND, NAMESPACED_KIND, STORAGE_KIND

        kinds = [CLUSTER_KIND]  # frameworks come from these
        for kind, prefix in ((NAMESPACED_KIND, "runtime/"), (STORAGE_KIND, "storageContainer/")):
            typed = self._incomplete
            if prefix.startswith(typed) or typed.startswith(prefix):
                kinds.append(kind)
        return self._glance.source(kinds)

    def revisions(self) -> Iterable[str]:
        """Numbers of revisions, newest first."""
        return map(str, self._glance.revisions()) if self._live else ()

    def states(self) -> Iterable[str]:
        """The same, and 0 for the state before the first."""
        found = list(self.revisions())
        return [*found, "0"] if found else ()

    def runtimes(self) -> Iterable[str]:
        """Runtimes that the namespace may use."""
        return dict.fromkeys(self._glance.runtimes()) if self._live else ()

    def services(self) -> Iterable[str]:
        """Services of the namespace, or of all; those that stand there already are left out."""
        found = self._glance.services(self._everywhere) if self._live else ()
        return dict.fromkeys(name for _, name in found if name not in self._given)

    def namespaced_services(self) -> Iterable[str]:
        """Services as NAMESPACE/NAME."""
        return [f"{namespace}/{name}" for namespace, name in self._glance.services(True)] if self._live else ()


def _words(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return (value,)
    return [one for one in value if isinstance(one, str)] if isinstance(value, tuple) else ()


def items(what: str, context: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The completions at one place; none if anything is wrong."""
    with suppress(Exception):
        found: Iterable[str | CompletionItem[str]] = getattr(Names(context, incomplete), what)()
        made = [one if isinstance(one, CompletionItem) else CompletionItem(one) for one in found]
        return [one for one in made if one.type == "file" or _fits(one.value, incomplete)]
    return []


def _fits(name: str, incomplete: str) -> bool:
    return name.startswith(incomplete) and name.isprintable() and " " not in name


def shell(name: str, program: str = PROGRAM) -> ShellComplete | None:
    """What completes for a shell."""
    from ksconfig.cli.main import cli

    found = SHELLS.get(name)
    return found(cli, {}, program, VARIABLE) if found else None


def answer_shell(instruction: str) -> str:
    """What the script of a shell wants, as the variable says it: ``bash_complete``."""
    name, _, asked = instruction.partition("_")
    completes = shell(name)
    return completes.complete() + "\n" if completes and asked == "complete" else ""


def answer_kubectl() -> str:
    """A line for each word that may stand there, and a directive."""
    completes = shell("bash")
    assert completes is not None
    *words, incomplete = sys.argv[1:] or [""]
    found = completes.get_completions(words, incomplete)
    if any(one.type in ("file", "dir") for one in found):
        return f":{_DEFAULT}\n"
    joined = found and all(one.value.endswith("=") for one in found)
    lines = [f"{one.value}\t{one.help}" if one.help else one.value for one in found]
    return "\n".join([*lines, f":{_NO_FILES + (_NO_SPACE if joined else 0)}", ""])
