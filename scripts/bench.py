"""Whole processes, ours and yq's, side by side: wall time and peak memory, medians, as ratios.

The runs of the two alternate, so that a noisy machine slows both. The manifest is KServe's published one of 0.16 where
`../shared/data` has it, else one of the same size made here.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT.parent / "shared/data/kserve/full/v0.16.0-kserve.yaml.gz"
YQ = "github.com/mikefarah/yq/v4@v4.44.6"
# What a user of yq would write: decode the JSON text, set the value, encode it again.
EXPRESSION = (
    '(select(.kind == "ConfigMap" and .metadata.name == "inferenceservice-config").data.agent) '
    '|= (from_json | .image = "registry.example:5000/team/agent:1.2" | to_json(4))'
)


class Sample(NamedTuple):
    """One run: wall time in seconds, peak resident memory in MB (10^6 bytes)."""

    seconds: float
    megabytes: float


def run(command: list[str], output: Path) -> Sample:
    """Run a command to its end, its output included."""
    with output.open("wb") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {process.returncode}: {output.read_text()[-500:]}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Sample(seconds, usage.ru_maxrss * scale / 1e6)


def manifest(folder: Path) -> Path:
    """A manifest of about 3.5 MB with one config in it."""
    path = folder / "kserve.yaml"
    if PUBLISHED.exists():
        path.write_bytes(gzip.decompress(PUBLISHED.read_bytes()))
        return path
    field = "          field{}:\n            description: a field\n            type: string\n"
    schema = "".join(field.format(i) for i in range(400))
    crd = f"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  fields:\n{schema}---\n"
    config = (ROOT / "examples/inferenceservice-config.yaml").read_text()
    path.write_text(crd * (3_500_000 // len(crd)) + config)
    return path


def find_yq(given: str | None) -> str | None:
    """A yq that is mikefarah's (others share the name), built with Go if there is none."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ksconfig/bin"
    for candidate in (given, shutil.which("yq"), str(cache / "yq")):
        if candidate and Path(candidate).exists():
            version = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
            if "mikefarah" in version:
                print(f"peer: {version.strip()}")
                return candidate
    if not shutil.which("go"):
        return None
    print(f"building {YQ} ...", file=sys.stderr)
    subprocess.run(["go", "install", YQ], env={**os.environ, "GOBIN": str(cache)}, check=True)
    return find_yq(str(cache / "yq"))


def report(name: str, ours: list[Sample], peer: list[Sample] | None) -> float | None:
    """Print medians and the ratio of the times; the ratio."""
    seconds = statistics.median(sample.seconds for sample in ours)
    memory = max(sample.megabytes for sample in ours)
    line = f"{name:<34} ours {seconds * 1000:7.0f} ms {memory:6.1f} MB"
    ratio = None
    if peer:
        peer_seconds = statistics.median(sample.seconds for sample in peer)
        ratio = seconds / peer_seconds
        line += f"   peer {peer_seconds * 1000:7.0f} ms {max(s.megabytes for s in peer):6.1f} MB   ratio {ratio:.2f}"
    print(line)
    return ratio


def main() -> None:
    """Run the benchmarks and print them."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=11, help="runs of each command (default 11, at least 7)")
    parser.add_argument("--yq", help="the yq to compare with (mikefarah's, version 4)")
    options = parser.parse_args()
    runs = max(7, options.runs)
    yq = find_yq(options.yq)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = manifest(folder)
        size = source.stat().st_size
        print(f"manifest: {size / 1e6:.2f} MB, {runs} runs each, medians of time, maxima of memory")
        copy = folder / "copy.yaml"
        ours: list[Sample] = []
        peers: list[Sample] = []
        command = [sys.executable, "-m", "ksconfig", "set-image", "agent", "registry.example:5000/team/agent:1.2"]
        for _ in range(runs):
            shutil.copyfile(source, copy)
            ours.append(run([*command, "-f", str(copy)], folder / "ours"))
            if yq:
                peers.append(run([yq, EXPRESSION, str(source)], folder / "peer"))
        report("set-image agent", ours, peers or None)
        bare = [run([sys.executable, "-c", "pass"], folder / "out") for _ in range(runs * 3)]
        loaded = [run([sys.executable, "-c", "import ksconfig"], folder / "out") for _ in range(runs * 3)]
        cost = statistics.median(s.seconds for s in loaded) - statistics.median(s.seconds for s in bare)
        print(f"{'import ksconfig':<34} {cost * 1000:+.1f} ms over bare Python")
    if not yq:
        print("no peer: neither mikefarah's yq nor Go to build it with")


if __name__ == "__main__":
    main()
