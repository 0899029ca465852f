"""Help: examples that can be copied, the program by the name that it was called by, and the nearest for what is mistyped."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from ksconfig.cli.commands import Shown
from ksconfig.cli.main import called_as, cli
from ksconfig.cli.main import run as run_here
from tests.cli.conftest import Run


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, groups included, by the words that call it."""
    context = click.Context(group)
    yield path
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def command_at(path: tuple[str, ...]) -> click.Command:
    found: click.Command = cli
    for name in path:
        assert isinstance(found, click.Group)
        got = found.get_command(click.Context(found), name)
        assert got is not None
        found = got
    return found


ALL = list(commands(cli))


def called(path: tuple[str, ...]) -> str:
    return " ".join(path) or "ksconfig"


def parse(group: click.Group, arguments: list[str], parent: click.Context | None = None, name: str = "") -> None:
    """Read a command line as click does, to the last word, and do nothing.

    Raises:
        click.ClickException: there is something wrong with it.
    """
    context = group.make_context(name or "ksconfig", arguments, parent=parent)
    rest = [*context._protected_args, *context.args]
    if not rest:
        return
    found, command, rest = group.resolve_command(context, rest)
    assert command is not None
    if isinstance(command, click.Group):
        parse(command, rest, context, str(found))
    else:
        command.make_context(found, rest, parent=context)


@pytest.mark.parametrize("path", ALL, ids=called)
def test_every_command_has_examples_that_it_understands(path: tuple[str, ...]) -> None:
    command = command_at(path)
    assert isinstance(command, Shown)
    assert command.examples
    assert command.help
    for example in command.examples:
        words = shlex.split(example.partition(" > ")[0])
        assert tuple(words[: len(path)]) == path
        parse(cli, words)


@pytest.mark.parametrize("path", ALL, ids=called)
@pytest.mark.parametrize("program", ["ksconfig", "python -m ksconfig"])
def test_help_fits_80_columns_and_its_examples_can_be_copied(
    path: tuple[str, ...], program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run_here([*path, "--help"], program) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith(f"Usage: {' '.join((program, *path))} ")
    shown = out.partition("\nExamples:\n")[2].replace(" \\\n   ", "")
    command = command_at(path)
    assert isinstance(command, Shown)
    assert shown.splitlines() == [f"  {program} {example}" for example in command.examples]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/bin/ksconfig", "ksconfig"),
        ("/usr/bin/kubectl-ksconfig", "kubectl ksconfig"),
        ("C/ksconfig/__main__.py", "python -m ksconfig"),
    ],
)
def test_the_program_is_named_as_it_was_called(path: str, name: str) -> None:
    assert called_as(path) == name


def test_messages_name_the_program_too(run: Run) -> None:
    assert "Usage: python -m ksconfig images" in run("images", "--nothing").err
    assert "Like: python -m ksconfig set-image" in run("set-image", "-f", "-").err


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("rolback", "Did you mean rollback?"),
        ("set-images agent r/x:1", "Did you mean set-image?"),
        ("runtime lst", "Did you mean list?"),
        ("runtime zzz", "The commands are create, delete, list, promote, show, use."),
        ("images chekc", "Did you mean check?"),
        ("zzz", "The commands are set-image, images, "),
        ("images --namspace kserve", "--namespace"),
        ("--kserve-verson 0.7 images", "--kserve-version"),
        ("runtime create x --imgae r/x:1", "--image"),
        ("runtime --contxt x list", "--context"),
        ("images check --platfrom linux/arm64", "--platform"),
        ("rollback --to-revison 3", "--to-revision"),
    ],
)
def test_the_nearest_name_is_suggested(line: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(line.split()) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("rollback --to-revision -1", "--to-revision is -1, and must be a number from 0"),
        ("rollback --to-revision last", "--to-revision is 'last', and must be a number from 0"),
        ("history -1", "REVISION is -1, and must be a number from 1"),
        ("history abc", "REVISION is 'abc', and must be a number from 1"),
        ("runtime create x --image r/x:1 --priority -1", "--priority is -1, and must be a number from 1"),
        ("restart --restart-by -1", "'-1' is not one of 'delete', 'rollout'"),
        ("set-image agent --in -1", "'-1' is not one of 'config', 'runtimes'"),
        ("status -1", "unexpected extra argument (-1)"),
    ],
)
def test_what_is_no_number_that_may_stand_there_is_shown_as_given(
    line: str, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(line.split()) == 2
    shown = capsys.readouterr().err
    assert error in shown
    assert shown.isascii()


@pytest.mark.parametrize("line", ["", "runtime"])
def test_a_group_without_a_command_prints_its_help(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(line.split()) == 2
    printed = capsys.readouterr().err.splitlines()
    assert "Commands:" in printed
    assert max(map(len, printed)) <= 80


def test_words_in_quotes_stay_together_in_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    run_here(["set", "--help"])
    assert '--reason "new domain"' in capsys.readouterr().out
