"""Claims get volumes that suit them, volumes know who has them, and what becomes of both in the end."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.types.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod
from pybernetes.api.types.storage_v1 import StorageClass, VolumeAttributesClass
from pybernetes.controllers.host_path_removal import refusal, remove_host_path
from pybernetes.controllers.volume_decision import (
    ClaimPlan,
    Reclaim,
    Surroundings,
    Told,
    VolumePlan,
    decide_claim,
    decide_volume,
)
from pybernetes.controllers.volume_match import best_match
from tests.controllers.world import World, made, play

NAMES = (
    "persistentvolume-binder-controller",
    "persistentvolumeclaim-protection-controller",
    "persistentvolume-protection-controller",
    "volumeattributesclass-protection-controller",
    "ephemeral-volume-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
)
WAIT = made(
    StorageClass, "wait", "", provisioner="kubernetes.io/no-provisioner", volumeBindingMode="WaitForFirstConsumer"
)


def volume(name: str, size: str = "1Gi", status: dict[str, Any] | None = None, **spec: Any) -> PersistentVolume:
    spec = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": f"/tmp/{name}"},
    } | spec
    return made(PersistentVolume, name, "", spec=spec, status=status or {"phase": "Available"})


def claim(name: str, size: str = "1Gi", metadata: dict[str, Any] | None = None, **spec: Any) -> PersistentVolumeClaim:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "resources": {"requests": {"storage": size}},
    } | spec
    return made(PersistentVolumeClaim, name, metadata=metadata or {}, spec=spec)


async def phase(world: World, type_: Any, name: str, wanted: str) -> Any:
    async def look() -> Any:
        found = await world.client.get(type_, name, "default" if type_ is PersistentVolumeClaim else None)
        return found if found.status.phase == wanted else None

    return await world.until(look)


def test_a_claim_is_bound_to_the_smallest_volume_that_fits_and_releases_it() -> None:
    async def scenario(world: World) -> None:
        for name, size in (("big", "10Gi"), ("small", "1Gi")):
            await world.client.create(volume(name, size))
        await phase(world, PersistentVolume, "small", "Available")
        await phase(world, PersistentVolume, "big", "Available")
        await world.client.create(claim("c"))
        bound = await phase(world, PersistentVolumeClaim, "c", "Bound")
        assert bound.spec.volume_name == "small"
        assert (bound.status.access_modes, bound.status.capacity) == (["ReadWriteOnce"], {"storage": "1Gi"})
        assert bound.metadata.annotations == {
            "pv.kubernetes.io/bind-completed": "yes",
            "pv.kubernetes.io/bound-by-controller": "yes",
        }
        taken = await phase(world, PersistentVolume, "small", "Bound")
        reference = taken.spec.claim_ref
        assert (reference.kind, reference.name, reference.uid) == ("PersistentVolumeClaim", "c", bound.metadata.uid)
        assert taken.metadata.annotations == {"pv.kubernetes.io/bound-by-controller": "yes"}
        await world.client.delete(PersistentVolumeClaim, "c", "default")
        await world.until(lambda: world.gone(PersistentVolumeClaim, "c"))
        await phase(world, PersistentVolume, "small", "Released")

    play(scenario, names=NAMES)


def test_what_cannot_be_bound_says_why() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(made(StorageClass, "imm", "", provisioner="p.io/x"))
        await world.client.create(WAIT)
        for name, class_ in (("nofit", ""), ("missing", "nosuch"), ("imm", "imm"), ("wait", "wait")):
            await world.client.create(claim(name, storageClassName=class_))

        async def told() -> Any:
            events = {text for kind, _, text in await world.events() if kind == "PersistentVolumeClaim"}
            return events if len(events) == 4 else None

        assert await world.until(told) == {
            "no persistent volumes available for this claim and no storage class is set",
            'storageclass.storage.k8s.io "nosuch" not found',
            "Waiting for a volume to be created either by the external provisioner 'p.io/x' or manually by the system"
            " administrator. If volume creation is delayed, please verify that the provisioner is running and"
            " correctly registered.",
            "waiting for first consumer to be created before binding",
        }
        found = await world.client.get(PersistentVolumeClaim, "imm", "default")
        assert found.metadata.annotations["volume.kubernetes.io/storage-provisioner"] == "p.io/x"

    play(scenario, names=NAMES)


def test_a_claim_that_waited_gets_a_volume_of_the_node_chosen_for_it() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(WAIT)
        for node in ("n1", "n2"):
            expression = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [f"z-{node}"]}
            affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
            local = volume(f"on-{node}", storageClassName="wait", nodeAffinity=affinity)
            await world.client.create(local)
            await phase(world, PersistentVolume, f"on-{node}", "Available")
        await world.client.create(claim("c", storageClassName="wait"))
        chosen = {"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "n2"}}}
        await world.client.patch(PersistentVolumeClaim, "c", "default", chosen)
        bound = await phase(world, PersistentVolumeClaim, "c", "Bound")
        assert bound.spec.volume_name == "on-n2"

    play(scenario, names=NAMES)


def test_volumes_to_be_deleted_go_with_their_claims_or_say_why_not() -> None:
    async def scenario(world: World) -> None:
        policy = {"persistentVolumeReclaimPolicy": "Delete"}
        await world.client.create(volume("temporary", **policy))
        await world.client.create(volume("kept", "2Gi", hostPath={"path": "/data"}, **policy))
        for name, size in (("a", "1Gi"), ("b", "2Gi")):
            await world.client.create(claim(name, size))
            await phase(world, PersistentVolumeClaim, name, "Bound")
            await world.client.delete(PersistentVolumeClaim, name, "default")
        await world.until(lambda: world.gone(PersistentVolume, "temporary", ""))
        failed = await phase(world, PersistentVolume, "kept", "Failed")
        assert failed.status.message == "host_path deleter only supports /tmp/.+ but received provided /data"

    play(scenario, names=NAMES)


def test_a_volume_and_a_claim_can_ask_for_one_another_and_a_lost_volume_is_told() -> None:
    async def scenario(world: World) -> None:
        reserved = volume("mine", "5Gi", claimRef={"namespace": "default", "name": "c"})
        await world.client.create(reserved)
        await world.client.create(volume("other", "1Gi"))
        await phase(world, PersistentVolume, "other", "Available")
        await world.client.create(claim("c"))
        assert (await phase(world, PersistentVolumeClaim, "c", "Bound")).spec.volume_name == "mine"
        await world.client.create(claim("d", volumeName="other"))
        assert (await phase(world, PersistentVolumeClaim, "d", "Bound")).spec.volume_name == "other"
        await world.client.delete(PersistentVolume, "other")
        await world.client.patch(PersistentVolume, "other", None, {"metadata": {"finalizers": None}})
        await phase(world, PersistentVolumeClaim, "d", "Lost")

    play(scenario, names=NAMES)


def test_a_class_of_attributes_stays_while_a_claim_has_it() -> None:
    async def story(world: World) -> None:
        await world.client.create(made(VolumeAttributesClass, "gold", "", driverName="e2e", parameters={"a": "b"}))
        await world.client.create(claim("c", volumeAttributesClassName="gold"))

        async def protected() -> bool:
            found = await world.client.get(VolumeAttributesClass, "gold")
            return found.metadata.finalizers == ["kubernetes.io/vac-protection"]

        await world.until(protected)
        await world.client.delete(VolumeAttributesClass, "gold")
        assert (await world.client.get(VolumeAttributesClass, "gold")).metadata.deletion_timestamp
        await world.client.delete(PersistentVolumeClaim, "c", "default")
        await world.until(lambda: world.gone(VolumeAttributesClass, "gold", ""))

    play(story, names=NAMES)


def test_an_ephemeral_volume_has_a_claim_that_lives_with_its_pod() -> None:
    async def scenario(world: World) -> None:
        wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        template = {"metadata": {"labels": {"a": "b"}}, "spec": wanted}
        ephemeral = {"name": "data", "ephemeral": {"volumeClaimTemplate": template}}
        spec = {"containers": [{"name": "c", "image": "nginx"}], "volumes": [ephemeral]}
        pod = await world.client.create(made(Pod, "web", spec=spec))
        found = await world.until(lambda: world.client.get(PersistentVolumeClaim, "web-data", "default"))
        assert found.metadata.labels == {"a": "b"}
        assert [owner.uid for owner in found.metadata.owner_references] == [pod.metadata.uid]
        await world.client.delete(Pod, "web", "default")
        await world.until(lambda: world.gone(PersistentVolumeClaim, "web-data"))

    play(scenario, names=NAMES)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "a"),
        ({"selector": {"matchLabels": {"disk": "ssd"}}}, "b"),
        ({"resources": {"requests": {"storage": "2Gi"}}}, "c"),
        ({"accessModes": ["ReadWriteMany"]}, "c"),
        ({"storageClassName": "fast"}, "d"),
        ({"volumeMode": "Block"}, None),
    ],
)
def test_volumes_are_chosen_by_what_the_claim_asks_for(spec: dict[str, Any], expected: str | None) -> None:
    volumes = [
        volume("d", storageClassName="fast"),
        volume("c", "3Gi", accessModes=["ReadWriteOnce", "ReadWriteMany"]),
        made(PersistentVolume, "b", "", **{**_parts(volume("b")), "metadata": {"labels": {"disk": "ssd"}}}),
        volume("a"),
        volume("x", status={"phase": "Released"}),
    ]
    found = best_match(claim("c", **spec), volumes, None, delayed=False)
    assert (found.metadata.name if found else None) == expected


def _parts(item: PersistentVolume) -> dict[str, Any]:
    from pybernetes.api.objects import to_builtins

    return {key: value for key, value in to_builtins(item).items() if key in ("spec", "status")}


def test_claims_that_were_bound_are_bound_or_lost() -> None:
    bound = claim("c", metadata={"uid": "1", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}, volumeName="v")
    assert decide_claim(bound, Surroundings({})).phase == "Lost"
    mine = volume("v", claimRef={"namespace": "default", "name": "c", "uid": "1"})
    assert decide_claim(bound, Surroundings({"v": mine})) == ClaimPlan(mine)
    other = volume("v", claimRef={"namespace": "default", "name": "c", "uid": "2"})
    message = "Two claims are bound to the same volume, this one is bound incorrectly"
    misbound = ClaimPlan(phase="Lost", event=Told("Warning", "ClaimMisbound", message))
    assert decide_claim(bound, Surroundings({"v": other})) == misbound


def test_a_named_volume_must_suit() -> None:
    named = claim("c", "2Gi", volumeName="v")
    plan = decide_claim(named, Surroundings({"v": volume("v")}))
    assert plan.event == Told(
        "Warning", "VolumeMismatch", 'Cannot bind to requested volume "v": requested PV is too small'
    )
    taken = volume("v", "5Gi", claimRef={"namespace": "default", "name": "d", "uid": "9"})
    plan = decide_claim(named, Surroundings({"v": taken}))
    assert plan.event is not None and plan.event.message == 'volume "v" already bound to a different claim.'


def test_volumes_follow_their_claims() -> None:
    reference = {"namespace": "default", "name": "c", "uid": "1"}
    assert decide_volume(volume("v"), None) == VolumePlan("Available")
    assert decide_volume(volume("v", claimRef=reference), None) == VolumePlan("Released")
    elsewhere = claim("c", metadata={"uid": "1"}, volumeName="w")
    assert decide_volume(volume("v", claimRef=reference), elsewhere) == VolumePlan("Available", unbind=True)
    deletable = volume("v", claimRef=reference, persistentVolumeReclaimPolicy="Delete")
    assert decide_volume(deletable, None).reclaim is Reclaim.DELETE_HOST_PATH


@pytest.mark.parametrize(
    ("path", "allowed"), [("/tmp/x", True), ("/tmp", False), ("/data", False), ("/tmp/../x", False)]
)
def test_only_what_lies_below_tmp_is_deleted(path: str, allowed: bool) -> None:
    assert (refusal(path) == "") is allowed


def test_a_folder_goes_with_all_it_holds_and_a_link_without(tmp_path: Any) -> None:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    remove_host_path(str(tmp_path / "link"))
    assert (tmp_path / "data").is_dir()
    remove_host_path(str(tmp_path / "data"))
    remove_host_path(str(tmp_path / "never"))
    assert list(tmp_path.iterdir()) == []
