"""The config inside a manifest text: found wherever it may stand, edited only where that is safe."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

import ksconfig
from ksconfig.text.yaml_documents import Document
from ksconfig.text.yaml_tree import YamlNode, read_document

META = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: inferenceservice-config\n"
AGENT = '{"image": "r/agent:v1"}'
CONFIG = META + f"data:\n  agent: '{AGENT}'\n"
BROKEN = "kind: Secret\ndata: [\n"  # no YAML, and no business of ours


def manifests(text: str, **options: str) -> ksconfig.Manifests:
    return ksconfig.loads(text, label="kserve.yaml", **options)


def after_new_tag(text: str, **options: str) -> str:
    loaded = manifests(text, **options)
    loaded.set_image("agent", ":v2")
    return loaded.text


def refusal(text: str, **options: str) -> ksconfig.KsconfigError:
    """Why the tag was not set; the text must have stayed."""
    loaded = manifests(text, **options)
    with pytest.raises(ksconfig.KsconfigError) as caught:
        loaded.set_image("agent", ":v2")
    assert loaded.text == text
    assert "agent was not changed" in str(caught.value)
    return caught.value


def test_what_cannot_be_read_is_read_once_and_refused_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counted(document: Document, label: str | None) -> YamlNode | None:
        read.append(document)
        return read_document(document, label)

    monkeypatch.setattr("ksconfig.source.manifest_text.read_document", counted)
    loaded = manifests(CONFIG + "  b: [\n")

    with pytest.raises(ksconfig.InvalidDocument, match=r"^agent was not changed: kserve\.yaml, line 8"):
        loaded.set_image("agent", ":v2")
    with pytest.raises(ksconfig.InvalidDocument, match=r"^agent\.image was not set: kserve\.yaml, line 8"):
        loaded.set("agent.image", "x")

    assert len(read) == 1


def codes(loaded: ksconfig.Manifests) -> list[str]:
    return [notice.code for notice in loaded.notices]


def indented(text: str, by: int) -> str:
    """As an item of a sequence."""
    lines = text.splitlines()
    return "\n".join(["- " + lines[0], *(" " * by + line for line in lines[1:])]) + "\n"


JSON = json.dumps({"kind": "ConfigMap", "metadata": {"name": "inferenceservice-config"}, "data": {"agent": AGENT}})
FOUND = {
    "alone": CONFIG,
    "without end of line": CONFIG.rstrip("\n"),
    "behind a marker": "---\n" + CONFIG,
    "behind a comment and a marker": "# KServe\n\n---\n" + CONFIG,
    "behind a directive": "%YAML 1.2\n---\n" + CONFIG,
    "before an end": CONFIG + "...\n",
    "among documents": f"kind: Namespace\n---\n{CONFIG}---\nkind: Service\n",
    "among documents that are no YAML": f"{BROKEN}---\n{CONFIG}---\n{BROKEN}",
    "beside documents that name it": f"kind: Role\nx: inferenceservice-config\n---\n{CONFIG}",
    "kind last": f"data:\n  agent: '{AGENT}'\nmetadata: {{name: inferenceservice-config}}\nkind: ConfigMap\n",
    "kind in quotes": CONFIG.replace("kind: ConfigMap", '"kind": "ConfigMap"  # here'),
    "List": "apiVersion: v1\nkind: List\nitems:\n- kind: Namespace\n" + indented(CONFIG, 2),
    "ConfigMapList": "apiVersion: v1\nkind: ConfigMapList\nitems:\n" + indented(CONFIG, 2),
    "JSON": json.dumps(json.loads(JSON), indent=2),
    "JSON on one line": JSON,
    "JSON List": json.dumps({"kind": "List", "items": [json.loads(JSON)]}, indent="\t"),
    "flow": f"{{kind: ConfigMap, metadata: {{name: inferenceservice-config}}, data: {{agent: '{AGENT}'}}}}\n",
    "literal": META + f"data:\n  agent: |-\n    {AGENT}\n",
    "literal with a final line feed": META + f"data:\n  agent: |\n    {AGENT}\n",
    "folded": META + f"data:\n  agent: >-\n    {AGENT}\n",
    "double quotes": META + f"data:\n  agent: {json.dumps(AGENT)}\n",
    "anchor that nobody uses": META + f"data: &data\n  agent: &agent '{AGENT}'\n",
    "alias elsewhere": CONFIG + "  logger: &x '{}'\n  batcher: *x\n",
    "CRLF": CONFIG.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + CONFIG,
    "Windows in full": "\ufeff" + CONFIG.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_the_config_is_found_and_only_the_tag_changes(text: str) -> None:
    assert after_new_tag(text) == text.replace("r/agent:v1", "r/agent:v2") != text


NOT_FOUND = {
    "nothing": "",
    "a comment": "# inferenceservice-config\n",
    "another name": CONFIG.replace("inferenceservice-config", "inferenceservice-config-2"),
    "another kind": CONFIG.replace("ConfigMap", "Secret"),
    "an empty List": "kind: List\nitems: []\n# inferenceservice-config\n",
    "inside a text": "kind: ConfigMap\nmetadata: {name: other}\ndata:\n  x: |\n    " + CONFIG.replace("\n", "\n    "),
}


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_is_not_the_config_is_not_taken_for_it(text: str) -> None:
    error = refusal(text)
    assert isinstance(error, ksconfig.ConfigNotFound)
    assert error.exit_code == 1


def test_a_comment_between_two_markers_is_no_obstacle() -> None:
    text = f"kind: Namespace\n---\n# Source: chart/templates/inferenceservice-config.yaml\n---\n{CONFIG}"
    assert after_new_tag(text) == text.replace("agent:v1", "agent:v2")


class TestSeveralConfigs:
    TEXT = "---\n".join(CONFIG.replace("\ndata:", f"\n  namespace: {name}\ndata:") for name in ("kserve", "kubeflow"))

    def test_are_all_named(self) -> None:
        error = refusal(self.TEXT)

        assert isinstance(error, ksconfig.Ambiguous)
        assert "configmap kserve/inferenceservice-config (kserve.yaml:1)" in str(error)
        assert "configmap kubeflow/inferenceservice-config (kserve.yaml:9)" in str(error)
        assert "-n kserve or -n kubeflow" in str(error)

    @pytest.mark.parametrize(("namespace", "first"), [("kserve", True), ("kubeflow", False)])
    def test_are_told_apart_by_namespace(self, namespace: str, first: bool) -> None:
        one, two = self.TEXT.split("---\n")
        new = (one if first else two).replace('v1"}', 'v2"}')
        assert after_new_tag(self.TEXT, namespace=namespace) == (f"{new}---\n{two}" if first else f"{one}---\n{new}")

    def test_in_other_namespaces_are_named(self) -> None:
        error = refusal(self.TEXT, namespace="default")
        assert isinstance(error, ksconfig.ConfigNotFound)
        assert "kserve, kubeflow" in str(error)

    def test_without_a_namespace_answers_to_any(self) -> None:
        assert "agent:v2" in after_new_tag(CONFIG, namespace="kserve")

    def test_of_the_same_namespace_stay_ambiguous(self) -> None:
        text = f"{CONFIG}---\n{CONFIG}"
        assert isinstance(refusal(text), ksconfig.Ambiguous)
        assert isinstance(refusal(text, namespace="kserve"), ksconfig.Ambiguous)


class TestTexts:
    """A key must hold one text of its own."""

    @pytest.mark.parametrize(
        "data",
        [
            f"data:\n  agent: &a '{AGENT}'\n  logger: *a\n",
            f"data:\n  logger: &a '{AGENT}'\n  agent: *a\n",
            f"x: &d\n  agent: '{AGENT}'\ndata: *d\n",
            f"data: &d\n  agent: '{AGENT}'\nx: *d\n",
        ],
    )
    def test_shared_through_an_alias_are_refused(self, data: str) -> None:
        error = refusal(META + data)
        assert isinstance(error, ksconfig.Refused)
        assert "YAML alias" in str(error)
        assert "Write the text out in both places" in str(error)

    def test_of_a_key_that_stands_there_twice_are_refused_with_both_places(self) -> None:
        error = refusal(CONFIG + "  logger: '{}'\n" + f"  agent: '{AGENT}'\n")
        assert isinstance(error, ksconfig.Ambiguous)
        assert "the key agent more than once" in str(error)
        assert "kserve.yaml, line 6, column 3 and kserve.yaml, line 8, column 3" in str(error)

    def test_of_a_data_that_stands_there_twice_are_refused_with_both_places(self) -> None:
        error = refusal(CONFIG + f"data:\n  agent: '{AGENT}'\n")
        assert isinstance(error, ksconfig.Ambiguous)
        assert "line 5, column 1 and kserve.yaml, line 7, column 1" in str(error)

    def test_of_another_key_that_stands_there_twice_are_no_obstacle(self) -> None:
        text = CONFIG + "  logger: '{}'\n  logger: '{}'\n"
        loaded = manifests(text)
        loaded.set_image("agent", ":v2")
        assert loaded.text == text.replace('v1"', 'v2"')
        assert codes(loaded) == ["broken-key"]

    @pytest.mark.parametrize(
        ("value", "what"),
        [
            ("{image: r/agent:v1}", "a YAML mapping"),
            ("\n    image: r/agent:v1", "a YAML mapping"),
            ("[1, 2]", "a YAML sequence"),
            ("7", "7 (int)"),
            ("true", "true (bool)"),
            ("null", "null (null)"),
            ("", "null (null)"),
        ],
    )
    def test_that_are_no_texts_are_refused(self, value: str, what: str) -> None:
        error = refusal(META + f"data:\n  agent: {value}\n")
        assert isinstance(error, ksconfig.InvalidDocument)
        assert f"agent is {what}, but the values of a ConfigMap are texts" in str(error)
        assert '"agent: |-"' in str(error)

    def test_of_predictors_given_as_yaml_are_refused_for_a_framework(self) -> None:
        loaded = manifests(META + "data:\n  predictors:\n    sklearn:\n      v1: {image: r/sk}\n")
        with pytest.raises(ksconfig.InvalidDocument, match="predictors is a YAML mapping"):
            loaded.set_image("sklearn", "r/sk:2")
        with pytest.raises(ksconfig.InvalidDocument, match="predictors is a YAML mapping"):
            loaded.set("predictors.sklearn.v1.image", "r/sk")


class TestTemplates:
    """Helm's own files are not edited, and are called what they are; KServe's templates are strings like any other."""

    @pytest.mark.parametrize(
        "text",
        [
            "{{- if .Values.enabled }}\n" + CONFIG + "{{- end }}\n",
            CONFIG + "  {{- with .Values.more }}\n  more: x\n  {{- end }}\n",
            CONFIG + "{% if more %}\n  more: x\n{% endif %}\n",
        ],
    )
    def test_around_the_config_are_named(self, text: str) -> None:
        error = refusal(text)
        assert isinstance(error, ksconfig.InvalidDocument)
        assert "this is a template (Helm or Jinja), not YAML yet" in str(error)
        assert "Edit the values that it is rendered from" in str(error)

    @pytest.mark.parametrize("value", ['{"image": {{ .Values.agent | quote }}}', "{{ .Values.agent | toJson }}"])
    def test_inside_a_key_are_named_with_their_place(self, value: str) -> None:
        error = refusal(META + f"data:\n  agent: |-\n    {value}\n")
        assert isinstance(error, ksconfig.InvalidDocument)
        assert "the text of agent is a template (Helm or Jinja)" in str(error)
        assert (error.line, error.column) == (7, 5 + value.index("{{"))

    def test_in_other_files_of_the_chart_do_not_matter(self) -> None:
        text = "kind: Deployment\nx: {{ .Values.x }}\n---\n" + CONFIG
        assert after_new_tag(text) == text.replace("agent:v1", "agent:v2")

    def test_of_kserve_are_ordinary_strings(self) -> None:
        text = CONFIG + """  ingress: '{"domainTemplate": "{{ .Name }}.{{ .IngressDomain }}"}'\n"""
        loaded = manifests(text)
        loaded.set_image("agent", ":v2")
        loaded.set("ingress.domainTemplate", "{{ .Name }}-{{ .Namespace }}")
        assert loaded.get("ingress.domainTemplate") == "{{ .Name }}-{{ .Namespace }}"
        assert loaded.text.replace("-{{ .Namespace }}", ".{{ .IngressDomain }}").replace("v2", "v1") == text


class TestNotices:
    def test_an_immutable_config_is_edited_with_a_remark(self) -> None:
        loaded = manifests(CONFIG + "immutable: true\n")
        loaded.set_image("agent", ":v2")
        assert ["immutable" in notice.message for notice in loaded.notices] == [True]

    def test_binary_data_is_left_with_a_remark(self) -> None:
        loaded = manifests(CONFIG + "binaryData:\n  x: eA==\n")
        loaded.set_image("agent", ":v2")
        assert ["binaryData" in notice.message for notice in loaded.notices] == [True]

    @pytest.mark.parametrize("more", ["", "immutable: false\n"])
    def test_an_ordinary_config_has_none(self, more: str) -> None:
        loaded = manifests(CONFIG + more)
        loaded.set_image("agent", ":v2")
        assert loaded.notices == ()


class TestBrokenJson:
    NEIGHBOUR = CONFIG + '  logger: |-\n    {\n        "image": "x",\n    }\n'

    def test_beside_is_no_obstacle_and_no_secret(self) -> None:
        loaded = manifests(self.NEIGHBOUR)
        loaded.set_image("agent", ":v2")

        assert loaded.text == self.NEIGHBOUR.replace("agent:v1", "agent:v2")
        (notice,) = loaded.notices
        assert notice.code == "broken-key"
        assert "the key logger beside it is broken" in notice.message
        assert "kserve.yaml, key logger, line 9, column 21" in notice.message

    @pytest.mark.parametrize(
        ("value", "line", "column", "seen"),
        [
            ('|-\n    {\n      "image": "r/agent:v1",\n    }', 8, 28, '      "image": "r/agent:v1",'),
            ('|-\n\n    {"image" "r/agent:v1"}', 8, 13, '    {"image" "r/agent:v1"}'),
            ('\'{"image": "r/agent:v1"\'', 6, 33, '  agent: \'{"image": "r/agent:v1"\''),
            ('"{\\"image\\": nil}"', 6, 23, '  agent: "{\\"image\\": nil}"'),
            ('|-\n    {"image": "r/agent:v1"} // new', 7, 29, '    {"image": "r/agent:v1"} // new'),
        ],
    )
    @pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
    def test_of_the_edited_key_is_shown_where_it_stands_in_the_file(
        self, value: str, line: int, column: int, seen: str, newline: str
    ) -> None:
        before = "kind: Namespace\n---\n"
        text = f"{before}{META}data:\n  agent: {value}\n".replace("\n", newline)

        error = refusal(text)

        assert isinstance(error, ksconfig.InvalidDocument)
        assert (error.line, error.column) == (line + before.count("\n"), column)
        assert error.label == "kserve.yaml, key agent"
        shown, caret = (error.picture or "").split("\n")
        assert shown == f"  {error.line} | {seen}"
        assert caret.index("^") == shown.index(seen) + column - 1
        assert error.exit_code == 3

    def test_of_the_edited_key_can_have_duplicate_names_in_any_case(self) -> None:
        error = refusal(META + 'data:\n  agent: |-\n    {"image": "r/a:1",\n     "IMAGE": "r/a:2"}\n')
        assert isinstance(error, ksconfig.Ambiguous)
        assert '"image" at line 7, column 6 and "IMAGE" at line 8, column 6' in str(error)


class TestNewKey:
    """A key that ``data`` lacks is added on request, in the form of its neighbours."""

    ROUTER = '  router: |-\n    {\n        "image": "r/router:1"\n    }\n'

    @staticmethod
    def added(text: str) -> str:
        loaded = manifests(text)
        change = loaded.set("router.image", "r/router:1", allow="new-key")
        assert change.path == ("router",)
        assert change.before is ksconfig.ABSENT
        assert loaded.get("router.image") == "r/router:1"
        return loaded.text

    def test_needs_leave(self) -> None:
        loaded = manifests(CONFIG)
        with pytest.raises(ksconfig.Refused, match="has no key router") as caught:
            loaded.set("router.image", "r/router:1")
        assert caught.value.allow == "new-key"
        assert loaded.text == CONFIG

    def test_goes_to_its_place_where_keys_are_in_order(self) -> None:
        rest = "  storageInitializer: '{}'\n"
        assert self.added(CONFIG + rest) == CONFIG + self.ROUTER + rest

    def test_goes_last_where_keys_are_in_no_order(self) -> None:
        head = META + "data:\n"
        rest = f"  logger: '{{}}'\n  agent: '{AGENT}'\n"
        assert self.added(head + rest) == head + rest + self.ROUTER

    def test_goes_last_where_keys_are_in_order_and_it_is_the_last(self) -> None:
        assert self.added(CONFIG) == CONFIG + self.ROUTER

    def test_does_not_part_a_comment_from_its_key(self) -> None:
        rest = "  # about storage\n  storageInitializer: '{}'\n"
        assert self.added(CONFIG + rest) == CONFIG + self.ROUTER + rest

    def test_has_the_line_ends_of_the_file(self) -> None:
        rest = "  storageInitializer: '{}'\n"
        expected = (CONFIG + self.ROUTER + rest).replace("\n", "\r\n")
        assert self.added((CONFIG + rest).replace("\n", "\r\n")) == expected

    def test_has_the_indentation_of_its_neighbours(self) -> None:
        config = CONFIG + "  storageInitializer: '{}'\n"
        text = self.added("kind: List\nitems:\n" + indented(config, 2))
        assert text == "kind: List\nitems:\n" + indented(CONFIG + self.ROUTER + "  storageInitializer: '{}'\n", 2)

    @pytest.mark.parametrize(
        "text",
        [
            META + f"data: {{agent: '{AGENT}'}}\n",
            META + "data: {}\n",
            META + "data: {\n}\n",
            JSON,
        ],
    )
    def test_can_be_added_to_a_flow_mapping(self, text: str) -> None:
        before = YAML(typ="safe").load(text)["data"]
        after = YAML(typ="safe").load(self.added(text))["data"]
        assert json.loads(after.pop("router")) == {"image": "r/router:1"}
        assert after == before

    @pytest.mark.parametrize("text", [META, META + "data:\n", META + "data: null\n"])
    def test_cannot_be_added_where_there_is_no_data(self, text: str) -> None:
        loaded = manifests(text)
        with pytest.raises(ksconfig.UnsupportedEdit, match="no data to put a new key in"):
            loaded.set("router.image", "r/router:1", allow="new-key")
        assert loaded.text == text

    def test_can_hold_more_than_one_value(self) -> None:
        loaded = manifests(CONFIG)
        loaded.set("router.image", "r/router:1", allow="new-key")
        loaded.set("router.cpuLimit", "1")
        loaded.set("localModel.enabled", False, allow="new-key")
        assert loaded.get("router.cpuLimit") == "1"
        assert loaded.get("localModel.enabled") is False
        assert loaded.get("agent.image") == "r/agent:v1"
