"""The image of a serving runtime inside a manifest text: edited in whatever style it stands, or refused, byte for byte."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

import ksconfig

HEAD = """\
apiVersion: serving.kserve.io/v1alpha1
kind: ClusterServingRuntime
metadata:
  name: ours
spec:
  supportedModelFormats: [{name: sklearn, autoSelect: true}]
  containers:
"""
CONTAINER = "  - name: kserve-container\n    image: r/old:v1\n    args: [--workers, '2']\n"
RUNTIME = HEAD + CONTAINER
NEW = "registry.example:5000/team/new:1.2"
DIGEST = "registry.example:5000/team/new@sha256:" + "0123456789abcdef" * 4
CONFIG = 'kind: ConfigMap\nmetadata: {name: inferenceservice-config}\ndata:\n  agent: \'{"image": "r/agent:v1"}\'\n'
BROKEN = "kind: Secret\ndata: [\n"  # no YAML, and no business of ours


def manifests(text: str, release: str = "0.16") -> ksconfig.Manifests:
    return ksconfig.loads(text, label="runtimes.yaml", kserve_version=release)


def after(text: str, image: str, target: str = "runtime/ours", release: str = "0.16") -> str:
    loaded = manifests(text, release)
    loaded.set_image(target, image)
    return loaded.to_bytes().decode()


def refusal(text: str, image: str = NEW, target: str = "runtime/ours") -> ksconfig.KsconfigError:
    """Why the image was not set; the text must have stayed."""
    loaded = manifests(text)
    with pytest.raises(ksconfig.KsconfigError) as caught:
        loaded.set_image(target, image)
    assert loaded.text == text
    assert loaded.diff() == ""
    assert f"{target} was not changed" in str(caught.value)
    return caught.value


def with_image(lines: str) -> str:
    """The runtime with its image written so."""
    return RUNTIME.replace("image: r/old:v1", lines)


def indented(text: str, by: int = 2) -> str:
    """As an item of a sequence."""
    lines = text.splitlines()
    return "\n".join(["- " + lines[0], *(" " * by + line for line in lines[1:])]) + "\n"


OBJECT = {
    "kind": "ClusterServingRuntime",
    "metadata": {"name": "ours"},
    "spec": {"containers": [{"name": "kserve-container", "image": "r/old:v1"}]},
}
FLOW = "{kind: ClusterServingRuntime, metadata: {name: ours}, spec: {containers: [{name: kserve-container, image: r/old:v1}]}}\n"
STYLES = {
    "plain": RUNTIME,
    "plain before a comment": with_image("image: r/old:v1  # pinned by us"),
    "plain on a line of its own": with_image("image:\n      r/old:v1"),
    "plain before spaces": with_image("image: r/old:v1   "),
    "single quotes": with_image("image: 'r/old:v1'"),
    "single quotes before a comment": with_image("image: 'r/old:v1' # it's ours"),
    "double quotes": with_image('image: "r/old:v1"'),
    "double quotes before a comment": with_image('image: "r/old:v1"# no comment to us'),
    "literal": with_image("image: |-\n      r/old:v1"),
    "literal with a comment": with_image("image: |-  # a block\n      r/old:v1"),
    "literal with an indentation": with_image("image: |2-\n      r/old:v1"),
    "folded": with_image("image: >-\n      r/old:v1"),
    "with an anchor": with_image("image: &image r/old:v1"),
    "with a tag": with_image("image: !!str r/old:v1"),
    "quoted key": with_image('"image": r/old:v1'),
    "key with a question mark": with_image("? image\n    : r/old:v1"),
    "key far from its colon": with_image("image   :   r/old:v1"),
    "first in the container": HEAD + "  - image: r/old:v1\n    name: kserve-container\n",
    "last in the text": HEAD + "  - name: kserve-container\n    image: r/old:v1",
    "indented containers": HEAD + "    - name: kserve-container\n      image: r/old:v1\n",
    "container in flow style": HEAD + "  - {name: kserve-container, image: r/old:v1}\n",
    "container in flow style, no space": HEAD + '  - {"name":"kserve-container","image":"r/old:v1"}\n',
    "containers in flow style": HEAD.rstrip("\n") + " [{image: r/old:v1, name: kserve-container}]\n",
    "containers in flow style on several lines": HEAD.rstrip("\n")
    + " [\n    {\n      image: 'r/old:v1',\n      name: kserve-container,\n    },\n  ]\n",
    "object in flow style": FLOW,
    "JSON": json.dumps(OBJECT, indent=2),
    "JSON on one line": json.dumps(OBJECT),
    "JSON with tabs": json.dumps(OBJECT, indent="\t") + "\n",
    "behind a marker": "---\n" + RUNTIME,
    "before an end": RUNTIME + "...\n",
    "among documents": f"kind: Namespace\n---\n{RUNTIME}---\nkind: Service\n",
    "among documents that are no YAML": f"{BROKEN}---\n{RUNTIME}---\n{BROKEN}",
    "kind last": "metadata: {name: ours}\nspec:\n  containers:\n" + CONTAINER + "kind: ClusterServingRuntime\n",
    "kind in quotes": RUNTIME.replace("kind: Cluster", "kind: 'Cluster").replace("Runtime\n", "Runtime'\n", 1),
    "List": "apiVersion: v1\nkind: List\nitems:\n- kind: Namespace\n" + indented(RUNTIME),
    "List of its own": "kind: ClusterServingRuntimeList\nitems:\n" + indented(RUNTIME),
    "JSON List": json.dumps({"kind": "List", "items": [{"kind": "Namespace"}, OBJECT]}, indent=4),
    "its name elsewhere too": RUNTIME + "  labels: {image: r/old, tag: v1}\n  # r/old\n",
}
LINE_ENDS = {
    "LF": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "byte order mark": lambda text: "\ufeff" + text,
    "Windows in full": lambda text: "\ufeff" + text.replace("\n", "\r\n"),
}


class TestStyles:
    """Nothing but the characters of the image changes, however it is written."""

    @pytest.mark.parametrize("ends", LINE_ENDS)
    @pytest.mark.parametrize("style", STYLES)
    @pytest.mark.parametrize(
        ("image", "written"),
        [
            (NEW, NEW),
            (DIGEST, DIGEST),
            (":v2", "r/old:v2"),
            ("registry.example/team/new", "registry.example/team/new:v1"),
        ],
        ids=["repository and tag", "digest", "tag", "repository"],
    )
    def test_keep_all_other_bytes(self, style: str, ends: str, image: str, written: str) -> None:
        text = LINE_ENDS[ends](STYLES[style])
        assert text.count("r/old:v1") == 1
        assert after(text, image) == text.replace("r/old:v1", written)

    @pytest.mark.parametrize("style", STYLES)
    def test_that_hold_the_image_already_stay(self, style: str) -> None:
        loaded = manifests(STYLES[style])
        assert loaded.set_image("runtime/ours", "r/old:v1") == ()
        assert loaded.set_image("runtime/ours", ":v1") == ()
        assert loaded.text == STYLES[style]

    @pytest.mark.parametrize("style", STYLES)
    def test_are_read(self, style: str) -> None:
        (image,) = manifests(STYLES[style]).images()
        assert (image.name, image.image) == ("runtime/ours", "r/old:v1")

    def test_may_use_escapes(self) -> None:
        image = '"r\\x2fold\\u003av1"'
        before, behind = with_image(f"image: {image}").split(image)
        edited = after(f"{before}{image}{behind}", ":v2")
        assert edited.startswith(f'{before}"')
        assert edited.endswith(f'"{behind}')
        assert YAML(typ="safe").load(edited)["spec"]["containers"][0]["image"] == "r/old:v2"

    @pytest.mark.parametrize("block", ["|", ">", "|+"])
    def test_that_end_with_a_line_feed_are_refused_among_other_lines(self, block: str) -> None:
        error = refusal(with_image(f"image: {block}\n      r/old:v1"))
        assert error.exit_code == 3

    @pytest.mark.parametrize("block", ["|", ">"])
    def test_that_are_refused_are_named_by_their_place(self, block: str) -> None:
        text = with_image(f"image: {block}\n      r/old:v1")
        line = text[: text.index("image: ")].count("\n") + 1
        assert f"runtimes.yaml:{line + 1}:7: " in str(refusal(text))

    @pytest.mark.parametrize("block", ["|", ">"])
    def test_that_end_with_a_line_feed_keep_it_at_the_end_of_the_text(self, block: str) -> None:
        text = HEAD + f"  - name: kserve-container\n    image: {block}\n      r/old:v1\n"
        loaded = manifests(text)
        try:
            loaded.set_image("runtime/ours", NEW)
        except ksconfig.Refused:
            assert loaded.text == text
        else:
            assert loaded.text == text.replace("r/old:v1", NEW)


class TestRefusals:
    """What cannot be edited alone, or for sure, is named; nothing is written."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            pytest.param(
                "x: &image r/old:v1\n" + with_image("image: *image"), "through a YAML alias", id="alias of an anchor"
            ),
            pytest.param(
                with_image("image: &image r/old:v1\n    command: [*image]"), "through a YAML alias", id="anchor in use"
            ),
            pytest.param(
                HEAD + "  - &one\n    name: kserve-container\n    image: r/old:v1\n  - *one\n",
                "through a YAML alias",
                id="container in use twice",
            ),
            pytest.param(
                "x: &base {image: r/old:v1}\n" + HEAD + "  - name: kserve-container\n    <<: *base\n",
                "through a YAML merge",
                id="image through a merge",
            ),
            pytest.param(
                "x: &base {args: []}\n" + RUNTIME + "    <<: *base\n", "through a YAML merge", id="merge beside the image"
            ),
            pytest.param(
                "x: &base {volumes: []}\n" + RUNTIME + "  <<: *base\n", "through a YAML merge", id="merge into the spec"
            ),
            pytest.param(RUNTIME + "    image: r/other:v1\n", "the key image more than once", id="image twice"),
            pytest.param(RUNTIME + "  containers:\n" + CONTAINER, "spec holds the key containers more than once", id="containers twice"),
            pytest.param(RUNTIME + "spec: {containers: [{name: kserve-container, image: r/x:1}]}\n", "the key spec more than once", id="spec twice"),
            pytest.param(RUNTIME + "metadata: {name: b}\n", "metadata more than once", id="metadata twice"),
            pytest.param(RUNTIME.replace("  name: ours\n", "  name: ours\n  name: b\n"), "name more", id="name twice"),
            pytest.param(RUNTIME.replace("    image: r/old:v1\n", ""), "has no image at spec.containers[0]", id="no image"),
            pytest.param(with_image("image:"), "has no image at spec.containers[0]", id="null"),
            pytest.param(with_image("image: 1.2"), "", id="number"),
            pytest.param(with_image("image: true"), "", id="boolean"),
            pytest.param(with_image("image: [r/old:v1]"), "", id="sequence"),
            pytest.param(with_image("image: {name: r/old}"), "", id="mapping"),
            pytest.param(HEAD + "  - name: other\n    image: r/old:v1\n", "no container named", id="other container"),
            pytest.param(HEAD.replace("containers:\n", "nodeSelector: {}\n"), "no containers here", id="no containers"),
            pytest.param(with_image("image: '{{ .Values.image }}:v1'"), "template", id="template"),
            pytest.param(with_image("image: 'r/{{ .Values.name }}:v1'"), "template", id="template inside"),
            pytest.param(with_image("image: {{ .Values.image }}"), "", id="template without quotes"),
            pytest.param(with_image("{{- if .x }}\n    image: r/old:v1\n    {{- end }}"), "template", id="block of a template"),
            pytest.param(RUNTIME + "  bad: [\n", "not YAML", id="no YAML"),
        ],
    )  # fmt: skip
    def test_leave_the_text(self, text: str, said: str) -> None:
        error = refusal(text)
        assert isinstance(error, ksconfig.Refused)
        assert error.exit_code == 3
        assert said in str(error)

    @pytest.mark.parametrize("more", ["  containers: []\n", "spec: {}\n", "    image:\n"])
    def test_name_both_of_a_key_even_if_the_last_is_empty(self, more: str) -> None:
        assert "more than once" in str(refusal(RUNTIME + more))

    def test_name_file_and_line(self) -> None:
        assert "runtimes.yaml, line 9, column 5 and runtimes.yaml, line 11" in str(
            refusal(RUNTIME + "    image: r/other:v1\n")
        )
        assert "runtimes.yaml, line 11, column 3" in str(
            refusal("x: &base {}\n" + RUNTIME.replace("    args: [--workers, '2']\n", "  <<: *base\n"))
        )

    def test_half_an_image_of_what_is_none_is_refused(self) -> None:
        for text in (with_image("image: '{{ .Values.image }}:v1'"), with_image("image: 'r/Old:v1'")):
            assert isinstance(refusal(text, ":v2"), ksconfig.Refused)

    def test_a_whole_image_may_take_the_place_of_what_is_none(self) -> None:
        text = with_image("image: 'R/Old:v1'")
        assert after(text, NEW) == text.replace("R/Old:v1", NEW)

    def test_duplicates_elsewhere_are_no_obstacle(self) -> None:
        text = RUNTIME + "  hostIPC: false\n  hostIPC: true\n"
        assert after(text, NEW) == text.replace("r/old:v1", NEW)

    def test_aliases_elsewhere_are_no_obstacle(self) -> None:
        text = RUNTIME + "    resources: {limits: &all {cpu: 1}, requests: *all}\n"
        assert after(text, NEW) == text.replace("r/old:v1", NEW)


