"""What a user does with a manifest, chosen by nothing but its bytes."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any, NamedTuple

from fuzz.judge.reading import Members, objects, pieces, read_json, read_piece, text_at

_TARGETS = (
    "sklearn", "sklearn/v2", "xgboost", "tensorflow", "pytorch", "pytorch/v1", "onnx", "triton", "explainer/art", "agent",
    "storageInitializer", "router", "logger", "batcher", "runtime/kserve-sklearnserver", "runtime/a/b", "storageContainer/default",
    "", "a=b", "explainer/", "é", "runtime/", "SKLEARN",
)  # fmt: skip
_IMAGES = (
    "registry.example:5000/team/server:1.2", ":v9", "a.b/c", f"a.b/c@sha256:{'0123456789abcdef' * 4}", f"a.b/c:1@sha256:{'0' * 64}",
    "x:1", "1:20", "0x1f/a:1e3", "a.b/c:v1-gpu", "a/b:y", "kserve/agent:v0.7.0",
    "", ":", "A/B:c", "a b", "a/b:c:d", "é/é:1", "a/b:" + "v" * 129, "a/b@sha256:1", "latest", "a/b: c", "a/b #c:1",
)  # fmt: skip
_PATHS: tuple[Any, ...] = (
    "predictors.sklearn.v1.image", "agent.image", "ingress", "ingress.a.b[0]", "deploy.defaultDeploymentMode", "/agent/image",
    "predictors", "logger.image", "storageInitializer.memoryLimit", ("agent", "a.b"), ("agent", 0), "", "a..b", "agent[0]",
    "agent.image.x", "/a~1b/~", ("agent", "-"), ("", ""), "_example.x", "agent[99999999999999999999]", ("agent", -1),
)  # fmt: skip
_HUGE = 10**5000  # more digits than Python writes
_VALUES: tuple[Any, ...] = (
    "x", "", "é漢😀", 'say "hi"', "back\\slash", "a\nb", " lead", "trail ", "a: b", "a #b", "#", "- a", "'", "''", "{{ .Name }}", "\t",
    "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ud800", "\ufeff", "\ufffe", "\r\n", "---\n", "\n\n", "a\n ", "true", "null", "y" * 5000,
    0, 1, -1, 1.5, 1e300, float("nan"), float("inf"), 10**30, _HUGE, True, False, None, [], {}, [1, "a", None], {"a": {"b": []}},
    {"a": 1, "A": 2}, {1: 2}, b"bytes", (1, 2), {"a\nb": "\n"}, [[[[]]]],
)  # fmt: skip
_TEXTS = (
    '"a"',
    "1.0",
    "1e400",
    "-0",
    '{"a": 1,\n "b": [ ]}',
    "[\n]",
    '"\\u0041\\/"',
    "1" * 5000,
    "{",
    "",
    "nan",
    '{"a":1,"a":2}',
    "[" * 500 + "]" * 500,
)


class Action(NamedTuple):
    """One thing that a user does.

    Attributes:
        verb: set, unset or set-image.
        subject: a path, or a target.
        value: a Python value, or a text to be taken as JSON (``is_json``), or an image.
    """

    verb: str
    subject: Any
    value: Any = None
    is_json: bool = False
    allow: tuple[str, ...] = ()
    change_type: bool = False
    within: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        value = "a large number" if self.value == _HUGE else f"{self.value!r}"
        return f"{self.verb} {self.subject!r} {value if len(value) < 200 else value[:200] + '...'}"


class Choice(NamedTuple):
    """All that is done with one input."""

    actions: tuple[Action, ...]
    by_command_line: bool
    doctor: bool


def choose(data: bytes, targets: tuple[str, ...], *, few: bool = False) -> Choice:
    """What is done with an input.

    Args:
        targets: the names of the images that are in it.
    """
    random = Random(hashlib.sha256(data).digest())
    paths = paths_in(data)
    actions = [
        _action(random, targets, paths) for _ in range(random.choice((1, 1, 2)) if few else random.choice((1, 2, 3)))
    ]
    return Choice(tuple(actions), random.random() < 0.3, random.random() < 0.2)


def _action(random: Random, targets: tuple[str, ...], paths: list[tuple[Any, ...]]) -> Action:
    version = random.choice((None, None, None, "0.7", "0.2", "0.9", "0.16", "0.20", "x"))
    allow = ("unread", "new-key", "broken-start") if random.random() < 0.5 else ()
    if random.random() < 0.5:
        target = random.choice(targets if targets and random.random() < 0.9 else _TARGETS)
        image = random.choice(_IMAGES[:11] if random.random() < 0.85 else _IMAGES)
        within = random.choice((None, None, None, "config", "runtimes"))
        return Action("set-image", target, image, allow=allow, within=within, version=version)
    path: Any = random.choice(paths) if paths and random.random() < 0.9 else random.choice(_PATHS)
    roll = random.random()
    if roll < 0.15:
        return Action("unset", path, allow=allow, version=version)
    if roll < 0.35 and isinstance(path, tuple):
        path = (
            (*path[:-1], random.choice(("new", "a.b", "é", "x y", "0", "v1")))
            if random.random() < 0.7
            else (*path, "new")
        )
    change_type = random.random() < 0.5
    if random.random() < 0.2:
        return Action("set", path, random.choice(_TEXTS), True, allow, change_type, version=version)
    strings = [value for value in _VALUES if isinstance(value, str)]
    value = random.choice(strings if random.random() < 0.6 else _VALUES)
    return Action("set", path, value, False, allow, change_type, version=version)


def paths_in(data: bytes) -> list[tuple[Any, ...]]:
    """The places inside the JSON of each key, leaves and all, as another reader than ksconfig sees them."""
    found: list[tuple[Any, ...]] = []
    for piece in pieces(data.decode("utf-8", "replace")):
        if "inferenceservice-config" not in piece:
            continue
        try:
            root, _ = read_piece(piece)
        except ValueError:
            continue
        for _, one in objects(root):
            if text_at(one, "metadata", "name") != "inferenceservice-config":
                continue
            entries = next((value for key, value in one.value if key.value == "data"), None)
            if entries is None or entries.kind != "mapping":
                continue
            for key, value in entries.value:
                if value.kind == "scalar" and key.kind == "scalar":
                    found += _paths_of_key(key.value, value.value)
    return found


def _paths_of_key(key: str, text: str) -> list[tuple[Any, ...]]:
    try:
        pending: list[tuple[tuple[Any, ...], Any]] = [((key,), read_json(text))]
    except (ValueError, RecursionError):
        return [(key, "image")]
    found: list[tuple[Any, ...]] = []
    while pending and len(found) < 500:
        path, value = pending.pop()
        found.append(path)
        if isinstance(value, Members):
            pending += [((*path, name), inner) for name, inner in value.pairs]
        elif isinstance(value, list):
            pending += [((*path, index), item) for index, item in enumerate(value)]
    return found
