"""Measure how fast images of services are resolved, with the rules of 0.7 and of 0.20.

Services of many shapes, as they come from the API server, in a fresh Python for each release: the best of several runs,
each with a new world, so that nothing is known beforehand. Time is that of the processor, since it is one core that is
meant and others use the machine. Peak memory is that of the whole process, beside its peak before the first service is
resolved. The exit code is 0 whatever is measured, since machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import Release, rules_of
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, Runtime, read_runtime
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import Service, read_service
from ksconfig.model.services.world import World
from scripts.figures import Figure, gather

Json = dict[str, Any]
BOUND = 20_000  # services in a second
NAMESPACES = 200
GPU = {"resources": {"limits": {"cpu": "1", "nvidia.com/gpu": "1"}}}
OWN = {"containers": [{"name": "kserve-container", "image": "registry.example/team/model:7"}]}
#: Each framework with the server that KServe ships for it.
SERVERS = {
    "sklearn": "sklearnserver",
    "xgboost": "xgbserver",
    "pytorch": "torchserve",
    "tensorflow": "tensorflow-serving",
    "triton": "tritonserver",
    "pmml": "pmmlserver",
    "lightgbm": "lgbserver",
    "paddle": "paddleserver",
    "onnx": "tritonserver",
}
FRAMEWORKS = tuple(SERVERS)


# What there is


def split(name: str) -> Json:
    """A block of the config."""
    return {"image": f"registry.example/{name}", "defaultImageVersion": "v1", "defaultGpuImageVersion": "v1-gpu"}


def config() -> Json:
    """A config of 0.7; later releases read the explainers alone."""
    nested = {name: {"v1": split(name), "v2": split(f"{name}-v2")} for name in FRAMEWORKS[:3]}
    return {
        "predictors": {**{name: split(name) for name in FRAMEWORKS[3:]}, **nested},
        "explainers": {name: split(name) for name in ("alibi", "aix", "art")},
        "storageInitializer": {"image": "registry.example/storage-initializer:v1"},
        "agent": {"image": "registry.example/agent:v1"},
    }


def runtimes() -> Iterator[Runtime]:
    """The runtimes that KServe ships, nearly, and one of its own for every fourth namespace."""

    def runtime(name: str, formats: tuple[str, ...], protocols: tuple[str, ...], namespace: str = "") -> Runtime:
        listed = [{"name": form, "version": "1", "autoSelect": True, "priority": 1} for form in formats]
        container = {"name": "kserve-container", "image": f"registry.example:5000/{name}:v0.20.0"}
        spec = {"supportedModelFormats": listed, "protocolVersions": list(protocols), "containers": [container]}
        metadata = {"creationTimestamp": "2026-01-01T00:00:00Z"}
        kind = NAMESPACED_KIND if namespace else CLUSTER_KIND
        return read_runtime(ObjectRef(kind, namespace or None, name), {"metadata": metadata, "spec": spec})

    for server in dict.fromkeys(SERVERS.values()):
        formats = tuple(framework for framework, its in SERVERS.items() if its == server)
        yield runtime(f"kserve-{server}", formats, ("v2",) if server == "tritonserver" else ("v1",))
    yield runtime("kserve-mlserver", ("sklearn", "xgboost", "lightgbm", "mlflow"), ("v2",))
    yield runtime("kserve-huggingfaceserver", ("huggingface",), ("v1", "v2"))
    for number in range(0, NAMESPACES, 4):
        yield runtime("mine", ("sklearn", "mine"), ("v1",), f"team-{number}")


def predictors(old: bool) -> Iterator[Json]:
    """Predictors as they are stored, without end: of all frameworks, some with an image or containers of their own."""
    for number in range(sys.maxsize):
        framework = FRAMEWORKS[number % len(FRAMEWORKS)]
        body: Json = {"storageUri": f"gs://models/{number}", "resources": {"limits": {"cpu": "1"}}}
        kind = number // len(FRAMEWORKS) % 10
        if kind == 0:
            yield OWN
            continue
        if old or kind == 1:
            body["runtimeVersion"] = f"v{number % 5}"
        if kind == 2:
            body["image"] = "registry.example/team/sk:1"
        elif kind == 3:
            body |= GPU
        elif kind == 4:
            body["protocolVersion"] = "v2"
        elif kind == 5:
            body["modelClassName"] = "Net"
        if old:
            yield {framework: body}
            continue
        if framework == "pytorch":
            body["runtime"] = "kserve-torchserve"
        elif SERVERS[framework] == "tritonserver":
            body["protocolVersion"] = "v2"
        yield {"model": {**body, "modelFormat": {"name": framework}}}


def services(count: int, old: bool) -> list[Service]:
    """Services of many namespaces, every tenth with an explainer, every fifth with a transformer."""
    found = []
    for number, predictor in zip(range(count), predictors(old), strict=False):
        spec: Json = {"predictor": predictor}
        if number % 10 == 7:
            spec["explainer"] = {"art": {"runtimeVersion": "v1"}}
        if number % 5 == 3:
            spec["transformer"] = OWN
        metadata = {"namespace": f"team-{number % NAMESPACES}", "name": f"model-{number}", "annotations": {"a": "b"}}
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        obj = {"apiVersion": "serving.kserve.io/v1beta1", "metadata": metadata, "spec": spec, "status": status}
        found.append(read_service(json.loads(json.dumps(obj))))  # nothing shared between them, as if they were read
    return found


# Measures


class Measured(NamedTuple):
    """What resolving took: services in a second, images found, peak MB (10^6 bytes) before it and at the end."""

    rate: float
    images: int
    before: float
    peak: float


def megabytes() -> float:
    """The peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def measure(release: Release, count: int, runs: int) -> Measured:
    """Resolve all services several times."""
    given, of_config, among = services(count, release < Release(0, 8)), config(), tuple(runtimes())
    before, best, images = megabytes(), float("inf"), Counter[str]()
    for _ in range(runs):
        images.clear()
        begin = time.process_time()
        world = World(rules_of(release), of_config, among)
        for one in given:
            images.update(image for found in resolve(one, world).values() for image in found.images)
        best = min(best, time.process_time() - begin)
    return Measured(count / best, images.total(), before, megabytes())


def measured_alone(release: str, options: argparse.Namespace) -> Measured:
    """What `measure` finds in a fresh process."""
    counts = ["--services", str(options.services), "--runs", str(options.runs)]
    command = [sys.executable, str(Path(__file__)), "--resolve", "--release", release, *counts]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(*json.loads(done.stdout))


# The script


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench --resolve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resolve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--services", type=int, default=100_000, metavar="N", help="services (default 100000)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs in each release (default 5)")
    parser.add_argument("--release", metavar="0.N", help="this release alone, in this process, as JSON")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = parse()
    if options.release:
        print(json.dumps(measure(Release.parse(options.release), options.services, options.runs)))
        return
    print(f"python:    {platform.python_version()}, {platform.system()}, one core")
    print("\nrelease  services     images    a second            peak MB   before")
    for release in ("0.7", "0.20"):
        found = measured_alone(release, options)
        what, bound = f"resolution, {release}: services a second", f"at least {BOUND}"
        figure = Figure(what, found.rate, bound=bound, holds=found.rate >= BOUND)
        print(
            f"{release:<8}{options.services:9}{found.images:11.0f}{found.rate:12.0f}  {bound}  {figure.verdict:<6}"
            f"{found.peak:6.0f}{found.before:9.0f}",
            flush=True,
        )
        gather(figure)


if __name__ == "__main__":
    main()
