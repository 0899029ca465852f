"""Where a model comes from, and the images that KServe's pod webhook adds to a predictor for it."""

from __future__ import annotations

import pytest

from ksconfig.model.plan import ObjectRef
from ksconfig.model.runtimes import STORAGE_KIND
from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import Service
from ksconfig.model.services.storage import pod_images, storage_uri, uri_fault
from ksconfig.model.services.world import StorageContainer, World, read_storage_container
from tests.model.services.builders import (
    BY_CONFIG,
    WITH_RUNTIMES,
    Json,
    model,
    runtime,
    service,
    split,
    storage_container,
    world,
)

V1BETA1 = range(5, 21)
FROM_0_11 = range(11, 21)
CONFIG: Json = {
    "storageInitializer": {"image": "r/config:1"},
    "agent": {"image": "r/agent:1"},
    "logger": {"image": "r/logger:1"},
    "batcher": {"image": "r/batcher:1"},
}
SHIPPED = storage_container(
    "r/container:1", "gs://", "s3://", "hdfs://", regex="https://(.+?).blob.core.windows.net/(.+)"
)


def with_uri(uri: str, minor: int = 20) -> Service:
    return service({"sklearn": {"storageUri": uri}} if minor < 8 else model(storageUri=uri))


def initializer(uri: str, minor: int, *storage: StorageContainer, config: Json | None = None) -> str:
    """The image of the storage initializer; "" if there is none."""
    where = world(minor, CONFIG if config is None else {**CONFIG, "storageInitializer": config}, storage=storage)
    return pod_images(with_uri(uri, minor), where).get("storage-initializer", "")


class TestUri:
    """A component names it in its block, or its container in the environment."""

    @pytest.mark.parametrize(
        ("component", "uri"),
        [
            ({"sklearn": {"storageUri": "gs://a"}}, "gs://a"),
            ({"model": {"storageUri": "gs://a"}}, "gs://a"),
            ({"model": {"storageUri": "gs://a"}, "sklearn": {"storageUri": "gs://b"}}, "gs://a"),
            ({"sklearn": {}}, ""),
            ({"sklearn": {"storageUri": 1}}, ""),
            ({"containers": [{"env": [{"name": "STORAGE_URI", "value": "gs://a"}]}]}, "gs://a"),
            ({"containers": [{"env": [{"name": "A"}, {"name": "STORAGE_URI", "value": "gs://a"}]}]}, "gs://a"),
            ({"containers": [{}, {"env": [{"name": "STORAGE_URI", "value": "gs://a"}]}]}, ""),
            ({"containers": [{"env": [{"name": "STORAGE_URI", "valueFrom": {}}]}]}, ""),
            ({"containers": [{"env": [{"name": "storage_uri", "value": "gs://a"}]}]}, ""),
            ({"containers": []}, ""),
            ({}, ""),
        ],
    )
    def test_is_found(self, component: Json, uri: str) -> None:
        assert storage_uri(component) == uri

    KNOWN = ("gs://b/m", "s3://b/m", "pvc://b/m", "file://b/m", "https://b/m", "http://b/m")

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize(
        ("uri", "since"),
        [
            *((uri, 5) for uri in KNOWN),
            ("hdfs://b/m", 9),
            ("webhdfs://b/m", 9),
            ("oci://b/m", 12),
            ("hf://b/m", 15),
            ("oci+native://b/m", 20),
            ("ftp://b/m", None),
            ("GS://b/m", None),
            ("xgs://b/m", None),
            # no scheme: a path
            ("", 5),
            ("/mnt/models", 5),
            ("models", 5),
            ("://b", 5),
            # a scheme behind other text is one too
            ("/mnt/ftp://x", None),
            # Azure
            ("https://a.blob.core.windows.net/c/m", 5),
            ("https://a.blob.core.windows.net/", None),
            ("http://a.blob.core.windows.net/c/m", None),
            ("https://b/m?blob.core.windows.net", None),
        ],
    )
    def test_begins_as_kserve_knows_it(self, uri: str, since: int | None, minor: int) -> None:
        fault = uri_fault(uri, world(minor))
        assert (fault == "") is (since is not None and minor >= since)
        assert not fault or fault.startswith(f"storageUri {uri} begins with none of file://, gs://, ")

    @pytest.mark.parametrize("minor", FROM_0_11)
    @pytest.mark.parametrize(
        ("container", "fits"),
        [
            (storage_container("r/x:1", "ftp://"), True),
            (storage_container("r/x:1", regex="^f.p://"), True),
            (storage_container("r/x:1", regex="/m$"), True),
            (storage_container("r/x:1", "gs://"), False),
            (storage_container("r/x:1", regex="^x"), False),
            (storage_container("r/x:1", regex="("), False),
            (storage_container("r/x:1", "ftp://", init=False), False),
        ],
    )
    def test_may_be_a_storage_containers_from_0_11_on(
        self, container: StorageContainer, fits: bool, minor: int
    ) -> None:
        assert (uri_fault("ftp://b/m", world(minor, storage=(container,))) == "") is fits

    @pytest.mark.parametrize("minor", FROM_0_11)
    def test_that_does_not_fit_leaves_the_service_without_image(self, minor: int) -> None:
        where = world(minor, CONFIG, runtime("mine"))
        found = resolve(with_uri("ftp://b/m"), where)["predictor"]
        assert (found.images, found.problem) == ((), uri_fault("ftp://b/m", where))
        assert resolve(with_uri("gs://b/m"), where)["predictor"].image == "r/x:1"

    @pytest.mark.parametrize("minor", [*BY_CONFIG, 8, 9, 10])
    def test_is_not_looked_at_again_before_0_11(self, minor: int) -> None:
        config = {"predictors": {"sklearn": {"v1": split("r/x")}}}
        where = world(minor, config, runtime("mine"))
        predictor = (
            {"sklearn": {"storageUri": "ftp://b/m", "runtimeVersion": "1"}}
            if minor < 8
            else with_uri("ftp://b/m").predictor
        )
        assert resolve(service(dict(predictor)), where)["predictor"].image == "r/x:1"


