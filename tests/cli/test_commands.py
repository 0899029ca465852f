"""The command line as a user meets it: outputs word for word, exit codes, and files left alone on every error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import MANIFEST, Run

NEW = "registry.example:5000/team/sklearnserver:1.2"
F = ("-f", "kserve.yaml")

SET_SKLEARN = MANIFEST.replace('"kserve/sklearnserver"', '"registry.example:5000/team/sklearnserver"').replace(
    '"defaultImageVersion": "v0.7.0"\n          },\n          "v2"',
    '"defaultImageVersion": "1.2"\n          },\n          "v2"',
)
DIFF = """\
--- {name}
+++ {name}
@@ -8,8 +8,8 @@
     {{
         "sklearn": {{
           "v1": {{
-            "image" : "kserve/sklearnserver",
-            "defaultImageVersion": "v0.7.0"
+            "image" : "registry.example:5000/team/sklearnserver",
+            "defaultImageVersion": "1.2"
           }},
           "v2": {{
             "image" : "docker.io/seldonio/mlserver",
"""
PROTOCOL = "warning: sklearn means sklearn/v1, KServe's default protocol; sklearn/v2 is left as it is\n"
ARROW = f"sklearn/v1: kserve/sklearnserver:v0.7.0 -> {NEW}"


def test_set_image_changes_the_value_and_shows_it(run: Run, manifest: Path) -> None:
    assert run("set-image", "sklearn", NEW, *F) == (0, f"{ARROW}\n", PROTOCOL + DIFF.format(name="kserve.yaml"))
    assert manifest.read_text() == SET_SKLEARN


def test_the_same_command_again_changes_nothing(run: Run, manifest: Path) -> None:
    manifest.write_text(SET_SKLEARN)
    before = manifest.stat()
    assert run("set-image", "sklearn", NEW, *F) == (0, f"sklearn/v1: {NEW} unchanged\n", PROTOCOL)
    assert (manifest.stat().st_ino, manifest.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_dry_run_prints_the_plan_and_writes_nothing(run: Run, manifest: Path) -> None:
    outcome = run("set-image", "sklearn", NEW, *F, "--dry-run")
    assert outcome == (0, f"{ARROW} (dry run)\n" + DIFF.format(name="kserve.yaml"), PROTOCOL)
    assert manifest.read_text() == MANIFEST


def test_standard_input_comes_out_edited(run: Run) -> None:
    outcome = run("set-image", "sklearn", NEW, "-f", "-", stdin=MANIFEST)
    assert outcome == (0, SET_SKLEARN, PROTOCOL + DIFF.format(name="standard input"))


def test_standard_input_that_needs_no_change_comes_out_as_it_is(run: Run) -> None:
    assert run("set-image", "agent", "kserve/agent:v0.7.0", "-f", "-", stdin=MANIFEST) == (0, MANIFEST, "")


def test_standard_input_with_an_output_form_prints_the_document_instead(run: Run) -> None:
    outcome = run("set-image", "sklearn", NEW, "-f", "-", "-o", "json", stdin=MANIFEST)
    document = json.loads(outcome.out)
    assert (document["changed"], document["dryRun"]) == (True, True)


def test_several_targets_are_one_write(run: Run, manifest: Path) -> None:
    outcome = run("set-image", "agent=:v9", "sklearn/v2=registry.example/ml", "explainer/alibi=a/b:c=d", *F)
    assert outcome.code == 2  # "c=d" is no tag: a TARGET ends at the first "="
    outcome = run("set-image", "agent=:v9", "sklearn/v2=registry.example/ml", "explainer/alibi=a/b:c", *F)
    assert outcome.out == (
        "agent: kserve/agent:v0.7.0 -> kserve/agent:v9\n"
        "sklearn/v2: docker.io/seldonio/mlserver:0.2.1 -> registry.example/ml:0.2.1\n"
        "explainer/alibi: kserve/alibi-explainer:v0.7.0 -> a/b:c\n"
    )
    assert outcome.err.count("+++") == 1


def test_json_says_all_of_it(run: Run, manifest: Path) -> None:
    document = json.loads(run("set-image", "agent", ":v9", *F, "-o", "json").out)
    assert document.pop("diff").startswith("--- kserve.yaml\n")
    assert document == {
        "apiVersion": "ksconfig/v1",
        "kind": "Change",
        "command": "set-image",
        "dryRun": False,
        "changed": True,
        "restarted": False,
        "served": None,
        "rolledBack": False,
        "revision": None,
        "closed": None,
        "modelsReady": None,
        "release": {
            "candidates": ["0.7", "0.8", "0.9"],
            "likely": "0.7",
            "given": False,
            "toldBy": "the keys of the config",
            "unverified": False,
        },
        "images": [{"target": "agent", "before": "kserve/agent:v0.7.0", "after": "kserve/agent:v9"}],
        "changes": [
            {
                "object": {"kind": "ConfigMap", "namespace": "kserve", "name": "inferenceservice-config"},
                "place": "kserve.yaml:1",
                "path": "agent.image",
                "before": "kserve/agent:v0.7.0",
                "after": "kserve/agent:v9",
            }
        ],
        "impact": {"lookedAt": 0, "unknown": None, "services": [], "newServices": [], "inferenceGraphs": []},
        "warnings": [],
    }


def test_yaml_says_the_same_as_json(run: Run, manifest: Path) -> None:
    from ruamel.yaml import YAML

    as_json = run("set-image", "agent", ":v9", *F, "--dry-run", "-o", "json").out
    as_yaml = run("set-image", "agent", ":v9", *F, "--dry-run", "-o", "yaml").out
    assert YAML(typ="safe", pure=True).load(as_yaml) == json.loads(as_json)


def test_output_name_is_the_object(run: Run, manifest: Path) -> None:
    assert run("set-image", "agent", ":v9", *F, "-o", "name").out == "configmap/kserve/inferenceservice-config\n"
    assert run("set-image", "agent", ":v9", *F, "-o", "name").out == ""  # nothing left to do


def test_images_lists_every_target(run: Run, manifest: Path) -> None:
    outcome = run("images", *F)
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["NAME", "IMAGE", "WHERE"]
    assert [line.split()[0] for line in lines[1:]] == [
        "sklearn/v1", "sklearn/v2", "pytorch/v1", "pytorch/v2", "tensorflow", "explainer/alibi",
        "storageInitializer", "agent", "logger",
    ]  # fmt: skip
    assert "tensorflow/serving:1.14.0, GPU :1.14.0-gpu" in outcome.out
    assert lines[-1].endswith("logger (not read by 0.7)")
    assert run("images", *F, "-o", "name").out.split() == [line.split()[0] for line in lines[1:]]
    items = json.loads(run("images", *F, "-o", "json").out)["items"]
    assert [item["name"] for item in items if not item["read"]] == ["logger"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("predictors.sklearn.v1.image", "kserve/sklearnserver"),
        ("/predictors/sklearn/v1/image", "kserve/sklearnserver"),
        ("predictors.tensorflow.multiModelServer", "false"),
        ("deploy", '{"defaultDeploymentMode": "Serverless"}'),
    ],
)
def test_get_prints_a_string_bare_and_other_values_as_they_stand(
    run: Run, manifest: Path, path: str, shown: str
) -> None:
    assert run("get", path, *F) == (0, f"{shown}\n", "")


def test_get_as_json_is_json(run: Run, manifest: Path) -> None:
    assert run("get", "agent.image", *F, "-o", "json").out == '"kserve/agent:v0.7.0"\n'


def test_get_of_what_is_not_there_is_exit_1_with_the_nearest_name(run: Run, manifest: Path) -> None:
    code, out, err = run("get", "predictors.sklearn.v1.imag", *F)
    assert (code, out) == (1, "")
    assert err == (
        "error: predictors.sklearn.v1.imag was not read: predictors.sklearn.v1.imag is not there. "
        "Did you mean predictors.sklearn.v1.image?\n"
    )


def test_set_takes_the_type_that_stands_there(run: Run, manifest: Path) -> None:
    assert run("set", "predictors.tensorflow.multiModelServer", "true", *F).out == (
        "predictors.tensorflow.multiModelServer: false -> true\n"
    )
    assert run("set", "agent.cpuLimit", "2", *F).out == 'agent.cpuLimit: "1" -> "2"\n'


def test_set_takes_the_type_that_kserve_requires_for_a_new_field(run: Run, manifest: Path) -> None:
    assert (
        run("set", "storageInitializer.uidModelcar", "-1", *F).out == "storageInitializer.uidModelcar: (absent) -> -1\n"
    )
    assert run("set", "ingress.disableIstioVirtualHost", "true", *F).code == 0
    assert run("set", "predictors.tensorflow.defaultTimeout", "60", *F).out.endswith('(absent) -> "60"\n')
    assert '"disableIstioVirtualHost": true}' in manifest.read_text()


def test_set_json_may_change_the_type_and_says_so(run: Run, manifest: Path) -> None:
    outcome = run("set", "--json", "agent.cpuLimit", "2", *F)
    assert (outcome.code, outcome.out) == (0, 'agent.cpuLimit: "1" -> 2\n')
    assert "warning: agent.cpuLimit changes its JSON type from string to number\n" in outcome.err


def test_unset_removes_and_is_content_when_nothing_is_there(run: Run, manifest: Path) -> None:
    assert run("unset", "agent.cpuLimit", *F).out == 'agent.cpuLimit: "1" -> (absent)\n'
    assert '{"image": "kserve/agent:v0.7.0"}' in manifest.read_text()
    assert run("unset", "agent.cpuLimit", *F) == (0, "agent.cpuLimit: unchanged\n", "")
    assert run("unset", "nokey.at.all", *F) == (0, "nokey.at.all: unchanged\n", "")


REFUSALS: list[tuple[list[str], int, list[str]]] = [
    (["set-image", "sklearn", "1.2"], 2, ["may be a tag or a repository"]),
    (["set-image", "sklearn", "foo"], 2, ["Did you mean :foo"]),
    (["set-image", "sklearn", "Registry.example/Team/sk:1"], 2, ["upper case", '"Team"']),
    (["set-image", "sklearn", "a/b:c:d"], 2, ["no image reference"]),
    (["set-image", "sklern", "a/b:1"], 1, ['no "sklern"', "Did you mean sklearn", "tensorflow"]),
    (["set-image", "pytorch", "a/b:1"], 3, ["two servers", "pytorchserver", "TorchServe", "pytorch/v1 or pytorch/v2"]),
    (["set-image", "tensorflow", "a/b:1"], 3, ["a/b:1.14.0-gpu", "--gpu-version", "--allow old-gpu-version"]),
    (["set-image", "tensorflow", "a/b:1", "--gpu-version", "2"], 3, ['lacks "-gpu"']),
    (["set-image", "tensorflow", ":1-gpu"], 3, ['holds "-gpu"']),
    (["set-image", "agent", ":1", "--gpu-version", "1-gpu"], 2, ["none of the targets has a GPU version"]),
    (["set-image", "logger", ":1"], 3, ["agent.image", "--allow unread"]),
    (["set-image", "tensorflow/v1", ":1"], 1, ["one server for all protocols", "Say tensorflow"]),
    (["set-image", "sklearn=:1", "sklearn/v1=:2"], 2, ["the same image"]),
    (["set-image", "sklearn=:1", "agent"], 2, ['"agent" is no TARGET=IMAGE']),
    (["set-image", "sklearn", ":1", "agent"], 2, ["3 arguments"]),
    (
        ["set-image", "sklearn"],
        2,
        ["sklearn is now kserve/sklearnserver:v0.7.0", "Like: python -m ksconfig set-image sklearn"],
    ),
    (["set-image"], 2, ["no TARGET"]),
    (["set", "predictors.tensorflow.multiModelServer", "yes"], 2, ["is a boolean", "true or false"]),
    (["set", "router.image", "a:1"], 3, ["no key router", "--allow new-key"]),
    (["set", "agent.Image", "a:1"], 3, ["differs from Image only in case", "Say agent.image"]),
    (["set", "deploy.defaultDeploymentMode", "Bogus"], 3, ["would exit at its next start", "Bogus"]),
    (["unset", "deploy.defaultDeploymentMode"], 3, ["deploy.defaultDeploymentMode is required"]),
    (["unset", "agent"], 2, ["whole key"]),
    (["set", "agent..image", "a"], 2, ["is no path"]),
    (["set", "--json", "agent.image", "{a}"], 2, ["VALUE is no JSON"]),
    (["get", "agent.image[0]"], 1, ["agent.image is the string"]),
    (["get", "_example.x"], 3, ["never edited"]),
    (["set-imge", "a"], 2, ["Did you mean set-image?"]),
    (["set", "--josn", "a", "b"], 2, ["--josn"]),
    (["images", "-o", "xml"], 2, ["xml"]),
    (["images", "--kserve-version", "seven"], 2, ['"seven" is no KServe version']),
    (["images", "-n", "other"], 1, ["namespace other", "kserve"]),
]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    REFUSALS,
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else str(value),
)
def test_an_error_says_why_and_leaves_the_file(
    run: Run, manifest: Path, arguments: list[str], code: int, said: list[str]
) -> None:
    outcome = run(*arguments, *F)
    assert (outcome.code, outcome.out) == (code, ""), outcome
    for words in said:
        assert words in outcome.err
    assert "Traceback" not in outcome.err
    assert manifest.read_text() == MANIFEST


def test_an_override_is_the_word_that_the_refusal_names(run: Run, manifest: Path) -> None:
    assert run("set-image", "tensorflow", "a/b:1", *F, "--allow", "old-gpu-version").code == 0
    assert run("set-image", "logger", ":1", *F, "--allow", "unread").code == 0
    assert run("set", "router.image", "a:1", *F, "--allow", "new-key").code == 0
    assert run("get", "router.image", *F).out == "a:1\n"


def test_options_stand_before_or_after_the_command_but_not_in_both(run: Run, manifest: Path) -> None:
    assert run(*F, "-o", "name", "images").out == run("images", *F, "-o", "name").out
    assert run("-o", "json", "images", *F, "-o", "json").code == 2
    assert run("images", *F, "--dry-run", "--dry-run").code == 2
    assert run("images", *F, "-n", "kserve", "--config-namespace", "kserve").code == 2


def test_without_a_manifest_the_way_on_is_named(run: Run) -> None:
    outcome = run("images")
    assert outcome.code == 2
    assert "-f FILE" in outcome.err


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"\xff\xfe", 1, "not UTF-8"),
        (b"kind: ConfigMap\nmetadata: {name: inferenceservice-config\n", 3, "not YAML"),
        (b"kind: Pod\n", 1, "no ConfigMap inferenceservice-config"),
        (b"", 1, "no ConfigMap inferenceservice-config"),
        (b"{{- if .x }}\nkind: ConfigMap\nmetadata:\n  name: inferenceservice-config\n{{- end }}\n", 3, "template"),
    ],
)
def test_a_bad_file_is_named_and_left(run: Run, tmp_path: Path, content: bytes, code: int, said: str) -> None:
    (tmp_path / "bad.yaml").write_bytes(content)
    outcome = run("set-image", "sklearn", NEW, "-f", "bad.yaml")
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert (tmp_path / "bad.yaml").read_bytes() == content


def test_a_missing_file_and_an_empty_directory_are_named(run: Run, tmp_path: Path) -> None:
    assert "no.yaml cannot be read: No such file or directory" in run("images", "-f", "no.yaml").err
    assert "is a directory" in run("images", "-f", str(tmp_path)).err


def test_broken_json_is_shown_where_it_stands_in_the_file(run: Run, manifest: Path) -> None:
    manifest.write_text(MANIFEST.replace('"kserve/sklearnserver",', '"kserve/sklearnserver"'))
    code, _, err = run("set-image", "sklearn", NEW, *F)
    assert code == 3
    assert "kserve.yaml, key predictors, line 11, column 45: a comma is missing" in err
    assert '  11 |             "image" : "kserve/sklearnserver"\n' + "     | " + " " * 44 + "^" in err


def test_a_sound_key_beside_a_broken_one_can_be_edited(run: Run, manifest: Path) -> None:
    manifest.write_text(MANIFEST.replace('"kserve/sklearnserver",', '"kserve/sklearnserver"'))
    code, _, err = run("set-image", "agent", ":v9", *F)
    assert code == 0
    assert "warning: the key predictors beside it is broken" in err


def test_an_error_is_a_document_too(run: Run, manifest: Path) -> None:
    document = json.loads(run("set-image", "logger", ":1", *F, "-o", "json").out)
    assert document["kind"] == "Error"
    assert (document["error"]["exitCode"], document["error"]["allow"]) == (3, "unread")


def test_control_characters_never_reach_the_output_raw(run: Run, manifest: Path) -> None:
    manifest.write_text(MANIFEST.replace("example.com", "\\u001b[31mred"))
    for arguments in (["set", "ingress.ingressDomain", "x"], ["images"], ["set", "\x1b[31m.x", "1"]):
        outcome = run(*arguments, *F)
        assert "\x1b" not in outcome.out + outcome.err


def test_help_fits_80_columns_and_ends_with_an_example(run: Run) -> None:
    for command in ([], ["set-image"], ["images"], ["get"], ["set"], ["unset"]):
        code, out, err = run(*command, "--help", COLUMNS="80")
        assert (code, err) == (0, "")
        assert max(map(len, out.splitlines())) <= 80
        assert "Example" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", ["set-image agent r/x:1", "set-image nothing r/x:1 -o json"])
def test_output_that_cannot_be_printed_is_one_message(manifest: Path, arguments: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ksconfig", *arguments.split(), "-f", str(manifest)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "could not be printed: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("set-image agent r/x:1", 0),
        ("set-image agent r/x:1 -o json", 0),
        ("set-image nothing r/x:1 -o json", 1),
        ("set nothing.there 1 -o json", 3),
        ("set-image agent -o json --timeout 5x", 2),
    ],
)
def test_a_reader_that_has_gone_changes_neither_the_work_nor_the_exit_code(
    manifest: Path, arguments: str, code: int
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "ksconfig", *arguments.split(), "-f", str(manifest)],
        stdout=writing, stderr=writing, check=False,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == code
    assert ("r/x:1" in manifest.read_text()) is (code == 0)


def test_an_interrupt_after_the_reader_has_gone_is_an_interrupt(tmp_path: Path) -> None:
    """As of ``ksconfig ... 2>&1 | tee log`` when somebody presses Ctrl-C: tee is gone first."""
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from ksconfig.cli.main import main; main(sys.argv[1:])"
    )
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program, "images", "-f", "-"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=writing, stderr=writing,
    ) as process:  # fmt: skip
        assert process.stdin
        process.stdin.write(b" " * 200_000)  # more than a pipe holds: it reads when this returns
        time.sleep(0.5)  # and waits for more now
        os.close(reading)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    os.close(writing)


def test_without_standard_input_nobody_is_asked(run: Run, manifest: Path) -> None:
    command = f"exec {sys.executable} -m ksconfig set-image agent -f {manifest} <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, "no IMAGE was given" in done.stderr) == (2, True), done.stderr
