"""ReplicaSets and ReplicationControllers: how many pods, which go first, and what a refusal looks like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pybernetes.api.types.apps_v1 import ReplicaSet
from pybernetes.api.types.core_v1 import Pod, ReplicationController
from pybernetes.controllers.replicas import Decision, decide
from tests.controllers.world import World, made, play

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def pod(name: str, node: str = "n1", phase: str = "Running", **metadata: Any) -> Pod:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T11:00:00Z"}
    created = {"creationTimestamp": "2026-01-01T11:00:00Z", "uid": name}
    conditions = [ready] if phase == "Running" else []
    return made(
        Pod,
        name,
        metadata=created | metadata,
        spec={"nodeName": node},
        status={"phase": phase, "conditions": conditions},
    )


def names(decision: Decision) -> list[str | None]:
    return [item.metadata.name for item in decision.delete]


def test_what_is_missing_is_created() -> None:
    assert decide(3, [pod("a")], [], NOW) == Decision(create=2)
    assert decide(1, [pod("a")], [], NOW) == Decision()


def test_pods_without_a_node_go_first_then_those_that_do_not_run_then_the_cheap_ones() -> None:
    cheap = {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"}}
    pods = [pod("runs"), pod("cheap", **cheap), pod("waits", phase="Pending"), pod("nowhere", node="", phase="Pending")]
    assert names(decide(0, pods, pods, NOW)) == ["nowhere", "waits", "cheap", "runs"]


def test_crowded_nodes_lose_pods_first_and_then_the_youngest_go() -> None:
    pods = [pod("alone", node="n2"), pod("old"), pod("young", creationTimestamp="2026-01-01T11:59:58Z")]
    assert names(decide(0, pods, pods, NOW)) == ["young", "old", "alone"]


def workload(kind: type[ReplicaSet] | type[ReplicationController], replicas: int) -> Any:
    selector: Any = {"matchLabels": {"a": "b"}} if kind is ReplicaSet else {"a": "b"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    return made(kind, "rs", spec={"replicas": replicas, "selector": selector, "template": template})


def test_a_replication_controller_keeps_its_pods() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(workload(ReplicationController, 2))

        async def available(count: int) -> bool:
            found = await world.client.get(ReplicationController, "rs", "default")
            return (found.status.available_replicas or 0) == count == found.status.replicas

        await world.until(lambda: available(2))
        await world.client.delete(Pod, (await world.pods(a="b"))[0].metadata.name or "", "default")
        await world.until(lambda: available(2))
        await world.client.patch(ReplicationController, "rs", "default", {"spec": {"replicas": 0}})
        await world.until(lambda: available(0))
        assert ("ReplicationController", "SuccessfulCreate") in {event[:2] for event in await world.events()}

    play(scenario)


def test_never_a_pod_too_many() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(workload(ReplicaSet, 20))
        most: list[int] = []
        world.context.informers.of(Pod).on_change(
            lambda *_: most.append(len(world.context.informers.of(Pod).cache.list("default")))
        )

        async def available() -> bool:
            return ((await world.client.get(ReplicaSet, "rs", "default")).status.available_replicas or 0) == 20

        await world.until(available)
        assert max(most) == 20

    play(scenario)


def test_a_pod_becomes_available_though_time_passes_while_it_is_looked_at() -> None:
    async def scenario(world: World) -> None:
        even, asked = world.clock.now, count()

        def uneven() -> datetime:
            return even() + timedelta(milliseconds=-(next(asked) % 2))

        world.clock.now = uneven  # type: ignore[method-assign]
        slow = workload(ReplicaSet, 1)
        slow.spec.min_ready_seconds = 10
        await world.client.create(slow)

        async def available() -> bool:
            return (await world.client.get(ReplicaSet, "rs", "default")).status.available_replicas == 1

        await world.until(available)

    play(scenario)
