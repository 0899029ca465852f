"""What files and clusters hold never steers a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.security.conftest import Home
from tests.security.stub import Stub, serving

#: Clears the screen and sets the title; C1's CSI; a carriage return; a bell; text from right to left; a mark for it; and a line that
#: looks like one of ours.
EVIL = "x\x1b[2J\x1b]0;owned\x07\x9b31m\rnone\x08\u202ereversed\u2066\u200f\x7f\nerror: FORGED"
_RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
FORMS = ["table", "json", "yaml", "name"]


def manifest() -> dict[str, Any]:
    """A config and a runtime whose every name and value is hostile."""
    sklearn = {"v1": {"image": f"a/{EVIL}", "defaultImageVersion": EVIL}, EVIL: {"image": EVIL}}
    config = {
        "predictors": json.dumps({"sklearn": sklearn, EVIL: {"image": EVIL}}),
        "agent": json.dumps({"image": f"r.example/{EVIL}", EVIL: EVIL}),
        "deploy": json.dumps({"defaultDeploymentMode": EVIL}),
        "broken": '{"a": ' + EVIL,
        EVIL: EVIL,
    }
    runtime = {
        "apiVersion": "serving.kserve.io/v1alpha1", "kind": "ClusterServingRuntime", "metadata": {"name": EVIL},
        "spec": {
            "supportedModelFormats": [{"name": EVIL, "version": EVIL, "autoSelect": True}],
            "containers": [{"name": "kserve-container", "image": EVIL, "args": [EVIL]}],
        },
    }  # fmt: skip
    metadata = {"name": "inferenceservice-config", "namespace": "kserve", "annotations": {EVIL: EVIL}}
    parts = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": config}, runtime]
    return {"apiVersion": "v1", "kind": "List", "items": parts}


COMMANDS = [
    ["images"],
    ["doctor"],
    ["set-image", "agent", ":v2", "--dry-run"],
    ["set-image", f"runtime/{EVIL}", "a.example/b:1", "--dry-run"],
    ["set-image", "nothing", ":v2"],
    ["set", "agent.image", "a.example/b:1", "--dry-run"],
    ["unset", "agent", "--dry-run"],
    ["get", "agent.nothing"],
    ["get", "/broken/a"],
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: "-".join(command[:2]).encode().hex()[:24])
def test_data_of_files_is_printed_without_control_characters(home: Home, command: list[str], form: str) -> None:
    items = manifest()["items"]
    text = "---\n".join(json.dumps(one) + "\n" for one in items)
    (home.folder / "work/kserve.yaml").write_text(text)
    done = home.run(*command, "-f", "kserve.yaml", "--kserve-version", "0.8", "-o", form, "-v")
    assert "internal error" not in done.said
    assert not _RAW.findall(done.said), repr(done.said)
    assert "\nerror: FORGED" not in done.said


def cluster(method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """A cluster whose every object has hostile names and values."""
    config, runtime = manifest()["items"]
    meta = {"name": EVIL, "namespace": EVIL, "uid": EVIL, "labels": {"control-plane": "kserve-controller-manager"}}
    template = {"spec": {"containers": [{"name": "manager", "image": f"kserve/kserve-controller:{EVIL}"}]}}
    workload = {"kind": EVIL, "metadata": {**meta, "name": "kserve-controller-manager"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"a": EVIL}}, "template": template}}  # fmt: skip
    service = {"metadata": meta, "spec": {"predictor": {"model": {"modelFormat": {"name": EVIL}, "runtime": EVIL}}}}
    found: Any = {"items": []}
    if "configmaps/" in path:
        found = config
    elif "deployments" in path:
        found = {"items": [workload]}
    elif "clusterservingruntimes" in path:
        found = {"items": [runtime]}
    elif "inferenceservices" in path:
        found = {"items": [service]}
    elif path.split("?", maxsplit=1)[0].endswith("/configmaps"):
        found = {"items": [{"metadata": {**meta, "name": f"ksconfig-revision-{EVIL}"}}]}
    elif "pods" in path:
        found = {"kind": "Status", "message": EVIL, "reason": EVIL}
        return 500 if "limit" not in path else 403, {}, json.dumps(found).encode()
    return 200, {}, json.dumps(found).encode()


@pytest.fixture
def hostile(home: Home) -> Iterator[Stub]:
    with serving(cluster) as stub:
        home.kubeconfig({"token": "t"}, server=stub.url)
        yield stub


LIVE = [
    ["images"], ["doctor"], ["status"], ["history"], ["get", "agent"], ["set-image", "agent", ":v2", "--dry-run"],
    ["set-image", "agent", ":v2"], ["rollback"], ["restart"], ["runtime", "list"], ["runtime", "show", EVIL],
    ["runtime", "use", EVIL, "iris", "-n", "team-a"],
]  # fmt: skip


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("command", LIVE, ids=lambda command: "-".join(command[:2]).encode().hex()[:24])
def test_data_of_a_cluster_is_printed_without_control_characters(
    home: Home, hostile: Stub, command: list[str], form: str
) -> None:
    raw = command[0] == "get" and form == "json"
    done = home.run(*command, "-o", form, "-v", "--timeout", "1s")
    assert hostile.heard
    assert "internal error" not in done.said
    if not raw:
        assert not _RAW.findall(done.said), repr(done.said)
        assert "\nerror: FORGED" not in done.said


def test_a_name_of_the_cluster_never_leads_a_request_astray(home: Home, hostile: Stub) -> None:
    home.run("status")
    home.run("set-image", "agent", ":v2", "--timeout", "1s")
    assert hostile.heard
    for _, path in hostile.heard:
        assert re.fullmatch(r"[\x21-\x7e]+", path)
        assert not {".", ".."} & set(path.split("?")[0].split("/"))


def test_no_file_is_named_by_what_a_cluster_says(home: Home, hostile: Stub) -> None:
    before = set(home.folder.rglob("*"))
    for command in LIVE:
        home.run(*command, "--timeout", "1s")
    assert set(home.folder.rglob("*")) == before


def test_only_the_saving_of_manifests_writes_files() -> None:
    """A name from a cluster cannot become a path where nothing writes but the files that -f names."""
    package = Path(__file__).parents[2] / "ksconfig"
    writing = re.compile(
        r"write_text|write_bytes|\.mkdir|makedirs|\bopen\([^)]*[\"'](?:w|a|x|r\+)|os\.replace|mkstemp|O_CREAT"
    )
    found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if writing.search(path.read_text())}
    assert found == {"source/saving.py", "cli/output.py"}  # the latter: os.devnull, when output cannot be printed
