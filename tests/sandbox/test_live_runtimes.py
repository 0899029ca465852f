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


@pytest.fixture
def ksconfig(kserve: KServe) -> CommandLine:
    return CommandLine(kserve.sandbox.kubeconfig)


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
    (["create", "mine", "--from", STANDARD, "--image", "bad image"], 2, "is no image reference"),
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
