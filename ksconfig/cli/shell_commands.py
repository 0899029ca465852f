"""The commands for those who build on this one: schema."""

from __future__ import annotations

import click

from ksconfig.cli.commands import Command


@click.command(cls=Command, examples=("schema > ksconfig-v1.json",))
def schema() -> None:
    """Print the JSON Schema of what -o json and -o yaml print."""
    from ksconfig.cli.schema import SHIPPED

    click.echo(SHIPPED.read_text(encoding="utf-8"), nl=False)
