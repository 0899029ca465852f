"""Sound configs of several releases, and faults to plant in them one at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

RELEASES = (5, 7, 8, 11, 15, 20)
_RESOURCES = {"cpuRequest": "100m", "cpuLimit": "1", "memoryRequest": "100Mi", "memoryLimit": "1Gi"}


def sound_config(minor: int) -> dict[str, Any]:
    """The data of a config of our own making that KServe 0.MINOR works with, parsed."""
    image = {
        name: f"registry.example/kserve/{name}:v0.{minor}.0" for name in ("agent", "router", "storage-initializer")
    }
    server = {"image": "registry.example/kserve/server", "defaultImageVersion": f"v0.{minor}.0"}
    gpu = {**server, "defaultGpuImageVersion": f"v0.{minor}.0-gpu", "defaultTimeout": "60", "multiModelServer": False}
    data: dict[str, Any] = {
        "explainers": {"art": dict(server)},
        "storageInitializer": {"image": image["storage-initializer"], **_RESOURCES},
        "credentials": {"gcs": {"gcsCredentialFileName": "key.json"}, "s3": {"s3AccessKeyIDName": "id"}},
        "ingress": {"ingressGateway": "knative-serving/gateway", "ingressService": "istio.example.svc"},
        "logger": {"image": image["agent"], **_RESOURCES, "defaultUrl": "http://broker"},
        "batcher": {"image": image["agent"], **_RESOURCES},
        "agent": {"image": image["agent"], **_RESOURCES},
    }
    if minor < 10:
        both = {"v1": dict(server), "v2": dict(server)}
        pytorch = {"v1": dict(gpu), "v2": dict(gpu)} if minor < 8 else dict(gpu)
        data["predictors"] = {
            "tensorflow": {**gpu, "supportedFrameworks": ["tensorflow"]},
            **{name: dict(server) for name in ("onnx", "triton", "pmml", "lightgbm", *["paddle"][: minor - 5])},
            "sklearn": both,
            "xgboost": json.loads(json.dumps(both)),
            "pytorch": pytorch,
        }
        data["transformers"] = {}
    if minor >= 7:
        data["deploy"] = {"defaultDeploymentMode": "Serverless"}
        data["ingress"]["ingressDomain"] = "models.example"
    if minor >= 9:
        data["router"] = {"image": image["router"], **_RESOURCES}
        data["ingress"] |= {"domainTemplate": "{{ .Name }}.{{ .IngressDomain }}", "urlScheme": "http"}
    if minor >= 10:
        data["metricsAggregator"] = {"enableMetricAggregation": "false", "enablePrometheusScraping": "false"}
        data["ingress"]["disableIstioVirtualHost"] = False
    if minor >= 14:
        data["localModel"] = {"enabled": True, "jobNamespace": "jobs", "fsGroup": 1000}
        data["security"] = {"autoMountServiceAccountToken": True}
        del data["ingress"]["ingressService"]
    if minor >= 15:
        data["inferenceService"] = {"resource": dict(_RESOURCES)}
        data["opentelemetryCollector"] = {"scrapeInterval": "5s"}
        data["storageInitializer"] |= {"uidModelcar": 1010, "cpuModelcar": "10m", "memoryModelcar": "15Mi"}
        data["router"]["imagePullPolicy"] = "IfNotPresent"
        data["ingress"] |= {"enableGatewayApi": False, "kserveIngressGateway": "kserve/gateway"}
        data["batcher"] |= {"maxBatchSize": "32", "maxLatency": "500"}
    if minor >= 16:
        data["autoscaler"] = {"scaleUpStabilizationWindowSeconds": "0"}
    return data


def texts_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a config's keys."""
    return {key: json.dumps(value, indent=4) for key, value in data.items()}


def manifest_of(texts: Mapping[str, str]) -> str:
    """A manifest that holds these keys."""
    metadata = {"name": "inferenceservice-config", "namespace": "kserve"}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(texts)})


