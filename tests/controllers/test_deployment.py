"""A Deployment as its user sees it: pods, revisions, roll-outs, pauses, failures, and the events that tell of them."""

from __future__ import annotations

from typing import Any

from pybernetes.api.types.apps_v1 import Deployment, ReplicaSet
from pybernetes.api.types.core_v1 import Pod
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.client import PatchType
from tests.controllers.world import World, made, play


def web(replicas: int = 3, **spec: Any) -> Deployment:
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}], "terminationGracePeriodSeconds": 1},
    }
    rolling = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    given = {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template, "strategy": rolling}
    return made(Deployment, "web", metadata={"annotations": {"note": "copied?"}}, spec=given | spec)


async def settled(world: World, name: str = "web") -> Deployment:
    async def complete() -> Deployment | None:
        found = await world.client.get(Deployment, name, "default")
        status, wanted = found.status, found.spec.replicas
        done = status.observed_generation == found.metadata.generation and status.updated_replicas == wanted
        return found if done and status.available_replicas == wanted and status.replicas == wanted else None

    result: Deployment = await world.until(complete)
    return result


async def replica_sets(world: World) -> dict[str, ReplicaSet]:
    items = (await world.client.list(ReplicaSet, "default")).items
    return {item.metadata.name or "": item for item in items}


async def set_image(world: World, image: str, **template: Any) -> None:
    change = {"spec": {"template": {**template, "spec": {"containers": [{"name": "c", "image": image}]}}}}
    await world.client.patch(Deployment, "web", "default", change, PatchType.STRATEGIC)


def reasons(deployment: Deployment) -> dict[str, tuple[str, str | None, str | None]]:
    return {item.type: (item.status, item.reason, item.message) for item in deployment.status.conditions}


def test_creates_a_replica_set_that_carries_upstreams_hash_and_tells_what_it_did() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web())
        deployment = await settled(world)
        assert deployment.metadata.annotations["deployment.kubernetes.io/revision"] == "1"
        assert reasons(deployment) == {
            "Available": ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            "Progressing": (
                "True",
                "NewReplicaSetAvailable",
                'ReplicaSet "web-5bc7999bd5" has successfully progressed.',
            ),
        }
        found = await replica_sets(world)
        assert list(found) == ["web-5bc7999bd5"]
        new = found["web-5bc7999bd5"]
        assert new.metadata.labels == {"a": "b", "pod-template-hash": "5bc7999bd5"}
        assert new.metadata.annotations == {
            "deployment.kubernetes.io/desired-replicas": "3",
            "deployment.kubernetes.io/max-replicas": "4",
            "deployment.kubernetes.io/revision": "1",
            "note": "copied?",
        }
        assert (new.status.replicas, new.status.available_replicas, new.status.terminating_replicas) == (3, 3, 0)
        events = await world.events()
        assert ("Deployment", "ScalingReplicaSet", "Scaled up replica set web-5bc7999bd5 from 0 to 3") in events
        names = {pod.metadata.name for pod in await world.pods(a="b")}
        told = {message for _, reason, message in events if reason == "SuccessfulCreate"}
        assert told == {f"Created pod: {name}" for name in names}

    play(scenario)


def test_rolls_over_without_ever_having_too_few_or_too_many_and_rolls_back_to_the_old_replica_set() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web())
        await settled(world)
        seen: list[int] = []
        ready: list[int] = []

        def watch(old: Pod | None, new: Pod | None) -> None:
            pods = [pod for pod in world.context.informers.of(Pod).cache.list() if not pod.metadata.deletion_timestamp]
            seen.append(len(pods))
            ready.append(sum(any(c.type == "Ready" and c.status == "True" for c in p.status.conditions) for p in pods))

        world.context.informers.of(Pod).on_change(watch)
        ready.clear()
        await set_image(world, "nginx:2")
        await settled(world)
        assert max(seen) <= 4 and min(ready) >= 2
        await set_image(world, "nginx")
        deployment = await settled(world)
        assert deployment.metadata.annotations["deployment.kubernetes.io/revision"] == "3"
        found = await replica_sets(world)
        assert set(found) == {"web-5bc7999bd5", "web-59f96c9c7c"}
        history = found["web-5bc7999bd5"].metadata.annotations
        assert history["deployment.kubernetes.io/revision-history"] == "1"
        assert found["web-59f96c9c7c"].spec.replicas == 0

    play(scenario)


