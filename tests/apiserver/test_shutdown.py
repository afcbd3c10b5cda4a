"""What clients see of a server that goes down: over real sockets, each step waited for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import pytest

from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.shutdown import ShutdownTimes, shut_down
from pybernetes.apiserver.sockets.server import Server
from tests.apiserver.conftest import Caller
from tests.apiserver.test_in_flight import MAPS, Gated, started

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Serving:
    """A server, and connections to it."""

    api: ApiServer
    store: Gated
    server: Server
    port: int
    connections: list[Streams] = field(default_factory=list)

    async def connect(self) -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", self.port)
        self.connections.append(streams)
        return streams

    async def asked(self, method: str, path: str, body: bytes = b"") -> Streams:
        """A connection on which a request was sent."""
        streams = await self.connect()
        request(streams, method, path, body)
        return streams


def request(streams: Streams, method: str, path: str, body: bytes = b"") -> None:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer admin-token\r\nContent-Length: {len(body)}\r\n"
    )
    streams[1].write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)


async def answer(streams: Streams) -> tuple[int, dict[str, str], bytes]:
    head = (await streams[0].readuntil(b"\r\n\r\n")).decode().splitlines()
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), headers, await streams[0].readexactly(int(headers.get("content-length", 0)))


@asynccontextmanager
async def serving(key: bytes, **options: float) -> AsyncIterator[Serving]:
    api, store = await started(key, **options)
    server = Server(api.handle, None)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.listen(listener)
    one = Serving(api, store, server, listener.getsockname()[1])
    try:
        yield one
    finally:
        store.gate.set()
        for _, writer in one.connections:
            writer.transport.abort()
        await server.stop(1)
        api.close()
        await store.close()


async def test_what_is_under_way_ends_well(service_account_key: bytes) -> None:
    async with serving(service_account_key) as one:
        watch = await one.asked("GET", f"{MAPS}?watch=true")
        assert (await watch[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        write = await one.asked("POST", MAPS, msgspec.json.encode({"metadata": {"name": "m"}}))
        idle = await one.asked("GET", "/livez")
        assert (await answer(idle))[0] == 200
        down = asyncio.ensure_future(shut_down(one.api, one.server, ShutdownTimes()))
        assert await watch[0].readexactly(5) == b"0\r\n\r\n"
        assert not down.done()
        with pytest.raises(ConnectionError):
            await one.connect()
        one.store.gate.set()
        status, headers, _ = await answer(write)
        assert status == 201
        assert await write[0].read() == b""
        assert await idle[0].read() == b""
        await down


async def test_a_server_that_waits_is_not_ready_and_serves(service_account_key: bytes) -> None:
    async with serving(service_account_key) as one:
        down = asyncio.ensure_future(shut_down(one.api, one.server, ShutdownTimes(delay=3600)))
        await asyncio.sleep(0)
        status, _, body = await answer(await one.asked("GET", "/readyz"))
        assert (status, b"[-]shutdown failed: reason withheld\n" in body) == (500, True)
        assert (await answer(await one.asked("GET", "/livez")))[0] == 200
        assert (await answer(await one.asked("GET", MAPS)))[0] == 200
        down.cancel()


async def test_who_comes_late_is_sent_elsewhere(service_account_key: bytes) -> None:
    async with serving(service_account_key, shutdown_send_retry_after=True) as one:
        kept = await one.asked("GET", "/livez")
        assert (await answer(kept))[0] == 200
        write = await one.asked("POST", MAPS, msgspec.json.encode({"metadata": {"name": "m"}}))
        while not one.api.writes.peak():  # noqa: ASYNC110 - until it has come
            await asyncio.sleep(0.001)
        down = asyncio.ensure_future(shut_down(one.api, one.server, ShutdownTimes()))
        while not one.api.lifecycle.is_draining:  # noqa: ASYNC110 - the first steps of the way down
            await asyncio.sleep(0.001)
        for late in (await one.connect(), kept):
            request(late, "GET", MAPS)
            status, headers, body = await answer(late)
            assert (status, headers["retry-after"], headers["connection"]) == (429, "5", "close")
            assert body == b"The apiserver is shutting down, please try again later.\n"
            assert await late[0].read() == b""
        assert (await answer(await one.asked("GET", "/readyz")))[0] == 500
        one.store.gate.set()
        assert (await answer(write))[0] == 201
        await down


async def test_who_comes_late_without_that_is_told_that_it_is_unavailable(service_account_key: bytes) -> None:
    api, store = await started(service_account_key)
    api.lifecycle.drain()
    response = await Caller(api).send("GET", MAPS)
    assert (response.status, response.headers["retry-after"]) == (503, "1")
    status = msgspec.json.decode(response.body)
    assert (status["reason"], status["message"]) == ("ServiceUnavailable", "apiserver is shutting down")
    assert (await Caller(api).send("GET", "/metrics")).status == 200
    api.close()
    await store.close()


async def test_the_endpoints_lose_a_server_that_goes(service_account_key: bytes) -> None:
    api, store = await started(service_account_key, advertise_address="192.0.2.7")  # type: ignore[arg-type]
    call = Caller(api)
    endpoints = "/api/v1/namespaces/default/endpoints/kubernetes"
    assert (await call("GET", endpoints))[1]["subsets"][0]["addresses"] == [{"ip": "192.0.2.7"}]
    await api.withdraw()
    assert "subsets" not in (await call("GET", endpoints))[1]
    found = await call("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")
    assert found[1]["endpoints"] in ([], None)
    again = await ApiServer.start(
        ApiServerOptions(service_account_key, advertise_address="192.0.2.7"), store, api.writer.clock, api.writer.chance
    )
    assert (await call("GET", endpoints))[1]["subsets"][0]["addresses"] == [{"ip": "192.0.2.7"}]
    again.close()
    api.close()
    await store.close()
