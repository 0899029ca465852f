"""What all commands have in common: examples in their help, and the nearest name for one that is mistyped."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.parser import _OptionParser

PROGRAM = "ksconfig"
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_WITH_VALUE = re.compile(r"(?<= )(--?\w[\w-]*|>) (?!-)")


def program() -> str:
    """The program as it was called: ksconfig, kubectl ksconfig, or python -m ksconfig."""
    context = click.get_current_context(silent=True)
    return (context.find_root().info_name if context else None) or PROGRAM


class Shown(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: command lines without the program's name.
        has_names: whether it prints something for ``-o name``.
    """

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), has_names: bool = True, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.examples = tuple(examples)
        self.has_names = has_names

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, unless it is asked for names and has none."""
        if not self.has_names and getattr(ctx.find_root().obj, "output", "") == "name":
            ctx.fail(f"{ctx.info_name} has no names to print. Leave -o name out, or say -o json.")
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, so that they can be copied: a long one goes on behind a backslash."""
        name = ctx.find_root().info_name
        with formatter.section("Examples"):
            for example in self.examples:
                whole = _QUOTED.sub(lambda text: text[0].replace(" ", "\xa0"), f"{name} {example}")
                whole = _WITH_VALUE.sub("\\1\xa0", whole)  # an option stays with its value
                lines = textwrap.wrap(whole, formatter.width - 8, break_long_words=False, break_on_hyphens=False)
                text = " \\\n    ".join(lines).replace("\xa0", " ")
                formatter.write(f"  {text}\n")


class Command(Shown):
    """A command whose arguments may be negative numbers: ``set uidModelcar -1`` is no option -1."""

    def make_parser(self, ctx: click.Context) -> _OptionParser:
        """Guard negative numbers from click's parser, and from it alone: values are converted as they were given."""
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_guarded(args: list[str]) -> tuple[dict[str, Any], list[str], list[click.Parameter]]:
            values, left, order = parse(list(map(_guarded, args)))
            return {name: _unguarded(value) for name, value in values.items()}, _unguarded(left), order

        parser.parse_args = parse_guarded  # type: ignore[method-assign]  # the parser's class is click's own matter
        return parser


#: Put before an argument that looks like a negative number, so that it is not taken for an option.
_GUARD = "\ue000"


def _guarded(argument: str) -> str:
    return _GUARD + argument if argument[:1] == "-" and argument[1:2].isdigit() else argument


def _unguarded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(map(_unguarded, value))
    return value.removeprefix(_GUARD) if isinstance(value, str) else value


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
