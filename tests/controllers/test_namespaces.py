"""What a new namespace gets, how it goes, and the tokens that Secrets ask for."""

from __future__ import annotations

import base64
import json

from pybernetes.api.types.apps_v1 import Deployment
from pybernetes.api.types.core_v1 import ConfigMap, Namespace, Secret, ServiceAccount
from tests.controllers.world import World, made, play


async def present(world: World, name: str) -> None:
    await world.client.create(made(Namespace, name))
    await world.until(lambda: world.client.get(ServiceAccount, "default", name))
    await world.until(lambda: world.client.get(ConfigMap, "kube-root-ca.crt", name))


def test_a_namespace_gets_its_account_and_certificate_again_and_again() -> None:
    async def scenario(world: World) -> None:
        await present(world, "new")
        account = await world.client.get(ServiceAccount, "default", "new")
        await world.client.delete(ServiceAccount, "default", "new")

        async def another() -> bool:
            return (await world.client.get(ServiceAccount, "default", "new")).metadata.uid != account.metadata.uid

        await world.until(another)
        await world.client.patch(ConfigMap, "kube-root-ca.crt", "new", {"data": {"ca.crt": "x"}})

        async def restored() -> bool:
            return (await world.client.get(ConfigMap, "kube-root-ca.crt", "new")).data == {"ca.crt": "the CA"}

        await world.until(restored)

    play(scenario)


def test_a_deleted_namespace_is_emptied_and_says_what_holds_it() -> None:
    async def scenario(world: World) -> None:
        await present(world, "old")
        held = made(ConfigMap, "held", "old", metadata={"finalizers": ["a.b/c"]})
        await world.client.create(held)
        template = {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        }
        spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        await world.client.create(made(Deployment, "web", "old", spec=spec))

        async def two_pods() -> bool:
            return len(await world.pods("old")) == 2

        await world.until(two_pods)
        await world.client.delete(Namespace, "old")

        async def holding() -> dict[str, str | None] | None:
            found = await world.client.get(Namespace, "old")
            told = {item.type: item.message for item in found.status.conditions}
            return told if "a.b/c" in (told.get("NamespaceFinalizersRemaining") or "") else None

        assert await world.until(holding) == {
            "NamespaceDeletionDiscoveryFailure": "All resources successfully discovered",
            "NamespaceDeletionGroupVersionParsingFailure": "All legacy kube types successfully parsed",
            "NamespaceDeletionContentFailure": "All content successfully deleted, may be waiting on finalization",
            "NamespaceContentRemaining": "Some resources are remaining: configmaps. has 1 resource instances",
            "NamespaceFinalizersRemaining": (
                "Some content in the namespace has finalizers remaining: a.b/c in 1 resource instances"
            ),
        }
        await world.client.patch(ConfigMap, "held", "old", {"metadata": {"finalizers": None}})
        await world.until(lambda: world.gone(Namespace, "old", ""))

    play(scenario)


def test_a_secret_of_an_account_is_filled_and_goes_with_the_account() -> None:
    async def scenario(world: World) -> None:
        await world.client.create(made(ServiceAccount, "robot"))
        annotations = {"kubernetes.io/service-account.name": "robot"}
        secret = made(Secret, "tok", metadata={"annotations": annotations}, type="kubernetes.io/service-account-token")
        await world.client.create(secret)

        async def filled() -> Secret | None:
            found = await world.client.get(Secret, "tok", "default")
            return found if found.data.get("token") else None

        found: Secret = await world.until(filled)
        assert (found.data["ca.crt"], found.data["namespace"]) == (b"the CA", b"default")
        account = await world.client.get(ServiceAccount, "robot", "default")
        assert found.metadata.annotations["kubernetes.io/service-account.uid"] == account.metadata.uid
        payload = found.data["token"].split(b".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        assert claims["sub"] == "system:serviceaccount:default:robot"
        assert await world.who(found.data["token"].decode()) == "system:serviceaccount:default:robot"
        await world.client.delete(ServiceAccount, "robot", "default")
        await world.until(lambda: world.gone(Secret, "tok"))

    play(scenario)
