"""A real API server in memory, and what a component needs of it: a client and running informers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.client import Client
from pybernetes.client.in_process import InProcessTransport
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.reconcile import Informers
from pybernetes.store.embedded import EmbeddedStore


@dataclass(frozen=True)
class Cluster:
    client: Client
    informers: Informers
    clock: SystemClock
    chance: Chance


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Informers run until the block ends."""
    clock, chance = SystemClock(), Chance(3)
    store = await EmbeddedStore.open(None, clock)
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    tokens = {"t": UserInfo("admin", groups=("system:masters", "system:authenticated"))}
    server = await ApiServer.start(ApiServerOptions(key, tokens=tokens), store, clock, chance)
    client = Client(InProcessTransport(server.handle, token="t"))
    informers = Informers(client, clock, chance)
    running = asyncio.create_task(informers.run())
    try:
        yield Cluster(client, informers, clock, chance)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()
        await store.close()
