"""Gives services to the real KServe and writes down what comes of them: a process of its own.

It reads its orders from standard input and writes what it saw to standard output. Of the predictions it knows only
which workloads are worth waiting for.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

from conformance.case import Object
from sandbox.api import Api, ApiError
from sandbox.handle import Sandbox
from sandbox.places import Place, base

_AT_ONCE = 4
_EVERY_SECONDS = 0.5
#: Waiting ends when for so long no more workloads have come.
_PATIENCE_SECONDS = 25.0
#: What is not there when all has been still for so long, and the control is, does not come.
_SETTLE_SECONDS = 3.0
_CHANGE_SECONDS = 10.0
#: The controller looks at one service after the other, and again at each that has changed; so not too many at a time.
_AT_A_TIME = 80
_SERVING = ("kserve-container", "kfserving-container")
_ADDED = ("storage-initializer", "agent")
_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
#: Fields that decide what becomes of a service: without one of them it would be another one.
_MATTER = frozenset(
    {
        *("predictor", "explainer", "transformer", "model", "containers", "custom", "workerSpec", "canary", "default"),
        *("sklearn", "xgboost", "tensorflow", "tensorrt", "pytorch", "triton", "onnx", "huggingface", "pmml"),
        *("lightgbm", "paddle", "alibi", "aix", "art", "spec", "name", "modelFormat", "version", "runtime"),
        *("runtimeVersion", "protocolVersion", "storage", "storageUri", "storageUris"),
        *("image", "env", "resources", "limits"),
    }
)


@dataclass(frozen=True)
class Order:
    """A service to submit.

    Attributes:
        then: a merge patch for when it has its workload.
        awaits: the components whose workloads are worth waiting for.
    """

    name: str
    service: Object
    then: Object | None = None
    awaits: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name of the service."""
        metadata = self.service["metadata"]
        return metadata["namespace"], metadata["name"]

    def names(self, component: str) -> tuple[str, ...]:
        """The names that the workload of a component may have."""
        name = self.key[1]
        kind, _, variant = component.partition("/")
        if kind == "predictor":
            variant = (self.service["spec"].get("predictor") or {}).get("name") or ""
        if variant:
            return (f"{name}-{variant}-predictor",)
        return f"{name}-{kind}", f"{name}-{kind}-default"

    def owns(self, pod: tuple[str, str]) -> bool:
        """Whether a pod, by namespace and name, is of its predictor."""
        names = self.names("predictor")
        return pod[0] == self.key[0] and any(
            re.fullmatch(rf"{one}(-[0-9]+-deployment)?-[^-]+-[^-]+", pod[1]) for one in names
        )

    @property
    def components(self) -> tuple[str, ...]:
        """The components that it may have."""
        more = [(one.get("predictor") or {}).get("name", "") for one in self.service["spec"].get("canary") or ()]
        return "predictor", *(f"canary/{one}" for one in more), "transformer", "explainer"

    def images(self, workloads: dict[tuple[str, str], str]) -> dict[str, str]:
        """The images of those of its components that have a workload."""
        found = {}
        for component in self.components:
            for name in self.names(component):
                if (self.key[0], name) in workloads:
                    found[component] = workloads[self.key[0], name]
        return found


@dataclass
class Observed:
    """What came of a service.

    Attributes:
        skipped: why this release's API cannot hold it, and it was not submitted.
        refusal: what KServe's webhook, or the check of its types, said against it.
        of_update: whether that was against its update.
        images: of its workloads, by component.
        pod: the images that KServe's webhook has added to a pod of its predictor, by container; None if it has no pod.
        complaints: the controller's warnings.
        control: whether a service submitted to its namespace after it has its workload.
        stored: its spec as stored.
    """

    name: str
    skipped: str = ""
    refusal: str = ""
    of_update: bool = False
    images: dict[str, str] = field(default_factory=dict)
    pod: dict[str, str] | None = None
    complaints: list[str] = field(default_factory=list)
    control: bool = False
    stored: Object = field(default_factory=dict)


