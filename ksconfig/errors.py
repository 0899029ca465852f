"""Every error that ksconfig raises, and the exit code that each one means.

    KsconfigError                 1   something failed; nothing else is known about it
    ├── UsageError                2   what was asked for cannot be right, whatever the files hold
    │   ├── InvalidReference      2   an IMAGE that the OCI grammar does not allow
    │   └── InvalidPath           2   a PATH that is neither key.field[0] nor a JSON Pointer
    ├── NotFound                  1   the named thing is not there
    │   ├── ConfigNotFound        1   no ConfigMap inferenceservice-config
    │   ├── TargetNotFound        1   no such framework or image (lists what exists)
    │   ├── PathNotFound          1   no such value inside the config
    │   └── RevisionNotFound      1   no such revision, or none left to undo
    ├── FileFailure               1   a file cannot be read or written
    ├── ClusterFailure            1   the API server does not answer, or answers with an error
    │   └── RightMissing          1   401 or 403: the message names the right
    ├── Declined                  1   a person said no at the prompt
    ├── Refused                   3   unsafe: needs a person, or an ``--allow``
    │   ├── Ambiguous             3   two things answer to the name
    │   ├── InvalidDocument       3   YAML or JSON that cannot be read (line, column, picture)
    │   └── UnsupportedEdit       3   the text cannot take the change and keep its form
    ├── Conflict                  4   somebody wrote meanwhile
    ├── NotReady                  5   written, and the controller does not serve
    │   ├── RolloutFailed         5   proven: it crashes, or its image cannot be pulled
    │   ├── RolloutTimeout        5   not yet, and the time is over
    │   └── ModelsNotReady        6   the controller serves, and services do not run the new image (yet)
    ├── RolledBack                7   failed, and the old state serves again
    └── InternalError             1   a fault of ours, such as an edit that the proof does not confirm

A message has three parts, kept apart as attributes: what was *not done*, *why* (with the value seen) and what to do
next (*advice*). Code that finds a fault knows why; only the operation that called it knows what is therefore not done,
so that part is filled in on the way up (`not_done`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from ksconfig.secrecy import hide


class ExitCode(IntEnum):
    """What the process tells its caller; the README holds the same table."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    CONFLICT = 4
    NOT_READY = 5
    MODELS_NOT_READY = 6
    ROLLED_BACK = 7
    INTERRUPTED = 130
    TERMINATED = 143


def on_one_line(text: str) -> str:
    """The text with its line breaks written out: one in a value that was seen makes no line of its own."""
    return text.replace("\n", "\\n")


