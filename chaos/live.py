"""Jobs carried out on a real KServe, through the proxy and past it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.faults import Spoiler
from chaos.judge import Evidence, Step
from chaos.plan import IMAGE, NAMESPACE, RUNTIME, SERVICES, Job, Run
from chaos.proxy import Proxy
from chaos.truth import RECORDS, Outcome, Truth, read_truth
from sandbox.api import JSON_PATCH, ApiError, wait_until
from sandbox.handle import Sandbox
from sandbox.install import CONFIG, a_service

_ROOT = Path(__file__).parents[1]
_COMMAND_SECONDS = 240.0
_PATIENCE = 90.0
_ALPHA = "/apis/serving.kserve.io/v1alpha1"


class Lost(Exception):
    """The cluster is not as it should be, so that nothing can be learned from it; the message says how."""


class Births:
    """How many pods of the controller were made, as a watch tells."""

    def __init__(self, stage: Stage) -> None:
        self._seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, args=(stage,), daemon=True)
        self._thread.start()

    def _follow(self, stage: Stage) -> None:
        for event in stage.api.follow(stage.pods, self._stop, labelSelector=stage.label):
            self._seen.add(event.object["metadata"]["uid"])

    def count(self, now: Truth) -> int:
        """The pods that there have been so far; those that are there now are surely counted."""
        wait_until("the watch has come up", lambda: now.pods <= self._seen, 10)
        return len(self._seen)

    def stop(self) -> None:
        """End it."""
        self._stop.set()


class Stage:
    """One sandbox in which jobs are run one after the other."""

    def __init__(self, sandbox: Sandbox, proxy: Proxy) -> None:
        self.sandbox = sandbox
        self.release = sandbox.release
        self.api = sandbox.api()
        self.proxy = proxy
        self.spoiler = Spoiler()
        system = f"/api/v1/namespaces/{self.release.namespace}"
        self.pods, self.label = f"{system}/pods", f"control-plane={self.release.controller}"
        self._maps, self._config = f"{system}/configmaps", f"{system}/configmaps/{CONFIG}"
        self._services = f"/apis/serving.kserve.io/v1beta1/namespaces/{NAMESPACE}/inferenceservices"
        self._furnish()
        self.first = self.look()
        self._goals: dict[tuple[str, ...], dict[str, str]] = {}
        self._births = Births(self)

    def close(self) -> None:
        """End the watch."""
        self._births.stop()

    def _furnish(self) -> None:
        """The services and the runtime that jobs are about."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self.api.create(namespace)
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        wait_until("the namespace has its ServiceAccount", lambda: self.api.find(account), _PATIENCE)
        for name in SERVICES:
            service = a_service(self.release, name, NAMESPACE)
            if self.release.name != "0.7.0":
                model = {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/iris"}
                # in 0.8 the runtime of a service that names none is not defined
                runtime = {"runtime": "kserve-sklearnserver"} if self.release.name == "0.8.0" else {}
                service["spec"]["predictor"] = {"model": {**model, **runtime}}
            self.api.create(service)
        if self.release.name != "0.7.0":
            base = self.api.get(f"{_ALPHA}/clusterservingruntimes/kserve-sklearnserver")
            spec = base["spec"]
            spec["containers"][0]["image"] = IMAGE
            for form in spec["supportedModelFormats"]:
                form["autoSelect"] = False
            metadata = {"name": RUNTIME, "namespace": NAMESPACE}
            self.api.create({**base, "kind": "ServingRuntime", "metadata": metadata, "spec": spec})
        for name in SERVICES:
            wait_until(f"{name} is ready", lambda name=name: self._is_ready(name), _PATIENCE)

    def _is_ready(self, name: str) -> bool:
        conditions = self.api.get(f"{self._services}/{name}").get("status", {}).get("conditions", [])
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    # Looking

    def look(self) -> Truth:
        """The truth."""
        return read_truth(self.api, self.release)

    def _settled(self) -> Truth:
        """The truth, as soon as the controller is ready."""

        def ready() -> Truth | None:
            try:
                found = self.look()
            except ApiError:
                return None
            return found if len(found.pods) == 1 else None

        found: Truth = wait_until("the controller is ready", ready, _PATIENCE)
        return found

    # Acting

    def goal(self, job: Job) -> dict[str, str]:
        """The texts as a job leaves them where nothing fails; tried out once."""
        if job.goes_back or job.only_restarts:
            return dict(self.first.texts)
        if job.command not in self._goals:
            self._must(job.command)
            self._goals[job.command] = dict(self._settled().texts)
            self.restore()
        return self._goals[job.command]

    def carry_out(self, run: Run) -> Evidence:
        """A run: the command under faults, the same without, and the way back."""
        job = run.job
        goal = self.goal(job)
        self.spoiler = Spoiler()
        self.proxy.hook = self.spoiler
        if job.before:
            done = self._command(job.before, self.proxy.kubeconfig)
            if done.code:
                raise Lost(f"{' '.join(job.before)} without faults: {done.err}")
        before = self._settled()
        faulty = self._faulty(run, before)
        again = self._step(job.command, faulty.truth)
        back = None
        if job.undo:
            no_wait = ("--no-wait",) if job.restarts else ()
            back = self._step(("rollback", *no_wait), again.truth)
        return Evidence(job, before, goal, self.first.texts, tuple(self.spoiler.hits), faulty, again, back)

    def _faulty(self, run: Run, before: Truth) -> Step:
        self.proxy.forget()
        self.spoiler.expect(run.faults)
        count = self._births.count(before)
        outcome = self._command(run.job.command, self.proxy.kubeconfig)
        hits = tuple(self.spoiler.hits)
        self.spoiler.expect(())
        self.spoiler.hits = list(hits)
        truth = self._settled()
        return Step(outcome, truth, self._births.count(truth) - count)

    def _step(self, command: tuple[str, ...], before: Truth) -> Step:
        count = self._births.count(before)
        outcome = self._command(command, self.sandbox.kubeconfig)
        truth = self._settled()
        return Step(outcome, truth, self._births.count(truth) - count)

    def _must(self, command: tuple[str, ...]) -> None:
        done = self._command(command, self.sandbox.kubeconfig)
        if done.code:
            raise Lost(f"{' '.join(command)} without faults: {done.err}")

    def _command(self, command: tuple[str, ...], kubeconfig: Path) -> Outcome:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "ksconfig", *command, "-o", "json"],
                env=os.environ | {"KUBECONFIG": str(kubeconfig), "PYTHONPATH": str(_ROOT)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(-1, "", f"it did not end within {_COMMAND_SECONDS:g} s")
        return Outcome(done.returncode, done.stdout, done.stderr)

    def restore(self) -> None:
        """Put back all that jobs may have changed, and forget the history."""
        for record in self.api.items(self._maps, labelSelector=RECORDS):
            self.api.delete(f"{self._maps}/{record['metadata']['name']}")
        now = self.look().texts
        if {k: v for k, v in now.items() if k.startswith("config ")} != self._first("config "):
            data = {name.removeprefix("config "): text for name, text in self._first("config ").items()}
            self.api.patch(self._config, [{"op": "replace", "path": "/data", "value": data}], JSON_PATCH)
        for name, text in {**self._first("runtime "), **self._first("service ")}.items():
            if now.get(name) != text:
                self.api.patch(self._path(name), [_replaced(text)], JSON_PATCH)
        if any(now.get(name) != text for name, text in self.first.texts.items()):
            for pod in self.api.items(self.pods, labelSelector=self.label):
                self.api.delete(f"{self.pods}/{pod['metadata']['name']}")
        self._settled()
        wait_until("the webhook answers", self._answers, _PATIENCE)
        if self.look().texts != self.first.texts:
            raise Lost("what was changed could not be put back")

    def _answers(self) -> bool:
        try:
            self.api.create(a_service(self.release), dryRun="All")
        except ApiError:
            return False
        return True

    def _first(self, kind: str) -> dict[str, str]:
        return {name: text for name, text in self.first.texts.items() if name.startswith(kind)}

    def _path(self, name: str) -> str:
        kind, _, name = name.partition(" ")
        if kind == "service":
            return f"{self._services}/{name}"
        if name == RUNTIME:
            return f"{_ALPHA}/namespaces/{NAMESPACE}/servingruntimes/{name}"
        return f"{_ALPHA}/clusterservingruntimes/{name}"


def _replaced(text: str) -> dict[str, object]:
    return {"op": "replace", "path": "/spec", "value": json.loads(text)}


@contextmanager
def staged(sandbox: Sandbox) -> Iterator[Stage]:
    """A stage in a sandbox that runs."""
    with tempfile.TemporaryDirectory() as folder, Proxy(sandbox, Path(folder)).running() as proxy:
        stage = Stage(sandbox, proxy)
        try:
            yield stage
        finally:
            stage.close()
