"""How long a call may compute, and how much memory it may take."""

from __future__ import annotations

import faulthandler
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

#: Of processor time, which other work on the machine does not use up.
SECONDS = 5.0
MEBIBYTES = 512
_CEILING = 3 << 30
_STUCK = 120


class TooLong(BaseException):
    """The processor time is used up. No `Exception`, so that nothing on the way takes it for a failure of its own."""


class TooMuch(BaseException):
    """The memory grew by more than the bound."""


def _ring(_: int, __: FrameType | None) -> NoReturn:
    raise TooLong(f"more than {SECONDS:g} s of processor time")


@contextmanager
def bounded(seconds: float = SECONDS) -> Iterator[None]:
    """Raise `TooLong` or `TooMuch` in what takes more than it may.

    What is stuck where Python looks at no signals ends the process, with a trace.
    """
    before = _peak()
    previous = signal.signal(signal.SIGPROF, _ring)
    faulthandler.dump_traceback_later(_STUCK + seconds, exit=True, file=sys.__stderr__ or 2)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGPROF, previous)
    grown = (_peak() - before) >> 20
    if grown > MEBIBYTES:
        raise TooMuch(f"{grown} MiB more memory than before")


def limit_memory() -> None:
    """End in a `MemoryError`, not in a machine that swaps."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = _CEILING if hard == resource.RLIM_INFINITY else min(_CEILING, hard)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))


def _peak() -> int:
    """The most memory that this process has held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
