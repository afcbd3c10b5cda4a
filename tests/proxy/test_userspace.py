"""The userspace proxy on loopback: which sockets there are, and where connections and datagrams end up."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator

import pytest

from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import run
from pybernetes.proxy.addresses import ServiceAddresses
from pybernetes.proxy.endpoints import Endpoint
from pybernetes.proxy.listening import ANY, Balancer, Listening, Target, listenings, service_addresses
from pybernetes.proxy.services import PortName, ProxiedPort
from pybernetes.proxy.state import PortState, States
from pybernetes.proxy.userspace import Userspace
from tests.proxy.builders import FACTS

WEB = PortName("default", "web", "")
UDP = PortName("default", "echo", "", "udp")
A, B = Endpoint("10.244.1.2", 8080), Endpoint("10.244.1.3", 8080, local=True)


class LoopbackOnly(ServiceAddresses):
    """The test's addresses are there already."""

    async def follow(self, wanted: frozenset[str]) -> None:
        assert wanted <= {"127.0.0.1"}


@pytest.fixture
async def userspace() -> AsyncIterator[Userspace]:
    made = Userspace(SystemClock(), Chance(1), addresses=LoopbackOnly())
    yield made
    await made.close()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_sockets_of_a_service() -> None:
    port = ProxiedPort(WEB, "10.96.0.20", 80, node_port=32600, external_ips=("1.2.3.4",), external_local=True)
    found = listenings({WEB: PortState(port, (A, B))}, FACTS)
    assert found == {
        Listening("tcp", "10.96.0.20", 80): Target(WEB, (A, B)),
        Listening("tcp", "1.2.3.4", 80): Target(WEB, (B,)),
        Listening("tcp", ANY, 32600): Target(WEB, (B,)),
    }
    assert service_addresses(found) == {"10.96.0.20", "1.2.3.4"}
    assert listenings({WEB: PortState(port, ())}, FACTS) == {}


def test_endpoints_take_turns_and_affinity_holds_until_it_runs_out() -> None:
    balancer = Balancer()
    assert [balancer.pick(Target(WEB, (A, B)), "c", 0.0) for _ in range(3)] == [A, B, A]
    sticky = Target(UDP, (A, B), affinity_seconds=10)
    assert [balancer.pick(sticky, "c", now) for now in (0.0, 9.0, 18.0)] == [A, A, A]
    assert balancer.pick(sticky, "c", 30.0) == B
    assert balancer.pick(Target(UDP, (A,), 10), "c", 31.0) == A, "an endpoint that is gone is not clung to"
    assert balancer.pick(Target(WEB, ()), "c", 0.0) is None


async def served(name: str) -> tuple[asyncio.Server, Endpoint]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(name.encode() + await reader.read())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])


async def ask(port: int, text: bytes = b"?") -> bytes:
    async with asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


def states(port: int, *endpoints: Endpoint, name: PortName = WEB) -> States:
    return {name: PortState(ProxiedPort(name, "127.0.0.1", port), endpoints)}


async def test_connections_are_relayed_in_turn_past_dead_endpoints(userspace: Userspace) -> None:
    (one, first), (two, second) = await served("one"), await served("two")
    port = free_port()
    async with one, two:
        await userspace.apply(states(port, first, second), FACTS)
        assert {await ask(port), await ask(port)} == {b"one?", b"two?"}
        await userspace.apply(states(port, Endpoint("127.0.0.1", free_port()), second), FACTS)
        assert {await ask(port), await ask(port)} == {b"two?"}
        await userspace.apply(states(port), FACTS)
        with pytest.raises(ConnectionRefusedError):
            await ask(port)


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(b"echo " + data, addr)  # type: ignore[attr-defined]


async def test_datagrams_are_relayed_to_and_fro(userspace: Userspace) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    endpoint = Endpoint(*transport.get_extra_info("sockname"))
    port = free_port(socket.SOCK_DGRAM)
    await userspace.apply(states(port, endpoint, name=UDP), FACTS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", port))
        for text in (b"a", b"b"):
            client.send(text)
            async with asyncio.timeout(5):
                assert await loop.sock_recv(client, 100) == b"echo " + text
    transport.close()


@pytest.mark.e2e
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
async def test_service_addresses_come_and_go_with_their_services() -> None:
    name = f"pxa{secrets.token_hex(3)}"
    await run(["ip", "netns", "add", name])
    inside = ["ip", "netns", "exec", name]
    try:
        addresses = ServiceAddresses(inside)
        await addresses.follow(frozenset({"10.96.0.1", "10.96.0.10"}))
        assert "10.96.0.10/32" in await run([*inside, "ip", "addr"])
        await ServiceAddresses(inside).follow(frozenset({"10.96.0.1"}))
        shown = await run([*inside, "ip", "addr"])
        assert "10.96.0.1/32" in shown
        assert "10.96.0.10/32" not in shown
    finally:
        await run(["ip", "netns", "del", name])
