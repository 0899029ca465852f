"""The controller's pods behave as on a node: readiness, crashes, tokens, rights, replicas, logs."""

from __future__ import annotations

import subprocess
import threading

import pytest

from sandbox.api import ApiError
from tests.sandbox.kserve import KServe, container_status, is_ready, shortly

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


@pytest.mark.kserve("0.7.0")
def test_a_grace_period_is_kept_and_the_process_is_gone_with_its_pod(kserve: KServe) -> None:
    processes = kserve.processes()
    assert len(processes) == 1
    kserve.api.delete(f"{kserve.pods_path}/{kserve.controller()['metadata']['name']}")
    shortly("the process has ended", lambda: not processes & kserve.processes())
    kserve.wait_for_controller()
