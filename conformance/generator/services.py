"""Cases about what a service says of itself: its framework, image, containers, GPU, protocol, model, and faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.case import Object
from conformance.generator.kit import DIGEST, GPU, IMAGES, MIG, Draft, Kit, container, these

_PROTOCOLS = ("v1", "v2", "grpc-v2")


def framework_fields(kit: Kit) -> Iterator[Draft]:
    """Each framework, as a block and as a model format, with and without a version."""
    for name in kit.blocks:
        yield Draft(kit.block(name))
        yield Draft(kit.block(name, runtimeVersion=kit.pick("1.2.3", "v9", "latest")))
    for name in kit.formats:
        yield Draft(kit.model(name))
    for name in kit.formats[::2]:
        yield Draft(kit.model(name, runtimeVersion=kit.pick("1.2.3", "v9", "nightly-2")))
    first, second = kit.random.sample(kit.blocks, 2)
    yield Draft({**kit.block(first), **kit.block(second)})
    yield Draft({**kit.block(first), "containers": [container("me/own:1")]})
    yield Draft({})
    yield Draft({"minReplicas": 1})
    if kit.rules.runtimes:
        yield Draft({**kit.block(first), **kit.model(second)})
        yield Draft(kit.model("no-such-format"))
        yield Draft(kit.model("Sklearn"))
        yield Draft({"model": {"storageUri": kit.uri(), "modelFormat": {"name": ""}}})


def explicit_image(kit: Kit) -> Iterator[Draft]:
    """An image of the service's own, alone, with a version, with a GPU."""
    for image in IMAGES:
        for version in these({}, {"runtimeVersion": kit.pick("v9", "2.0", "1.0-gpu")}):
            name = kit.pick(*kit.blocks)
            gpu = GPU if name in kit.rules.gpu_tags and "-gpu" in str(version) else {}
            plain = name not in kit.rules.gpu_tags or "-gpu" in str(version) or not version
            yield Draft(kit.of(name, image=image, **(version if plain else {"runtimeVersion": "v9"}), **gpu))
    for name in ("tensorflow", "pytorch", "sklearn"):
        for image in IMAGES[:1] + IMAGES[3:5]:
            yield Draft(kit.of(name, image=image, **GPU))
    yield Draft(kit.of("tensorflow", image="tensorflow/serving:1.0", **GPU))
    yield Draft(kit.of("tensorflow", image="me/tf:1-gpu", **GPU))
    yield Draft(kit.of("sklearn", image=""))
    for image in IMAGES[::2]:
        yield Draft(kit.of("sklearn", image=image, storageUri="ftp://models/m"))
        yield Draft({**kit.block("xgboost", image=image), "containers": [container(image)]})
    yield Draft({**kit.of("sklearn", image="me/own:1"), "containerConcurrency": -1})


def custom_containers(kit: Kit) -> Iterator[Draft]:
    """Containers of the service's own, which KServe uses as given."""
    for image in IMAGES[::2]:
        yield Draft({"containers": [container(image)]})
    yield Draft({"containers": [container("me/own:1", **GPU)]})
    yield Draft({"containers": [{"image": "me/own:1", "name": "predictor"}]})
    yield Draft({"containers": [container("me/first:1"), container("me/second:1", name="sidecar")]})
    yield Draft({"containers": [container("me/first:1", name="sidecar"), container("me/second:1")]})
    yield Draft({"containers": [container("me/first:1", name="a"), container("me/second:1", name="b")]})
    two = [container("me/second:1", name="sidecar"), container("me/third:1", name="sidecar")]
    yield Draft({"containers": [container("me/first:1"), *two]})
    yield Draft({"containers": [container("me/own:1", env=[{"name": "PROTOCOL", "value": kit.pick("v1", "v2")}])]})
    yield Draft({"containers": [container("me/own:1", env=[{"name": "PROTOCOL", "value": "v3"}])]})
    uri = {"name": "STORAGE_URI", "value": kit.uri()}
    yield Draft({"containers": [container("me/own:1", env=[uri])]})
    yield Draft({"containers": [container("me/own:1", env=[{**uri, "value": "ftp://models/m"}])]})


