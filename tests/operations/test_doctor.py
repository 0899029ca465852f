"""What `doctor` finds in a config, and what it says of it."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import get_args

import pytest

import ksconfig
from ksconfig import Finding
from ksconfig.model.faults import Code
from tests.planted import FAULTS, RELEASES, Planted, manifest_of, sound_config, texts_of

EVERY_FAULT = pytest.mark.parametrize(
    ("planted", "minor"),
    [pytest.param(planted, minor, id=f"{planted.name}-{minor}") for planted in FAULTS for minor in planted.releases],
)


def findings(texts: dict[str, str], minor: int | None = None) -> dict[tuple[str, str], Finding]:
    loaded = ksconfig.loads(manifest_of(texts), kserve_version=f"0.{minor}" if minor else None, label="kserve.json")
    return {(finding.code, finding.written_path): finding for finding in loaded.doctor()}


def texts_with(planted: Planted, minor: int) -> dict[str, str]:
    texts = texts_of(sound_config(minor))
    planted.change(texts)
    return texts


@pytest.mark.parametrize("minor", RELEASES)
@pytest.mark.parametrize("given", [True, False], ids=["release given", "release told"])
def test_nothing_is_found_in_a_sound_config(minor: int, given: bool) -> None:
    assert findings(texts_of(sound_config(minor)), minor if given else None) == {}


@EVERY_FAULT
def test_a_fault_is_found_with_its_place_and_weight(planted: Planted, minor: int) -> None:
    found = findings(texts_with(planted, minor), minor)

    finding = found[planted.code, planted.path]
    assert finding.severity == ("breaks" if minor in planted.breaks else "note")
    assert finding.place.line == 1
    assert finding.message
    assert finding.effect
    assert finding.mend


@EVERY_FAULT
def test_a_fault_is_found_without_being_told_the_release(planted: Planted, minor: int) -> None:
    assert (planted.code, planted.path) in findings(texts_with(planted, minor))


def test_more_than_forty_kinds_of_faults_are_planted() -> None:
    assert len({planted.name for planted in FAULTS}) == len(FAULTS) > 40


def test_a_fault_that_only_some_releases_break_on_is_a_note_that_names_them() -> None:
    texts = texts_of(sound_config(7))
    predictors = json.loads(texts["predictors"])
    del predictors["onnx"]["defaultImageVersion"], predictors["pytorch"]
    texts = {key: text.replace("v0.7.0", "latest") for key, text in texts.items()}
    texts["predictors"] = json.dumps(predictors)

    finding = findings(texts)["missing-field", "predictors.onnx.defaultImageVersion"]
    assert finding.severity == "note"
    assert finding.releases == ("0.7",)


class TestFragment:
    """A kustomize fragment holds a few keys; others complete it."""

    def test_misses_nothing(self) -> None:
        assert findings({"agent": texts_of(sound_config(7))["agent"]}) == {}
        assert findings({"deploy": '{"defaultDeploymentMode": "RawDeployment"}'}) == {}

    def test_is_told_what_its_key_would_lack_in_one_note(self) -> None:
        found = findings({"ingress": '{"enableGatewayApi": true, "kserveIngressGateway": "kserve/gateway"}'})
        (finding,) = found.values()
        assert (finding.severity, finding.code, finding.written_path) == ("note", "partial-key", "ingress")
        assert "ingress holds no ingressGateway" in finding.message
        assert "if this fragment replaces the whole key" in finding.effect

    def test_is_broken_by_broken_json(self) -> None:
        assert findings({"agent": "{"})["broken-json", "agent"].severity == "breaks"


def test_the_place_is_that_of_the_value_in_the_file() -> None:
    text = (
        "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n"
        '  metricsAggregator: |-\n    {\n      "enableMetricAggregation": false\n    }\n'
    )
    (finding,) = ksconfig.loads(text, label="kserve.yaml").doctor()
    assert str(finding.place) == "kserve.yaml:7:34"


def test_a_key_that_stands_twice_is_found() -> None:
    text = "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n  agent: '{}'\n  agent: '{}'\n"
    (finding, *_) = ksconfig.loads(text).doctor()
    assert (finding.severity, finding.code, finding.written_path) == ("breaks", "key-twice", "agent")
    assert "more than once" in finding.message


def test_a_manifest_that_is_not_yaml_is_a_finding() -> None:
    text = "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\n data: [\n"
    (finding,) = ksconfig.loads(text, label="kserve.yaml").doctor()
    assert (finding.severity, finding.code, finding.object) == ("breaks", "unreadable", None)
    assert str(finding.place).startswith("kserve.yaml:4:")


def test_objects_nested_deeper_than_python_goes_are_looked_at_all_the_same() -> None:
    deep = '{"a":' * 3000 + "1" + "}" * 3000
    text = f"kind: ConfigMap\nmetadata: {{name: inferenceservice-config}}\ndata:\n  logger: |-\n    {deep}\n"
    found = ksconfig.loads(text, kserve_version="0.16").doctor()
    assert any("logger.a" in finding.message for finding in found)


def test_what_breaks_comes_first() -> None:
    texts = texts_of(sound_config(7))
    texts["agent"] = texts["agent"].replace("{", '{"image": "a:1",', 1)
    texts["logger"] = "{"
    assert [finding.severity for finding in ksconfig.loads(manifest_of(texts)).doctor()] == ["breaks", "note"]


def test_nothing_to_check_is_an_error() -> None:
    with pytest.raises(ksconfig.ConfigNotFound, match="nothing was checked"):
        ksconfig.loads("kind: Namespace\n").doctor()


@pytest.mark.parametrize(
    ("minor", "key", "text"),
    [
        (7, "logger", '{"image": "a:1", "cpuRequest": "2", "cpuLimit": "1", "memoryRequest": "1e3", "memoryLimit": "1e3"}'),
        (5, "credentials", '{"s3": {"s3Region": true}}'),
        (20, "opentelemetryCollector", '{"scrapeInterval": "1d"}'),
        (20, "ingress", '{"ingressGateway": "a", "domainTemplate": "{{ with .Labels }}{{ .team }}.{{ end }}{{ .Name }}.x"}'),
        (20, "oauthProxy", "not JSON at all"),
        (20, "explainers", "{}"),
        (7, "agent", '{"Image": "kserve/agent:v0.7.0", "cpuRequest": "0", "cpuLimit": "0.5", "memoryRequest": "1", "memoryLimit": "1"}'),
    ],
)  # fmt: skip
def test_what_a_release_does_not_mind_breaks_nothing(minor: int, key: str, text: str) -> None:
    texts = {**texts_of(sound_config(minor)), key: text}
    assert [finding for finding in findings(texts, minor).values() if finding.severity == "breaks"] == []


@pytest.mark.parametrize(
    ("minor", "key", "text", "code", "path"),
    [
        (7, "predictors", '{"SKLearn": []}', "wrong-type", "predictors.SKLearn"),
        (7, "explainers", '{"Alibi": {"image": "KServe/X", "defaultImageVersion": "1"}}', "no-reference",
         "explainers.Alibi.image"),
        (20, "agent", '{"image": null}', "missing-field", "agent.image"),
        (20, "localModel", '{"jobTTLSecondsAfterFinished": 99999999999}', "wrong-type",
         "localModel.jobTTLSecondsAfterFinished"),
        (20, "ingress", '{"ingressGateway": "a", "ingressDomain": "b", "pathTemplate": "/{{ .Name | lower }}"}',
         "bad-value", "ingress.pathTemplate"),
    ],
)  # fmt: skip
def test_what_go_reads_in_its_own_way_is_found(minor: int, key: str, text: str, code: str, path: str) -> None:
    texts = {**texts_of(sound_config(minor)), key: text}
    assert findings(texts, minor)[code, path].severity == "breaks"


@pytest.mark.parametrize(
    "predictors",
    ['{"sklearn": {"image": 5}}', '{"sklearn": {"v1": {"allowedImageVersions": "x"}}}', '{"tensorflow": {"v1": 5}}'],
)
def test_a_type_in_a_field_that_the_release_does_not_have_is_a_note(predictors: str) -> None:
    texts = {**texts_of(sound_config(7)), "predictors": predictors}
    assert [one.severity for one in findings(texts, 7).values() if one.code == "wrong-type"] == ["note"]


def test_the_release_survives_a_missing_optional_key() -> None:
    texts = texts_of(sound_config(20))
    del texts["autoscaler"]
    texts = {key: text.replace("v0.20.0", "latest") for key, text in texts.items()}
    texts["storageInitializer"] = texts["storageInitializer"].replace("{", '{"ociModelMode": "native",', 1)
    assert findings({**texts, "deploy": '{"defaultDeploymentMode": "Standard"}'}) == {}


def test_a_text_that_is_no_yaml_hides_nothing_of_the_others() -> None:
    texts = texts_of(sound_config(7))
    texts["agent"] = "{"
    bad = "---\nkind: ClusterServingRuntime\nmetadata: {name: a}\nspec: [\n"
    found = ksconfig.loads(manifest_of(texts) + "\n" + bad, kserve_version="0.8").doctor()
    assert {one.code for one in found if one.severity == "breaks"} == {"unreadable", "broken-json"}


def test_a_text_that_two_keys_share_is_sound() -> None:
    text = (
        "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n"
        '  credentials: &c "{}"\n  transformers: *c\n'
    )
    assert ksconfig.loads(text).doctor() == ()
    with pytest.raises(ksconfig.Refused, match="alias"):
        ksconfig.loads(text).set("credentials.gcs", {}, allow_type_change=True)


def test_a_value_that_is_no_text_is_refused_by_the_api_server() -> None:
    text = "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n  deploy:\n    a: b\n"
    (finding,) = ksconfig.loads(text).doctor()
    assert (finding.code, finding.effect) == ("no-text", "the API server refuses the whole ConfigMap")
    assert 'Begin the value with "deploy: |-"' in finding.mend


def test_a_key_that_example_has_swallowed_is_named_at_its_line() -> None:
    texts = texts_of(sound_config(20))
    explainers = texts.pop("explainers")
    lines = ["kind: ConfigMap", "metadata: {name: inferenceservice-config}", "data:"]
    lines += ["  _example: |-", "    # deploy: |-", "    agent: |-", "      {", "      }"]
    lines += ["    explainers: |-", *(f"      {line}" for line in explainers.splitlines())]
    lines += [f"  {key}: {json.dumps(text)}" for key, text in texts.items()]
    (finding,) = ksconfig.loads("\n".join(lines), label="kserve.yaml").doctor()
    assert (finding.code, finding.message[:35]) == ("swallowed-key", "_example has swallowed the key expl")
    assert finding.place.line == 9


def test_a_broken_manifest_with_placeholders_of_kserve_is_no_template() -> None:
    text = "kind: ClusterServingRuntime\nmetadata:\n  name: a\nspec:\n  args:\n  - --model_name={{.Name}}\n bad: [\n"
    (finding,) = ksconfig.loads(text).doctor()
    assert "not YAML" in finding.message
    assert "template" not in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "kind: ClusterServingRuntime\nmetadata: {name: a}\nspec: 5\n",
        "kind: ClusterServingRuntime\nmetadata: {name: a}\nspec: {containers: [foo], supportedModelFormats: [x]}\n",
        "kind: ClusterServingRuntime\nmetadata: {name: a}\nspec: {containers: {}, supportedModelFormats: x}\n",
        "kind: ClusterServingRuntime\nmetadata: {name: a}\nspec: &s {containers: [*s]}\n",
        "kind: ClusterServingRuntime\nspec: {}\nmetadata: []\n",
        "kind: List\nitems: &a [{kind: List, items: *a}, {kind: ServingRuntime, metadata: {name: a}}]\n",
    ],
)
def test_nonsense_never_ends_in_an_internal_error(text: str) -> None:
    for release in ("0.8", "0.16", None):
        loaded = ksconfig.loads(text, kserve_version=release)
        for call in (loaded.doctor, loaded.images):
            with contextlib.suppress(ksconfig.Refused, ksconfig.NotFound):
                call()


def test_every_code_is_documented_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs/doctor.md").read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(code for row in rows for code in re.findall(r"`([a-z-]+)`", row)) == sorted(get_args(Code))
