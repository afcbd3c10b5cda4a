"""What a back end makes true: each proxied port with its endpoints, and what both depend on. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pybernetes.proxy.endpoints import Endpoint
from pybernetes.proxy.rules import NodeFacts
from pybernetes.proxy.services import PortName, ProxiedPort


@dataclass(frozen=True)
class PortState:
    """One port of a Service and all of its endpoints, ready or not."""

    port: ProxiedPort
    endpoints: tuple[Endpoint, ...] = ()


States = Mapping[PortName, PortState]


class Backend(Protocol):
    """A way to make Services reachable: packet rules, or listening sockets."""

    async def apply(self, states: States, facts: NodeFacts) -> None:
        """Makes the node serve exactly these ports. Raises CommandFailed, OSError; then it is called again."""

    async def close(self) -> None: ...
