"""`set_image` and `images` where serving runtimes stand in files: what is changed, what is only said, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

import ksconfig

NEW = "registry.example:5000/team/server:2"
CONTROLLER = """\
kind: Deployment
metadata: {name: kserve-controller-manager}
spec: {template: {spec: {containers: [{name: manager, image: "kserve/kserve-controller:TAG"}]}}}
---
"""
PREDICTORS = """\
{"sklearn": {"v1": {"image": "r/sk", "defaultImageVersion": "1"}, "v2": {"image": "r/ml", "defaultImageVersion": "1"}},
     "tensorflow": {"image": "r/tf", "defaultImageVersion": "1", "defaultGpuImageVersion": "1-gpu"},
     "onnx": {"image": "r/onnx", "defaultImageVersion": "1"}}"""


def config(**keys: str) -> str:
    head = "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n"
    return head + "".join(f"  {key}: |-\n    {value}\n" for key, value in keys.items()) + "---\n"


def runtime(name: str, formats: str = "sklearn", *, kind: str = "ClusterServingRuntime", more: str = "") -> str:
    listed = "".join(f"  - {{name: {one}, autoSelect: true}}\n" for one in formats.split())
    return (
        f"kind: {kind}\nmetadata:\n  name: {name}\n{more}spec:\n  supportedModelFormats:\n{listed}"
        f"  containers:\n  - name: kserve-container\n    image: r/{name}:1\n---\n"
    )


CONFIG = config(predictors=PREDICTORS, agent='{"image": "r/agent:1"}')
RUNTIMES = (
    runtime("kserve-sklearnserver")
    + runtime("kserve-tensorflow-serving", "tensorflow")
    + runtime("kserve-tritonserver", "onnx triton")
)
ALL = CONFIG + RUNTIMES
STORAGE = (
    "kind: ClusterStorageContainer\nmetadata: {name: default}\nspec: {container: {name: s, image: r/storage:1}}\n---\n"
)


def loads(text: str, version: str | None) -> ksconfig.Manifests:
    return ksconfig.loads(text, kserve_version=version, label="kserve.yaml")


def codes(loaded: ksconfig.Manifests) -> list[str]:
    return [notice.code for notice in loaded.notices]


def message(loaded: ksconfig.Manifests, code: str) -> str:
    return next(notice.message for notice in loaded.notices if notice.code == code)


def new_runtime(text: str, name: str) -> str:
    assert text.count(f"image: r/{name}:1\n") == 1
    return text.replace(f"image: r/{name}:1\n", f"image: {NEW}\n")


def new_predictor(text: str, before: str) -> str:
    present = f'"image": "{before}", "defaultImageVersion": "1"'
    assert text.count(present) == 1
    repository, _, tag = NEW.rpartition(":")
    return text.replace(present, f'"image": "{repository}", "defaultImageVersion": "{tag}"')


class TestFramework:
    """Everything that decides its image changes in one plan, and nothing else."""

    @pytest.mark.parametrize(
        ("version", "in_predictors", "in_runtime"),
        [("0.7", True, False), ("0.8", True, True), ("0.9", True, True), ("0.10", False, True), ("0.20", False, True)],
    )
    def test_changes_where_its_release_looks(self, version: str, in_predictors: bool, in_runtime: bool) -> None:
        expected = new_predictor(ALL, "r/sk") if in_predictors else ALL
        expected = new_runtime(expected, "kserve-sklearnserver") if in_runtime else expected
        loaded = loads(ALL, version)

        loaded.set_image("sklearn", NEW)

        assert loaded.text == expected
        assert loaded.set_image("sklearn", NEW) == ()
        assert loaded.text == expected

    @pytest.mark.parametrize("version", ["0.8", "0.9"])
    @pytest.mark.parametrize("within", ["config", "runtimes"])
    def test_changes_in_one_of_the_two_where_that_is_asked_for(self, version: str, within: Any) -> None:
        loaded = loads(ALL, version)
        loaded.set_image("sklearn", NEW, within=within)
        config_only, runtime_only = new_predictor(ALL, "r/sk"), new_runtime(ALL, "kserve-sklearnserver")
        assert loaded.text == (config_only if within == "config" else runtime_only)

    @pytest.mark.parametrize(
        ("image", "predictor", "server"),
        [
            (":2", '"r/sk", "defaultImageVersion": "2"', "r/kserve-sklearnserver:2"),
            ("registry.example/sk", '"registry.example/sk", "defaultImageVersion": "1"', "registry.example/sk:1"),
        ],
        ids=["tag", "repository"],
    )
    def test_keeps_the_other_half_of_each_of_its_images(self, image: str, predictor: str, server: str) -> None:
        loaded = loads(ALL, "0.9")
        loaded.set_image("sklearn", image)
        expected = ALL.replace('"r/sk", "defaultImageVersion": "1"', predictor)
        assert loaded.text == expected.replace("r/kserve-sklearnserver:1", server)

    def test_plans_runtimes_before_the_config(self) -> None:
        plan = loads(ALL, "0.9").plan_set_image({"sklearn": NEW})
        assert [edit.object.kind for edit in plan.edits] == ["ClusterServingRuntime", "ConfigMap"]
        assert [image.target for image in plan.images] == ["sklearn/v1", "runtime/kserve-sklearnserver"]
        assert [change.written_path for change in plan.changes] == [
            "predictors.sklearn.v1.image",
            "predictors.sklearn.v1.defaultImageVersion",
            "spec.containers[0].image",
        ]

    def test_is_finished_where_one_of_the_two_is_done(self) -> None:
        half = new_runtime(ALL, "kserve-sklearnserver")
        loaded = loads(half, "0.9")
        assert {change.object.kind for change in loaded.set_image("sklearn", NEW)} == {"ConfigMap"}
        assert loaded.text == new_predictor(half, "r/sk")

    def test_with_a_gpu_tag_needs_it_where_predictors_count(self) -> None:
        loaded = loads(ALL, "0.9")
        with pytest.raises(ksconfig.Refused, match="old tag"):
            loaded.set_image("tensorflow", NEW)
        assert loaded.text == ALL
        loaded.set_image("tensorflow", NEW, gpu_version="2-gpu")
        expected = new_runtime(new_predictor(ALL, "r/tf"), "kserve-tensorflow-serving")
        assert loaded.text == expected.replace('"1-gpu"', '"2-gpu"')

    def test_with_a_gpu_tag_says_what_kserve_makes_of_it_where_runtimes_count(self) -> None:
        loaded = loads(ALL, "0.16")
        loaded.set_image("tensorflow", NEW)
        assert f"services with a GPU {NEW}-gpu" in message(loaded, "tag-rule")
        with pytest.raises(ksconfig.UsageError, match="GPU version"):
            loaded.set_image("tensorflow", NEW, gpu_version="2-gpu")

    @pytest.mark.parametrize("version", ["0.8", "0.9"])
    @pytest.mark.parametrize(
        ("target", "within"),
        [("tensorflow", "runtimes"), ("runtime/kserve-tensorflow-serving", None)],
        ids=["in runtimes", "by name"],
    )
    def test_with_a_gpu_tag_says_that_it_is_lost_where_its_runtime_moves_alone(
        self, version: str, target: str, within: Any
    ) -> None:
        loaded = loads(ALL.replace("r/kserve-tensorflow-serving:1", "r/tf:1"), version)
        loaded.set_image(target, "r/elsewhere:1", within=within)
        assert any("GPU" in notice.message for notice in loaded.notices)

    def test_with_a_port_says_what_0_8_makes_of_it(self) -> None:
        loaded = loads(ALL, "0.8")
        loaded.set_image("sklearn", NEW)
        assert "services with a runtimeVersion get registry.example:VERSION" in message(loaded, "tag-rule")

    @pytest.mark.parametrize("version", ["0.8", "0.16"])
    def test_whose_runtime_serves_others_is_refused(self, version: str) -> None:
        loaded = loads(ALL, version)
        with pytest.raises(ksconfig.Refused, match="serves triton too") as caught:
            loaded.set_image("onnx", NEW)
        assert caught.value.exit_code == 3
        assert "onnx was not changed" in str(caught.value)
        assert loaded.text == ALL

    def test_whose_runtime_serves_others_keeps_all_targets_of_the_command_as_they_are(self) -> None:
        loaded = loads(ALL, "0.16")
        with pytest.raises(ksconfig.Refused):
            loaded.set_image({"sklearn": NEW, "onnx": NEW})
        assert loaded.text == ALL

    def test_may_be_one_of_several_targets(self) -> None:
        loaded = loads(ALL, "0.16")
        loaded.set_image({"sklearn": NEW, "tensorflow": NEW, "runtime/kserve-tritonserver": NEW, "agent": ":2"})
        expected = ALL.replace("r/agent:1", "r/agent:2")
        for name in ("kserve-sklearnserver", "kserve-tensorflow-serving", "kserve-tritonserver"):
            expected = new_runtime(expected, name)
        assert loaded.text == expected

    @pytest.mark.parametrize("other", ["runtime/kserve-sklearnserver", "sklearn/v1"])
    def test_named_twice_is_a_usage_error(self, other: str) -> None:
        with pytest.raises(ksconfig.UsageError, match="the same image, runtime/kserve-sklearnserver"):
            loads(ALL, "0.16").set_image({"sklearn": NEW, other: NEW})


class TestNotices:
    """What a person should know beside the change."""

    @pytest.mark.parametrize(
        ("version", "text", "said"),
        [
            ("0.7", ALL, ["protocol"]),
            ("0.9", ALL, ["protocol"]),
            ("0.9", CONFIG, ["protocol", "runtimes-left"]),
            ("0.9", RUNTIMES, ["predictors-left"]),
            ("0.16", ALL, ["unread-left"]),
            ("0.16", RUNTIMES, []),
            ("0.16", RUNTIMES + runtime("own", kind="ServingRuntime", more="  namespace: team\n"), ["captured"]),
            ("0.16", RUNTIMES + runtime("other").replace("autoSelect: true", "autoSelect: false"), ["other-runtimes"]),
            ("0.21", RUNTIMES, ["unverified"]),
        ],
    )
    def test_are_those_of_release_and_surroundings(self, version: str, text: str, said: list[str]) -> None:
        loaded = loads(text, version)
        loaded.set_image("sklearn", NEW.replace(":5000", ""))
        assert sorted(codes(loaded)) == sorted(said)

    def test_name_namespaced_runtimes_that_keep_their_image(self) -> None:
        own = runtime("own", kind="ServingRuntime", more="  namespace: team\n")
        loaded = loads(RUNTIMES + own, "0.16")
        loaded.set_image("sklearn", NEW)
        assert "services of sklearn in namespace team get runtime/team/own instead" in message(loaded, "captured")
        assert loaded.text == new_runtime(RUNTIMES, "kserve-sklearnserver") + own


class TestOneObject:
    """runtime/NAME and storageContainer/NAME mean just that, if the release has such objects."""

    @pytest.mark.parametrize("version", ["0.8", "0.9", "0.10", "0.11", "0.16", "0.20"])
    def test_is_changed_alone(self, version: str) -> None:
        loaded = loads(ALL, version)
        loaded.set_image("runtime/kserve-tritonserver", NEW)
        assert loaded.text == new_runtime(ALL, "kserve-tritonserver")

    @pytest.mark.parametrize(
        ("target", "version"),
        [("runtime/kserve-sklearnserver", "0.7"), ("storageContainer/default", "0.10"), ("storageContainer/default", "0.7")],
    )  # fmt: skip
    def test_that_the_release_does_not_know_is_refused(self, target: str, version: str) -> None:
        text = ALL + STORAGE
        loaded = loads(text, version)
        with pytest.raises(ksconfig.Refused, match=f"KServe {version} knows no Cluster") as caught:
            loaded.set_image(target, NEW)
        assert caught.value.allow == "unread"
        assert loaded.text == text
        loaded.set_image(target, NEW, allow="unread")
        assert NEW in loaded.text

    def test_is_no_place_for_in(self) -> None:
        with pytest.raises(ksconfig.UsageError, match="--in runtimes is for frameworks"):
            loads(ALL, "0.9").set_image("runtime/kserve-sklearnserver", NEW, within="runtimes")

    @pytest.mark.parametrize("version", ["0.11", "0.20"])
    def test_storage_initializer_is_two_from_0_11_on(self, version: str) -> None:
        text = config(storageInitializer='{"image": "r/si:1"}') + STORAGE
        loaded = loads(text, version)
        loaded.set_image("storageInitializer", NEW)
        assert loaded.text == text.replace("r/si:1", NEW).replace("r/storage:1", NEW)


class TestRelease:
    """Told from the controller, the kinds and the tags beside the config."""

    @pytest.mark.parametrize(
        ("tag", "release"), [("v0.8.0", "0.8"), ("v0.10.1", "0.10"), ("v0.16.0", "0.16"), ("v0.21.0", "0.21")]
    )
    def test_is_that_of_the_controller(self, tag: str, release: str) -> None:
        loaded = loads(ALL + CONTROLLER.replace("TAG", tag), None)
        assert str(loaded.plan_set_image({"sklearn": NEW}).release) == release

    def test_is_at_least_0_8_where_there_is_a_runtime(self) -> None:
        plan = loads(RUNTIMES, None).plan_set_image({"sklearn": NEW})
        assert str(plan.release) == "0.8 to 0.20"
        assert plan.changed

    def test_is_likely_that_of_the_runtimes(self) -> None:
        text = runtime("kserve-sklearnserver").replace("r/kserve-sklearnserver:1", "kserve/sklearnserver:v0.14.0")
        assert str(loads(text, None).plan_set_image({"sklearn": NEW}).release) == "0.14 (by its image tags)"

    @pytest.mark.parametrize("kind", ["List", "JSON"])
    def test_is_told_by_what_stands_in_a_list(self, kind: str) -> None:
        document: dict[str, Any] = {
            "kind": "Deployment",
            "metadata": {"name": "kserve-controller-manager"},
            "spec": {
                "template": {"spec": {"containers": [{"name": "manager", "image": "kserve/kserve-controller:v0.9.0"}]}}
            },
        }
        text = str(document).replace("'", '"')
        controller = f"kind: List\nitems:\n- {text}\n---\n" if kind == "List" else f"{text}\n---\n"
        assert str(loads(controller + ALL, None).plan_set_image({"sklearn": NEW}).release) == "0.9"

    def test_is_at_least_0_8_where_a_runtime_is_in_a_list(self) -> None:
        one = "\n".join(f"  {line}" for line in runtime("x").removesuffix("---\n").splitlines())
        text = f"kind: List\nitems:\n- {one[2:]}\n"
        release = loads(text, None).plan_set_image({"runtime/x": NEW}).release
        assert release.candidates[0] == (0, 8)


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    registry.example/made-by: hand
  name: PLURAL.serving.kserve.io
spec:
  group: serving.kserve.io
  names:
    plural: PLURAL
---
"""
PRIORITY = DEFINITION.replace("---\n", "  versions:\n  - schema:\n      priority:\n        type: integer\n---\n")


