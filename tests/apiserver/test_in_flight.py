"""Writes are limited in number and in time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pybernetes.api.wire import Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.in_flight import InFlight
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.store.contract import KeyValue
from pybernetes.store.embedded import EmbeddedStore
from tests.apiserver.conftest import TOKENS, Caller, ManualClock

MAPS = "/api/v1/namespaces/default/configmaps"
PLAIN = replace(TOKENS["alice-token"], name="plain", groups=("system:authenticated",))
RIGHTS = {
    "metadata": {"name": "plain"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "User", "name": "plain", "apiGroup": "rbac.authorization.k8s.io"}],
}


class Gated(EmbeddedStore):
    """Writes of configmaps wait until they are let."""

    gate: asyncio.Event

    async def put(
        self, key: str, value: bytes, expected: int | None = None, lease_seconds: float | None = None
    ) -> KeyValue:
        if "/configmaps/default/" in key:
            await self.gate.wait()
        return await super().put(key, value, expected, lease_seconds)


async def started(key: bytes, **options: float) -> tuple[ApiServer, Gated]:
    store = await Gated.open(None, SystemClock())
    assert isinstance(store, Gated)
    store.gate = asyncio.Event()
    wanted = ApiServerOptions(key, tokens={**TOKENS, "plain-token": PLAIN}, **options)  # type: ignore[arg-type]
    return await ApiServer.start(wanted, store, SystemClock(), Chance(1)), store


async def test_more_writes_than_allowed_are_told_to_come_again(service_account_key: bytes) -> None:
    api, store = await started(service_account_key, max_mutating_requests_inflight=2)
    admin, plain = Caller(api), Caller(api, "plain-token")
    assert (await admin("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", RIGHTS))[0] == 201
    under_way = [
        asyncio.ensure_future(plain("POST", MAPS, {"metadata": {"name": f"m{n}"}})) for n in range(2)
    ]  # fmt: skip
    await asyncio.sleep(0)
    refused = await plain.send("POST", MAPS, {"metadata": {"name": "more"}})
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert refused.body == b"Too many requests, please try again later.\n"
    assert (await plain("GET", MAPS))[0] == 200
    assert (await admin("DELETE", "/api/v1/nodes/none"))[0] == 404
    store.gate.set()
    assert [code for code, _ in await asyncio.gather(*under_way)] == [201, 201]
    assert (await plain("POST", MAPS, {"metadata": {"name": "more"}}))[0] == 201
    shown = (await admin.send("GET", "/metrics")).body.decode()
    assert 'apiserver_current_inflight_requests{request_kind="mutating"} 3\n' in shown
    assert 'apiserver_request_terminations_total{code="429",component="apiserver",group="",' in shown
    api.close()
    await store.close()


async def test_a_write_that_takes_too_long_is_cut_off(service_account_key: bytes) -> None:
    api, store = await started(service_account_key, request_timeout=0.05)
    call = Caller(api)
    response = await call.send("POST", MAPS, {"metadata": {"name": "m"}})
    assert response.status == 504
    assert b'"message":"Timeout: request did not complete within the allotted timeout"' in response.body
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    store.gate.set()
    assert (await call("POST", MAPS, {"metadata": {"name": "m"}}))[0] == 201
    api.close()
    await store.close()


async def test_the_client_may_say_how_long(service_account_key: bytes) -> None:
    api, store = await started(service_account_key)
    call = Caller(api)
    assert (await call.send("POST", f"{MAPS}?timeout=50ms", {"metadata": {"name": "m"}})).status == 504
    code, status = await call("GET", f"{MAPS}?timeout=soon")
    assert code == 400
    assert status["message"] == 'invalid timeout specified in the request URL - time: invalid duration "soon"'
    assert (await call("GET", f"{MAPS}?timeout=10s"))[0] == 200
    api.close()
    await store.close()


async def test_who_is_cancelled_is_not_answered() -> None:
    writes = InFlight(0, 60.0, SystemClock().monotonic)
    waiting = asyncio.ensure_future(writes.carry_out(_never()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await writes.drained()


async def test_the_peak_is_of_the_last_seconds(manual_clock: ManualClock) -> None:
    writes = InFlight(0, 60.0, manual_clock.monotonic)
    await asyncio.gather(*(writes.carry_out(_soon()) for _ in range(3)))
    assert writes.peak() == 3
    manual_clock.seconds += 10
    assert writes.peak() == 0


async def _never() -> Response:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def _soon() -> Response:
    await asyncio.sleep(0)
    return Response(200)
