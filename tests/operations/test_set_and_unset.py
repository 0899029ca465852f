"""`set` and `unset` through the library: what they refuse, what they only say, and what they leave alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

import ksconfig
from ksconfig.operations import Typed
from ksconfig.text.json_write import RawJson

HEAD = "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n"
INGRESS = '{"ingressGateway": "a/b", "ingressService": "c"}'


def manifests(version: str = "0.16", **keys: str) -> ksconfig.Manifests:
    """A config with these keys, of a release."""
    text = HEAD + "".join(f"  {key}: |-\n    {value}\n" for key, value in keys.items())
    return ksconfig.loads(text, kserve_version=version)


def codes(loaded: ksconfig.Manifests) -> list[str]:
    """The codes of all warnings."""
    return [notice.code for notice in loaded.notices]


@pytest.mark.parametrize(
    ("version", "path", "value", "reason"),
    [
        ("0.7", "deploy.defaultDeploymentMode", "Bogus", "not one of"),
        ("0.16", "deploy.defaultDeploymentMode", ["a"], "must be a JSON string"),
        ("0.16", "deploy.deploymentRolloutStrategy", "x", "must be a JSON object"),
        ("0.16", "deploy.deploymentRolloutStrategy.defaultRollout", "x", "must be a JSON object"),
        ("0.16", "deploy.DefaultDeploymentMode", "Bogus", "differs from"),
        ("0.16", "ingress.additionalIngressDomains", [1], r"additionalIngressDomains\[0\] must be a JSON string"),
        ("0.16", "ingress.enableGatewayApi", True, "kserveIngressGateway is required"),
        ("0.16", "ingress.ingressGateway", "", "ingressGateway is required"),
        ("0.12", "ingress", {"ingressGateway": "a/b"}, "ingressService is required"),
    ],
)
def test_what_the_controller_would_not_start_with_is_refused(version: str, path: str, value: Any, reason: str) -> None:
    loaded = manifests(version, deploy='{"defaultDeploymentMode": "Serverless"}', ingress=INGRESS)
    before = loaded.text
    with pytest.raises(ksconfig.Refused, match=reason):
        loaded.set(path, value, allow_type_change=True)
    assert loaded.text == before


@pytest.mark.parametrize(
    ("version", "path", "value"),
    [
        ("0.16", "ingress.ofTheFuture", 5),  # Go ignores fields that its struct does not have
        ("0.10", "ingress.enableGatewayApi", True),  # nor did 0.10 have this one
        ("0.9", "ingress.ingressGateway", ""),  # read at the start from 0.10 on
        ("0.16", "agent.ofTheFuture", {"any": [1]}),
    ],
)
def test_what_the_release_does_not_look_at_is_not_refused(version: str, path: str, value: Any) -> None:
    loaded = manifests(version, ingress=INGRESS, agent='{"image": "a:1"}')
    assert loaded.set(path, value).changed
    assert loaded.get(path) == value


def test_a_fault_that_was_there_before_does_not_stop_another_edit() -> None:
    loaded = manifests(deploy='{"defaultDeploymentMode": ["a"]}', agent='{"image": "a:1"}')
    assert loaded.set_image("agent", ":2")


@pytest.mark.parametrize(
    ("before", "value"),
    [
        ("[1]", [True]),
        ("[1]", ["1"]),
        ("1.0", RawJson("1.00000000000000000001")),
        ("[1e400]", RawJson("[1e500]")),
        ("1", 1.0),
    ],
)
def test_values_that_only_look_alike_are_changes(before: str, value: Any) -> None:
    loaded = manifests(agent=f'{{"x": {before}}}')
    text = loaded.text
    assert loaded.set("agent.x", value, allow_type_change=True).changed
    assert loaded.text != text


@pytest.mark.parametrize(
    ("before", "value"), [("1.0", RawJson("1.00")), ('{"a": 1, "b": 2}', {"b": 2, "a": 1}), ('"\\u0061"', "a")]
)
def test_a_value_that_means_the_same_is_left_as_it_is_written(before: str, value: Any) -> None:
    loaded = manifests(agent=f'{{"x": {before}}}')
    text = loaded.text
    assert not loaded.set("agent.x", value).changed
    assert (loaded.text, loaded.diff()) == (text, "")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("agent", RawJson('{"image": "a:1", "IMAGE": "b:1"}'), "takes for one another"),
        ("agent.image", "x", "template"),
        ("agent", {"image": "x"}, "template"),
        ("agent.cpuLimit", "a\udcffb", "no character"),
        ("agent.cpuLimit", float("nan"), "no JSON number"),
        pytest.param("agent.cpuLimit", 10**5000, "cannot be written", id="too many digits"),
        ("_example.x", "y", "never edited"),
    ],
)
def test_what_cannot_be_meant_is_refused(path: str, value: Any, reason: str) -> None:
    loaded = manifests(agent='{"image": "{{ .Values.image }}", "cpuLimit": "1"}', _example='{"x": 1}')
    before = loaded.text
    with pytest.raises(ksconfig.KsconfigError, match=reason):
        loaded.set(path, value, allow_type_change=True)
    assert loaded.text == before


def test_a_null_that_is_there_already_is_no_change_though_a_string_belongs_there() -> None:
    assert not manifests(agent='{"image": null}').set("agent.image", None).changed


@pytest.mark.parametrize("path", ["agent", "router.x"], ids=["a key that is there", "a new key"])
@pytest.mark.parametrize("value", [RawJson('{"a": 1, "a": 2}'), {"a": 1, "A": 2}, [{"b": {"a": 1, "A": 2}}]], ids=str)
def test_names_that_kserve_takes_for_one_another_are_never_written(path: str, value: Any) -> None:
    loaded = manifests(agent="{}")
    before = loaded.text
    with pytest.raises(ksconfig.Refused, match="takes for one another"):
        loaded.set(path, value, allow_type_change=True, allow=("new-key",))
    assert loaded.text == before


def test_json_that_a_new_key_gains_is_told_as_what_it_means() -> None:
    loaded = manifests(agent="{}")
    change = loaded.set("router.image", RawJson('"\\u0041\\/b"'), allow=("new-key",))
    assert (change.path, change.after) == (("router",), {"image": "A/b"})
    assert '"image": "\\u0041\\/b"' in loaded.text


def test_a_template_that_is_there_already_is_no_change() -> None:
    loaded = manifests(agent='{"image": "x:1"}')
    assert loaded.set("agent.image", "{{ .Name }}").changed
    assert not loaded.set("agent.image", "{{ .Name }}").changed


def test_a_template_far_down_in_the_value_is_refused_with_its_place() -> None:
    deep = 5000
    loaded = manifests(agent='{"a": ' + "[" * deep + '{"b": "{{ .x }}"}' + "]" * deep + "}")
    with pytest.raises(ksconfig.Refused, match=r"agent\.a\[0\]\[0\].*\[0\]\.b is a template"):
        loaded.set("agent.a", 1, allow_type_change=True)


def test_kserves_own_templates_are_ordinary_values() -> None:
    loaded = manifests(ingress='{"ingressGateway": "a/b", "domainTemplate": "{{ .Name }}.x"}')
    assert loaded.set("ingress.domainTemplate", "{{ .Name }}-{{ .Namespace }}.y").changed


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("localModel.fsGroup", "7", 7),
        ("localModel.enabled", "true", True),
        ("localModel.jobNamespace", "true", "true"),
        ("localModel.unknown", "7", "7"),
    ],
)
def test_a_typed_text_takes_the_type_that_kserve_requires(path: str, text: str, value: Any) -> None:
    loaded = manifests(localModel="{}")
    loaded.set(path, Typed(text))
    assert loaded.get(path) == value
    assert type(loaded.get(path)) is type(value)


def test_a_value_of_the_right_json_type_is_written_and_what_kserve_makes_of_it_is_said() -> None:
    loaded = manifests("0.7", localModel="{}", predictors='{"tensorflow": {"image": "a/b", "defaultTimeout": "60"}}')
    loaded.set("localModel.fsGroup", 1.5)
    loaded.set("predictors.tensorflow.defaultTimeout", "soon")
    loaded.set("predictors.tensorflow.defaultImageVersion", "2-gpu")
    loaded.set("predictors.tensorflow.image", "a/b:1")
    assert codes(loaded) == ["wrong-type", "wrong-type", "gpu-rule", "no-reference"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Agent.image", "only in case"),
        ("/a: b/c", "cannot be a key"),
        ("/sp ace/c", "cannot be a key"),
        ("new[5]", "begins with"),
    ],
)
def test_a_new_key_is_one_that_a_config_can_have(path: str, reason: str) -> None:
    loaded = manifests(agent='{"image": "a:1"}')
    with pytest.raises(ksconfig.KsconfigError, match=reason):
        loaded.set(path, "x", allow="new-key")


def test_a_new_key_that_yaml_takes_for_something_else_is_quoted() -> None:
    loaded = manifests(agent='{"image": "a:1"}')
    loaded.set(("true", "c"), "x", allow="new-key")
    assert loaded.get(("true", "c")) == "x"
    assert '  "true": |-\n' in loaded.text


def test_a_plan_from_another_text_is_a_conflict() -> None:
    loaded = manifests(agent='{"image": "a:1"}')
    plan = loaded.plan_set("agent.image", "b:1")
    loaded.set("agent.image", "c:1")
    with pytest.raises(ksconfig.Conflict):
        loaded.apply(plan)
    assert loaded.get("agent.image") == "c:1"
    other = ksconfig.loads(HEAD.replace("metadata:", "metadata:\n  namespace: x") + '  agent: \'{"image": "a:1"}\'\n')
    with pytest.raises(ksconfig.Conflict, match="not in these files"):
        other.apply(plan)


def test_an_unknown_override_is_an_error() -> None:
    with pytest.raises(ksconfig.UsageError, match='no "everything" to allow'):
        manifests(agent="{}").set("agent.x", 1, allow=["everything"])


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("kind: ConfigMap\nkind: Secret\nmetadata:\n  name: inferenceservice-config\n", "kind more than once"),
        (
            "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\nmetadata:\n  name: x\n",
            "metadata more than once",
        ),
        ("kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\n  name: x\n", "name more than once"),
        ("x: &x {a: '{}'}\nkind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata:\n  <<: *x\n", "merge"),
        (
            "kind: ConfigMap\nmetadata:\n  name: inferenceservice-config\ndata: !!str\n",
            "data is a mapping, and its tag",
        ),
    ],
)
def test_an_object_that_readers_disagree_on_is_refused(head: str, reason: str) -> None:
    rest = "" if "data:" in head else "data:\n"
    with pytest.raises(ksconfig.Refused, match=reason):
        ksconfig.loads(f'{head}{rest}  agent: \'{{"image": "a:1"}}\'\n').set_image("agent", ":2")


def test_keys_may_stand_behind_question_marks() -> None:
    loaded = ksconfig.loads(HEAD + '  ? agent\n  : |\n    {"image": "a:1"}\n')
    loaded.set_image("agent", ":2")
    assert loaded.text == HEAD + '  ? agent\n  : |\n    {"image": "a:2"}\n'


def test_a_series_of_edits_is_one_diff() -> None:
    loaded = manifests(agent='{"image": "a:1"}', router='{"image": "r:1"}')
    loaded.set_image({"agent": ":2", "router": ":2"})
    loaded.set_image("router", ":1")
    assert loaded.diff().count("\n+") == 2  # the header, and the agent's line
    assert json.loads(loaded.get("agent.image") and '"a:2"') == loaded.get("agent.image")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/ingress/additionalIngressDomains/0", 0),
        (("ingress", "additionalIngressDomains", "0"), 0),
        ("ingress.additionalIngressDomains[0]", 0),
        ("/ingress/additionalIngressDomains/-", 1),
        ("/ingress/additionalIngressDomains/1", 1),
    ],
)
def test_a_change_names_its_place_in_one_way_however_it_was_asked_for(path: Any, place: int) -> None:
    loaded = manifests(ingress=INGRESS[:-1] + ', "additionalIngressDomains": ["a.b"]}')

    change = loaded.set(path, "c.d")

    assert change.path == ("ingress", "additionalIngressDomains", place)


@pytest.mark.parametrize("path", ["agent.Image", "Agent.image", "Agent.x.y"])
def test_unset_refuses_a_name_that_is_there_in_another_case(path: str) -> None:
    with pytest.raises(ksconfig.Refused, match="only in case"):
        manifests(agent='{"image": "r/a:1"}').unset(path)


@pytest.mark.parametrize("within", ["runtime", "CONFIG", ""])
def test_a_framework_is_changed_within_the_config_or_the_runtimes_and_nothing_else(within: Any) -> None:
    with pytest.raises(ksconfig.UsageError, match="within is"):
        manifests().set_image("sklearn", ":v9", within=within)


def test_a_release_is_a_string() -> None:
    with pytest.raises(ksconfig.UsageError, match=r"kserve_version is 0\.16, and must be a string"):
        manifests(0.16).get("agent.image")  # type: ignore[arg-type]
