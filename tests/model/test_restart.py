"""Which changes need a restart, and which pods are due for it."""

from __future__ import annotations

import pytest

from ksconfig.model.plan import Field, FieldEdit, ObjectRef
from ksconfig.model.releases import Release, rules_of
from ksconfig.model.restart import last_written, needs_restart, pods_due

CONFIG = ObjectRef("ConfigMap", "kserve", "inferenceservice-config")
RUNTIME = ObjectRef("ClusterServingRuntime", None, "kserve-sklearnserver")
STORAGE = ObjectRef("ClusterStorageContainer", None, "default")
IMAGE: Field = ("spec", "containers", 0, "image")


@pytest.mark.parametrize(
    ("ref", "field", "minor", "needed"),
    [
        (CONFIG, ("data", "predictors"), 7, True),
        (CONFIG, ("data", "explainers"), 20, True),
        (CONFIG, ("data", "agent"), 7, True),  # read from a cache until 0.12
        (CONFIG, ("data", "agent"), 12, True),
        (CONFIG, ("data", "agent"), 13, False),
        (CONFIG, ("data", "ingress"), 20, True),
        (RUNTIME, IMAGE, 8, True),
        (RUNTIME, IMAGE, 15, True),
        (RUNTIME, IMAGE, 16, False),
        (STORAGE, ("spec", "container", "image"), 11, False),
    ],
)
def test_what_reaches_running_services_only_through_a_restart(
    ref: ObjectRef, field: Field, minor: int, needed: bool
) -> None:
    edit = FieldEdit(ref, field, "a", ())
    assert needs_restart([edit], [rules_of(Release(0, minor))]) is needed


def test_of_several_possible_releases_the_careful_one_counts() -> None:
    edit = FieldEdit(RUNTIME, IMAGE, "a", ())
    assert needs_restart([edit], [rules_of(Release(0, minor)) for minor in (15, 16)])


def pod(uid: str, created: str) -> dict[str, dict[str, str]]:
    return {"metadata": {"uid": uid, "creationTimestamp": created}}


def test_pods_that_were_seen_before_the_write_are_due_whatever_the_clock_says() -> None:
    pods = [pod("seen", "2026-01-01T00:00:09Z"), pod("new", "2026-01-01T00:00:09Z")]
    assert pods_due(pods, frozenset({"seen"}), "2026-01-01T00:00:05Z", strict=True) == {"seen"}


@pytest.mark.parametrize(("strict", "due"), [(True, set()), (False, {"same"})])
def test_a_pod_of_the_very_second_is_due_only_if_in_doubt_it_is_to_be(strict: bool, due: set[str]) -> None:
    assert pods_due([pod("same", "2026-01-01T00:00:05Z")], frozenset(), "2026-01-01T00:00:05Z", strict=strict) == due


def test_the_last_write_is_that_of_the_data_not_of_a_label() -> None:
    metadata = {
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [
            {"time": "2026-01-02T00:00:00Z", "fieldsV1": {"f:data": {}}},
            {"time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:metadata": {}}},
        ],
    }
    assert last_written(metadata) == "2026-01-02T00:00:00Z"
