"""What each KServe release reads from its config: one entry a release, each building on the one before.

Sources are KServe's own, at the tag of the release; see docs/architecture.md for how they were read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from ksconfig.errors import UsageError
from ksconfig.text.json_scanner import fold

Shape = Literal["flat", "protocols"]


class Release(NamedTuple):
    """A KServe release, patch level apart: 0.7 stands for v0.7.0 and all its patches."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> Release:
        """Read ``0.7``, ``v0.7.0`` or ``0.7.0-rc1``.

        Raises:
            UsageError: the text is no version, or one before 0.2.
        """
        match = re.fullmatch(r"v?([0-9]{1,4})\.([0-9]{1,4})(?:[.\-+][0-9A-Za-z.\-+]*)?", text)
        if not match:
            raise UsageError(f'"{text}" is no KServe version', advice="Write it like 0.7 or v0.7.0.")
        release = cls(int(match[1]), int(match[2]))
        if release < OLDEST:
            raise UsageError(f"KServe {release} is older than {OLDEST}, the first that ksconfig knows")
        return release


OLDEST = Release(0, 2)


class Rules(NamedTuple):
    """The rules of one release.

    Attributes:
        keys: the keys of ``data`` that its manifests ship, and so all that a whole config has.
        frameworks: the frameworks that its code reads from ``predictors``, and in which shape (v1beta1/configmap.go).
        predictors: what they decide: every image of a framework ("decide"), the images of services not yet converted
            to the new form and the GPU tag ("leftovers"), or nothing ("unread").
        explainers: the explainers it reads.
        images: the keys whose one-string image it reads.
        version_list: whether a tag must stand in ``allowedImageVersions`` (v1alpha2/framework_*.go).
        gpu_tags: the frameworks whose tag must hold ``-gpu`` exactly for services with a GPU (validateGPU).
        v1alpha2: whether its controller is that of the API v1alpha2, which panics where later ones return errors.
        recovers: whether a panic of the controller is recovered, and does not end the process (controller-runtime).
        without_deploy: what it does without the key ``deploy``: it does not read it, exits in the end, deploys with
            Knative, or reconciles nothing (cmd/manager/main.go, reconcilers/factory.go).
        reconciles_storage: whether every reconcile parses ``storageInitializer``, quantities included.
        modelcars: when the quantities of modelcars must parse: never read, for pods that use them, always, or if given
            (pkg/webhook/admission/pod/storage_initializer_injector.go).
        one_priority: whether admission wants one priority for all entries of a format in a runtime.
        blocked_env: the environment variables that admission refuses in runtimes.
        runtimes: whether it has ServingRuntimes.
        crds: the custom resources that came with it or before it, by their plural name; ``servingruntimes/priority`` is
            a field of one.
        group: the API group of its custom resources.
        named_container: whether the serving container is the one named ``kserve-container``; else it is the first.
        protocol_filter: whether a runtime must speak the protocol of a service ("always", unset meaning v1), only of
            one that names it ("named"), or need not ("never") (v1beta1/predictor_model.go).
        priorities: whether the priority of a format orders the runtimes that fit.
        worker_runtimes: whether runtimes with workers are kept for services with workers.
        cuts_at_first_colon: whether a runtimeVersion replaces all behind the first colon of an image, ports included
            (UpdateImageTag in controller/v1beta1/inferenceservice/utils/utils.go).
        gpu_suffix: the servers whose tag gets ``-gpu`` for services with a GPU (UpdateImageTag).
        cpu_suffix: the servers whose repository gets ``-cpu`` for services without one.
        server_types: whether the annotation ``serving.kserve.io/server-type`` tells the server, before the name does.
        keeps_digests: whether an image with a digest is left alone by the rules of tags.
        storage_containers: whether a ClusterStorageContainer comes before ``storageInitializer``.
        modes: the values of ``deploy.defaultDeploymentMode`` that it starts with; empty where it does not read it.
        ingress_required: the fields of ``ingress`` without which it reconciles nothing (NewIngressConfig).
        gateway_api: whether ``ingress.enableGatewayApi`` makes ``kserveIngressGateway`` required.
        start_keys: the keys that its main reads at the start, and exits if it cannot.
        converts: what admission makes of a framework's block of a predictor: it stays, becomes ``model`` with the name
            of a runtime, or ``model`` without one (v1beta1/inference_service_defaults.go).
        v2_frameworks: the frameworks whose ``model`` gets protocol v2 if their block names none.
        v2_formats: the formats whose ``model`` does.
        own_images: the explainers whose own ``image`` counts (v1beta1/explainer_*.go).
        mig_is_gpu: whether limits whose name begins with ``nvidia.com/mig`` are a GPU (pkg/utils/utils.go).
        keeps_mode: whether the deployment mode in a service's status comes first.
        stops: whether the annotation ``serving.kserve.io/stop`` takes a service's workload away: never, only that of
            Knative, or always.
        auto_update_off: whether ``serving.kserve.io/disable-auto-update`` keeps a ready service from every reconcile.
        named_predictor: whether the predictor among several containers is the one named ``kserve-container``.
        no_block_names: whether admission refuses a name in a framework's block or ``model``.
        storage_uris: the beginnings that a ``storageUri`` may have, storage containers apart.
        storage_uris_at: who looks at them: admission, or the controller.
        storage_specs: whether a model may be named by ``storage``.
        several_uris: whether it may be named by several ``storageUris``.
        names_storage: whether a service may name its storage container.
        mounts_volumes: whether a volume that holds a model is mounted without copying, whatever the config says.
        collocates: whether a predictor may have a transformer in its pod, beside the container named
            ``kserve-container``, which then names the model.
        mode_names: the present names of ways of deployment that have old ones.
        renames_modes: whether admission writes the present name for an old one.
        refuses_knative: whether its webhook refuses the controller's first update of a service whose annotation says
            Knative, so that nothing comes of it (validateDeploymentMode takes an empty status for the other way).
        checks_mode: whether a way of deployment that it does not know stops the controller.
        autoscaler_classes: the values that ``serving.kserve.io/autoscalerClass`` may have; empty: any.
        scaled_by_annotations: whether the other annotations on scaling are looked at, too.
        pod_metrics: the metrics that they may name.
        scales_components: whether the fields of components on scaling are looked at.
        strategies: whether services on Knative may have no ``deploymentStrategy``.
        worker_storage: where the model of a service with workers may be.
        canaries: whether a service may have several predictors under ``canary``.
        host_templates: whether the host names of services without Knative are made before their Deployments.
        short_names: whether workloads are named without ``-default`` at the end.
        lends_by_config: whether the config says which resources admission writes into containers that lack them.
    """

    release: Release
    keys: frozenset[str]
    frameworks: Mapping[str, Shape]
    predictors: Literal["decide", "leftovers", "unread"]
    explainers: frozenset[str]
    images: frozenset[str]
    version_list: bool = False
    gpu_tags: frozenset[str] = frozenset()
    v1alpha2: bool = True
    recovers: bool = False
    without_deploy: Literal["unread", "exits", "knative", "unreconciled"] = "unread"
    reconciles_storage: bool = False
    modelcars: Literal["unread", "used", "required", "given"] = "unread"
    one_priority: bool = False
    blocked_env: frozenset[str] = frozenset()
    runtimes: bool = False
    crds: frozenset[str] = frozenset({"inferenceservices"})
    group: str = "serving.kubeflow.org"
    named_container: bool = False
    protocol_filter: Literal["never", "named", "always"] = "never"
    priorities: bool = False
    worker_runtimes: bool = False
    cuts_at_first_colon: bool = False
    gpu_suffix: frozenset[str] = frozenset()
    cpu_suffix: frozenset[str] = frozenset()
    server_types: bool = False
    keeps_digests: bool = False
    storage_containers: bool = False
    modes: frozenset[str] = frozenset()
    ingress_required: tuple[str, ...] = ()
    gateway_api: bool = False
    start_keys: frozenset[str] = frozenset()
    converts: Literal["never", "named", "bare"] = "never"
    v2_frameworks: frozenset[str] = frozenset()
    v2_formats: frozenset[str] = frozenset()
    own_images: frozenset[str] = frozenset()
    mig_is_gpu: bool = False
    keeps_mode: bool = False
    stops: Literal["never", "knative", "always"] = "never"
    auto_update_off: bool = False
    named_predictor: bool = False
    no_block_names: bool = False
    storage_uris: frozenset[str] = frozenset({"gs://", "s3://", "pvc://", "file://", "https://", "http://"})
    storage_uris_at: Literal["admission", "controller"] = "admission"
    storage_specs: bool = False
    several_uris: bool = False
    names_storage: bool = False
    mounts_volumes: bool = False
    collocates: bool = False
    mode_names: Mapping[str, str] = MappingProxyType({})
    renames_modes: bool = False
    refuses_knative: bool = False
    checks_mode: bool = False
    autoscaler_classes: frozenset[str] = frozenset()
    scaled_by_annotations: bool = False
    pod_metrics: frozenset[str] = frozenset()
    scales_components: bool = False
    strategies: bool = False
    worker_storage: frozenset[str] = frozenset({"pvc"})
    canaries: bool = False
    host_templates: bool = False
    short_names: bool = False
    lends_by_config: bool = False

    def shape_of(self, framework: str) -> Shape | None:
        """The shape in which it reads a framework, whose name may be in any case, as Go's decoder takes it."""
        return next((shape for name, shape in self.frameworks.items() if fold(name) == fold(framework)), None)

    def explains(self, name: str) -> bool:
        """Whether it reads an explainer, whose name may be in any case."""
        return fold(name) in map(fold, self.explainers)

    @property
    def reads(self) -> frozenset[str]:
        """The keys that its code parses at all."""
        extra = {"service"} if "multiNode" in self.start_keys else set()  # both came with 0.15
        return (self.keys - {"_example"}) | self.start_keys | extra


