"""Measure ``ksconfig set-image`` on a sandbox beside the shell pipeline of a careful user, run by run in turn.

An observer in this process samples pods, endpoints, lease and webhook every 50 ms: it knows when the controller serves
again. What the controller itself needs is taken off both. The last lines set the measures against their bounds; the
exit code is 0 whatever they say, since machines are noisy.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from chaos.proxy import Proxy
from sandbox.api import Api, ApiError
from sandbox.handle import Sandbox, start
from sandbox.install import a_service
from sandbox.kubelet.container import Pace
from sandbox.releases import RELEASES
from scripts.figures import Figure, gather

ROOT = Path(__file__).resolve().parents[1]
SETTLE = 2.0  # seconds that a controller without a lease must have served: it may exit after its first look
REST = 3.0  # seconds before a run: a controller that has just begun to lead keeps the machine busy
OVERHEAD_BOUND, LATENESS_BOUND, MEMORY_BOUND, REQUESTS_BOUND = 0.4, 0.5, 90.0, 15
PIPELINE = """
set -e
kubectl -n kserve get configmap inferenceservice-config -o json |
    jq '.data.explainers |= (fromjson | .art.image = "{image}" | .art.defaultImageVersion = "{tag}" | tojson)' |
    kubectl replace -f -
kubectl -n kserve delete pod -l control-plane=kserve-controller-manager
kubectl -n kserve rollout status {workload}/kserve-controller-manager
"""
LAUNCHER = """
import os, sys, time
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Sample(NamedTuple):
    """What the observer saw at a time."""

    when: float
    living: frozenset[str]
    ready: frozenset[str]
    endpoints: frozenset[str]
    holder: str
    answers: bool


class Observer:
    """Samples the controller until it is stopped."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._api: Api = sandbox.api()
        self._probe = a_service(sandbox.release)
        self._elects = sandbox.release.name not in ("0.7.0", "0.8.0")
        self._stop = threading.Event()
        self.samples: list[Sample] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Observer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            begin = time.monotonic()
            try:
                self.samples.append(self._sample())
            except ApiError:
                continue
            self._stop.wait(max(0.0, 0.05 - (time.monotonic() - begin)))

    def _sample(self) -> Sample:
        base = "/api/v1/namespaces/kserve/pods"
        pods = self._api.items(base, labelSelector="control-plane=kserve-controller-manager")
        living = {pod["metadata"]["uid"] for pod in pods}
        ready = {
            pod["metadata"]["uid"]
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            and any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())
        }
        path = "/apis/discovery.k8s.io/v1/namespaces/kserve/endpointslices"
        slices = self._api.items(path, labelSelector="kubernetes.io/service-name=kserve-webhook-server-service")
        endpoints = {
            one["targetRef"]["uid"]
            for part in slices
            for one in part.get("endpoints") or ()
            if one["conditions"].get("ready")
        }
        holder = ""
        if self._elects:
            lease = "/apis/coordination.k8s.io/v1/namespaces/kserve/leases/kserve-controller-manager-leader-lock"
            name = (self._api.find(lease) or {}).get("spec", {}).get("holderIdentity", "").partition("_")[0]
            holder = next((pod["metadata"]["uid"] for pod in pods if pod["metadata"]["name"] == name), "gone")
        answers = False
        if ready & endpoints:
            try:
                self._api.create(self._probe, dryRun="All")
                answers = True
            except ApiError:
                pass
        return Sample(time.monotonic(), frozenset(living), frozenset(ready), frozenset(endpoints), holder, answers)

    def serves(self, sample: Sample, old: frozenset[str]) -> bool:
        """Whether all is as it is to be after a restart of the pods ``old``."""
        new = sample.living - old
        leads = not self._elects or sample.holder in new
        return (
            bool(new)
            and not sample.living & old
            and new <= sample.ready & sample.endpoints
            and sample.answers
            and leads
        )

    def reached(self, begin: float, old: frozenset[str]) -> tuple[float, float]:
        """When the old pods began to go, and when the controller served again (and had for long enough)."""
        after = [sample for sample in self.samples if sample.when >= begin]
        gone = next(sample.when for sample in after if not old <= sample.ready)
        first = None
        for sample in after:
            if not self.serves(sample, old):
                first = None
            elif first is None:
                first = sample.when
            if first is not None and (self._elects or sample.when - first >= SETTLE):
                return gone, first if self._elects else first + SETTLE
        raise RuntimeError("the observer never saw the controller serve again")


class Run(NamedTuple):
    """One run: its time less the controller's, how late after the state it returned, and its peak memory in MB."""

    net: float
    late: float
    megabytes: float


