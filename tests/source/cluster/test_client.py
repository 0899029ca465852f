"""The API server's errors as ours, edits as JSON Patches, rights as rules grant them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ksconfig.errors import ClusterFailure, RightMissing
from ksconfig.model.plan import FieldEdit, ObjectRef
from ksconfig.source.cluster.client import failure, is_transient, json_of
from ksconfig.source.cluster.patches import json_patch, pointer
from ksconfig.source.cluster.patience import Patience
from ksconfig.source.cluster.rights import Right, _granted
from ksconfig.source.cluster.source import in_order, reverse
from ksconfig.text.spans import Edit

CONFIG = ObjectRef("ConfigMap", "kserve", "inferenceservice-config")
RUNTIME = ObjectRef("ClusterServingRuntime", None, "sk")
METADATA = {"uid": "u", "resourceVersion": "7"}


def status(message: str, reason: str = "Forbidden") -> bytes:
    return json.dumps({"kind": "Status", "message": message, "reason": reason}).encode()


def test_a_missing_right_is_named() -> None:
    message = (
        'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "k"'
    )
    error = failure("GET", "/x", 403, status(message))
    assert isinstance(error, RightMissing)
    assert error.why == "jane may not list configmaps in namespace k"


@pytest.mark.parametrize(
    ("sent", "why"), [(True, "does not know the credentials that it was sent"), (False, "was sent no credentials")]
)
def test_who_is_anonymous_is_told_whether_credentials_were_sent(sent: bool, why: str) -> None:
    message = 'User "system:anonymous" cannot list resource "configmaps" in API group ""'
    error = failure("GET", "/x", 403, status(message), sent=sent)
    assert (error.status, error.why) == (401, f"the API server {why}: it takes you for system:anonymous")


def test_a_webhook_that_denies_is_no_missing_right() -> None:
    error = failure("POST", "/x", 403, status('admission webhook "v" denied the request: no'))
    assert not isinstance(error, RightMissing)


def test_who_is_unknown_is_told_to_log_in() -> None:
    assert "Log in again" in str(failure("GET", "/x", 401, status("Unauthorized", "Unauthorized")))


@pytest.mark.parametrize(
    ("code", "again"), [(429, True), (500, True), (503, True), (409, False), (422, False), (404, False)]
)
def test_what_may_be_different_a_moment_later_is_tried_again(code: int, again: bool) -> None:
    assert is_transient(failure("GET", "/x", code, b"oops")) is again


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"<html>", "no JSON object: <html>"),
        (b"[]", "no JSON object"),
        (b"", "no JSON object: nothing at all"),
        (b"[" * 100_000, "no JSON object"),
        (b"{}", "no object of Kubernetes: {}"),
        (b'{"metadata": null}', "no object of Kubernetes"),
        (b'{"items": "x"}', "no object of Kubernetes"),
        (b'{"items": [null]}', "no object of Kubernetes"),
        (b'{"items": [{"metadata": null}]}', "no object of Kubernetes"),
    ],
)
def test_an_answer_of_something_else_is_no_api_server(answer: bytes, why: str) -> None:
    with pytest.raises(ClusterFailure, match=re.escape(why)):
        json_of(answer, "/x")


@pytest.mark.parametrize("answer", [b'{"metadata": {}}', b'{"items": null}', b'{"items": []}', b'{"resources": []}'])
def test_objects_lists_and_lists_of_resources_are_answers(answer: bytes) -> None:
    assert json_of(answer, "/x") == json.loads(answer)


def test_patience_tries_again_until_it_succeeds_and_no_longer_than_it_has() -> None:
    now = [0.0]
    answers: list[Any] = [ClusterFailure("x", status=503), ClusterFailure("x", status=429, retry_after=3.0), "done"]

    def request() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert Patience(60, sleep, lambda: now[0]).call(request) == "done"
    assert now[0] >= 3.0
    answers[:] = [ClusterFailure("not there", status=404)]
    with pytest.raises(ClusterFailure, match="not there"):
        Patience(60, sleep, lambda: now[0]).call(request)
    answers[:] = [ClusterFailure("somebody else", status=409), "done"]
    assert Patience(60, sleep, lambda: now[0]).call(request, also=(409,)) == "done"


def test_a_patch_tests_all_that_it_replaces() -> None:
    edit = FieldEdit(CONFIG, ("data", "a/b~c"), "old", (Edit(0, 3, "new"),))
    assert json_patch({"metadata": METADATA, "data": {}}, [edit]) == [
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "test", "path": "/data/a~1b~0c", "value": "old"},
        {"op": "replace", "path": "/data/a~1b~0c", "value": "new"},
    ]


def test_a_patch_that_adds_tests_the_version_since_absence_cannot_be_tested() -> None:
    patch = json_patch(
        {"metadata": METADATA, "data": {}}, [FieldEdit(CONFIG, ("data", "k"), None, (Edit(0, 0, "{}"),))]
    )
    assert {"op": "test", "path": "/metadata/resourceVersion", "value": "7"} in patch
    assert patch[-1] == {"op": "add", "path": "/data/k", "value": "{}"}


@pytest.mark.parametrize(
    "edit",
    [
        FieldEdit(CONFIG, ("data", "k"), "old", (Edit(1, 2, "x"),)),
        FieldEdit(CONFIG, ("data", "k"), None, (Edit(0, 0, "{}"),)),
        FieldEdit(CONFIG, ("data", "k"), "old", (), removes=True),
    ],
)
def test_every_edit_can_be_taken_back(edit: FieldEdit) -> None:
    back = reverse(edit)
    assert (back.before, back.after) == (edit.after, edit.before)


def test_runtimes_are_written_before_the_config() -> None:
    edits = [FieldEdit(CONFIG, ("data", "k"), "a", ()), FieldEdit(RUNTIME, ("spec", "x"), "b", ())]
    assert [group[0].object for group in in_order(edits)] == [RUNTIME, CONFIG]


def test_a_pointer_escapes_what_it_must() -> None:
    assert pointer(("spec", "containers", 0, "image")) == "/spec/containers/0/image"


@pytest.mark.parametrize(
    ("rule", "granted"),
    [
        ({"verbs": ["patch"], "apiGroups": [""], "resources": ["configmaps"]}, True),
        ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, True),
        ({"verbs": ["patch"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"]}, True),
        ({"verbs": ["patch"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["other"]}, False),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}, False),
        ({"verbs": ["patch"], "apiGroups": ["apps"], "resources": ["configmaps"]}, False),
    ],
)
def test_rules_grant_what_they_say(rule: dict[str, list[str]], granted: bool) -> None:
    assert _granted([rule], Right("patch", "", "configmaps", "kserve", "mine")) is granted


def test_a_config_map_without_data_gets_it_with_its_first_key() -> None:
    edit = FieldEdit(CONFIG, ("data", "k"), None, (Edit(0, 0, "{}"),))
    patch = json_patch({"metadata": METADATA}, [edit, edit._replace(field=("data", "l"))])
    assert [(one["op"], one["path"]) for one in patch[2:]] == [
        ("add", "/data"),
        ("add", "/data/k"),
        ("add", "/data/l"),
    ]