def literal_manifest_of(texts: Mapping[str, str]) -> str:
    """The same as YAML with a literal block for each key, as KServe's own manifests are laid out."""
    lines = ["apiVersion: v1", "kind: ConfigMap", "metadata:", "  name: inferenceservice-config", "data:"]
    for key, text in texts.items():
        lines += [f"  {key}: |-", *(f"    {line}" if line else "" for line in text.rstrip("\n").split("\n"))]
    return "\n".join(lines) + "\n"


Change = Callable[[dict[str, str]], None]


class Planted(NamedTuple):
    """A fault: what plants it, the code and place that `doctor` must name, where it breaks something.

    Attributes:
        releases: the minor releases in whose configs it can be planted.
        breaks: those of them in which it breaks something.
    """

    name: str
    change: Change
    code: str
    path: str
    releases: tuple[int, ...] = RELEASES
    breaks: tuple[int, ...] = RELEASES


def _text(key: str, change: Callable[[str], str]) -> Change:
    return lambda texts: texts.update({key: change(texts[key])})


def _json(key: str, change: Callable[[Any], Any]) -> Change:
    def make(texts: dict[str, str]) -> None:
        data = json.loads(texts[key])
        change(data)
        texts[key] = json.dumps(data, indent=4)

    return make


def _set(path: str, value: Any) -> Change:
    key, *steps = path.split(".")

    def change(data: Any) -> None:
        for step in steps[:-1]:
            data = data[step]
        data[steps[-1]] = value

    return _json(key, change)


def _remove(path: str) -> Change:
    key, *steps = path.split(".")

    def change(data: Any) -> None:
        for step in steps[:-1]:
            data = data[step]
        del data[steps[-1]]

    return _json(key, change)


def _rename(path: str, new: str) -> Change:
    key, *steps = path.split(".")

    def change(data: Any) -> None:
        for step in steps[:-1]:
            data = data[step]
        data[new] = data.pop(steps[-1])

    return _json(key, change)


def _both(*changes: Change) -> Change:
    def make(texts: dict[str, str]) -> None:
        for change in changes:
            change(texts)

    return make


def _swallow(key: str, other: str) -> Change:
    return lambda texts: texts.update({key: f"{texts[key]}\n{other}: |-\n  {texts.pop(other)}"})


def _lose(key: str) -> Change:
    return lambda texts: texts.__delitem__(key)


def _call(key: str, new: str) -> Change:
    return lambda texts: texts.update({new: texts.pop(key)})


OLD, FRAMEWORKS, SINCE_7, NEW, NEWER = (5, 7), (5, 7, 8), (7, 8, 11, 15, 20), (11, 15, 20), (15, 20)