def gpu(kit: Kit) -> Iterator[Draft]:
    """Services with limits that KServe takes for a GPU, or not, and versions that fit them, or not."""
    for name in kit.blocks:
        yield Draft(kit.of(name, **GPU))
    for name in ("tensorflow", "pytorch"):
        yield Draft(kit.of(name, **MIG))
        yield Draft(kit.of(name, resources={"limits": {"nvidia.com/gpu": "0"}}))
        yield Draft(kit.of(name, resources={"limits": {"amd.com/gpu": "1"}}))
        yield Draft(kit.of(name, resources={"requests": {"cpu": "1"}, "limits": {"cpu": "2", "nvidia.com/gpu": "2"}}))
        yield Draft(kit.block(name, runtimeVersion="9.9-gpu", **GPU))
        yield Draft(kit.block(name, runtimeVersion="9.9", **GPU))
        yield Draft(kit.block(name, runtimeVersion="9.9-gpu"))
        yield Draft(kit.block(name, runtimeVersion="9.9-gpu", **MIG))
    for name in kit.formats:
        if name not in kit.blocks:
            yield Draft(kit.model(name, **GPU))


def protocol(kit: Kit) -> Iterator[Draft]:
    """Services that name a protocol."""
    for name in kit.blocks:
        spoken = _PROTOCOLS if name in ("sklearn", "xgboost", "pytorch") else _PROTOCOLS[:2]
        for one in spoken:
            yield Draft(kit.of(name, protocolVersion=one))
    yield Draft(kit.of("sklearn", protocolVersion="v3"))
    yield Draft(kit.of("sklearn", protocolVersion="v2", runtimeVersion="v9"))
    yield Draft(kit.of("xgboost", protocolVersion="v2", **GPU))
    for name in kit.formats:
        if name not in kit.blocks:
            yield Draft(kit.model(name, protocolVersion=kit.pick("v1", "v2")))


def two_servers_of_pytorch(kit: Kit) -> Iterator[Draft]:
    """pytorch has KServe's own server and TorchServe, and a class decides."""
    for named in these({}, {"modelClassName": "Net"}):
        for spoken in these({}, {"protocolVersion": "v1"}, {"protocolVersion": "v2"}):
            yield Draft(kit.block("pytorch", **named, **spoken))
        yield Draft(kit.block("pytorch", **named, **GPU))
        yield Draft(kit.block("pytorch", **named, runtimeVersion="v9"))
        yield Draft(kit.block("pytorch", **named, runtimeVersion="v9-gpu", **GPU))
        yield Draft(kit.block("pytorch", **named, image="me/torch:1"))


def storage(kit: Kit) -> Iterator[Draft]:
    """Where models are, of which not every beginning is known."""
    known = ("gs", "s3", "pvc", "file", "https", "http")
    for scheme in (*known, "hdfs", "webhdfs", "oci", "hf", "ftp", "oci+native", "git", "S3"):
        yield Draft(kit.of(kit.pick("sklearn", "xgboost", "lightgbm"), storageUri=f"{scheme}://models/m"))
    for uri in (
        "/mnt/models",
        "models/m",
        "",
        "https://account.blob.core.windows.net/container/m",
        "https://blob.core.windows.net/m",
        "abfs://account.blob.core.windows.net/container/m",
    ):
        yield Draft(kit.of("sklearn", storageUri=uri))
    for uri in ("gs://models/m.onnx", "gs://models/m.pt", "gs://models/m", "ftp://models/m.onnx"):
        yield Draft(kit.block("onnx", storageUri=uri))
    for name in ("sklearn", "pytorch", "tensorflow", "triton", "huggingface"):
        if name in kit.blocks:
            yield Draft({name: {}})
    yield Draft({"sklearn": {"protocolVersion": "v2"}})
    for value in ("true", "false"):
        variable = {"name": "MULTI_MODEL_SERVER", "value": value}
        yield Draft({"containers": [container("me/own:1", env=[variable])]})
    if kit.rules.storage_specs:
        for stored in these({"path": "m"}, {"key": "k"}, {"key": "k", "path": "m", "parameters": {"type": "s3"}}):
            yield Draft({"sklearn": {"storage": stored}})
        yield Draft(kit.block("sklearn", storageUri="s3://b/m", storage={"path": "m"}))
    if kit.rules.several_uris:
        one, other = (
            {"uri": "gs://b/m", "mountPath": "/mnt/models/a"},
            {"uri": "s3://b/m", "mountPath": "/mnt/models/b"},
        )
        volume = {"uri": "pvc://claim/m", "mountPath": "/mnt/volume"}
        for several in ([one], [one, other], [one, volume], [volume], [{**one, "mountPath": "/x/a"}, other]):
            yield Draft({"sklearn": {}, "storageUris": several})
        yield Draft({**kit.block("sklearn"), "storageUris": [one]})


