"""Run every bench, and print all figures in one table: ours, the peer's, the ratio, the bound."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.figures import FILE, HEADING, Figure, gather, gathered

ROOT = Path(__file__).resolve().parents[1]
_SERVES = re.compile(r"serves after ([0-9.]+) s, ([0-9.]+) MB")


def sandbox_figures(release: str) -> list[Figure]:
    """How long a sandbox takes to serve, and what memory it has then."""
    command = ["scripts/sandbox", "exec", "--kserve", release, "--", "true"]
    begin = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    took = time.monotonic() - begin
    found = _SERVES.search(done.stderr + done.stdout)
    if found is None:
        sys.exit(f"error: scripts/sandbox said no figures: {done.stderr}")
    return [
        Figure(f"sandbox {release}: s until it serves", float(found[1])),
        Figure(f"sandbox {release}: MB when it serves", float(found[2])),
        Figure(f"sandbox {release}: s for one command, start to end", took),
    ]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench --all", description=__doc__)
    parser.add_argument("--all", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each; by default each bench's own number")
    options = parser.parse_args()
    runs = ["--runs", str(options.runs)] if options.runs else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures"
        path.touch()
        environment = os.environ | {FILE: str(path)}
        os.environ[FILE] = str(path)
        for kind in ([], ["--resolve"], ["--cluster"], ["--impact"]):
            command = [str(ROOT / "scripts/bench"), *kind, *runs]
            print(f"== {' '.join(['scripts/bench', *kind, *runs])}", flush=True)
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
        for release in ("0.7.0", "0.8.0", "0.20.0"):
            gather(*sandbox_figures(release))
        print(f"\n{HEADING}")
        for figure in gathered(path):
            print(figure)


if __name__ == "__main__":
    main()
