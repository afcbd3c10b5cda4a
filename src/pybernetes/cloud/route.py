"""The route controller: for every node with a pod range, the provider has the route to it, and the node says so.

`decide` is the pure part: nodes and routes in, what to create, to delete and to tell out.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pybernetes.api import time as api_time
from pybernetes.api.types.core_v1 import Node
from pybernetes.client import PatchType
from pybernetes.cloud.context import CloudContext
from pybernetes.cloud.provider import CloudError, Route, Routes
from pybernetes.reconcile import Controller, WorkQueue

log = logging.getLogger(__name__)

# Routes can be lost without any event; after so many seconds they are compared again.
RESYNC = 300.0
_KEY = "routes"


@dataclass(frozen=True)
class Decision:
    """`create` are (node name, route) pairs; `ready` are the names of nodes whose routes are all there."""

    create: tuple[tuple[str, Route], ...]
    delete: tuple[Route, ...]
    ready: tuple[str, ...]


def decide(nodes: Sequence[Node], routes: Sequence[Route], cluster_cidr: str) -> Decision:
    """Routes outside of the cluster's range are somebody else's and stay."""
    wanted = {
        Route(node.metadata.name or "", cidr): node.metadata.name or "" for node in nodes for cidr in ranges(node)
    }
    present = set(routes)
    missing = {route: name for route, name in wanted.items() if route not in present}
    lacking = set(missing.values())
    return Decision(
        create=tuple((name, route) for route, name in missing.items()),
        delete=tuple(
            route for route in routes if route not in wanted and _inside(route.destination_cidr, cluster_cidr)
        ),
        ready=tuple(dict.fromkeys(name for name in wanted.values() if name not in lacking)),
    )


def ranges(node: Node) -> list[str]:
    return node.spec.pod_cidrs or ([node.spec.pod_cidr] if node.spec.pod_cidr else [])


def _inside(cidr: str, cluster_cidr: str) -> bool:
    if not cluster_cidr:
        return False
    inner, outer = ipaddress.ip_network(cidr), ipaddress.ip_network(cluster_cidr)
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _facts(node: Node) -> tuple[object, ...]:
    """A node that starts again has an empty routing table: readiness counts."""
    conditions = {item.type: item.status for item in node.status.conditions}
    return ranges(node), node.status.addresses, conditions.get("Ready"), conditions.get("NetworkUnavailable")


class RouteController:
    """`node-route-controller`; one key for all routes."""

    name = "node-route-controller"

    def __init__(self, context: CloudContext) -> None:
        self._client = context.client
        self._clock = context.clock
        self._cluster_cidr = context.cluster_cidr
        self._routes = context.provider.routes
        self._queue = WorkQueue()
        self._nodes = context.informers.of(Node)
        self._nodes.on_change(self._node_changed)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if old is None or new is None or _facts(old) != _facts(new):
            self._queue.add(_KEY)

    async def run(self) -> None:
        """Works until cancelled."""
        await Controller(self.name, self._reconcile, self._queue, 1, [self._nodes]).run()

    async def _reconcile(self, key: str) -> float | None:
        if self._routes is None:
            return None
        nodes = {node.metadata.name or "": node for node in self._nodes.cache.list()}
        decision = decide(list(nodes.values()), await self._routes.list(list(nodes.values())), self._cluster_cidr)
        for route in decision.delete:
            log.info("deleting the route to %s", route.destination_cidr)
            await self._routes.delete(route)
        failed = await self._create(self._routes, decision, nodes)
        for name in dict.fromkeys([*decision.ready, *(name for name, _ in decision.create)]):
            await self._tell(nodes[name], created=name not in failed)
        return 1.0 if failed else RESYNC

    async def _create(self, routes: Routes, decision: Decision, nodes: dict[str, Node]) -> set[str]:
        """The names of nodes for which it did not work."""
        failed = set()
        for name, route in decision.create:
            try:
                await routes.create(nodes[name], route)
            except CloudError as error:
                log.warning("no route to %s of node %s: %s", route.destination_cidr, name, error)
                failed.add(name)
        return failed

    async def _tell(self, node: Node, created: bool) -> None:
        status = "False" if created else "True"
        current = next((item for item in node.status.conditions if item.type == "NetworkUnavailable"), None)
        if current is not None and current.status == status:
            return
        now = api_time.format(self._clock.now())
        condition = {
            "type": "NetworkUnavailable",
            "status": status,
            "reason": "RouteCreated" if created else "NoRouteCreated",
            "message": "RouteController created a route" if created else "RouteController failed to create a route",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        patch = {"status": {"conditions": [condition]}}
        await self._client.patch(Node, node.metadata.name or "", "", patch, PatchType.STRATEGIC, "status")
