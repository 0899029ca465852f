"""The KServe releases that a sandbox can run: one entry each.

All manifests but those of a few patch releases come with one download, the newest module: its folder ``install`` holds
what was released. The same folder in a release's own module is often another text than users applied.
"""

from __future__ import annotations

from dataclasses import dataclass

KSERVE = "github.com/kserve/kserve"
KFSERVING = "github.com/kubeflow/kfserving"


@dataclass(frozen=True)
class Release:
    """How one KServe release is built and installed.

    Attributes:
        name: as ``--kserve`` takes it.
        tag: the version of the Go module.
        install: the manifests, files below the folder ``install`` of a module.
        manifests_from: the release whose module holds them.
        namespace: where the controller lives.
        mode: what ``deploy.defaultDeploymentMode`` is set to; as released if empty.
        old_api: its CRDs and webhooks are written for an API that Kubernetes no longer has.
    """

    name: str
    install: tuple[str, ...]
    module: str = KSERVE
    tag: str = ""
    manifests_from: str = "0.20.0"
    namespace: str = "kserve"
    mode: str = ""
    old_api: bool = False

    @property
    def version(self) -> str:
        """The module's version."""
        return self.tag or f"v{self.name}"

    @property
    def controller(self) -> str:
        """The name of the controller's workload."""
        return f"{self.namespace.removesuffix('-system')}-controller-manager"


def _in(folder: str, *files: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{file}" for file in files)


def _all() -> tuple[Release, ...]:
    runtimes, resources = "kserve-runtimes.yaml", "kserve-cluster-resources.yaml"
    return (
        Release("0.5.1", _in("v0.5.1", "kfserving.yaml"), KFSERVING, namespace="kfserving-system", old_api=True),
        Release("0.7.0", _in("v0.7.0", "kserve.yaml")),
        Release("0.8.0", _in("v0.8.0", "kserve.yaml", runtimes)),
        Release("0.9.0", _in("v0.9.0", "kserve.yaml", runtimes)),
        Release("0.10.0", _in("v0.10.0", "kserve.yaml", runtimes)),
        Release("0.11.2", _in("v0.11.2", "kserve.yaml", runtimes), manifests_from="0.11.2"),
        Release("0.12.1", _in("v0.12.1", "kserve.yaml", resources)),
        Release("0.13.1", _in("v0.13.1", "kserve.yaml", resources), manifests_from="0.13.1"),
        Release("0.14.1", _in("v0.14.1", "kserve.yaml", resources), manifests_from="0.14.1"),
        Release("0.15.2", _in("v0.15.2", "kserve.yaml", resources), mode="RawDeployment"),
        Release("0.16.0", _in("v0.16.0", "kserve.yaml", resources), mode="Standard"),
        Release("0.17.0", _in("v0.17.0", "kserve.yaml", resources), mode="Standard"),
        Release("0.19.0", _in("v0.19.0", "kserve.yaml", resources), mode="Standard"),
        Release("0.20.0", _in("v0.20.0", "kserve.yaml", resources), mode="Standard"),
    )


#: Every release by name, oldest first.
RELEASES = {release.name: release for release in _all()}
DEFAULT = "0.7.0"
#: What ``build`` makes when no release is named: the last one with everything in ``predictors``, one with both ways,
#: and the newest.
USUAL = ("0.7.0", "0.8.0", "0.20.0")


def release_called(name: str) -> Release:
    """The release called ``name``, with or without a ``v`` before it.

    Raises:
        KeyError: there is none.
    """
    return RELEASES[name.removeprefix("v")]