class TestServingContainer:
    """Facts 4.4: of several containers the first to 0.10, the one with the fixed name from 0.11 on."""

    TEXT = HEAD + "  - name: proxy\n    image: r/proxy:v1\n" + CONTAINER

    @pytest.mark.parametrize("release", ["0.8", "0.9", "0.10"])
    def test_is_the_first(self, release: str) -> None:
        assert after(self.TEXT, ":v2", release=release) == self.TEXT.replace("proxy:v1", "proxy:v2")

    @pytest.mark.parametrize("release", ["0.11", "0.16", "0.20"])
    def test_is_the_one_with_the_fixed_name(self, release: str) -> None:
        assert after(self.TEXT, ":v2", release=release) == self.TEXT.replace("old:v1", "old:v2")

    def test_is_not_a_container_of_the_workers(self) -> None:
        text = RUNTIME + "  workerSpec:\n    containers:\n    - name: worker-container\n      image: r/old:v1\n"
        assert after(text, ":v2") == text.replace("old:v1", "old:v2", 1)


A, B = RUNTIME.replace("ours", "a"), RUNTIME.replace("ours", "b").replace("sklearn", "xgboost")
LIST = "kind: List\nitems:\n" + indented(A) + indented(B)
SEVERAL = {
    "documents": f"{A}---\n{B}",
    "List": LIST,
    "List with CRLF": LIST.replace("\n", "\r\n"),
    "List of its own": LIST.replace("kind: List", "kind: ClusterServingRuntimeList"),
    "JSON List": json.dumps(
        {"kind": "List", "items": [{**OBJECT, "metadata": {"name": name}} for name in "ab"]}, indent=2
    ),
}