def test_a_roll_out_that_gets_stuck_says_so_and_keeps_the_old_pods() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web(progressDeadlineSeconds=5))
        await settled(world)
        await set_image(world, "broken", metadata={"annotations": {"fake": "pend"}})

        async def timed_out() -> bool:
            found = await world.client.get(Deployment, "web", "default")
            return reasons(found).get("Progressing", ("",))[0] == "False"

        await world.until(timed_out)
        deployment = await world.client.get(Deployment, "web", "default")
        assert reasons(deployment)["Progressing"] == (
            "False",
            "ProgressDeadlineExceeded",
            'ReplicaSet "web-b48bb59bc" has timed out progressing.',
        )
        assert (deployment.status.available_replicas, deployment.status.updated_replicas) == (2, 2)

    play(scenario)


def test_paused_it_scales_but_does_not_roll() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web())
        await settled(world)
        await world.client.patch(Deployment, "web", "default", {"spec": {"paused": True}})
        await set_image(world, "nginx:2")
        await world.client.patch(Deployment, "web", "default", {"spec": {"replicas": 5}})

        async def scaled() -> bool:
            found = await world.client.get(Deployment, "web", "default")
            return found.status.available_replicas == 5

        await world.until(scaled)
        assert list(await replica_sets(world)) == ["web-5bc7999bd5"]
        paused = await world.client.get(Deployment, "web", "default")
        assert reasons(paused)["Progressing"] == ("Unknown", "DeploymentPaused", "Deployment is paused")
        await world.client.patch(Deployment, "web", "default", {"spec": {"paused": None}})
        await settled(world)
        assert set(await replica_sets(world)) == {"web-5bc7999bd5", "web-59f96c9c7c"}

    play(scenario)


def test_recreate_ends_the_old_pods_before_it_starts_new_ones() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web(strategy={"type": "Recreate"}))
        await settled(world)
        mixed: list[bool] = []

        def watch(old: Pod | None, new: Pod | None) -> None:
            hashes = {
                pod.metadata.labels.get("pod-template-hash") for pod in world.context.informers.of(Pod).cache.list()
            }
            mixed.append(len(hashes) > 1)

        world.context.informers.of(Pod).on_change(watch)
        await set_image(world, "nginx:2")
        await settled(world)
        assert not any(mixed)

    play(scenario)


def test_old_replica_sets_go_beyond_the_history_limit() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web(1, revisionHistoryLimit=1))
        for image in ("nginx", "nginx:2", "nginx:3"):
            await set_image(world, image)
            await settled(world)

        async def two_left() -> bool:
            return len(await replica_sets(world)) == 2

        await world.until(two_left)
        assert "web-5bc7999bd5" not in await replica_sets(world)

    play(scenario)


def test_deleted_its_replica_sets_and_pods_follow_and_orphaned_they_stay() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web())
        await settled(world)
        await world.client.delete(Deployment, "web", "default")

        async def nothing_left() -> bool:
            return not await world.pods(a="b") and not await replica_sets(world)

        await world.until(nothing_left)
        await world.client.create(web())
        await settled(world)
        await world.client.delete(Deployment, "web", "default", DeleteOptions(propagation_policy="Orphan"))
        await world.until(lambda: world.gone(Deployment, "web"))
        found = await replica_sets(world)
        assert [item.metadata.owner_references for item in found.values()] == [[]]
        assert len(await world.pods(a="b")) == 3

    play(scenario)


def test_foreground_deletion_takes_the_pods_first() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web())
        await settled(world)
        order: list[str] = []
        world.context.informers.of(Pod).on_change(lambda _, new: order.append("pod") if new is None else None)
        world.context.informers.of(Deployment).on_change(
            lambda _, new: order.append("deployment") if new is None else None
        )
        await world.client.delete(Deployment, "web", "default", DeleteOptions(propagation_policy="Foreground"))
        await world.until(lambda: world.gone(Deployment, "web"))
        assert order == ["pod", "pod", "pod", "deployment"]

    play(scenario)


def test_a_relabelled_pod_is_let_go_and_replaced_and_an_orphan_is_adopted() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(web())
        await settled(world)
        first = (await world.pods(a="b"))[0].metadata.name or ""
        await world.client.patch(Pod, first, "default", {"metadata": {"labels": {"a": "x"}}})

        async def replaced() -> bool:
            return len(await world.pods(a="b")) == 3

        await world.until(replaced)
        alone = await world.client.get(Pod, first, "default")
        assert alone.metadata.owner_references == []
        await world.client.patch(Pod, first, "default", {"metadata": {"labels": {"a": "b"}}})
        await world.until(replaced)

    play(scenario)
