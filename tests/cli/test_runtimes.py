"""The command line on manifests with serving runtimes: what it prints word for word, its exit codes, what it leaves."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run

CONFIG = """\
kind: ConfigMap
metadata:
  name: inferenceservice-config
data:
  predictors: |-
    {"sklearn": {"v1": {"image": "r/predictor", "defaultImageVersion": "1"}}}
  agent: |-
    {"image": "r/agent:1"}
"""
SKLEARN = """\
kind: ClusterServingRuntime
metadata:
  name: kserve-sklearnserver
spec:
  supportedModelFormats:
  - {name: sklearn, autoSelect: true}
  protocolVersions: [v1]
  containers:
  - name: kserve-container
    image: r/sklearn:1
"""
MLSERVER = """\
kind: ClusterServingRuntime
metadata:
  name: kserve-mlserver
spec:
  supportedModelFormats:
  - {name: sklearn, autoSelect: true}
  - {name: mlflow, autoSelect: true}
  protocolVersions: [v2]
  containers:
  - name: kserve-container
    image: r/mlserver:1
"""
STORAGE = (
    "kind: ClusterStorageContainer\nmetadata:\n  name: default\nspec:\n  container: {name: s, image: r/storage:1}\n"
)
RUNTIMES = f"{SKLEARN}---\n{MLSERVER}"
ALL = f"{CONFIG}---\n{RUNTIMES}---\n{STORAGE}"
NEW = "registry.example:5000/team/sklearnserver:2"
F = ("-f", "kserve.yaml", "--kserve-version")
VALUES = "kserve:\n  image: r/kserve-controller-manager:1\n"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Config, runtimes and a storage container as kserve.yaml, in the directory where commands run."""
    path = tmp_path / "kserve.yaml"
    path.write_text(ALL)
    return path


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def contents(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


PROGRAM = "  python -m ksconfig "


def commands(err: str) -> list[list[str]]:
    """The ready-made commands of a message, without the program's name."""
    lines = err.split("Run one of these:\n")[1].splitlines()
    return [shlex.split(line.removeprefix(PROGRAM)) for line in lines if line.startswith(PROGRAM)]


class TestImages:
    """One line for every target; the last column tells which frameworks get a runtime."""

    def test_are_a_table_with_frameworks(self, run: Run, manifest: Path) -> None:
        code, out, err = run("images", *F, "0.16")
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert [re.split("  +", line) for line in lines] == [
            ["NAME", "IMAGE", "WHERE", "FRAMEWORKS"],
            ["sklearn/v1", "r/predictor:1", "configmap inferenceservice-config predictors.sklearn.v1 (not read by 0.16)"],
            ["agent", "r/agent:1", "configmap inferenceservice-config agent"],
            ["storageContainer/default", "r/storage:1", "clusterstoragecontainer default spec.container"],
            ["runtime/kserve-sklearnserver", "r/sklearn:1", "clusterservingruntime kserve-sklearnserver spec.containers[0]", "sklearn"],
            ["runtime/kserve-mlserver", "r/mlserver:1", "clusterservingruntime kserve-mlserver spec.containers[0]", "sklearn/v2, mlflow"],
        ]  # fmt: skip
        assert {lines[0].index("FRAMEWORKS")} == {lines[4].rindex("sklearn"), lines[5].index("sklearn/v2")}

    def test_have_no_column_of_frameworks_where_there_are_none(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_text(CONFIG)
        assert run("images", "-f", "config.yaml").out.splitlines()[0].split() == ["NAME", "IMAGE", "WHERE"]

    def test_are_names_alone(self, run: Run, manifest: Path) -> None:
        assert run("images", *F, "0.16", "-o", "name").out.split() == [
            "sklearn/v1",
            "agent",
            "storageContainer/default",
            "runtime/kserve-sklearnserver",
            "runtime/kserve-mlserver",
        ]

    def test_are_a_document(self, run: Run, manifest: Path) -> None:
        document = json.loads(run("images", *F, "0.16", "-o", "json").out)
        assert document["kind"] == "ImageList"
        assert document["release"]["candidates"] == ["0.16"]
        assert document["items"][-1] == {
            "name": "runtime/kserve-mlserver",
            "image": "r/mlserver:1",
            "gpuVersion": None,
            "where": "clusterservingruntime kserve-mlserver spec.containers[0]",
            "read": True,
            "frameworks": ["sklearn/v2", "mlflow"],
            "usedBy": None,
        }
        assert [item["frameworks"] for item in document["items"][:3]] == [[], [], []]
        assert [item["name"] for item in document["items"] if not item["read"]] == ["sklearn/v1"]

    def test_are_those_of_standard_input_too(self, run: Run) -> None:
        outcome = run("images", "-f", "-", "-o", "name", "--kserve-version", "0.16", stdin=RUNTIMES)
        assert outcome == (0, "runtime/kserve-sklearnserver\nruntime/kserve-mlserver\n", "")


class TestSetImage:
    """A framework is all that decides its image."""

    def test_changes_the_runtime_from_0_10_on(self, run: Run, manifest: Path) -> None:
        outcome = run("set-image", "sklearn", NEW, *F, "0.16")
        assert outcome.code == 0
        assert outcome.out == f"runtime/kserve-sklearnserver: r/sklearn:1 -> {NEW}\n"
        assert f"-    image: r/sklearn:1\n+    image: {NEW}\n" in outcome.err
        assert re.findall("^warning: .*", outcome.err, re.MULTILINE) == [
            "warning: runtime/kserve-mlserver can serve sklearn too, for services that name it, another protocol or a "
            "version; left as it is",
            "warning: KServe 0.16 does not read the images of sklearn in predictors, which are left",
        ]
        assert manifest.read_text() == ALL.replace("r/sklearn:1", NEW)

    def test_changes_both_in_0_9_as_one_write(self, run: Run, manifest: Path) -> None:
        outcome = run("set-image", "sklearn", NEW, *F, "0.9")
        assert outcome.out == (
            f"sklearn/v1: r/predictor:1 -> {NEW}\nruntime/kserve-sklearnserver: r/sklearn:1 -> {NEW}\n"
        )
        assert outcome.err.count("\n+++ ") == 1
        assert manifest.read_text() == ALL.replace("r/sklearn:1", NEW).replace(
            '"r/predictor", "defaultImageVersion": "1"',
            '"registry.example:5000/team/sklearnserver", "defaultImageVersion": "2"',
        )
        again = run("set-image", "sklearn", NEW, *F, "0.9")
        assert again.code == 0
        assert again.out == f"sklearn/v1: {NEW} unchanged\nruntime/kserve-sklearnserver: {NEW} unchanged\n"

    @pytest.mark.parametrize(
        ("within", "out"),
        [("config", "sklearn/v1: r/predictor:1"), ("runtimes", "runtime/kserve-sklearnserver: r/sklearn:1")],
    )
    def test_changes_one_of_them_with_in(self, run: Run, manifest: Path, within: str, out: str) -> None:
        assert run("set-image", "sklearn", NEW, *F, "0.9", "--in", within).out == f"{out} -> {NEW}\n"

    def test_changes_what_standard_input_holds(self, run: Run) -> None:
        arguments = ("set-image", "sklearn", NEW, "-f", "-", "--kserve-version", "0.16")
        outcome = run(*arguments, stdin=RUNTIMES)
        assert (outcome.code, outcome.out) == (0, RUNTIMES.replace("r/sklearn:1", NEW))
        assert outcome.err.startswith("warning: runtime/kserve-mlserver can serve sklearn too")
        assert "--- standard input\n" in outcome.err
        assert run(*arguments, stdin=outcome.out).out == outcome.out
        windows = "\ufeff" + RUNTIMES.replace("\n", "\r\n")
        assert run(*arguments, stdin=windows).out == windows.replace("r/sklearn:1", NEW)

    def test_names_the_objects_that_it_changed(self, run: Run, manifest: Path) -> None:
        arguments = ("set-image", "sklearn", NEW, *F, "0.9", "-o", "name")
        assert run(*arguments).out == "clusterservingruntime/kserve-sklearnserver\nconfigmap/inferenceservice-config\n"
        assert run(*arguments).out == ""
        assert run("set-image", "storageContainer/default", NEW, *F, "0.16", "-o", "name").out == (
            "clusterstoragecontainer/default\n"
        )

    def test_says_all_of_it_as_a_document(self, run: Run, manifest: Path) -> None:
        document = json.loads(run("set-image", "sklearn", NEW, *F, "0.16", "--dry-run", "-o", "json").out)
        assert document["images"] == [{"target": "runtime/kserve-sklearnserver", "before": "r/sklearn:1", "after": NEW}]
        assert document["changes"] == [
            {
                "object": {"kind": "ClusterServingRuntime", "namespace": None, "name": "kserve-sklearnserver"},
                "place": "kserve.yaml:10",
                "path": "spec.containers[0].image",
                "before": "r/sklearn:1",
                "after": NEW,
            }
        ]
        assert [one["code"] for one in document["warnings"]] == ["other-runtimes", "unread-left"]
        assert manifest.read_text() == ALL

    def test_asks_for_an_image_with_that_of_today(self, run: Run, manifest: Path) -> None:
        outcome = run("set-image", "mlflow", *F, "0.16")
        assert (outcome.code, outcome.out) == (2, "")
        assert "mlflow is now r/mlserver:1" in outcome.err

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["mlflow", NEW, *F, "0.16"], 3, ["serves sklearn too", "say runtime/kserve-mlserver", "runtime create"]),
            (["sklearn/v2", NEW, *F, "0.8"], 3, ["without regard to the protocol", "--in config"]),
            (["sklearn", NEW, *F, "0.8"], 3, ["runtime/kserve-sklearnserver or runtime/kserve-mlserver"]),
            (["runtime/kserve-mlserver", NEW, *F, "0.7"], 3, ["knows no ClusterServingRuntime", "--allow unread"]),
            (["sklearn", NEW, *F, "0.16", "--in", "config"], 3, ["--allow unread"]),
            (["sklearn", NEW, *F, "0.16", "--in", "cluster"], 2, ["'config', 'runtimes'"]),
            (["agent", NEW, *F, "0.16", "--in", "config"], 2, ["--in config is for frameworks"]),
            (["runtime/kserve-mlsrver", NEW, *F, "0.16"], 1, ["Did you mean runtime/kserve-mlserver?"]),
            (["sklern", NEW, *F, "0.16"], 1, ["Did you mean sklearn?"]),
            (["paddle", NEW, *F, "0.16"], 1, ["paddle"]),
            (["sklearn", "2", *F, "0.16"], 2, ["tag or a repository"]),
        ],
    )
    def test_says_why_not_and_leaves_the_file(
        self, run: Run, manifest: Path, arguments: list[str], code: int, said: list[str]
    ) -> None:
        outcome = run("set-image", *arguments)
        assert (outcome.code, outcome.out) == (code, ""), outcome
        for words in said:
            assert words in outcome.err
        assert "Traceback" not in outcome.err
        assert manifest.read_text() == ALL


