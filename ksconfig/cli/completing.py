"""What is completed at an option or argument: named here, so that only a Tab loads what finds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem[str]]"]


def names_of(what: str) -> Complete:
    """Completes the names of something: a method of `ksconfig.cli.completion.Names`."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from ksconfig.cli.completion import items

        return items(what, context, incomplete)

    return complete
