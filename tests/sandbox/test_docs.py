"""What the pages show of a cluster is what happens on the real KServe."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.docs.stories import Stage, Story, all_stories, cluster_environment
from tests.sandbox.kserve import KServe, shortly

STORIES = [
    pytest.param(story, marks=pytest.mark.kserve(story.cluster), id=str(story))
    for story in all_stories()
    if story.cluster
]
_NAMESPACES = "/api/v1/namespaces"
_ROLES = "/apis/rbac.authorization.k8s.io/v1"


@pytest.mark.parametrize("story", STORIES)
def test_commands_on_a_cluster_print_what_is_shown(story: Story, kserve: KServe, tmp_path: Path) -> None:
    before = {one["metadata"]["name"] for one in kserve.api.items(_NAMESPACES)}
    environment = cluster_environment(kserve.sandbox.kubeconfig, tmp_path, kserve.sandbox.place.programs)
    try:
        Stage(tmp_path, story, environment).play()
    finally:
        _forget(kserve, before)


def _forget(kserve: KServe, before: set[str]) -> None:
    """Take away what a story made besides what the fixture puts back: namespaces, Jobs, Roles and their
    bindings."""
    system = kserve.release.namespace
    for name in {one["metadata"]["name"] for one in kserve.api.items(_NAMESPACES)} - before:
        services = f"/apis/serving.kserve.io/v1beta1/namespaces/{name}/inferenceservices"
        kserve.api.delete(services)
        shortly("its services are gone", partial(_is_empty, kserve, services))
        kserve.api.delete(f"{_NAMESPACES}/{name}")
        shortly("the namespace is gone", partial(_is_gone, kserve, f"{_NAMESPACES}/{name}"))
    for path in (f"/apis/batch/v1/namespaces/{system}/jobs", f"/api/v1/namespaces/{system}/serviceaccounts"):
        for one in kserve.api.items(path):
            if one["metadata"]["name"].startswith("ksconfig"):
                kserve.api.request("DELETE", f"{path}/{one['metadata']['name']}", propagationPolicy="Background")
    for place in (_ROLES, f"{_ROLES}/namespaces/{system}"):
        for kind in ("clusterrolebindings", "clusterroles") if place == _ROLES else ("rolebindings", "roles"):
            for one in kserve.api.items(f"{place}/{kind}"):
                if one["metadata"]["name"].startswith("ksconfig-"):
                    kserve.api.delete(f"{place}/{kind}/{one['metadata']['name']}")


def _is_empty(kserve: KServe, path: str) -> bool:
    return not kserve.api.items(path)


def _is_gone(kserve: KServe, path: str) -> bool:
    return kserve.api.find(path) is None
