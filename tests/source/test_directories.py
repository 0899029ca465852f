"""A directory stands for the manifests below it; one plan covers them all."""

from __future__ import annotations

from pathlib import Path

import pytest

import ksconfig

CONFIG = 'kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n  agent: \'{"image": "a:1"}\'\n'
OTHER = "kind: Namespace\nmetadata:\n  name: kserve\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory as in Git, with one config in it."""
    for name, text in {
        "base/config.yml": CONFIG,
        "base/namespace.yaml": OTHER,
        "base/notes.txt": CONFIG,
        ".git/config.yaml": CONFIG,
        "broken.yaml": "{{ not yaml: [",
        "README.md": "inferenceservice-config",
    }.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "tree/binary.json").write_bytes(b"\xff\xfe\x00")
    return tmp_path / "tree"


def test_the_config_is_found_and_only_its_file_is_written(tree: Path) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    manifests = ksconfig.load(tree)
    manifests.set_image("agent", ":2")
    assert list(manifests.files) == [str(tree / "base/config.yml")]
    assert manifests.save() == (tree / "base/config.yml",)
    after = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    assert after.pop(tree / "base/config.yml") == CONFIG.replace("a:1", "a:2").encode()
    del before[tree / "base/config.yml"]
    assert after == before


def test_a_link_that_leads_out_is_passed_over_and_one_that_leads_in_counts_once(tree: Path) -> None:
    outside = tree.parent / "outside.yaml"
    outside.write_text(CONFIG)
    (tree / "out.yaml").symlink_to(outside)
    (tree / "zz.yaml").symlink_to(tree / "base/config.yml")
    (tree / "circle").symlink_to(tree)
    assert len(ksconfig.load(tree).files) == 1


def test_a_file_that_several_paths_lead_to_counts_once(tree: Path) -> None:
    manifests = ksconfig.load([tree, tree / "base", tree / "base/config.yml", tree / "base/../base/config.yml"])
    manifests.set_image("agent", ":2")
    assert list(manifests.files) == [str(tree / "base/config.yml")]


def test_two_configs_are_refused_with_both_named(tree: Path) -> None:
    (tree / "other.json").write_text('{"kind": "ConfigMap", "metadata": {"name": "inferenceservice-config"}}')
    with pytest.raises(ksconfig.Ambiguous, match=r"other\.json:1.*config\.yml:1"):
        ksconfig.load(tree).set_image("agent", ":2")


def test_a_directory_without_a_config_says_so(tree: Path) -> None:
    (tree / "base/config.yml").unlink()
    with pytest.raises(ksconfig.ConfigNotFound):
        ksconfig.load(tree).images()


def test_a_directory_without_any_manifest_says_so(tmp_path: Path) -> None:
    with pytest.raises(ksconfig.FileFailure, match=r"holds no \*\.yaml"):
        ksconfig.load(tmp_path)


def test_a_template_of_a_helm_chart_is_refused_even_if_it_is_yaml(tree: Path) -> None:
    (tree / "base/config.yml").unlink()
    (tree / "chart/templates/more").mkdir(parents=True)
    (tree / "chart/Chart.yaml").write_text("name: kserve\n")
    (tree / "chart/templates/more/config.yaml").write_text(CONFIG)
    for path in (tree, tree / "chart/templates/more/config.yaml"):
        with pytest.raises(ksconfig.Refused, match="template of the Helm chart chart") as caught:
            ksconfig.load(path)
        assert "helm template" in str(caught.value)


PREDICTORS = """\
kind: ConfigMap
metadata:
  name: inferenceservice-config
data:
  predictors: |-
    {"sklearn": {"v1": {"image": "r/predictor", "defaultImageVersion": "1"}}}
"""
RUNTIME = """\
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterServingRuntime
metadata:
  name: kserve-sklearnserver
spec:
  supportedModelFormats:
  - {name: sklearn, version: "1", autoSelect: true}
  containers:
  - name: kserve-container
    image: r/server:1
"""
NEW = "registry.example:5000/team/sklearnserver:2"
VALUES = "kserve:\n  image: registry.example/kserve-controller-manager:1\n  config: inferenceservice-config\n"


