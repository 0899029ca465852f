"""The command `doctor`: its output and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.planted import manifest_of, sound_config, texts_of


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest of 0.7 with one fault that breaks something and one that does not."""
    monkeypatch.chdir(tmp_path)
    texts = texts_of(sound_config(7))
    texts["deploy"] = '{"defaultDeploymentMode": "serverless"}'
    texts["agent"] = texts["agent"].replace("{", '{"image": "a:1",', 1)
    Path("kserve.json").write_text(manifest_of(texts))


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kserve.json").write_text(manifest_of(texts_of(sound_config(7))))


@pytest.mark.usefixtures("broken")
def test_findings_are_told_with_place_effect_and_cure(run: Run) -> None:
    result = run("doctor", "-f", "kserve.json", "--kserve-version", "0.7")
    assert result.code == 3
    first, effect, mend, second, *_ = result.out.splitlines()
    assert first.startswith("kserve.json:1:")
    assert ': breaks: deploy.defaultDeploymentMode is "serverless", not one of' in first
    assert effect == "    The controller exits at its next start; until then every reconcile fails."
    assert mend == "    Write one that this release takes."
    assert ": note: agent holds image and image, which KServe takes for one name" in second
    assert result.out.splitlines()[-1] == "1 finding breaks something, 1 note (KServe 0.7)"
    assert result.err == ""


@pytest.mark.usefixtures("broken")
def test_json_is_for_ci(run: Run) -> None:
    result = run("doctor", "-f", "kserve.json", "-o", "json")
    assert result.code == 3
    document = json.loads(result.out)
    assert (document["kind"], document["breaks"], document["notes"]) == ("Diagnosis", 1, 1)
    item = document["items"][0]
    assert item["object"] == {"kind": "ConfigMap", "namespace": "kserve", "name": "inferenceservice-config"}
    assert (item["severity"], item["code"], item["path"]) == ("breaks", "bad-value", "deploy.defaultDeploymentMode")
    assert (item["file"], item["line"]) == ("kserve.json", 1)


@pytest.mark.usefixtures("broken")
def test_names_are_one_line_each(run: Run) -> None:
    assert run("doctor", "-f", "kserve.json", "-o", "name").out.splitlines() == [
        "bad-value deploy.defaultDeploymentMode",
        "duplicate-name agent.image",
    ]


@pytest.mark.usefixtures("sound")
def test_a_sound_config_ends_with_0(run: Run) -> None:
    result = run("doctor", "-f", "kserve.json", "--kserve-version", "0.7")
    assert (result.code, result.out, result.err) == (0, "nothing found (KServe 0.7)\n", "")


@pytest.mark.usefixtures("sound")
def test_notes_alone_end_with_0(run: Run) -> None:
    text = Path("kserve.json").read_text()
    Path("kserve.json").write_text(text.replace('{\\n    \\"image', '{\\n    \\"imgae\\": \\"x\\", \\"image', 1))
    result = run("doctor", "-f", "kserve.json")
    assert result.code == 0
    assert "1 note" in result.out
