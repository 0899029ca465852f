"""The platforms of a cluster's nodes: images must be there for each of them."""

from __future__ import annotations

from ksconfig.model.plain import mapping, string
from ksconfig.model.registry import Platform
from ksconfig.source.cluster.client import Client
from ksconfig.source.cluster.patience import Patience


def node_platforms(client: Client, patience: Patience) -> tuple[Platform, ...]:
    """Those of the nodes that model servers can run on, the Linux ones.

    Raises:
        RightMissing: nodes may not be listed.
        ClusterFailure: the cluster does not answer.
    """
    found: set[Platform] = set()
    for node in client.items("/api/v1/nodes", again=patience.call):
        info = mapping(mapping(node.get("status")).get("nodeInfo"))
        system, architecture = string(info.get("operatingSystem")), string(info.get("architecture"))
        if system == "linux" and architecture:
            found.add(Platform(system, architecture))
    return tuple(sorted(found))
