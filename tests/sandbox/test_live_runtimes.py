"""A runtime for some services only, on the real KServe: made, used, promoted, and every step back."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.api import Object
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe, shortly
from tests.sandbox.releases import releases

IMAGE = "reg.local:5000/team/sk:py38"
MODEL: Object = {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://models/iris"}}
STANDARD = "kserve-sklearnserver"


def named(runtime: str | None = None) -> Object:
    """A predictor of sklearn that names a runtime, or none."""
    return {"model": {**MODEL["model"], **({"runtime": runtime} if runtime else {})}}


def state(kserve: KServe, names: list[str]) -> dict[str, Any]:
    """What an owner has written: services and runtimes, without what the API server sets."""
    runtimes = {name: one["spec"] for name, one in kserve.remember().runtimes.items()}
    path = f"/apis/serving.kserve.io/v1alpha1/namespaces/{kserve.namespace}/servingruntimes"
    own = {one["metadata"]["name"]: one["spec"] for one in kserve.api.items(path)}
    services = {name: kserve.stored(name)["spec"] for name in names}
    return {"cluster": runtimes, "namespace": own, "services": services, "config": kserve.config()}


def untouched(kserve: KServe, name: str) -> tuple[Any, list[str]]:
    """What changes if a service rolls: the generation of its workload, and its pods."""
    workload = kserve.workload(name)
    assert workload
    return workload["metadata"]["generation"], sorted(pod["metadata"]["uid"] for pod in kserve.pods(name))


@pytest.mark.parametrize("release", releases(since="0.8.0"))
def test_exactly_the_chosen_services_roll_and_every_step_can_be_taken_back(
    kserve: KServe, ksconfig: CommandLine, release: str
) -> None:
    # in 0.8 the runtime of a service that names none is not defined
    names = [f"svc-{letter}" for letter in "abcde"]
    for name in names:
        kserve.create(name, named(STANDARD if release == "0.8.0" else None))
    for name in names:
        kserve.wait_until_settled(name)
    standard = kserve.image("svc-a")
    first = state(kserve, names)
    others = {name: untouched(kserve, name) for name in names[2:]}
    in_namespace = ("-n", kserve.namespace)

    ksconfig.ok("runtime", "create", "sk-py38", "--from", STANDARD, "--image", IMAGE, *in_namespace)
    created = state(kserve, names)
    ksconfig.ok("runtime", "use", "sk-py38", "svc-a", "svc-b", "--wait-models", *in_namespace)
    for name in names[:2]:
        assert kserve.image(name) == IMAGE
    assert {name: untouched(kserve, name) for name in names[2:]} == others
    used = state(kserve, names)

    ksconfig.ok("runtime", "promote", "sk-py38", *in_namespace)
    for name in names:
        kserve.wait_for_image(name, IMAGE)
    assert all(kserve.stored(name)["spec"]["predictor"]["model"].get("runtime") != "sk-py38" for name in names)
    ksconfig.ok("runtime", "delete", "sk-py38", *in_namespace)

    ksconfig.ok("rollback")
    ksconfig.ok("rollback")
    assert state(kserve, names) == used
    for name in names[2:]:
        kserve.wait_for_image(name, str(standard))
    ksconfig.ok("rollback")
    assert state(kserve, names) == created
    ksconfig.ok("rollback")
    assert state(kserve, names) == first
    for name in names:
        kserve.wait_for_image(name, str(standard))


@pytest.mark.kserve("0.20.0")
def test_a_copy_that_is_chosen_by_itself_says_whom_it_captures(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", MODEL)
    kserve.wait_until_ready("iris")
    arguments = ("create", "mine", "--from", STANDARD, "--image", IMAGE, "--auto-select", "-n", kserve.namespace)
    plan = ksconfig.ok("runtime", *arguments, "-o", "json").json
    (iris,) = [one for one in plan["impact"]["services"] if one["namespace"] == kserve.namespace]
    assert (iris["effect"], iris["after"]) == ("changes", IMAGE)
    kserve.wait_for_image("iris", IMAGE)


#: A command, its exit code, and what it says; in the namespace of the test.
BAD: list[tuple[list[str], int, str]] = [
    (["create", "mine", "--from", "kserve-sklearnsrver", "--image", IMAGE], 1, "Did you mean kserve-sklearnserver"),
    (["create", "mine", "--image", IMAGE], 2, "needs --format"),
    (["create", "mine", "--from", STANDARD, "--image", "r/bad image"], 2, "is no image reference"),
    (["create", "Bad_Name", "--from", STANDARD, "--image", IMAGE], 2, "cannot be the name of a runtime"),
    (["create", "mine", "--from", STANDARD, "--image", "sklearn"], 2, "may be a tag or a repository"),
    (["create", "mine", "--from", STANDARD, "--image", IMAGE, "--cluster", "--auto-select"], 3, "same priority"),
    (["create", STANDARD, "--from", STANDARD, "--image", IMAGE, "--cluster"], 3, "is there already"),
    (["use", "kserve-xgbserver", "iris"], 3, "does not list sklearn"),
    (["use", "kserve-mlserver", "named"], 3, "does not serve protocol v1"),
    (["use", STANDARD, "irsi"], 1, "Did you mean iris"),
    (["use", STANDARD], 2, "no service was named"),
    (["use", "nothing", "iris"], 1, "there is no runtime nothing"),
    (["delete", STANDARD], 3, "Move them first"),
    (["promote", STANDARD], 2, "--to RUNTIME"),
]


@pytest.mark.kserve("0.20.0")
def test_what_cannot_work_is_one_clear_message_and_changes_nothing(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", MODEL)
    kserve.create("named", {"model": {**MODEL["model"], "protocolVersion": "v1"}})
    shortly("they are served", lambda: kserve.image("iris") and kserve.image("named"))
    before = state(kserve, ["iris", "named"])
    for arguments, code, said in BAD:
        done = ksconfig("runtime", *arguments, "-n", kserve.namespace)
        assert (done.code, said in done.err) == (code, True), (arguments, done.err)
        assert "Traceback" not in done.err
    assert state(kserve, ["iris", "named"]) == before


def made(kserve: KServe, ksconfig: CommandLine, name: str = "mine", *more: str) -> None:
    """Make a runtime for the namespace of the test, or with --cluster for all."""
    where = ("-n", kserve.namespace)
    ksconfig.ok("runtime", "create", name, "--from", STANDARD, "--image", IMAGE, *more, *where)


@pytest.mark.kserve("0.20.0")
def test_dry_runs_write_nothing(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", MODEL)
    made(kserve, ksconfig)
    before, history = state(kserve, ["iris"]), ksconfig.ok("history", "-o", "json").json
    where = ("--config-namespace", kserve.release.namespace)
    assert f"runtime/{kserve.namespace}/mine" in ksconfig.ok("runtime", "list", *where, "-n", kserve.namespace).out
    for arguments in (
        ["create", "other", "--from", STANDARD, "--image", IMAGE],
        ["use", "mine", "iris"],
        ["promote", "mine"],
        ["delete", "mine"],
    ):
        assert ksconfig.ok("runtime", *arguments, "-n", kserve.namespace, "--dry-run").out
    assert state(kserve, ["iris"]) == before
    assert ksconfig.ok("history", "-o", "json").json == history


@pytest.mark.kserve("0.20.0")
def test_the_same_command_again_finds_all_done(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", MODEL)
    create = ("create", "mine", "--from", STANDARD, "--image", IMAGE, "--env", "A=b", "-n", kserve.namespace)
    ksconfig.ok("runtime", *create)
    for arguments in (create, ("use", "mine", "iris", "-n", kserve.namespace)):
        ksconfig.ok("runtime", *arguments)
        again = ksconfig.ok("runtime", *arguments, "-o", "json").json
        assert not again["changed"]
    ksconfig.ok("runtime", "create", "gone", *create[2:])
    for _ in range(2):
        ksconfig.ok("runtime", "delete", "gone", "-n", kserve.namespace)
    other = ksconfig("runtime", *create[:-2], "--env", "C=d", "-n", kserve.namespace)
    assert other.code == 3
    assert "is there already, and is another" in other.err


@pytest.mark.kserve("0.20.0")
def test_a_copy_of_the_same_name_captures_the_services_that_name_it(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", named(STANDARD))
    kserve.wait_until_ready("iris")
    done = ksconfig.ok("runtime", "create", STANDARD, "--from", STANDARD, "--image", IMAGE, "-n", kserve.namespace)
    assert f"{kserve.namespace}/iris: kserve/sklearnserver:v0.20.0 -> {IMAGE}" in done.err
    assert "controller restarted and serving" in done.out
    kserve.wait_for_image("iris", IMAGE)
    ksconfig.ok("rollback")
    kserve.wait_for_image("iris", "kserve/sklearnserver:v0.20.0")


@pytest.mark.kserve("0.20.0")
def test_a_restart_that_is_due_is_completed_by_the_same_command(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", MODEL)
    kserve.wait_until_ready("iris")
    create = ("create", "mine", "--from", STANDARD, "--image", IMAGE, "--auto-select", "-n", kserve.namespace)
    ksconfig.ok("runtime", *create, "--no-restart")
    assert kserve.image("iris") != IMAGE
    done = ksconfig.ok("runtime", *create, "-o", "json").json
    assert (done["changed"], done["restarted"]) == (False, True)
    kserve.wait_for_image("iris", IMAGE)


@pytest.mark.kserve("0.8.0")
def test_what_admission_adds_with_a_runtime_and_a_rollback_leaves_is_said(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    kserve.create("iris", named(STANDARD))
    kserve.wait_until_ready("iris")
    done = ksconfig.ok("runtime", "use", "kserve-mlserver", "iris", "-n", kserve.namespace)
    assert "which a rollback leaves there" in done.err
    assert "env" in kserve.stored("iris")["spec"]["predictor"]["model"]
    ksconfig.ok("rollback")
    assert kserve.stored("iris")["spec"]["predictor"]["model"]["runtime"] == STANDARD


@pytest.mark.kserve("0.20.0")
def test_a_version_that_a_service_names_is_not_combined_unseen(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", {"model": {**MODEL["model"], "runtimeVersion": "v0.14.0"}})
    made(kserve, ksconfig)
    use = ("runtime", "use", "mine", "iris", "-n", kserve.namespace)
    refused = ksconfig(*use)
    assert refused.code == 3
    assert "reg.local:5000/team/sk:v0.14.0" in refused.err
    assert "--clear-version" in refused.err
    ksconfig.ok(*use, "--clear-version")
    kserve.wait_for_image("iris", IMAGE)
    ksconfig.ok("rollback")
    assert kserve.stored("iris")["spec"]["predictor"]["model"]["runtimeVersion"] == "v0.14.0"
    assert "runtime" not in kserve.stored("iris")["spec"]["predictor"]["model"]


@pytest.mark.kserve("0.20.0")
def test_a_name_stands_for_the_runtime_of_the_namespace_and_a_target_for_itself(
    kserve: KServe, ksconfig: CommandLine
) -> None:
    kserve.create("iris", MODEL)
    made(kserve, ksconfig, "both", "--cluster")
    made(kserve, ksconfig, "both")
    refused = ksconfig("runtime", "use", "runtime/both", "iris", "-n", kserve.namespace)
    assert refused.code == 3
    assert f"the name both stands for servingruntime {kserve.namespace}/both" in refused.err
    ksconfig.ok("runtime", "delete", "runtime/both", "-n", kserve.namespace)
    listed = ksconfig.ok("runtime", "list", "-o", "name").out.split()
    assert f"runtime/{kserve.namespace}/both" in listed
    assert "runtime/both" not in listed


@pytest.mark.kserve("0.20.0")
def test_a_runtime_of_another_framework_is_no_standard(kserve: KServe, ksconfig: CommandLine) -> None:
    made(kserve, ksconfig)
    refused = ksconfig("runtime", "promote", "mine", "--to", "kserve-xgbserver", "-n", kserve.namespace)
    assert refused.code == 3
    assert "clusterservingruntime kserve-xgbserver does not list sklearn" in refused.err


@pytest.mark.kserve("0.20.0")
def test_what_of_a_tried_runtime_stays_behind_is_said(kserve: KServe, ksconfig: CommandLine) -> None:
    made(kserve, ksconfig, "mine", "--env", "PREDICT_PROBA=True")
    done = ksconfig.ok("runtime", "promote", "mine", "-n", kserve.namespace, "--dry-run")
    assert "differs from it in env of its container too, which stays behind" in done.err


@pytest.mark.kserve("0.20.0")
def test_a_rollback_takes_no_runtime_from_a_service_that_names_it(kserve: KServe, ksconfig: CommandLine) -> None:
    made(kserve, ksconfig)
    kserve.create("iris", named("mine"))
    kserve.wait_for_image("iris", IMAGE)
    refused = ksconfig("rollback")
    assert refused.code == 3
    assert f"servingruntime {kserve.namespace}/mine away, which {kserve.namespace}/iris names" in refused.err
    kserve.api.delete(kserve.service_path("iris"))
    ksconfig.ok("rollback")


@pytest.mark.kserve("0.20.0")
def test_a_rollback_that_finds_nothing_left_lets_the_next_go_further(kserve: KServe, ksconfig: CommandLine) -> None:
    kserve.create("iris", MODEL)
    before = state(kserve, [])
    made(kserve, ksconfig)
    ksconfig.ok("runtime", "use", "mine", "iris", "-n", kserve.namespace)
    kserve.api.delete(kserve.service_path("iris"))
    first = ksconfig.ok("rollback")
    assert "is not there any more" in first.err
    assert "was left to bring back; it counts as rolled back" in first.out
    ksconfig.ok("rollback")
    assert state(kserve, []) == before


@pytest.mark.parametrize("release", releases(since="0.8.0"))
def test_a_service_in_the_form_of_0_7_is_moved_and_comes_back(
    kserve: KServe, ksconfig: CommandLine, release: str
) -> None:
    with kserve.without_admission():
        # with what the admission of 0.7 has written into it
        stored = {"storageUri": "gs://models/iris", "protocolVersion": "v1", "runtimeVersion": "v0.7.0"}
        kserve.create("old", {"sklearn": stored})
        # the controller's own write, which admission would convert
        shortly("it has its finalizer", lambda: kserve.stored("old")["metadata"].get("finalizers"))
    assert "model" not in kserve.stored("old")["spec"]["predictor"]
    made(kserve, ksconfig)
    ksconfig.ok("runtime", "use", "mine", "old", "--clear-version", "-n", kserve.namespace)
    kserve.wait_for_image("old", IMAGE)
    again = ksconfig.ok("runtime", "use", "mine", "old", "-n", kserve.namespace, "-o", "json").json
    assert not again["changed"]
    back = ksconfig.ok("rollback")
    assert "in the form that KServe's admission gives it now" in back.err
    kserve.wait_for_image("old", "kserve/sklearnserver:v0.7.0")
    ksconfig.ok("rollback")


@pytest.mark.kserve("0.20.0")
def test_a_dry_run_prints_a_manifest_that_the_api_server_takes(kserve: KServe, ksconfig: CommandLine) -> None:
    done = ksconfig.ok(
        "runtime", "create", "mine", "--from", STANDARD, "--image", IMAGE, "--env", "PREDICT_PROBA=True",
        "-n", kserve.namespace, "--dry-run", "-o", "json",
    )  # fmt: skip
    manifest = done.json
    kserve.api.create(manifest)
    (container,) = manifest["spec"]["containers"]
    assert container["image"] == IMAGE
    assert {"name": "PREDICT_PROBA", "value": "True"} in container["env"]
    assert "--model_name={{.Name}}" in container["args"]
    assert not any("autoSelect" in one or "priority" in one for one in manifest["spec"]["supportedModelFormats"])


@pytest.mark.kserve("0.20.0")
def test_a_runtime_from_nothing_has_the_usual_arguments(kserve: KServe, ksconfig: CommandLine) -> None:
    ksconfig.ok(
        "runtime", "create", "mine", "--image", IMAGE, "--format", "sklearn", "-n", kserve.namespace,
    )  # fmt: skip
    kserve.create("iris", {"model": {**MODEL["model"], "runtime": "mine"}})
    kserve.wait_for_image("iris", IMAGE)
    workload = kserve.workload("iris")
    assert workload
    assert "--model_name=iris" in workload["spec"]["template"]["spec"]["containers"][0]["args"]