class TestSeveralObjects:
    """Each is its own object, wherever it stands; one plan edits all that it is about."""

    @pytest.mark.parametrize("text", SEVERAL.values(), ids=SEVERAL)
    def test_are_told_apart(self, text: str) -> None:
        cut = text.rindex("r/old:v1")
        assert after(text, NEW, "runtime/a") == text.replace("r/old:v1", NEW, 1)
        assert after(text, NEW, "runtime/b") == text[:cut] + text[cut:].replace("r/old:v1", NEW)

    @pytest.mark.parametrize("text", SEVERAL.values(), ids=SEVERAL)
    @pytest.mark.parametrize("order", ["ab", "ba"])
    def test_are_edited_in_one_plan(self, text: str, order: str) -> None:
        wanted = {"a": "registry.example/a-much-longer-name/a:1", "b": "r/b:1"}
        loaded = manifests(text)
        plan = loaded.plan_set_image({f"runtime/{name}": wanted[name] for name in order})
        assert [change.object.name for change in plan.changes] == list(order)
        assert len(plan.patches) == 1

        loaded.apply(plan)

        assert loaded.text == text.replace("r/old:v1", wanted["a"], 1).replace("r/old:v1", wanted["b"], 1)

    @pytest.mark.parametrize("null", ["null", "~", "", '""'])
    def test_with_a_null_for_a_namespace_have_none(self, null: str) -> None:
        text = RUNTIME.replace("ours", f"ours\n  namespace: {null}")
        (image,) = manifests(text.replace("kind: Cluster", "kind: ")).images()
        assert image.name == "runtime//ours"

    def test_of_one_name_in_several_namespaces_are_several(self) -> None:
        own = RUNTIME.replace("kind: Cluster", "kind: ").replace("ours", "ours\n  namespace: team")
        text = f"{RUNTIME}---\n{own}"
        assert after(text, ":v2", "runtime/ours") == text.replace("old:v1", "old:v2", 1)
        assert after(text, ":v2", "runtime/team/ours") == RUNTIME + "---\n" + own.replace("old:v1", "old:v2")

    def test_of_one_name_twice_are_refused(self) -> None:
        error = refusal(f"{RUNTIME}---\n{RUNTIME}")
        assert isinstance(error, ksconfig.Ambiguous)
        assert "(runtimes.yaml:1)" in str(error)
        assert "(runtimes.yaml:12)" in str(error)

    def test_leave_a_second_plan_of_the_old_text_behind(self) -> None:
        loaded = manifests(LIST)
        stale = loaded.plan_set_image({"runtime/a": ":v2"})
        loaded.set_image("runtime/a", ":v3")
        with pytest.raises(ksconfig.Conflict):
            loaded.apply(stale)
        assert loaded.text == LIST.replace("old:v1", "old:v3", 1)