def refusals(kit: Kit) -> Iterator[Draft]:
    """What admission refuses of any service."""
    plain = kit.block("sklearn")
    for fields in (
        {"minReplicas": -1},
        {"maxReplicas": -1},
        {"minReplicas": 3, "maxReplicas": 2},
        {"minReplicas": 0, "maxReplicas": 2},
        {"containerConcurrency": -1},
        {"containerConcurrency": 4, "timeout": 30},
    ):
        yield Draft({**plain, **fields})
    yield Draft(plain, name="9-begins-with-a-digit")
    yield Draft(plain, name="has.a.dot")
    yield Draft(plain, name="a")
    yield Draft({"sklearn": {**plain["sklearn"], "name": "mine"}})
    yield Draft(kit.block("sklearn", env=[{"name": "PYTHONPATH", "value": "/x"}]))
    yield Draft({"containers": [container("me/own:1", env=[{"name": "PYTHONPATH", "value": "/x"}])]})
    for arguments in (["--workers=2"], ["--workers=1"], ["--workers"], ["--workers=many"]):
        yield Draft(kit.block("pmml", args=arguments))
    for mode in ("all", "request", "response"):
        yield Draft({**kit.of("sklearn"), "logger": {"mode": mode, "url": "http://log"}})
    yield Draft({**kit.of("sklearn"), "batcher": {"maxBatchSize": 8}})
    two = [container("me/own:1", name="a"), container("me/own:2", name="a")]
    yield Draft({**kit.block("sklearn"), "containers": two})


_QUERY: Object = {"metric": {"backend": "prometheus", "serverAddress": "http://metrics", "query": "up"}}


def _of_resource(name: str, **target: Any) -> Object:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def scaling(kit: Kit) -> Iterator[Draft]:
    """What is said of scaling, in annotations and fields."""
    plain = kit.block("sklearn")
    for class_ in ("hpa", "kpa.autoscaling.knative.dev", "external", "none", "keda", "mine"):
        yield Draft(plain, annotations={"serving.kserve.io/autoscalerClass": class_})
    for metric in ("cpu", "memory", "rps"):
        annotations = {"serving.kserve.io/autoscalerClass": "hpa", "serving.kserve.io/metrics": metric}
        yield Draft(plain, annotations=annotations)
    for share in ("50", "0", "many", "101"):
        yield Draft(plain, annotations={"serving.kserve.io/targetUtilizationPercentage": share})
    if not kit.rules.scales_components:
        return
    hpa = {"serving.kserve.io/autoscalerClass": "hpa"}
    for annotations in these({}, hpa, {"autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev"}):
        for metric, target in (("cpu", 80), ("cpu", 0), ("memory", 200), ("concurrency", 5), ("rps", 0), ("rps", 9)):
            fields = {"scaleMetric": metric, "scaleTarget": target}
            yield Draft({**kit.of("sklearn"), **fields}, annotations=annotations)
    if not kit.rules.scaled_by_annotations:
        for aim in these(
            _of_resource("cpu", type="Utilization", averageUtilization=70),
            _of_resource("cpu", type="Utilization"),
            _of_resource("cpu", type="AverageValue", averageValue="1"),
            _of_resource("memory", type="AverageValue", averageValue="2Gi"),
            _of_resource("memory", type="AverageValue", averageValue="10Ki"),
            {"type": "Resource"},
            {"type": "External", "external": {**_QUERY, "target": {"type": "Value", "value": "5"}}},
            {"type": "External", "external": {**_QUERY, "target": {"type": "AverageValue", "averageValue": "5"}}},
        ):
            named = {"serving.kserve.io/autoscalerClass": kit.pick("keda", "hpa")}
            yield Draft({**kit.of("sklearn"), "autoScaling": {"metrics": [aim]}}, annotations=named)
    if kit.rules.strategies:
        yield Draft({**kit.of("sklearn"), "deploymentStrategy": {"type": "Recreate"}})


