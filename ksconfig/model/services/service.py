"""An InferenceService as KServe looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ksconfig.model.plain import mapping, sequence, string
from ksconfig.model.plan import ObjectRef
from ksconfig.model.releases import FRAMEWORKS, Rules

KIND = "InferenceService"
DEPLOYMENT_MODE = "serving.kserve.io/deploymentMode"
AUTO_UPDATE_OFF = "serving.kserve.io/disable-auto-update"
STOPPED = "serving.kserve.io/stop"
MODELMESH = "ModelMesh"
#: The blocks of a predictor that name a framework; v1beta1's, and "tensorrt" of v1alpha2.
BLOCKS = tuple(sorted(FRAMEWORKS - {"vLLM", "mlflow", "predictive", "autogluon", "openvino"}))
#: The blocks of an explainer.
EXPLAINERS = ("alibi", "aix", "art")
_GPU = "nvidia.com/gpu"
_MIG = "nvidia.com/mig"


class Service(NamedTuple):
    """An InferenceService.

    Attributes:
        api: "v1alpha2", "v1beta1".
        metadata, spec, status: as they stand.
    """

    namespace: str
    name: str
    api: str
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        return ObjectRef(KIND, self.namespace or None, self.name)

    @property
    def annotations(self) -> Mapping[str, Any]:
        """Its annotations."""
        return mapping(self.metadata.get("annotations"))

    @property
    def predictor(self) -> Mapping[str, Any]:
        """Its predictor (v1beta1)."""
        return mapping(self.spec.get("predictor"))

    @property
    def ready(self) -> bool:
        """Whether its status says Ready."""
        return any(
            one.get("type") == "Ready" and one.get("status") == "True"
            for one in map(mapping, sequence(self.status.get("conditions")))
        )


def read_service(obj: Mapping[str, Any]) -> Service:
    """A service from its object; what is not of the type it must be counts as absent."""
    metadata = mapping(obj.get("metadata"))
    return Service(
        string(metadata.get("namespace")) or "",
        string(metadata.get("name")) or "",
        str(obj.get("apiVersion", "")).rpartition("/")[2],
        metadata,
        mapping(obj.get("spec")),
        mapping(obj.get("status")),
    )


def blocks(component: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    """The names of those blocks of a component that are there; an empty block counts."""
    return (name for name in names if isinstance(component.get(name), Mapping))


def containers(component: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of a component's own."""
    return [mapping(one) for one in sequence(component.get("containers"))]


def limits(container: Mapping[str, Any]) -> frozenset[str]:
    """The names of a container's resource limits."""
    found = container.get("resources")
    if not found:
        return frozenset()
    return frozenset(mapping(mapping(found).get("limits")))


def has_gpu(names: frozenset[str], rules: Rules) -> bool:
    """Whether KServe takes these limits for a GPU: by their names, whatever their values (IsGPUEnabled)."""
    if not names:
        return False
    return _GPU in names or (rules.mig_is_gpu and any(name.startswith(_MIG) for name in names))


def deployment_mode(service: Service, rules: Rules, deploy: Mapping[str, Any]) -> str:
    """How a service is deployed: "Knative", "Standard", or "ModelMesh", by whatever name its release has for it.

    From its status where the release keeps to that (0.15 on), else its annotation, else the config (GetDeploymentMode).
    """
    given = service.annotations.get(DEPLOYMENT_MODE)
    kept = service.status.get("deploymentMode") if rules.keeps_mode else None
    for mode in (kept, given if given in rules.modes else None, deploy.get("defaultDeploymentMode")):
        if mode:
            return {"Serverless": "Knative", "RawDeployment": "Standard"}.get(str(mode), str(mode))
    return "Knative"
