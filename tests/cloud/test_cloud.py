"""The cloud controllers on the local provider: nodes become usable, and every node's pods can be reached."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pybernetes.api.types.core_v1 import Node, NodeAddress, NodeSpec, NodeStatus, Taint
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.cloud.local import LocalProvider
from pybernetes.cloud.main import make_context, run_cloud_controllers
from pybernetes.cloud.node import UNINITIALIZED, changes_for
from pybernetes.cloud.provider import InstanceMetadata, Route
from pybernetes.cloud.route import decide
from tests.controllers.world import World, play

CLUSTER = "10.244.0.0/16"


@dataclass(frozen=True)
class PodRoute:
    pod_cidr: str
    node_address: str


@dataclass
class Table:
    """A route table without a kernel."""

    routes: set[PodRoute] = field(default_factory=set)

    async def add(self, pod_cidr: str, node_address: str) -> None:
        self.routes = {item for item in self.routes if item.pod_cidr != pod_cidr} | {PodRoute(pod_cidr, node_address)}

    async def remove(self, pod_cidr: str, node_address: str) -> None:
        self.routes.discard(PodRoute(pod_cidr, node_address))

    async def list(self) -> list[PodRoute]:
        return sorted(self.routes, key=lambda item: item.pod_cidr)


def node(name: str, cidr: str = "", address: str = "", **spec: object) -> Node:
    addresses = [NodeAddress(type="InternalIP", address=address)] if address else []
    return Node(
        metadata=ObjectMeta(name=name),
        spec=NodeSpec(pod_cidr=cidr or None, pod_cidrs=[cidr] if cidr else [], **spec),  # type: ignore[arg-type]
        status=NodeStatus(addresses=addresses),
    )


def test_missing_routes_are_made_left_over_ones_go_and_foreign_ones_stay() -> None:
    nodes = [node("n1", "10.244.0.0/24"), node("n2", "10.244.1.0/24"), node("n3")]
    routes = [Route("n1", "10.244.0.0/24"), Route("", "10.244.9.0/24"), Route("", "192.168.0.0/24")]
    decision = decide(nodes, routes, CLUSTER)
    assert decision.create == (("n2", Route("n2", "10.244.1.0/24")),)
    assert decision.delete == (Route("", "10.244.9.0/24"),)
    assert decision.ready == ("n1",)


def test_an_uninitialised_node_gets_what_it_lacks() -> None:
    fresh = node("n1", taints=[Taint(key=UNINITIALIZED, effect="NoSchedule"), Taint(key="mine", effect="NoSchedule")])
    machine = InstanceMetadata("local:///n1", (NodeAddress(type="InternalIP", address="10.0.0.1"),), zone="z")
    changes = changes_for(fresh, machine)
    assert [taint.key for taint in changes.taints] == ["mine"]
    assert (changes.provider_id, changes.addresses) == ("local:///n1", list(machine.addresses))
    assert changes.labels["topology.kubernetes.io/zone"] == "z"


def test_a_registered_node_becomes_usable_and_reachable_and_its_route_goes_with_it() -> None:
    async def scenario(world: World) -> None:
        table = Table()
        context = make_context(world.client, world.clock, world.context.chance, LocalProvider(table), CLUSTER)
        running = world.tasks.create_task(run_cloud_controllers(context))
        taint = Taint(key=UNINITIALIZED, value="true", effect="NoSchedule")
        await world.client.create(node("w1", address="10.0.0.1", taints=[taint]))

        async def usable() -> bool:
            found = await world.client.get(Node, "w1")
            conditions = {item.type: (item.status, item.reason) for item in found.status.conditions}
            initialised = found.spec.provider_id == "local:///w1"
            tainted = any(item.key == UNINITIALIZED for item in found.spec.taints)
            return initialised and not tainted and conditions.get("NetworkUnavailable") == ("False", "RouteCreated")

        await world.until(usable)
        found = await world.client.get(Node, "w1")
        assert table.routes == {PodRoute(found.spec.pod_cidr or "", "10.0.0.1")}
        await world.client.delete(Node, "w1")

        async def forgotten() -> bool:
            return not table.routes

        await world.until(forgotten)
        running.cancel()
        await asyncio.wait([running])

    play(scenario, nodes=())
