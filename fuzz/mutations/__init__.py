"""What is done to a manifest: to its bytes, its tokens, its structure."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from fuzz.mutations import raw, restyle, structure, tokens
from fuzz.seeds import Seeds, shortened

Change = Callable[[Random, bytes], bytes]


class Kind(NamedTuple):
    """A kind of mutation, as the report names it."""

    name: str
    change: Change


def _of_text(change: Callable[[Random, str], str]) -> Change:
    """A change of a text for bytes that may be no UTF-8."""

    def of_bytes(random: Random, data: bytes) -> bytes:
        text = change(random, data.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8", "surrogatepass" if "\ud83d" in text else "surrogateescape")

    return of_bytes


KINDS: tuple[Kind, ...] = (
    *(Kind(f"bytes: {name}", change) for name, change in raw.CHANGES.items()),
    *(Kind(f"tokens: {name}", _of_text(change)) for name, change in tokens.CHANGES.items()),
    *(Kind(f"structure: {name}", _of_text(change)) for name, change in structure.CHANGES.items()),
    *(Kind(f"style: {name}", _of_text(change)) for name, change in restyle.CHANGES.items()),
)

#: Those after which a text can still be read. Of the others one is enough.
_READABLE = tuple(kind for kind in KINDS if kind.name.removeprefix("bytes: ") not in raw.UNREADABLE)


class Input(NamedTuple):
    """One input: ``kinds`` are the mutations that made it."""

    name: str
    data: bytes
    kinds: tuple[str, ...]


def make_input(seeds: Seeds, seed: int, index: int) -> Input:
    """Input ``index`` of a run; the same for the same numbers and seeds."""
    random = Random(f"{seed}/{index}")
    chosen = seeds.choose(random)
    text = shortened(chosen.text, random) if random.random() < 0.8 else chosen.text
    data = text.encode("utf-8")
    first = KINDS[index % len(KINDS)]  # so that even a short run comes to all
    kinds = [first, *random.choices(_READABLE, k=random.choice((0, 0, 0, 1, 1, 2, 3)))]
    kinds.sort(key=lambda kind: not kind.name.startswith("style"))  # a new style would undo what came before
    for kind in kinds:
        data = kind.change(random, data)
    return Input(f"{chosen.name} seed {seed} input {index}", data, tuple(dict.fromkeys(kind.name for kind in kinds)))
