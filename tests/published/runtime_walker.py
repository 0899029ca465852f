"""What `set_image` of a framework must write where runtimes are published beside the config, worked out without ksconfig.

Which runtime a framework means is decided from the documents as plain data, by the rules of KServe said once more in
the plainest way. Where its image stands is found by walking lines: KServe's manifests are printed by one printer, so the
indentation of a line tells what it belongs to.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

from tests.published import walker
from tests.published.walker import Published

_NAME = re.compile(r"  name: (\S+)")
_CONTAINER_NAME = re.compile(r"(?:  - |    )name: (\S+)")
_IMAGE = re.compile(r"((?:  - |    )image: )(\S+)")
_PROTOCOLS = ["v1", "v2", "grpc-v1", "grpc-v2"]

Outcome = Literal["changed", "shared", "several", "none"]


@dataclass(frozen=True)
class Bundle:
    """What is published of one release: its config, its runtimes and its controller."""

    config: Published
    folder: Path

    @property
    def minor(self) -> int:
        """9 for KServe 0.9."""
        return self.config.minor

    def __str__(self) -> str:
        return self.config.name

    def text(self, name: str) -> str:
        """One of its manifests: config, runtimes or controller."""
        return _text(self.folder / f"{name}.yaml")


@dataclass(frozen=True)
class Verdict:
    """What must become of ``set_image(FRAMEWORK, ...)``.

    Attributes:
        outcome: "changed"; "shared" if the runtime serves other frameworks too; "several" if nothing decides between
            runtimes; "none" if none is given to services that name none.
        runtimes: the names of the runtimes that it is about.
        others: the other frameworks of a shared runtime.
    """

    outcome: Outcome
    runtimes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def bundles() -> list[Bundle]:
    """Every release of which runtimes are published."""
    found = [Bundle(config, config.path.parent) for config in walker.configs()]
    return [one for one in found if (one.folder / "runtimes.yaml").is_file()]


@cache
def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


@cache
def objects(bundle: Bundle) -> tuple[Any, ...]:
    """The published runtimes as plain data."""
    return tuple(one for one in YAML(typ="safe").load_all(bundle.text("runtimes")) if one)


def names(bundle: Bundle) -> list[str]:
    """The runtimes, in their order."""
    return [one["metadata"]["name"] for one in objects(bundle)]


def frameworks(bundle: Bundle) -> list[str]:
    """Every framework that any runtime lists, each once."""
    return list(dict.fromkeys(one["name"] for spec in objects(bundle) for one in spec["spec"]["supportedModelFormats"]))


def verdict(bundle: Bundle, framework: str) -> Verdict:
    """Which runtime serves the framework's services that name none, and what that means for a change."""
    found = _candidates(bundle, framework, None) or _candidates(bundle, framework, "v2")
    if not found:
        return Verdict("none")
    best = min(_rank(one, framework, bundle.minor) for one in found)
    first = [one for one in found if _rank(one, framework, bundle.minor) == best]
    about = tuple(str(one["metadata"]["name"]) for one in first)
    if len(first) > 1:
        return Verdict("several", about)
    others = dict.fromkeys(one["name"] for one in first[0]["spec"]["supportedModelFormats"])
    others.pop(framework)
    return Verdict("shared" if others else "changed", about, tuple(others))


def _candidates(bundle: Bundle, framework: str, protocol: str | None) -> list[Any]:
    found = []
    for one in objects(bundle):
        spec = one["spec"]
        speaks = spec.get("protocolVersions") or []
        wanted = (protocol or "v1") if bundle.minor >= 11 else protocol if bundle.minor >= 9 else None
        if (
            not spec.get("disabled")
            and not spec.get("multiModel")
            and not (bundle.minor >= 15 and spec.get("workerSpec"))
            and any(entry["name"] == framework and entry.get("autoSelect") for entry in spec["supportedModelFormats"])
            and (wanted is None or not speaks or wanted in speaks)
        ):
            found.append(one)
    return found


def _rank(one: Any, framework: str, minor: int) -> int:
    """Lower comes first."""
    spec = one["spec"]
    if minor >= 11:
        entry = next(entry for entry in spec["supportedModelFormats"] if entry["name"] == framework)
        return -int(entry.get("priority") or 0)
    if minor >= 9:
        return min((_PROTOCOLS.index(speaks) for speaks in spec.get("protocolVersions") or []), default=4)
    return 0


def image_line(lines: list[str], runtime: str, minor: int) -> int:
    """The line of the image of a runtime's serving container."""
    start, end = _document(lines, runtime)
    position = lines.index("  containers:", start, end) + 1
    items: list[list[int]] = []
    while position < end and (lines[position].startswith("    ") or lines[position].startswith("  - ")):
        if lines[position].startswith("  - "):
            items.append([])
        items[-1].append(position)
        position += 1
    serving = items[0] if minor < 11 else next(rows for rows in items if "kserve-container" in _names(lines, rows))
    (row,) = (row for row in serving if _IMAGE.fullmatch(lines[row]))
    return row


def _names(lines: list[str], rows: list[int]) -> list[str]:
    return [match[1] for match in (_CONTAINER_NAME.fullmatch(lines[row]) for row in rows) if match]


def _document(lines: list[str], runtime: str) -> tuple[int, int]:
    """First and last (exclusive) line of a runtime's document."""
    marks = [-1, *(row for row, line in enumerate(lines) if line == "---"), len(lines)]
    for before, after in itertools.pairwise(marks):
        inside = lines[before + 1 : after]
        if "kind: ClusterServingRuntime" in inside:
            metadata = inside[inside.index("metadata:") : inside.index("spec:")]
            if any((match := _NAME.fullmatch(line)) and match[1] == runtime for line in metadata):
                return before + 1, after
    raise AssertionError(f"no document of {runtime}")


def present_image(text: str, runtime: str, minor: int) -> str:
    """The image that stands there."""
    lines = text.split("\n")
    match = _IMAGE.fullmatch(lines[image_line(lines, runtime, minor)])
    assert match
    return match[2]


def with_runtime(text: str, runtime: str, minor: int, image: str) -> str:
    """The text with another image in a runtime."""
    lines = text.split("\n")
    row = image_line(lines, runtime, minor)
    lines[row] = _IMAGE.sub(lambda match: match[1] + image, lines[row])
    return "\n".join(lines)


def predictor(bundle: Bundle, framework: str) -> str | None:
    """The block of predictors that 0.8 and 0.9 read for the framework: that of v1 where there are two."""
    if bundle.minor >= 10 or framework == "pytorch":
        return None  # pytorch is published with v1 and v2, and read without
    return next((name for name in (framework, f"{framework}/v1") if name in walker.blocks_of(bundle.config)), None)


def has_gpu_version(bundle: Bundle, framework: str) -> bool:
    """Whether the framework's predictor has a tag for services with a GPU."""
    block = predictor(bundle, framework)
    return block is not None and walker.blocks_of(bundle.config)[block].has_gpu_version


def with_predictor(text: str, bundle: Bundle, framework: str, image: str, gpu_version: str) -> str:
    """The text with another image in predictors, where they are read."""
    block = predictor(bundle, framework)
    gpu = gpu_version if has_gpu_version(bundle, framework) else None
    return walker.expected(text, block, image, gpu) if block else text
