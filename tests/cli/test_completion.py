"""Shell completion without a cluster: what is offered where, in the form of each shell, and silence when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ksconfig.cli.completion import shell
from tests.cli.conftest import MANIFEST, Run, runs, within

F = ("-f", "kserve.yaml")
TARGETS = [
    "sklearn", "sklearn/v1", "sklearn/v2", "pytorch/v1", "pytorch/v2", "tensorflow", "explainer/alibi",
    "storageInitializer", "agent",
]  # fmt: skip
COMPLETE = "import sys; sys.argv[0] = 'kubectl_complete-ksconfig'; from ksconfig.cli.tab import kubectl_complete; kubectl_complete()"


def offered(*words: str) -> list[str]:
    completes = shell("bash")
    assert completes
    return [one.value for one in completes.get_completions(list(words[:-1]), words[-1])]


@pytest.fixture
def here(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the manifest."""
    monkeypatch.chdir(manifest.parent)
    return manifest.parent


def kubectl_complete(folder: Path, *words: str, kubectl: str = "") -> tuple[int, str, str]:
    """Run the plugin's completion as kubectl does; ``kubectl`` is the script of that name, if there is one."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    if kubectl:
        (programs / "kubectl").write_text("#!/bin/sh\n" + kubectl)
        (programs / "kubectl").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", COMPLETE, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PATH": f"{programs}:/bin:/usr/bin", "KUBECONFIG": str(folder / "none"),
             "KSCONFIG_COMPLETION_SECONDS": "1" if "sleep" in kubectl else "30"},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_commands_and_options_are_completed() -> None:
    assert offered("ro") == ["rollback"]
    assert offered("runtime", "pro") == ["promote"]
    assert offered("images", "che") == ["check"]
    assert offered("rollback", "--to") == ["--to-revision"]
    assert offered("images", "-o", "j") == ["json"]
    assert offered("completion", "") == ["bash", "zsh", "fish"]


def test_the_words_of_allow_are_completed() -> None:
    assert offered("set", "--allow", "br") == ["broken-start"]
    assert offered("set", "--allow=un") == ["unknown-impact", "unread"]


@pytest.mark.usefixtures("here")
class TestTargets:
    def test_come_from_the_manifest_that_is_named(self) -> None:
        assert offered("set-image", *F, "") == TARGETS
        assert offered("-f", "kserve.yaml", "set-image", "sk") == ["sklearn", "sklearn/v1", "sklearn/v2"]

    def test_are_offered_once_unless_they_are_pairs(self) -> None:
        assert offered("set-image", *F, "agent", "") == []
        assert offered("set-image", *F, "agent=:v9", "s") == [
            "sklearn=",
            "sklearn/v1=",
            "sklearn/v2=",
            "storageInitializer=",
        ]
        assert "agent=" not in offered("set-image", *F, "agent=:v9", "")

    def test_go_with_frameworks_that_have_a_runtime(self, here: Path) -> None:
        (here / "runtime.yaml").write_text(
            "apiVersion: serving.kserve.io/v1alpha1\nkind: ClusterServingRuntime\nmetadata: {name: xgb}\n"
            "spec:\n  supportedModelFormats: [{name: xgboost, version: '1', autoSelect: true}]\n"
            "  containers: [{name: kserve-container, image: 'kserve/xgbserver:v0.10.0'}]\n"
        )
        assert offered("set-image", "-f", "runtime.yaml", "--kserve-version", "0.10", "") == ["xgboost", "runtime/xgb"]

    @pytest.mark.parametrize("text", ["", "a: [", "kind: List", MANIFEST * 2, MANIFEST.replace("{", "(")])
    def test_of_what_cannot_be_read_are_none(self, here: Path, text: str) -> None:
        (here / "odd.yaml").write_text(text)
        assert set(offered("set-image", "-f", "odd.yaml", "")) <= set(TARGETS)
        assert offered("set-image", "-f", "missing.yaml", "") == []


@pytest.mark.parametrize("what", ["history", "rollback --to-revision", "runtime use", "runtime use x", "images -n"])
def test_names_of_a_cluster_are_not_offered_with_a_manifest(here: Path, what: str) -> None:
    (here / "programs").mkdir()
    assert kubectl_complete(here, *F, *what.split(), "", kubectl="echo asked >> asked") == (0, ":4\n", "")
    assert not (here / "asked").exists()


def test_files_are_left_to_the_shell(here: Path) -> None:
    assert kubectl_complete(here, "images", "-f", "") == (0, ":0\n", "")


def test_kubectl_is_told_names_and_a_directive(here: Path) -> None:
    assert kubectl_complete(here, "set-image", *F, "sk") == (0, "sklearn\nsklearn/v1\nsklearn/v2\n:4\n", "")
    assert kubectl_complete(here, "set-image", *F, "agent=:v9", "te") == (0, "tensorflow=\n:6\n", "")
    code, out, _ = kubectl_complete(here, "rollb")
    assert (code, out.startswith("rollback\t"), out.endswith("\n:4\n")) == (0, True, True)


@pytest.mark.parametrize(
    "kubectl", ["", "echo no >&2; exit 1", "echo '{'", "echo '[]'", "echo '{\"items\": [1]}'", "exec sleep 20"]
)
@pytest.mark.parametrize("words", ["set-image", "history", "runtime use", "images -n"])
def test_what_goes_wrong_is_not_said(here: Path, kubectl: str, words: str) -> None:
    assert kubectl_complete(here, *words.split(), "", kubectl=kubectl) == (0, ":4\n", "")


def test_a_login_that_hangs_is_run_once_and_ends_with_the_tab(here: Path) -> None:
    hangs = "sleep 300 & echo $! >> logins; wait"
    assert kubectl_complete(here, "set-image", "", kubectl=hangs) == (0, ":4\n", "")
    (login,) = (here / "logins").read_text().split()
    assert within(5, lambda: not runs(int(login)))


@pytest.mark.parametrize(
    ("refusal", "asked"),
    [
        ("error: You must be logged in to the server (Unauthorized)", 1),
        ("Unable to connect to the server: getting credentials: exec: executable login failed with exit code 1", 1),
        ("Error from server (Forbidden): configmaps is forbidden", 9),
    ],
)
def test_more_is_asked_only_of_a_server_that_knows_who_asks(here: Path, refusal: str, asked: int) -> None:
    script = f"echo $* >> asked; echo '{refusal}' >&2; exit 1"
    assert kubectl_complete(here, "set-image", "", kubectl=script) == (0, ":4\n", "")
    assert len((here / "asked").read_text().splitlines()) == asked


@pytest.mark.parametrize("kubectl", ["", "exit 1", "exec sleep 20"])
def test_contexts_that_cannot_be_had_are_not_missed(here: Path, kubectl: str) -> None:
    assert kubectl_complete(here, "images", "--context", "", kubectl=kubectl) == (0, ":4\n", "")


def test_names_that_would_steer_a_terminal_are_left_out(here: Path) -> None:
    names = "".join(f'{{"metadata": {{"name": "{name}"}}}},' for name in ("good", "\\u001b[31mbad", "a b"))
    script = f"echo '{{\"items\": [{names[:-1]}]}}'"
    assert kubectl_complete(here, "images", "-n", "", kubectl=script) == (0, "good\n:4\n", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bash", "plain,rollback\n"),
        ("zsh", "plain\nrollback\nUndo the newest"),
        ("fish", "plain,rollback\tUndo the newest"),
    ],
)
def test_each_shell_is_answered_in_its_own_form(run: Run, name: str, expected: str) -> None:
    words = {"COMP_WORDS": "ksconfig rollb", "COMP_CWORD": "rollb" if name == "fish" else "1"}
    done = run(_KSCONFIG_COMPLETE=f"{name}_complete", KSCONFIG_COMPLETION_SECONDS="30", **words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(expected)


@pytest.mark.parametrize("instruction", ["tcsh_complete", "bash_source", "bash", ""])
def test_an_unknown_shell_is_answered_with_nothing(run: Run, instruction: str) -> None:
    assert run(_KSCONFIG_COMPLETE=instruction) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "holds"), [("zsh", "#compdef ksconfig\n"), ("fish", "complete --no-files --command ksconfig")]
)
def test_scripts_for_other_shells_are_printed(run: Run, name: str, holds: str) -> None:
    done = run("completion", name)
    assert (done.code, done.err) == (0, "")
    assert holds in done.out
    assert f"_KSCONFIG_COMPLETE={name}_complete" in done.out
