"""Mutations of what a reader of JSON or YAML sees as one token."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from fuzz.mutations.kit import line_start, pick, place, replace_one

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\w./@+-]+|[^\w\s]')
_WORD = re.compile(r"[A-Za-z][A-Za-z]+")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_VALUE = re.compile(r'(?<=: )(?:"(?:[^"\\\n]|\\.)*"|[^\s{}\[\],|>][^\n{}\[\],]*)')
_SCALAR_END = re.compile(r"(?<=:)(?=[ \n])")
_BLOCK = re.compile(r"(?<=: )[|>][-+0-9]*(?=[ \r\n])")
_INDENT = re.compile(r"^[ ]+", re.MULTILINE)
_LETTER = re.compile(r'(?<=["\w/])[A-Za-z/.](?=[\w.:/-]*")')
_NUMBERS = (
    "1" * 5000,
    "1e400",
    "-0",
    "0.1e-999",
    "9" * 30,
    "01",
    "0x1F",
    "1_000",
    "1:20",
    "+1",
    ".5",
    "-",
    "NaN",
    "1.",
    "0o7",
)
_OPENINGS = ("[", "{", '{"a":', "- ", "? ", "[{", "&a [", "- - ")


def _swap(random: Random, text: str) -> str:
    tokens = list(_TOKEN.finditer(text))
    if len(tokens) < 2:
        return text
    at = random.randrange(len(tokens) - 1)
    other = at + 1 if random.random() < 0.6 else random.randrange(at + 1, len(tokens))
    one, two = tokens[at], tokens[other]
    return text[: one.start()] + two[0] + text[one.end() : two.start()] + one[0] + text[two.end() :]


def _duplicate(random: Random, text: str) -> str:
    token = pick(random, _TOKEN, text)
    return text[: token.end()] + random.choice(("", " ", "\n", ",")) + text[token.start() :] if token else text


def _delete(random: Random, text: str) -> str:
    return replace_one(random, _TOKEN, text, "")


def _replace(random: Random, text: str) -> str:
    other = pick(random, _TOKEN, text)
    return replace_one(random, _TOKEN, text, other[0]) if other else text


def _case(random: Random, text: str) -> str:
    word = pick(random, _WORD, text)
    if not word:
        return text
    new = random.choice(
        (word[0].upper(), word[0].lower(), word[0].swapcase(), word[0].title(), word[0].replace("s", "\u017f"))
    )
    return text[: word.start()] + new + text[word.end() :]


def _quotes(random: Random, text: str) -> str:
    string = pick(random, _STRING if random.random() < 0.5 else _VALUE, text)
    if not string:
        return text
    inner = string[0].strip("\"'")
    new = random.choice((f"'{inner}'", f'"{inner}"', inner, f'"{inner}', f'{inner}"', f"''{inner}''", f"`{inner}`"))
    return text[: string.start()] + new + text[string.end() :]


def _escapes(random: Random, text: str) -> str:
    letter = pick(random, _LETTER, text)
    if not letter:
        return text
    code = ord(letter[0])
    new = random.choice((
        f"\\u{code:04x}", f"\\u{code:04X}", f"\\x{code:02x}", f"\\U{code:08x}", "\\/", "\\n", "\\ud800", "\\ud83d\\ude00", "\\",
        "\\u00", "\\\\", '\\"', "\\u0000", "\\t", "\\\n      ", "\\e", "\\N", "\\udc00\\ud800",
    ))  # fmt: skip
    return text[: letter.start()] + new + text[letter.end() :]


def _nesting(random: Random, text: str) -> str:
    opening = random.choice(_OPENINGS)
    count = random.choice((2, 30, 200, 1000, 5000, 20000))
    closing = "".join({"[": "]", "{": "}"}.get(letter, "") for letter in reversed(opening))
    value = pick(random, _VALUE, text)
    if not value:
        return text + opening * count
    inside = value[0] if random.random() < 0.5 else ""
    end = closing * count if random.random() < 0.7 else ""
    return text[: value.start()] + opening * count + inside + end + text[value.end() :]


def _numbers(random: Random, text: str) -> str:
    return replace_one(random, _VALUE, text, random.choice(_NUMBERS))


def _long(random: Random, text: str) -> str:
    """A value, a line or a name of great length."""
    unit = random.choice(("a", "\\\\", "/", ":", " ", "a:", '\\"', "#", "''", "é", "\n", " \n", "{{", "- "))
    at = place(random, text)
    return text[:at] + unit * random.choice((300, 5000, 50000)) + text[at:]


def _anchors(random: Random, text: str) -> str:
    anchor = random.choice(("a", "x-1", "é"))
    first = pick(random, _SCALAR_END, text)
    if not first:
        return text
    text = text[: first.start()] + f" &{anchor}" + text[first.start() :]
    if random.random() < 0.6:
        return replace_one(random, _VALUE, text, f"*{anchor}")
    return text


def _tags(random: Random, text: str) -> str:
    tag = random.choice(
        (
            "!!str",
            "!",
            "!foo",
            "!!binary",
            "!!int",
            "!!map",
            "!<tag:yaml.org,2002:str>",
            "!!null",
            "!e!x",
            "!!set",
            "!!str #c",
        )
    )
    first = pick(random, _SCALAR_END, text)
    return text[: first.start()] + f" {tag}" + text[first.start() :] if first else text


def _merge(random: Random, text: str) -> str:
    at = line_start(random, text)
    indent = text[at : len(text) - len(text[at:].lstrip(" "))]
    source = random.choice(("*a", "{kind: ConfigMap}", "[*a, {x: y}]", "{name: inferenceservice-config}", "null", "x"))
    return text[:at] + f"{indent}<<: {source}\n" + text[at:]


def _separators(random: Random, text: str) -> str:
    line = random.choice((
        "---\n", "...\n", "--- \n", "---\t\n", "--- {}\n", "---#\n", "--- # c\n", "%YAML 1.1\n---\n", "%YAML 1.2\n", "%TAG ! tag:x,1:\n---\n",
        "---\n---\n", "...\n---\n", "--- |\n", "---x\n", "%FOO\n---\n", "%YAML 3.0\n---\n", "... # c\n", "---\r\n", "--- &a\n", "--- !!map\n",
    ))  # fmt: skip
    at = 0 if random.random() < 0.2 else line_start(random, text)
    return text[:at] + line + text[at:]


def _block_indicators(random: Random, text: str) -> str:
    new = random.choice(
        (
            "|",
            "|-",
            "|+",
            ">",
            ">-",
            ">+",
            "|2",
            "|2-",
            "|-2",
            "|4",
            "|1-",
            "|9",
            "|0",
            ">2+",
            "|--",
            "| #c",
            "|-#c",
            "|- # c",
            "",
            "|10",
            ">4-",
            "|\t",
        )
    )
    return replace_one(random, _BLOCK, text, new)


def _indentation(random: Random, text: str) -> str:
    match = pick(random, _INDENT, text)
    if not match:
        return text
    new = " " * max(0, len(match[0]) + random.choice((-4, -2, -1, 1, 2, 4)))
    new = random.choice((new, new, "\t", new + "\t", match[0][:-1] + "\t"))
    return text[: match.start()] + new + text[match.end() :]


def _comments(random: Random, text: str) -> str:
    comment = random.choice(("# c", " # c", "#", "//c", "/* c */", "# kind: ConfigMap", "# ---", "# {{ x }}"))
    at = line_start(random, text)
    if random.random() < 0.5:
        end = text.find("\n", at)
        at = len(text) if end < 0 else end
        return text[:at] + comment + text[at:]
    return text[:at] + " " * random.randint(0, 8) + comment + "\n" + text[at:]


def _blanks(random: Random, text: str) -> str:
    at = line_start(random, text)
    if random.random() < 0.5:
        end = text.find("\n", at)
        at = len(text) if end < 0 else end
        return text[:at] + random.choice((" ", "   ", "\t", " \t ")) + text[at:]
    return text[:at] + random.choice(("\n", "\n\n", "  \n", " " * 20 + "\n", "\t\n")) + text[at:]


def _templates(random: Random, text: str) -> str:
    new = random.choice(
        ("{{ .Values.image }}", "{{- if x }}", "{% x %}", "{{ .Name }}", "{{", "$(image)", "${IMAGE}", "%(x)s")
    )
    if random.random() < 0.5:
        return replace_one(random, _VALUE, text, new)
    at = line_start(random, text)
    return text[:at] + new + "\n" + text[at:]


def _explicit_keys(random: Random, text: str) -> str:
    line = pick(random, re.compile(r"^( *)(\w+): ", re.MULTILINE), text)
    return text[: line.start()] + f"{line[1]}? {line[2]}\n{line[1]}: " + text[line.end() :] if line else text


CHANGES: dict[str, Callable[[Random, str], str]] = {
    "swap": _swap,
    "duplicate": _duplicate,
    "delete": _delete,
    "replace": _replace,
    "case": _case,
    "quotes": _quotes,
    "escapes": _escapes,
    "nesting": _nesting,
    "numbers": _numbers,
    "length": _long,
    "anchors and aliases": _anchors,
    "tags": _tags,
    "merge keys": _merge,
    "document separators": _separators,
    "block indicators": _block_indicators,
    "indentation": _indentation,
    "comments": _comments,
    "blanks": _blanks,
    "templates": _templates,
    "explicit keys": _explicit_keys,
}