PREDICTORS = CONFIG + (
    '  predictors: |-\n    {"sklearn": {"v1": {"image": "r/predictor", "defaultImageVersion": "v1"}}}\n'
)
ORDERS = {
    "config first": f"{PREDICTORS}---\n{RUNTIME}",
    "config last": f"{RUNTIME}---\n{PREDICTORS}",
    "config between": f"{RUNTIME.replace('ours', 'by-name').replace(', autoSelect: true', '')}---\n{PREDICTORS}---\n{RUNTIME}",
    "in one List": "kind: List\nitems:\n" + indented(RUNTIME) + indented(PREDICTORS),
}


class TestBesideTheConfig:
    """Runtimes and the config may share a text, in any order."""

    @pytest.mark.parametrize("text", ORDERS.values(), ids=ORDERS)
    @pytest.mark.parametrize("image", [NEW, "r/n:1"], ids=["longer", "shorter"])
    def test_both_are_edited_at_once(self, text: str, image: str) -> None:
        loaded = manifests(text, "0.9")
        repository, _, tag = image.rpartition(":")
        cut = text.rindex("image: r/old:v1")
        expected = text[:cut] + text[cut:].replace("image: r/old:v1", f"image: {image}", 1)
        expected = expected.replace('"r/predictor", "defaultImageVersion": "v1"', f'"{repository}", "defaultImageVersion": "{tag}"')  # fmt: skip

        changes = loaded.set_image("sklearn", image)

        assert loaded.text == expected
        assert {change.object.kind for change in changes} == {"ConfigMap", "ClusterServingRuntime"}
        assert loaded.set_image("sklearn", image) == ()

    @pytest.mark.parametrize("text", ORDERS.values(), ids=ORDERS)
    def test_the_one_is_edited_without_the_other(self, text: str) -> None:
        assert after(text, ":v2", "agent") == text.replace("agent:v1", "agent:v2")
        cut = text.rindex("r/old:v1")
        assert after(text, ":v2") == text[:cut] + text[cut:].replace("r/old:v1", "r/old:v2", 1)

    def test_a_refusal_of_the_one_keeps_the_other(self) -> None:
        text = f"{PREDICTORS}---\n{RUNTIME}    image: r/twice:v1\n"
        loaded = manifests(text, "0.9")
        with pytest.raises(ksconfig.Ambiguous):
            loaded.set_image("sklearn", NEW)
        assert loaded.text == text


