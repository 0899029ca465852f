"""The truth: records are read by code that is not ksconfig's, and where their texts are."""

from __future__ import annotations

import json

from chaos.truth import Outcome, Written, read_record
from ksconfig.model.plan import ObjectRef
from ksconfig.model.revision import FieldText, Revision, to_config_map


def test_a_record_is_read_as_ksconfig_writes_it() -> None:
    config = ObjectRef("ConfigMap", "kserve", "inferenceservice-config")
    service = ObjectRef("InferenceService", "chaos", "iris")
    fields = (
        FieldText(config, ("data", "predictors"), "{}", '{"a": 1}'),
        FieldText(service, ("spec", "predictor", "model", "runtime"), None, "sk"),
    )
    revision = Revision(
        3, "", "me", "1", "rollback", "", "0.7", (), (), fields, rollback_of=(2,), rollback_to=1, state="ready"
    )
    record = read_record(to_config_map(revision, "kserve"))
    assert (record.number, record.state, record.command, record.rollback_of) == (3, "ready", "rollback", (2,))
    assert [text.name for text in record.texts] == ["config", "service iris"]
    texts = {"config predictors": "{}", "service iris": json.dumps({"predictor": {"model": {"runtime": "sk"}}})}
    assert [text.now(texts) for text in record.texts] == ["{}", "sk"]


def test_a_text_is_found_in_lists_and_missed_where_it_is_not() -> None:
    texts = {"runtime sk": json.dumps({"containers": [{"image": "sk:1"}]})}
    assert Written("runtime sk", ("spec", "containers", 0, "image"), "", "").now(texts) == "sk:1"
    assert Written("runtime sk", ("spec", "containers", 1, "image"), "", "").now(texts) is None
    assert Written("runtime other", ("spec", "x"), "", "").now(texts) is None
    assert Written("runtime sk", ("spec", "containers"), "", "").now(texts) == '[{"image": "sk:1"}]'


def test_only_one_json_object_is_a_document() -> None:
    assert Outcome(0, '{"a": 1}\n', "").document == {"a": 1}
    assert Outcome(0, "[]", "").document is None
    assert Outcome(0, "", "").document is None