OWN: Json = {"containers": [{"image": "me/x:1"}]}


def refusal(one: Service | Json, minor: int) -> str:
    """Why a service or predictor is refused; "" if it is not."""
    block = split("r/x")
    predictors = {"sklearn": {"v1": block}, "xgboost": {"v1": block}, "pytorch": {"v2": block}, "onnx": {}}
    config = {"predictors": predictors, "explainers": {}}
    return admit(one if isinstance(one, Service) else service(one), world(minor, config)).refusal


class TestUriAtAdmission:
    """To 0.10 the webhook looks at it, later the controller."""

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize("framework", ["sklearn", "xgboost", "tensorflow", "pytorch", "onnx", "triton", "lightgbm"])
    def test_of_a_framework_begins_as_kserve_knows_it(self, framework: str, minor: int) -> None:
        why = refusal({framework: {"storageUri": "ftp://b/m"}}, minor)
        assert why.startswith("storageUri ftp://b/m begins with none of ") is (minor < 11)

    @pytest.mark.parametrize("minor", range(8, 21))
    def test_of_a_model_begins_as_kserve_knows_it(self, minor: int) -> None:
        assert bool(refusal(model(storageUri="ftp://b/m"), minor)) is (minor < 11)
        assert refusal(model(storageUri="gs://b/m"), minor) == ""

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize("component", ["predictor", "transformer", "explainer"])
    def test_of_a_container_of_ones_own_stands_in_its_environment(self, component: str, minor: int) -> None:
        env = [{"name": "STORAGE_URI", "value": "ftp://b/m"}]
        parts: Json = {"predictor": OWN, component: {"containers": [{"image": "me/x:1", "env": env}]}}
        assert bool(refusal(service(**parts), minor)) is (minor < 11)

    @pytest.mark.parametrize("minor", range(5, 11))
    def test_of_an_explainer_begins_as_kserve_knows_it(self, minor: int) -> None:
        assert refusal(service(OWN, explainer={"art": {"storageUri": "ftp://b/m"}}), minor)
        assert refusal(service(OWN, explainer={"art": {"storageUri": "gs://b/m"}}), minor) == ""

    @pytest.mark.parametrize("minor", range(5, 11))
    def test_is_not_helped_by_a_storage_container_of_a_later_release(self, minor: int) -> None:
        where = world(minor, CONFIG, storage=(storage_container("r/si:1", "ftp://"),))
        assert uri_fault("ftp://b/m", where)