class Submission:
    """One run."""

    def __init__(self, api: Api, orders: list[Order]) -> None:
        self._api = api
        self._orders = orders
        self._seen = {order.name: Observed(order.name) for order in orders}

    def run(self) -> list[Observed]:
        """Submit all and see what comes of them."""
        for number, first in enumerate(range(0, len(self._orders), _AT_A_TIME)):
            self._run(self._orders[first : first + _AT_A_TIME], f"control-{number}")
        return list(self._seen.values())

    def _run(self, orders: list[Order], control: str) -> None:
        """Submit some, see what comes of them, and take them away.

        Args:
            control: the name of the services that are submitted after them.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._create, orders))
        accepted = [order for order in orders if not self._gone(order)]
        self._wait_for(accepted)
        before = self._workloads()
        updated = [order for order in accepted if order.then is not None]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._update, updated))
        waiting = [*updated, *(one for one in accepted if "predictor" not in one.images(before))]
        controls = self._create_controls(control, waiting)
        self._wait_for(controls)
        self._wait_for_changes([one for one in updated if not self._gone(one)], before)
        self._settle()
        self._read(orders, control)
        for one in (*accepted, *controls):
            self._api.delete(self._api.path_of(one.service))

    def _gone(self, order: Order) -> bool:
        seen = self._seen[order.name]
        return bool(seen.skipped or seen.refusal)

    def _create(self, order: Order) -> None:
        seen = self._seen[order.name]
        try:
            self._api.create(order.service, dryRun="All", fieldValidation="Strict")
        except ApiError as error:
            unknown = _UNKNOWN.findall(str(error))
            if lacking := [path for path in unknown if path.rpartition(".")[2] in _MATTER]:
                seen.skipped = f"this release has no {' and no '.join(lacking)}"
                return
            if not unknown and not _is_of_kserve(error):
                seen.skipped = str(error)
                return
        try:
            self._api.create(order.service)
        except ApiError as error:
            if _is_of_kserve(error):
                seen.refusal = str(error)
            else:
                seen.skipped = str(error)

    def _update(self, order: Order) -> None:
        try:
            self._api.patch(self._api.path_of(order.service), order.then)
        except ApiError as error:
            seen = self._seen[order.name]
            seen.refusal, seen.of_update = str(error), True

    def _create_controls(self, name: str, orders: Iterable[Order]) -> list[Order]:
        """A service that every release makes a workload for, in the namespace of each of these."""
        made = []
        for namespace, order in {one.key[0]: one for one in orders}.items():
            containers = [{"name": "kserve-container", "image": "sandbox.local/control"}]
            service = {
                "apiVersion": order.service["apiVersion"],
                "kind": "InferenceService",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"predictor": {"containers": containers}},
            }
            self._api.create(service)
            made.append(Order(name, service, awaits=("predictor",)))
        return made

    # workloads

    def _workloads(self) -> dict[tuple[str, str], str]:
        """The image of every workload by its namespace and name: Knative's before the Deployments of its revisions."""
        found = {}
        for path in ("/apis/apps/v1/deployments", "/apis/serving.knative.dev/v1/services"):
            for obj in self._api.items(path):
                found[obj["metadata"]["namespace"], obj["metadata"]["name"]] = _image(obj)
        return found

    def _wait_for(self, orders: list[Order]) -> None:
        """Wait until all that they await is there, or no more comes."""
        most, since = -1, time.monotonic()
        wanted = sum(len(one.awaits) for one in orders)
        while True:
            there = self._workloads()
            count = sum(part in one.images(there) for one in orders for part in one.awaits)
            if count == wanted or time.monotonic() - since > _PATIENCE_SECONDS:
                return
            if count > most:
                most, since = count, time.monotonic()
            time.sleep(_EVERY_SECONDS)

    def _wait_for_changes(self, orders: list[Order], before: dict[tuple[str, str], str]) -> None:
        """Wait until all of them have changed, or might have."""
        end = time.monotonic() + _CHANGE_SECONDS
        while orders and time.monotonic() < end:
            now = self._workloads()
            orders = [one for one in orders if one.images(now) == one.images(before)]
            time.sleep(_EVERY_SECONDS)

    def _settle(self) -> None:
        before, since = self._workloads(), time.monotonic()
        while time.monotonic() - since < _SETTLE_SECONDS:
            time.sleep(_EVERY_SECONDS)
            if (now := self._workloads()) != before:
                before, since = now, time.monotonic()

    def _read(self, orders: list[Order], control: str) -> None:
        workloads = self._workloads()
        complaints = self._complaints()
        pods = {(one["metadata"]["namespace"], one["metadata"]["name"]): _added(one) for one in self._pods()}
        for order in orders:
            seen = self._seen[order.name]
            if seen.skipped or (seen.refusal and not seen.of_update):
                continue
            seen.images = order.images(workloads)
            seen.pod = next((found for key, found in pods.items() if order.owns(key)), None)
            seen.complaints = complaints.get(order.key, [])
            seen.control = (order.key[0], f"{control}-predictor") in workloads or (
                (order.key[0], f"{control}-predictor-default") in workloads
            )
            seen.stored = (self._api.find(self._api.path_of(order.service)) or {}).get("spec", {})

    def _pods(self) -> list[Object]:
        """All pods, those that are going away left out."""
        return [one for one in self._api.items("/api/v1/pods") if "deletionTimestamp" not in one["metadata"]]

    def _complaints(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for event in self._api.items("/api/v1/events"):
            about = event["involvedObject"]
            if about.get("kind") == "InferenceService" and event.get("type") == "Warning":
                messages = found.setdefault((about.get("namespace", ""), about.get("name", "")), [])
                if event.get("message") not in messages:
                    messages.append(event.get("message", ""))
        return found


def _is_of_kserve(error: ApiError) -> bool:
    """Whether KServe's webhook has refused, or crashed; with 400 it says that it cannot read a field's type."""
    return "webhook" in str(error) and error.code != 400


def _added(pod: Object) -> dict[str, str]:
    """The images of the containers that KServe adds to a pod."""
    spec = pod["spec"]
    found = [*spec.get("initContainers", ()), *spec["containers"]]
    return {one["name"]: one["image"] for one in found if one["name"] in _ADDED}


def _image(workload: Object) -> str:
    """The image of the container that serves."""
    containers = workload["spec"]["template"]["spec"]["containers"]
    serving = next((one for one in containers if one.get("name") in _SERVING), containers[0])
    return str(serving.get("image", ""))


def main() -> None:
    """Read orders, carry them out, tell."""
    given = json.load(sys.stdin)
    api = Sandbox(Place(base() / given["sandbox"])).api()
    orders = [Order(one["name"], one["service"], one["then"], tuple(one["awaits"])) for one in given["services"]]
    json.dump([asdict(one) for one in Submission(api, orders).run()], sys.stdout)


if __name__ == "__main__":
    main()
