"""Where running sandboxes are: a folder each, locked for as long as it lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LONGEST_SOCKET = 100  # characters of a path; the system takes 107


def base() -> Path:
    """The folder of all sandboxes of this user."""
    return Path(tempfile.gettempdir()) / f"ksconfig-sandbox-{os.getuid()}"


@dataclass(frozen=True)
class Place:
    """The folder of one sandbox."""

    folder: Path

    @property
    def name(self) -> str:
        """The sandbox's name."""
        return self.folder.name

    @property
    def control(self) -> Path:
        """The socket that takes orders."""
        return self.folder / "control"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig for the world outside."""
        return self.folder / "kubeconfig"

    @property
    def programs(self) -> Path:
        """A folder for PATH that holds kubectl."""
        return self.folder / "bin"

    @property
    def lock(self) -> Path:
        """Locked by the sandbox while it lives."""
        return self.folder / "lock"

    def kill(self) -> None:
        """Kill the process that started the first one inside; all others go with it."""
        try:
            pid = int((self.folder / "pid").read_text())
            command = Path("/proc", str(pid), "cmdline").read_bytes().decode(errors="replace")
            if str(self.folder) in command:
                os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError):
            return

    def alive(self) -> bool:
        """Whether somebody holds the lock."""
        try:
            with self.lock.open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except FileNotFoundError:
            return False
        except OSError:
            return True


class Taken(Exception):
    """A sandbox of that name runs already."""


def claim(name: str) -> tuple[Place, int]:
    """A fresh folder for a sandbox, and the file descriptor that holds its lock.

    Raises:
        Taken: one of that name runs already.
        ValueError: the name cannot be a folder's.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", name):
        raise ValueError(f"{name!r} is no name: letters, digits, dots, dashes, at most 41 of them")
    place = Place(base() / name)
    if len(str(place.control)) > _LONGEST_SOCKET:
        raise ValueError(f"{place.control} is too long for a socket: name a shorter folder with TMPDIR")
    with _alone(base()):
        _remove_left_over()
        if place.folder.exists():
            raise Taken(name)
        place.folder.mkdir(mode=0o700)
        lock = os.open(place.lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return place, lock


def living() -> list[Place]:
    """The sandboxes that run; what killed ones left is removed."""
    if not base().is_dir():
        return []
    with _alone(base()):
        _remove_left_over()
        found = [Place(folder) for folder in sorted(base().iterdir()) if folder.is_dir()]
    if not found:
        _remove_empty(base())
    return found


def forget(place: Place) -> None:
    """Remove the folder of a sandbox, and that of all when it was the last one."""
    shutil.rmtree(place.folder, ignore_errors=True)
    _remove_empty(place.folder.parent)  # not base(): inside its namespace a sandbox is another user


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        with _alone(folder):
            if not any(one.is_dir() for one in folder.iterdir()):
                (folder / ".lock").unlink()
        folder.rmdir()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else makes or removes folders in this one meanwhile."""
    path = folder / ".lock"
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            lock = path.open("w")
        except FileNotFoundError:
            continue
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # The last one out removes the file: then this is the lock of nothing.
            if path.exists() and os.fstat(lock.fileno()).st_ino == path.stat().st_ino:
                yield
                return


def _remove_left_over() -> None:
    for folder in base().iterdir():
        if folder.is_dir() and not Place(folder).alive():
            shutil.rmtree(folder, ignore_errors=True)