class TestSeveralUris:
    """From 0.16 on a component may have several models."""

    @pytest.mark.parametrize("minor", range(11, 21))
    @pytest.mark.parametrize(
        ("listed", "fits"),
        [
            ([("gs://a", "/mnt/models/a"), ("gs://b", "/mnt/models/b")], True),
            ([("gs://a", "/mnt/models")], True),
            ([("gs://a", "/mnt/models/a"), ("pvc://b", "/data")], True),
            ([("gs://a", "/mnt/models/a"), ("gs://b", "/data")], False),
            ([("gs://a", "models")], False),
            ([("gs://a", "/")], False),
            ([("gs://a", "/mnt/../x")], False),
        ],
    )
    @pytest.mark.parametrize("component", ["predictor", "transformer", "explainer"])
    def test_are_mounted_below_one_folder(
        self, component: str, listed: list[tuple[str, str]], fits: bool, minor: int
    ) -> None:
        uris = [{"uri": uri, "mountPath": path} for uri, path in listed]
        parts: Json = {"predictor": OWN, component: {**OWN, "storageUris": uris}}
        assert (refusal(service(**parts), minor) == "") is (fits or minor < 16)

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_are_not_beside_one(self, minor: int) -> None:
        uris = [{"uri": "gs://a", "mountPath": "/mnt/models"}]
        why = "the predictor has a storageUri and storageUris, and only one of them may be there"
        found = refusal({**model(storageUri="gs://b"), "storageUris": uris}, minor)
        assert found == (why if minor >= 16 else "")


class TestStorageSpec:
    """From 0.9 on a model may be named by ``storage``."""

    @pytest.mark.parametrize("minor", range(11, 21))
    def test_is_not_beside_a_uri(self, minor: int) -> None:
        one = service(model(storageUri="s3://b/m", storage={"path": "m"}))
        found = resolve(one, world(minor, CONFIG, runtime("mine")))["predictor"]
        assert found.problem == "it has a storageUri and a storage.path, and only one of them may be there"

    @pytest.mark.parametrize("minor", range(8, 21))
    def test_may_be_beside_a_uri_without_its_path(self, minor: int) -> None:
        one = service(model(storageUri="s3://b/m", storage={"key": "k"}))
        assert resolve(one, world(minor, CONFIG, runtime("mine")))["predictor"].image == "r/x:1"


class TestNamedContainer:
    """From 0.12 on the model of several containers of one's own is named by the one that serves."""

    @pytest.mark.parametrize("minor", range(11, 21))
    def test_names_the_uri(self, minor: int) -> None:
        def container(name: str, uri: str) -> Json:
            return {"name": name, "image": "me/x:1", "env": [{"name": "STORAGE_URI", "value": uri}]}

        two = {"containers": [container("side", "ftp://b/m"), container("kserve-container", "gs://b/m")]}
        found = resolve(service(two), world(minor, CONFIG))["predictor"]
        assert bool(found.problem) is (minor < 12)