def deployment(kit: Kit) -> Iterator[Draft]:
    """Annotations that say how, or whether, a service is deployed."""
    mode = "serving.kserve.io/deploymentMode"
    for value in (
        "Serverless",
        "ModelMesh",
        "Bogus",
        *(("Knative", "Standard") if "Knative" in kit.rules.modes else ()),
    ):
        if kit.rules.modes:
            yield Draft(kit.of("sklearn"), annotations={mode: value})
            yield Draft({"containers": [container("me/own:1")]}, annotations={mode: value})
    yield Draft(kit.of("sklearn"), annotations={"serving.kserve.io/stop": "true"})
    yield Draft(kit.of("sklearn"), annotations={"serving.kserve.io/stop": "false"})
    yield Draft(kit.of("sklearn"), annotations={"serving.kserve.io/disable-auto-update": "true"})


def updates(kit: Kit) -> Iterator[Draft]:
    """What becomes of a stored service that is changed: what admission wrote into it the first time stays."""
    form = "model" if kit.rules.runtimes else "sklearn"
    sklearn = kit.block("sklearn")
    for change in (
        {"runtimeVersion": "v9"},
        {"image": "me/own:2"},
        {"image": f"me/own@{DIGEST}", "runtimeVersion": "v9"},
        {"protocolVersion": "v2"},
        {"protocolVersion": "v2", "runtimeVersion": None},
        {"storageUri": "ftp://models/m"},
        {**GPU},
    ):
        yield Draft(sklearn, then={"spec": {"predictor": {form: change}}})
    form = "model" if kit.rules.runtimes else "tensorflow"
    for change in these({**GPU}, {**GPU, "runtimeVersion": None}, {"runtimeVersion": "8-gpu"}):
        yield Draft(kit.block("tensorflow"), then={"spec": {"predictor": {form: change}}})
    other = {**kit.block("xgboost"), form if kit.rules.runtimes else "sklearn": None}
    yield Draft(sklearn, then={"spec": {"predictor": other}})
    yield Draft(sklearn, then={"spec": {"predictor": {**kit.block("xgboost")}}})
    yield Draft(
        {"containers": [container("me/own:1")]}, then={"spec": {"predictor": {"containers": [container("me/own:2")]}}}
    )


def canary(kit: Kit) -> Iterator[Draft]:
    """A part of the traffic for a change; the newest image is the service's."""
    form = "model" if kit.rules.runtimes else "sklearn"
    for share in (10, 0, 100):
        change: Object = {"canaryTrafficPercent": share, form: {"runtimeVersion": f"v{share}"}}
        yield Draft(kit.block("sklearn"), then={"spec": {"predictor": change}})
    yield Draft({**kit.of("xgboost"), "canaryTrafficPercent": 20})
    for fault in these({"minReplicas": 5, "maxReplicas": 2}, {form: {"storageUri": "ftp://models/m"}}):
        yield Draft(kit.block("sklearn"), then={"spec": {"predictor": {"canaryTrafficPercent": 10, **fault}}})
    change = {"canaryTrafficPercent": 5, "containers": [container("me/own:2")]}
    yield Draft({"containers": [container("me/own:1")]}, then={"spec": {"predictor": change}})


def several_predictors(kit: Kit) -> Iterator[Draft]:
    """Predictors beside the service's, each with a part of the traffic."""
    for variant in these(
        kit.model("sklearn", image="me/canary:1"),
        kit.model("sklearn", runtimeVersion="v9"),
        kit.model("sklearn", **GPU),
        kit.model("xgboost"),
        kit.model("sklearn", runtime="kserve-mlserver"),
        kit.model("sklearn", runtime="no-such-runtime"),
        kit.block("sklearn", image="me/canary:1"),
        {"containers": [container("me/canary:1")]},
        {**kit.model("sklearn"), "maxReplicas": 3},
        {"minReplicas": 1},
    ):
        canary = [{"predictor": {"name": "next", **variant}, "trafficPercent": 10}]
        yield Draft(kit.of("sklearn"), more={"canary": canary})
    named = {"name": "stable", **kit.model("sklearn")}
    yield Draft(named)
    for names in (("a", "b"), ("a", "a"), ("stable",)):
        canary = [
            {"predictor": {"name": name, **kit.model("sklearn", image=f"me/{name}:1")}, "trafficPercent": 40}
            for name in names
        ]
        yield Draft(named, more={"canary": canary})
    too_much = [{"predictor": {"name": name, **kit.model("sklearn")}, "trafficPercent": 60} for name in ("a", "b")]
    yield Draft(kit.of("sklearn"), more={"canary": too_much})
    knative = {"serving.kserve.io/deploymentMode": "Knative"}
    yield Draft(kit.of("sklearn"), annotations=knative, more={"canary": too_much[:1]})
