"""Measure ksconfig on manifests of 0.35, 3.5 and 35 MB, beside yq and ruamel.yaml.

Whole processes: the median of the times and the largest peak memory; our runs and the peer's alternate, so that a
noisy machine slows both. In process: the best time of several runs in one fresh Python, for the growth from size to
size. The last lines set the measures against their bounds; the exit code is 0 whatever they say, since machines are
noisy. The manifests are made from KServe 0.16 as published where ../shared/data has it, else generated.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from scripts.figures import Figure, gather

Line = TypeVar("Line")
ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT.parent / "shared/data/kserve"
YQ = "github.com/mikefarah/yq/v4@v4.44.6"
IMAGE = "registry.example:5000/team/agent:1.2"
# What a user of yq would write: decode the JSON text, set the value, encode it again.
YQ_EDIT = (
    '(select(.kind == "ConfigMap" and .metadata.name == "inferenceservice-config").data.agent) '
    f'|= (from_json | .image = "{IMAGE}" | to_json(4))'
)
# The same with ruamel.yaml's round trip.
RUAMEL_EDIT = f"""
import json, sys
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString
yaml = YAML()
with open(sys.argv[1], encoding="utf-8") as file:
    documents = list(yaml.load_all(file))
for document in documents:
    if document["kind"] == "ConfigMap" and document["metadata"]["name"] == "inferenceservice-config":
        agent = {{**json.loads(document["data"]["agent"]), "image": "{IMAGE}"}}
        document["data"]["agent"] = LiteralScalarString(json.dumps(agent, indent=4))
