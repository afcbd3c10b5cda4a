"""Cluster DNS over real sockets on loopback and a real API server; another server plays the world outside."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import dnslib
import pytest

from pybernetes.api.objects import from_builtins
from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.dns.dns import Dns
from pybernetes.dns.forward import AnswerCache, Forwarder, Upstream, parse_upstream, upstreams_of
from pybernetes.dns.options import DnsOptions
from pybernetes.environment.chance import Chance
from tests.apiserver.conftest import ManualClock
from tests.proxy.cluster import Cluster, cluster

NAME = "web.default.svc.cluster.local"


class World(asyncio.DatagramProtocol):
    """An upstream resolver: every name but `big.example.` has one address."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.identifiers: list[int] = []
        self.called = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(self.answer(data, tcp=False), addr)  # type: ignore[attr-defined]

    def answer(self, data: bytes, *, tcp: bool) -> bytes:
        query = dnslib.DNSRecord.parse(data)
        self.identifiers.append(query.header.id)
        self.asked.append(f"{'tcp' if tcp else 'udp'} {query.q.qname}")
        self.called.set()
        reply = query.reply()
        if str(query.q.qname) == "big.example." and not tcp:
            reply.header.tc = 1
        else:
            reply.add_answer(dnslib.RR(query.q.qname, dnslib.QTYPE.A, ttl=60, rdata=dnslib.A("203.0.113.5")))
        return bytes(reply.pack())

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        answer = self.answer(await reader.readexactly(length), tcp=True)
        writer.write(struct.pack("!H", len(answer)) + answer)
        writer.close()


@asynccontextmanager
async def world(port: int = 0) -> AsyncIterator[tuple[World, str]]:
    made = World()
    server = await asyncio.start_server(made.stream, "127.0.0.1", port)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: made, ("127.0.0.1", port))
    try:
        yield made, f"127.0.0.1:{port}"
    finally:
        transport.close()
        server.close()


@asynccontextmanager
async def serving(made: Cluster, *upstreams: str, ready_port: int = 0) -> AsyncIterator[Dns]:
    options = DnsOptions(
        bind_address="127.0.0.1",
        port=0,
        health_port=0,
        ready_port=ready_port,
        metrics_port=0,
        upstreams=upstreams,
        resolv_conf=Path("/nonexistent"),
    )
    dns = Dns(options, made.client, made.informers, made.clock)
    running = asyncio.create_task(dns.run())
    try:
        await dns.wait_ready()
        yield dns
    finally:
        running.cancel()
        await asyncio.wait([running])