class TestDefinitions:
    """Custom resource definitions in the files tell the release too, by their names alone."""

    @pytest.mark.parametrize(
        ("definitions", "release"),
        [
            (DEFINITION.replace("PLURAL", "servingruntimes"), "0.8 to 0.10"),
            (PRIORITY.replace("PLURAL", "servingruntimes"), "0.11 to 0.20"),
            (DEFINITION.replace("PLURAL", "localmodelcaches"), "0.15 to 0.20"),
            (DEFINITION.replace("name: PLURAL.serving.kserve.io", 'name: "localmodelcaches.serving.kserve.io"'), "0.15 to 0.20"),
            (DEFINITION.replace("PLURAL", "localmodelnamespacecaches"), "0.18 to 0.20"),
            (DEFINITION.replace("PLURAL.serving.kserve.io", "localmodelcaches.registry.example"), "0.8 to 0.20"),
            ("", "0.8 to 0.20"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
    def test_tell_the_release(self, definitions: str, release: str, ends: str) -> None:
        text = (definitions + RUNTIMES).replace("\n", ends)
        assert str(loads(text, None).plan_set_image({"runtime/kserve-sklearnserver": NEW}).release) == release


def test_the_single_container_of_a_modelmesh_runtime_serves_whatever_its_name() -> None:
    text = (
        "kind: ServingRuntime\nmetadata: {name: mm, namespace: team}\nspec:\n  multiModel: true\n"
        "  supportedModelFormats: [{name: sklearn}]\n  containers:\n  - name: mlserver\n    image: r/mlserver:1\n"
    )
    loaded = loads(text, "0.16")
    loaded.set_image("runtime/team/mm", ":2")
    assert loaded.text == text.replace("mlserver:1", "mlserver:2")


class TestBrokenSurroundings:
    """What is broken is named; what is sound beside it can still be edited (promise 2)."""

    BROKEN = config(predictors='{"sklearn": {', agent='{"image": "r/agent:1"}')

    def test_broken_predictors_stop_a_framework_that_they_decide(self) -> None:
        for version in ("0.7", "0.9"):
            loaded = loads(self.BROKEN + RUNTIMES, version)
            with pytest.raises(ksconfig.Refused, match="key predictors"):
                loaded.set_image("sklearn", NEW)

    def test_broken_predictors_do_not_stop_the_runtimes_alone(self) -> None:
        loaded = loads(self.BROKEN + RUNTIMES, "0.9")
        loaded.set_image("sklearn", NEW, within="runtimes")
        assert loaded.text == self.BROKEN + new_runtime(RUNTIMES, "kserve-sklearnserver")
        assert "broken-key" in codes(loaded)

    @pytest.mark.parametrize(
        ("version", "target"),
        [
            ("0.9", "runtime/kserve-sklearnserver"),
            ("0.16", "runtime/kserve-sklearnserver"),
            ("0.16", "storageContainer/default"),
            ("0.16", "sklearn"),  # predictors are not parsed at all from 0.10 on (facts 4.6)
        ],
    )
    def test_broken_predictors_stop_nothing_that_they_do_not_decide(self, version: str, target: str) -> None:
        loaded = loads(self.BROKEN + RUNTIMES + STORAGE, version)
        loaded.set_image(target, NEW)
        assert NEW in loaded.text
        assert self.BROKEN in loaded.text
        assert "broken-key" in codes(loaded)

    def test_another_broken_key_stops_nothing(self) -> None:
        broken = config(agent='{"image": ')
        loaded = loads(broken + RUNTIMES, "0.16")
        loaded.set_image("sklearn", NEW)
        assert loaded.text == broken + new_runtime(RUNTIMES, "kserve-sklearnserver")
        assert codes(loaded).count("broken-key") == 1

    @pytest.mark.parametrize(
        "other",
        [
            "kind: ClusterServingRuntime\nmetadata: {name: other}\nspec: [\n",
            "x: &x {labels: {}}\nkind: ClusterServingRuntime\nmetadata:\n  name: other\n  <<: *x\n",
        ],
        ids=["no YAML", "merged metadata"],
    )
    def test_a_runtime_that_cannot_be_read_does_not_stop_the_config(self, other: str) -> None:
        loaded = loads(CONFIG + other, "0.16")
        loaded.set("agent.image", "r/agent:2")
        loaded.set_image("agent", ":3")
        assert loaded.text == CONFIG.replace("agent:1", "agent:3") + other


class TestImages:
    """The list of all targets, with what they serve."""

    def test_names_runtimes_and_the_frameworks_that_get_them(self) -> None:
        found = {image.name: image for image in loads(ALL + STORAGE, "0.16").images()}
        assert found["runtime/kserve-sklearnserver"].frameworks == ("sklearn",)
        assert found["runtime/kserve-tritonserver"].frameworks == ("onnx", "triton")
        assert found["runtime/kserve-sklearnserver"].image == "r/kserve-sklearnserver:1"
        assert found["runtime/kserve-sklearnserver"].where == (
            "clusterservingruntime kserve-sklearnserver spec.containers[0]"
        )
        assert found["storageContainer/default"].image == "r/storage:1"
        assert found["agent"].where == "configmap inferenceservice-config agent"
        assert not found["sklearn/v1"].read
        assert all(image.read for name, image in found.items() if name.startswith(("runtime/", "storage", "agent")))

    @pytest.mark.parametrize(("version", "runtimes", "storage"), [("0.7", False, False), ("0.8", True, False), ("0.11", True, True)])  # fmt: skip
    def test_says_which_objects_the_release_does_not_read(self, version: str, runtimes: bool, storage: bool) -> None:
        found = {image.name: image for image in loads(ALL + STORAGE, version).images()}
        assert found["runtime/kserve-sklearnserver"].read is runtimes
        assert found["storageContainer/default"].read is storage

    def test_lists_runtimes_without_an_image_too(self) -> None:
        text = "kind: ClusterServingRuntime\nmetadata: {name: x}\nspec: {containers: [{name: other, image: r/x:1}]}\n"
        assert [(image.name, image.image) for image in loads(text, "0.16").images()] == [("runtime/x", "")]

    def test_names_no_framework_for_several_that_may_serve_it(self) -> None:
        found = loads(runtime("a") + runtime("b"), "0.16").images()
        assert [image.frameworks for image in found] == [(), ()]

    def test_names_every_target_so_that_it_can_be_set(self) -> None:
        own = runtime("own", kind="ServingRuntime", more="  namespace: team\n")
        own += runtime("here", kind="ServingRuntime")
        text = RUNTIMES + STORAGE + own
        loaded = loads(text, "0.16")
        names = [image.name for image in loaded.images()]
        assert {"runtime/team/own", "runtime//here", "storageContainer/default"} <= set(names)
        loaded.set_image(dict.fromkeys(names, NEW))
        assert {image.image for image in loaded.images()} == {NEW}
