"""`kubectl port-forward`: ports of this machine that lead to ports of a pod, until interrupted.

One WebSocket carries a SPDY connection; each TCP connection is a pair of its streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pybernetes.api.wire import Channel
from pybernetes.kubectl import selection, workloads
from pybernetes.kubectl.failures import error, usage
from pybernetes.kubectl.session import Session
from pybernetes.kubectl.words import Flag, Words
from pybernetes.streaming.port_forward import TUNNEL_PROTOCOL, data_headers, error_headers
from pybernetes.streaming.spdy import DataReceived, SpdySession, StreamReset

FLAGS = (Flag("address", default="localhost"), Flag("pod-running-timeout", default="1m"))
CHUNK = 32 * 1024
_LOCALHOST = ("127.0.0.1", "::1")


async def run(session: Session, words: Words) -> int:
    """Goes on until the pod is lost or the user interrupts."""
    if not words.arguments:
        raise usage("TYPE/NAME and list of ports are required for port-forward", "port-forward")
    name, *texts = words.arguments
    if not texts:
        raise usage("at least 1 PORT is required for port-forward", "port-forward")
    target = await selection.workload(session, name)
    pod = await workloads.one_pod(session, target)
    service = None
    if target.resource.kind == "Service":
        service = await session.request("GET", target.resource.path(session.namespace, target.name))
    pairs = [ports(text, pod, service) for text in texts]
    phase = (pod.get("status") or {}).get("phase")
    if phase != "Running":
        raise error(f"unable to forward port because pod is not running. Current status={phase}")
    if session.connect is None:
        raise error("this connection cannot carry streams")
    path = f"/api/v1/namespaces/{session.namespace}/pods/{pod['metadata']['name']}/portforward"
    tunnel = Tunnel(await session.connect(path, (), (TUNNEL_PROTOCOL,)), session)
    servers = [server for pair in pairs for server in await _listen(session, words, tunnel, pair)]
    try:
        await tunnel.run()
    finally:
        for server in servers:
            server.close()
    raise error("lost connection to pod")


def ports(text: str, pod: Mapping[str, Any], service: Mapping[str, Any] | None = None) -> tuple[int, int]:
    """(local, remote) of `8080:80`, `80`, `:80` or `8080:http`; a service's port becomes its pod's."""
    local, colon, remote = text.rpartition(":")
    number = _number(remote, pod, service)
    if not colon:
        return (int(remote) if remote.isdigit() else number), number
    if local and not local.isdigit():
        raise error(f"error parsing local port '{local}'")
    return int(local or 0), number


def _number(remote: str, pod: Mapping[str, Any], service: Mapping[str, Any] | None) -> int:
    if service is not None:
        for port in service["spec"].get("ports") or ():
            if remote in (str(port["port"]), port.get("name")):
                return _container_port(str(port.get("targetPort", port["port"])), pod)
        raise error(f"Service {service['metadata']['name']} does not have a service port {remote}")
    return _container_port(remote, pod)


def _container_port(text: str, pod: Mapping[str, Any]) -> int:
    if text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    for container in pod["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == text:
                return int(port["containerPort"])
    raise error(f"Pod '{pod['metadata']['name']}' does not have a named port '{text}'")


async def _listen(session: Session, words: Words, tunnel: Tunnel, pair: tuple[int, int]) -> Sequence[asyncio.Server]:
    """Listens on every address; `localhost` is content with one of its two."""
    local, remote = pair
    named = words.text("address").split(",")
    addresses = [item for name in named for item in (_LOCALHOST if name == "localhost" else (name,))]
    servers: list[asyncio.Server] = []
    problem: OSError | None = None
    for address in addresses:
        try:
            server = await asyncio.start_server(Acceptor(session, tunnel, remote).accept, address, local)
        except OSError as failure:
            problem = failure
            continue
        servers.append(server)
        local = server.sockets[0].getsockname()[1]
        shown = f"[{address}]" if ":" in address else address
        session.print(f"Forwarding from {shown}:{local} -> {remote}")
    if not servers:
        raise error(f"unable to listen on any of the requested ports: [{{{local} {remote}}}]: {problem}")
    return servers


@dataclass(frozen=True)
class Acceptor:
    """Takes connections for one port of the pod."""

    session: Session
    tunnel: Tunnel
    remote: int

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.session.print(f"Handling connection for {writer.get_extra_info('sockname')[1]}")
        await self.tunnel.carry(self.remote, reader, writer)


class Tunnel:
    """A SPDY connection in a WebSocket, shared by all forwarded connections."""

    def __init__(self, channel: Channel, session: Session) -> None:
        self._channel = channel
        self._session = session
        self._spdy = SpdySession(client=True)
        self._requests = 0
        self._data: dict[int, asyncio.StreamWriter] = {}
        self._errors: dict[int, int] = {}
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Brings what the pod says to its connections, until the server ends it."""
        while (message := await self._channel.receive()) is not None:
            for event in self._spdy.receive(message if isinstance(message, bytes) else message.encode()):
                if isinstance(event, DataReceived):
                    await self._received(event)
                elif isinstance(event, StreamReset):
                    self._close(event.stream)
            await self._flush()

    async def carry(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection, from its first byte to its last."""
        request, self._requests = self._requests, self._requests + 1
        self._errors[self._spdy.open(error_headers(port, request), finished=True)] = port
        stream = self._spdy.open(data_headers(port, request))
        self._data[stream] = writer
        try:
            while data := await reader.read(CHUNK):
                self._spdy.send(stream, data)
                await self._flush()
            self._spdy.send(stream, b"", finished=True)
            await self._flush()
        except OSError:
            self._spdy.reset(stream)
            self._close(stream)
            await self._flush()

    async def _received(self, event: DataReceived) -> None:
        if event.stream in self._errors and event.data:
            text = event.data.decode(errors="replace")
            self._session.warn(f"an error occurred forwarding {self._errors[event.stream]}: {text}")
            return
        writer = self._data.get(event.stream)
        if writer is None:
            return
        try:
            writer.write(event.data)
            await writer.drain()
        except OSError:
            self._close(event.stream)
        if event.finished:
            self._close(event.stream)

    def _close(self, stream: int) -> None:
        writer = self._data.pop(stream, None)
        if writer is not None:
            writer.close()

    async def _flush(self) -> None:
        # One frame after another, in the order in which they were made.
        async with self._sending:
            if data := self._spdy.take():
                await self._channel.send(data)
