"""kube-proxy in a network namespace of its own: two pods behind a bridge, a client outside, real packets."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from pybernetes.environment.namespace import listen_in, open_connection_in
from pybernetes.environment.process import run
from pybernetes.proxy.kernel import PacketFilter
from pybernetes.proxy.options import ProxyOptions
from pybernetes.proxy.packet_rules import PacketRules
from pybernetes.proxy.proxy import Proxy
from pybernetes.proxy.rules import NodeFacts
from pybernetes.proxy.state import States
from tests.proxy.builders import endpoint, endpoint_slice, service
from tests.proxy.cluster import Cluster, cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("iptables-restore"), reason="needs root and iptables"),
]
NODE = "192.168.77.1"
PODS = ("10.244.1.2", "10.244.1.3")


@dataclass
class Network:
    """Namespaces `<tag>-node`, `<tag>-0`, `<tag>-1` (pods) and `<tag>-out`."""

    tag: str = field(default_factory=lambda: f"px{secrets.token_hex(3)}")

    def name(self, part: str | int) -> str:
        return f"{self.tag}-{part}"

    async def make(self) -> None:
        names = [self.name(part) for part in ("node", 0, 1, "out")]
        await self.ip("", *(f"netns add {name}" for name in names))
        node = [
            "link set lo up",
            "link add cni0 type bridge forward_delay 0",
            "addr add 10.244.1.1/24 dev cni0",
            "link set cni0 up",
            f"link add out type veth peer name eth0 netns {self.name('out')}",
            f"addr add {NODE}/24 dev out",
            "link set out up",
            "route add default via 192.168.77.2",
        ]
        for number in range(len(PODS)):
            node.append(f"link add pod{number} type veth peer name eth0 netns {self.name(number)}")
            node.append(f"link set pod{number} master cni0 up")
            node.append(f"link set pod{number} type bridge_slave hairpin on")
        await self.ip(self.name("node"), *node)
        for number, address in enumerate(PODS):
            await self._leaf(number, f"{address}/24", "10.244.1.1")
        await self._leaf("out", "192.168.77.2/24", NODE)
        await run([*self.inside, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"])

    async def _leaf(self, part: str | int, address: str, gateway: str) -> None:
        lines = (
            "link set lo up",
            "link set eth0 up",
            f"addr add {address} dev eth0",
            f"route add default via {gateway}",
        )
        await self.ip(self.name(part), *lines)

    async def remove(self) -> None:
        await self.ip("", *(f"netns del {self.name(part)}" for part in ("node", 0, 1, "out")), force=True)

    @property
    def inside(self) -> list[str]:
        return ["ip", "netns", "exec", self.name("node")]

    async def ip(self, inside: str, *lines: str, force: bool = False) -> None:
        where = ["-n", inside] if inside else []
        forced = ["-force"] if force else []
        await run(["ip", *where, *forced, "-batch", "-"], stdin="\n".join(lines) + "\n")

    async def ask(self, part: str | int, host: str, port: int) -> tuple[str, str]:
        """(which pod answered, whom it saw)."""
        async with asyncio.timeout(5):
            reader, writer = await open_connection_in(self.name(part), host, port)
            try:
                pod, _, client = (await reader.read()).decode().partition(" ")
            finally:
                writer.close()
        return pod, client


@asynccontextmanager
async def network() -> AsyncIterator[Network]:
    made = Network()
    servers: list[asyncio.Server] = []
    try:
        await made.make()
        for number, address in enumerate(PODS):

            async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int = number) -> None:
                writer.write(f"pod{number} {writer.get_extra_info('peername')[0]}".encode())
                writer.close()

            servers.append(await asyncio.start_server(answer, sock=listen_in(made.name(number), address, 8080)))
        yield made
    finally:
        for server in servers:
            server.close()
        await made.remove()


class Told(PacketRules):
    """Packet rules that say when they have been written."""

    def __init__(self, packet_filter: PacketFilter) -> None:
        super().__init__(packet_filter)
        self._news = asyncio.Condition()
        self._endpoints = -1

    async def apply(self, states: States, facts: NodeFacts) -> None:
        await super().apply(states, facts)
        async with self._news:
            self._endpoints = sum(len(state.endpoints) for state in states.values())
            self._news.notify_all()

    async def wait(self, endpoints: int) -> None:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: self._endpoints == endpoints)


async def start(made: Cluster, net: Network, tasks: asyncio.TaskGroup) -> tuple[asyncio.Task[None], Told]:
    options = ProxyOptions("n1", NODE, "10.244.0.0/16", healthz_bind_address="", metrics_bind_address="")
    backend = Told(PacketFilter(net.inside))
    proxy = Proxy(options, made.client, made.informers, made.clock, made.chance, backend)
    running = tasks.create_task(proxy.run())
    await proxy.wait_synced()
    return running, backend


async def test_services_work_for_pods_and_for_clients_outside() -> None:
    async with network() as net, cluster() as made, asyncio.TaskGroup() as tasks:
        ports = [{"port": 80, "targetPort": 8080, "nodePort": 32600, "protocol": "TCP"}]
        await made.client.create(service(type="NodePort", ports=ports))
        running, rules = await start(made, net, tasks)

        with pytest.raises(ConnectionRefusedError):
            await net.ask(0, "10.96.0.20", 80)
        with pytest.raises(ConnectionRefusedError):
            await net.ask("out", NODE, 32600)

        known = await made.client.create(endpoint_slice(*(endpoint(address, "n1") for address in PODS)))
        await rules.wait(endpoints=2)
        seen = Counter([(await net.ask(0, "10.96.0.20", 80))[0] for _ in range(60)])
        assert min(seen["pod0"], seen["pod1"]) > 10
        outside = [await net.ask("out", NODE, 32600) for _ in range(60)]
        assert {pod for pod, _ in outside} == {"pod0", "pod1"}
        assert {client for _, client in outside} == {"10.244.1.1"}, "traffic to a node port is masqueraded"
        assert (await net.ask("node", "10.96.0.20", 80))[0] in seen
        assert (await net.ask("node", NODE, 32600))[0] in seen

        known.endpoints.pop()
        await made.client.update(known)
        await rules.wait(endpoints=1)
        assert {(await net.ask("out", NODE, 32600))[0] for _ in range(10)} == {"pod0"}

        # A new process takes over what the old one left.
        running.cancel()
        await asyncio.wait([running])
        assert (await net.ask("out", NODE, 32600))[0] == "pod0"
        running, _ = await start(made, net, tasks)
        saved = await run([*net.inside, "iptables-save", "-t", "nat"])
        assert saved.count("-j KUBE-SERVICES") == 2
        assert (await net.ask("out", NODE, 32600))[0] == "pod0"
        running.cancel()


async def test_a_client_with_affinity_stays_with_its_pod() -> None:
    async with network() as net, cluster() as made, asyncio.TaskGroup() as tasks:
        await made.client.create(service(sessionAffinity="ClientIP"))
        await made.client.create(endpoint_slice(*(endpoint(address, "n1") for address in PODS)))
        running, _ = await start(made, net, tasks)
        assert len({(await net.ask("node", "10.96.0.20", 80))[0] for _ in range(12)}) == 1
        running.cancel()