async def udp(port: int, packet: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(("127.0.0.1", port))
        client.send(packet)
        async with asyncio.timeout(10):
            return await loop.sock_recv(client, 65535)


async def tcp(port: int, packet: bytes) -> bytes:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(struct.pack("!H", len(packet)) + packet)
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        answer = await reader.readexactly(length)
        writer.close()
        return answer


async def ask(port: int, name: str, type_: str = "A", *, edns: int = 0, over: Any = udp) -> Any:
    query = dnslib.DNSRecord.question(name, type_)
    if edns:
        query.add_ar(dnslib.EDNS0(udp_len=edns))
    reply = dnslib.DNSRecord.parse(await over(port, query.pack()))
    assert reply.header.id == query.header.id
    return reply


def data(reply: Any) -> list[str]:
    return [str(record.rdata) for record in reply.rr]


async def create_service(made: Cluster, name: str, **spec: Any) -> None:
    body = {"metadata": {"name": name, "namespace": "default"}, "spec": spec}
    await made.client.create(from_builtins(body, Service))


async def create_headless(made: Cluster, count: int) -> None:
    await create_service(made, "many", clusterIP="None", ports=[{"port": 80}])
    endpoints = [
        {"addresses": [f"10.244.{n // 250}.{n % 250 + 1}"], "conditions": {"ready": True}} for n in range(count)
    ]
    metadata = {"name": "many-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "many"}}
    body = {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": [{"port": 80}]}
    await made.client.create(from_builtins(body, EndpointSlice))


async def test_services_are_found_over_udp_and_tcp() -> None:
    async with cluster() as made:
        await create_service(made, "web", clusterIP="10.96.0.20", ports=[{"port": 80, "name": "http"}])
        async with serving(made) as dns:
            for over in (udp, tcp, udp):
                reply = await ask(dns.port, NAME, over=over)
                assert (data(reply), reply.header.aa, reply.rr[0].ttl) == (["10.96.0.20"], 1, 5)
            assert data(await ask(dns.port, f"_http._tcp.{NAME}", "SRV")) == [f"0 100 80 {NAME}."]
            assert data(await ask(dns.port, "20.0.96.10.in-addr.arpa", "PTR")) == [f"{NAME}."]
            assert data(await ask(dns.port, "kubernetes.default.svc.cluster.local")) == ["10.96.0.1"]
            assert data(await ask(dns.port, "dns-version.cluster.local", "TXT")) == ['"1.1.0"']
            missing = await ask(dns.port, "nothing.default.svc.cluster.local", edns=1232)
            assert dnslib.RCODE[missing.header.rcode] == "NXDOMAIN"
            assert [str(record.rname) for record in missing.auth] == ["cluster.local."]
            assert [record.rtype for record in missing.ar] == [dnslib.QTYPE.OPT]


async def test_a_change_is_seen_at_once() -> None:
    async with cluster() as made, serving(made) as dns:
        assert dnslib.RCODE[(await ask(dns.port, NAME)).header.rcode] == "NXDOMAIN"
        informer = made.informers.of(Service)
        seen = asyncio.Event()
        informer.on_change(lambda _, new: seen.set() if new and new.metadata.name == "web" else None)
        await create_service(made, "web", clusterIP="10.96.0.20", ports=[{"port": 80}])
        await seen.wait()
        assert data(await ask(dns.port, NAME)) == ["10.96.0.20"]


async def test_what_does_not_fit_is_truncated_and_whole_over_tcp() -> None:
    async with cluster() as made:
        await create_headless(made, 90)
        async with serving(made) as dns:
            name = "many.default.svc.cluster.local"
            query = dnslib.DNSRecord.question(name).pack()
            assert len(await udp(dns.port, query)) <= 512
            short = await ask(dns.port, name)
            assert (short.header.tc, 0 < len(short.rr) < 90) == (1, True)
            assert len((await ask(dns.port, name, edns=4096)).rr) == 90
            first, second = (await ask(dns.port, name, over=tcp), await ask(dns.port, name, over=tcp))
            assert (first.header.tc, len(first.rr)) == (0, 90)
            assert data(first)[0] != data(second)[0], "addresses take turns"


async def test_other_names_are_asked_elsewhere_and_remembered() -> None:
    async with cluster() as made, world() as (outside, upstream):
        await create_service(made, "out", type="ExternalName", externalName="example.com")
        async with serving(made, upstream) as dns:
            for _ in range(2):
                assert data(await ask(dns.port, "example.org")) == ["203.0.113.5"]
            assert outside.asked.count("udp example.org.") == 1
            chased = await ask(dns.port, "out.default.svc.cluster.local")
            assert data(chased) == ["example.com.", "203.0.113.5"]
            assert data(await ask(dns.port, "out.default.svc.cluster.local", "CNAME")) == ["example.com."]
            assert (await ask(dns.port, "big.example")).header.tc == 1
            assert data(await ask(dns.port, "big.example", over=tcp)) == ["203.0.113.5"]
            assert outside.asked[-1] == "tcp big.example."


async def test_without_a_way_out_clients_get_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    async with cluster() as made:
        await create_service(made, "out", type="ExternalName", externalName="example.com")
        for upstreams in ((), (nobody,)):
            async with serving(made, *upstreams) as dns:
                reply = await ask(dns.port, "example.org")
                assert dnslib.RCODE[reply.header.rcode] == "SERVFAIL"
                assert data(await ask(dns.port, "out.default.svc.cluster.local")) == ["example.com."]


async def test_a_silent_resolver_is_found_again_at_nobodys_cost() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    clock = ManualClock()
    forwarder = Forwarder([Upstream("127.0.0.1", port)], clock)
    query = bytes(dnslib.DNSRecord.question("example.org").pack())
    assert await forwarder.ask(query) is None
    async with world(port) as (outside, _), asyncio.timeout(10):
        assert await forwarder.ask(query) is None, "left alone for a moment"
        clock.seconds = 5
        assert await forwarder.ask(query) is None, "the client does not wait for the trial"
        await outside.called.wait()
        await asyncio.gather(*forwarder._trials)
        answer = forwarder.cached(query)
        assert answer is not None
        assert data(dnslib.DNSRecord.parse(answer)) == ["203.0.113.5"]
        assert await forwarder.ask(query) is not None
    await forwarder.close()


async def test_a_client_does_not_choose_what_an_answer_from_outside_must_carry() -> None:
    """He could send the answer himself, and everybody would get it from the cache."""
    async with world() as (outside, upstream):
        port = int(upstream.rpartition(":")[2])
        forwarder = Forwarder([Upstream("127.0.0.1", port)], ManualClock(), Chance(1))
        for number in range(5):
            query = dnslib.DNSRecord.question(f"{number}.example.org")
            query.header.id = 7
            answer = await forwarder.ask(bytes(query.pack()))
            assert answer is not None
            assert dnslib.DNSRecord.parse(answer).header.id == 7
        assert len(set(outside.identifiers)) == 5
        await forwarder.close()


async def test_odd_packets_get_the_right_code_or_nothing() -> None:
    async with cluster() as made, serving(made) as dns:
        rubbish = await udp(dns.port, b"\x12\x34\x01\x00" + bytes(8) + b"\xff")
        assert (rubbish[:2], rubbish[3] & 0x0F) == (b"\x12\x34", 1)
        status = dnslib.DNSRecord(dnslib.DNSHeader(opcode=2), q=dnslib.DNSQuestion(NAME))
        assert (await udp(dns.port, status.pack()))[3] & 0x0F == 4
        future = dnslib.DNSRecord.question(NAME)
        future.add_ar(dnslib.EDNS0(version=1))
        reply = dnslib.DNSRecord.parse(await udp(dns.port, future.pack()))
        assert reply.ar[0].ttl >> 24 == 1


async def test_readiness_is_told_over_http(unused_tcp_port: int) -> None:
    async with cluster() as made, serving(made, ready_port=unused_tcp_port):
        url = f"http://127.0.0.1:{unused_tcp_port}/ready"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert (answer.status, await answer.text()) == (200, "OK")


def test_resolv_conf_names_resolvers_but_not_this_server_itself() -> None:
    text = "search a b\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver nonsense\nnameserver 2001:db8::1\n"
    assert upstreams_of(text) == (Upstream("192.0.2.1"), Upstream("2001:db8::1"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", Upstream("192.0.2.1", 53)),
        ("192.0.2.1:5353", Upstream("192.0.2.1", 5353)),
        ("2001:db8::1", Upstream("2001:db8::1", 53)),
        ("[2001:db8::1]:54", Upstream("2001:db8::1", 54)),
    ],
)
def test_upstreams_as_they_are_written(text: str, expected: Upstream) -> None:
    assert parse_upstream(text) == expected


def test_a_remembered_answer_grows_older_and_ends() -> None:
    clock = ManualClock()
    cache = AnswerCache(clock)
    query = dnslib.DNSRecord.question("example.org")
    reply = query.reply()
    reply.add_answer(dnslib.RR("example.org", dnslib.QTYPE.A, ttl=20, rdata=dnslib.A("203.0.113.5")))
    cache.put(bytes(query.pack()), bytes(reply.pack()))
    clock.seconds = 15
    later = bytes(dnslib.DNSRecord.question("example.org").pack())
    known = cache.get(later)
    assert known is not None
    assert (known[:2], dnslib.DNSRecord.parse(known).rr[0].ttl) == (later[:2], 5)
    clock.seconds = 20
    assert cache.get(later) is None
