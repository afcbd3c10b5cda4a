"""The garbage collector and owners whose kinds were defined by users."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pybernetes.api.partial import custom_kind, partial_kind
from pybernetes.api.types.apiextensions_v1 import CustomResourceDefinition
from pybernetes.api.types.core_v1 import ConfigMap
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.controllers.custom_kinds import is_same
from tests.controllers.world import World, made, play

SHIP = partial_kind("sea.io", "v1", "ships", "Ship", namespaced=True)
NAMES = ("garbage-collector-controller", "serviceaccount-controller", "namespace-controller")


def definition() -> CustomResourceDefinition:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "ships", "singular": "ship", "kind": "Ship", "listKind": "ShipList"}
    spec = {"group": "sea.io", "scope": "Namespaced", "names": names, "versions": [version]}
    return made(CustomResourceDefinition, "ships.sea.io", "", spec=spec)


async def launch(world: World, name: str, **metadata: Any) -> str:
    """Creates a ship; its uid."""
    body = {"apiVersion": "sea.io/v1", "kind": "Ship", "metadata": {"name": name, **metadata}}
    answer = await world.client.raw("POST", SHIP.path("default"), body=json.dumps(body).encode())
    uid: str = json.loads(answer.body)["metadata"]["uid"]
    return uid


def owned_by(name: str, uid: str, **more: Any) -> dict[str, Any]:
    reference = {"apiVersion": "sea.io/v1", "kind": "Ship", "name": name, "uid": uid, **more}
    return {"ownerReferences": [reference]}


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_what_a_custom_object_owns_goes_with_it(policy: str) -> None:
    async def scenario(world: World) -> None:
        await world.client.create(definition())
        uid = await launch(world, "big")
        await launch(world, "boat", **owned_by("big", uid, blockOwnerDeletion=True))
        await world.client.create(made(ConfigMap, "cargo", metadata=owned_by("big", uid, blockOwnerDeletion=True)))
        await world.client.delete(SHIP.type, "big", "default", DeleteOptions(propagation_policy=policy))
        await world.until(lambda: world.gone(SHIP.type, "big"))
        await world.until(lambda: world.gone(SHIP.type, "boat"))
        await world.until(lambda: world.gone(ConfigMap, "cargo"))

    play(scenario, names=NAMES)


def test_orphans_of_a_custom_object_stay_without_it() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(definition())
        uid = await launch(world, "big")
        await world.client.create(made(ConfigMap, "cargo", metadata=owned_by("big", uid)))
        await world.client.delete(SHIP.type, "big", "default", DeleteOptions(propagation_policy="Orphan"))
        await world.until(lambda: world.gone(SHIP.type, "big"))
        left = await world.client.get(ConfigMap, "cargo", "default")
        assert left.metadata.owner_references == []

    play(scenario, names=NAMES)


def test_dependents_go_with_the_definition_and_owners_that_never_were_are_seen_once_it_comes() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(made(ConfigMap, "early", metadata=owned_by("never", "no-such-uid")))
        await world.client.create(definition())
        await world.until(lambda: world.gone(ConfigMap, "early"))
        uid = await launch(world, "big")
        await world.client.create(made(ConfigMap, "cargo", metadata=owned_by("big", uid)))
        await world.client.delete(CustomResourceDefinition, "ships.sea.io")
        await world.until(lambda: world.gone(CustomResourceDefinition, "ships.sea.io", ""))
        await world.until(lambda: world.gone(ConfigMap, "cargo"))

    play(scenario, names=NAMES)


def test_an_owner_of_another_namespace_is_no_owner() -> None:
    async def scenario(world: World) -> None:
        owner = await world.client.create(made(ConfigMap, "owner", "kube-system"))
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.metadata.uid}
        await world.client.create(made(ConfigMap, "child", metadata={"ownerReferences": [reference]}))
        await world.until(lambda: world.gone(ConfigMap, "child"))

    play(scenario, names=NAMES)


def test_a_definition_is_reached_in_its_stored_version_once_it_is_established() -> None:
    fresh = definition()
    assert custom_kind(fresh) is None
    status = {
        "conditions": [{"type": "Established", "status": "True"}],
        "acceptedNames": {"plural": "ships", "kind": "Ship"},
    }
    kind = custom_kind(made(CustomResourceDefinition, "ships.sea.io", "", spec=_spec(fresh), status=status))
    assert kind is not None and is_same(kind, SHIP)
    assert kind.path("default", "big") == "/apis/sea.io/v1/namespaces/default/ships/big"


def _spec(item: CustomResourceDefinition) -> dict[str, Any]:
    from pybernetes.api.objects import to_builtins

    spec: dict[str, Any] = to_builtins(item)["spec"]
    return spec
