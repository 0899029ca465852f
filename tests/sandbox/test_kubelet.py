"""The controller's pods behave as on a node: readiness, crashes, tokens, rights, replicas, logs."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from sandbox.api import ApiError, Object
from tests.sandbox.kserve import KServe, container_status, is_ready, processes_of, shortly

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kserve/leases/kserve-controller-manager-leader-lock"


@pytest.mark.kserve("0.20.0")
def test_a_broken_ingress_makes_the_controller_crash_and_a_mended_one_brings_it_back(
    kserve: KServe, kubectl: str
) -> None:
    sound = kserve.config()["ingress"]
    kserve.set_config(ingress='{"ingressGateway": ')
    kserve.api.delete(f"{kserve.pods_path}/{kserve.controller()['metadata']['name']}")
    shortly("it crashes again and again", lambda: container_status(kserve.controller()).get("restartCount", 0) >= 2)
    status = shortly(
        "it is held back",
        lambda: (
            (now := container_status(kserve.controller()))["state"].get("waiting", {}).get("reason")
            == "CrashLoopBackOff"
            and now
        ),
    )
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert not is_ready(kserve.controller())
    with pytest.raises(ApiError, match="no endpoints available"):
        kserve.api.create(kserve.service("iris", {"sklearn": {"storageUri": "gs://a/b"}}))
    pod = kserve.controller()["metadata"]["name"]
    command = [kubectl, "--kubeconfig", str(kserve.sandbox.kubeconfig), "-n", "kserve", "logs", pod, "-c", "manager"]
    log = subprocess.run([*command, "--previous"], capture_output=True, text=True, check=True).stdout
    assert "unable to parse ingress config json: unexpected end of JSON input" in log

    kserve.set_config(ingress=sound)
    kserve.wait_for_controller()
    assert container_status(kserve.controller())["restartCount"] >= 2  # the same pod


@pytest.mark.kserve("0.7.0")
def test_a_pod_without_probes_is_ready_before_its_port_is_open(kserve: KServe) -> None:
    kserve.restart()
    seen: list[tuple[bool, bool]] = []
    stop = threading.Event()

    def sample() -> None:
        while not stop.is_set():
            ready = any(is_ready(pod) for pod in kserve.controller_pods())
            try:
                kserve.api.create(kserve.service("probe", {"sklearn": {"storageUri": "gs://a/b"}}), dryRun="All")
                seen.append((ready, True))
            except ApiError:
                seen.append((ready, False))

    old = {kserve.controller()["metadata"]["uid"]}
    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        kserve.api.delete(f"{kserve.pods_path}/{kserve.controller()['metadata']['name']}")
        kserve.wait_for_controller(old)
    finally:
        stop.set()
        sampler.join()
    assert (True, False) in seen, seen
    assert seen[-1] == (True, True)


@pytest.mark.kserve("0.20.0")
def test_of_two_replicas_the_lease_moves_when_its_holder_is_deleted(kserve: KServe) -> None:
    def holder() -> str:
        return str(kserve.api.get(LEASE)["spec"].get("holderIdentity", "")).partition("_")[0]

    kserve.scale(2)
    kserve.wait_for_controller()
    pods = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in kserve.controller_pods()}
    assert len(set(pods.values())) == 2
    first = shortly("somebody leads", lambda: holder() in pods and holder())
    kserve.api.delete(f"{kserve.pods_path}/{first}")
    second = shortly("another leads", lambda: holder() not in ("", first) and holder())
    assert second in {pod["metadata"]["name"] for pod in kserve.controller_pods()}
    kserve.wait_for_controller()


@pytest.mark.kserve("0.7.0")
def test_a_service_account_has_its_own_rights_and_no_more(kserve: KServe) -> None:
    account, system = "reader", kserve.release.namespace
    place = {"namespace": kserve.namespace, "name": account}
    kserve.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place})
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["inferenceservice-config"], "verbs": ["get"]}
    ]
    group = "rbac.authorization.k8s.io"
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"namespace": system, "name": kserve.namespace}}
    kserve.api.create({**role, "rules": rules})
    subjects = [{"kind": "ServiceAccount", **place}]
    reference = {"apiGroup": group, "kind": "Role", "name": kserve.namespace}
    kserve.api.create({**role, "kind": "RoleBinding", "roleRef": reference, "subjects": subjects})
    token = kserve.api.request("POST", f"/api/v1/namespaces/{kserve.namespace}/serviceaccounts/{account}/token", {})
    restricted = kserve.sandbox.api_as(token["status"]["token"])
    assert restricted.get(kserve.config_path)["data"]
    for refused in (
        lambda: restricted.patch(kserve.config_path, {"data": {"x": "{}"}}),
        lambda: restricted.items(f"/api/v1/namespaces/{system}/configmaps"),
        lambda: restricted.items(kserve.pods_path),
        lambda: restricted.create(kserve.service("iris", {"sklearn": {"storageUri": "gs://a/b"}})),
    ):
        with pytest.raises(ApiError) as error:
            refused()
        assert error.value.code == 403
    assert f"system:serviceaccount:{kserve.namespace}:{account}" in str(error.value)


@pytest.mark.kserve("0.20.0")
def test_an_image_that_nobody_has_is_never_pulled(kserve: KServe) -> None:
    old = kserve.controller()["metadata"]["uid"]
    containers = [{"name": "manager", "image": "kserve/kserve-controller:v0.0.0"}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    kserve.api.patch(kserve.workload_path, body, "application/strategic-merge-patch+json")

    def reasons() -> list[str]:
        states = [container_status(pod).get("state", {}) for pod in kserve.controller_pods()]
        return [(state.get("waiting") or {}).get("reason", "") for state in states]

    shortly("the new pod cannot be pulled", lambda: "ImagePullBackOff" in reasons())
    assert old in {pod["metadata"]["uid"] for pod in kserve.controller_pods() if is_ready(pod)}  # it surges


def job(kserve: KServe, name: str, container: Object, **pod: object) -> None:
    """A Job on the node that really runs pods, with the controller's image."""
    image = next(
        one["image"]
        for one in kserve.api.get(kserve.workload_path)["spec"]["template"]["spec"]["containers"]
        if one["name"] == "manager"
    )
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": image, **container}], **pod}
    template = {"metadata": {"labels": {"job": name}}, "spec": spec}
    metadata = {"name": name, "namespace": kserve.release.namespace}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"template": template, "backoffLimit": 0},
    }
    kserve.api.create(body)


