"""What all commands have in common: examples in their help, and the nearest name for one that is mistyped."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Sequence
from typing import Any

import click

from ksconfig.cli.options import GUARD

PROGRAM = "ksconfig"
_WITH_VALUE = re.compile(r"(?<= )(--?\w[\w-]*|>) (?!-)")


def program() -> str:
    """The program as it was called: ksconfig, kubectl ksconfig, or python -m ksconfig."""
    context = click.get_current_context(silent=True)
    return (context.find_root().info_name if context else None) or PROGRAM


class Shown(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: command lines without the program's name.
    """

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, so that they can be copied: a long one goes on behind a backslash."""
        name = ctx.find_root().info_name
        with formatter.section("Examples"):
            for example in self.examples:
                whole = _WITH_VALUE.sub("\\1\xa0", f"{name} {example}")  # an option stays with its value
                lines = textwrap.wrap(whole, formatter.width - 8, break_long_words=False, break_on_hyphens=False)
                text = " \\\n    ".join(lines).replace("\xa0", " ")
                formatter.write(f"  {text}\n")


class Command(Shown):
    """A command whose arguments may be negative numbers: ``set uidModelcar -1`` is no option -1."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        guarded = [GUARD + arg if arg[:1] == "-" and arg[1:2].isdigit() else arg for arg in args]
        return super().parse_args(ctx, guarded)


class Group(Shown, click.Group):
    """Commands, and the nearest one for a name that is none."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, names = args[0], self.list_commands(ctx)
        if name not in names and not name.startswith("-") and not ctx.resilient_parsing:
            near = difflib.get_close_matches(name, names, 1, 0.5)
            hint = f"Did you mean {near[0]}?" if near else f"The commands are {', '.join(names)}."
            ctx.fail(f"No such command '{name}'. {hint}")
        return super().resolve_command(ctx, args)
