"""A scheduler at work on an API server in memory, in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.api.objects import Object
from pybernetes.api.types.core_v1 import Event, Node, Pod, ServiceAccount
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.reconcile import EventRecorder, Informers
from pybernetes.scheduler.scheduler import Scheduler
from pybernetes.store.embedded import EmbeddedStore

TOKENS = {"admin-token": UserInfo("admin", groups=("system:masters", "system:authenticated"))}


@dataclass
class Cluster:
    """What the tests hold in their hands."""

    client: Client
    informers: Informers
    scheduler: Scheduler

    async def until(self, type_: type[Object], holds: Callable[[list[Object]], bool]) -> list[Object]:
        """Waits for the objects of a kind to be as told; gives them."""
        informer = self.informers.of(type_)
        reached: asyncio.Event = asyncio.Event()

        def look(old: Object | None, new: Object | None) -> None:
            if holds(informer.cache.list()):
                reached.set()

        informer.on_change(look)
        await asyncio.wait_for(reached.wait(), 30)
        return informer.cache.list()

    async def placed(self, name: str) -> str:
        """The node that a pod was given."""
        pods = await self.until(Pod, lambda pods: any(p.metadata.name == name and p.spec.node_name for p in pods))
        return next(pod.spec.node_name or "" for pod in pods if pod.metadata.name == name)

    async def event(self, name: str, reason: str) -> Event:
        """The event of that reason about a pod."""

        def is_it(event: Event) -> bool:
            return event.reason == reason and event.involved_object.name == name

        events = await self.until(Event, lambda events: any(map(is_it, events)))
        return next(filter(is_it, events))

    async def add_node(self, node: Node) -> None:
        made = await self.client.create(node)
        made.status, made.spec = node.status, node.spec
        made = await self.client.update_status(made)
        # The API server has tainted it as not ready; what was asked for counts here.
        made.spec = node.spec
        await self.client.update(made)


@pytest.fixture(scope="session")
def service_account_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
async def cluster(service_account_key: bytes) -> AsyncIterator[Cluster]:
    clock, chance = SystemClock(), Chance(1)
    store = await EmbeddedStore.open(None, clock)
    options = ApiServerOptions(service_account_key, tokens=TOKENS)
    api = await ApiServer.start(options, store, clock, chance)
    client = Client(InProcessTransport(api.handle, "admin-token"))
    # No controllers run here.
    await client.create(ServiceAccount(metadata=ObjectMeta(name="default", namespace="default")))
    informers = Informers(client, clock, chance)
    recorder = EventRecorder(client, clock, "default-scheduler")
    scheduler = Scheduler(client, informers, clock, chance, recorder)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(part.run()) for part in (informers, recorder, scheduler)]
        yield Cluster(client, informers, scheduler)
        for task in running:
            task.cancel()
    api.close()
    await store.close()
