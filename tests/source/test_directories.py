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
