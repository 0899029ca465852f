"""Measure a plan over many InferenceServices beside ``kubectl get``, which only reads them, run by run in turn.

The services are put into a sandbox of KServe 0.7.0 as its admission would have stored them, with a status, while its
controller and webhooks are away: it would reconcile for many minutes. The plan reaches the few that are of xgboost;
those have Knative Services. The last lines set the measures against their bounds; the exit code is 0 whatever they say,
since machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.api import Api, Object
from sandbox.handle import Sandbox, start
from sandbox.releases import RELEASES
from scripts.figures import Figure, gather

ROOT = Path(__file__).resolve().parents[1]
RATIO_BOUND, START_SECONDS, MEMORY_BOUND = 1.3, 0.4, 150.0
NAMESPACES = 20
GROUP = "serving.kserve.io"
LAUNCHER = """
import os, sys
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Run(NamedTuple):
    """What one run took."""

    seconds: float
    megabytes: float


def service(number: int, reached: int) -> Object:
    """A service as 0.7 stores it."""
    framework = "xgboost" if number < reached else "sklearn"
    body = {
        "name": "kserve-container", "protocolVersion": "v1", "runtimeVersion": "v0.7.0",
        "storageUri": f"gs://models/team-{number % NAMESPACES}/{framework}/{number}",
        "resources": {"limits": {"cpu": "1", "memory": "2Gi"}, "requests": {"cpu": "1", "memory": "2Gi"}},
    }  # fmt: skip
    place = {"namespace": f"team-{number % NAMESPACES}", "name": f"model-{number}"}
    written = {"spec": {"predictor": {framework: {"storageUri": body["storageUri"]}}}}
    applied = json.dumps({"apiVersion": f"{GROUP}/v1beta1", "kind": "InferenceService", "metadata": place, **written})
    return {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "InferenceService",
        "metadata": {**place, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
        "spec": {"predictor": {framework: body}},
    }


def status_of(one: Object) -> Object:
    """The status of a service that is ready."""
    name, namespace = one["metadata"]["name"], one["metadata"]["namespace"]
    url = f"http://{name}-predictor-default.{namespace}.example.com"
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        for kind in ("IngressReady", "PredictorReady", "Ready")
    ]
    revision = f"{name}-predictor-default-00001"
    predictor = {"address": {"url": url}, "latestCreatedRevision": revision, "latestReadyRevision": revision,
                 "latestRolledoutRevision": revision, "url": url, "traffic": [
                     {"latestRevision": True, "percent": 100, "revisionName": revision}]}  # fmt: skip
    return {"address": {"url": url}, "components": {"predictor": predictor}, "conditions": conditions, "url": url}


def knative_service(one: Object) -> Object:
    """What 0.7 makes of a service of xgboost."""
    name, namespace = one["metadata"]["name"], one["metadata"]["namespace"]
    labels = {f"{GROUP}/inferenceservice": name, "component": "predictor"}
    container = {"name": "kserve-container", "image": "kserve/xgbserver:v0.7.0"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    metadata = {"name": f"{name}-predictor-default", "namespace": namespace, "labels": labels}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"template": template},
    }


def fill(sandbox: Sandbox, count: int, reached: int) -> float:
    """Put the services in; the megabytes of a list of all."""
    api = sandbox.api()
    api.patch("/apis/apps/v1/namespaces/kserve/statefulsets/kserve-controller-manager", {"spec": {"replicas": 0}})
    for kind in ("mutating", "validating"):
        path = f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations"
        for one in api.items(path):
            api.delete(f"{path}/{one['metadata']['name']}")
    for number in range(NAMESPACES):
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}})

    def put(numbers: range) -> None:
        own: Api = sandbox.api()
        for number in numbers:
            one = service(number, reached)
            own.create(one)
            if number < reached:
                own.create(knative_service(one))
            own.patch(f"{own.path_of(one)}/status", {"status": status_of(one)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, (range(first, min(first + 250, count)) for first in range(0, count, 250))))
    return len(json.dumps(api.get(f"/apis/{GROUP}/v1beta1/inferenceservices"))) / 1e6


def measure(sandbox: Sandbox, command: list[str]) -> Run:
    """Run a command to its end."""
    environment = sandbox.environment() | {"PYTHONPATH": str(ROOT)}
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - begin
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return Run(seconds, int(done.stderr.splitlines()[-1]) / 1024)


def report(ours: list[Run], peers: list[Run], plan: Any) -> None:
    """Print the measures and the bounds."""
    mine, peer = (statistics.median(one.seconds for one in runs) for runs in (ours, peers))
    peak = max(one.megabytes for one in ours)
    reached = [one for one in plan["impact"]["services"] if one["effect"] != "not-reached"]
    print(f"\nlooked at {plan['impact']['lookedAt']} services, {len(reached)} of them reached")
    print(f"ksconfig set-image --dry-run   {mine:.2f} s, peak memory {peak:.0f} MB")
    print(f"kubectl get -o json            {peer:.2f} s, peak memory {max(one.megabytes for one in peers):.0f} MB")
    print(f"ratio {mine / peer:.2f}; less the start of Python and the client: {(mine - START_SECONDS) / peer:.2f}")
    least = max(one.megabytes for one in peers)
    kept = mine <= RATIO_BOUND * peer + START_SECONDS
    figures = (
        Figure("plan over all services: s", mine, "kubectl get", peer,
               f"at most {RATIO_BOUND} times kubectl plus {START_SECONDS} s", kept),
        Figure("plan over all services: peak MB", peak, "kubectl get", least, f"at most {MEMORY_BOUND:g} MB",
               peak <= MEMORY_BOUND),
    )  # fmt: skip
    gather(*figures)
    for one in figures:
        print(f"{one.verdict:<6}  {one.bound}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench --impact", description=__doc__)
    parser.add_argument("--impact", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--services", type=int, default=10_000, metavar="N", help="how many (default 10000)")
    parser.add_argument("--reached", type=int, default=100, metavar="N", help="how many change (default 100)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each (default 5)")
    options = parser.parse_args()
    sandbox = start(RELEASES["0.7.0"], lambda text: None)
    try:
        megabytes = fill(sandbox, options.services, options.reached)
        print(f"{options.services} services, {megabytes:.0f} MB as JSON, {os.cpu_count()} processors", flush=True)
        plan = [sys.executable, "-m", "ksconfig", "set-image", "xgboost", "reg.example/xgb:v9", "--dry-run",
                "--allow", "pinned-tags"]  # fmt: skip
        listing = ["kubectl", "get", "inferenceservices", "-A", "-o", "json", "--chunk-size=500"]
        ours, peers = [], []
        for _ in range(options.runs):
            peers.append(measure(sandbox, listing))
            ours.append(measure(sandbox, plan))
        environment = sandbox.environment() | {"PYTHONPATH": str(ROOT)}
        shown = subprocess.run([*plan, "-o", "json"], env=environment, capture_output=True, text=True, check=True)
        report(ours, peers, json.loads(shown.stdout))
    finally:
        sandbox.stop()


if __name__ == "__main__":
    main()
