"""A StatefulSet's pods come and go in order, keep their names and claims, and change from the last one down."""

from __future__ import annotations

from typing import Any

from pybernetes.api.types.apps_v1 import ControllerRevision, StatefulSet
from pybernetes.api.types.core_v1 import PersistentVolumeClaim, Pod
from pybernetes.client import PatchType
from tests.controllers.world import World, made, play


def db(replicas: int = 2, **spec: Any) -> StatefulSet:
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}], "terminationGracePeriodSeconds": 1},
    }
    given = {"serviceName": "db", "replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    return made(StatefulSet, "db", spec=given | spec)


async def settled(world: World, updated: int | None) -> StatefulSet:
    async def complete() -> StatefulSet | None:
        found = await world.client.get(StatefulSet, "db", "default")
        status, wanted = found.status, found.spec.replicas
        good = status.observed_generation == found.metadata.generation and status.updated_replicas == updated
        return found if good and status.replicas == (status.ready_replicas or 0) == wanted else None

    result: StatefulSet = await world.until(complete)
    return result


def history_of(world: World) -> list[str]:
    """Appearances and departures of pods, as they happen."""
    told: list[str] = []

    def changed(old: Pod | None, new: Pod | None) -> None:
        if old is None and new is not None:
            told.append(f"+{new.metadata.name}")
        elif new is None and old is not None:
            told.append(f"-{old.metadata.name}")

    world.context.informers.of(Pod).on_change(changed)
    return told


async def set_image(world: World, partition: int) -> None:
    template = {"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}}
    strategy = {"rollingUpdate": {"partition": partition}}
    change = {"spec": {"template": template, "updateStrategy": strategy}}
    await world.client.patch(StatefulSet, "db", "default", change, PatchType.STRATEGIC)


def test_pods_come_in_order_with_names_labels_and_upstreams_revision() -> None:
    async def scenario(world: World) -> None:
        told = history_of(world)
        await world.client.create(db())
        found = await settled(world, 2)
        assert told == ["+db-0", "+db-1"]
        assert (found.status.current_revision, found.status.update_revision) == ("db-7b5f8784f8", "db-7b5f8784f8")
        first = await world.client.get(Pod, "db-0", "default")
        # The zone comes from the node, by admission.
        assert first.metadata.labels == {
            "topology.kubernetes.io/zone": f"z-{first.spec.node_name}",
            "a": "b",
            "apps.kubernetes.io/pod-index": "0",
            "controller-revision-hash": "db-7b5f8784f8",
            "statefulset.kubernetes.io/pod-name": "db-0",
        }
        assert (first.spec.hostname, first.spec.subdomain) == ("db-0", "db")
        events = await world.events()
        assert ("StatefulSet", "SuccessfulCreate", "Create Pod db-1 in StatefulSet db successful") in events

    play(scenario)


def test_an_update_goes_from_the_last_down_to_the_partition() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(db())
        await settled(world, 2)
        told = history_of(world)
        told.clear()
        await set_image(world, 1)
        found = await settled(world, 1)
        assert told == ["-db-1", "+db-1"]
        assert (found.status.current_revision, found.status.update_revision) == ("db-7b5f8784f8", "db-66599b94f8")
        await set_image(world, 0)
        found = await settled(world, 2)
        assert told[2:] == ["-db-0", "+db-0"]
        assert found.status.current_revision == "db-66599b94f8"
        revisions = (await world.client.list(ControllerRevision, "default")).items
        assert sorted(item.revision for item in revisions) == [1, 2]

    play(scenario)


def test_a_revision_carries_the_annotations_of_its_time() -> None:
    async def scenario(world: World) -> None:
        wanted = db(1)
        wanted.metadata.annotations["kubernetes.io/change-cause"] = "first"
        await world.client.create(wanted)
        await settled(world, 1)
        revisions = (await world.client.list(ControllerRevision, "default")).items
        assert [item.metadata.annotations for item in revisions] == [{"kubernetes.io/change-cause": "first"}]

    play(scenario)


def test_it_shrinks_from_the_top_one_after_the_other() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(db(3))
        await settled(world, 3)
        told = history_of(world)
        told.clear()
        await world.client.patch(StatefulSet, "db", "default", {"spec": {"replicas": 0}})
        await settled(world, None)
        assert told == ["-db-2", "-db-1", "-db-0"]

    play(scenario)


def test_a_lost_pod_comes_back_under_its_name_with_its_claim() -> None:
    async def scenario(world: World) -> None:
        size = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        await world.client.create(db(1, volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": size}]))
        await settled(world, 1)
        before = await world.client.get(PersistentVolumeClaim, "data-db-0", "default")
        uid = (await world.client.get(Pod, "db-0", "default")).metadata.uid
        await world.client.delete(Pod, "db-0", "default")

        async def back() -> Pod | None:
            found = await world.client.get(Pod, "db-0", "default")
            return found if found.metadata.uid != uid else None

        pod = await world.until(back)
        assert pod.spec.volumes[0].persistent_volume_claim.claim_name == "data-db-0"
        after = await world.client.get(PersistentVolumeClaim, "data-db-0", "default")
        assert after.metadata.uid == before.metadata.uid

    play(scenario)