def _flat(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, "flat")


def _protocols(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, "protocols")


_FIRST = Rules(
    release=OLDEST,
    keys=frozenset(
        {"predictors", "transformers", "explainers", "storageInitializer", "credentials", "ingress", "logger"}
    ),
    frameworks=_flat("tensorflow", "tensorrt", "xgboost", "sklearn", "pytorch", "onnx"),
    predictors="decide",
    explainers=frozenset({"alibi"}),
    images=frozenset({"storageInitializer", "logger"}),
    ingress_required=("ingressGateway", "ingressService"),
    version_list=True,
    gpu_tags=frozenset({"tensorflow"}),
)
_V04 = _flat("tensorflow", "triton", "xgboost", "sklearn", "pytorch", "onnx")
_V05 = {**_flat("tensorflow", "triton", "onnx", "pmml", "lightgbm"), **_protocols("sklearn", "xgboost", "pytorch")}
_V06 = {**_V05, **_flat("paddle")}
_KNATIVE = frozenset({"Serverless", "RawDeployment", "ModelMesh"})

# What changes with each minor release. "+x" sets are added to, "-x" sets are taken from the entry before.
_CHANGES: dict[int, dict[str, Any]] = {
    3: {"+gpu_tags": {"pytorch"}},
    4: {"frameworks": _V04, "+keys": {"batcher"}, "+images": {"batcher"}, "version_list": False},
    5: {
        "frameworks": _V05,
        "+keys": {"agent"},
        "images": frozenset({"storageInitializer", "agent"}),
        "+explainers": {"aix", "art"},
        "own_images": frozenset({"alibi"}),
        "+crds": {"trainedmodels"},
        "v1alpha2": False,
    },
    6: {"frameworks": _V06},
    7: {
        "+keys": {"deploy"},
        "modes": _KNATIVE,
        "+start_keys": {"deploy"},
        "without_deploy": "exits",
        "group": "serving.kserve.io",
        "autoscaler_classes": frozenset({"hpa"}),
        "scaled_by_annotations": True,
        "pod_metrics": frozenset({"cpu"}),
    },
    8: {
        # pytorch is flat again in the code of 0.8 and 0.9, although their manifests ship v1 and v2
        "frameworks": {**_V06, "pytorch": "flat"},
        "predictors": "leftovers",
        "runtimes": True,
        "converts": "named",
        "cuts_at_first_colon": True,
        "+crds": {"servingruntimes", "clusterservingruntimes"},
    },
    9: {
        "+keys": {"router"},
        "+images": {"router"},
        "protocol_filter": "named",
        "converts": "bare",
        "v2_frameworks": frozenset({"triton", "onnx"}),
        "+storage_uris": {"hdfs://", "webhdfs://"},
        "cuts_at_first_colon": False,
        "+crds": {"inferencegraphs"},
        "storage_specs": True,
        "+pod_metrics": {"memory"},
        "scales_components": True,
        "host_templates": True,
    },
    10: {
        "frameworks": {},
        "predictors": "unread",
        "gpu_tags": frozenset(),
        "-keys": {"predictors", "transformers"},
        "+keys": {"metricsAggregator"},
        "+start_keys": {"ingress"},
        "gpu_suffix": frozenset({"tensorflow-serving", "torchserve"}),
        "+own_images": {"aix", "art"},
    },
    11: {
        "+keys": {"_example"},
        "-explainers": {"aix"},
        "storage_containers": True,
        "named_container": True,
        "protocol_filter": "always",
        "priorities": True,
        "storage_uris_at": "controller",
        "v2_formats": frozenset({"triton"}),
        "short_names": True,
        "+crds": {"clusterstoragecontainers", "servingruntimes/priority"},
    },
    12: {
        "modelcars": "used",
        "one_priority": True,
        "+storage_uris": {"oci://"},
        "+v2_frameworks": {"huggingface"},
        "collocates": True,
        "+autoscaler_classes": {"external"},
    },
    13: {"-explainers": {"alibi"}, "without_deploy": "knative", "strategies": True},
    14: {
        "+keys": {"localModel", "security"},
        "+images": {"localModel"},
        "ingress_required": ("ingressGateway",),
        "+crds": {"localmodelnodegroups", "clusterlocalmodels"},
    },
    15: {
        "+keys": {"inferenceService", "opentelemetryCollector"},
        "gateway_api": True,
        "+start_keys": {"multiNode"},
        "worker_runtimes": True,
        "recovers": True,
        "+gpu_suffix": {"huggingfaceserver"},
        "+storage_uris": {"hf://"},
        "keeps_mode": True,
        "stops": "knative",
        "named_predictor": True,
        "+autoscaler_classes": {"keda", "none"},
        "scaled_by_annotations": False,
        "lends_by_config": True,
        "+crds": {"localmodelcaches", "localmodelnodes"},
        "-crds": {"clusterlocalmodels"},
    },
    16: {
        "+keys": {"autoscaler"},
        "modes": _KNATIVE | {"Knative", "Standard"},
        "keeps_digests": True,
        "reconciles_storage": True,
        "modelcars": "required",
        "mig_is_gpu": True,
        "auto_update_off": True,
        "stops": "always",
        "no_block_names": True,
        "mode_names": {"RawDeployment": "Standard", "Serverless": "Knative"},
        "several_uris": True,
        "mounts_volumes": True,
        "+worker_storage": {"oci"},
        "+crds": {"llminferenceservices", "llminferenceserviceconfigs"},
    },
    17: {"modelcars": "given", "without_deploy": "unreconciled", "checks_mode": True, "renames_modes": True},
    18: {"+crds": {"localmodelnamespacecaches"}},
    19: {"blocked_env": frozenset({"PYTHONPATH"}), "refuses_knative": True},
    20: {
        "refuses_knative": False,
        "server_types": True,
        "cpu_suffix": frozenset({"vllmserver"}),
        "+v2_formats": {"vLLM"},
        "+storage_uris": {"oci+native://"},
        "canaries": True,
        "names_storage": True,
    },
}


def _build() -> dict[Release, Rules]:
    rules, result = _FIRST, {OLDEST: _FIRST}
    for minor in range(OLDEST.minor + 1, max(_CHANGES) + 1):
        fields: dict[str, Any] = {"release": Release(0, minor)}
        for name, value in _CHANGES.get(minor, {}).items():
            bare = name.lstrip("+-")
            present = fields.get(bare, getattr(rules, bare))
            fields[bare] = present | value if name[0] == "+" else present - value if name[0] == "-" else value
        rules = rules._replace(**fields)
        result[rules.release] = rules
    return result


RULES: Mapping[Release, Rules] = _build()
NEWEST = max(RULES)

#: Frameworks of any release, for telling a name that is merely not here from one that nobody knows.
FRAMEWORKS: frozenset[str] = frozenset(name for rules in RULES.values() for name in rules.frameworks) | {
    "huggingface",
    "vLLM",
    "mlflow",
    "predictive",
    "autogluon",
    "openvino",
}


def rules_of(release: Release) -> Rules:
    """The rules of a release; of one newer than all known, those of the newest."""
    return RULES.get(release) or RULES[NEWEST]._replace(release=release)
