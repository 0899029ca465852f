"""What holds for every service that is submitted."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ksconfig.model.services.admission import admit
from ksconfig.model.services.resolve import resolve
from ksconfig.model.services.service import DEPLOYMENT_MODE, Service
from ksconfig.model.services.world import World
from tests.model.services.builders import BY_CONFIG, GPU, WITH_RUNTIMES, Json, model, runtime, service, split, world

VERSIONS = split("r/x", "1", defaultGpuImageVersion="1-gpu")
BOTH = {"v1": VERSIONS, "v2": VERSIONS}
CONFIG: Json = {
    "predictors": {
        **dict.fromkeys(("tensorflow", "onnx", "triton", "pmml"), VERSIONS),
        **dict.fromkeys(("sklearn", "xgboost", "pytorch"), BOTH),
    },
    "explainers": dict.fromkeys(("alibi", "aix", "art"), VERSIONS),
}
FRAMEWORKS = st.sampled_from(["sklearn", "xgboost", "pytorch", "tensorflow", "onnx", "triton", "pmml"])
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "runtimeVersion": st.sampled_from(["1", "1-gpu", ""]),
        "protocolVersion": st.sampled_from(["v1", "v2"]),
        "image": st.sampled_from(["me/x:1", ""]),
        "modelClassName": st.just("Net"),
        "resources": st.sampled_from([{}, GPU]),
        "storageUri": st.sampled_from(["gs://m", "gs://m.onnx", "ftp://m"]),
    },
)
PREDICTORS = st.one_of(
    st.builds(lambda name, body: {name: body}, FRAMEWORKS, BODIES),
    st.builds(lambda name, body: model(name, **body), FRAMEWORKS | st.just("vLLM"), BODIES),
    st.just({"containers": [{"name": "mine", "image": "me/x:1"}]}),
)
EXPLAINERS = st.builds(lambda name, body: {name: body}, st.sampled_from(["alibi", "aix", "art"]), BODIES)
MODES = st.sampled_from([None, "Serverless", "RawDeployment", "ModelMesh"])
MINORS = st.sampled_from([*BY_CONFIG, *WITH_RUNTIMES])
SERVICES = st.builds(
    lambda predictor, explainer, annotations: service(
        predictor, metadata={"annotations": annotations}, **({"explainer": explainer} if explainer else {})
    ),
    PREDICTORS,
    st.none() | EXPLAINERS,
    st.sampled_from([{}, {"a": "b"}, {DEPLOYMENT_MODE: "ModelMesh"}]),
)


def shown(one: Service) -> tuple[Any, ...]:
    return (one.spec, one.annotations)


def where_with(minor: int, mode: str | None) -> World:
    return world(
        minor, CONFIG | ({"deploy": {"defaultDeploymentMode": mode}} if mode else {}), runtime("mine", "sklearn onnx")
    )


@given(SERVICES, MINORS, MODES)
def test_what_is_stored_is_stored_again_as_it_is(one: Service, minor: int, mode: str | None) -> None:
    where = where_with(minor, mode)
    once = admit(one, where)
    if not once.refusal:
        again = admit(once.service, where)
        assert again.refusal == ""
        assert shown(again.service) == shown(once.service)


@given(SERVICES, MINORS, MODES)
def test_what_is_submitted_is_not_changed_in_place(one: Service, minor: int, mode: str | None) -> None:
    before = repr(one)
    admit(one, where_with(minor, mode))
    assert repr(one) == before


@given(SERVICES, st.sampled_from(BY_CONFIG), MODES)
def test_what_is_stored_has_an_image_to_0_7(one: Service, minor: int, mode: str | None) -> None:
    where = where_with(minor, mode)
    admitted = admit(one, where)
    if not admitted.refusal:
        assert all(found.image and not found.problem for found in resolve(admitted.service, where).values())
