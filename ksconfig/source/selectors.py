"""The options that make a command see one of several objects of a name, and all that goes with it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from ksconfig.model.plan import ObjectRef


class File(Protocol):
    """What is looked at in a file: where it is, and the directory that was named, if it was found below one."""

    path: Path | None
    root: Path | None


class Named(Protocol):
    """What is looked at in an object."""

    ref: ObjectRef


def selector(files: Sequence[File], file: File, one: Named, rivals: Sequence[tuple[File, Named]]) -> str | None:
    """The options that single out an object among its rivals, or None if none can.

    Its namespace, if that is enough, else its file or folder, and the files that go with all of them.
    """
    others = [(other, rival) for other, rival in rivals if rival is not one]
    if one.ref.namespace and all(rival.ref.namespace not in (one.ref.namespace, None) for _, rival in others):
        return f"-n {shlex.quote(one.ref.namespace)}"
    if any(other is file for other, _ in others):
        return None
    taken = [other for other, _ in rivals]
    folders = {_whole_folder(other, taken) for other, _ in others}
    shown = [_whole_folder(file, taken)]
    for other in files:
        inside = _parents(other) | {other.path}
        if other not in taken and not inside & (folders | set(shown)):
            shown.append(_whole_folder(other, taken))
    return " ".join(f"-f {shlex.quote(str(path or '-'))}" for path in dict.fromkeys(shown))


def _whole_folder(file: File, taken: Iterable[File]) -> Path | None:
    """The largest folder, at most the one that was named, that holds a file and none of the others; else the file."""
    found = file.path
    elsewhere = [_parents(other) for other in taken if other is not file]
    while found and file.root in found.parents and not any(found.parent in parents for parents in elsewhere):
        found = found.parent
    return found


def _parents(file: File) -> set[Path | None]:
    return set(file.path.parents) if file.path else set()
