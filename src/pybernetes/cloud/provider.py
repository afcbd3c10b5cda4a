"""The seam to a cloud: what a provider knows of machines, and what it can do about routes and load balancers.

Controllers of this package call it; `local` is the provider of clusters on one machine. A part that a cloud does not
have is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pybernetes.api.types.core_v1 import LoadBalancerStatus, Node, NodeAddress, Service


@dataclass(frozen=True)
class InstanceMetadata:
    """A machine as its cloud sees it."""

    provider_id: str
    addresses: tuple[NodeAddress, ...]
    instance_type: str = ""
    zone: str = ""
    region: str = ""


@dataclass(frozen=True)
class Route:
    """Packets for a node's pods go to that node."""

    target_node: str
    destination_cidr: str


class Instances(Protocol):
    """The machines."""

    async def exists(self, node: Node) -> bool:
        """Whether the machine still exists, running or not."""

    async def is_shut_down(self, node: Node) -> bool: ...

    async def metadata(self, node: Node) -> InstanceMetadata: ...


class Routes(Protocol):
    """The routes between the pod networks of nodes."""

    async def list(self, nodes: Sequence[Node]) -> Sequence[Route]:
        """The routes that are in force; one to no known node has an empty `target_node`."""

    async def create(self, node: Node, route: Route) -> None:
        """Raises `CloudError`."""

    async def delete(self, route: Route) -> None:
        """A route that is not there is no error."""


class LoadBalancers(Protocol):
    """Ways in from outside for services of type LoadBalancer."""

    async def ensure(self, service: Service, nodes: Sequence[Node]) -> LoadBalancerStatus: ...

    async def delete(self, service: Service) -> None: ...


class CloudProvider(Protocol):
    """One cloud."""

    @property
    def name(self) -> str:
        """What provider IDs begin with."""

    @property
    def instances(self) -> Instances: ...

    @property
    def routes(self) -> Routes | None: ...

    @property
    def load_balancers(self) -> LoadBalancers | None: ...


class CloudError(Exception):
    """The cloud could not do what was asked; the message says why."""
