"""What the command line prints of services beside manifests, word for word; what it refuses, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import MANIFEST, Run
from tests.operations.test_impact_in_files import BLOCK, MODEL, runtime, service

RUNTIMES = 'kind: ConfigMap\nmetadata: {name: inferenceservice-config}\ndata: {agent: \'{"image": "r/agent:1"}\'}\n'
F = ("-f", "kserve.yaml", "-f", "services.yaml", "--kserve-version")
NEW = "new.local/sk:2"


def write(root: Path, *services: str, config: str = MANIFEST) -> None:
    """The manifests, in the directory where commands run."""
    (root / "kserve.yaml").write_text(config)
    (root / "services.yaml").write_text("---\n".join(services))


def with_runtime(root: Path, *services: str) -> None:
    """The manifests of a release with runtimes."""
    write(root, *services, config=f"{RUNTIMES}---\n{runtime()}")


def shown(out: str) -> list[str]:
    """What is printed behind the diff."""
    lines = out.splitlines()
    start = next(number for number, line in enumerate(lines) if " service" in line and line[0] in "0123456789n")
    return lines[start:]


def test_a_dry_run_prints_each_group_with_its_count(run: Run, tmp_path: Path) -> None:
    with_runtime(
        tmp_path,
        service("iris", MODEL),
        service("rose", MODEL),
        service("part", f"{MODEL}, canaryTrafficPercent: 10"),
        service("own", "model: {modelFormat: {name: sklearn}, image: me/x:1}"),
    )
    outcome = run("set-image", "sklearn", NEW, *F, "0.16", "--dry-run")
    assert outcome.code == 0
    assert shown(outcome.out) == [
        "2 services change:",
        f"  team/iris: r/sk:1 -> {NEW}",
        f"  team/rose: r/sk:1 -> {NEW}",
        "1 service changes for a share of its traffic:",
        f"  team/part: r/sk:1 -> {NEW}, 10 % of its traffic (canaryTrafficPercent)",
        "1 service is not reached:",
        "  team/own: it names its own image, me/x:1",
        f"new services of sklearn: r/sk:1 -> {NEW}",
    ]


def test_of_each_group_the_first_five_are_shown_and_json_lists_all(run: Run, tmp_path: Path) -> None:
    with_runtime(tmp_path, *(service(f"iris-{number}", MODEL) for number in range(8)))
    command = ("set-image", "sklearn", NEW, *F, "0.16", "--dry-run")
    lines = shown(run(*command).out)
    assert lines[0] == "8 services change:"
    assert [line.split(":")[0] for line in lines[1:6]] == [f"  team/iris-{number}" for number in range(5)]
    assert lines[6] == "  ... and 3 more (-o json lists all)"

    impact = json.loads(run(*command, "-o", "json").out)["impact"]
    assert [one["name"] for one in impact["services"]] == [f"iris-{number}" for number in range(8)]
    assert impact["lookedAt"] == 8
    assert impact["services"][0] == {
        "namespace": "team",
        "name": "iris-0",
        "component": "predictor",
        "effect": "changes",
        "before": "r/sk:1",
        "after": NEW,
        "reason": "clusterservingruntime kserve-sklearnserver is chosen for sklearn; "
        f"clusterservingruntime kserve-sklearnserver has image {NEW}",
        "runtime": "clusterservingruntime kserve-sklearnserver",
        "runtimeVersion": None,
        "replicas": None,
        "gpus": None,
        "traffic": None,
    }
    assert impact["newServices"] == [{"target": "sklearn", "before": "r/sk:1", "after": NEW}]


def test_of_those_not_reached_each_reason_is_shown_before_more_of_the_same(run: Run, tmp_path: Path) -> None:
    own = [service(f"a-{number}", "model: {modelFormat: {name: sklearn}, image: me/x:1}") for number in range(6)]
    pinned = service("pinned", "model: {modelFormat: {name: sklearn}, runtimeVersion: '1'}")
    with_runtime(tmp_path, *own, pinned)
    lines = shown(run("set-image", "sklearn", ":2", *F, "0.16", "--dry-run").out)
    assert lines[:3] == [
        "7 services are not reached:",
        "  team/a-0: it names its own image, me/x:1",
        "  team/pinned: pinned: its runtimeVersion is 1, r/sk:1",
    ]


def test_a_write_tells_it_on_standard_error(run: Run, tmp_path: Path) -> None:
    with_runtime(tmp_path, service("iris", MODEL))
    outcome = run("set-image", "sklearn", NEW, *F, "0.16")
    assert outcome.out == f"runtime/kserve-sklearnserver: r/sk:1 -> {NEW}\n"
    assert shown(outcome.err)[:2] == ["1 service changes:", f"  team/iris: r/sk:1 -> {NEW}"]


def test_that_no_service_changes_is_said(run: Run, tmp_path: Path) -> None:
    write(tmp_path, service("iris", "onnx: {storageUri: 'gs://b/m.onnx'}"))
    out = run("set-image", "sklearn", ":v9", *F, "0.7", "--dry-run").out
    assert "no service changes, of 1" in out.splitlines()


def test_an_image_that_new_services_could_not_pull_is_warned_of(run: Run, tmp_path: Path) -> None:
    write(tmp_path)
    outcome = run("unset", "predictors.sklearn.v1.defaultImageVersion", *F, "0.7")
    assert outcome.code == 0
    assert "warning: new services of sklearn would get kserve/sklearnserver:" in outcome.err


@pytest.mark.parametrize(
    ("version", "which"), [("0.12", "services that name no"), ("0.16", "services that are new and name no")]
)
def test_another_way_of_deployment_is_warned_of(version: str, which: str, run: Run, tmp_path: Path) -> None:
    write(tmp_path)
    outcome = run("set", "deploy.defaultDeploymentMode", "RawDeployment", *F, version)
    assert outcome.code == 0, outcome.err
    assert f"warning: {which} deployment mode would be deployed as RawDeployment, not Serverless" in outcome.err


def test_a_service_that_cannot_be_read_is_said_and_the_change_is_made(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "kind: InferenceService\nmetadata: {name: bad}\nspec: {predictor: {\n")
    outcome = run("set-image", "sklearn", ":v9", *F, "0.7")
    assert outcome.code == 0
    assert "warning: which services change is not wholly known: services.yaml, line " in outcome.err
    assert '"defaultImageVersion": "v9"' in (tmp_path / "kserve.yaml").read_text()


class TestRefusal:
    """Exit 3, with the services, the ways on, and nothing written."""

    def test_of_a_new_repository_with_an_old_version(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, *(service(name, BLOCK) for name in ("iris", "rose")))
        outcome = run("set-image", "sklearn", NEW, *F, "0.7")
        assert (outcome.code, outcome.out) == (3, "")
        assert "2 services would get the new repository with an old version" in outcome.err
        for line in ("iris", "rose"):
            assert f"  team/{line}: kserve/sklearnserver:v0.7.0 -> new.local/sk:v0.7.0\n" in outcome.err
        for way in (":TAG", "--allow pinned-tags", "runtimeVersion", "On a cluster --unpin"):
            assert way in outcome.err
        assert (tmp_path / "kserve.yaml").read_text() == MANIFEST

    def test_yields_where_the_images_are_said_to_exist(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, service("iris", BLOCK))
        outcome = run("set-image", "sklearn", NEW, *F, "0.7", "--allow", "pinned-tags")
        assert outcome.code == 0
        assert shown(outcome.err)[:2] == [
            "1 service combines the new repository with an old version:",
            "  team/iris: kserve/sklearnserver:v0.7.0 -> new.local/sk:v0.7.0, "
            "runtimeVersion v0.7.0 stays, where a new service gets new.local/sk:2",
        ]

    def test_of_more_services_than_may_change(self, run: Run, tmp_path: Path) -> None:
        with_runtime(tmp_path, service("iris", MODEL), service("rose", MODEL))
        before = (tmp_path / "kserve.yaml").read_text()
        outcome = run("set-image", "sklearn", NEW, *F, "0.16", "--max-affected", "1")
        assert outcome.code == 3
        assert "2 services would change, and --max-affected is 1" in outcome.err
        assert (tmp_path / "kserve.yaml").read_text() == before
        assert run("set-image", "sklearn", NEW, *F, "0.16", "--max-affected", "2").code == 0


def test_only_services_of_the_namespaces_asked_for_are_looked_at(run: Run, tmp_path: Path) -> None:
    with_runtime(tmp_path, *(service("iris", MODEL, namespace=name) for name in ("a", "b", "c", "d")))
    outcome = run(
        "set-image", "sklearn", NEW, *F, "0.16", "--dry-run", "-o", "json",
        "--impact-namespaces", "a,b", "--impact-namespaces", "d",
    )  # fmt: skip
    impact = json.loads(outcome.out)["impact"]
    assert [one["namespace"] for one in impact["services"]] == ["a", "b", "d"]
    assert impact["unknown"] == "only services in a, b, d were looked at"


@pytest.mark.parametrize("option", [("--unpin",), ("--unpin-service", "team/iris"), ("--wait-models",)])
def test_what_is_done_to_services_of_a_cluster_is_a_usage_error(
    option: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    write(tmp_path, service("iris", BLOCK))
    outcome = run("set-image", "sklearn", ":v9", *F, "0.7", *option)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {option[0]} is for a cluster, and -f names manifests")
    assert (tmp_path / "kserve.yaml").read_text() == MANIFEST


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--max-affected", "many"), "--max-affected is 'many', and must be a number from 0"),
        (("--max-affected", "-1"), "--max-affected is -1, and must be a number from 0"),
    ],
)
def test_options_that_say_nothing_sensible_are_usage_errors(
    option: tuple[str, ...], said: str, run: Run, tmp_path: Path
) -> None:
    write(tmp_path, service("iris", BLOCK))
    outcome = run("set-image", "sklearn", ":v9", *F, "0.7", *option)
    assert outcome.code == 2
    assert said in outcome.err
