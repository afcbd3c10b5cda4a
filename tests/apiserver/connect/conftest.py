"""A kubelet that speaks SPDY on a real socket, and an API server on another that passes sessions on to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from tests.apiserver.conftest import TOKENS, Caller

from pybernetes.api.wire import Response
from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.connect.kubelet_connection import KubeletConnection, client_tls
from pybernetes.apiserver.connect.node_connection import Backend, Call, Upgraded
from pybernetes.apiserver.options import ApiServerOptions
from pybernetes.apiserver.sockets.server import Server
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.store.embedded import EmbeddedStore
from pybernetes.streaming.remote_command import exited
from pybernetes.streaming.spdy import DataReceived, SpdySession, StreamOpened


class PlainNodes(KubeletConnection):
    """Reaches the kubelet of these tests, which has no certificate."""

    def __init__(self) -> None:
        super().__init__(client_tls(None, None, None))

    async def request(self, backend: Backend, call: Call) -> Response:
        return await super().request(replace(backend, scheme="http"), call)

    async def upgrade(self, backend: Backend, call: Call) -> Upgraded | Response:
        return await super().upgrade(replace(backend, scheme="http"), call)


@dataclass
class FakeKubelet:
    """Runs one command: it says everything from standard input twice, tells sizes, and exits with 3."""

    heads: list[str] = field(default_factory=list)
    refusal: bytes = b""
    log: list[bytes] = field(default_factory=list)
    is_following: bool = False
    log_ended: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        try:
            if self.refusal:
                writer.write(self.refusal)
            elif head.startswith("GET /containerLogs/"):
                await self._logs(reader, writer)
            elif "upgrade: spdy/3.1" in head.lower():
                writer.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n"
                )
                await (_echo if head.startswith("POST /portForward") else _command)(reader, writer)
            elif "upgrade: websocket" in head.lower():
                protocol = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: v4.channel.k8s.io"
                writer.write(b"HTTP/1.1 101 Switching Protocols\r\n" + protocol + b"\r\n\r\n")
                await _echo(reader, writer)
            else:
                body = b"" if head.startswith("HEAD ") else b"ok"
                writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\nX-Mine: yes\r\n\r\n" + body)
        finally:
            writer.close()

    async def _logs(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for line in self.log:
            writer.write(b"%x\r\n%b\r\n" % (len(line), line))
        if self.is_following:
            await reader.read()
            self.log_ended.set()
        else:
            writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data.upper())
        await writer.drain()


async def _command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    spdy = SpdySession(client=False)
    numbers: dict[str, int] = {}
    while data := await reader.read(1000):
        for event in spdy.receive(data):
            if isinstance(event, StreamOpened):
                spdy.accept(event.stream)
                numbers[event.headers["streamtype"]] = event.stream
            elif isinstance(event, DataReceived) and event.stream == numbers.get("stdin"):
                spdy.send(numbers["stdout"], event.data * 2)
                if event.finished:
                    spdy.send(numbers["error"], msgspec.json.encode(exited(3)), finished=True)
                    writer.write(spdy.take())
                    return
            elif isinstance(event, DataReceived):
                spdy.send(numbers["stdout"], b"size " + event.data)
        writer.write(spdy.take())
        await writer.drain()


@pytest.fixture
async def kubelet() -> AsyncIterator[FakeKubelet]:
    fake = FakeKubelet()
    server = await asyncio.start_server(fake.connected, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    yield fake
    server.close()


@dataclass
class Running:
    """An API server that listens."""

    api: ApiServer
    port: int
    call: Caller

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/namespaces/default{path}"


@pytest.fixture
async def running(kubelet: FakeKubelet, service_account_key: bytes) -> AsyncIterator[Running]:
    clock, nodes = SystemClock(), PlainNodes()
    store = await EmbeddedStore.open(None, clock)
    options = ApiServerOptions(service_account_key, tokens=TOKENS)
    api = await ApiServer.start(options, store, clock, Chance(1), nodes)
    server = Server(api.handle, None)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.listen(listener)
    call = Caller(api)
    await _make_objects(call, kubelet.port)
    yield Running(api, listener.getsockname()[1], call)
    await server.stop(0)
    await nodes.close()
    api.close()
    await store.close()


async def _make_objects(call: Caller, port: int) -> None:
    send: Callable[..., Awaitable[tuple[int, Any]]] = call
    await send("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    await send("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}})
    status = {
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    await send("PATCH", "/api/v1/nodes/n1/status", {"status": status}, content_type="application/merge-patch+json")
    pods = "/api/v1/namespaces/default/pods"
    one = [{"name": "c", "image": "i"}]
    await send("POST", pods, {"metadata": {"name": "p"}, "spec": {"containers": one, "nodeName": "n1"}})
    await send("POST", pods, {"metadata": {"name": "unbound"}, "spec": {"containers": one}})
    two = [{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]
    init = [{"name": "first", "image": "i"}]
    spec = {"containers": two, "initContainers": init, "nodeName": "n1"}
    await send("POST", pods, {"metadata": {"name": "two"}, "spec": spec})
