"""What `doctor` finds in serving runtimes and storage containers."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ksconfig
from ksconfig import Finding

FORMAT = {"name": "sklearn", "version": "1", "autoSelect": True, "priority": 1}
CONTAINER = {
    "name": "kserve-container",
    "image": "registry.example/sklearnserver:1",
    "args": ["--model_name={{.Name}}", "--model_dir=/mnt/models"],
}


def runtime(
    name: str = "a", *, kind: str = "ClusterServingRuntime", namespace: str = "", **spec: Any
) -> dict[str, Any]:
    whole = {"containers": [CONTAINER], "protocolVersions": ["v1", "v2"], "supportedModelFormats": [FORMAT], **spec}
    whole = {name: value for name, value in whole.items() if value is not None}
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "serving.kserve.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": whole}


def findings(*objects: dict[str, Any], release: str = "0.16") -> list[Finding]:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    return list(ksconfig.loads(text, kserve_version=release, label="runtimes.json").doctor())


def container(**changes: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in {**CONTAINER, **changes}.items() if value is not None}]


@pytest.mark.parametrize("release", ["0.8", "0.10", "0.11", "0.15", "0.20"])
def test_nothing_is_found_in_sound_runtimes(release: str) -> None:
    other = runtime("b", supportedModelFormats=[{**FORMAT, "priority": 2}])
    assert findings(runtime(), other, release=release) == []


@pytest.mark.parametrize(
    ("spec", "release", "code", "path"),
    [
        ({"containers": container(name="server")}, "0.11", "no-serving-container", "spec.containers"),
        ({"containers": []}, "0.8", "no-serving-container", "spec.containers"),
        ({"containers": container(image=None)}, "0.16", "missing-field", "spec.containers[0].image"),
        ({"containers": container(image="Registry/A")}, "0.16", "no-reference", "spec.containers[0].image"),
        ({"containers": container(args=["--model_dir=/mnt"])}, "0.16", "no-model-name", "spec.containers[0].args"),
        ({"supportedModelFormats": [{**FORMAT, "priority": 0}]}, "0.11", "bad-value",
         "spec.supportedModelFormats[0].priority"),
        ({"supportedModelFormats": [{**FORMAT, "version": 1}]}, "0.8", "wrong-type",
         "spec.supportedModelFormats[0].version"),
        ({"supportedModelFormats": [{**FORMAT, "autoSelect": "true"}]}, "0.8", "wrong-type",
         "spec.supportedModelFormats[0].autoSelect"),
        ({"supportedModelFormats": [{"version": "1"}]}, "0.8", "missing-field", "spec.supportedModelFormats[0].name"),
        ({"disabled": "false"}, "0.8", "wrong-type", "spec.disabled"),
        ({"protocolVersions": "v1"}, "0.9", "wrong-type", "spec.protocolVersions"),
        ({"containers": container(args="--model_name=a")}, "0.16", "wrong-type", "spec.containers[0].args"),
        ({"containers": container(image=5)}, "0.16", "wrong-type", "spec.containers[0].image"),
        ({"containers": container() * 2}, "0.16", "bad-value", "spec.containers[1].name"),
        ({"containers": container(env=[{"name": "PORT", "value": 8080}])}, "0.16", "wrong-type",
         "spec.containers[0].env[0].value"),
        ({"containers": container(env=[{"name": {"a": "b"}}])}, "0.16", "wrong-type", "spec.containers[0].env[0].name"),
        ({"containers": container(env=[{"value": "a"}])}, "0.16", "wrong-type", "spec.containers[0].env[0].name"),
        ({"containers": container(args=[8080])}, "0.16", "wrong-type", "spec.containers[0].args[0]"),
        ({"containers": [CONTAINER, {"image": "a/b:1"}]}, "0.16", "wrong-type", "spec.containers[1].name"),
        ({"containers": container(resources={"limits": ["cpu"]})}, "0.16", "wrong-type",
         "spec.containers[0].resources.limits"),
        ({"containers": container(resources={"limits": {"cpu": 1}, "requests": {"cpu": "2"}})}, "0.16",
         "request-over-limit", "spec.containers[0].resources.requests.cpu"),
        ({"containers": container(env=[{"name": "A", "value": "{{ .Name | lower }}"}])}, "0.16", "bad-placeholder",
         "spec.containers[0].env[0].value"),
        ({"containers": container(env=[{"name": "A", "value": '{{ index .Labels "a/b" }}'}])}, "0.16",
         "bad-placeholder", "spec.containers[0].env[0].value"),
        ({"multiModel": True, "containers": container(env=[{"name": "PYTHONPATH"}])}, "0.20", "bad-value",
         "spec.containers[0].env[0]"),
        ({"workerSpec": {"containers": [{"name": "worker-container"}]},
          "containers": container(env=[{"name": "TENSOR_PARALLEL_SIZE"}])}, "0.15", "bad-value",
         "spec.containers[0].env[0]"),
        ({"workerSpec": {"containers": [{"name": "other"}]}}, "0.15", "bad-value",
         "spec.workerSpec.containers[0].name"),
        ({"workerSpec": {"pipelineParallelSize": 1}}, "0.15", "wrong-type", "spec.workerSpec.containers"),
        ({"containers": container(resources={"limits": {"cpu": "1x"}})}, "0.16", "bad-quantity",
         "spec.containers[0].resources.limits.cpu"),
        ({"containers": container(env=[{"name": "A", "value": "{{.Nam}}"}])}, "0.16", "bad-placeholder",
         "spec.containers[0].env[0].value"),
        ({"containers": container(env=[{"name": "A", "value": "{{.Name}"}])}, "0.16", "bad-placeholder",
         "spec.containers[0].env[0].value"),
        ({"containers": container(env=[{"name": "PYTHONPATH"}])}, "0.20", "bad-value", "spec.containers[0].env[0]"),
        ({"supportedModelFormats": [{**FORMAT, "priority": 2**31}]}, "0.16", "bad-value",
         "spec.supportedModelFormats[0].priority"),
        ({"supportedModelFormats": [FORMAT, {**FORMAT, "version": "2", "priority": 2}]}, "0.12", "several-priorities",
         "spec.supportedModelFormats[1].priority"),
        ({"workerSpec": {"containers": []}}, "0.15", "bad-value", "spec.workerSpec.containers"),
        ({"workerSpec": {"pipelineParallelSize": 0, "containers": [{"name": "worker-container"}]}}, "0.15", "bad-value", "spec.workerSpec.pipelineParallelSize"),
    ],
)  # fmt: skip
def test_what_breaks_services_or_is_refused_is_found(spec: dict[str, Any], release: str, code: str, path: str) -> None:
    (finding,) = findings(runtime(**spec), release=release)
    assert (finding.severity, finding.code, finding.written_path) == ("breaks", code, path)
    assert str(finding.object) == "clusterservingruntime a"


@pytest.mark.parametrize(
    ("spec", "release"),
    [
        ({"containers": container(name="server")}, "0.10"),
        ({"supportedModelFormats": [FORMAT, {**FORMAT, "version": "2", "priority": 2}]}, "0.11"),
        ({"workerSpec": {"containers": []}}, "0.14"),
        ({"containers": container(args=["--http_port=8080"])}, "0.16"),
        ({"containers": container(image="{{.Labels.image}}")}, "0.16"),
        ({"containers": container(name="server"), "supportedModelFormats": None}, "0.16"),
        ({"containers": None}, "0.16"),
        ({"containers": container(name="mlserver"), "multiModel": True, "builtInAdapter": {}}, "0.16"),
        ({"containers": container(name="server"), "disabled": True}, "0.16"),
        ({"containers": container(args=["--model_name=$(NAME)", "--model_dir=/mnt"])}, "0.16"),
        ({"containers": container(image="$(IMAGE)")}, "0.16"),
        ({"containers": container(args=['--config={"model":{"name":"{{.Name}}"}}'])}, "0.16"),
        ({"containers": container(args=["{{/* for .Foo */}}{{- if .Labels.a -}}x{{ end }}"])}, "0.16"),
        ({"containers": container(env=[{"name": "PYTHONPATH"}])}, "0.18"),
    ],
)
def test_what_a_release_does_not_mind_is_not_found(spec: dict[str, Any], release: str) -> None:
    assert findings(runtime(**spec), release=release) == []


@pytest.mark.parametrize("patch", [{}, {"$patch": "delete"}, {"spec": {"disabled": True}}])
def test_nothing_is_missing_in_a_patch(patch: dict[str, Any]) -> None:
    assert findings({"kind": "ClusterServingRuntime", "metadata": {"name": "a"}, **patch}) == []


def test_misspelt_fields_are_notes() -> None:
    found = findings(runtime(supportedModelFormats=[{**FORMAT, "autoselect": True}], protocolVersion=["v1"]))
    assert sorted((one.severity, one.code, one.written_path) for one in found) == [
        ("note", "misspelt-field", "spec.protocolVersion"),
        ("note", "misspelt-field", "spec.supportedModelFormats[0].autoselect"),
    ]


def test_a_key_that_stands_twice_is_found() -> None:
    text = "kind: ClusterServingRuntime\nmetadata: {name: a}\nspec:\n  disabled: true\n  disabled: false\n"
    (finding,) = ksconfig.loads(text, kserve_version="0.16").doctor()
    assert (finding.severity, finding.code, finding.written_path) == ("breaks", "key-twice", "spec.disabled")


def test_a_namespace_does_not_make_two_of_a_cluster_runtime() -> None:
    other = runtime()
    other["metadata"]["namespace"] = "kserve"
    assert [finding.code for finding in findings(runtime(), other)] == ["defined-twice"]


@pytest.mark.parametrize(
    ("containers", "code"),
    [
        (container(args=["--model_name=mine", "--model_dir=/mnt"]), "fixed-model-name"),
        (container(image="kserve-sklearnserver:replace"), "placeholder"),
    ],
)
def test_what_is_merely_odd_is_a_note(containers: list[dict[str, Any]], code: str) -> None:
    (finding,) = findings(runtime(containers=containers))
    assert (finding.severity, finding.code) == ("note", code)


class TestEqualPriorities:
    """Admission refuses the second of two runtimes that claim the same with the same priority."""

    def test_of_two_runtimes_of_the_cluster(self) -> None:
        (finding,) = findings(runtime("a"), runtime("b"))
        assert (finding.severity, finding.code, str(finding.object)) == (
            "breaks",
            "equal-priorities",
            "clusterservingruntime b",
        )
        assert "runtime/b and runtime/a have the same priority 1 for sklearn" in finding.message

    @pytest.mark.parametrize(
        "other",
        [
            {"protocolVersions": ["grpc-v2"]},
            {"protocolVersions": []},
            {"disabled": True},
            {"multiModel": True},
            {"supportedModelFormats": [{**FORMAT, "version": "2"}]},
            {"supportedModelFormats": [{**FORMAT, "autoSelect": False}]},
            {"supportedModelFormats": [{"name": "sklearn", "version": "1", "autoSelect": True}]},
        ],
        ids=lambda other: json.dumps(other)[:40],
    )
    def test_are_none_where_the_two_do_not_meet(self, other: dict[str, Any]) -> None:
        assert findings(runtime("a"), runtime("b", **other)) == []

    def test_are_none_before_0_11_and_across_namespaces(self) -> None:
        assert findings(runtime("a"), runtime("b"), release="0.10") == []
        namespaced = [runtime("a", kind="ServingRuntime", namespace=name) for name in ("x", "y")]
        assert findings(runtime("b"), *namespaced) == []


def test_a_runtime_in_two_manifests_is_a_note() -> None:
    (finding,) = findings(runtime(), runtime())
    assert (finding.severity, finding.code) == ("note", "defined-twice")


def test_the_image_of_a_storage_container_is_checked() -> None:
    storage = {
        "kind": "ClusterStorageContainer",
        "metadata": {"name": "default"},
        "spec": {"container": {"image": "Storage:1"}},
    }
    (finding,) = findings(storage)
    assert (finding.severity, finding.code, finding.written_path) == ("breaks", "no-reference", "spec.container.image")
