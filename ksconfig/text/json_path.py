"""Paths into the JSON of one config, and the node a path leads to.

A path is a tuple: names are strings, array indexes are integers. Its written forms are ``key.field[0]`` and, for names
that hold a dot, a JSON Pointer (RFC 6901) ``/key/field/0``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ksconfig.errors import Ambiguous, InvalidPath, PathNotFound, Refused
from ksconfig.text.json_scanner import Node, fold

Step = str | int
Path = tuple[Step, ...]

_SEGMENT = re.compile(r"([^.\[\]]+)((?:\[(?:0|[1-9][0-9]{0,8})\])*)")
_PLAIN_NAME = re.compile(r"[^.\[\]/]+")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def parse_path(path: str | Sequence[Step]) -> Path:
    """The path as a tuple.

    In a pointer an index cannot be told from a name before the array is seen, so it stays a string; `find` takes it as
    an index where an array stands. ``-`` and an index one past the end mean a new last item.

    Raises:
        InvalidPath: the text has neither form, or a step of a tuple is neither a name nor an index from 0.
    """
    if not isinstance(path, str):
        for step in path:
            if isinstance(step, bool) or not isinstance(step, str | int) or (isinstance(step, int) and step < 0):
                raise InvalidPath(f"{step!r} is no step of a path", advice="A step is a name, or an index from 0.")
        if not path:
            raise InvalidPath("the path is empty", advice=_EXAMPLE)
        return tuple(path)
    if path.startswith("/"):
        if re.search(r"~(?![01])", path):
            raise InvalidPath(
                f'"{path}" is no JSON Pointer: "~" must be written ~0', advice='Write "~" as ~0 and "/" as ~1.'
            )
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))
    steps: list[Step] = []
    for segment in path.split("."):
        match = _SEGMENT.fullmatch(segment)
        if not match:
            raise InvalidPath(f'"{path}" is no path', advice=_EXAMPLE)
        steps.append(match[1])
        steps += [int(index) for index in re.findall(r"[0-9]+", match[2])]
    return tuple(steps)


_EXAMPLE = (
    "Write it like predictors.sklearn.v1.image or predictors.tensorflow.supportedFrameworks[0], "
    "or as a JSON Pointer like /predictors/sklearn/v1/image."
)


def format_path(path: Sequence[Step]) -> str:
    """The written form of a path: dotted, or a JSON Pointer when a name would not survive that."""
    if (
        path
        and all(isinstance(step, int) or _PLAIN_NAME.fullmatch(step) for step in path)
        and not isinstance(path[0], int)
    ):
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class Found(NamedTuple):
    """How far a path leads.

    Attributes:
        node: the node it ends at, or the deepest one there is.
        rest: the steps that lead on from there to what does not exist; empty if the path was found whole.
        at: the place of ``node`` in its parent, or None for the root.
        parent: the container of ``node``, or None for the root.
        path: the whole path as each place is named once: an index is an integer, and ``-`` the one after the last.
    """

    node: Node
    rest: Path
    parent: Node | None
    at: int | None
    path: Path


def find(root: Node, path: Path, prefix: Path = ()) -> Found:
    """Follow a path from a node.

    Args:
        prefix: the path of ``root`` itself, for messages.

    Raises:
        Ambiguous: an object on the way has a duplicate, or a name in other case, of a name on the path.
        PathNotFound: a step needs an object or array, and something else stands there.
    """
    found = Found(root, (), None, None, ())
    for depth, step in enumerate(path):
        node = found.node
        here = prefix + path[:depth]
        if node.kind == "object":
            index, name = _member(node, step, here), step
        elif node.kind == "array":
            index = name = _item(node, step, here)
        else:
            raise PathNotFound(
                f"{format_path(here)} is the {node.kind} {_short(node.source)}, so nothing lies at "
                f"{format_path(prefix + path)}",
                advice=f"Ask for {format_path(here)} itself.",
            )
        if index is None or index >= len(node.children):
            rest = (name, *path[depth + 1 :])
            return found._replace(rest=rest, path=found.path + rest)
        found = Found(node.children[index], (), node, index, (*found.path, name))
    return found


def _member(node: Node, step: Step, here: Path) -> int | None:
    if isinstance(step, int):
        raise PathNotFound(f"{format_path(here)} is an object, not an array, so it has no item [{step}]")
    folded = fold(step)
    same = [index for index, name in enumerate(node.names) if fold(name.string) == folded]
    if len(same) > 1:
        places = " and ".join(f"{node.names[i].source} at {node.origin.position(node.names[i].start)}" for i in same)
        raise Ambiguous(
            f"{format_path(here)} holds {step} more than once: {places}; KServe does not tell them apart "
            "and takes the last value of each field",
            advice="Remove all but one by hand, then try again.",
        )
    return same[0] if same and node.names[same[0]].string == step else None


def _item(node: Node, step: Step, here: Path) -> int:
    count = len(node.children)
    if step == "-":
        return count
    if isinstance(step, str) and not _INDEX.fullmatch(step):
        raise PathNotFound(
            f'{format_path(here)} is an array of {count}, and "{step}" is no index',
            advice=f"Items are {format_path(here)}[0] and so on.",
        )
    return int(step)


def missing(found: Found, path: Path) -> PathNotFound:
    """The error for a path that does not lead to the end, with the nearest name there is."""
    here = path[: len(path) - len(found.rest)]
    step = found.rest[0]
    if found.node.kind == "array":
        return PathNotFound(
            f"{format_path(path)} is not there: {format_path(here)} has {len(found.node.children)} items"
        )
    names = [name.string for name in found.node.names]
    near = difflib.get_close_matches(str(step), names, 1) or [n for n in names if fold(n) == fold(str(step))]
    if near:
        return PathNotFound(
            f"{format_path(path)} is not there",
            advice=f"Did you mean {format_path((*here, near[0], *found.rest[1:]))}?",
        )
    listed = ", ".join(names) if names else "nothing"
    return PathNotFound(f"{format_path(path)} is not there: {format_path(here)} holds {listed}")


def refuse_other_case(found: Found, path: Path) -> None:
    """Refuse a name that is there in another case only: KServe takes the two for one.

    Raises:
        Refused: such a name is there.
    """
    if found.node.kind != "object":
        return
    step = str(found.rest[0])
    for name in found.node.names:
        if fold(name.string) == fold(step):
            here = path[: len(path) - len(found.rest)]
            right = format_path((*here, name.string, *found.rest[1:]))
            raise Refused(
                f"{name.source} at {name.origin.position(name.start)} differs from {step} only in case, and KServe "
                "takes the two for one",
                advice=f"Say {right}.",
            )


def _short(source: str) -> str:
    return source if len(source) <= 60 else source[:57] + "..."


def walk(root: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with its path, parents first, the last child of each before the others."""
    pending = [(path, root)]
    while pending:
        at, node = pending.pop()
        yield at, node
        steps: Sequence[Step] = [name.string for name in node.names] if node.names else range(len(node.children))
        pending += [((*at, step), child) for step, child in zip(steps, node.children, strict=True)]