class TestReadyMadeCommands:
    """Where two objects are meant, the same command is printed once for each; every one of them works as it stands."""

    def run_each(self, run: Run, root: Path, arguments: list[str], changed: list[set[str]]) -> None:
        """Run the command, then each of those that it prints; the files that each may change."""
        before = contents(root)
        outcome = run(*arguments)
        assert (outcome.code, outcome.out) == (3, ""), outcome
        assert contents(root) == before
        found = commands(outcome.err)
        assert len(found) == len(changed), outcome.err
        for command, files in zip(found, changed, strict=True):
            write(root, before)
            again = run(*command)
            assert again.code == 0, again
            after = contents(root)
            assert {name for name in after if after[name] != before[name]} == files

    def test_single_out_a_config_by_its_namespace(self, run: Run, tmp_path: Path) -> None:
        one, two = (
            CONFIG.replace("metadata:\n", f"metadata:\n  namespace: {name}\n") for name in ("kserve", "kubeflow")
        )
        write(tmp_path, {"all.yaml": f"{one}---\n{two}"})
        outcome = run("set-image", "agent", ":2", "-f", "all.yaml")
        assert outcome.code == 3
        assert commands(outcome.err) == [
            ["set-image", "agent", ":2", "-f", "all.yaml", "-n", "kserve"],
            ["set-image", "agent", ":2", "-f", "all.yaml", "-n", "kubeflow"],
        ]
        for command, expected in zip(
            commands(outcome.err),
            (f"{one.replace('agent:1', 'agent:2')}---\n{two}", f"{one}---\n{two.replace('agent:1', 'agent:2')}"),
            strict=True,
        ):
            write(tmp_path, {"all.yaml": f"{one}---\n{two}"})
            assert run(*command).code == 0
            assert (tmp_path / "all.yaml").read_text() == expected

    def test_single_out_a_config_by_its_folder(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"k/overlays/a/config.yaml": CONFIG, "k/overlays/b b/config.yaml": CONFIG})
        self.run_each(
            run,
            tmp_path,
            ["set-image", "agent", ":2", "-f", "k"],
            [{"k/overlays/a/config.yaml"}, {"k/overlays/b b/config.yaml"}],
        )

    def test_single_out_a_config_by_its_file(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"k/a.yaml": CONFIG, "k/b.yaml": CONFIG})
        self.run_each(run, tmp_path, ["-f", "k", "set-image", "agent", ":2"], [{"k/a.yaml"}, {"k/b.yaml"}])

    @pytest.mark.parametrize(
        "options",
        [["-f", "a.yaml", "-f", "b.yaml"], ["-fa.yaml", "--filename=b.yaml"], ["--filename", "a.yaml", "-f", "b.yaml"]],
        ids=" ".join,
    )
    def test_name_each_file_once(self, run: Run, tmp_path: Path, options: list[str]) -> None:
        write(tmp_path, {"a.yaml": CONFIG, "b.yaml": CONFIG})
        self.run_each(run, tmp_path, ["set-image", "agent", ":2", *options], [{"a.yaml"}, {"b.yaml"}])

    def test_keep_the_other_options(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"k/a.yaml": CONFIG, "k/b.yaml": CONFIG})
        outcome = run("-f", "k", "-o", "json", "set-image", "agent=registry.example/a b:1", "--dry-run")
        assert outcome.code == 2  # a space is in no image
        outcome = run("-f", "k", "-o", "name", "set", "agent.cpuLimit", "it's 1", "--dry-run")
        assert commands(outcome.err) == [
            ["-o", "name", "set", "agent.cpuLimit", "it's 1", "--dry-run", "-f", f"k/{name}.yaml"] for name in "ab"
        ]

    def test_take_runtimes_along_that_stand_beside_the_config(self, run: Run, tmp_path: Path) -> None:
        files = {f"k/{one}/{name}.yaml": text for one in "ab" for name, text in (("c", CONFIG), ("r", SKLEARN))}
        write(tmp_path, files)
        for version, changed in (("0.9", ["c", "r"]), ("0.16", ["r"])):
            write(tmp_path, files)
            self.run_each(
                run,
                tmp_path,
                ["set-image", "sklearn", NEW, "-f", "k", "--kserve-version", version],
                [{f"k/{one}/{name}.yaml" for name in changed} for one in "ab"],
            )

    @pytest.mark.parametrize(
        ("runtimes", "options"),
        [
            ("k/base/runtimes.yaml", ["-f", "k"]),
            ("runtimes.yaml", ["-f", "k/a/config.yaml", "-f", "k/b/config.yaml", "-f", "runtimes.yaml"]),
        ],
        ids=["in a folder of their own", "in a file that is named"],
    )
    def test_take_runtimes_along_that_all_share(
        self, run: Run, tmp_path: Path, runtimes: str, options: list[str]
    ) -> None:
        write(tmp_path, {"k/a/config.yaml": CONFIG, "k/b/config.yaml": CONFIG, runtimes: SKLEARN})
        self.run_each(
            run,
            tmp_path,
            ["set-image", "sklearn", NEW, *options, "--kserve-version", "0.9"],
            [{runtimes, f"k/{one}/config.yaml"} for one in "ab"],
        )

    def test_single_out_a_runtime_by_its_overlay(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"k/base/x.yaml": STORAGE, "k/prod/r.yaml": RUNTIMES, "k/test/r.yaml": RUNTIMES})
        self.run_each(
            run,
            tmp_path,
            ["set-image", "runtime/kserve-mlserver", NEW, "-f", "k", "--kserve-version", "0.16"],
            [{"k/prod/r.yaml"}, {"k/test/r.yaml"}],
        )

    def test_are_not_made_where_nothing_would_single_one_out(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"all.yaml": f"{SKLEARN}---\n{SKLEARN}"})
        outcome = run("set-image", "sklearn", NEW, "-f", "all.yaml", "--kserve-version", "0.16")
        assert outcome.code == 3
        assert "Run one of these" not in outcome.err
        assert "move them to files of their own" in outcome.err

    def test_are_in_the_document_of_the_error_too(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"k/a.yaml": CONFIG, "k/b.yaml": CONFIG})
        document = json.loads(run("images", "-f", "k", "-o", "json").out)
        assert document["error"]["exitCode"] == 3
        assert "  python -m ksconfig images -o json -f k/a.yaml\n" in document["error"]["advice"]


