"""The program: its group of commands, and how every error becomes one message and one exit code."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import signal
import sys
import traceback
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ksconfig import __version__
from ksconfig.cli import output
from ksconfig.cli.commands import PROGRAM, Group
from ksconfig.cli.options import Settings, shared_options
from ksconfig.errors import Ambiguous, ExitCode, InternalError, KsconfigError, RolledBack, UsageError, on_one_line

if TYPE_CHECKING:
    from ksconfig.cli import documents

#: The commands in the order of the help: where each is, so that only the one that is called is loaded.
_COMMANDS = {
    "set-image": ("config_commands", "set_image"),
    "images": ("config_commands", "images"),
    "get": ("config_commands", "get"),
    "set": ("config_commands", "set_"),
    "unset": ("config_commands", "unset"),
    "doctor": ("doctor_command", "doctor"),
    "runtime": ("runtime_commands", "runtime"),
    "history": ("cluster_commands", "history"),
    "rollback": ("cluster_commands", "rollback"),
    "restart": ("cluster_commands", "restart"),
    "status": ("cluster_commands", "status"),
    "completion": ("shell_commands", "completion"),
    "schema": ("shell_commands", "schema"),
}


class _Commands(Group):
    """Commands in the order of use; the one that is called is loaded."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"ksconfig.cli.{module}"), name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    examples=(
        "set-image sklearn registry.example/team/sklearnserver:1.2 -f kserve.yaml",
        "set-image sklearn registry.example/team/sklearnserver:1.2 --dry-run",
        "images",
        "rollback",
    ),
)
@shared_options
@click.version_option(__version__, message="ksconfig %(version)s")
def cli() -> None:
    """Swap what serves your KServe models.

    ksconfig edits one value inside the ConfigMap inferenceservice-config, or the image of a serving runtime, and leaves
    every other byte as it is.
    """


class _Terminated(BaseException):
    """SIGTERM arrived."""


def _on_sigterm(_: int, __: FrameType | None) -> NoReturn:
    raise _Terminated


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    sys.exit(int(run(sys.argv[1:] if arguments is None else arguments, called_as(sys.argv[0]))))


def called_as(path: str) -> str:
    """The program's name as a person types it, from the path that it was called by."""
    name = os.path.basename(path)
    if name == "__main__.py":
        return "python -m ksconfig"
    return "kubectl ksconfig" if name.startswith("kubectl-") else PROGRAM


def run(arguments: list[str], program: str = PROGRAM) -> int:
    """Run the command line; the exit code."""
    settings = Settings(program=program)
    try:
        return _run(arguments, settings)
    except BrokenPipeError:
        # whoever read our output has gone; what was to be written is written
        _drop_output()
        return ExitCode.DONE if settings.written or settings.restarted else ExitCode.FAILED
    except OSError as error:
        return _unprinted(error, settings)


def _run(arguments: list[str], settings: Settings) -> int:
    """The exit code of the command; only output that cannot be printed leaves it as an exception."""
    try:
        # click gives the code of its own Exit, and what the command returns, which is nothing
        code: int | None = cli.main(arguments, prog_name=settings.program, standalone_mode=False, obj=settings)
        if sys.stdout is not None:
            sys.stdout.flush()
    except KsconfigError as error:
        if isinstance(error, Ambiguous) and error.selectors:
            error.advice = _ready_made(arguments, error.selectors, settings.program)
        return _report(error, settings)
    except click.ClickException as error:
        return _misused(error, arguments, settings)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(ExitCode.INTERRUPTED, settings)
    except _Terminated:
        return _interrupted(ExitCode.TERMINATED, settings)
    except SystemExit:  # all that click makes of a broken pipe
        raise BrokenPipeError from None
    except OSError as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # click prints an end of the line first, and nobody reads
            return _interrupted(ExitCode.INTERRUPTED, settings)
        if error.filename is None:  # of printing: all that opens something knows its name
            raise
        return _internal(error, settings)
    except Exception as error:
        return _internal(error, settings)
    return code or ExitCode.DONE


def _report(error: KsconfigError, settings: Settings) -> int:
    output.remark_lines(f"error: {error}")
    _error_document(error, settings)
    return error.exit_code


