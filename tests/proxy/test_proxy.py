"""The loop of kube-proxy over a real API server: what it hands its back end, and what it tells of itself."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import CommandFailed
from pybernetes.proxy.health import local_endpoints
from pybernetes.proxy.options import ProxyOptions
from pybernetes.proxy.proxy import Proxy, make_backend
from pybernetes.proxy.rules import NodeFacts
from pybernetes.proxy.services import PortName
from pybernetes.proxy.state import States
from tests.proxy.builders import endpoint, endpoint_slice, service
from tests.proxy.cluster import cluster

WEB = PortName("default", "web", "")


class Recorder:
    """A back end that keeps what it was given, and may fail first."""

    def __init__(self, failures: int = 0) -> None:
        self.given: asyncio.Queue[States] = asyncio.Queue()
        self._failures = failures

    async def apply(self, states: States, facts: NodeFacts) -> None:
        if self._failures:
            self._failures -= 1
            raise CommandFailed(["iptables-restore"], 4, "resource problem")
        self.given.put_nowait(states)

    async def close(self) -> None:
        """Nothing to close."""

    async def until(self, endpoints: list[str]) -> States:
        async with asyncio.timeout(20):
            while True:
                states = await self.given.get()
                if WEB in states and [str(item) for item in states[WEB].endpoints] == endpoints:
                    return states


def options(port: int = 0) -> ProxyOptions:
    return ProxyOptions("n1", healthz_bind_address="", metrics_bind_address=f"127.0.0.1:{port}" if port else "")


async def test_changes_reach_the_back_end_and_failures_are_tried_again() -> None:
    async with cluster() as made, asyncio.TaskGroup() as tasks:
        await made.client.create(service())
        recorder = Recorder(failures=1)
        proxy = Proxy(options(), made.client, made.informers, made.clock, made.chance, recorder)
        running = tasks.create_task(proxy.run())
        await proxy.wait_synced()
        known = await made.client.create(endpoint_slice(endpoint("10.244.1.2"), endpoint("10.244.1.3", "n1")))
        states = await recorder.until(["10.244.1.2:8080", "10.244.1.3:8080"])
        assert [item.local for item in states[WEB].endpoints] == [False, True]
        known.endpoints.pop()
        await made.client.update(known)
        later = await recorder.until(["10.244.1.2:8080"])
        kubernetes = PortName("default", "kubernetes", "https")
        assert later[kubernetes] is states[kubernetes], "what has not changed is not decided again"
        running.cancel()


async def test_metrics_and_mode_are_served(unused_tcp_port: int) -> None:
    async with cluster() as made, asyncio.TaskGroup() as tasks:
        proxy = Proxy(options(unused_tcp_port), made.client, made.informers, made.clock, made.chance, Recorder())
        running = tasks.create_task(proxy.run())
        await proxy.wait_synced()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as session:
            async with session.get("/proxyMode") as answer:
                assert await answer.text() == "iptables"
            async with session.get("/metrics") as answer:
                assert "kubeproxy_sync_proxy_rules_duration_seconds_count" in await answer.text()
            async with session.get("/nothing") as answer:
                assert answer.status == 404
        running.cancel()


async def test_a_health_check_counts_ready_endpoints_of_this_node() -> None:
    async with cluster() as made, asyncio.TaskGroup() as tasks:
        await made.client.create(service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=31999))
        await made.client.create(endpoint_slice(endpoint("10.244.1.2"), endpoint("10.244.1.3", "n1")))
        recorder = Recorder()
        proxy = Proxy(options(), made.client, made.informers, made.clock, made.chance, recorder)
        running = tasks.create_task(proxy.run())
        states = await recorder.until(["10.244.1.2:8080", "10.244.1.3:8080"])
        assert local_endpoints(states) == {31999: ("default", "web", 1)}
        running.cancel()


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match='unknown proxy mode "ipvs"'):
        make_backend(ProxyOptions("n1", mode="ipvs"), SystemClock(), Chance(1))
