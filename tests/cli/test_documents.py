"""``-o json`` and ``-o yaml``: one schema, made of the types, and every document is as it says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, ValidationError
from ruamel.yaml import YAML

from ksconfig.cli import documents, schema
from tests.cli.conftest import Run
from tests.documents import check_document

F = ("-f", "kserve.yaml")


def printed(run: Run, *arguments: str, code: int = 0) -> Any:
    """The document that a command prints, the same in both forms; `run` holds it to the schema."""
    as_yaml = run(*arguments, *F, "--dry-run", "-o", "yaml").out
    done = run(*arguments, *F, "-o", "json")
    assert done.code == code, done.err
    document = json.loads(done.out)
    if "dryRun" not in document:
        assert YAML(typ="safe", pure=True).load(as_yaml) == document
    return document


def test_the_shipped_schema_is_what_the_types_make() -> None:
    made = f"python -m ksconfig.cli.schema > {schema.SHIPPED.relative_to(schema.SHIPPED.parents[2])}"
    assert schema.SHIPPED.read_text() == schema.text(), f"make it anew: {made}"
    Draft202012Validator.check_schema(json.loads(schema.SHIPPED.read_text()))


def test_a_command_prints_the_schema(run: Run) -> None:
    assert run("schema") == (0, schema.SHIPPED.read_text(), "")


def test_every_document_says_its_version_and_kind_and_what_its_fields_mean() -> None:
    definitions = schema.generate()["$defs"]
    for document in get_args(documents.Document):
        definition = definitions[document.__name__]
        assert {"apiVersion", "kind"} <= {*definition["required"]}
        assert definition["properties"]["kind"] == {"const": document.__name__}
    for definition in definitions.values():
        assert definition["description"]
        for name, one in definition["properties"].items():
            # those without words say all by their names
            assert "description" in one or name in (
                "apiVersion", "kind", "name", "namespace", "image", "error", "items", "release", "images", "changes",
                "warnings", "controller", "protocols", "disabled", "after", "services",
            ), name  # fmt: skip


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    "command",
    ["set-image agent :v9", "set-image sklearn=:v9 agent=r/a:1", "set ingress.ingressDomain x.example", "unset agent.cpuLimit",
     "set --json agent.cpuLimit null", "set agent.more 1", "unset agent.more", "set-image agent :v0.7.0"],
)  # fmt: skip
def test_a_command_that_writes_prints_a_change(run: Run, manifest: Path, command: str, dry_run: bool) -> None:
    arguments = [*command.split(), *(["--dry-run"] if dry_run else [])]
    document = json.loads(run(*arguments, *F, "-o", "json").out)
    assert (document["kind"], document["dryRun"]) == ("Change", dry_run)
    assert document["changed"] == bool(document["diff"]) == bool(document["changes"])


def test_images_print_a_list(run: Run, manifest: Path) -> None:
    assert printed(run, "images")["kind"] == "ImageList"


def test_doctor_prints_a_diagnosis(run: Run, manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace('"Serverless"', '"serverless"'))
    assert printed(run, "doctor", code=3)["items"][0]["severity"] == "breaks"
    manifest.write_text("kind: ConfigMap\nmetadata: {name: inferenceservice-config}\ndata: {agent: '{'}\n")
    assert printed(run, "doctor", code=3)["breaks"]


@pytest.mark.parametrize(
    ("command", "code", "kind"),
    [
        ("get agent.nothing", 1, "PathNotFound"),
        ("set-image nothing r/x:1", 1, "TargetNotFound"),
        ("set-image agent a:b:c", 2, "InvalidReference"),
        ("set-image logger :1", 3, "Refused"),
        ("history", 2, "UsageError"),
        ("images -f missing.yaml", 1, "FileFailure"),
    ],
)
def test_what_fails_prints_an_error(run: Run, manifest: Path, command: str, code: int, kind: str) -> None:
    document = json.loads(run(*command.split(), *F, "-o", "json").out)
    assert (document["kind"], document["error"]["exitCode"], document["error"]["type"]) == ("Error", code, kind)


def test_the_schema_is_open_to_new_fields_and_to_nothing_else(run: Run, manifest: Path) -> None:
    validator = Draft202012Validator(json.loads(schema.SHIPPED.read_text()))
    document = json.loads(run("images", *F, "-o", "json").out)
    validator.validate({**document, "added": 1})
    for broken in (
        {**document, "items": None},
        {**document, "kind": "List"},
        {**document, "apiVersion": "ksconfig/v2"},
    ):
        with pytest.raises(ValidationError):
            validator.validate(broken)
    with pytest.raises(AssertionError, match="added"):  # our own documents are held to all of it
        check_document({**document, "added": 1})


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("set-image agent :v2 --dryrun -o json", "No such option '--dryrun'"),
        ("-ojson set-imag", "No such command 'set-imag'"),
        ("images --timeout 5x --output=json", "--timeout is '5x'"),
        ("--output json runtime use -o json", "is given twice"),
        ("runtime use -o json", "Missing argument 'NAME'"),
    ],
)
def test_a_mistake_in_the_command_line_is_a_document_too(run: Run, line: str, why: str) -> None:
    done = run(*line.split())
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert (error["type"], error["exitCode"]) == ("UsageError", 2)
    assert why in error["why"]
    assert f"error: {error['why']}" in done.err


def test_so_is_an_end_by_a_signal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ksconfig", "images", "-f", "-", "-o", "json", "-v"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b" " * 200_000)  # more than a pipe holds: it reads when this returns
        time.sleep(0.5)  # and waits for more now
        process.terminate()
        out = process.stdout.read()
    assert process.returncode == 143
    document = json.loads(out)
    check_document(document)
    assert (document["changed"], document["error"]["type"], document["error"]["exitCode"]) == (
        False,
        "Interrupted",
        143,
    )


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("images --foo -vo json", True),
        ("images --foo -vyojson", True),
        ("get --foo -- agent.image -o json", False),  # behind -- there are no options
    ],
)
def test_where_a_document_is_asked_for_one_is_printed(run: Run, line: str, printed: bool) -> None:
    assert bool(run(*line.split()).out) is printed


def test_a_manifest_that_goes_nowhere_is_a_dry_run(run: Run, manifest: Path) -> None:
    change = ("set-image", "agent", ":v9", "-f", "-", "-o")
    assert json.loads(run(*change, "json", stdin=manifest.read_text()).out)["dryRun"] is True
    assert "(dry run)" in run(*change, "table", stdin=manifest.read_text()).out
    both = json.loads(run(*change, "json", *F, stdin="kind: Namespace\n").out)
    assert (both["dryRun"], both["changed"]) == (False, True)
    assert "agent:v9" in manifest.read_text()


def test_a_command_without_names_refuses_to_print_them(run: Run) -> None:
    done = run("status", "-o", "name")
    assert done.code == 2
    assert "status has no names to print" in done.err


def test_a_signal_between_two_files_says_which_one_is_written(tmp_path: Path, manifest: Path) -> None:
    other = tmp_path / "runtime.yaml"
    other.write_text(manifest.read_text().replace("inferenceservice-config", "other"))
    runtime = "kind: ClusterServingRuntime\nmetadata: {name: kserve-sklearnserver}\nspec:\n  supportedModelFormats: [{name: sklearn, autoSelect: true}]\n  containers: [{name: kserve-container, image: 'r/a:1'}]\n"
    other.write_text(runtime)
    program = """
import os, signal, sys
from ksconfig.cli.main import main
replace = os.replace
def replaced(*paths):
    replace(*paths)
    os.kill(os.getpid(), signal.SIGTERM)
os.replace = replaced
sys.argv[0] = "ksconfig"
main(sys.argv[1:])
"""
    command = "set-image sklearn=r/b:2 -f kserve.yaml -f runtime.yaml --kserve-version 0.9 -o json"
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split()], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 143, done.stderr
    document = json.loads(done.stdout)
    check_document(document)
    written = [path.name for path in (manifest, other) if "r/b" in path.read_text()]
    assert len(written) == 1
    assert document["changed"] is True
    assert document["error"]["why"] == f"written is {written[0]}, and every other file is as it was"
    assert {path.name for path in tmp_path.iterdir()} == {"kserve.yaml", "runtime.yaml"}
