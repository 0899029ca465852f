"""Mutations that know nothing of what the bytes mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from fuzz.mutations.kit import place, stretch


def _place(random: Random, data: bytes) -> int:
    return place(random, data.decode("latin-1"))


def _span(random: Random, data: bytes) -> tuple[int, int]:
    return stretch(random, data.decode("latin-1"))


def _insert(*choices: bytes) -> Callable[[Random, bytes], bytes]:
    def change(random: Random, data: bytes) -> bytes:
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            at = _place(random, data)
            data = data[:at] + random.choice(choices) + data[at:]
        return data

    return change


def _flip(random: Random, data: bytes) -> bytes:
    if not data:
        return data
    at = min(_place(random, data), len(data) - 1)
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _replace(random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:start] + bytes(random.choices(range(32, 127), k=min(end - start, 8))) + data[end:]


def _delete(random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _duplicate(random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:end] + data[start:]


def _truncate(random: Random, data: bytes) -> bytes:
    at = _place(random, data)
    return data[:at] if random.random() < 0.9 else data[at:]


def _carriage_returns(random: Random, data: bytes) -> bytes:
    share = random.choice((1.0, 1.0, 0.5, 0.05))
    return re.sub(rb"\r?\n", lambda _: b"\r\n" if random.random() < share else b"\n", data)


def _no_final_newline(random: Random, data: bytes) -> bytes:
    return data.rstrip(b"\n") + b"\n" * random.choice((0, 0, 2, 5))


def _bom(random: Random, data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data if random.random() < 0.7 else _insert(b"\xef\xbb\xbf")(random, data)


def _utf_16(random: Random, data: bytes) -> bytes:
    codec = random.choice(("utf-16", "utf-16-le", "utf-32", "latin-1"))
    return data.decode("utf-8", "replace").encode(codec, "replace")


CHANGES: dict[str, Callable[[Random, bytes], bytes]] = {
    "flip a bit": _flip,
    "replace": _replace,
    "delete": _delete,
    "duplicate": _duplicate,
    "insert": _insert(*(bytes([code]) for code in (*range(32, 127), 10, 9))),
    "truncate": _truncate,
    "CRLF": _carriage_returns,
    "CR": _insert(b"\r", b"\r\r\n"),
    "final newline": _no_final_newline,
    "byte order mark": _bom,
    "NUL and controls": _insert(b"\0", b"\x07", b"\x1b[31m", b"\x7f", b"\xc2\x80", b"\xc2\x9b"),
    "invalid UTF-8": _insert(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"),
    "odd line breaks": _insert(b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\x0b", b"\x0c"),
    "beyond ASCII": _insert(
        "é".encode(), "漢".encode(), "😀".encode(), "e\u0301".encode(), b"\xc2\xa0", b"\xe2\x80\xae", b"\xef\xbf\xbd",
        "\u017f".encode(), "\u212a".encode(), b"\xef\xbf\xbe", b"\xef\xbf\xbf",
    ),
    "other encoding": _utf_16,
}  # fmt: skip

UNREADABLE = ("CR", "NUL and controls", "invalid UTF-8", "odd line breaks", "other encoding", "truncate")