yaml.dump_all(documents, sys.stdout)
"""
# To Linux, the peak of a new process is at least that of the process that started it. So a bare Python, which is
# smaller than all that is measured, starts the commands.
LAUNCHER = """
import os, sys, time
output, *command = sys.argv[1:]
to_file = (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_TRUNC, 0)
begin = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ, file_actions=[to_file, (os.POSIX_SPAWN_DUP2, 1, 2)])
_, status, usage = os.wait4(process, 0)
print(time.perf_counter() - begin, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
# timeit stops the garbage collector unless told otherwise; a program pays for it.
PROBE = """
import sys, timeit
statement, path, runs = sys.argv[1:]
setup = f"import gc, ksconfig; gc.enable(); path = {path!r}"
print(min(timeit.repeat(statement, setup, number=1, repeat=int(runs))))
"""


class Command(NamedTuple):
    """A command of ksconfig, and the peers that do the same or less; paths are added to both."""

    name: str
    arguments: tuple[str, ...]
    peers: tuple[str, ...]
    bound: float  # of our time to the first peer's, at 3.5 MB
    codes: tuple[int, ...] = (0,)


COMMANDS = (
    Command("images", ("images",), ("yq print",), 1.3),
    Command("doctor", ("doctor",), ("yq print",), 1.3, (0, 3)),  # 3: it has findings
    Command("set-image", ("set-image", "agent", IMAGE), ("yq edit", "ruamel"), 0.6),
)
STATEMENTS = {
    "images": "ksconfig.load(path).images()",
    "doctor": "ksconfig.load(path).doctor()",
    "set_image": f"ksconfig.load(path).set_image('agent', {IMAGE!r})",
    "to_bytes": "ksconfig.load(path).to_bytes()",
}
GROWTH_BOUND = 11.0  # times the time, for ten times the size
IMPORT_BOUND = 20.0  # ms


def memory_bound(megabytes: float) -> float:
    """The peak memory, in MB, that a manifest of a size may cost."""
    return 20 + 5 * megabytes


# Manifests


class Manifest(NamedTuple):
    """A manifest to measure with, how often, and beside which peers."""

    path: Path
    megabytes: float
    runs: int
    peers: tuple[str, ...] = ()


def manifests(folder: Path, runs: int, quick: bool) -> tuple[Manifest, ...]:
    """The manifests, smallest first, written to a folder. The second one has the original size."""
    documents = published_documents()
    print("manifests:", "KServe 0.16 as published and its runtimes" if documents else "generated")
    documents = documents or tuple(generated_documents())

    def written(factor: float, times: int, *peers: str) -> Manifest:
        path = folder / f"kserve-{factor}.yaml"
        path.write_text("---\n".join(scaled(documents, factor)), encoding="utf-8")
        return Manifest(path, path.stat().st_size / 1e6, times, peers)

    small = written(0.1, runs, "yq print", "yq edit", "ruamel")
    if quick:
        return small, written(1, runs, "yq print", "yq edit")
    return small, written(1, runs, *small.peers), written(10, max(5, runs // 2))


def published_documents() -> tuple[str, ...]:
    """KServe's published manifest and its runtimes; nothing where they are not at hand."""
    full, runtimes = PUBLISHED / "full/v0.16.0-kserve.yaml.gz", PUBLISHED / "v0.16.0/runtimes.yaml"
    if not (full.exists() and runtimes.exists()):
        return ()
    text = gzip.decompress(full.read_bytes()).decode() + "---\n" + runtimes.read_text(encoding="utf-8")
    return tuple(re.split(r"^---\n", text, flags=re.MULTILINE))


def generated_documents() -> Iterator[str]:
    """Documents of the same kinds and of about the same sizes."""
    head = "apiVersion: {}\nkind: {}\nmetadata:\n  name: {}\nspec:\n"
    field = "    field{:05}:\n      description: a field of the schema\n      type: string\n"
    for number, size in enumerate([980_000] * 3 + [180_000] * 2 + [28_000] * 6):
        schema = "".join(field.format(i) for i in range(size // len(field)))
        begin = head.format("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"crd{number}")
        yield begin + "  schema:\n" + schema
    yield (ROOT / "examples/inferenceservice-config.yaml").read_text(encoding="utf-8")
    for name in ("huggingface", "lgb", "mlserver", "paddle", "pmml", "sklearn", "tensorflow", "torch", "triton", "xgb"):
        yield (
            head.format("serving.kserve.io/v1alpha1", "ClusterServingRuntime", f"kserve-{name}")
            + f"  supportedModelFormats:\n  - name: {name}\n    version: '1'\n    autoSelect: true\n    priority: 1\n"
            + "  protocolVersions:\n  - v1\n  - v2\n  containers:\n  - name: kserve-container\n"
            + f"    image: registry.example/{name}:v0.16.0\n    args:\n    - --model_dir=/mnt/models\n"
        )


def scaled(documents: Sequence[str], factor: float) -> Iterator[str]:
    """As many of the documents as make a manifest smaller or larger by a factor.

    CRDs and runtimes are repeated, under other names. There is one config whatever the size; of all else a smaller
    manifest has its share, and a larger one has it once.
    """
    shares = {"CustomResourceDefinition": factor, "ClusterServingRuntime": factor, "ConfigMap": 1}
    kinds = [re.findall(r"^kind: (\w+)", document, re.MULTILINE)[0] for document in documents]
    room: dict[str, float] = dict.fromkeys(kinds, 0)
    for kind, document in zip(kinds, documents, strict=True):
        room[kind] += len(document) * shares.get(kind, min(factor, 1))
    for number in range(math.ceil(factor)):
        for kind, document in zip(kinds, documents, strict=True):
            if len(document) <= room[kind]:
                room[kind] -= len(document)
                yield re.sub(r"(?m)^  name: \S+", rf"\g<0>-{number}", document, count=1) if number else document


# Whole processes


class Sample(NamedTuple):
    """Wall time in seconds, peak resident memory in MB (10^6 bytes)."""

    seconds: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds * 1000:7.0f} {self.megabytes:6.1f}"


class Row(NamedTuple):
    """A command of ours on one size, beside a peer's."""

    command: Command
    megabytes: float
    runs: int
    ours: Sample
    peer: str = ""
    theirs: Sample | None = None

    @property
    def ratio(self) -> float:
        """Our time to the peer's."""
        return self.ours.seconds / self.theirs.seconds if self.theirs else math.nan

    def __str__(self) -> str:
        ours = f"{self.command.name:<10}{self.megabytes:6.2f} {self.runs:5} {self.ours}"
        theirs = f"   {self.peer:<8} {self.theirs} {self.ratio:6.2f}" if self.theirs else ""
        return f"{ours}  {memory_bound(self.megabytes):6.1f}{theirs}"


def run(command: Sequence[str | Path], codes: Sequence[int] = (0,)) -> Sample:
    """Run a command to its end, its output included."""
    with tempfile.NamedTemporaryFile() as output:
        launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, output.name, *command]
        done = subprocess.run(launch, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        seconds, memory, code = done.stdout.split()
        if int(code) not in codes:
            end = output.read().decode(errors="replace")[-500:]
            sys.exit(f"error: {' '.join(map(str, command))} ended with {code}: {end}")
    return Sample(float(seconds), int(memory) * (1 if sys.platform == "darwin" else 1024) / 1e6)


def typical(samples: Sequence[Sample]) -> Sample:
    """The median of the times, the largest of the peaks."""
    return Sample(statistics.median(s.seconds for s in samples), max(s.megabytes for s in samples))


def compare(command: Command, manifest: Manifest, peer: str, theirs: Sequence[str], runs: int) -> Row:
    """Run a command and a peer in turn, if there is one. Ours gets a new copy each time, since it may write to it."""
    copy = manifest.path.with_suffix(".copy.yaml")
    samples, peers = [], []
    for _ in range(runs):
        shutil.copyfile(manifest.path, copy)
        ours = [sys.executable, "-m", "ksconfig", *command.arguments, "-f", str(copy)]
        samples.append(run(ours, command.codes))
        if theirs:
            peers.append(run([*theirs, manifest.path]))
    return Row(command, manifest.megabytes, runs, typical(samples), peer, typical(peers) if peers else None)


def compare_all(sizes: Sequence[Manifest], yq: str | None) -> Iterator[Row]:
    """Each command on each size beside each of its peers, or alone. ruamel.yaml takes its time, so it runs once."""
    programs: dict[str, Sequence[str]] = {"ruamel": (sys.executable, "-c", RUAMEL_EDIT)}
    if yq:
        programs |= {"yq print": (yq, "."), "yq edit": (yq, YQ_EDIT)}
    for command in COMMANDS:
        for manifest in sizes:
            peers = [peer for peer in command.peers if peer in programs and peer in manifest.peers]
            if command.peers[0] not in peers:
                yield compare(command, manifest, "", (), manifest.runs)
            for peer in peers:
                runs = 1 if peer == "ruamel" else manifest.runs
                yield compare(command, manifest, peer, programs[peer], runs)


def import_cost(runs: int) -> float:
    """What `import ksconfig` adds to the start of Python, in ms."""
    pairs = [[run([sys.executable, "-c", code]) for code in ("pass", "import ksconfig")] for _ in range(runs)]
    bare, loaded = (typical(samples).seconds for samples in zip(*pairs, strict=True))
    return (loaded - bare) * 1000


# In process


class Growth(NamedTuple):
    """The times of a statement on each size, and how much more each takes than the one before."""

    name: str
    seconds: tuple[float, ...]
    factors: tuple[float, ...]

    def __str__(self) -> str:
        times = "".join(f"{seconds * 1000:11.2f}" for seconds in self.seconds)
        return f"{self.name:<10}{times}    " + "".join(f"{factor:14.2f}" for factor in self.factors)


def growth(name: str, sizes: Sequence[Manifest]) -> Growth:
    """Time a statement on each size. The sizes are not quite tenfold, so the factors are brought to ten times."""
    seconds = tuple(best_time(STATEMENTS[name], manifest) for manifest in sizes)
    steps = range(1, len(sizes))
    factors = (10 * seconds[i] / seconds[i - 1] * sizes[i - 1].megabytes / sizes[i].megabytes for i in steps)
    return Growth(name, seconds, tuple(factors))


def best_time(statement: str, manifest: Manifest) -> float:
    """The best time of a statement in one fresh process."""
    command = [sys.executable, "-c", PROBE, statement, str(manifest.path), str(manifest.runs)]
    return float(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout)


# Claims


class Claim(NamedTuple):
    """A measure and the most that it may be; of a ratio, what was set against what."""

    text: str
    measured: float
    bound: float
    row: Row | None = None

    def __str__(self) -> str:
        verdict = "holds" if self.measured <= self.bound else "MISSED"
        return f"{self.text:<58}{self.measured:8.2f}  at most {self.bound:6.2f}  {verdict}"


def claims(rows: Sequence[Row], growths: Sequence[Growth], cost: float, original: Manifest) -> Iterator[Claim]:
    """All claims, with what was measured. Of several measures for one claim, the one nearest its bound."""
    for row in rows:
        if row.megabytes == original.megabytes and row.peer == row.command.peers[0]:
            text = f"{row.command.name}, {row.megabytes:.2f} MB: times the time of {row.peer}"
            yield Claim(text, row.ratio, row.command.bound, row)
    for one in growths:
        if one.name == "to_bytes":
            continue  # what Python's own reading, decoding and encoding costs; it depends on the processor's caches
        yield Claim(f"{one.name} in process: times the time, ten times the size", max(one.factors), GROWTH_BOUND)
    for command in COMMANDS:
        mine = [row for row in rows if row.command is command]
        row = max(mine, key=lambda row: row.ours.megabytes / memory_bound(row.megabytes))
        text = f"{command.name}, {row.megabytes:.2f} MB: peak MB, 20 + 5 x size"
        yield Claim(text, row.ours.megabytes, memory_bound(row.megabytes))
    yield Claim("import ksconfig: ms over bare Python", cost, IMPORT_BOUND)


# The script


def find_yq(given: str | None, build: bool) -> str | None:
    """A yq that is mikefarah's (others share the name), built with Go if there is none."""
    built = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ksconfig/bin/yq"
    for candidate in [given] if given else [shutil.which("yq"), str(built)]:
        if candidate and Path(candidate).exists():
            path = str(Path(candidate).resolve())
            version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if "mikefarah" in version:
                print(f"yq:        {version.split()[-1]}")
                return path
    if given:
        sys.exit(f"error: {given} is not mikefarah's yq")
    if not (build and shutil.which("go")):
        print("yq:        none; --yq names mikefarah's, and without --quick one is built with Go")
        return None
    print(f"building {YQ} ...", file=sys.stderr)
    subprocess.run(["go", "install", YQ], env={**os.environ, "GOBIN": str(built.parent)}, check=True)
    return find_yq(str(built), build=False)


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    runs = "runs of each command (default 11, at least 7); half of them on 35 MB, and 1 beside ruamel.yaml"
    yq = "mikefarah's yq, version 4, to compare with; without it, that on PATH, else one is built with Go"
    quick = "to see that this works: 3 runs, 0.35 and 3.5 MB only, ruamel.yaml on 0.35 MB only, no yq built"
    parser.add_argument("--runs", type=int, default=11, metavar="N", help=runs)
    parser.add_argument("--yq", metavar="FILE", help=yq)
    parser.add_argument("--quick", action="store_true", help=quick)
    return parser.parse_args()


def printed(lines: Iterable[Line]) -> list[Line]:
    """The lines, printed as they come."""
    found = []
    for line in lines:
        print(line, flush=True)
        found.append(line)
    return found


def print_rows(sizes: Sequence[Manifest], yq: str | None) -> list[Row]:
    """Measure whole processes, a line each."""
    print(f"\nwhole processes{'ours':>15} {'':15}   peer")
    print("command       MB  runs      ms   peak  at most               ms   peak  ratio", flush=True)
    return printed(compare_all(sizes, yq))


def print_growths(sizes: Sequence[Manifest]) -> list[Growth]:
    """Measure in process, a line for each statement."""
    names = [f"{size.megabytes:.2f}" for size in sizes]
    steps = "".join(f"{' to '.join(pair):>14}" for pair in itertools.pairwise(names))
    print(f"\nin process{'':{11 * len(names)}}    times the time, for ten times the size")
    print(f"{'ms, at MB':<10}{''.join(f'{name:>11}' for name in names)}    {steps}", flush=True)
    return printed(growth(name, sizes) for name in STATEMENTS)


def main() -> None:
    """Measure and print."""
    options = parse()
    runs = 3 if options.quick else max(7, options.runs)
    print(f"python:    {platform.python_version()}, {os.cpu_count()} processors, {platform.system()}")
    yq = find_yq(options.yq, build=not options.quick)
    with tempfile.TemporaryDirectory() as name:
        sizes = manifests(Path(name), runs, options.quick)
        rows = print_rows(sizes, yq)
        growths = print_growths(sizes)
        print("\nclaims")
        found = printed(claims(rows, growths, import_cost(runs * 3), sizes[1]))
    gather(*map(figure, found), *(figure_beside(row) for row in rows if row.peer == "ruamel"))


def figure(claim: Claim) -> Figure:
    """A claim for the table of all figures."""
    bound, holds = f"at most {claim.bound:.2f}", claim.measured <= claim.bound
    if claim.row is None or claim.row.theirs is None:
        return Figure(claim.text, claim.measured, bound=bound, holds=holds)
    return figure_beside(claim.row)._replace(bound=f"{bound} times", holds=holds)


def figure_beside(row: Row) -> Figure:
    """A row with a peer for the table of all figures."""
    assert row.theirs is not None
    what = f"{row.command.name}, {row.megabytes:.2f} MB: s"
    return Figure(what, row.ours.seconds, row.peer, row.theirs.seconds)


if __name__ == "__main__":
    main()
