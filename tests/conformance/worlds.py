"""Small worlds that are like the shipped ones of some releases, so that cases can be made without a cluster."""

from __future__ import annotations

import json
from typing import Any

from conformance.predict import world_of
from ksconfig.model.services.world import World

_FRAMEWORKS = ("tensorflow", "onnx", "triton", "pmml", "lightgbm", "paddle")
_NESTED = ("sklearn", "xgboost", "pytorch")
#: Servers by name: the formats they list, the protocols they speak.
_SERVERS = {
    "lgbserver": ("lightgbm", "v1"),
    "mlserver": ("sklearn xgboost lightgbm mlflow", "v2"),
    "paddleserver": ("paddle", "v1"),
    "pmmlserver": ("pmml", "v1"),
    "sklearnserver": ("sklearn", "v1"),
    "tensorflow-serving": ("tensorflow", "v1"),
    "torchserve": ("pytorch", "v1 v2"),
    "tritonserver": ("tensorrt tensorflow onnx pytorch triton", "v2"),
    "xgbserver": ("xgboost", "v1"),
}
_LATER = {"huggingfaceserver": ("huggingface", "v1 v2"), "vllmserver": ("vLLM", "v2")}


def shipped_like(release: str) -> World:
    """A world of a release: 0.7.0, 0.8.0, 0.20.0."""
    minor = int(release.split(".")[1])
    block = {"image": "r/x", "defaultImageVersion": "1", "defaultGpuImageVersion": "1-gpu"}
    nested = {"v1": block, "v2": {**block, "image": "r/x2"}}
    config = {
        "predictors": {**dict.fromkeys(_FRAMEWORKS, block), **dict.fromkeys(_NESTED, nested)} if minor < 10 else {},
        "explainers": dict.fromkeys(("alibi", "aix", "art"), block),
        "deploy": {"defaultDeploymentMode": "Serverless" if minor < 15 else "Standard"},
    }
    servers = {} if minor < 8 else _SERVERS if minor < 12 else {**_SERVERS, **_LATER}
    runtimes = [_runtime(name, *of, minor) for name, of in servers.items()]
    return world_of(release, {key: json.dumps(value) for key, value in config.items()}, runtimes)


def _runtime(server: str, formats: str, protocols: str, minor: int) -> dict[str, Any]:
    entries = []
    for name in formats.split():
        auto = server not in ("mlserver", "tritonserver") or name in ("triton", "onnx", "mlflow") or minor >= 9
        entry: dict[str, Any] = {"name": name, "version": "1"} | ({"autoSelect": True} if auto else {})
        if minor >= 11:
            entry["priority"] = 2 if server == "mlserver" else 1
        entries.append(entry)
    spec = {
        "supportedModelFormats": entries,
        "containers": [{"name": "kserve-container", "image": f"kserve/{server}:v1"}],
        **({"protocolVersions": protocols.split()} if minor >= 9 else {}),
    }
    metadata = {"name": f"kserve-{server}", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"kind": "ClusterServingRuntime", "metadata": metadata, "spec": spec}
