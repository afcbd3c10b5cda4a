"""[sig-api-machinery] Garbage collector."""

from __future__ import annotations

import asyncio

from tests.conformance.bodies import pod, replication_controller, workload
from tests.conformance.driving import Api, Json, Simulated, simulated

COUNT = 10
LABELS = {"gctest": "it"}


async def controller(api: Simulated, name: str = "simpletest.rc", count: int = COUNT) -> Json:
    """A ReplicationController that has made all its pods."""
    await api.post(api.at("v1", "replicationcontrollers"), replication_controller(name, {"gctest": name}, count))
    path = api.at("v1", "replicationcontrollers", name)

    async def full() -> Json | None:
        obj: Json = await api.get(path)
        return obj if obj["status"].get("replicas", 0) == count else None

    obj: Json = await api.until(full)
    return obj


async def delete(api: Api, resource: str, obj: Json, policy: str) -> None:
    name, uid = obj["metadata"]["name"], obj["metadata"]["uid"]
    path = api.at("apps/v1" if resource == "deployments" else "v1", resource, name)
    await api.delete(path, propagationPolicy=policy, preconditions={"uid": uid})


async def remaining(api: Simulated) -> tuple[int, int, int]:
    """How many Deployments, ReplicaSets and pods there are."""
    kinds = (("apps/v1", "deployments"), ("apps/v1", "replicasets"), ("v1", "pods"))
    deployments, sets, pods = [len(await api.items(api.at(*kind))) for kind in kinds]
    return deployments, sets, pods


@simulated
async def test_pods_of_a_controller_are_deleted_in_the_background(api: Simulated) -> None:
    """Garbage collector should delete pods created by rc when not orphaning."""
    await delete(api, "replicationcontrollers", await controller(api), "Background")

    async def none() -> bool:
        return not await api.pods()

    await api.until(none, 120)


@simulated
async def test_pods_of_a_controller_are_orphaned(api: Simulated) -> None:
    """Garbage collector should orphan pods created by rc if delete options say so."""
    made = await controller(api)
    await delete(api, "replicationcontrollers", made, "Orphan")
    await api.until(lambda: api.gone(api.at("v1", "replicationcontrollers", made["metadata"]["name"])), 120)
    await asyncio.sleep(30)
    pods = await api.pods()
    assert len(pods) == COUNT and not any(each["metadata"].get("ownerReferences") for each in pods)


@simulated
async def test_replica_sets_are_deleted_or_orphaned_with_their_deployment(api: Simulated) -> None:
    """Garbage collector should delete RS created by deployment when not orphaning; should orphan RS created by
    deployment when deleteOptions.PropagationPolicy is Orphan."""
    for policy, left in (("Background", (0, 0, 0)), ("Orphan", (0, 1, 2))):
        made = await api.post(api.at("apps/v1", "deployments"), workload("simpletest", LABELS, 2))
        await api.running("gctest=it", 2)
        await delete(api, "deployments", made, policy)

        async def settled(left: tuple[int, int, int] = left) -> bool:
            return await remaining(api) == left

        await api.until(settled, 60)
        await asyncio.sleep(30)
        assert await remaining(api) == left
    sets = await api.items(api.at("apps/v1", "replicasets"))
    assert "ownerReferences" not in sets[0]["metadata"]


@simulated
async def test_a_controller_stays_until_all_its_pods_are_deleted(api: Simulated) -> None:
    """Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so."""
    made = await controller(api)
    path = api.at("v1", "replicationcontrollers", made["metadata"]["name"])
    await delete(api, "replicationcontrollers", made, "Foreground")
    going = await api.get(path)
    assert going["metadata"]["finalizers"] == ["foregroundDeletion"]
    await api.until(lambda: api.gone(path), 90)
    assert not await api.pods()


@simulated
async def test_dependents_with_another_valid_owner_stay(api: Simulated) -> None:
    """Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents
    to be deleted."""
    doomed, staying = await controller(api, "to-be-deleted"), await controller(api, "to-stay", 0)
    half = (await api.pods("gctest=to-be-deleted"))[: COUNT // 2]
    reference = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "name": "to-stay",
        "uid": staying["metadata"]["uid"],
    }
    for each in half:
        path = api.at("v1", "pods", each["metadata"]["name"])
        await api.patch(path, {"metadata": {"ownerReferences": [reference]}}, "strategic")
    await delete(api, "replicationcontrollers", doomed, "Foreground")
    await api.until(lambda: api.gone(api.at("v1", "replicationcontrollers", "to-be-deleted")), 120)
    left = await api.pods()
    assert {each["metadata"]["name"] for each in left} == {each["metadata"]["name"] for each in half}
    for each in left:
        assert "deletionTimestamp" not in each["metadata"]
        assert [owner["name"] for owner in each["metadata"]["ownerReferences"]] == ["to-stay"]


@simulated
async def test_a_circle_of_owners_does_not_block(api: Simulated) -> None:
    """Garbage collector should not be blocked by dependency circle."""
    place = api.at("v1", "pods")
    made = {name: await api.post(place, pod(name)) for name in ("pod1", "pod2", "pod3")}
    for name, owner in (("pod1", "pod3"), ("pod2", "pod1"), ("pod3", "pod2")):
        reference = {"apiVersion": "v1", "kind": "Pod", "name": owner, "uid": made[owner]["metadata"]["uid"]}
        owners = [{**reference, "controller": True, "blockOwnerDeletion": True}]
        await api.patch(f"{place}/{name}", {"metadata": {"ownerReferences": owners}}, "strategic")
    await api.delete(f"{place}/pod1", propagationPolicy="Foreground")

    async def none() -> bool:
        return not await api.pods()

    await api.until(none, 120)