class TestStorageContainer:
    """A ClusterStorageContainer is edited as a runtime is."""

    TEXT = (
        "kind: ClusterStorageContainer\nmetadata:\n  name: default\nspec:\n  container:\n"
        "    name: storage-initializer\n    image: r/old:v1 # shipped\n"
    )

    @pytest.mark.parametrize("ends", LINE_ENDS)
    def test_keeps_all_other_bytes(self, ends: str) -> None:
        text = LINE_ENDS[ends](self.TEXT)
        assert after(text, NEW, "storageContainer/default") == text.replace("r/old:v1", NEW)

    @pytest.mark.parametrize("image", ["1.2", "[r/x:1]", "", "'{{ .Values.image }}'"])
    def test_with_no_image_to_edit_is_refused(self, image: str) -> None:
        refusal(self.TEXT.replace("r/old:v1", image), target="storageContainer/default")

    @pytest.mark.parametrize("spec", ["", "5", "text", "[]", "{container: {image: 5}}"])
    def test_with_no_container_has_no_image(self, spec: str) -> None:
        text = f"kind: ClusterStorageContainer\nmetadata: {{name: default}}\nspec: {spec}\n"
        assert [image.image for image in manifests(text).images()] == [""]
        assert refusal(text, target="storageContainer/default")