def write(root: Path, **files: str) -> Path:
    """Files below a directory; ``__`` in a name stands for a slash, and each is YAML."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def contents(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


class TestConfigAndRuntimes:
    """They may stand in different files: one plan writes them all."""

    @pytest.mark.parametrize(
        ("config", "runtimes"),
        [("a__config", "b__runtimes"), ("b__config", "a__runtimes"), ("config", "deep__er__runtimes")],
    )
    def test_are_edited_in_one_plan(self, tmp_path: Path, config: str, runtimes: str) -> None:
        root = write(tmp_path, **{config: PREDICTORS, runtimes: RUNTIME, "other": OTHER})
        before = contents(root)
        manifests = ksconfig.load(root, kserve_version="0.9")

        manifests.set_image("sklearn", NEW)

        assert contents(root) == before
        assert set(manifests.save()) == {root / f"{name.replace('__', '/')}.yaml" for name in (config, runtimes)}
        after = {
            **before,
            f"{config.replace('__', '/')}.yaml": PREDICTORS.replace(
                '"r/predictor"', '"registry.example:5000/team/sklearnserver"'
            ).replace('Version": "1"', 'Version": "2"'),
            f"{runtimes.replace('__', '/')}.yaml": RUNTIME.replace("r/server:1", NEW),
        }
        assert contents(root) == after
        assert manifests.save() == ()

    def test_are_found_in_the_files_that_are_named_one_by_one(self, tmp_path: Path) -> None:
        root = write(tmp_path, config=PREDICTORS, runtimes=RUNTIME)
        manifests = ksconfig.load([root / "runtimes.yaml", root / "config.yaml"], kserve_version="0.9")
        assert (
            len(manifests.set_image("sklearn", NEW)) == 3
        )  # repository and version in the config, the runtime's image

    def test_tell_the_release_together(self, tmp_path: Path) -> None:
        controller = (
            "kind: Deployment\nmetadata: {name: kserve-controller-manager}\n"
            "spec: {template: {spec: {containers: [{name: manager, image: 'registry.example:5000/kserve-controller:v0.9.0'}]}}}\n"
        )
        root = write(tmp_path, config=PREDICTORS, runtimes=RUNTIME, z__controller=controller)
        plan = ksconfig.load(root).plan_set_image({"sklearn": NEW})
        assert str(plan.release) == "0.9"
        assert {edit.object.kind for edit in plan.edits} == {"ConfigMap", "ClusterServingRuntime"}

    def test_are_all_checked_before_the_first_is_written(self, tmp_path: Path) -> None:
        root = write(tmp_path, config=PREDICTORS, runtimes=RUNTIME)
        manifests = ksconfig.load(root, kserve_version="0.9")
        manifests.set_image("sklearn", NEW)
        for name in ("config.yaml", "runtimes.yaml"):
            write(root, config=PREDICTORS, runtimes=RUNTIME)
            (root / name).write_text(f"# by somebody else\n{(root / name).read_text()}")
            before = contents(root)
            with pytest.raises(ksconfig.Conflict, match="changed by somebody else"):
                manifests.save()
            assert contents(root) == before

    def test_need_no_config_from_0_10_on(self, tmp_path: Path) -> None:
        root = write(tmp_path, runtimes=RUNTIME)
        manifests = ksconfig.load(root, kserve_version="0.16")
        manifests.set_image("sklearn", NEW)
        manifests.save()
        assert contents(root) == {"runtimes.yaml": RUNTIME.replace("r/server:1", NEW)}

    def test_may_be_json(self, tmp_path: Path) -> None:
        text = '{"kind": "ClusterServingRuntime", "metadata": {"name": "x"}, "spec": {"containers": [{"name": "kserve-container", "image": "r/server:1"}]}}'
        (tmp_path / "runtime.json").write_text(text)
        manifests = ksconfig.load(tmp_path, kserve_version="0.16")
        manifests.set_image("runtime/x", NEW)
        manifests.save()
        assert (tmp_path / "runtime.json").read_text() == text.replace("r/server:1", NEW)


class TestOverlays:
    """Two manifests of one object: neither is edited before it is said which."""

    def test_with_the_same_runtime_are_refused_with_both_named(self, tmp_path: Path) -> None:
        root = write(tmp_path, overlays__prod__runtimes=RUNTIME, overlays__test__runtimes=RUNTIME)
        before = contents(root)
        with pytest.raises(ksconfig.Ambiguous) as caught:
            ksconfig.load(root, kserve_version="0.16").set_image("sklearn", NEW)
        assert "clusterservingruntime kserve-sklearnserver stands there several times" in str(caught.value)
        assert caught.value.selectors == (f"-f {root}/overlays/prod", f"-f {root}/overlays/test")
        assert contents(root) == before

    def test_with_the_same_runtime_list_it_once(self, tmp_path: Path) -> None:
        root = write(tmp_path, a__runtimes=RUNTIME, b__runtimes=RUNTIME)
        assert [image.name for image in ksconfig.load(root).images()] == ["runtime/kserve-sklearnserver"]

    def test_do_no_harm_to_what_stands_there_once(self, tmp_path: Path) -> None:
        root = write(tmp_path, a__runtimes=RUNTIME, b__runtimes=RUNTIME, config=CONFIG)
        manifests = ksconfig.load(root, kserve_version="0.16")
        manifests.set_image("agent", ":2")
        assert manifests.save() == (root / "config.yaml",)

    def test_of_which_one_is_named_are_told_apart(self, tmp_path: Path) -> None:
        root = write(tmp_path, a__runtimes=RUNTIME, b__runtimes=RUNTIME)
        manifests = ksconfig.load(root / "b", kserve_version="0.16")
        manifests.set_image("sklearn", NEW)
        manifests.save()
        assert contents(root) == {"a/runtimes.yaml": RUNTIME, "b/runtimes.yaml": RUNTIME.replace("r/server:1", NEW)}

    def test_with_a_patch_of_the_runtime_are_refused(self, tmp_path: Path) -> None:
        patch = (
            "kind: ClusterServingRuntime\nmetadata: {name: kserve-sklearnserver}\nspec: {nodeSelector: {disk: ssd}}\n"
        )
        root = write(tmp_path, base__runtimes=RUNTIME, overlay__patch=patch)
        with pytest.raises(ksconfig.Ambiguous, match=r"base/runtimes\.yaml:1.*overlay/patch\.yaml:1"):
            ksconfig.load(root, kserve_version="0.16").set_image("sklearn", NEW)

    def test_in_one_file_have_no_way_to_be_told_apart(self, tmp_path: Path) -> None:
        write(tmp_path, runtimes=f"{RUNTIME}---\n{RUNTIME}")
        with pytest.raises(ksconfig.Ambiguous, match="move them to files of their own") as caught:
            ksconfig.load(tmp_path, kserve_version="0.16").set_image("sklearn", NEW)
        assert caught.value.selectors == ()


class TestHelm:
    """Values files hold no object, templates are rendered again: neither is edited."""

    @pytest.mark.parametrize("name", ["values.yaml", "values.yml", "values-prod.yaml", "my-values.yaml", "Values.YAML"])
    def test_values_that_are_named_are_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text(VALUES)
        with pytest.raises(ksconfig.Refused, match="values file of Helm") as caught:
            ksconfig.load(tmp_path / name)
        assert caught.value.exit_code == 3
        assert "helm template" in str(caught.value)

    @pytest.mark.parametrize("name", ["values.yaml", "evaluations.yaml", "values-prod.yaml"])
    def test_a_manifest_of_such_a_name_is_a_manifest(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text(RUNTIME)
        manifests = ksconfig.load(tmp_path / name, kserve_version="0.16")
        manifests.set_image("sklearn", NEW)
        assert manifests.text == RUNTIME.replace("r/server:1", NEW)

    def test_values_in_a_directory_are_passed_over(self, tmp_path: Path) -> None:
        root = write(tmp_path, values=VALUES, chart__values__prod=VALUES, runtimes=RUNTIME)
        manifests = ksconfig.load(root, kserve_version="0.16")
        manifests.set_image("sklearn", NEW)
        assert manifests.save() == (root / "runtimes.yaml",)

    def test_values_in_a_directory_may_hold_whole_objects_and_templates(self, tmp_path: Path) -> None:
        text = "extra:\n- kind: ClusterServingRuntime\n  metadata: {name: kserve-sklearnserver}\n  image: '{{ .x }}'\n"
        root = write(tmp_path, values=text, runtimes=RUNTIME)
        manifests = ksconfig.load(root, kserve_version="0.16")
        manifests.set_image("sklearn", NEW)
        assert manifests.save() == (root / "runtimes.yaml",)

    @pytest.mark.parametrize(
        "values",
        [
            "extra:\n- kind: ClusterStorageContainer\n  metadata: {name: inferenceservice-config}\n",
            "name: {{ .x }}\nextra:\n- kind: ClusterStorageContainer\n  {{ toYaml }}: x\n",
        ],
        ids=["with an object", "with a template"],
    )
    def test_values_in_a_directory_are_no_evidence_and_no_obstacle(self, tmp_path: Path, values: str) -> None:
        root = write(tmp_path, values=values, config=PREDICTORS)
        plan = ksconfig.load(root).plan_set_image({"sklearn": NEW})
        assert plan.release == ksconfig.load(root / "config.yaml").plan_set_image({"sklearn": NEW}).release

    @pytest.mark.parametrize("kind", ["ClusterServingRuntime", "ServingRuntime", "ClusterStorageContainer"])
    def test_a_template_of_a_chart_is_refused(self, tmp_path: Path, kind: str) -> None:
        text = RUNTIME.replace("ClusterServingRuntime", kind)
        write(tmp_path, chart__Chart="name: kserve\n", chart__templates__runtimes=text)
        for path in (tmp_path, tmp_path / "chart", tmp_path / "chart/templates/runtimes.yaml"):
            with pytest.raises(ksconfig.Refused, match="template of the Helm chart chart") as caught:
                ksconfig.load(path)
            assert caught.value.exit_code == 3

    def test_other_templates_are_passed_over(self, tmp_path: Path) -> None:
        service = "kind: Service\nmetadata: {name: kserve-controller-manager-{{ .Release.Name }}}\n"
        root = write(tmp_path, c__Chart="name: x\n", c__templates__service=service, runtimes=RUNTIME)
        manifests = ksconfig.load(root, kserve_version="0.16")
        manifests.set_image("sklearn", NEW)
        assert manifests.save() == (root / "runtimes.yaml",)

    def test_a_folder_called_templates_that_is_no_charts_is_a_folder(self, tmp_path: Path) -> None:
        root = write(tmp_path, templates__runtimes=RUNTIME)
        assert ksconfig.load(root, kserve_version="0.16").set_image("sklearn", NEW)

    @pytest.mark.parametrize("more", [{}, {"values": VALUES}, {"templates__service": "kind: Service\n"}], ids=str)
    def test_a_chart_without_anything_else_is_named_as_one(self, tmp_path: Path, more: dict[str, str]) -> None:
        root = write(tmp_path / "kserve", Chart="name: kserve\n", **more)
        with pytest.raises(ksconfig.Refused, match="is a Helm chart, and holds nothing that is no template") as caught:
            ksconfig.load(root).images()
        assert caught.value.exit_code == 3


def test_a_directory_with_neither_config_nor_runtime_says_so(tmp_path: Path) -> None:
    write(tmp_path, namespace=OTHER, service="kind: Service\n# ServingRuntime\n")
    with pytest.raises(ksconfig.ConfigNotFound):
        ksconfig.load(tmp_path).images()


def test_an_empty_path_is_not_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ksconfig.UsageError, match="the path of a manifest is empty"):
        ksconfig.load("")
