"""What the command line says before it has seen a cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ksconfig.cli.durations import Duration
from tests.cli.conftest import Run

NOWHERE = {"KUBECONFIG": "/nowhere/kubeconfig", "KUBERNETES_SERVICE_HOST": "", "HOME": "/nowhere"}


def kubeconfig(folder: Path, server: str = "https://127.0.0.1:1") -> Path:
    path = folder / "kubeconfig"
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "secret-token"}}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
    }  # fmt: skip
    path.write_text(json.dumps(config))
    return path


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("1.5m", 90)])
def test_durations_are_kubectls(text: str, seconds: float) -> None:
    assert Duration("").convert(text, None, None) == seconds


@pytest.mark.parametrize(
    ("text", "hint"), [("90", "90s"), ("5 m", "90s, 5m"), ("", "90s, 5m"), ("-5m", "90s"), ("0s", "--no-wait")]
)
def test_what_is_no_duration_is_refused_with_manifests_too(run: Run, manifest: Path, text: str, hint: str) -> None:
    done = run("images", "-f", str(manifest), "--timeout", text)
    assert done.code == 2
    assert f"--timeout is {text!r}" in done.err
    assert hint in done.err


def test_without_manifest_and_cluster_both_ways_are_named(run: Run) -> None:
    done = run("set-image", "sklearn", "reg.example/a:1", **NOWHERE)
    assert done.code == 2
    assert "--kubeconfig" in done.err
    assert "-f FILE" in done.err


def test_a_context_that_is_not_there_is_answered_with_those_that_are(run: Run, tmp_path: Path) -> None:
    done = run("status", "--context", "two", KUBECONFIG=str(kubeconfig(tmp_path)))
    assert done.code == 2
    assert 'no context "two"' in done.err
    assert "one" in done.err


def test_a_server_that_does_not_answer_is_named_at_once(run: Run, tmp_path: Path) -> None:
    done = run("status", KUBECONFIG=str(kubeconfig(tmp_path)))
    assert done.code == 1
    assert "https://127.0.0.1:1 did not answer" in done.err
    assert "secret-token" not in done.err


@pytest.mark.parametrize("command", ["history", "rollback", "restart", "status"])
def test_commands_on_a_cluster_alone_refuse_manifests(run: Run, manifest: Path, command: str) -> None:
    done = run(command, "-f", str(manifest))
    assert done.code == 2
    assert "is for a cluster, and -f names manifests" in done.err


def test_options_of_a_cluster_do_not_go_with_manifests(run: Run, manifest: Path) -> None:
    done = run("images", "-f", str(manifest), "--context", "one")
    assert done.code == 2
    assert "--context is for a cluster" in done.err


def test_a_history_limit_is_a_number(run: Run, tmp_path: Path) -> None:
    done = run("set-image", "a", "b/c", "--history-limit", "many", KUBECONFIG=str(kubeconfig(tmp_path)))
    assert done.code == 2
    assert "--history-limit is 'many', and must be a number from 0" in done.err
