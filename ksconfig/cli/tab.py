"""Where a Tab begins: before anything is loaded, an alarm is set that ends it within a moment.

Whatever goes wrong, nothing is completed and nothing is said: a Tab is no place for messages.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

#: The variable by which the script of a shell asks for completions.
VARIABLE = "_KSCONFIG_COMPLETE"
#: From here on a Tab may take so long, unless this variable says another number of seconds; the start of Python comes
#: before it.
PATIENCE = "KSCONFIG_COMPLETION_SECONDS"
_SECONDS = 0.7
_MOMENT = 0.01
#: What kubectl is told where there is nothing: no names, and no files either.
_NOTHING = ":4\n"


def seconds() -> float:
    """How long a Tab may take."""
    with suppress(ValueError):
        return max(float(os.environ.get(PATIENCE, _SECONDS)), 0.1)
    return _SECONDS


def complete_for_shell() -> NoReturn:
    """Answer the script of a shell, and end."""

    def answer() -> str:
        from ksconfig.cli.completion import answer_shell

        return answer_shell(os.environ[VARIABLE])

    _silently(answer, "")


def kubectl_complete() -> NoReturn:
    """``kubectl_complete-ksconfig WORD... INCOMPLETE``, as kubectl calls it."""

    def answer() -> str:
        from ksconfig.cli.completion import answer_kubectl

        return answer_kubectl()

    _silently(answer, _NOTHING)


def _silently(answer: Callable[[], str], otherwise: str) -> NoReturn:
    """Print an answer within a moment, else something else; say nothing and end with 0."""

    def print_and_end(text: str) -> NoReturn:
        with suppress(OSError):
            os.write(1, text.encode())
        with suppress(Exception):
            if children := _children():
                children.end_all()
        os._exit(0)  # a process or connection that is waited for would hold it up

    def too_late(_: int, __: FrameType | None) -> None:
        children = _children()
        if children and children.are_starting():  # a moment later it can be ended
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)
        else:
            print_and_end(otherwise)

    with suppress(Exception):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.signal(signal.SIGALRM, too_late)
        signal.setitimer(signal.ITIMER_REAL, seconds())
    text = otherwise
    with suppress(BaseException):
        text = answer()
    print_and_end(text)


def _children() -> Any:
    """What knows the programs that run, unless it is not loaded, or just being so: then there are none."""
    module = sys.modules.get("ksconfig.source.cluster.children")
    return module if hasattr(module, "end_all") else None
