"""Changed files are written all or none, each at one stroke, by one ksconfig at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ksconfig.errors import Conflict, FileFailure

if TYPE_CHECKING:
    from ksconfig.source.files import ManifestFile

_PART = 1 << 20
_PATIENCE = 10.0  # another ksconfig holds a file for as long as a disk takes to write it
_PAUSE = 0.02


def encoded(text: str) -> Iterator[bytes]:
    """A text in UTF-8, part by part: a large one is not held twice."""
    for start in range(0, len(text), _PART):
        yield text[start : start + _PART].encode("utf-8")


def save_all(files: Sequence[ManifestFile]) -> None:
    """Write files that have a path, all checked and all on the disk before the first takes its name.

    Raises:
        Conflict: a file was changed by somebody else since it was read.
        FileFailure: a file cannot be written; the message says of all files whether they are as they were.
    """
    with contextlib.ExitStack() as stack:
        saves = [_Save(file) for file in files]
        for save in sorted(saves, key=lambda save: save.target):  # one order for all writers
            stack.enter_context(save)
        for save in saves:
            save.check_unchanged()
        with _all_as_they_were(len(saves)):
            for save in saves:
                save.stage()
        for save in saves:  # staging takes its time
            save.check_unchanged()
        done: list[str] = []
        for save in saves:
            with _some_written(done):
                save.replace()
            done.append(save.file.label)


@contextlib.contextmanager
def _all_as_they_were(count: int) -> Iterator[None]:
    try:
        yield
    except FileFailure as error:
        error.advice = f"{'The file is as it was' if count == 1 else 'All files are as they were'}. {error.advice}"
        raise


@contextlib.contextmanager
def _some_written(done: list[str]) -> Iterator[None]:
    """Say which files are written already when another one cannot be; hardly possible, since all were staged."""
    try:
        yield
    except FileFailure as error:
        error.written = tuple(done)
        if done:
            error.not_done = "not all files were saved"
            error.advice = (
                f"Written are {', '.join(done)}; the others are as they were. {error.advice} "
                "Then run the same command again, which goes on from there."
            )
        else:
            error.advice = f"The file is as it was. {error.advice}"
        raise


class _Save:
    """One file on its way: locked, staged beside itself, renamed. Whatever happens, no other file is left."""

    def __init__(self, file: ManifestFile) -> None:
        assert file.path is not None
        self.file = file
        self.path = file.path
        try:
            self.target = file.path.resolve()  # a link stays a link
        except (OSError, RuntimeError) as error:
            raise self._failure(str(error), _CHECK) from None
        self._lock: int | None = None
        self._staged: str | None = None

    def __enter__(self) -> _Save:
        try:
            self._check_writable()
            self._lock = self._locked()
        except FileFailure:
            raise
        except OSError as error:
            raise self._failure(error.strerror or str(error), _CHECK) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._staged is not None:
            try:
                os.unlink(self._staged)
            except FileNotFoundError:
                self.file.saved()  # a signal came right after it took its name
            except OSError:
                pass
        if self._lock is not None:
            os.close(self._lock)

    def _check_writable(self) -> None:
        if not stat.S_ISREG(self.path.stat().st_mode):
            raise self._failure("it is no regular file", "Use -f - to read standard input and write standard output.")
        if not os.access(self.path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise self._failure("it is read-only", "Make it writable, or edit a copy.")

    def _locked(self) -> int:
        """Keep other ksconfigs from the file until this one is done with it; an open descriptor.

        The lock is on the file that has the name now: who waited for one that was replaced meanwhile begins again.
        """
        until = time.monotonic() + _PATIENCE
        while True:
            descriptor = os.open(self.target, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                if time.monotonic() > until:
                    raise Conflict(
                        f"{self.file.label} has been locked by another program for {_PATIENCE:g} s",
                        advice="Nothing was written. Run the same command again when that has ended.",
                    ) from None
                time.sleep(_PAUSE)
                continue
            except OSError:
                return descriptor  # a file system without locks; the comparisons still hold
            if os.path.samestat(os.fstat(descriptor), os.stat(self.target)):
                self._sweep()
                return descriptor
            os.close(descriptor)

    def _sweep(self) -> None:
        """Remove what a ksconfig that was killed has left; under the lock there is no other that could need it."""
        with contextlib.suppress(OSError):
            for left in self.target.parent.iterdir():
                if left.name.startswith(self._prefix) and left.name.endswith(_SUFFIX):
                    left.unlink()

    @property
    def _prefix(self) -> str:
        return f".{self.target.name}.ksconfig-"

    def check_unchanged(self) -> None:
        """Refuse to overwrite what somebody else wrote."""
        try:
            with self.path.open("rb") as stream:
                unchanged = self.file.is_unchanged(stream)
        except OSError as error:
            raise self._failure(error.strerror or str(error), _CHECK) from None
        if not unchanged:
            raise Conflict(
                f"{self.file.label} was changed by somebody else since it was read",
                advice="Nothing was written. Run the same command again.",
            )

    def stage(self) -> None:
        """Write the new text beside the file, down to the disk."""
        try:
            status = self.target.stat()
            # `tempfile` loads half a megabyte of hashes and compressors; under the lock the name is free
            staged = str(self.target.with_name(f"{self._prefix}{os.getpid()}{_SUFFIX}"))
            descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            self._staged = staged
            with os.fdopen(descriptor, "wb") as out:
                out.writelines(encoded(self.file.text))
                out.flush()
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    with contextlib.suppress(OSError):
                        os.fchown(out.fileno(), status.st_uid, status.st_gid)
                os.fchmod(out.fileno(), stat.S_IMODE(status.st_mode))
                os.fsync(out.fileno())
        except OSError as error:
            raise self._failure(error.strerror or str(error), self._check_directory) from None

    def replace(self) -> None:
        """Give the new file the name of the old: a reader sees the old bytes or the new, never a part."""
        assert self._staged is not None
        try:
            os.replace(self._staged, self.target)
        except OSError as error:
            raise self._failure(error.strerror or str(error), self._check_directory) from None
        self._staged = None
        _sync_directory(self.target.parent)
        self.file.saved()

    @property
    def _check_directory(self) -> str:
        return f"Check the space and rights of its directory, {self.target.parent}."

    def _failure(self, reason: str, advice: str) -> FileFailure:
        return FileFailure(f"{self.file.label} cannot be written: {reason}", path=self.file.label, advice=advice)


_CHECK = "Check the file and its directory."
_SUFFIX = ".tmp"


def _sync_directory(directory: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot sync a directory; the rename stands all the same
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