class TestHelm:
    """Values files and charts: said at once, and never edited."""

    def test_values_that_are_named_are_refused(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"values.yaml": VALUES})
        code, out, err = run("set-image", "sklearn", NEW, "-f", "values.yaml")
        assert (code, out) == (3, "")
        assert "values.yaml is a values file of Helm" in err
        assert (tmp_path / "values.yaml").read_text() == VALUES

    def test_values_in_a_directory_are_passed_over(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"k/values.yaml": VALUES, "k/runtimes.yaml": RUNTIMES})
        assert run("set-image", "sklearn", NEW, "-f", "k", "--kserve-version", "0.16").code == 0
        assert contents(tmp_path) == {"k/values.yaml": VALUES, "k/runtimes.yaml": RUNTIMES.replace("r/sklearn:1", NEW)}

    def test_templates_of_a_chart_are_refused(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"c/Chart.yaml": "name: c\n", "c/templates/r.yaml": RUNTIMES})
        for path in ("c", "c/templates", "c/templates/r.yaml"):
            code, out, err = run("set-image", "sklearn", NEW, "-f", path)
            assert (code, out) == (3, "")
            assert "is a template of the Helm chart c" in err

    def test_a_chart_with_nothing_else_is_refused(self, run: Run, tmp_path: Path) -> None:
        write(tmp_path, {"c/Chart.yaml": "name: c\n", "c/values.yaml": VALUES})
        code, out, err = run("images", "-f", "c")
        assert (code, out) == (3, "")
        assert "c is a Helm chart" in err


def test_ready_made_commands_put_their_options_before_the_dashes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(f"{name}.yaml").write_text(
            'kind: ConfigMap\nmetadata: {name: inferenceservice-config}\ndata: {ingress: "{}"}\n'
        )
    done = run("set", "-f", "a.yaml", "-vf", "b.yaml", "--", "ingress.ingressDomain", "-foo")
    assert done.code == 3
    assert "  python -m ksconfig set -v -f a.yaml -- ingress.ingressDomain -foo\n" in done.err