class KsconfigError(Exception):
    """Base of all errors.

    Attributes:
        why: the reason, with the value that was seen; no final full stop.
        not_done: the thing that did not happen, a clause like "sklearn was not changed"; filled in by the operation.
        advice: what to do next, or None.
        picture: lines of the source with a caret under the fault, or None.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, why: str, *, advice: str | None = None, picture: str | None = None) -> None:
        why = on_one_line(hide(why))
        super().__init__(why)
        self.why = why
        self.advice = on_one_line(hide(advice)) if advice else advice
        self.picture = picture
        self.not_done: str | None = None

    def __str__(self) -> str:
        head = on_one_line(f"{self.not_done}: {self.why}" if self.not_done else self.why)
        if self.picture:
            return "\n".join(part for part in (head, self.picture, self.advice) if part)
        return f"{head}. {self.advice}" if self.advice else head


class UsageError(KsconfigError):
    """What was asked for cannot be right, whatever the files or the cluster hold."""

    exit_code = ExitCode.USAGE


class InvalidReference(UsageError, ValueError):
    """An image reference that the OCI distribution grammar does not allow."""


class InvalidPath(UsageError, ValueError):
    """A path that is neither ``key.field[0]`` nor a JSON Pointer."""


class NotFound(KsconfigError, LookupError):
    """The named thing is not there."""


class ConfigNotFound(NotFound):
    """No ConfigMap ``inferenceservice-config`` in what was read."""


class TargetNotFound(NotFound):
    """No image of that name; ``known`` lists the names that exist."""

    def __init__(self, why: str, *, known: tuple[str, ...] = (), advice: str | None = None) -> None:
        super().__init__(why, advice=advice)
        self.known = known


class PathNotFound(NotFound):
    """No value at that path."""


class RevisionNotFound(NotFound):
    """No revision of that number, or none that could be undone."""


class FileFailure(KsconfigError, OSError):
    """A file cannot be read or written; ``path`` names it.

    Attributes:
        written: the files that were written before it, by their paths as given.
    """

    def __init__(self, why: str, *, path: str, advice: str | None = None) -> None:
        super().__init__(why, advice=advice)
        self.path = path
        self.written: tuple[str, ...] = ()


class ClusterFailure(KsconfigError):
    """The API server does not answer, or answers with an error.

    Attributes:
        status: the HTTP status; 0 if there was no answer.
        reason: the reason of its Status ("NotFound", "Invalid"), or "".
        retry_after: the seconds that the server asked to wait; 0 if it asked for nothing.
        left: the objects that were changed before, and could not be put back.
    """

    left: tuple[str, ...] = ()

    def __init__(
        self, why: str, *, status: int = 0, reason: str = "", retry_after: float = 0.0, advice: str | None = None
    ) -> None:
        super().__init__(why, advice=advice)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class RightMissing(ClusterFailure):
    """401 or 403; the message names the right that is missing."""


class Declined(KsconfigError):
    """A person said no at the prompt; nothing was written."""


class Refused(KsconfigError):
    """Unsafe as it stands. ``allow`` is the word for ``--allow`` that lets a person go on, or None."""

    exit_code = ExitCode.REFUSED

    def __init__(
        self, why: str, *, allow: str | None = None, advice: str | None = None, picture: str | None = None
    ) -> None:
        super().__init__(why, advice=advice, picture=picture)
        self.allow = allow


class Ambiguous(Refused):
    """Two or more things answer to the name; the message lists them.

    Attributes:
        selectors: options that single each one out ("-n kserve", "-f overlays/prod"); empty where none can.
    """

    def __init__(
        self, why: str, *, selectors: tuple[str, ...] = (), allow: str | None = None, advice: str | None = None
    ) -> None:
        if selectors and advice is None:
            advice = f"Say which, with {' or '.join(selectors)}."
        super().__init__(why, allow=allow, advice=advice)
        self.selectors = selectors


class InvalidDocument(Refused, ValueError):
    """A text that is not what it must be (YAML, JSON), with the place of the first fault.

    Attributes:
        reason: the fault alone, in plain words.
        line, column: its place, counted from 1 in code points, or None when the text has no such place.
        label: the file, or the object and key, that the place counts in; None for a bare text.
    """

    def __init__(
        self,
        reason: str,
        *,
        line: int | None = None,
        column: int | None = None,
        label: str | None = None,
        picture: str | None = None,
        advice: str | None = None,
    ) -> None:
        place = [label] if label else []
        if line is not None:
            place.append(f"line {line}, column {column}")
        super().__init__(f"{', '.join(place)}: {reason}" if place else reason, advice=advice, picture=picture)
        self.reason = reason
        self.line = line
        self.column = column
        self.label = label


class UnsupportedEdit(Refused):
    """The text cannot take the change without losing its form (a YAML style that cannot hold the value, say)."""


class Conflict(KsconfigError):
    """Somebody wrote meanwhile; nothing of theirs was overwritten.

    Attributes:
        left: the objects of ours that were changed before, and could not be put back.
    """

    exit_code = ExitCode.CONFLICT
    left: tuple[str, ...] = ()


class NotReady(KsconfigError):
    """What was to be written is written, and the controller does not serve with it (yet).

    Attributes:
        revision: the number of the record, to go back from; None without history.
    """

    exit_code = ExitCode.NOT_READY

    def __init__(self, why: str, *, advice: str | None = None, revision: int | None = None) -> None:
        super().__init__(why, advice=advice)
        self.revision = revision


class RolloutFailed(NotReady):
    """The controller is proven not to come up: it crashes, or its image cannot be pulled.

    Attributes:
        by_config: whether the config can have caused it.
        log: the last lines that it wrote, "" if they cannot be read.
    """

    def __init__(
        self,
        why: str,
        *,
        advice: str | None = None,
        revision: int | None = None,
        by_config: bool = False,
        log: str = "",
    ) -> None:
        super().__init__(why, advice=advice, revision=revision)
        self.by_config = by_config
        self.log = log


class RolloutTimeout(NotReady):
    """The controller does not serve yet, and the time is over; the message says what was still missing."""


class ModelsNotReady(NotReady):
    """The controller serves, and services that were to change do not run their new image, or are not ready with it.

    Attributes:
        failed: whether it is proven that they will not: a pod crashes, or its image cannot be pulled.
        services: those that are not there yet, as NAMESPACE/NAME.
    """

    exit_code = ExitCode.MODELS_NOT_READY

    def __init__(
        self, why: str, *, advice: str | None = None, failed: bool = False, services: tuple[str, ...] = ()
    ) -> None:
        super().__init__(why, advice=advice)
        self.failed = failed
        self.services = services


class RolledBack(KsconfigError):
    """The change failed, was taken back, and the old state serves again."""

    exit_code = ExitCode.ROLLED_BACK


class InternalError(KsconfigError):
    """A fault in ksconfig itself; what its own proof finds is found before anything is written."""


@contextmanager
def not_done(clause: str) -> Iterator[None]:
    """Name what therefore does not happen, for every error that leaves the block without saying so itself."""
    try:
        yield
    except KsconfigError as error:
        if error.not_done is None:
            error.not_done = clause
        raise
