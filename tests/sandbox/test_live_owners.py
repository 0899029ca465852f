"""What belongs to somebody else is not written to, unless that is asked for."""

from __future__ import annotations

import pytest

from sandbox.api import JSON_PATCH, ApiError
from tests.sandbox.command_line import CommandLine
from tests.sandbox.kserve import KServe

COMMAND = ("set-image", "sklearn", "reg.local/sk:v9", "--no-restart")
pytestmark = pytest.mark.kserve("0.7.0")


def annotate(kserve: KServe, name: str, value: str | None) -> None:
    kserve.api.patch(kserve.config_path, {"metadata": {"annotations": {name: value}}})


def test_what_argo_cd_manages_is_refused_with_what_to_do_instead(kserve: KServe, ksconfig: CommandLine) -> None:
    name = "argocd.argoproj.io/tracking-id"
    annotate(kserve, name, "models:/ConfigMap:kserve/inferenceservice-config")
    before = kserve.config()
    try:
        done = ksconfig(*COMMAND)
        assert done.code == 3
        assert "belongs to Argo CD (application models): its next sync takes the change back" in done.err
        assert "-f" in done.err
        assert kserve.config() == before
        done = ksconfig.ok(*COMMAND, "--allow", "foreign-owner")
        assert "warning: configmap kserve/inferenceservice-config belongs to Argo CD" in done.err
    finally:
        annotate(kserve, name, None)


def test_what_helm_installed_is_written_with_a_warning(kserve: KServe, ksconfig: CommandLine) -> None:
    annotate(kserve, "meta.helm.sh/release-name", "kserve")
    try:
        assert "Helm (release kserve): its next upgrade writes" in ksconfig.ok(*COMMAND).err
    finally:
        annotate(kserve, "meta.helm.sh/release-name", None)


def test_an_immutable_config_is_refused_with_the_way_out(kserve: KServe, ksconfig: CommandLine) -> None:
    config = kserve.api.get(kserve.config_path)
    kserve.api.patch(kserve.config_path, {"immutable": True})
    try:
        done = ksconfig(*COMMAND)
        assert done.code == 3
        assert "is immutable" in done.err
        assert "Delete it and create it anew" in done.err
        with pytest.raises(ApiError):
            kserve.set_config(predictors="{}")
    finally:
        kserve.api.delete(kserve.config_path)
        metadata = {
            name: value for name, value in config["metadata"].items() if name in ("name", "namespace", "labels")
        }
        kserve.api.create({**config, "metadata": metadata})


def test_a_conflict_of_values_is_told_with_both(kserve: KServe, ksconfig: CommandLine) -> None:
    from ksconfig import Conflict, connect

    with connect(kubeconfig=kserve.sandbox.kubeconfig) as cluster:
        plan = cluster.plan_set_image({"sklearn": "reg.local/sk:v9"})
        theirs = kserve.config()["predictors"].replace("kserve/sklearnserver", "reg.local/theirs")
        body = [{"op": "replace", "path": "/data/predictors", "value": theirs}]
        kserve.api.patch(kserve.config_path, body, JSON_PATCH)
        with pytest.raises(Conflict, match=r"was 'kserve/sklearnserver', now it is 'reg\.local/theirs'"):
            cluster.apply(plan, restart=False)
    assert kserve.config()["predictors"] == theirs
    assert ksconfig.ok("history", "-o", "json").json["items"] == []


def test_a_change_of_a_neighbour_meanwhile_is_no_conflict(kserve: KServe, ksconfig: CommandLine) -> None:
    from ksconfig import connect

    with connect(kubeconfig=kserve.sandbox.kubeconfig) as cluster:
        plan = cluster.plan_set_image({"sklearn": "reg.local/sk:v9"})
        kserve.set_config(predictors=kserve.config()["predictors"].replace("kserve/xgbserver", "reg.local/theirs"))
        result = cluster.apply(plan, restart=False)
    assert result.changed
    assert "reg.local/theirs" in kserve.config()["predictors"]
    assert "reg.local/sk" in kserve.config()["predictors"]
