"""What a plan foretells of services, against what the real KServe then does to each of them."""

from __future__ import annotations

import signal
from functools import partial
from typing import Any

import pytest

from ksconfig import Care, Impact, Refused, connect
from ksconfig.operations.site import Options
from ksconfig.operations.writing import record
from tests.sandbox.command_line import CommandLine, finished
from tests.sandbox.kserve import KServe, shortly
from tests.sandbox.releases import releases

IMAGE = "reg.local:5000/team/sk:v9"
URI = {"storageUri": "gs://models/iris"}
GPU = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
OWN = {"name": "kserve-container", "image": "my.local/own:1"}
MODEL = {"model": {"modelFormat": {"name": "sklearn"}, **URI}}


def model(**more: Any) -> dict[str, Any]:
    return {"model": {**MODEL["model"], **more}}


SHAPES: dict[str, dict[str, Any]] = {
    "plain": {"sklearn": URI},
    "versioned": {"sklearn": {**URI, "runtimeVersion": "v0.6.1"}},
    "own-image": {"sklearn": {**URI, "image": "me.local/sk:1"}},
    "protocol": {"sklearn": {**URI, "protocolVersion": "v2"}},
    "gpu": {"sklearn": {**URI, **GPU}},
    "custom": {"containers": [{"name": "kserve-container", "image": "my.local/own:1"}]},
    "other": {"xgboost": URI},
    "tf": {"tensorflow": {**URI, **GPU}},
}
#: From 0.8 on, besides.
OF_RUNTIMES: dict[str, dict[str, Any]] = {
    "model": MODEL,
    "named": model(runtime="kserve-sklearnserver"),
    "named-other": model(runtime="kserve-mlserver", protocolVersion="v2"),
    "model-versioned": model(runtimeVersion="v0.7.0"),
    "model-own": model(image="me.local:5000/sk:1"),
}


@pytest.mark.parametrize("release", releases())
def test_each_service_has_the_image_that_the_plan_foretold(kserve: KServe, release: str) -> None:
    shapes = SHAPES if release == "0.7.0" else SHAPES | OF_RUNTIMES
    for name, predictor in shapes.items():
        kserve.create(name, predictor)
    for name in shapes:
        shortly(f"{name} has a workload", partial(kserve.image, name))
    before = {name: kserve.image(name) for name in shapes}
    with connect(kubeconfig=kserve.sandbox.kubeconfig) as cluster:
        plan = cluster.plan_set_image({"sklearn": IMAGE}, allow=["pinned-tags"])
        cluster.apply(plan)
    foretold = impacts(plan.impact, kserve)
    assert {name for name in shapes if "sklearn" in str(shapes[name])} <= foretold.keys()
    expected = {name: foretold[name][1] if name in foretold else before[name] for name in shapes}
    assert {name: foretold[name][0] for name in foretold} == {name: before[name] for name in foretold}
    assert any(before[name] != expected[name] for name in shapes)
    for name in shapes:
        kserve.wait_for_image(name, str(expected[name]))
    # a service that is expected to stay as it is must not move later either
    kserve.create("last", {"sklearn": URI})
    shortly("a newer service was looked at", lambda: kserve.image("last"))
    assert {name: kserve.image(name) for name in shapes} == expected


def impacts(impact: Impact | None, kserve: KServe) -> dict[str, tuple[str, str]]:
    """Before and after of the predictors of this test's services."""
    assert impact is not None
    return {
        one.name: (one.before, one.after)
        for one in impact.services
        if one.namespace == kserve.namespace and one.component == "predictor"
    }


