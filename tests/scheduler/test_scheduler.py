"""The scheduler against the real API server: what users see of it."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.client import PatchType
from tests.scheduler.builders import make_node, make_pod
from tests.scheduler.conftest import Cluster


def _condition(pods: list[Pod], name: str) -> tuple[str | None, str | None]:
    """(reason, message) of PodScheduled."""
    pod = next((pod for pod in pods if pod.metadata.name == name), Pod())
    return next(
        ((item.reason, item.message) for item in pod.status.conditions if item.type == "PodScheduled"), (None, None)
    )


async def test_pod_is_bound_and_told_so(cluster: Cluster) -> None:
    await cluster.add_node(make_node("node-1"))
    await cluster.client.create(make_pod("web", {"cpu": "100m"}))
    assert await cluster.placed("web") == "node-1"
    event = await cluster.event("web", "Scheduled")
    assert (event.type, event.message) == ("Normal", "Successfully assigned default/web to node-1")
    assert event.source.component == "default-scheduler"


async def test_pods_are_spread_over_the_emptiest_nodes(cluster: Cluster) -> None:
    for number in range(3):
        await cluster.add_node(make_node(f"node-{number}"))
    for number in range(6):
        await cluster.client.create(make_pod(f"web-{number}", {"cpu": "500m"}))
    nodes = [await cluster.placed(f"web-{number}") for number in range(6)]
    assert sorted(nodes) == [f"node-{number // 2}" for number in range(6)]


async def test_reasons_are_told_by_condition_and_event_and_a_new_node_helps(cluster: Cluster) -> None:
    await cluster.client.create(make_pod("big", {"cpu": "3"}))
    await cluster.until(
        Pod, lambda pods: _condition(pods, "big") == ("Unschedulable", "no nodes available to schedule pods")
    )
    await cluster.add_node(make_node("small", {"cpu": "1"}))
    await cluster.add_node(make_node("tainted", taints=[{"key": "a", "effect": "NoSchedule"}]))
    message = (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, "
        "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    await cluster.until(Pod, lambda pods: _condition(pods, "big") == ("Unschedulable", message))
    assert (await cluster.event("big", "FailedScheduling")).type == "Warning"
    await cluster.add_node(make_node("large"))
    assert await cluster.placed("big") == "large"


async def test_room_that_a_deleted_pod_leaves_is_used(cluster: Cluster) -> None:
    await cluster.add_node(make_node("node-1", {"cpu": "1"}))
    await cluster.client.create(make_pod("first", {"cpu": "1"}))
    await cluster.placed("first")
    await cluster.client.create(make_pod("second", {"cpu": "1"}))
    await cluster.event("second", "FailedScheduling")
    await cluster.client.delete(Pod, "first", "default", DeleteOptions(grace_period_seconds=0))
    assert await cluster.placed("second") == "node-1"


async def test_uncordoned_node_takes_waiting_pods(cluster: Cluster) -> None:
    await cluster.add_node(make_node("node-1", unschedulable=True))
    await cluster.client.create(make_pod("web"))
    event = await cluster.event("web", "FailedScheduling")
    assert (event.message or "").startswith("0/1 nodes are available: 1 node(s) were unschedulable.")
    await cluster.client.patch(Node, "node-1", None, {"spec": {"unschedulable": None}})
    assert await cluster.placed("web") == "node-1"


async def test_gated_pod_waits_until_its_gates_are_gone(cluster: Cluster) -> None:
    await cluster.add_node(make_node("node-1"))
    await cluster.client.create(make_pod("gated", schedulingGates=[{"name": "example.com/wait"}]))
    await cluster.client.create(make_pod("other"))
    await cluster.placed("other")
    pod = await cluster.client.get(Pod, "gated", "default")
    assert pod.spec.node_name is None
    assert _condition([pod], "gated")[0] == "SchedulingGated"
    await cluster.client.patch(Pod, "gated", "default", {"spec": {"schedulingGates": None}}, PatchType.MERGE)
    assert await cluster.placed("gated") == "node-1"


async def test_pods_of_other_schedulers_are_left_alone(cluster: Cluster) -> None:
    await cluster.add_node(make_node("node-1"))
    await cluster.client.create(make_pod("foreign", schedulerName="another"))
    await cluster.client.create(make_pod("own"))
    await cluster.placed("own")
    assert (await cluster.client.get(Pod, "foreign", "default")).spec.node_name is None


async def test_important_pod_takes_the_place_of_a_less_important_one(cluster: Cluster) -> None:
    await cluster.add_node(make_node("node-1", {"cpu": "1"}))
    await cluster.client.create(make_pod("lowly", {"cpu": "1"}))
    await cluster.placed("lowly")
    await cluster.client.create(make_pod("vital", {"cpu": "1"}, priorityClassName="system-node-critical"))

    def making_room(pods: list[Pod]) -> bool:
        nominated = any(pod.status.nominated_node_name == "node-1" for pod in pods)
        leaving = any(pod.metadata.name == "lowly" and pod.metadata.deletion_timestamp for pod in pods)
        return nominated and leaving

    pods = await cluster.until(Pod, making_room)
    lowly = next(pod for pod in pods if pod.metadata.name == "lowly")
    disrupted = next(item for item in lowly.status.conditions if item.type == "DisruptionTarget")
    assert disrupted.reason == "PreemptionByScheduler"
    vital = await cluster.client.get(Pod, "vital", "default")
    event = await cluster.event("lowly", "Preempted")
    assert event.message == f"Preempted by pod {vital.metadata.uid} on node node-1"
    await cluster.client.delete(Pod, "lowly", "default", DeleteOptions(grace_period_seconds=0))
    assert await cluster.placed("vital") == "node-1"


async def test_many_pods_fill_the_nodes_and_not_more(cluster: Cluster) -> None:
    for number in range(4):
        await cluster.add_node(make_node(f"node-{number}", {"pods": "10"}))
    for number in range(45):
        await cluster.client.create(make_pod(f"web-{number}"))
    pods = await cluster.until(Pod, lambda pods: sum(bool(pod.spec.node_name) for pod in pods) == 40)
    used = [pod.spec.node_name for pod in pods if pod.spec.node_name]
    assert {name: used.count(name) for name in set(used)} == {f"node-{number}": 10 for number in range(4)}
