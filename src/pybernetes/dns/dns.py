"""Cluster DNS: names of Services and pods, and a way to all other names. The cluster flows in by informers.

`Dns.run` serves until it is cancelled. It answers as soon as it listens, but denies nothing before it knows all.
"""

from __future__ import annotations

import asyncio
import logging

from pybernetes.client import Client
from pybernetes.dns.forward import Forwarder, Upstream, parse_upstream, upstreams_of
from pybernetes.dns.health import serve
from pybernetes.dns.options import DnsOptions
from pybernetes.dns.records import ZoneData
from pybernetes.dns.resolver import Resolver
from pybernetes.dns.server import DnsServer
from pybernetes.dns.wire_format import question_packet
from pybernetes.dns.zone import ZoneFollower
from pybernetes.environment.clock import Clock
from pybernetes.reconcile import Informers

log = logging.getLogger(__name__)


class Dns:
    """One DNS server. `informers` must be run by the caller; `port` is known once it is `ready`."""

    def __init__(self, options: DnsOptions, client: Client, informers: Informers, clock: Clock) -> None:
        self._options = options
        zone = ZoneData(options.cluster_domain)
        self._follower = ZoneFollower(zone, informers)
        self._forwarder = Forwarder(_upstreams(options), clock)
        self._resolver = Resolver(zone, self._forwarder, lambda: self._follower.synced)
        self._server = DnsServer(self._resolver)
        self._ready = asyncio.Event()

    @property
    def port(self) -> int:
        return self._server.port

    async def wait_ready(self) -> None:
        """Returns when it listens and knows the cluster."""
        await self._ready.wait()

    async def run(self) -> None:
        """Serves until cancelled. Raises OSError when an address cannot be had."""
        servers: list[asyncio.Server] = []
        try:
            await self._server.start(self._options.bind_address, self._options.port)
            servers += await self._serve_http()
            self._forwarder.try_out(question_packet(".", "NS", 1))
            await self._follower.wait_synced()
            log.info("cluster DNS for %s is ready on port %s", self._options.cluster_domain, self.port)
            self._ready.set()
            await asyncio.Event().wait()
        finally:
            for server in servers:
                server.close()
            await self._server.close()
            await self._forwarder.close()

    async def _serve_http(self) -> list[asyncio.Server]:
        options = self._options
        wanted = (
            (options.health_port, {"/health": lambda: (200, "OK")}),
            (options.ready_port, {"/ready": lambda: (200, "OK") if self._ready.is_set() else (503, "not ready")}),
            (options.metrics_port, {"/metrics": lambda: (200, self._resolver.metrics())}),
        )
        return [await serve(options.bind_address, port, answers) for port, answers in wanted if port]


def _upstreams(options: DnsOptions) -> tuple[Upstream, ...]:
    if options.upstreams:
        return tuple(parse_upstream(item) for item in options.upstreams)
    try:
        return upstreams_of(options.resolv_conf.read_text())
    except OSError as error:
        log.warning("no names outside of the cluster: %s", error)
        return ()
