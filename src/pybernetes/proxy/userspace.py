"""The back end of `--proxy-mode=userspace`, for hosts with no packet filter: sockets that relay to endpoints.

`States` flow in; listening TCP and UDP sockets on service addresses and node ports come out. `Proxy` calls it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.environment.stream_relay import relay
from pybernetes.proxy.addresses import ServiceAddresses
from pybernetes.proxy.endpoints import Endpoint
from pybernetes.proxy.listening import Balancer, Listening, Target, listenings, service_addresses
from pybernetes.proxy.relay import UdpRelay
from pybernetes.proxy.rules import NodeFacts
from pybernetes.proxy.state import States

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5.0


class Userspace:
    """One node's sockets; they close with the process."""

    def __init__(
        self, clock: Clock, chance: Chance, udp_idle_timeout: float = 60.0, addresses: ServiceAddresses | None = None
    ) -> None:
        self._clock = clock
        self._idle = udp_idle_timeout
        self._addresses = addresses or ServiceAddresses()
        self._balancer = Balancer()
        self._targets: Mapping[Listening, Target] = {}
        self._open: dict[Listening, asyncio.Server | UdpRelay] = {}
        self._connections: set[asyncio.Task[None]] = set()

    async def apply(self, states: States, facts: NodeFacts) -> None:
        """Listens for exactly these ports; a socket that cannot be had is logged and tried again at the next change."""
        self._targets = listenings(states, facts)
        self._balancer.keep(frozenset(target.name for target in self._targets.values()))
        for key in [key for key in self._open if key not in self._targets]:
            self._open.pop(key).close()
        for key, opened in self._open.items():
            if isinstance(opened, UdpRelay):
                opened.keep(frozenset((item.ip, item.port) for item in self._targets[key].endpoints))
        await self._addresses.follow(service_addresses(self._targets))
        for key in self._targets:
            if key not in self._open:
                await self._listen(key)

    async def close(self) -> None:
        """Closes all sockets and connections, and gives the addresses back."""
        for opened in self._open.values():
            opened.close()
        self._open.clear()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._addresses.follow(frozenset())

    async def _listen(self, key: Listening) -> None:
        loop = asyncio.get_running_loop()
        try:
            if key.protocol == "tcp":
                self._open[key] = await asyncio.start_server(partial(self._accept, key), key.address, key.port)
            elif key.protocol == "udp":
                made = partial(UdpRelay, partial(self._pick, key), self._idle)
                _, protocol = await loop.create_datagram_endpoint(made, (key.address, key.port))
                self._open[key] = protocol
        except OSError as error:
            log.warning("cannot listen on %s %s:%s: %s", key.protocol, key.address, key.port, error)

    def _pick(self, key: Listening, client: str) -> Endpoint | None:
        target = self._targets.get(key)
        return self._balancer.pick(target, client, self._clock.monotonic()) if target is not None else None

    async def _accept(self, key: Listening, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._connect(key, reader, writer)
        except OSError as error:
            log.debug("connection to %s ended: %s", key, error)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _connect(self, key: Listening, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tries one endpoint after another until one answers."""
        client = writer.get_extra_info("peername")[0]
        target = self._targets.get(key)
        for _ in range(len(target.endpoints) if target is not None else 0):
            endpoint = self._pick(key, client)
            if endpoint is None:
                break
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    streams = await asyncio.open_connection(endpoint.ip, endpoint.port)
            except (OSError, TimeoutError) as error:
                log.info("endpoint %s of %s does not answer: %s", endpoint, key, error)
                continue
            await relay((reader, writer), streams)
            return
        # A reset tells the client what an orderly end would not.
        writer.transport.abort()
