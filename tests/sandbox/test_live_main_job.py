"""The main job on the real KServe: write, restart, wait; and the way back."""

from __future__ import annotations

import json
import threading
import time

import pytest

from ksconfig import connect
from ksconfig.operations.site import Options
from ksconfig.operations.writing import record
from sandbox.api import ApiError
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe, container_status, shortly
from tests.sandbox.releases import releases

IMAGE = "reg.local:5000/team/sk:v9"
SKLEARN = {"sklearn": {"storageUri": "gs://models/iris"}}


@pytest.mark.kserve("0.7.0")
def test_in_0_7_a_new_service_has_the_image_in_the_instant_the_command_returns(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    before, pod = kserve.config(), kserve.controller()["metadata"]["uid"]
    done = ksconfig.ok("set-image", "sklearn", IMAGE, "--reason", "CVE-2026-1")
    stored = kserve.create("new", SKLEARN)
    assert stored["spec"]["predictor"]["sklearn"]["runtimeVersion"] == "v9"
    assert "revision 1, controller restarted and serving" in done.out
    kserve.wait_for_image("new", IMAGE)
    second = kserve.controller()["metadata"]["uid"]
    assert second != pod
    history = ksconfig.ok("history", "-o", "json").json["items"]
    assert [(one["number"], one["state"], one["reason"]) for one in history] == [(1, "ready", "CVE-2026-1")]

    ksconfig.ok("rollback")
    assert kserve.config() == before
    assert kserve.controller()["metadata"]["uid"] not in (pod, second)
    kserve.create("old", SKLEARN)
    kserve.wait_for_image("old", "kserve/sklearnserver:v0.7.0")


@pytest.mark.parametrize("release", releases(since="0.8.0"))
def test_from_0_8_on_new_and_existing_services_have_the_image(
    kserve: KServe, ksconfig: CommandLine, release: str
) -> None:
    model = {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/iris"}}
    before, runtimes = kserve.config(), kserve.remember().runtimes
    kserve.create("existing", model)
    kserve.wait_until_settled("existing")
    old = kserve.image("existing")
    assert old
    assert old.startswith("kserve/sklearnserver:v")
    ksconfig.ok("set-image", "sklearn", IMAGE)
    kserve.create("new", model)
    for name in ("existing", "new"):
        kserve.wait_for_image(name, IMAGE)
    ksconfig.ok("rollback")
    for name in ("existing", "new"):
        kserve.wait_for_image(name, old)
    assert kserve.config() == before
    after = kserve.remember().runtimes
    assert {name: one["spec"] for name, one in after.items()} == {name: one["spec"] for name, one in runtimes.items()}


@pytest.mark.kserve("0.20.0")
def test_a_runtime_of_0_20_needs_no_restart(kserve: KServe, ksconfig: CommandLine) -> None:
    pod = kserve.controller()["metadata"]["uid"]
    done = ksconfig.ok("set-image", "sklearn", IMAGE, "-o", "json").json
    assert done["changed"]
    assert not done["restarted"]
    assert kserve.controller()["metadata"]["uid"] == pod


@pytest.mark.kserve("0.7.0")
def test_what_is_there_already_changes_and_restarts_nothing(kserve: KServe, ksconfig: CommandLine) -> None:
    ksconfig.ok("set-image", "sklearn", IMAGE)
    pod = kserve.controller()["metadata"]["uid"]
    done = ksconfig.ok("set-image", "sklearn", IMAGE)
    assert "unchanged\nnothing to do\n" in done.out
    assert kserve.controller()["metadata"]["uid"] == pod
    assert len(ksconfig.ok("history", "-o", "json").json["items"]) == 1


@pytest.mark.kserve("0.7.0")
def test_a_restart_that_is_due_is_completed_by_the_same_command(kserve: KServe, ksconfig: CommandLine) -> None:
    ksconfig.ok("set-image", "sklearn", IMAGE, "--no-restart")
    pod = kserve.controller()
    assert ksconfig.ok("status", "-o", "json").json["restartDue"] == [pod["metadata"]["name"]]
    done = ksconfig.ok("set-image", "sklearn", IMAGE, "-o", "json").json
    assert not done["changed"]
    assert done["restarted"]
    assert kserve.controller()["metadata"]["uid"] != pod["metadata"]["uid"]
    assert ksconfig.ok("status", "-o", "json").json["restartDue"] == []


@pytest.mark.kserve("0.7.0")
def test_a_restart_is_due_after_others_have_changed_the_config(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.restart()
    predictors = kserve.config()["predictors"].replace("kserve/sklearnserver", "reg.local/other")
    time.sleep(1.1)  # Kubernetes has times to the second
    kserve.set_config(predictors=predictors)
    pod = kserve.controller()["metadata"]
    assert ksconfig.ok("status", "-o", "json").json["restartDue"] == [pod["name"]]
    ksconfig.ok("set-image", "sklearn", "reg.local/other:v0.7.0")
    assert kserve.controller()["metadata"]["uid"] != pod["uid"]


@pytest.mark.kserve("0.7.0")
def test_rollback_keeps_what_others_have_changed_since(kserve: KServe, ksconfig: CommandLine) -> None:
    ksconfig.ok("set-image", "sklearn", IMAGE, "--no-restart")
    theirs = kserve.config()["predictors"].replace("kserve/xgbserver", "reg.local/theirs")
    kserve.set_config(predictors=theirs)
    ksconfig.ok("rollback", "--no-restart")
    predictors = json.loads(kserve.config()["predictors"])
    assert predictors["sklearn"]["v1"]["image"] == "kserve/sklearnserver"
    assert predictors["xgboost"]["v1"]["image"] == "reg.local/theirs"
    history = ksconfig.ok("history")
    assert "(changed outside ksconfig)" in history.out


@pytest.mark.kserve("0.7.0")
def test_rollback_of_a_value_that_others_have_changed_since_is_a_conflict(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    ksconfig.ok("set-image", "sklearn", IMAGE, "--no-restart")
    kserve.set_config(predictors=kserve.config()["predictors"].replace("reg.local:5000/team/sk", "reg.local/theirs"))
    now = kserve.config()
    done = ksconfig("rollback", "--no-restart")
    assert done.code == 4
    assert "reg.local/theirs" in done.err
    assert "reg.local:5000/team/sk" in done.err
    assert kserve.config() == now


@pytest.mark.kserve("0.7.0")
def test_rollback_goes_back_step_by_step_and_to_a_numbered_state(kserve: KServe, ksconfig: CommandLine) -> None:
    first = kserve.config()
    states = [first]
    for number in (1, 2, 3):
        ksconfig.ok("set-image", "sklearn", f"reg.local/sk:v{number}", "--no-restart")
        states.append(kserve.config())
    ksconfig.ok("rollback", "--no-restart")
    assert kserve.config() == states[2]
    ksconfig.ok("rollback", "--no-restart")
    assert kserve.config() == states[1]
    ksconfig.ok("rollback", "--to-revision", "3", "--no-restart")
    assert kserve.config() == states[3]
    ksconfig.ok("rollback", "--to-revision", "0", "--no-restart")
    assert kserve.config() == first
    assert ksconfig("rollback", "--to-revision", "99").code == 1


@pytest.mark.kserve("0.7.0")
def test_a_rollback_that_nobody_waited_for_is_done_and_the_next_goes_further(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    first = kserve.config()
    ksconfig.ok("set-image", "sklearn", "reg.local/sk:v1")
    ksconfig.ok("set-image", "sklearn", "reg.local/sk:v2")
    ksconfig.ok("rollback", "--no-wait")
    ksconfig.ok("rollback", "--no-wait")
    assert kserve.config() == first
    assert ksconfig("rollback").code == 1
    kserve.wait_for_controller()


@pytest.mark.kserve("0.7.0")
def test_a_key_that_was_added_goes_with_its_rollback(kserve: KServe, ksconfig: CommandLine) -> None:
    before = kserve.config()
    ksconfig.ok("set", "router.image", "reg.local/router:1", "--allow", "new-key", "--no-restart")
    assert json.loads(kserve.config()["router"]) == {"image": "reg.local/router:1"}
    ksconfig.ok("rollback", "--no-restart")
    assert kserve.config() == before


@pytest.mark.kserve("0.20.0")
def test_a_key_that_is_read_anew_for_each_pod_makes_no_restart_due(kserve: KServe, ksconfig: CommandLine) -> None:
    pod = kserve.controller()["metadata"]["uid"]
    for _ in range(2):
        ksconfig.ok("set-image", "agent", "reg.local/agent:v9")
        assert ksconfig.ok("status", "-o", "json").json["restartDue"] == []
    assert kserve.controller()["metadata"]["uid"] == pod


@pytest.mark.kserve("0.20.0")
def test_no_command_restarts_a_controller_that_could_not_start(kserve: KServe, ksconfig: CommandLine) -> None:
    pod = kserve.controller()["metadata"]["uid"]
    done = ksconfig("set", "deploy.defaultDeploymentMode", "Bogus")
    assert done.code == 3
    ksconfig.ok("set-image", "explainer/art", "reg.local/art:v9", "--no-restart")
    broken = '{"ingressGateway": '
    kserve.set_config(ingress=broken)
    there = ["set-image", "explainer/art", "reg.local/art:v9"]  # and its restart is due
    for command in (["set-image", "explainer/art", "reg.local/art:v10"], there, ["restart"], ["rollback"]):
        done = ksconfig(*command)
        assert done.code == 3, done.err
        assert "ingress is no JSON (line 1, column" in done.err
        assert "--allow broken-start" in done.err
    assert kserve.config()["ingress"] == broken
    assert kserve.controller()["metadata"]["uid"] == pod


@pytest.mark.kserve("0.20.0")
def test_a_change_that_the_controller_does_not_start_with_is_taken_back(kserve: KServe, ksconfig: CommandLine) -> None:
    before = kserve.config()
    done = ksconfig(
        "set", "deploy.defaultDeploymentMode", "Bogus", "--allow", "broken-start", "--rollback-on-failure", "-o", "json"
    )
    assert done.code == 7, done.err
    assert kserve.config() == before
    assert "invalid deployment mode" in done.err  # the controller's own words
    assert done.json["rolledBack"] is True
    assert done.json["changed"] is False
    kserve.wait_for_controller()
    kserve.create("iris", SKLEARN)
    states = [(one["state"], one["rolledBack"]) for one in ksconfig.ok("history", "-o", "json").json["items"]]
    assert states == [("failed", True), ("ready", False)]
    assert ksconfig.ok("status", "-o", "json").json["unfinished"] == []


@pytest.mark.kserve("0.20.0")
def test_without_a_way_back_a_failed_start_is_told_with_its_reason(kserve: KServe, ksconfig: CommandLine) -> None:
    done = ksconfig("set", "deploy.defaultDeploymentMode", "Bogus", "--allow", "broken-start")
    assert done.code == 5
    assert "crashes again and again with exit code 1" in done.err
    assert "ksconfig rollback" in done.err
    assert "unfinished   revision 1: written, and the controller did not come up" in ksconfig.ok("status").out
    ksconfig.ok("rollback")
    assert container_status(kserve.controller())["ready"]


@pytest.mark.kserve("0.20.0")
def test_with_two_replicas_the_webhook_is_never_without_an_endpoint(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.scale(2)
    kserve.wait_for_controller()
    slices = "/apis/discovery.k8s.io/v1/namespaces/kserve/endpointslices"
    selector = "kubernetes.io/service-name=kserve-webhook-server-service"
    stop, samples = threading.Event(), list[int]()
    deletes, refusals = list[float](), list[tuple[float, str]]()

    def sample() -> None:
        while not stop.wait(0.05):
            pods = kserve.api.items(kserve.pods_path, labelSelector=f"control-plane={kserve.release.controller}")
            live = {pod["metadata"]["uid"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}
            if len(live) < len(pods):  # the last look at which a deleted pod was there
                deletes.append(time.monotonic())
            endpoints = [
                one
                for part in kserve.api.items(slices, labelSelector=selector)
                for one in part.get("endpoints") or []
                if one["conditions"].get("ready") and one["targetRef"]["uid"] in live
            ]
            samples.append(len(endpoints))
            try:
                kserve.api.create(kserve.service("probe", SKLEARN), dryRun="All")
            except ApiError as error:
                refusals.append((time.monotonic(), str(error)))

    sampler = threading.Thread(target=sample)
    begin = time.monotonic()
    sampler.start()
    try:
        old = {pod["metadata"]["uid"] for pod in kserve.controller_pods()}
        ksconfig.ok("set-image", "explainer/art", "reg.local/art:v9")
    finally:
        stop.set()
        sampler.join()
    seconds = time.monotonic() - begin
    assert not old & {pod["metadata"]["uid"] for pod in kserve.controller_pods()}
    print(
        f"\n{len(samples)} samples in {seconds:.0f} s: at least {min(samples)} ready endpoints of live pods; {len(refusals)} refusals"
    )
    for when, why in refusals:
        print(f"  {min(abs(when - one) for one in deletes):.2f} s from a delete: {why}")
    assert min(samples) >= 1
    assert len(samples) > 2 * seconds  # no gap that a client would meet can hide between them
    assert not [why for when, why in refusals if min(abs(when - one) for one in deletes) >= 2]


@pytest.mark.kserve("0.20.0")
def test_a_rollout_of_the_workload_serves_the_same(kserve: KServe, ksconfig: CommandLine) -> None:
    old = kserve.controller()["metadata"]["uid"]
    command = ("set-image", "explainer/art", "reg.local/art:v9", "--restart-by", "rollout")
    assert ksconfig(*command, "--timeout", "1s").code == 5  # the old leader's lease runs longer
    ordered = kserve.api.get(kserve.workload_path)["spec"]["template"]
    done = ksconfig.ok(*command, "-o", "json").json  # goes on waiting, and orders no other
    assert (done["changed"], done["served"]) == (False, True)
    assert kserve.api.get(kserve.workload_path)["spec"]["template"] == ordered
    assert kserve.controller()["metadata"]["uid"] != old
    assert ksconfig.ok("history", "-o", "json").json["items"][0]["state"] == "ready"


@pytest.mark.kserve("0.7.0")
def test_what_was_written_without_a_record_is_restarted_by_the_same_command(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    ksconfig.ok("set-image", "agent", "reg.local/agent:v8")  # there is a history
    old = kserve.controller()["metadata"]["uid"]
    time.sleep(1.1)  # times are of whole seconds
    command = ("set-image", "sklearn", IMAGE, "--no-history")
    ksconfig.ok(*command, "--no-restart")
    assert ksconfig.ok(*command, "-o", "json").json["restarted"]
    assert kserve.controller()["metadata"]["uid"] != old
    assert ksconfig.ok("status", "-o", "json").json["restartDue"] == []


@pytest.mark.kserve("0.8.0")
@pytest.mark.parametrize("arguments", [[], ["--to-revision", "0"]], ids=" ".join)
def test_a_rollback_of_several_objects_that_was_interrupted_is_completed(
    kserve: KServe, ksconfig: CommandLine, arguments: list[str]
) -> None:
    before, runtimes = kserve.config(), kserve.remember().runtimes
    ksconfig.ok("set-image", "sklearn", IMAGE)
    with connect(kubeconfig=kserve.sandbox.kubeconfig) as cluster:
        plan = cluster.plan_rollback()
        assert len({edit.object for edit in plan.edits}) == 2
        record(cluster.site, plan, Options())  # as a process does that is killed after its first write
        cluster.source.write([edit for edit in plan.edits if edit.object.kind != "ConfigMap"])
    assert kserve.config() != before
    done = ksconfig.ok("rollback", *arguments)
    assert "it is completed, and nothing more" in done.err
    assert kserve.config() == before
    assert {name: one["spec"] for name, one in kserve.remember().runtimes.items()} == {
        name: one["spec"] for name, one in runtimes.items()
    }
    status = ksconfig.ok("status", "-o", "json").json
    assert (status["restartDue"], status["unfinished"]) == ([], [])
    assert ksconfig("rollback").code == 1  # none is left to undo


@pytest.mark.kserve("0.20.0")
def test_a_controller_without_replicas_is_told(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.scale(0)
    shortly("no pod is left", lambda: not kserve.controller_pods())
    done = ksconfig("set-image", "explainer/art", "reg.local/art:v9")
    assert done.code == 5
    assert "has 0 replicas" in done.err
    assert json.loads(kserve.config()["explainers"])["art"]["image"] == "reg.local/art"


@pytest.mark.kserve("0.7.0")
def test_a_wait_that_takes_too_long_says_what_is_missing(kserve: KServe, ksconfig: CommandLine) -> None:
    path = kserve.workload_path
    annotations = {"sandbox.local/start-delay": "8"}
    kserve.api.patch(path, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
    shortly("the update is through", lambda: kserve.api.get(path)["status"].get("updatedReplicas") == 1)
    kserve.wait_for_controller()
    done = ksconfig("set-image", "sklearn", IMAGE, "--timeout", "2s")
    assert done.code == 5
    why = "the change is written (revision 1): the controller does not serve after 2 s: 0 of 1 new pods are ready"
    assert why in done.err
    again = ksconfig.ok("set-image", "sklearn", IMAGE, "-o", "json").json
    assert not again["changed"]
    assert again["served"]


@pytest.mark.kserve("0.7.0")
def test_a_command_whose_output_nobody_reads_any_more_goes_on_to_its_end(kserve: KServe, ksconfig: CommandLine) -> None:
    old = kserve.controller()["metadata"]["uid"]
    process = ksconfig.start("set-image", "sklearn", IMAGE)
    assert process.stdout
    assert process.stderr
    process.stderr.readline()  # as `2>&1 | head -1` does
    process.stderr.close()
    process.stdout.close()
    assert process.wait(60) == 0
    assert kserve.controller()["metadata"]["uid"] != old
    assert ksconfig.ok("history", "-o", "json").json["items"][0]["state"] == "ready"


@pytest.mark.kserve("0.7.0")
def test_a_rollback_of_what_was_never_written_closes_it_and_its_dry_run_says_so(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    ksconfig.ok("set-image", "agent", "reg.local/agent:v8")
    with connect(kubeconfig=kserve.sandbox.kubeconfig) as cluster:
        record(cluster.site, cluster.plan_set_image({"sklearn": IMAGE}), Options())  # and the process is killed
    before = kserve.config()
    dry = ksconfig.ok("rollback", "--dry-run", "-o", "json").json
    assert (dry["closed"], dry["dryRun"], dry["changes"]) == (2, True, [])
    assert "is closed now" in ksconfig.ok("rollback").out
    assert kserve.config() == before
    assert ksconfig.ok("rollback", "--dry-run", "-o", "json").json["closed"] is None
