"""The commands for shells and programs: completion, schema."""

from __future__ import annotations

import click

from ksconfig.cli.commands import Command


@click.command(
    cls=Command,
    examples=(
        "completion bash > ~/.local/share/bash-completion/completions/ksconfig",
        "completion zsh > ~/.zfunc/_ksconfig",
        "completion fish > ~/.config/fish/completions/ksconfig.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and names.

    Or load it in each shell: eval "$(ksconfig completion bash)". As kubectl ksconfig it is completed by kubectl itself,
    once that is (kubectl completion --help).

    Zsh looks into ~/.zfunc if ~/.zshrc has fpath=(~/.zfunc $fpath) before compinit.
    """
    from ksconfig.cli.completion import shell as completes

    found = completes(shell)
    assert found is not None
    click.echo(found.source(), nl=False)


@click.command(cls=Command, examples=("schema > ksconfig-v1.json",))
def schema() -> None:
    """Print the JSON Schema of what -o json and -o yaml print."""
    from ksconfig.cli.schema import SHIPPED

    click.echo(SHIPPED.read_text(encoding="utf-8"), nl=False)
