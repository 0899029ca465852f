"""The further predictors of 0.20, each with a Deployment of its own."""

from __future__ import annotations

import pytest

from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import DEPLOYMENT_MODE, Service
from tests.model.services.builders import Json, model, runtime, service, world

STANDARD: Json = {"annotations": {DEPLOYMENT_MODE: "Standard"}}
WHERE = world(
    20,
    {"deploy": {"defaultDeploymentMode": "Standard"}},
    runtime("sk", "sklearn", image="r/sk:1"),
    runtime("sk2", "sklearn-", "v2", image="r/sk2:1"),
    runtime("xgb", "xgboost", image="r/xgb:1"),
)


def canary(predictor: Json, share: int = 10, name: str = "next") -> Json:
    """An entry of ``canary``."""
    return {"predictor": {"name": name, **predictor}, "trafficPercent": share}


def with_canaries(*entries: Json, stable: Json | None = None, metadata: Json | None = None) -> Service:
    """A service of sklearn with canaries."""
    return service(stable or model(storageUri="gs://a"), metadata=metadata or STANDARD, canary=list(entries))


class TestImage:
    """It is what the service's predictor would have with the canary's fields laid over."""

    @pytest.mark.parametrize(
        ("predictor", "image"),
        [
            (model(), "r/sk:1"),
            (model(image="me/x:2"), "me/x:2"),
            (model(runtimeVersion="2"), "r/sk:2"),
            (model(image=""), "r/sk:1"),
            (model(storageUri="gs://b"), "r/sk:1"),
            ({"sklearn": {"image": "me/x:2"}}, "r/sk:1"),  # a block is not turned into a model there
        ],
    )
    def test_is_laid_over(self, predictor: Json, image: str) -> None:
        found = resolve(with_canaries(canary(predictor)), WHERE)
        assert (found["predictor"].image, found["canary/next"].image) == ("r/sk:1", image)

    @pytest.mark.parametrize(
        ("predictor", "problem"),
        [
            (model("xgboost"), "does not list xgboost"),  # the service's runtime is named by then
            (model(runtime="sk2"), "does not serve protocol v1"),  # and the protocol too
            (model(runtime="none"), "there is no runtime none"),
            (model(storageUri="ftp://b"), "begins with none of"),
        ],
    )
    def test_may_not_be(self, predictor: Json, problem: str) -> None:
        transformer = {"containers": [{"name": "t", "image": "me/t:1"}]}
        one = with_canaries(canary(predictor))
        found = resolve(one._replace(spec={**one.spec, "transformer": transformer}), WHERE)
        assert found["predictor"].image == "r/sk:1"
        assert problem in found["canary/next"].problem
        assert found["transformer"].problem == "it comes after the canary/next, which fails"

    def test_is_one_of_several(self) -> None:
        one = with_canaries(canary(model(image="me/a:1"), name="a"), canary(model(image="me/b:1"), name="b"))
        assert list(resolve(one, WHERE)) == ["predictor", "canary/a", "canary/b"]

    @pytest.mark.parametrize("minor", range(8, 20))
    def test_is_unknown_before(self, minor: int) -> None:
        assert list(resolve(with_canaries(canary(model())), world(minor, {}, runtime("sk")))) == ["predictor"]


class TestRefusal:
    """Admission looks at all of them."""

    @pytest.mark.parametrize(
        ("one", "why"),
        [
            (with_canaries(canary(model())), ""),
            (with_canaries(canary(model(), 60, "a"), canary(model(), 40, "b")), ""),
            (with_canaries(canary(model(), 60, "a"), canary(model(), 41, "b")), "more than the whole traffic"),
            (with_canaries(canary(model()), canary(model())), "a name of its own, and not next"),
            (with_canaries(canary(model(), name="")), "a name of its own, and not none"),
            (with_canaries(canary(model()), stable={"name": "next", **model()}), "a name of its own, and not next"),
            (with_canaries(canary({**model(), "maxReplicas": 2})), "has workers, or scales"),
            (with_canaries(canary({**model(), "scaleTarget": 2})), "has workers, or scales"),
            (with_canaries(canary({**model(), "minReplicas": 2})), "more replicas than the service"),
            (with_canaries(canary({})), "exactly one thing"),
            (with_canaries(canary({**model(), "logger": {"mode": "x"}})), "logger.mode x"),
            (with_canaries(canary(model()), metadata={"annotations": {DEPLOYMENT_MODE: "Knative"}}), "without Knative"),
        ],
    )
    def test_is_for_what_they_are(self, one: Service, why: str) -> None:
        refusal = admit(one, WHERE).refusal
        assert why in refusal
        assert bool(refusal) is bool(why)