FAULTS = (
    # JSON that does not parse
    Planted("trailing comma", _text("agent", lambda t: t.rstrip("} \n") + ',\n    "x": "y",\n}'), "broken-json", "agent"),
    Planted("comment", _text("ingress", lambda t: t.replace("{", "{ // the gateway", 1)), "broken-json", "ingress"),
    Planted("single quotes", _text("logger", lambda t: t.replace('"', "'")), "broken-json", "logger"),
    Planted("no closing brace", _text("credentials", lambda t: t.rstrip()[:-1]), "broken-json", "credentials"),
    Planted("empty text", _text("explainers", lambda t: ""), "broken-json", "explainers"),
    Planted("byte order mark", _text("storageInitializer", "\ufeff".__add__), "broken-json", "storageInitializer"),
    Planted("text behind", _text("batcher", lambda t: t + " true"), "broken-json", "batcher"),
    Planted("swallowed logger", _swallow("explainers", "logger"), "swallowed-key", "explainers"),
    Planted("swallowed metrics", _swallow("router", "metricsAggregator"), "swallowed-key", "router", NEW),
    Planted("null ingress", _text("ingress", lambda t: "null"), "null-key", "ingress"),
    Planted("null agent", _text("agent", lambda t: "null"), "null-key", "agent"),
    # JSON types
    Planted("array", _text("logger", lambda t: "[]"), "wrong-type", "logger"),
    Planted("boolean flag", _set("metricsAggregator.enableMetricAggregation", False), "wrong-type",
            "metricsAggregator.enableMetricAggregation", NEW),
    Planted("string for boolean", _set("ingress.disableIstioVirtualHost", "false"), "wrong-type",
            "ingress.disableIstioVirtualHost", NEW),
    Planted("string multiModelServer", _set("predictors.tensorflow.multiModelServer", "true"), "wrong-type",
            "predictors.tensorflow.multiModelServer", FRAMEWORKS),
    Planted("number timeout", _set("predictors.tensorflow.defaultTimeout", 60), "wrong-type",
            "predictors.tensorflow.defaultTimeout", FRAMEWORKS),
    Planted("timeout with unit", _set("predictors.tensorflow.defaultTimeout", "60s"), "wrong-type",
            "predictors.tensorflow.defaultTimeout", FRAMEWORKS),
    Planted("string list", _set("predictors.tensorflow.supportedFrameworks", "tensorflow"), "wrong-type",
            "predictors.tensorflow.supportedFrameworks", FRAMEWORKS, (7, 8)),  # 0.5 ships it and does not read it
    Planted("number quantity", _set("agent.cpuLimit", 1), "wrong-type", "agent.cpuLimit"),
    Planted("string secrets", _set("router.imagePullSecrets", "pull"), "wrong-type", "router.imagePullSecrets", NEWER),
    Planted("string uid", _set("storageInitializer.uidModelcar", "1010"), "wrong-type",
            "storageInitializer.uidModelcar", NEWER),
    Planted("boolean https", _set("credentials.s3.s3UseHttps", True), "wrong-type", "credentials.s3.s3UseHttps"),
    Planted("number batch size", _set("batcher.maxBatchSize", 32), "wrong-type", "batcher.maxBatchSize", NEWER),
    Planted("string group", _set("localModel.fsGroup", "1000"), "wrong-type", "localModel.fsGroup", NEWER),
    Planted("number window", _set("autoscaler.scaleUpStabilizationWindowSeconds", 5), "wrong-type",
            "autoscaler.scaleUpStabilizationWindowSeconds", (20,)),
    # what is missing
    Planted("no gateway", _remove("ingress.ingressGateway"), "missing-field", "ingress.ingressGateway"),
    Planted("no service", _remove("ingress.ingressService"), "missing-field", "ingress.ingressService", (5, 7, 8, 11)),
    Planted("no mode", _set("deploy.defaultDeploymentMode", ""), "missing-field", "deploy.defaultDeploymentMode",
            SINCE_7),
    Planted("no gateway of the Gateway API",
            _both(_set("ingress.enableGatewayApi", True), _remove("ingress.kserveIngressGateway")), "missing-field",
            "ingress.kserveIngressGateway", NEWER),
    Planted("paths without domain",
            _both(_set("ingress.pathTemplate", "/{{ .Name }}"), _set("ingress.ingressDomain", "")), "missing-field",
            "ingress.ingressDomain", NEW),
    Planted("no quantity", _remove("batcher.cpuLimit"), "missing-field", "batcher.cpuLimit"),
    Planted("empty quantity", _set("storageInitializer.memoryLimit", ""), "missing-field",
            "storageInitializer.memoryLimit"),
    Planted("no image", _remove("agent.image"), "missing-field", "agent.image"),
    Planted("no explainer version", _remove("explainers.art.defaultImageVersion"), "missing-field",
            "explainers.art.defaultImageVersion"),
    Planted("no version", _remove("predictors.onnx.defaultImageVersion"), "missing-field",
            "predictors.onnx.defaultImageVersion", FRAMEWORKS, OLD),
    Planted("no v1", _remove("predictors.sklearn.v1"), "missing-field", "predictors.sklearn.v1", OLD),
    Planted("no namespace of jobs", _both(_set("localModel.enabled", True), _set("localModel.jobNamespace", "")),
            "missing-field", "localModel.jobNamespace", NEWER),
    Planted("no logger", _lose("logger"), "missing-key", "logger"),
    Planted("no router", _lose("router"), "missing-key", "router", NEW),
    Planted("no predictors", _lose("predictors"), "missing-key", "predictors", FRAMEWORKS, OLD),
    Planted("no deploy", _lose("deploy"), "missing-key", "deploy", SINCE_7, (7, 8, 11, 20)),
    Planted("empty predictors", _text("predictors", lambda t: "{}"), "missing-field", "predictors", OLD),
    Planted("no framework", _remove("predictors.sklearn"), "missing-framework", "predictors.sklearn", OLD, ()),
    Planted("null framework", _set("predictors.sklearn", None), "missing-field", "predictors.sklearn", OLD),
    Planted("null v1", _set("predictors.xgboost.v1", None), "missing-field", "predictors.xgboost.v1", OLD),
    # values
    Planted("mode in lower case", _set("deploy.defaultDeploymentMode", "serverless"), "bad-value",
            "deploy.defaultDeploymentMode", SINCE_7),
    Planted("mode of a later release", _set("deploy.defaultDeploymentMode", "Standard"), "bad-value",
            "deploy.defaultDeploymentMode", (7, 8, 11, 15)),
    Planted("gateway without namespace",
            _both(_set("ingress.enableGatewayApi", True), _set("ingress.kserveIngressGateway", "gateway")), "bad-value",
            "ingress.kserveIngressGateway", NEWER),
    Planted("quantity with a space", _set("storageInitializer.memoryLimit", "1 Gi"), "bad-quantity",
            "storageInitializer.memoryLimit"),
    Planted("unit in lower case", _set("router.memoryLimit", "1gi"), "bad-quantity", "router.memoryLimit", NEW),
    Planted("quantity of services", _set("inferenceService.resource.cpuLimit", "one"), "bad-quantity",
            "inferenceService.resource.cpuLimit", NEWER),
    Planted("quantity of modelcars", _set("storageInitializer.memoryModelcar", "15 Mi"), "bad-quantity",
            "storageInitializer.memoryModelcar", NEWER),
    Planted("request over limit", _set("agent.memoryRequest", "2Gi"), "request-over-limit", "agent.memoryRequest"),
    Planted("interval in words", _set("opentelemetryCollector.scrapeInterval", "5 seconds"), "bad-value",
            "opentelemetryCollector.scrapeInterval", NEWER),
    Planted("interval without unit", _set("logger.batchInterval", "5"), "bad-value", "logger.batchInterval", (20,)),
    Planted("window with unit", _set("autoscaler.scaleUpStabilizationWindowSeconds", "5m"), "bad-value",
            "autoscaler.scaleUpStabilizationWindowSeconds", (20,), ()),
    Planted("pull policy in lower case", _set("router.imagePullPolicy", "always"), "bad-value",
            "router.imagePullPolicy", NEWER),
    Planted("scheme", _set("ingress.urlScheme", "htps"), "bad-value", "ingress.urlScheme", NEW, ()),
    Planted("template not closed", _set("ingress.domainTemplate", "{{ .Name }.{{ .IngressDomain }}"), "bad-value",
            "ingress.domainTemplate", NEW),
    Planted("template of an unknown field", _set("ingress.domainTemplate", "{{ .Nam }}.{{ .IngressDomain }}"),
            "bad-value", "ingress.domainTemplate", NEW),
    Planted("template without its end", _set("ingress.domainTemplate", "{{ if .Name }}a.{{ .IngressDomain }}"),
            "bad-value", "ingress.domainTemplate", NEW),
    Planted("template of a function", _set("ingress.domainTemplate", "{{ name }}.{{ .IngressDomain }}"),
            "bad-value", "ingress.domainTemplate", NEW),
    Planted("path without slash", _set("ingress.pathTemplate", "serving/{{ .Name }}"), "bad-value",
            "ingress.pathTemplate", NEW),
    Planted("flag in upper case", _set("metricsAggregator.enableMetricAggregation", "True"), "bad-value",
            "metricsAggregator.enableMetricAggregation", NEW, ()),
    Planted("timeout of 65 bits", _set("predictors.tensorflow.defaultTimeout", "9" * 19), "wrong-type",
            "predictors.tensorflow.defaultTimeout", FRAMEWORKS),
    Planted("mode of OCI models", _set("storageInitializer.ociModelMode", "car"), "bad-value",
            "storageInitializer.ociModelMode", (20,)),
    Planted("mode of routing", _set("ingress.modelBasedRoutingMode", "on"), "bad-value",
            "ingress.modelBasedRoutingMode", (20,), ()),
    # names
    Planted("misspelt key", _call("storageInitializer", "storageInitialiser"), "misspelt-key", "storageInitialiser"),
    Planted("misspelt field", _rename("agent.image", "imgae"), "misspelt-field", "agent.imgae", breaks=()),
    Planted("misspelt framework", _rename("predictors.xgboost", "xgbost"), "misspelt-name", "predictors.xgbost",
            FRAMEWORKS, OLD),
    Planted("resources of a framework", _set("predictors.tensorflow.resources", {}), "unknown-field",
            "predictors.tensorflow.resources", FRAMEWORKS, ()),
    Planted("misspelt explainer", _rename("explainers.art", "arts"), "misspelt-name", "explainers.arts"),
    Planted("a name twice", _text("agent", lambda t: t.replace("{", '{"image": "a:1",', 1)), "duplicate-name",
            "agent.image", breaks=()),
    Planted("a name in two cases", _text("agent", lambda t: t.replace("{", '{"IMAGE": "a:1",', 1)), "duplicate-name",
            "agent.image", breaks=()),
    # images
    Planted("upper case", _set("agent.image", "registry.example/Agent:1"), "no-reference", "agent.image"),
    Planted("a URL", _set("router.image", "http://registry.example/router:1"), "no-reference", "router.image", NEW),
    Planted("two tags", _set("predictors.tensorflow.image", "tensorflow/serving:1"), "no-reference",
            "predictors.tensorflow.image", FRAMEWORKS, OLD),
    Planted("GPU tag", _set("predictors.tensorflow.defaultGpuImageVersion", "1.14.0"), "gpu-rule",
            "predictors.tensorflow.defaultGpuImageVersion", OLD),
    Planted("GPU tag for all", _set("predictors.tensorflow.defaultImageVersion", "1.14.0-gpu"), "gpu-rule",
            "predictors.tensorflow.defaultImageVersion", OLD),
    # shapes and keys of other releases
    Planted("sklearn flat", _json("predictors", lambda d: d.update(sklearn=d["sklearn"]["v1"])), "unread-shape",
            "predictors.sklearn", FRAMEWORKS, OLD),
    Planted("pytorch flat", _json("predictors", lambda d: d.update(pytorch=d["onnx"])), "unread-shape",
            "predictors.pytorch", OLD),
    Planted("pytorch nested", _json("predictors", lambda d: d.update(pytorch={"v1": d["onnx"]})), "unread-shape",
            "predictors.pytorch.v1", (8,), ()),
    Planted("tensorflow nested", _json("predictors", lambda d: d.update(tensorflow={"v1": d["onnx"]})), "unread-shape",
            "predictors.tensorflow.v1", FRAMEWORKS, OLD),
    Planted("a field that comes later", _set("ingress.enableGatewayApi", True), "unread-field",
            "ingress.enableGatewayApi", (7, 8, 11), ()),
    Planted("predictors left over", lambda texts: texts.update(predictors="{}"), "unread-key", "predictors", NEW, ()),
)  # fmt: skip
