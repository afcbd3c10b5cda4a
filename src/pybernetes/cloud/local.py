"""The provider of a cluster on one machine: nodes are network namespaces, routes are kernel routes between them.

The composition root hands in a `RouteTable`, which does the acting; nothing here touches the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pybernetes.api.types.core_v1 import Node, NodeAddress
from pybernetes.cloud.provider import CloudError, InstanceMetadata, LoadBalancers, Route
from pybernetes.environment.process import CommandFailed


class PodRoute(Protocol):
    """A route as the table has it."""

    @property
    def pod_cidr(self) -> str: ...

    @property
    def node_address(self) -> str: ...


class RouteTable(Protocol):
    """The kernel routes of all nodes; `add` replaces, `remove` of nothing is no error."""

    async def add(self, pod_cidr: str, node_address: str) -> None: ...

    async def remove(self, pod_cidr: str, node_address: str) -> None: ...

    async def list(self) -> Sequence[PodRoute]: ...


def internal_ip(node: Node) -> str:
    """The node's address in the cluster's network; empty while the kubelet has not told it."""
    return next((item.address for item in node.status.addresses if item.type == "InternalIP"), "")


class LocalInstances:
    """Nodes of a local cluster exist until somebody deletes them."""

    async def exists(self, node: Node) -> bool:
        return True

    async def is_shut_down(self, node: Node) -> bool:
        return False

    async def metadata(self, node: Node) -> InstanceMetadata:
        name = node.metadata.name or ""
        addresses = list(node.status.addresses) or [NodeAddress(type="Hostname", address=name)]
        return InstanceMetadata(f"local:///{name}", tuple(addresses))


class LocalRoutes:
    """Routes by node name over a table by address."""

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self._addresses: dict[Route, str] = {}

    async def list(self, nodes: Sequence[Node]) -> Sequence[Route]:
        names = {internal_ip(node): node.metadata.name or "" for node in nodes}
        self._addresses = {}
        routes = []
        for item in await self._table.list():
            route = Route(names.get(item.node_address, ""), item.pod_cidr)
            self._addresses[route] = item.node_address
            routes.append(route)
        return routes

    async def create(self, node: Node, route: Route) -> None:
        address = internal_ip(node)
        if not address:
            raise CloudError(f"node {node.metadata.name} has no internal IP yet")
        try:
            await self._table.add(route.destination_cidr, address)
        except CommandFailed as error:
            raise CloudError(str(error)) from error

    async def delete(self, route: Route) -> None:
        address = self._addresses.get(route)
        if address is not None:
            await self._table.remove(route.destination_cidr, address)


class LocalProvider:
    """`local`; no load balancers yet."""

    name = "local"
    load_balancers: LoadBalancers | None = None

    def __init__(self, table: RouteTable) -> None:
        self.instances = LocalInstances()
        self.routes = LocalRoutes(table)
