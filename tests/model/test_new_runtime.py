"""A runtime made from another, or from nothing; and what a copy loses with its name."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig.errors import UsageError
from ksconfig.model.new_runtime import FROM, SERVER_TYPE, NewRuntime, build_runtime, lost_with_the_name
from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import Release, Rules, rules_of
from ksconfig.model.runtimes import CLUSTER_KIND, NAMESPACED_KIND, Runtime, read_runtime

IMAGE = "registry.example/team/sk:py38"


def rules(minor: int) -> Rules:
    return rules_of(Release(0, minor))


def standard(name: str = "kserve-sklearnserver", **metadata: Any) -> tuple[Runtime, dict[str, Any]]:
    """A runtime of the cluster as KServe ships it, and its object."""
    container = {
        "name": "kserve-container", "image": "kserve/sklearnserver:v1",
        "args": ["--model_name={{.Name}}", "--http_port=8080"],
        "env": [{"name": "KEPT", "value": "1"}, {"name": "OLD", "value": "1"}],
    }  # fmt: skip
    data = {
        "metadata": {"name": name, "uid": "1", "resourceVersion": "7", **metadata},
        "spec": {
            "supportedModelFormats": [{"name": "sklearn", "version": "1", "autoSelect": True, "priority": 1}],
            "protocolVersions": ["v1", "v2"],
            "containers": [container, {"name": "side", "image": "side:1"}],
        },
    }
    return read_runtime(ObjectRef(CLUSTER_KIND, None, name), data), data


def made(minor: int = 20, **wanted: Any) -> dict[str, Any]:
    """A copy of the standard runtime."""
    base, data = standard()
    return build_runtime(
        NewRuntime(**{"name": "mine", "namespace": "team", "image": IMAGE} | wanted), base, data, rules(minor)
    )


def test_a_copy_changes_the_image_and_nothing_else_of_its_spec() -> None:
    _, data = standard()
    spec = made()["spec"]
    assert spec["containers"][0].pop("image") == IMAGE
    assert spec.pop("supportedModelFormats") == [{"name": "sklearn", "version": "1"}]
    original = dict(data["spec"])
    del original["supportedModelFormats"], original["containers"][0]["image"]
    assert spec == original


def test_a_copy_is_of_its_namespace_or_of_the_cluster_and_remembers_where_it_comes_from() -> None:
    one = made()
    assert (one["kind"], one["metadata"]["namespace"]) == (NAMESPACED_KIND, "team")
    assert one["metadata"]["annotations"][FROM] == "runtime/kserve-sklearnserver"
    assert "uid" not in one["metadata"]
    whole = made(namespace=None)
    assert whole["kind"] == CLUSTER_KIND
    assert "namespace" not in whole["metadata"]


def test_the_base_is_left_as_it_is() -> None:
    base, data = standard()
    wanted = NewRuntime("mine", "team", IMAGE, env=(("OLD", "2"),), args=("--workers=2",), auto_select=True)
    build_runtime(wanted, base, data, rules(20))
    assert data == standard()[1]


def test_variables_are_set_and_others_stay() -> None:
    env = made(env=(("OLD", "2"), ("PREDICT_PROBA", "True")))["spec"]["containers"][0]["env"]
    assert {one["name"]: one["value"] for one in env} == {"KEPT": "1", "OLD": "2", "PREDICT_PROBA": "True"}


def test_an_argument_takes_the_place_of_one_of_the_same_flag() -> None:
    args = made(args=("--http_port=9000", "--workers=2"))["spec"]["containers"][0]["args"]
    assert args == ["--model_name={{.Name}}", "--http_port=9000", "--workers=2"]


@pytest.mark.parametrize(
    ("wanted", "formats"),
    [
        ({}, [{"name": "sklearn", "version": "1"}]),
        ({"auto_select": True}, [{"name": "sklearn", "version": "1", "autoSelect": True, "priority": 1}]),
        ({"auto_select": True, "priority": 9},
         [{"name": "sklearn", "version": "1", "autoSelect": True, "priority": 9}]),
        ({"formats": ("xgboost:2", "onnx")}, [{"name": "xgboost", "version": "2"}, {"name": "onnx"}]),
    ],
)  # fmt: skip
def test_it_is_chosen_for_no_service_by_itself_unless_that_is_asked_for(
    wanted: dict[str, Any], formats: list[dict[str, Any]]
) -> None:
    assert made(**wanted)["spec"]["supportedModelFormats"] == formats


def test_to_0_10_the_first_container_serves_and_later_the_one_with_the_name() -> None:
    base, data = standard()
    data["spec"]["containers"].reverse()
    base = read_runtime(base.ref, data)
    images = {}
    for minor in (10, 11):
        spec = build_runtime(NewRuntime("mine", "team", IMAGE), base, data, rules(minor))["spec"]
        images[minor] = [one["image"] for one in spec["containers"]]
    assert images == {10: [IMAGE, "kserve/sklearnserver:v1"], 11: ["side:1", IMAGE]}


def test_one_from_nothing_has_the_usual_arguments() -> None:
    one = build_runtime(NewRuntime("mine", "team", IMAGE, formats=("sklearn",)), None, {}, rules(20))
    (container,) = one["spec"]["containers"]
    assert container["name"] == "kserve-container"
    assert container["args"] == ["--model_name={{.Name}}", "--model_dir=/mnt/models", "--http_port=8080"]
    assert one["spec"]["supportedModelFormats"] == [{"name": "sklearn"}]


def test_one_from_nothing_needs_formats() -> None:
    with pytest.raises(UsageError, match="needs --format"):
        build_runtime(NewRuntime("mine", "team", IMAGE), None, {}, rules(20))


def test_several_arguments_of_one_flag_take_the_place_of_all_old_ones_and_of_their_values() -> None:
    runtime, data = standard()
    container = data["spec"]["containers"][0]
    container["args"] = ["--first", "--x", "1", "--y=2", "--x=3", "--last"]
    wanted = NewRuntime("mine", "team", IMAGE, args=("--x=4", "--x=5", "--new"))
    made = build_runtime(wanted, runtime, data, rules(16))["spec"]["containers"][0]
    assert made["args"] == ["--first", "--x=4", "--x=5", "--y=2", "--last", "--new"]


def test_a_variable_stays_in_its_place_since_later_ones_may_refer_to_it() -> None:
    runtime, data = standard()
    wanted = NewRuntime("mine", "team", IMAGE, env=(("KEPT", "2"), ("NEW", "$(OLD)")))
    made = build_runtime(wanted, runtime, data, rules(16))["spec"]["containers"][0]
    assert [(one["name"], one["value"]) for one in made["env"]] == [("KEPT", "2"), ("OLD", "1"), ("NEW", "$(OLD)")]


def test_a_copy_is_chosen_for_no_format_that_its_base_is_not_chosen_for() -> None:
    runtime, data = standard()
    data["spec"]["supportedModelFormats"].append({"name": "pytorch", "version": "1"})
    copy = build_runtime(NewRuntime("mine", "team", IMAGE, auto_select=True, priority=2), runtime, data, rules(16))
    formats = {one["name"]: one for one in copy["spec"]["supportedModelFormats"]}
    assert (formats["sklearn"]["autoSelect"], formats["sklearn"]["priority"]) == (True, 2)
    assert formats["pytorch"] == {"name": "pytorch", "version": "1"}


def test_a_priority_is_of_no_use_where_nobody_chooses() -> None:
    runtime, data = standard()
    with pytest.raises(UsageError, match="for those that name it"):
        build_runtime(NewRuntime("mine", "team", IMAGE, priority=2), runtime, data, rules(16))


def test_a_copy_has_no_marks_of_those_who_own_the_base() -> None:
    marks: dict[str, Any] = {
        "labels": {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "kserve-1", "team": "a"},
        "annotations": {"argocd.argoproj.io/tracking-id": "kserve:x", "meta.helm.sh/release-name": "kserve"},
    }
    runtime, data = standard(**marks)
    metadata = build_runtime(NewRuntime("mine", "team", IMAGE), runtime, data, rules(16))["metadata"]
    assert metadata["labels"] == {"team": "a"}
    assert set(metadata["annotations"]) == {FROM}


@pytest.mark.parametrize(
    ("base", "minor", "name", "lost"),
    [
        ("kserve-sklearnserver", 16, "mine", 0),
        ("kserve-mlserver", 16, "mine", 1),
        ("kserve-mlserver", 16, "kserve-mlserver", 0),  # of the same name, in a namespace
        ("kserve-mlserver", 17, "mine", 0),  # the annotation that the copy has tells
        ("kserve-mlserver", 8, "mine", 1),
        ("kserve-tritonserver", 8, "mine", 0),
        ("kserve-tritonserver", 9, "mine", 1),
        ("kserve-torchserve", 16, "mine", 2),  # and the tag for a GPU
        ("kserve-torchserve", 19, "mine", 1),
        ("kserve-torchserve", 20, "mine", 0),
        ("kserve-vllmserver", 20, "mine", 0),
    ],
)
def test_what_kserve_binds_to_the_name_is_told(base: str, minor: int, name: str, lost: int) -> None:
    runtime, data = standard(base)
    copy = build_runtime(NewRuntime(name, "team", IMAGE), runtime, data, rules(minor))
    new = read_runtime(ObjectRef(NAMESPACED_KIND, "team", name), copy)
    assert len(list(lost_with_the_name(runtime, new, rules(minor)))) == lost


def test_the_annotation_that_keeps_the_server_is_set_where_the_release_reads_it() -> None:
    runtime, data = standard("kserve-mlserver")
    for minor, kept in ((16, None), (17, "mlserver"), (20, "mlserver")):
        copy = build_runtime(NewRuntime("mine", "team", IMAGE), runtime, data, rules(minor))
        assert copy["metadata"]["annotations"].get(SERVER_TYPE) == kept