class TestStorageInitializer:
    """Facts 1.3 and 8: the config's image to 0.10, a storage container's before it from 0.11 on."""

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize("uri", ["gs://b/m", "s3://b/m", "https://a.blob.core.windows.net/c/m"])
    def test_is_that_of_a_storage_container_from_0_11_on(self, uri: str, minor: int) -> None:
        assert initializer(uri, minor, SHIPPED) == ("r/config:1" if minor < 11 else "r/container:1")

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize("uri", ["file://b/m", "https://b/m", "/mnt/models"])
    def test_is_the_configs_where_no_storage_container_fits(self, uri: str, minor: int) -> None:
        assert initializer(uri, minor, SHIPPED) == "r/config:1"

    @pytest.mark.parametrize("minor", FROM_0_11)
    def test_is_not_that_of_a_storage_container_for_download_jobs(self, minor: int) -> None:
        assert initializer("gs://b/m", minor, SHIPPED._replace(init=False)) == "r/config:1"

    @pytest.mark.parametrize("minor", FROM_0_11)
    def test_is_that_of_the_first_storage_container_that_fits(self, minor: int) -> None:
        other = storage_container("r/other:1", "gs://")
        assert initializer("gs://b/m", minor, storage_container("r/no:1", "x://"), other, SHIPPED) == "r/other:1"

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_is_for_containers_of_ones_own_too(self, minor: int) -> None:
        own = {"containers": [{"image": "me/x:1", "env": [{"name": "STORAGE_URI", "value": "file://b/m"}]}]}
        assert pod_images(service(own), world(minor, CONFIG)) == {"storage-initializer": "r/config:1"}

    @pytest.mark.parametrize("minor", V1BETA1)
    def test_is_none_without_a_model(self, minor: int) -> None:
        assert pod_images(service({"containers": [{"image": "me/x:1"}]}), world(minor, CONFIG)) == {}

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize(
        ("more", "since"),
        [({"enableDirectPvcVolumeMount": True}, 11), ({"enableDirectPvcVolumeMount": False}, 16), ({}, 16)],
    )
    def test_is_none_for_a_volume_that_is_mounted_directly(self, more: Json, since: int, minor: int) -> None:
        found = initializer("pvc://claim/m", minor, config={"image": "r/config:1", **more})
        assert found == ("" if minor >= since else "r/config:1")

    @pytest.mark.parametrize("minor", range(11, 16))
    def test_is_none_for_a_volume_that_is_mounted_directly_whatever_the_storage_containers(self, minor: int) -> None:
        config = {"image": "r/config:1", "enableDirectPvcVolumeMount": True}
        assert initializer("pvc://claim/m", minor, storage_container("r/x:1", "pvc://"), config=config) == ""

    @pytest.mark.parametrize("minor", FROM_0_11)
    def test_is_none_by_names_in_any_case(self, minor: int) -> None:
        assert initializer("pvc://claim/m", minor, config={"IMAGE": "r/c:1", "EnableDirectPvcVolumeMount": True}) == ""

    @pytest.mark.parametrize("minor", range(12, 21))
    def test_is_none_for_an_image_that_holds_the_model(self, minor: int) -> None:
        config = {"image": "r/config:1", "enableModelcar": True}
        assert initializer("oci://r/m:1", minor, SHIPPED, config=config) == ""

    @pytest.mark.parametrize("minor", range(12, 21))
    @pytest.mark.parametrize("more", [{"enableModelcar": False}, {}])
    def test_is_the_configs_for_an_image_where_modelcars_are_off(self, more: Json, minor: int) -> None:
        assert initializer("oci://r/m:1", minor, SHIPPED, config={"image": "r/config:1", **more}) == "r/config:1"

    @pytest.mark.parametrize("more", [{"enableOciModelSupport": True}, {"ociModelMode": "native"}], ids=str)
    def test_is_none_for_an_image_by_other_words_of_0_20(self, more: Json) -> None:
        assert initializer("oci://r/m:1", 20, SHIPPED, config={"image": "r/config:1", **more}) == ""

    def test_is_none_for_a_native_image_volume_in_0_20(self) -> None:
        assert initializer("oci+native://r/m:1", 20, SHIPPED) == ""


class TestAgent:
    """Facts 1.3: logger and batcher are the agent's work since 0.5; their own images are not read."""

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize(
        "more", [{"logger": {}}, {"batcher": {}}, {"logger": {"mode": "all"}, "batcher": {}}], ids=str
    )
    def test_is_added_for_them(self, more: Json, minor: int) -> None:
        predictor = {"containers": [{"image": "me/x:1"}], **more}
        assert pod_images(service(predictor), world(minor, CONFIG)) == {"agent": "r/agent:1"}

    @pytest.mark.parametrize("minor", V1BETA1)
    @pytest.mark.parametrize("more", [{}, {"logger": None}, {"minReplicas": 1}], ids=str)
    def test_is_not_added_without_them(self, more: Json, minor: int) -> None:
        assert pod_images(service({"containers": [{"image": "me/x:1"}], **more}), world(minor, CONFIG)) == {}

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_stands_beside_the_storage_initializer(self, minor: int) -> None:
        one = service({**model(storageUri="file://b/m"), "logger": {"mode": "all"}})
        assert pod_images(one, world(minor, CONFIG)) == {"storage-initializer": "r/config:1", "agent": "r/agent:1"}

    @pytest.mark.parametrize("minor", WITH_RUNTIMES)
    def test_is_not_told_where_the_config_has_none(self, minor: int) -> None:
        assert pod_images(service({**model(), "logger": {"mode": "all"}}), World(world(minor).rules, {})) == {}


