"""What each release reads, told once more as tables from KServe's own sources."""

from __future__ import annotations

import pytest

from ksconfig.errors import UsageError
from ksconfig.model.releases import FRAMEWORKS, NEWEST, OLDEST, RULES, Release, Rules, rules_of

MINORS = range(2, 21)

# Key, first release that ships it, last one (99: to this day). KServe: config/configmap/inferenceservice.yaml by tag.
SHIPPED = [
    ("predictors", 2, 9),
    ("transformers", 2, 9),
    ("explainers", 2, 99),
    ("storageInitializer", 2, 99),
    ("credentials", 2, 99),
    ("ingress", 2, 99),
    ("logger", 2, 99),
    ("batcher", 4, 99),
    ("agent", 5, 99),
    ("deploy", 7, 99),
    ("router", 9, 99),
    ("metricsAggregator", 10, 99),
    ("_example", 11, 99),
    ("localModel", 14, 99),
    ("security", 14, 99),
    ("inferenceService", 15, 99),
    ("opentelemetryCollector", 15, 99),
    ("autoscaler", 16, 99),
]
# Framework, first and last release whose code reads it, and those that read it as v1 and v2.
READ = [
    ("tensorflow", 2, 9, ()),
    ("onnx", 2, 9, ()),
    ("sklearn", 2, 9, range(5, 10)),
    ("xgboost", 2, 9, range(5, 10)),
    ("pytorch", 2, 9, range(5, 8)),
    ("tensorrt", 2, 3, ()),
    ("triton", 4, 9, ()),
    ("pmml", 5, 9, ()),
    ("lightgbm", 5, 9, ()),
    ("paddle", 6, 9, ()),
]
EXPLAINERS = [("alibi", 2, 12), ("aix", 5, 10), ("art", 5, 99)]
# Keys with one image, and the releases that run it.
IMAGES = [
    ("storageInitializer", 2, 99),
    ("logger", 2, 4),
    ("batcher", 4, 4),
    ("agent", 5, 99),
    ("router", 9, 99),
    ("localModel", 14, 99),
]


def rules(minor: int) -> Rules:
    return RULES[Release(0, minor)]


def those_of(table: list[tuple[str, int, int]], minor: int) -> set[str]:
    return {name for name, first, last in table if first <= minor <= last}


def test_every_release_has_its_rules() -> None:
    assert list(RULES) == [Release(0, minor) for minor in MINORS]
    assert (OLDEST, NEWEST) == ((0, 2), (0, 20))
    assert all(release == found.release for release, found in RULES.items())


@pytest.mark.parametrize("minor", MINORS)
class TestTable:
    def test_of_keys(self, minor: int) -> None:
        assert rules(minor).keys == those_of(SHIPPED, minor)

    def test_of_frameworks_and_shapes(self, minor: int) -> None:
        expected = {
            name: "protocols" if minor in nested else "flat"
            for name, first, last, nested in READ
            if first <= minor <= last
        }
        assert dict(rules(minor).frameworks) == expected

    def test_of_what_predictors_decide(self, minor: int) -> None:
        expected = "decide" if minor <= 7 else "leftovers" if minor <= 9 else "unread"
        assert rules(minor).predictors == expected

    def test_of_explainers(self, minor: int) -> None:
        assert rules(minor).explainers == those_of(EXPLAINERS, minor)

    def test_of_keys_with_one_image(self, minor: int) -> None:
        assert rules(minor).images == those_of(IMAGES, minor)

    def test_of_version_lists(self, minor: int) -> None:
        assert rules(minor).version_list is (minor <= 3)

    def test_of_frameworks_with_gpu_tags(self, minor: int) -> None:
        expected = {"tensorflow"} if minor == 2 else {"tensorflow", "pytorch"} if minor <= 9 else set()
        assert rules(minor).gpu_tags == expected

    def test_of_runtimes_and_storage_containers(self, minor: int) -> None:
        assert rules(minor).runtimes is (minor >= 8)
        assert rules(minor).storage_containers is (minor >= 11)

    def test_of_what_the_controller_starts_with(self, minor: int) -> None:
        knative = {"Serverless", "RawDeployment", "ModelMesh"}
        expected = knative | {"Knative", "Standard"} if minor >= 16 else knative if minor >= 7 else set()
        assert rules(minor).modes == expected
        gateway_and_service = ("ingressGateway", "ingressService")
        required = gateway_and_service if minor < 14 else ("ingressGateway",)
        assert rules(minor).ingress_required == required
        started_with = {"deploy": 7, "ingress": 10, "multiNode": 15}
        assert rules(minor).start_keys == {key for key, since in started_with.items() if minor >= since}


@pytest.mark.parametrize("version", [Release(0, 21), Release(0, 99), Release(1, 0)])
def test_a_release_to_come_has_the_rules_of_the_newest_known(version: Release) -> None:
    found = rules_of(version)

    assert found.release == version
    assert found.keys == RULES[NEWEST].keys
    assert found.images == RULES[NEWEST].images


def test_frameworks_of_all_times_are_known_by_name() -> None:
    assert {name for name, *_ in READ} | {"huggingface", "mlflow"} <= FRAMEWORKS


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("0.7", (0, 7)),
        ("v0.7", (0, 7)),
        ("v0.7.0", (0, 7)),
        ("0.7.12", (0, 7)),
        ("0.16.0-rc1", (0, 16)),
        ("0.16-rc1", (0, 16)),
        ("v0.15.2+build.7", (0, 15)),
        ("0.2", (0, 2)),
        ("1.0", (1, 0)),
    ],
)
def test_a_version_is_read_without_its_patch_level(text: str, release: tuple[int, int]) -> None:
    assert Release.parse(text) == release
    assert str(Release.parse(text)) == f"{release[0]}.{release[1]}"


@pytest.mark.parametrize(
    "text",
    ["", "7", "v7", "0", "0.", "latest", "0.7 ", " 0.7", "0.x", "0.7.0/1", "0,7", "\u0660.\u0667", "0.12345"],
)
def test_what_is_no_version_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no KServe version.*0\.7"):
        Release.parse(text)


@pytest.mark.parametrize("text", ["0.1", "v0.1.2", "0.0"])
def test_releases_before_the_first_known_are_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"older than 0\.2"):
        Release.parse(text)
