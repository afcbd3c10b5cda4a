"""Nodes as their owner sees them: address ranges, silence, taints, and what becomes of the pods of a lost node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pybernetes.api.types.apps_v1 import ReplicaSet
from pybernetes.api.types.core_v1 import Node, NodeCondition, NodeSpec, NodeStatus, Pod, Taint, Toleration
from pybernetes.client import PatchType
from pybernetes.controllers.node_health import new_taints, wanted_taints
from pybernetes.controllers.nodeipam import next_free
from pybernetes.controllers.tolerations import seconds_to_eviction
from tests.controllers.world import World, made, play

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADDED = "2026-01-01T11:59:00Z"  # a minute ago
UNREACHABLE = Taint(key="node.kubernetes.io/unreachable", effect="NoExecute", time_added=ADDED)


def condition(node: Node, type_: str) -> NodeCondition | None:
    return next((item for item in node.status.conditions if item.type == type_), None)


def taints(node: Node) -> list[tuple[str, str]]:
    return [(taint.key, taint.effect) for taint in node.spec.taints]


def test_every_node_gets_a_range_of_its_own() -> None:
    async def scenario(world: World) -> None:
        async def given() -> list[str | None] | None:
            nodes = (await world.client.list(Node)).items
            return (
                [node.spec.pod_cidr for node in nodes]
                if len(nodes) == 3 and all(node.spec.pod_cidr for node in nodes)
                else None
            )

        ranges = await world.until(given)
        assert sorted(ranges) == ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]

    play(scenario, nodes=("n1", "n2", "n3"))


def test_ranges_are_taken_in_turn_and_run_out() -> None:
    assert next_free("10.0.0.0/23", 24, []) == ("10.0.0.0/24", 0)
    assert next_free("10.0.0.0/23", 24, ["10.0.0.0/24"], 0) == ("10.0.1.0/24", 1)
    assert next_free("10.0.0.0/23", 24, ["10.0.1.0/24"], 1) == ("10.0.0.0/24", 0)
    assert next_free("10.0.0.0/23", 24, ["10.0.0.0/24", "10.0.1.0/24"]) is None


def test_a_lost_node_is_tainted_its_pods_move_and_when_it_is_back_the_taints_go() -> None:
    async def scenario(world: World) -> None:
        template = {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        }
        spec = {"replicas": 4, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        await world.client.create(made(ReplicaSet, "rs", spec=spec))

        async def ready_on(node: str, count: int) -> bool:
            pods = [pod for pod in await world.pods(a="b") if pod.spec.node_name == node]
            return sum(pod.metadata.deletion_timestamp is None and is_ready(pod) for pod in pods) == count

        await world.until(lambda: ready_on("n2", 2))
        world.agent.silent.add("n2")

        async def unknown() -> bool:
            found = condition(await world.client.get(Node, "n2"), "Ready")
            return found is not None and found.status == "Unknown"

        await world.until(unknown)
        await world.until(lambda: ready_on("n2", 0))
        node = await world.client.get(Node, "n2")
        ready = condition(node, "Ready")
        assert ready is not None
        assert (ready.reason, ready.message) == ("NodeStatusUnknown", "Kubelet stopped posting node status.")
        assert taints(node) == [
            ("node.kubernetes.io/unreachable", "NoSchedule"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
        ]
        events = await world.events()
        assert ("Node", "RegisteredNode", "Node n2 event: Registered Node n2 in Controller") in events
        assert ("Node", "NodeNotReady", "Node n2 status is now: NodeNotReady") in events
        lost_at = world.clock.monotonic()
        await world.until(lambda: ready_on("n1", 4))
        assert 299 <= world.clock.monotonic() - lost_at <= 302
        leaving = [pod for pod in await world.pods(a="b") if pod.metadata.deletion_timestamp]
        targets = [item for pod in leaving for item in pod.status.conditions if item.type == "DisruptionTarget"]
        assert [(item.reason, item.message) for item in targets] == 2 * [
            ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
        ]
        world.agent.silent.clear()
        beat = {"status": {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": ADDED}]}}
        await world.client.patch(Node, "n2", "", beat, PatchType.STRATEGIC, "status")

        async def clean() -> bool:
            return not taints(await world.client.get(Node, "n2"))

        await world.until(clean)

    play(scenario)


def is_ready(pod: Pod) -> bool:
    return any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions)


def test_pods_of_a_deleted_node_are_removed() -> None:
    async def scenario(world: World) -> None:
        pod = made(Pod, "p", spec={"nodeName": "n1", "containers": [{"name": "c", "image": "nginx"}]})
        await world.client.create(pod)
        world.agent.silent.add("n1")
        world.agent.nodes.remove("n1")
        await world.client.delete(Node, "n1")
        await world.until(lambda: world.gone(Pod, "p"))

    play(scenario)


def test_a_cordoned_node_is_tainted() -> None:
    async def scenario(world: World) -> None:
        async def there() -> Node:
            return await world.client.get(Node, "n1")

        await world.until(there)
        await world.client.patch(Node, "n1", "", {"spec": {"unschedulable": True}})

        async def tainted() -> bool:
            return taints(await world.client.get(Node, "n1")) == [("node.kubernetes.io/unschedulable", "NoSchedule")]

        await world.until(tainted)

    play(scenario)


def test_taints_follow_conditions_and_leave_those_of_others_alone() -> None:
    mine = Taint(key="dedicated", effect="NoExecute", value="x")
    old = Taint(key="node.kubernetes.io/unreachable", effect="NoSchedule", time_added=ADDED)
    node = Node(
        spec=NodeSpec(taints=[mine, old]),
        status=NodeStatus(conditions=[NodeCondition(type="Ready", status="False")]),
    )
    assert wanted_taints(node, evict=False) == {("node.kubernetes.io/not-ready", "NoSchedule")}
    wanted = wanted_taints(node, evict=True)
    after = new_taints(node, wanted, NOW)
    assert after[0] == mine
    assert [(taint.key, taint.effect) for taint in after[1:]] == [
        ("node.kubernetes.io/not-ready", "NoSchedule"),
        ("node.kubernetes.io/not-ready", "NoExecute"),
    ]


def test_how_long_a_pod_may_stay() -> None:
    since = NOW - timedelta(hours=1)
    for_five_minutes = Toleration(key=UNREACHABLE.key, operator="Exists", effect="NoExecute", toleration_seconds=300)
    for_ever = Toleration(operator="Exists")
    assert seconds_to_eviction([UNREACHABLE], [], since, NOW) == 0
    assert seconds_to_eviction([UNREACHABLE], [for_five_minutes], since, NOW) == 240
    assert seconds_to_eviction([UNREACHABLE], [for_ever], since, NOW) is None
    assert seconds_to_eviction([], [], since, NOW) is None
    just_started = NOW - timedelta(seconds=10)
    assert seconds_to_eviction([UNREACHABLE], [for_five_minutes], just_started, NOW) == 290
