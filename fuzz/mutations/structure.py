"""Mutations of what the objects hold. Where a text cannot be taken apart any more, its lines are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz.mutations.documents import load, print_as
from fuzz.mutations.kit import pick

_MEMBER = re.compile(r'"([\w-]+)"\s*:\s*(?:"(?:[^"\\\n]|\\.)*"|true|false|null|[\d.]+|\[[^\[\]{}]*\]|\{[^{}]*\})')
_LINES = re.compile(r"^( *)([\w-]+):.*\n(?:\1 .*\n|\n)*", re.MULTILINE)
_OTHER: tuple[Any, ...] = (None, 1, -1.5, True, "", "x", [], {}, [{}], {"a": None}, ["x", ["y"]], "y" * 5000, 10**30)


def _same_key_twice(random: Random, text: str) -> str:
    if random.random() < 0.6 and (member := pick(random, _MEMBER, text)):
        name = random.choice((member[1], member[1], member[1].upper(), member[1].title()))
        copy = member[0].replace(member[1], name, 1)
        return text[: member.end()] + ", " + copy + text[member.end() :]
    lines = pick(random, _LINES, text)
    return text[: lines.end()] + lines[0] + text[lines.end() :] if lines else text


def _missing_key(random: Random, text: str) -> str:
    return _changed(random, text, lambda holder, step: holder.pop(step))


def _other_type(random: Random, text: str) -> str:
    def change(holder: Any, step: Any) -> None:
        holder[step] = random.choice(_OTHER)

    return _changed(random, text, change)


def _renamed_key(random: Random, text: str) -> str:
    def change(holder: Any, step: Any) -> None:
        if isinstance(holder, dict):
            new = random.choice(
                ("a.b", "a/b", "", "~", "image", "<<", "v1", "é", " ", "a b", "-", "0", "a[0]", step + "s", "data")
            )
            holder[new] = holder.pop(step)

    return _changed(random, text, change)


def _changed(random: Random, text: str, change: Callable[[Any, Any], Any]) -> str:
    """Change one value: in an object, or inside the JSON of a key."""
    documents = load(text)
    objects = [one for one in documents or () if isinstance(one, dict) and one]
    if documents is None or not objects:
        return _without_lines(random, text)
    root = random.choice(objects)
    data = root.get("data")
    if isinstance(data, dict) and data and random.random() < 0.7:
        key = random.choice(list(data))
        try:
            value = json.loads(data[key])
        except (ValueError, TypeError):
            value = None
        if value and isinstance(value, dict | list):
            _change_somewhere(random, value, change)
            data[key] = json.dumps(
                value, indent=random.choice((None, 0, 2, 4, "\t")), ensure_ascii=random.random() < 0.5
            )
            return print_as(random, documents)
    _change_somewhere(random, root, change)
    return print_as(random, documents)


def _change_somewhere(random: Random, root: Any, change: Callable[[Any, Any], Any]) -> None:
    places: list[tuple[Any, Any]] = []
    pending, seen = [root], set()
    while pending:
        holder = pending.pop()
        if id(holder) in seen:
            continue  # an alias
        seen.add(id(holder))
        steps = list(holder) if isinstance(holder, dict) else range(len(holder))
        places += [(holder, step) for step in steps]
        pending += [holder[step] for step in steps if isinstance(holder[step], dict | list)]
    if places:
        change(*random.choice(places))


def _without_lines(random: Random, text: str) -> str:
    lines = pick(random, _LINES, text)
    return text[: lines.start()] + text[lines.end() :] if lines else text


def _two_configs(random: Random, text: str) -> str:
    second = text
    if random.random() < 0.5:
        second = second.replace("namespace: kserve", "namespace: other")
    between = random.choice(("---\n", "\n---\n", "...\n", "--- # the second\n"))
    return text + between + second if random.random() < 0.8 else text + second


def _list(random: Random, text: str) -> str:
    """The objects as items of a List, of lists in a list at times."""
    documents = load(text)
    if not documents:
        return text
    items = documents
    for _ in range(random.choice((1, 1, 1, 2, 30))):
        kind = random.choice(("List", "List", "ConfigMapList", "list", None))
        items = [{"apiVersion": "v1", **({"kind": kind} if kind else {}), "items": items}]
    return print_as(random, items)


def _only_part(random: Random, text: str) -> str:
    documents = load(text)
    objects = [one for one in documents or () if isinstance(one, dict) and one]
    if not objects:
        return _without_lines(random, text)
    root = random.choice(objects)
    part = random.choice(list(root.values()))
    return print_as(random, [part])


CHANGES: dict[str, Callable[[Random, str], str]] = {
    "a key twice": _same_key_twice,
    "a key missing": _missing_key,
    "another type": _other_type,
    "another name": _renamed_key,
    "two configs": _two_configs,
    "a list": _list,
    "a part alone": _only_part,
}