@pytest.mark.kserve("0.7.0")
def test_a_new_repository_with_old_versions_is_refused_with_the_services_and_the_ways_on(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    before = kserve.config()
    kserve.create("iris", {"sklearn": URI})
    done = ksconfig("set-image", "sklearn", IMAGE)
    assert done.code == 3
    assert f"{kserve.namespace}/iris: kserve/sklearnserver:v0.7.0 -> reg.local:5000/team/sk:v0.7.0" in done.err
    for way in ("--unpin", ":TAG", "--allow pinned-tags"):
        assert way in done.err
    assert kserve.config() == before
    ksconfig.ok("set-image", "sklearn", ":v0.7.1", "--no-restart")


@pytest.mark.kserve("0.7.0")
def test_unpinned_services_follow_and_a_rollback_brings_them_and_newer_ones_back(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    before = kserve.config()
    for name in ("old", "older"):
        kserve.create(name, {"sklearn": URI})
    kserve.create("owned", {"sklearn": {**URI, "runtimeVersion": "v0.6.1"}})
    refused = ksconfig("set-image", "sklearn", IMAGE, "--unpin")
    assert refused.code == 3
    assert f"{kserve.namespace}/owned" in refused.err
    assert f"{kserve.namespace}/old:" not in refused.err
    owned = f"{kserve.namespace}/owned"
    assert "(its owner wrote the version)" in refused.err
    assert f"--unpin-service {owned}" in refused.err
    assert "--unpin lets" not in refused.err
    done = ksconfig.ok("set-image", "sklearn", IMAGE, "--unpin", "--unpin-service", owned, "--wait-models")
    assert "3 services ready with the new image" in done.out
    for name in ("old", "older", "owned"):
        kserve.wait_for_image(name, IMAGE)
    kserve.create("new", {"sklearn": URI})
    kserve.wait_for_image("new", IMAGE)

    ksconfig.ok("rollback")
    assert kserve.config() == before
    for name in ("old", "older", "new"):
        kserve.wait_for_image(name, "kserve/sklearnserver:v0.7.0")
    kserve.wait_for_image("owned", "kserve/sklearnserver:v0.6.1")


@pytest.mark.kserve("0.7.0")
def test_what_owners_did_while_models_were_waited_for_is_left_when_the_change_is_taken_back(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    before = kserve.config()
    for name in ("stays", "goes"):
        kserve.create(name, {"sklearn": URI})
        kserve.wait_until_ready(name)
    broken = "reg.local/does-not-exist:v9"
    running = ksconfig.start("set-image", "sklearn", broken, "--unpin", "--wait-models", "--rollback-on-failure")
    kserve.wait_for_image("stays", broken)
    shortly("one more is created", lambda: kserve.create("new", {"sklearn": URI}))  # the webhook may be away
    kserve.api.delete(kserve.service_path("goes"))
    done = finished(running)
    assert done.code == 7, done.err
    assert "does-not-exist:v9: ImagePullBackOff" in done.err
    assert kserve.config() == before
    for name in ("stays", "new"):
        kserve.wait_for_image(name, "kserve/sklearnserver:v0.7.0")


@pytest.mark.kserve("0.20.0")
def test_a_wait_for_values_that_are_there_is_for_the_services_of_these_images(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    kserve.create("iris", MODEL)
    kserve.create("slow", {"xgboost": URI}, {"sandbox.local/ready-delay": "300s"})
    kserve.wait_until_ready("iris")
    done = ksconfig.ok("set-image", "sklearn", "kserve/sklearnserver:v0.20.0", "--wait-models")
    assert "unchanged" in done.out
    assert ksconfig("set-image", "sklearn", ":v0.20.0", "--wait-models", "--no-wait").code == 2


@pytest.mark.kserve("0.20.0")
def test_an_interrupt_while_models_are_waited_for_says_that_the_controller_serves(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    kserve.create("slow", MODEL, {"sandbox.local/ready-delay": "300s"})
    kserve.wait_for_image("slow", "kserve/sklearnserver:v0.20.0")
    running = ksconfig.start("set-image", "sklearn", "reg.local/sk:v9", "--wait-models")
    kserve.wait_for_image("slow", "reg.local/sk:v9")
    assert running.stderr is not None
    for line in running.stderr:
        if "run their new image" in line:
            break
    running.send_signal(signal.SIGTERM)
    done = finished(running)
    assert done.code == 143
    assert "the change is written (revision " in done.err
    assert "and the controller serves" in done.err


@pytest.mark.kserve("0.7.0")
def test_with_a_tag_alone_existing_services_stay_and_new_ones_follow(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", {"sklearn": URI})
    plan = ksconfig.ok("set-image", "sklearn", ":v0.7.1", "--dry-run", "-o", "json").json
    (iris,) = [one for one in plan["impact"]["services"] if one["namespace"] == kserve.namespace]
    assert (iris["effect"], iris["reason"]) == ("not-reached", "pinned: its runtimeVersion is v0.7.0")
    assert {"target": "sklearn", "before": "kserve/sklearnserver:v0.7.0", "after": "kserve/sklearnserver:v0.7.1"} in (
        plan["impact"]["newServices"]
    )
    ksconfig.ok("set-image", "sklearn", ":v0.7.1", "--unpin")
    kserve.wait_for_image("iris", "kserve/sklearnserver:v0.7.1")


@pytest.mark.kserve("0.20.0")
def test_the_wait_for_models_ends_with_the_reason_of_a_pod_that_cannot_run(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    kserve.create("iris", MODEL)
    kserve.wait_until_ready("iris")
    done = ksconfig("set-image", "sklearn", "reg.local/does-not-exist:v9", "--wait-models", "--models-timeout", "60s")
    assert done.code == 6
    assert "ImagePullBackOff" in done.err
    assert f"{kserve.namespace}/iris" in done.err
    assert "ksconfig rollback" in done.err
    ksconfig.ok("rollback", "--wait-models", "--models-timeout", "60s")
    kserve.wait_for_image("iris", "kserve/sklearnserver:v0.20.0")

    undone = ksconfig("set-image", "sklearn", "reg.local/does-not-exist:v9", "--wait-models", "--rollback-on-failure")
    assert undone.code == 7
    assert "ImagePullBackOff" in undone.err
    kserve.wait_for_image("iris", "kserve/sklearnserver:v0.20.0")


@pytest.mark.kserve("0.20.0")
def test_the_wait_for_models_ends_when_they_run_the_new_image(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("slow", MODEL, {"sandbox.local/ready-delay": "3s"})
    kserve.wait_until_ready("slow")
    done = ksconfig.ok("set-image", "sklearn", "reg.local/sk:v9", "--wait-models", "-o", "json").json
    assert done["modelsReady"] >= 1
    assert kserve.image("slow") == "reg.local/sk:v9"
    (state,) = states(ksconfig, kserve)
    assert state["upToDate"]
    assert state["running"] == state["expected"] == "reg.local/sk:v9"


@pytest.mark.kserve("0.7.0")
def test_images_tell_how_many_services_use_each(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("one", {"sklearn": URI})
    kserve.create("two", {"sklearn": {**URI, "protocolVersion": "v2"}})
    kserve.create("own", {"sklearn": {**URI, "image": "me.local/sk:1"}})
    used = {one["name"]: one["usedBy"] for one in ksconfig.ok("images", "-o", "json").json["items"]}
    assert (used["sklearn/v1"], used["sklearn/v2"], used["storageInitializer"], used["agent"]) == (1, 1, 3, 0)
    heading, *rows = ksconfig.ok("images").out.splitlines()
    assert heading.endswith("USED BY")
    assert next(row for row in rows if row.startswith("storageInitializer ")).endswith("  3")


def states(ksconfig: CommandLine, kserve: KServe) -> list[dict[str, Any]]:
    """What ``status`` says of this test's services."""
    found = ksconfig.ok("status", "-o", "json").json["services"]
    return [one for one in found if one["namespace"] == kserve.namespace]


@pytest.mark.kserve("0.20.0")
def test_services_that_keep_away_from_updates_are_not_reached(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("frozen", MODEL, {"serving.kserve.io/disable-auto-update": "true"})
    kserve.create("stopped", MODEL, {"serving.kserve.io/stop": "true"})
    kserve.create("free", MODEL)
    for name in ("frozen", "free"):
        kserve.wait_until_ready(name)
    plan = ksconfig.ok("set-image", "sklearn", "reg.local/sk:v9", "-o", "json").json
    found = {
        one["name"]: (one["effect"], one["reason"])
        for one in plan["impact"]["services"]
        if one["namespace"] == kserve.namespace
    }
    assert found["free"][0] == "changes"
    assert found["frozen"][0] == found["stopped"][0] == "not-reached"
    assert "disable-auto-update" in found["frozen"][1]
    assert "stop" in found["stopped"][1]
    kserve.wait_for_image("free", "reg.local/sk:v9")
    assert kserve.image("frozen") == "kserve/sklearnserver:v0.20.0"


@pytest.mark.kserve("0.20.0")
def test_a_namespaced_runtime_that_captures_services_is_named(kserve: KServe, ksconfig: CommandLine) -> None:
    runtime = kserve.remember().runtimes["kserve-sklearnserver"]
    metadata = {"name": "kserve-sklearnserver", "namespace": kserve.namespace}
    kserve.api.create({**runtime, "kind": "ServingRuntime", "metadata": metadata})
    kserve.create("captured", MODEL)
    plan = ksconfig.ok("set-image", "sklearn", "reg.local/sk:v9", "--dry-run", "-o", "json").json
    (captured,) = [one for one in plan["impact"]["services"] if one["namespace"] == kserve.namespace]
    assert captured["effect"] == "not-reached"
    assert f"servingruntime {kserve.namespace}/kserve-sklearnserver serves it" in captured["reason"]


@pytest.mark.kserve("0.20.0")
def test_more_services_than_allowed_are_refused(kserve: KServe, ksconfig: CommandLine) -> None:
    for name in ("one", "two"):
        kserve.create(name, MODEL)
    done = ksconfig("set-image", "sklearn", "reg.local/sk:v9", "--max-affected", "1")
    assert done.code == 3
    assert "2 services would change, and --max-affected is 1" in done.err


@pytest.mark.parametrize("predictor", [{"containers": [OWN]}, MODEL], ids=["custom", "sklearn"])
@pytest.mark.kserve("0.20.0")
def test_an_explainer_is_pinned_to_this_day(kserve: KServe, predictor: dict[str, Any]) -> None:
    service = kserve.service("explained", predictor)
    service["spec"]["explainer"] = {"art": {"type": "SquareAttack"}}
    kserve.api.create(service)
    shortly("its explainer runs", lambda: explainer_image(kserve, "explained"))
    with connect(kubeconfig=kserve.sandbox.kubeconfig) as cluster:
        with pytest.raises(Refused, match="new repository with an old version"):
            cluster.plan_set_image({"explainer/art": "reg.local/art:v9"})
        cluster.set_image("explainer/art", "reg.local/art:v9", care=Care(unpin=True))
        shortly("it follows", lambda: explainer_image(kserve, "explained") == "reg.local/art:v9")
        cluster.rollback()
    shortly("it is back", lambda: explainer_image(kserve, "explained") == "kserve/art-explainer:latest")


def explainer_image(kserve: KServe, name: str) -> str:
    selector = f"serving.kserve.io/inferenceservice={name},component=explainer"
    path = f"/apis/apps/v1/namespaces/{kserve.namespace}/deployments"
    for one in kserve.api.items(path, labelSelector=selector):
        return str(one["spec"]["template"]["spec"]["containers"][0]["image"])
    return ""


@pytest.mark.kserve("0.7.0")
def test_a_service_scaled_to_zero_counts_as_there_with_its_revision_ready(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    kserve.create("asleep", {"sklearn": URI}, {"sandbox.local/scaled-to-zero": "true"})
    kserve.wait_until_ready("asleep")
    done = ksconfig.ok("set-image", "sklearn", IMAGE, "--unpin", "--wait-models", "--models-timeout", "60s")
    assert "1 service ready with the new image" in done.out


@pytest.mark.kserve("0.7.0")
def test_what_else_rolls_at_the_restart_is_named(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("waiting", {"xgboost": URI})
    kserve.wait_for_image("waiting", "kserve/xgbserver:v0.7.0")
    ksconfig.ok("set-image", "xgboost", "reg.local/xgb:v0.7.0", "--allow", "pinned-tags", "--no-restart")
    plan = ksconfig.ok("set-image", "sklearn", ":v0.7.1", "--dry-run", "-o", "json").json
    (waiting,) = [one for one in plan["impact"]["services"] if one["namespace"] == kserve.namespace]
    assert (waiting["effect"], waiting["before"], waiting["after"]) == (
        "other",
        "kserve/xgbserver:v0.7.0",
        "reg.local/xgb:v0.7.0",
    )
    ksconfig.ok("set-image", "sklearn", ":v0.7.1")
    kserve.wait_for_image("waiting", "reg.local/xgb:v0.7.0")


@pytest.mark.kserve("0.20.0")
def test_graphs_are_named_where_their_router_is_touched(kserve: KServe, ksconfig: CommandLine) -> None:
    path = f"/apis/serving.kserve.io/v1alpha1/namespaces/{kserve.namespace}/inferencegraphs"
    steps = [{"serviceUrl": "http://iris.example"}]
    graph = {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "InferenceGraph",
        "metadata": {"name": "chain", "namespace": kserve.namespace},
        "spec": {"nodes": {"root": {"routerType": "Sequence", "steps": steps}}},
    }
    kserve.api.request("POST", path, graph)
    plan = ksconfig.ok("set-image", "router", ":v9", "--dry-run", "-o", "json").json
    assert plan["impact"]["inferenceGraphs"] == [f"{kserve.namespace}/chain"]


@pytest.mark.kserve("0.7.0")
def test_what_an_interrupted_run_has_left_pinned_is_completed_by_the_same_command(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    before = kserve.config()
    for name in ("one", "two"):
        kserve.create(name, {"sklearn": URI})
    with connect(kubeconfig=kserve.sandbox.kubeconfig) as cluster:
        plan = cluster.plan_set_image({"sklearn": IMAGE}, care=Care(unpin=True))
        site = cluster.site
        record(site, plan, Options())  # as a process does that is killed after its first write
        site.source.write([edit for edit in plan.edits if edit.object.kind == "ConfigMap"])
    done = ksconfig.ok("set-image", "sklearn", IMAGE, "--unpin")
    assert "was interrupted" in done.err
    for name in ("one", "two"):
        kserve.wait_for_image(name, IMAGE)
    again = ksconfig.ok("set-image", "sklearn", IMAGE, "--unpin", "-o", "json").json
    assert not again["changed"]
    ksconfig.ok("rollback", "--to-revision", "0")
    assert kserve.config() == before
    for name in ("one", "two"):
        kserve.wait_for_image(name, "kserve/sklearnserver:v0.7.0")


@pytest.mark.kserve("0.7.0")
def test_a_service_that_its_owner_has_changed_since_is_left_by_a_rollback(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    before = kserve.config()
    for name in ("kept", "changed", "deleted"):
        kserve.create(name, {"sklearn": URI})
    ksconfig.ok("set-image", "sklearn", IMAGE, "--unpin")
    kserve.api.patch(kserve.service_path("changed"), {"spec": {"predictor": {"sklearn": {"runtimeVersion": "1.3"}}}})
    kserve.api.delete(kserve.service_path("deleted"))
    done = ksconfig.ok("rollback")
    assert f"{kserve.namespace}/changed has another runtimeVersion since" in done.err
    assert kserve.config() == before
    kserve.wait_for_image("kept", "kserve/sklearnserver:v0.7.0")
    kserve.wait_for_image("changed", "kserve/sklearnserver:1.3")
