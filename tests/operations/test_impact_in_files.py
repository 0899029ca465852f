"""What a plan foretells of services where they and their runtimes stand in files: the same as on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ksconfig import Care, Refused
from ksconfig.model.plan import ImageChange, Plan
from ksconfig.model.services.impact import Impact
from ksconfig.operations import Scope, plan_set, plan_set_image
from ksconfig.source.files import FileSource, ManifestFile, read_paths

CONFIG = """\
kind: ConfigMap
metadata:
  name: inferenceservice-config
data:
  predictors: |-
    {"sklearn": {"v1": {"image": "r/sk", "defaultImageVersion": "1"}, "v2": {"image": "r/ml", "defaultImageVersion": "1"}}}
  explainers: |-
    {"art": {"image": "r/art", "defaultImageVersion": "1"}}
  storageInitializer: |-
    {"image": "r/si:1"}
  agent: |-
    {"image": "r/agent:1"}
  router: |-
    {"image": "r/router:1"}
"""
BLOCK, MODEL = "sklearn: {storageUri: 'gs://b'}", "model: {modelFormat: {name: sklearn}, storageUri: 'gs://b'}"
STOP = "serving.kserve.io/stop: 'true'"


def service(
    name: str, predictor: str = BLOCK, *, namespace: str = "team", annotations: str = "", spec: str = ""
) -> str:
    """An InferenceService of v1beta1."""
    return (
        f"apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {{name: {name}, "
        f"namespace: {namespace}, annotations: {{{annotations}}}}}\nspec: {{predictor: {{{predictor}}}{spec}}}\n"
    )


def runtime(name: str = "kserve-sklearnserver", image: str = "r/sk:1", namespace: str = "") -> str:
    """A runtime for sklearn, of the cluster or of a namespace."""
    kind = "ServingRuntime" if namespace else "ClusterServingRuntime"
    where = f"\n  namespace: {namespace}" if namespace else ""
    return (
        f"kind: {kind}\nmetadata:\n  name: {name}{where}\nspec:\n  supportedModelFormats:\n"
        "  - {name: sklearn, autoSelect: true}\n  protocolVersions: [v1]\n  containers:\n  - name: kserve-container\n"
        f"    image: {image}\n"
    )


def source(*manifests: str) -> FileSource:
    """Manifests in a file each."""
    return FileSource(
        [ManifestFile(text.encode(), None, f"file-{number}.yaml") for number, text in enumerate(manifests, 1)]
    )


def planned(
    where: FileSource, images: Mapping[str, str], version: str, allow: tuple[str, ...] = (), **care: Any
) -> Plan:
    """A plan that gives targets new images."""
    return plan_set_image(where, images, Scope(kserve_version=version, allow=allow, care=Care(**care)))


def impact(where: FileSource, images: Mapping[str, str], version: str, *allow: str, **care: Any) -> Impact:
    """What such a plan does to services."""
    found = planned(where, images, version, allow, **care).impact
    assert found is not None
    return found


def told(found: Impact) -> list[tuple[str, str, str, str]]:
    """Name, effect and images of each."""
    return [(str(one), one.effect, one.before, one.after) for one in found.services]


class TestServicesInFiles:
    """They are taken as KServe would store them with the config as it is now."""

    @pytest.mark.parametrize("version", ["0.5", "0.6", "0.7"])
    def test_are_pinned_to_the_default_that_admission_has_written(self, version: str) -> None:
        found = impact(source(CONFIG, service("iris")), {"sklearn": ":2"}, version)
        assert told(found) == [("team/iris", "not-reached", "r/sk:1", "r/sk:1")]
        assert found.services[0].reason == "pinned: its runtimeVersion is 1"
        assert found.new == (ImageChange("sklearn", "r/sk:1", "r/sk:2"),)
        assert (found.looked_at, found.unknown) == (1, "")

    @pytest.mark.parametrize("version", ["0.8", "0.9", "0.10", "0.16", "0.20"])
    @pytest.mark.parametrize("predictor", [BLOCK, MODEL], ids=["block", "model"])
    def test_have_the_image_of_their_runtime(self, predictor: str, version: str) -> None:
        found = impact(source(CONFIG, runtime(), service("iris", predictor)), {"sklearn": "new/sk:2"}, version)
        assert told(found) == [("team/iris", "changes", "r/sk:1", "new/sk:2")]
        assert found.services[0].runtime == "clusterservingruntime kserve-sklearnserver"
        assert found.services[0].replicas is None

    @pytest.mark.parametrize("version", ["0.10", "0.20"])
    def test_are_captured_by_runtimes_of_their_namespace(self, version: str) -> None:
        where = source(
            runtime(), runtime("mine", "me/sk:1", "team"), service("iris", MODEL), service("b", MODEL, namespace="b")
        )
        assert told(impact(where, {"runtime/kserve-sklearnserver": "new/sk:2"}, version)) == [
            ("b/b", "changes", "r/sk:1", "new/sk:2"),
            ("team/iris", "not-reached", "me/sk:1", "me/sk:1"),
        ]

    def test_are_named_without_a_namespace_where_the_manifest_has_none(self) -> None:
        text = service("iris", MODEL).replace("namespace: team, ", "")
        assert told(impact(source(CONFIG, runtime(), text), {"sklearn": "new/sk:2"}, "0.16"))[0][0] == "iris"

    def test_are_grouped_by_what_becomes_of_them(self) -> None:
        where = source(
            CONFIG,
            runtime(),
            service("plain", MODEL),
            service("own", "model: {modelFormat: {name: sklearn}, image: me/x:1}"),
            service("custom", "containers: [{name: kserve-container, image: me/x:1}]"),
            service("pinned", "model: {modelFormat: {name: sklearn}, runtimeVersion: '1'}"),
            service("stopped", MODEL, annotations=STOP),
            service("canary", f"{MODEL}, canaryTrafficPercent: 10"),
            service("other", "model: {modelFormat: {name: onnx}}"),
        )
        found = impact(where, {"sklearn": ":2"}, "0.16")
        assert [(one.name, one.effect, one.reason) for one in found.services if one.effect != "changes"] == [
            ("canary", "canary", "10 % of its traffic (canaryTrafficPercent)"),
            ("custom", "not-reached", "its container is its own"),
            ("own", "not-reached", "it names its own image"),
            ("pinned", "not-reached", "pinned: its runtimeVersion is 1"),
            ("stopped", "not-reached", "it is stopped (annotation serving.kserve.io/stop)"),
        ]
        assert [one.name for one in found.having("changes")] == ["plain"]
        assert found.looked_at == 7

    @pytest.mark.parametrize(("target", "image"), [("storageInitializer", "r/si:2"), ("agent", "r/agent:2")])
    def test_have_what_the_pod_webhook_adds_at_their_next_pod(self, target: str, image: str) -> None:
        predictor = f"{MODEL}, logger: {{mode: all}}"
        found = impact(source(CONFIG, runtime(), service("iris", predictor)), {target: image}, "0.16")
        assert [(one.effect, one.after) for one in found.services] == [("next-pod", image)]

    def test_have_explainers_whose_version_is_the_default(self) -> None:
        text = service("iris", "containers: [{image: me/x:1}]", spec=", explainer: {art: {storageUri: 'gs://b'}}")
        found = impact(source(CONFIG, text), {"explainer/art": ":2"}, "0.16")
        assert [(one.component, one.effect, one.version) for one in found.services] == [
            ("explainer", "not-reached", "1")
        ]

    def test_may_be_none(self) -> None:
        found = impact(source(CONFIG, runtime()), {"sklearn": "new/sk:2"}, "0.16")
        assert (found.services, found.looked_at, found.unknown) == ((), 0, "")
        assert found.new == (ImageChange("sklearn", "r/sk:1", "new/sk:2"),)

    def test_have_graphs_beside_them_whose_router_changes(self) -> None:
        graph = "kind: InferenceGraph\nmetadata: {name: g, namespace: team}\n"
        assert impact(source(CONFIG, graph), {"router": "r/router:2"}, "0.16").graphs == ("team/g",)

    def test_are_found_in_all_files_of_a_directory(self, tmp_path: Path) -> None:
        files = {
            "config/kserve.yaml": CONFIG,
            "runtimes/sk.yaml": runtime(),
            "teams/a/iris.yaml": service("iris", MODEL, namespace="a"),
            "teams/b.yaml": f"{service('one', MODEL, namespace='b')}---\n{service('two', MODEL, namespace='b')}",
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        found = impact(FileSource(read_paths([tmp_path])), {"sklearn": "new/sk:2"}, "0.16")
        assert [str(one) for one in found.having("changes")] == ["a/iris", "b/one", "b/two"]

    def test_are_looked_at_for_a_value_that_decides_images_too(self) -> None:
        plan = plan_set(
            source(CONFIG, service("iris")),
            "predictors.sklearn.v1.defaultImageVersion",
            "2",
            Scope(kserve_version="0.7"),
        )
        assert plan.impact is not None
        assert told(plan.impact) == [("team/iris", "not-reached", "r/sk:1", "r/sk:1")]


class TestUnknown:
    """What could not be looked at is said, and does not stop the change."""

    BROKEN = "kind: InferenceService\nmetadata: {name: bad}\nspec: {predictor: {\n"

    def test_is_all_where_a_service_cannot_be_read(self) -> None:
        plan = planned(source(CONFIG, service("iris"), self.BROKEN), {"sklearn": ":2"}, "0.7")
        assert plan.changed
        assert plan.impact is not None
        assert plan.impact.services == ()
        assert "file-3.yaml, line 4" in plan.impact.unknown
        (notice,) = [one for one in plan.notices if one.code == "unknown-impact"]
        assert plan.impact.unknown in notice.message

    def test_is_the_rest_where_only_some_namespaces_are_asked_for(self) -> None:
        where = source(CONFIG, *(service("iris", namespace=name) for name in ("a", "b", "c")))
        found = impact(where, {"sklearn": ":2"}, "0.7", impact_namespaces=("a", "c"))
        assert [str(one) for one in found.services] == ["a/iris", "c/iris"]
        assert found.looked_at == 2
        assert found.unknown == "only services in a, c were looked at"

    def test_is_a_service_that_kserve_could_not_serve_any_more(self) -> None:
        digest = "sha256:" + "ab" * 32
        text = service("iris", "sklearn: {runtimeVersion: '0'}")
        plan = planned(source(CONFIG, text), {"sklearn": f"r/sk@{digest}"}, "0.7")
        assert [one.code for one in plan.notices if one.code == "invalid"] == ["invalid"]


class TestRefused:
    """Plans that nobody wants, with the services and the ways on."""

    NEW: Mapping[str, str] = {"sklearn": "new/sk:2"}

    def test_is_a_new_repository_with_an_old_version(self) -> None:
        where = source(CONFIG, service("iris"), service("own", "sklearn: {image: me/x:1}"))
        with pytest.raises(Refused) as caught:
            planned(where, self.NEW, "0.7")
        assert caught.value.allow == "pinned-tags"
        assert caught.value.picture == "  team/iris: r/sk:1 -> new/sk:1"
        assert ":TAG" in str(caught.value.advice)
        assert "--allow pinned-tags" in str(caught.value.advice)

    def test_names_the_first_five_of_them(self) -> None:
        where = source(CONFIG, *(service(f"iris-{number}") for number in range(7)))
        with pytest.raises(Refused, match="7 services") as caught:
            planned(where, self.NEW, "0.7")
        picture = str(caught.value.picture).splitlines()
        assert picture[0] == "  team/iris-0: r/sk:1 -> new/sk:1"
        assert picture[5:] == ["  ... and 2 more"]

    def test_is_not_where_a_person_says_that_the_images_exist(self) -> None:
        found = impact(source(CONFIG, service("iris")), self.NEW, "0.7", "pinned-tags")
        assert told(found) == [("team/iris", "pinned-tag", "r/sk:1", "new/sk:1")]

    @pytest.mark.parametrize("image", [":2", "new/sk"], ids=["the tag alone", "the repository alone"])
    def test_is_not_where_only_half_of_the_image_changes(self, image: str) -> None:
        assert impact(source(CONFIG, service("iris")), {"sklearn": image}, "0.7").having("pinned-tag") == ()

    def test_is_not_for_what_its_owner_has_written_the_new_version_into(self) -> None:
        text = service("iris", "sklearn: {runtimeVersion: '2'}")
        assert told(impact(source(CONFIG, text), self.NEW, "0.7")) == [("team/iris", "changes", "r/sk:2", "new/sk:2")]

    @pytest.mark.parametrize("bound", [0, 1])
    def test_is_more_services_than_may_change(self, bound: int) -> None:
        where = source(CONFIG, runtime(), *(service(name, MODEL) for name in ("a", "b")))
        word = f"2 services would change, and --max-affected is {bound}"
        with pytest.raises(Refused, match=word) as caught:
            planned(where, self.NEW, "0.16", max_affected=bound)
        assert caught.value.allow is None

    def test_is_one_service_more_than_none(self) -> None:
        with pytest.raises(Refused, match="1 service would change"):
            planned(source(CONFIG, runtime(), service("a", MODEL)), self.NEW, "0.16", max_affected=0)

    def test_is_not_as_many_as_may_change(self) -> None:
        where = source(
            CONFIG, runtime(), *(service(name, MODEL) for name in ("a", "b")), service("c", MODEL, annotations=STOP)
        )
        assert len(impact(where, self.NEW, "0.16", max_affected=2).having("changes")) == 2

    def test_leaves_the_files_as_they_are(self) -> None:
        where = source(CONFIG, service("iris"))
        with pytest.raises(Refused):
            planned(where, self.NEW, "0.7")
        assert [file.text for file in where.files] == [CONFIG, service("iris")]