def pod_of(kserve: KServe, name: str) -> Object:
    pods: list[Object] = shortly(
        "the job has a pod", lambda: kserve.api.items(kserve.pods_path, labelSelector=f"job={name}")
    )
    return pods[0]


def end_job(kserve: KServe, name: str) -> None:
    options = {"propagationPolicy": "Background"}
    kserve.api.delete(f"/apis/batch/v1/namespaces/{kserve.release.namespace}/jobs/{name}", options)
    shortly("its pods are gone", lambda: not kserve.api.items(kserve.pods_path, labelSelector=f"job={name}"))


@pytest.mark.kserve("0.7.0")
def test_a_pod_cannot_write_to_the_machine(kserve: KServe) -> None:
    script = "touch /etc/sandbox-was-here /usr/sandbox-was-here; touch /tmp/mine && cat /tmp/mine"
    job(kserve, "writes", {"command": ["sh", "-c", script]})
    shortly("it ends", lambda: pod_of(kserve, "writes")["status"]["phase"] == "Succeeded")
    assert not Path("/etc/sandbox-was-here").exists()
    assert not Path("/usr/sandbox-was-here").exists()
    end_job(kserve, "writes")


@pytest.mark.kserve("0.7.0")
def test_an_environment_that_is_not_there_is_named_and_waited_for(kserve: KServe) -> None:
    system = kserve.release.namespace
    wanted = [{"prefix": "MY_", "configMapRef": {"name": "settings"}}]
    job(kserve, "waits", {"command": ["sh", "-c", 'test "$MY_COLOUR" = blue'], "envFrom": wanted})
    state = shortly(
        "it waits",
        lambda: (
            (now := (container_status(pod_of(kserve, "waits"), "main").get("state") or {}).get("waiting"))
            and now["reason"] == "CreateContainerConfigError"
            and now
        ),
    )
    assert state["message"] == 'configmap "settings" not found'
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": system}}
    kserve.api.create({**settings, "data": {"COLOUR": "blue"}})
    shortly("it ends", lambda: pod_of(kserve, "waits")["status"]["phase"] == "Succeeded")
    end_job(kserve, "waits")
    kserve.api.delete(f"/api/v1/namespaces/{system}/configmaps/settings")


@pytest.mark.kserve("0.7.0")
def test_what_is_not_played_is_said_and_can_be_deleted(kserve: KServe) -> None:
    job(kserve, "odd", {"command": ["true"]}, initContainers=[{"name": "first", "image": "busybox"}])
    state = shortly(
        "it says so",
        lambda: (
            (now := (container_status(pod_of(kserve, "odd"), "main").get("state") or {}).get("waiting"))
            and now["reason"] == "CreateContainerError"
            and now
        ),
    )
    assert "init containers are not played here" in state["message"]
    end_job(kserve, "odd")


@pytest.mark.kserve("0.7.0")
def test_nothing_that_a_pod_started_outlives_it(kserve: KServe) -> None:
    job(kserve, "leaves", {"command": ["sh", "-c", "setsid sleep 31415 & sleep 1000"]})
    folder = kserve.sandbox.place.folder

    def sleepers() -> list[int]:
        return [pid for pid, command in processes_of(folder) if command[:1] == ["sleep"]]

    shortly("both run", lambda: len(sleepers()) == 2)
    pod = pod_of(kserve, "leaves")["metadata"]["name"]
    kserve.api.delete(f"{kserve.pods_path}/{pod}", {"gracePeriodSeconds": 0})
    end_job(kserve, "leaves")
    shortly("neither runs", lambda: not sleepers())


@pytest.mark.kserve("0.7.0")
def test_a_grace_period_is_kept_and_the_process_is_gone_with_its_pod(kserve: KServe) -> None:
    processes = kserve.processes()
    assert len(processes) == 1
    kserve.api.delete(f"{kserve.pods_path}/{kserve.controller()['metadata']['name']}")
    shortly("the process has ended", lambda: not processes & kserve.processes())
    kserve.wait_for_controller()
