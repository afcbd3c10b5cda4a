"""The repair of allocations, on a whole API server."""

from __future__ import annotations

import asyncio

import pytest
from tests.apiserver.allocation.test_services import ADDRESSES, SERVICES, addresses, create
from tests.apiserver.conftest import TOKENS, Caller

from pybernetes.api.kinds import kind_of
from pybernetes.api.types.core_v1 import Event
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.environment.chance import Chance
from pybernetes.store.embedded import EmbeddedStore

EVENTS = "/api/v1/namespaces/default/events"
LEAKED = {
    "metadata": {"name": "10.96.0.77", "labels": {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}},
    "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "gone"}},
}


@pytest.fixture
async def running(api):
    task = asyncio.create_task(api.run())
    yield api
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_address_that_somebody_deletes_is_made_again_and_told(call, running):
    address = (await create(call))["clusterIP"]
    told = asyncio.Event()
    running.registry.collection(kind_of(Event)).listen(lambda _changes: told.set())
    await call("DELETE", f"{ADDRESSES}/{address}")
    async with asyncio.timeout(10):
        await told.wait()
    _, events = await call("GET", EVENTS)
    found = [(event["reason"], event["message"]) for event in events["items"]]
    assert found == [("ClusterIPNotAllocated", f"Cluster IP [IPv4]: {address} is not allocated; repairing")]


async def test_a_missing_address_is_made_at_the_start_and_a_leaked_one_goes_when_it_is_old(
    service_account_key, manual_clock
):
    store = await EmbeddedStore.open(None, manual_clock)
    options = ApiServerOptions(service_account_key, tokens=TOKENS)
    first = await ApiServer.start(options, store, manual_clock, Chance(1))
    call = Caller(first)
    address = (await create(call))["clusterIP"]
    await call("DELETE", f"{ADDRESSES}/{address}")
    assert (await call("POST", ADDRESSES, LEAKED))[0] == 201
    first.close()
    second = await ApiServer.start(options, store, manual_clock, Chance(1))
    assert await addresses(Caller(second)) == {"10.96.0.1", "10.96.0.77", address}
    second.close()
    manual_clock.seconds = 61.0
    third = await ApiServer.start(options, store, manual_clock, Chance(1))
    assert await addresses(Caller(third)) == {"10.96.0.1", address}
    third.close()
    await store.close()


async def test_a_service_that_goes_is_not_repaired(call, running):
    for number in range(20):
        await create(call, f"s{number}")
        await call("DELETE", f"{SERVICES}/s{number}")
    assert await addresses(call) == {"10.96.0.1"}
    _, events = await call("GET", EVENTS)
    assert events["items"] == []
