"""What `set_image` must write into a published manifest, worked out line by line and without ksconfig.

KServe's manifests put one member on a line. That is enough to find a value with a few regular expressions and to
replace the characters between its quotes, so this walker shares no code and no idea (spans, YAML nodes, JSON nodes)
with what it judges.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parents[2].parent / "shared/data/kserve"
REASON = f"the published KServe manifests are not on this machine ({DATA})"

_KEY = re.compile(r"  (\w+): \|-\r?")
_MEMBER = re.compile(r'\s*"(\w+)"\s*:\s*(.*)')
_STRING = re.compile(r'(\s*"\w+"\s*:\s*")([^"]*)(".*)', re.DOTALL)
_ITEM = re.compile(r'(\s*")([^"]*)("\s*)', re.DOTALL)
_IMAGE_FIELDS = ("image", "defaultJobImage")
_PREFIX = {"explainers": "explainer/", "transformers": "transformer/", "predictors": ""}


@dataclass(frozen=True)
class Published:
    """A published manifest. ``name`` is for people, ``version`` for ``kserve_version``."""

    name: str
    path: Path
    version: str

    @property
    def minor(self) -> int:
        """7 for KServe 0.7."""
        return int(self.version.split(".")[1])

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Block:
    """The lines of one image: by field, the index of its line; of the version list, the line of the last item."""

    target: str
    key: str
    path: tuple[str, ...]
    lines: dict[str, int]
    last_item: int | None
    items: tuple[str, ...]

    @property
    def split(self) -> bool:
        """Whether repository and tag stand apart."""
        return "defaultImageVersion" in self.lines

    @property
    def has_gpu_version(self) -> bool:
        """Whether services with a GPU get a tag of their own."""
        return "defaultGpuImageVersion" in self.lines


def configs() -> list[Published]:
    """The config of each release."""
    found = [_published(path.parent.name, path) for path in DATA.glob("*/config.yaml")]
    return sorted(found, key=lambda one: one.minor)


def releases() -> list[Published]:
    """The whole install manifests, CRDs and all, compressed."""
    found = [_published(path.name.split("-")[0], path) for path in DATA.glob("full/*.gz")]
    return sorted(found, key=lambda one: one.minor)


def _published(tag: str, path: Path) -> Published:
    version = tag.lstrip("v")
    whole = "-whole" if path.suffix == ".gz" else ""
    return Published(f"{version}{whole}", path, version)


@cache
def text_of(published: Published) -> str:
    """The text as published."""
    data = published.path.read_bytes()
    return (gzip.decompress(data) if published.path.suffix == ".gz" else data).decode("utf-8")


@cache
def blocks_of(published: Published) -> dict[str, Block]:
    """Every image of a manifest, by target."""
    return {block.target: block for block in blocks(text_of(published).split("\n"))}


def config_document(lines: list[str]) -> tuple[int, int]:
    """First and last (exclusive) line of the config's document."""
    name = next(i for i, line in enumerate(lines) if line.rstrip("\r") == "  name: inferenceservice-config")
    marks = [-1, *(i for i, line in enumerate(lines) if line.rstrip("\r") == "---"), len(lines)]
    start = max(mark for mark in marks if mark < name)
    return start + 1, min(mark for mark in marks if mark > name)


def blocks(lines: list[str]) -> Iterator[Block]:
    """Every image of a manifest, in its order."""
    position, end = config_document(lines)
    while position < end:
        key = _KEY.fullmatch(lines[position])
        position += 1
        if key:
            start = position
            while position < end and lines[position].startswith("    "):
                position += 1
            if key[1] != "_example":
                yield from _blocks_of_key(key[1], lines, start, position)


def _blocks_of_key(key: str, lines: list[str], start: int, end: int) -> Iterator[Block]:
    names: list[str] = []  # the names of the objects and arrays that are open
    fields: dict[tuple[str, ...], dict[str, int]] = {}
    items: dict[tuple[str, ...], list[int]] = {}
    for index in range(start, end):
        line = lines[index].strip()
        if line.startswith(("}", "]")):
            names.pop()
        elif line.startswith("{"):
            names.append(key)
        elif member := _MEMBER.fullmatch(line):
            name, value = member.groups()
            if value in ("{", "["):
                names.append(name)
            elif value.startswith('"'):
                fields.setdefault(tuple(names[1:]), {})[name] = index
        elif names[-1] == "allowedImageVersions":
            items.setdefault(tuple(names[1:-1]), []).append(index)
    for path, found in fields.items():
        if any(field in found for field in _IMAGE_FIELDS):
            target = _PREFIX[key] + "/".join(path) if key in _PREFIX else key
            rows = items.get(path, [])
            listed = tuple(lines[row].strip().strip('",') for row in rows)
            yield Block(target, key, path, found, rows[-1] if rows else None, listed)


def expected(text: str, target: str, image: str, gpu_version: str | None = None) -> str:
    """The text after ``set_image(target, image, gpu_version=gpu_version)``.

    ``image`` is ``repo:tag``, ``:tag``, ``repo`` or ``repo@sha256:...``.
    """
    lines = text.split("\n")
    block = next(block for block in blocks(lines) if block.target == target)
    for field, value in wanted_values(block, lines, image, gpu_version).items():
        row = block.lines[field]
        lines[row] = _STRING.sub(lambda match, new=value: match[1] + new + match[3], lines[row], count=1)  # type: ignore[misc]
    if block.last_item is not None:
        for tag in reversed(wanted_tags(block, lines, image, gpu_version)):
            last = lines[block.last_item]
            added = _ITEM.sub(lambda match, new=tag: match[1] + new + match[3], last.replace(",", ""))  # type: ignore[misc]
            if not last.rstrip("\r").endswith(","):
                lines[block.last_item] = last.rstrip("\r") + "," + "\r" * last.endswith("\r")
            else:
                added = added.rstrip("\r") + "," + "\r" * added.endswith("\r")
            lines.insert(block.last_item + 1, added)
    return "\n".join(lines)


def present_value(block: Block, lines: list[str], field: str) -> str:
    """The string that stands in a field."""
    match = _STRING.fullmatch(lines[block.lines[field]])
    assert match, lines[block.lines[field]]
    return match[2]


def wanted_values(block: Block, lines: list[str], image: str, gpu_version: str | None) -> dict[str, str]:
    """The new strings, by field; those that stay are left out."""
    repository, tag = _parts(image)
    if not block.split:
        field = next(field for field in _IMAGE_FIELDS if field in block.lines)
        present = present_value(block, lines, field)
        old_repository, old_tag = present.rsplit(":", 1)
        return {field: f"{repository or old_repository}:{tag or old_tag}"}
    values = {"image": repository, "defaultImageVersion": tag, "defaultGpuImageVersion": gpu_version}
    return {field: value for field, value in values.items() if value}


def wanted_tags(block: Block, lines: list[str], image: str, gpu_version: str | None) -> list[str]:
    """The tags that the version list must take in, where there is one."""
    tags = [_parts(image)[1], gpu_version]
    return [tag for tag in tags if tag and tag not in block.items]


def _parts(image: str) -> tuple[str, str]:
    """Repository and tag, cut at the last colon as KServe joins them: a digest is ``repo@sha256`` and its digits."""
    repository, colon, tag = image.rpartition(":")
    return (image, "") if not colon or "/" in tag else (repository, tag)
