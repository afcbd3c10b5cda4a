"""Quotas tell what is used, by whichever name they limit it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pybernetes.api.kinds import kind_of
from pybernetes.api.types.core_v1 import ConfigMap, PersistentVolumeClaim, Pod, ResourceQuota, Secret, Service
from pybernetes.controllers.resourcequota import is_told, used_by
from tests.controllers.test_custom_owners import definition, launch
from tests.controllers.world import World, made, play

NAMES = ("resourcequota-controller", "serviceaccount-controller")


def pod(name: str, **amounts: Any) -> Pod:
    container = {"name": "c", "image": "nginx", "resources": amounts}
    return made(Pod, name, spec={"containers": [container]})


def quota(**spec: Any) -> ResourceQuota:
    return made(ResourceQuota, "q", spec=spec)


async def used(world: World, **wanted: str) -> None:
    """Waits until the quota says so of these names."""

    async def says() -> bool:
        status = (await world.client.get(ResourceQuota, "q", "default")).status
        names = {key: status.used.get(key) for key in wanted}
        return names == wanted and status.hard.keys() == status.used.keys()

    await world.until(says)


def test_a_quota_follows_what_comes_and_goes() -> None:
    async def scenario(world: World) -> None:
        hard = {"pods": "4", "requests.cpu": "2", "limits.memory": "1Gi", "secrets": "9", "count/configmaps": "5"}
        hard |= {"services.nodeports": "3", "persistentvolumeclaims": "2", "requests.storage": "5Gi"}
        await world.client.create(quota(hard=hard))
        await used(world, pods="0", secrets="0", **{"requests.cpu": "0", "requests.storage": "0"})
        for name, cpu in (("a", "100m"), ("b", "600m")):
            await world.client.create(pod(name, requests={"cpu": cpu}, limits={"memory": "100Mi", "cpu": "1"}))
        await used(world, pods="2", **{"requests.cpu": "700m", "limits.memory": "200Mi"})
        await world.client.create(made(Secret, "s"))
        await world.client.create(made(ConfigMap, "m"))
        ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
        await world.client.create(made(Service, "np", spec={"type": "NodePort", "ports": ports}))
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
        await world.client.create(made(PersistentVolumeClaim, "c", spec=claim))
        await used(world, secrets="1", **{"count/configmaps": "1", "services.nodeports": "2"})
        await used(world, persistentvolumeclaims="1", **{"requests.storage": "2Gi"})
        await world.client.delete(Pod, "b", "default")
        await used(world, pods="1", **{"requests.cpu": "100m"})
        await world.client.patch(ResourceQuota, "q", "default", {"spec": {"hard": {"pods": "7", "secrets": None}}})
        await used(world, pods="1")

    play(scenario, names=NAMES)


def test_custom_resources_are_counted_too() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(definition())
        await world.client.create(quota(hard={"count/ships.sea.io": "3"}))
        await used(world, **{"count/ships.sea.io": "0"})
        await launch(world, "big")
        await used(world, **{"count/ships.sea.io": "1"})

    play(scenario, names=NAMES)


def test_scopes_choose_the_pods_and_unknown_counts_are_not_told() -> None:
    pods = [pod("idle"), pod("busy", requests={"cpu": "1"})]
    limited = quota(hard={"pods": "5", "count/nothing.example": "1"}, scopes=["BestEffort"])
    assert used_by(limited, [(kind_of(Pod), pods)], datetime(2030, 1, 1, tzinfo=UTC)) == {"pods": "1"}


def test_the_same_amount_written_otherwise_is_told_already() -> None:
    status = {"hard": {"cpu": "2"}, "used": {"cpu": "500m"}}
    told = made(ResourceQuota, "q", spec={"hard": {"cpu": "2000m"}}, status=status)
    assert is_told(told, {"cpu": "0.5"})
    assert not is_told(told, {"cpu": "1"})
