"""Records: written and read back, judged by the texts that are there, undone in order."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from ksconfig.errors import InvalidDocument
from ksconfig.model.plan import ABSENT, Change, Field, ImageChange, ObjectRef
from ksconfig.model.revision import (
    FieldText,
    Revision,
    Wanted,
    changed_outside,
    from_config_map,
    newest_to_undo,
    settled,
    texts_to_restore,
    to_config_map,
    to_prune,
    undone,
)

CONFIG = ObjectRef("ConfigMap", "kserve", "inferenceservice-config")
KEY: Field = ("data", "predictors")


def revision(number: int, before: str | None, after: str | None, state: str = "ready", **more: object) -> Revision:
    made = Revision(
        number, "2026-11-24T08:00:00Z", "jane", "0.1.0", "set-image", "CVE", "0.7",
        (ImageChange("sklearn/v1", "a:1", "b:2"),),
        (Change(CONFIG, ("predictors", "sklearn", "v1", "image"), "a", "b"),
         Change(CONFIG, ("router",), ABSENT, {"image": "ü"})),
        (FieldText(CONFIG, KEY, before, after),), ("uid-1",), state=state,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def live(text: str | None) -> object:
    return lambda ref, field: text


def test_a_revision_is_read_back_as_it_was_written() -> None:
    one = revision(12, '{"a": "\r\n"}', None, state="pending", rollback_of=(3, 4), rollback_to=2, restart=False)
    stored = to_config_map(one, "kserve")
    assert stored["metadata"]["name"] == "ksconfig-revision-000012"
    assert stored["immutable"] is True
    stored["metadata"]["creationTimestamp"] = one.time
    found = from_config_map(stored)
    assert replace(found, changes=()) == replace(one, changes=())
    assert [(each.path, each.before, each.after) for each in found.changes] == [
        (each.path, each.before, each.after) for each in one.changes
    ]


@pytest.mark.parametrize("damage", ["data", "binaryData"])
def test_a_record_that_somebody_damaged_is_named(damage: str) -> None:
    stored = to_config_map(revision(1, "{}", "[]"), "kserve")
    stored[damage] = dict.fromkeys(stored[damage], "x")
    with pytest.raises(InvalidDocument, match="ksconfig-revision-000001"):
        from_config_map(stored)


def test_a_record_of_a_newer_version_is_not_guessed_at() -> None:
    stored = to_config_map(revision(1, "{}", "[]"), "kserve")
    stored["data"]["revision.json"] = stored["data"]["revision.json"].replace('"format": 1', '"format": 2')
    with pytest.raises(InvalidDocument, match="newer ksconfig"):
        from_config_map(stored)


@pytest.mark.parametrize(("text", "state"), [("old", "pending"), ("new", "written"), ("other", "written")])
def test_a_pending_one_is_judged_by_the_text_that_is_there(text: str, state: str) -> None:
    (found,) = settled([revision(1, "old", "new", "pending")], live(text))  # type: ignore[arg-type]
    assert found.state == state
    assert found.unfinished is (state == "written")


def test_a_pending_one_is_judged_by_what_a_later_one_built_upon() -> None:
    later = revision(2, "old", "later")
    (first, _) = settled([revision(1, "old", "new", "pending"), later], live("later"))  # type: ignore[arg-type]
    assert first.state == "pending"
    later = revision(2, "new", "later")
    (first, _) = settled([revision(1, "old", "new", "pending"), later], live("later"))  # type: ignore[arg-type]
    assert first.state == "written"


def test_undo_goes_back_one_by_one_and_passes_over_rollbacks() -> None:
    history = [revision(1, "0", "1"), revision(2, "1", "2"), revision(3, "2", "1", rollback_of=(2,), rollback_to=1)]
    assert undone(history) == {2}
    found = newest_to_undo(history)
    assert found
    assert found.number == 1
    history.append(revision(4, "1", "0", rollback_of=(1,), rollback_to=0))
    assert newest_to_undo(history) is None


def test_what_never_took_effect_is_not_undone() -> None:
    assert newest_to_undo([revision(1, "0", "1", "pending"), revision(2, "0", "1", "closed")]) is None


@pytest.mark.parametrize(("number", "wanted"), [(0, "0"), (1, "1"), (2, "2")])
def test_the_state_after_a_revision_is_known(number: int, wanted: str) -> None:
    history = [revision(1, "0", "1"), revision(2, "1", "2"), revision(3, "2", "1", rollback_of=(2,), rollback_to=1)]
    assert texts_to_restore(history, number) == (Wanted(CONFIG, KEY, "1", wanted),)


def test_changes_by_others_show_between_revisions_and_after_the_last() -> None:
    history = [revision(1, "0", "1"), revision(2, "theirs", "2")]
    assert changed_outside(history, live("2")) == {1}  # type: ignore[arg-type]
    assert changed_outside(history, live("theirs again")) == {1, 2}  # type: ignore[arg-type]


def test_the_original_the_newest_and_the_recent_ones_stay() -> None:
    history = [revision(number, str(number), str(number + 1)) for number in range(1, 8)]
    gone = to_prune(history, 3, lambda one: False)
    assert [one.number for one in gone] == [2, 3, 4, 5]
    assert [one.number for one in to_prune(history, 1, lambda one: False)] == [2, 3, 4, 5, 6]
    assert to_prune(history, 3, lambda one: True) == ()


def test_what_a_rollback_to_a_number_brings_back_is_not_undone() -> None:
    history = [revision(1, "0", "1"), revision(2, "1", "2"), revision(3, "2", "1", rollback_of=(2,), rollback_to=1)]
    assert undone(history) == {2}
    history.append(revision(4, "1", "2", rollback_of=(), rollback_to=2))
    assert undone(history) == frozenset()
    found = newest_to_undo(history)
    assert found
    assert found.number == 2
    history.append(revision(5, "2", "0", rollback_of=(2, 1), rollback_to=0))
    assert undone(history) == {1, 2}
    history.append(revision(6, "0", "2", rollback_of=(), rollback_to=2))
    assert undone(history) == frozenset()


def test_the_original_of_each_text_stays() -> None:
    other: Field = ("data", "agent")
    history = [revision(number, str(number), str(number + 1)) for number in range(1, 5)]
    history[2] = replace(history[2], fields=(FieldText(CONFIG, other, "a", "b"),))
    assert [one.number for one in to_prune(history, 1, lambda one: False)] == [2]


def test_a_number_that_somebody_changed_is_not_believed() -> None:
    stored = to_config_map(revision(2, "{}", "[]"), "kserve")
    stored["metadata"]["labels"]["ksconfig/revision"] = "1"
    with pytest.raises(InvalidDocument, match="ksconfig-revision-000002 has the label ksconfig/revision=1"):
        from_config_map(stored)


def test_a_damaged_archive_is_no_internal_error() -> None:
    stored = to_config_map(revision(2, "{}", "[]"), "kserve")
    packed = bytearray(base64.b64decode(stored["binaryData"]["texts.json.gz"]))
    packed[12:20] = b"12345678"
    stored["binaryData"]["texts.json.gz"] = base64.b64encode(bytes(packed)).decode()
    with pytest.raises(InvalidDocument, match="no revision that can be read"):
        from_config_map(stored)


def test_where_a_record_was_pruned_the_next_one_tells_what_was_there() -> None:
    history = [revision(number, str(number), str(number + 1)) for number in (1, 3)]  # 2 is pruned
    assert texts_to_restore(history, 2) == (Wanted(CONFIG, KEY, "4", "3"),)
    assert texts_to_restore(history, 1) == (Wanted(CONFIG, KEY, "4", "2"),)
    assert texts_to_restore(history, 0) == (Wanted(CONFIG, KEY, "4", "1"),)