def measure(sandbox: Sandbox, observer: Observer, command: Sequence[str]) -> Run:
    """Run a command under the observer's eyes."""
    time.sleep(REST)
    old = observer.samples[-1].living
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command],
        env=sandbox.environment() | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    end = time.monotonic()
    if done.returncode:
        sys.exit(f"error: {command[0]} failed with {done.returncode}: {done.stderr}")
    time.sleep(0.3 if end - begin > SETTLE else SETTLE + 0.3)
    for _ in range(400):
        try:
            gone, reached = observer.reached(begin, old)
            break
        except RuntimeError:
            time.sleep(0.1)
    else:
        raise RuntimeError("the controller does not serve")
    megabytes = int(done.stderr.split()[-1]) / 1000
    return Run(end - begin - (min(reached, end) - gone), end - reached, megabytes)


def count_requests(sandbox: Sandbox, folder: Path, image: str) -> tuple[int, int, int, int]:
    """The requests of one run: single ones, lists, reviews of rights, and those of the wait."""
    with Proxy(sandbox, folder).running() as proxy:
        environment = os.environ | {"KUBECONFIG": str(proxy.kubeconfig), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "ksconfig", "set-image", "explainer/art", image]
        subprocess.run(command, env=environment, capture_output=True, check=True)
        requests = list(proxy.requests)
    first_delete = next(index for index, one in enumerate(requests) if one.method == "DELETE")
    reviews = [one for one in requests if "authorization.k8s.io" in one.path]
    waiting = [one for one in requests[first_delete + 1 :] if one.method == "GET" or "inferenceservices" in one.path]
    rest = [one for one in requests if one not in reviews and one not in waiting]
    lists = [one for one in rest if "limit=" in one.path]
    return len(rest) - len(lists), len(lists), len(reviews), len(waiting)


def bench(release: str, runs: int) -> None:
    """Measure on one release."""
    workload = "statefulset" if release in ("0.7.0", "0.8.0") else "deployment"
    sandbox = start(RELEASES[release], lambda text: None, pace=Pace(probes=0.03))
    try:
        with tempfile.TemporaryDirectory() as folder, Observer(sandbox) as observer:
            while not observer.samples or not observer.samples[-1].answers:
                time.sleep(0.1)
            ours: list[Run] = []
            peers: list[Run] = []
            for number in range(runs):
                image, tag = f"reg.example/art-{number}", f"v{number}"
                ours.append(measure(sandbox, observer, [sys.executable, "-m", "ksconfig", "set-image", "explainer/art",
                                                        f"{image}:{tag}"]))  # fmt: skip
                script = PIPELINE.format(image=f"{image}-peer", tag=tag, workload=workload)
                peers.append(measure(sandbox, observer, ["sh", "-c", script]))
            single, lists, reviews, waiting = count_requests(sandbox, Path(folder), "reg.example/last:v1")
        report(release, ours, peers, (single, lists, reviews, waiting))
    finally:
        sandbox.stop()


def report(release: str, ours: list[Run], peers: list[Run], requests: tuple[int, int, int, int]) -> None:
    """Print the measures and the bounds."""
    net, peer = statistics.median(one.net for one in ours), statistics.median(one.net for one in peers)
    late = [one.late for one in ours]
    peak = max(one.megabytes for one in ours)
    single, lists, reviews, waiting = requests
    print(f"\nKServe {release}, {len(ours)} runs each, less the time of the controller itself (medians)")
    print(f"  ours {net:.2f} s, pipeline {peer:.2f} s: ours - pipeline = {net - peer:+.2f} s, ratio {net / peer:.2f}")
    print(f"  ours returns {min(late):+.2f} to {max(late):+.2f} s after the controller serves")
    early = [one.late for one in peers]
    print(f"  the pipeline returns {min(early):+.2f} to {max(early):+.2f} s after (negative: before)")
    shown = f"{single} single, {lists} lists, {reviews} reviews of rights, {waiting} of the wait"
    print(f"  peak memory {peak:.1f} MB; requests: {shown}")
    head = f"set-image on {release}"
    figures = (
        Figure(f"{head}: s, the controller's own time apart", net, "kubectl, jq", peer,
               f"at most {OVERHEAD_BOUND} s more than the pipeline", net - peer <= OVERHEAD_BOUND),
        Figure(f"{head}: s late", max(late), "kubectl, jq", max(early), f"at most {LATENESS_BOUND} s late, never early",
               min(late) >= -0.05 and max(late) <= LATENESS_BOUND),
        Figure(f"{head}: peak MB", peak, bound=f"at most {MEMORY_BOUND:g} MB", holds=peak <= MEMORY_BOUND),
        Figure(f"{head}: single requests", single, bound=f"at most {REQUESTS_BOUND} single requests",
               holds=single <= REQUESTS_BOUND),
    )  # fmt: skip
    gather(*figures)
    for one in figures:
        print(f"  {one.verdict:<6}  {one.bound}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench --cluster", description=__doc__)
    parser.add_argument("--cluster", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each (default 5)")
    parser.add_argument("--kserve", action="append", metavar="VERSION", help="default 0.7.0 and 0.20.0")
    options = parser.parse_args()
    if not shutil.which("jq"):
        sys.exit("error: the peer needs jq (apt install jq)")
    for release in options.kserve or ["0.7.0", "0.20.0"]:
        bench(release, options.runs)


if __name__ == "__main__":
    main()
