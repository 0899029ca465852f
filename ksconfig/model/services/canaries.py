"""The further predictors that a service may have from 0.20 on, under ``canary``, each with a Deployment of its own.

From ``validateCanarySpecs`` (v1beta1/inference_service_validation.go) and ``reconcileCanaryDeployments``
(components/predictor.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ksconfig.model.plain import mapping, sequence
from ksconfig.model.releases import Rules
from ksconfig.model.runtimes import Runtime
from ksconfig.model.services.service import DEPLOYMENT_MODE, Service

_SCALING = ("scaleTarget", "scaleMetric", "autoScaling")
_PROTOCOLS = ("v1", "v2", "grpc-v1", "grpc-v2")


def canaries(service: Service, rules: Rules) -> list[Mapping[str, Any]]:
    """The entries of ``canary``, in a release that knows them."""
    return [mapping(one) for one in sequence(service.spec.get("canary"))] if rules.canaries else []


def canary_faults(service: Service, rules: Rules) -> Iterator[str]:
    """What is wrong with them, exactness of each one's predictor apart."""
    found = canaries(service, rules)
    if not found:
        return
    if service.annotations.get(DEPLOYMENT_MODE) != "Standard":
        yield "canaries are for services that are deployed without Knative"
    names = [str(service.predictor.get("name") or "")]
    for one in found:
        predictor = mapping(one.get("predictor"))
        name = str(predictor.get("name") or "")
        if not name or name in names:
            yield f"a canary's predictor has a name of its own, and not {name or 'none'}"
        names.append(name)
        if "workerSpec" in predictor or predictor.get("maxReplicas") or any(word in predictor for word in _SCALING):
            yield f"the canary {name} has workers, or scales"
        wanted, stable = predictor.get("minReplicas"), service.predictor.get("minReplicas", 1)
        if isinstance(wanted, int) and isinstance(stable, int) and wanted > stable:
            yield f"the canary {name} has more replicas than the service"
    if sum(share for one in found if isinstance(share := one.get("trafficPercent"), int)) > 100:
        yield "the canaries get more than the whole traffic"


def canary_predictor(stable: Mapping[str, Any], canary: Mapping[str, Any], chosen: Runtime | None) -> Mapping[str, Any]:
    """The predictor of a canary: the service's, with its own fields laid over.

    Args:
        chosen: the runtime of the service's predictor, which by then stands in it, with the protocol that it speaks.
    """
    model = stable.get("model")
    if isinstance(model, Mapping) and chosen is not None:
        first = next((one for one in _PROTOCOLS if one in chosen.protocols), "")
        stable = {**stable, "model": {"protocolVersion": first, **model, "runtime": chosen.ref.name}}
    return mapping(_laid_over(stable, mapping(canary.get("predictor"))))


def _laid_over(below: Any, above: Any) -> Any:
    """What mergo makes of two structs: what is empty above leaves what is below; lists are not merged."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {**below, **{name: _laid_over(below.get(name), value) for name, value in above.items()}}
    return above if above or isinstance(above, Mapping) else below
