"""The routes between the nodes' pod networks: which pod CIDR is behind which node's address.

They are kept in the nodes' own namespaces, where they carry a protocol number of their own. Called by the local cloud
provider (its route controller) and by nobody else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pybernetes.cluster.network import ip_batch
from pybernetes.cluster.state import ClusterSpec
from pybernetes.environment.process import CommandFailed, run

POD_ROUTE_PROTOCOL = 202


@dataclass(frozen=True, order=True)
class PodRoute:
    """Packets for `pod_cidr` go to the node at `node_address`."""

    pod_cidr: str
    node_address: str


class RouteTable:
    """Pod routes of a whole local cluster."""

    def __init__(self, spec: ClusterSpec) -> None:
        self._spec = spec

    async def add(self, pod_cidr: str, node_address: str) -> None:
        """Every other node learns the way; one that is there is replaced. Raises CommandFailed."""
        line = f"route replace {pod_cidr} via {node_address} proto {POD_ROUTE_PROTOCOL}"
        await asyncio.gather(*(ip_batch([line], there) for there in self._others(node_address)))

    async def remove(self, pod_cidr: str, node_address: str) -> None:
        """Every node forgets the way; a route that is not there is no error."""
        line = f"route del {pod_cidr} via {node_address} proto {POD_ROUTE_PROTOCOL}"
        await asyncio.gather(*(ip_batch([line], there, force=True) for there in self._others(node_address)))

    async def list(self) -> Sequence[PodRoute]:
        """The routes that every node has; one that some node lacks is left out, so that it is added again."""
        places = self._places()
        tables = await asyncio.gather(*(self._table(there) for there in places.values()))
        return complete_routes(dict(zip(places, tables, strict=True)))

    def _others(self, node_address: str) -> Sequence[str]:
        return [there for address, there in self._places().items() if address != node_address]

    def _places(self) -> dict[str, str]:
        """The namespaces with routes by their address: the nodes', and the fabric's, which answers stray pods."""
        nodes = {node.address: self._spec.namespace(node.name) for node in self._spec.nodes}
        return {**nodes, self._spec.gateway: self._spec.fabric}

    async def _table(self, there: str) -> set[PodRoute]:
        try:
            text = await run(["ip", "-n", there, "-4", "-j", "route", "show", "proto", str(POD_ROUTE_PROTOCOL)])
        except CommandFailed:
            return set()
        return {PodRoute(row["dst"], row["gateway"]) for row in json.loads(text or "[]") if "gateway" in row}


def complete_routes(tables: dict[str, set[PodRoute]]) -> list[PodRoute]:
    """Given each node's routes by its address: those that every node has but the one to which they lead."""
    known: Iterable[PodRoute] = set().union(*tables.values()) if tables else set()
    return sorted(
        route
        for route in known
        if all(route in table for address, table in tables.items() if address != route.node_address)
    )