def _error_document(error: KsconfigError, settings: Settings, **more: Any) -> None:
    if settings.for_machines:
        fault = output.error_content(error)
        fault.update(more)  # type: ignore[typeddict-item]  # names of its fields, as keywords
        content: documents.Error = {
            "apiVersion": output.API_VERSION,
            "kind": "Error",
            "changed": settings.written and not isinstance(error, RolledBack),
            "restarted": settings.restarted,
            "rolledBack": isinstance(error, RolledBack) or settings.taken_back,
            "error": fault,
        }
        try:
            output.document(content, settings.output)
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError as unprinted:  # the exit code tells it all the same
            _drop_output()
            if not isinstance(unprinted, BrokenPipeError):
                output.remark(f"error: the document could not be printed: {unprinted.strerror or unprinted}")


def _misused(error: click.ClickException, arguments: list[str], settings: Settings) -> int:
    """What click found wrong with the command line, told like every other error."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        output.remark_lines(error.format_message())  # the help
        return error.exit_code
    if isinstance(error, click.UsageError) and error.ctx:
        output.remark_lines(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n")
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    form = _FORM.search("\0".join(options))
    if form:  # click may have stopped before it came to this option
        settings.output = form[1]
    message = re.sub(r"\n\s*", " ", error.format_message())  # click lists choices on lines of their own
    return _report(UsageError(message), settings)


#: Where options, with a NUL between them, ask for a document.
_FORM = re.compile(r"(?:^|\0)(?:-[vy]*o\0?|--output[=\0])(json|yaml)(?:\0|$)")


def _ready_made(arguments: list[str], selectors: tuple[str, ...], program: str) -> str:
    """The same command once for each thing that it may mean."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options, values = arguments[:split], arguments[split:]
    rest, words = [], iter(options)
    for word in words:
        short = re.fullmatch(r"-([vy]*)f(.*)", word)
        if word == "--filename" or (short and not short[2]):
            next(words, None)
        if short and short[1]:
            rest.append(f"-{short[1]}")
        elif not short and not word.startswith("--filename"):
            rest.append(word)
    bases = {"-f": shlex.join(rest), "-n": shlex.join(options)}
    commands = (f"  {program} {bases[one[:2]]} {one} {shlex.join(values)}".rstrip() for one in selectors)
    return "\n".join(["Run one of these:", *map(on_one_line, commands)])


def _interrupted(code: ExitCode, settings: Settings) -> int:
    tells = f"{settings.program} status tells"
    if settings.files:
        saved = ", ".join(settings.saved)
        said = f"written is {saved}, and every other file is as it was" if saved else "no file was written"
    elif settings.written or settings.taken_back:
        record = f" (revision {settings.revision})" if settings.revision else ""
        state = "the controller serves" if settings.served else "the controller may not have been restarted"
        said = f"the change is {'written' if settings.written else 'taken back'}{record}, and {state}"
    elif settings.served:
        said = f"nothing was to be written, and services were not waited for to the end ({tells})"
    else:
        said = f"nothing is known to be written ({tells})"
    again = f"{settings.program} restart" if settings.taken_back else "the same command"
    output.remark(f"interrupted: {said}; {again} goes on from there")
    stopped = KsconfigError(said, advice=f"{again[0].upper()}{again[1:]} goes on from there.")
    _error_document(stopped, settings, type="Interrupted", exitCode=int(code))
    return code


def _drop_output() -> None:
    """Let the flush at the end of the process go nowhere."""
    sys.stdout = output.nowhere()


def _unprinted(error: OSError, settings: Settings) -> int:
    _drop_output()
    state = "the change is saved" if settings.written else "nothing was saved"
    output.remark(f"error: {state}, but the result could not be printed: {error.strerror or error}")
    return ExitCode.FAILED


def _internal(error: Exception, settings: Any) -> int:
    if settings.verbose:
        output.remark_lines(traceback.format_exc().rstrip())
    state = "after the change was saved" if settings.written else "nothing was saved"
    why = f"internal error, {state}: {type(error).__name__}: {error}"
    return _report(InternalError(why, advice="Please report it, with the output of the same command and -v."), settings)