class TestStorageContainer:
    """What is read of one."""

    REF = ObjectRef(STORAGE_KIND, None, "default")

    def test_is_its_image_and_what_it_supports(self) -> None:
        container = {"name": "storage-initializer", "image": "r/si:1"}
        formats = [{"prefix": "gs://"}, {"regex": "^s3"}, {"prefix": "x://", "regex": "y"}, {}, {"prefix": ""}]
        found = read_storage_container(self.REF, {"spec": {"container": container, "supportedUriFormats": formats}})
        assert found == StorageContainer(
            self.REF, "r/si:1", (("prefix", "gs://"), ("regex", "^s3"), ("prefix", "x://")), True
        )

    @pytest.mark.parametrize(
        ("workload", "init"), [(None, True), ("initContainer", True), ("localModelDownloadJob", False)]
    )
    def test_is_for_init_containers_unless_it_says_otherwise(self, workload: str | None, init: bool) -> None:
        spec = {"container": {"image": "r/si:1"}, **({"workloadType": workload} if workload else {})}
        assert read_storage_container(self.REF, {"spec": spec}).init is init

    def test_is_of_no_account_if_it_is_disabled(self) -> None:
        data = {
            "disabled": True,
            "spec": {"container": {"image": "r/si:1"}, "supportedUriFormats": [{"prefix": "gs://"}]},
        }
        where = world(20, CONFIG, storage=(read_storage_container(self.REF, data),))
        assert pod_images(with_uri("gs://b/m"), where) == {"storage-initializer": "r/config:1"}

    @pytest.mark.parametrize(
        "data", [{}, {"spec": None}, {"spec": {"container": [], "supportedUriFormats": {}}}], ids=str
    )
    def test_may_be_anything(self, data: Json) -> None:
        assert read_storage_container(self.REF, data) == StorageContainer(self.REF, "", (), True)


SEVERAL: Json = {"storageUris": [{"uri": "gs://b/m", "mountPath": "/mnt/models/a"}, {"uri": "x://y"}]}


class TestSeveralModels:
    """Models that are fetched at once are a matter of the storage container, from 0.16 on."""

    @pytest.mark.parametrize("minor", range(16, 21))
    def test_need_one_that_can(self, minor: int) -> None:
        one = service({**OWN, **SEVERAL})
        able = SHIPPED._replace(several=True)
        assert resolve(one, world(minor, CONFIG, storage=(able,)))["predictor"].problem == ""
        assert resolve(one, world(minor, CONFIG))["predictor"].problem == ""
        why = resolve(one, world(minor, CONFIG, storage=(SHIPPED,)))["predictor"].problem
        assert why == "clusterstoragecontainer default fetches no several models (supportsMultiModelDownload)"

    @pytest.mark.parametrize("minor", range(11, 21))
    def test_are_unknown_to_0_15(self, minor: int) -> None:
        one = service({**OWN, **SEVERAL})
        assert bool(resolve(one, world(minor, CONFIG, storage=(SHIPPED,)))["predictor"].problem) is (minor >= 16)

    def test_name_one_in_0_20(self) -> None:
        able = SHIPPED._replace(several=True)
        where = world(20, CONFIG, storage=(able,))
        named = {**OWN, **SEVERAL, "storageContainerName": "default"}
        assert resolve(service(named), where)["predictor"].problem == ""
        other = {**named, "storageContainerName": "other"}
        assert resolve(service(other), where)["predictor"].problem == "there is no storage container other for gs://b/m"

    def test_of_one_model_is_the_image_of_the_one_that_is_named(self) -> None:
        able = storage_container("r/mine:1", "gs://")
        mine = able._replace(ref=ObjectRef(STORAGE_KIND, None, "mine"))
        predictor = {**model(storageUri="gs://b/m"), "storageContainerName": "mine"}
        for minor, image in ((19, "r/container:1"), (20, "r/mine:1")):
            where = world(minor, CONFIG, storage=(SHIPPED, mine))
            assert pod_images(service(predictor), where) == {"storage-initializer": image}
