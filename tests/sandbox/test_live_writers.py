"""Many writers at once: nobody's change is lost, and nobody returns while an older pod serves."""

from __future__ import annotations

import datetime
import json
import threading
import time
from pathlib import Path

import pytest

from sandbox.api import Object
from tests.sandbox.command_line import CommandLine, Done
from tests.sandbox.kserve import KServe

WRITERS = 20
#: The 17 images that 0.7 reads, each with the place of its value in the config.
IMAGES = {
    "tensorflow": "predictors.tensorflow.image", "onnx": "predictors.onnx.image",
    "sklearn/v1": "predictors.sklearn.v1.image", "sklearn/v2": "predictors.sklearn.v2.image",
    "xgboost/v1": "predictors.xgboost.v1.image", "xgboost/v2": "predictors.xgboost.v2.image",
    "pytorch/v1": "predictors.pytorch.v1.image", "pytorch/v2": "predictors.pytorch.v2.image",
    "triton": "predictors.triton.image", "pmml": "predictors.pmml.image", "lightgbm": "predictors.lightgbm.image",
    "paddle": "predictors.paddle.image", "explainer/alibi": "explainers.alibi.image",
    "explainer/aix": "explainers.aix.image", "explainer/art": "explainers.art.image", "agent": "agent.image",
    "storageInitializer": "storageInitializer.image",
}  # fmt: skip
VALUES = {
    "ingress.ingressDomain": "models.example.com",
    "credentials.gcs.gcsCredentialFileName": "other.json",
    "logger.defaultUrl": "http://elsewhere",
}


class PodWatcher:
    """Samples the controller's pods, so that it can be told which lived at a time."""

    def __init__(self, kserve: KServe) -> None:
        self._kserve = kserve
        self._stop = threading.Event()
        self.samples: list[tuple[float, dict[str, str]]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> PodWatcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            pods = self._kserve.controller_pods()
            living = {pod["metadata"]["uid"]: pod["metadata"]["creationTimestamp"] for pod in pods}
            self.samples.append((time.monotonic(), living))

    @property
    def uids(self) -> set[str]:
        """All pods that were ever seen."""
        return {uid for _, living in self.samples for uid in living}

    def living_at(self, moment: float) -> dict[str, str]:
        """The pods of the first sample after a moment."""
        return next(living for when, living in self.samples if when > moment)


def run_all(ksconfig: CommandLine, commands: list[list[str]]) -> list[tuple[Done, float]]:
    """Run commands at once; what each did, and when it returned."""
    results: list[tuple[Done, float] | None] = [None] * len(commands)

    def run(index: int) -> None:
        done = ksconfig(*commands[index], seconds=300)
        results[index] = done, time.monotonic()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for one in results if one is not None]


def write_times(kserve: KServe) -> dict[int, str]:
    """When each revision was recorded, by the server's clock."""
    configmaps = f"/api/v1/namespaces/{kserve.release.namespace}/configmaps"
    records: list[Object] = kserve.api.items(configmaps, labelSelector="app.kubernetes.io/managed-by=ksconfig")
    return {
        int(one["metadata"]["labels"]["ksconfig/revision"]): one["metadata"]["creationTimestamp"] for one in records
    }


def value_at(config: dict[str, str], path: str) -> object:
    key, *steps = path.split(".")
    value = json.loads(config[key])
    for step in steps:
        value = value[step]
    return value


@pytest.mark.kserve("0.7.0")
def test_twenty_writers_each_at_a_place_of_its_own(kserve: KServe, tmp_path: Path) -> None:
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    wanted = {path: f"reg.local/{number}" for number, path in enumerate(IMAGES.values())}
    commands = [
        ["set-image", target, f"{wanted[path]}:v1", "--allow", "old-gpu-version", "--allow", "unread", "-o", "json",
         "--history-limit", "0"]
        for target, path in IMAGES.items()
    ]  # fmt: skip
    commands += [["set", path, value, "-o", "json", "--history-limit", "0"] for path, value in VALUES.items()]
    assert len(commands) == WRITERS
    with PodWatcher(kserve) as watcher:
        results = run_all(ksconfig, commands)
        time.sleep(0.2)  # one more sample
    for (done, _), command in zip(results, commands, strict=True):
        assert done.code == 0, (command, done.err)
    config = kserve.config()
    for target, path in IMAGES.items():
        shown = str(value_at(config, path))
        assert shown.startswith(wanted[path]), (target, shown)
    for path, value in VALUES.items():
        assert value_at(config, path) == value
    history = ksconfig.ok("history", "-o", "json").json["items"]
    assert [one["state"] for one in history] == ["ready"] * WRITERS
    restarts = len(watcher.uids) - 1
    print(f"\n{WRITERS} writers: {len(history)} revisions, {restarts} restarts")
    assert restarts < WRITERS
    times = write_times(kserve)
    for done, returned in results:
        written = times[done.json["revision"]]
        for created in watcher.living_at(returned).values():
            assert _time(created) >= _time(written)


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.kserve("0.7.0")
def test_twenty_writers_of_one_target(kserve: KServe) -> None:
    ksconfig = CommandLine(kserve.sandbox.kubeconfig)
    commands = [
        ["set-image", "sklearn", f"reg.local/sk:v{number}", "-o", "json", "--history-limit", "0"]
        for number in range(WRITERS)
    ]
    results = run_all(ksconfig, commands)
    history = {one["number"]: one for one in ksconfig.ok("history", "-o", "json").json["items"]}
    codes = [done.code for done, _ in results]
    print(f"\n{WRITERS} writers of one target: {codes.count(0)} done, {codes.count(4)} conflicts")
    assert set(codes) <= {0, 4}, [done.err for done, _ in results if done.code not in (0, 4)]
    mine = {number: done.json["revision"] for number, (done, _) in enumerate(results) if done.code == 0}
    assert sorted(mine.values()) == sorted(history)
    newest = max(history)
    final = json.loads(kserve.config()["predictors"])["sklearn"]["v1"]["defaultImageVersion"]
    assert mine[int(final.removeprefix("v"))] == newest
