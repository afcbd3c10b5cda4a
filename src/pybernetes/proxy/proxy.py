"""kube-proxy: makes Services reachable on one node. Changes of Services, EndpointSlices and the node flow in.

`Proxy.run` is the loop: wait for news, decide, carry out. The first sync comes as soon as the caches are full; under
load syncs are batched. Nothing is polled. The process runs inside the node's network namespace.
"""

from __future__ import annotations

import asyncio
import logging

from pybernetes.client import Client
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock
from pybernetes.environment.process import CommandFailed
from pybernetes.proxy.health import HealthServers
from pybernetes.proxy.kernel import PacketFilter
from pybernetes.proxy.options import ProxyOptions
from pybernetes.proxy.packet_rules import PacketRules
from pybernetes.proxy.progress import Progress
from pybernetes.proxy.state import Backend
from pybernetes.proxy.tracker import Tracker
from pybernetes.proxy.userspace import Userspace
from pybernetes.reconcile import Informers
from pybernetes.reconcile.backoff import Backoff

log = logging.getLogger(__name__)

# After a sync as much time belongs to others, in which changes gather. Longer would send clients to pods that are gone.
REST = 1.0


class Proxy:
    """One node's kube-proxy. `client` is its own way to the API server; `informers` must be run by the caller."""

    def __init__(
        self,
        options: ProxyOptions,
        client: Client,
        informers: Informers,
        clock: Clock,
        chance: Chance,
        backend: Backend | None = None,
    ) -> None:
        self._options = options
        self._clock = clock
        self._chance = chance
        self._changed = asyncio.Event()
        self._synced = asyncio.Event()
        self._progress = Progress(clock)
        self._tracker = Tracker(options, informers, self._note_change)
        self._backend = backend or make_backend(options, clock, chance)
        self._health = HealthServers(options, self._progress, self._tracker.node_eligible)

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            await self._health.start()
            await self._tracker.wait_synced()
            await self._work()
        finally:
            await self._health.close()
            await self._backend.close()

    async def wait_synced(self) -> None:
        """Returns when the node serves the Services that were there at the start."""
        await self._synced.wait()

    def _note_change(self) -> None:
        self._progress.queued()
        self._changed.set()

    async def _work(self) -> None:
        backoff = Backoff(self._chance)
        while True:
            self._changed.clear()
            started = self._clock.monotonic()
            try:
                await self._sync()
            except (CommandFailed, OSError) as error:
                self._progress.failed()
                log.error("sync failed: %s", error)
                await asyncio.sleep(backoff.next())
                continue
            backoff.reset()
            took = self._clock.monotonic() - started
            self._progress.synced(took)
            self._synced.set()
            await asyncio.sleep(min(self._options.min_sync_period, took * REST))
            await self._changed.wait()

    async def _sync(self) -> None:
        states, facts = self._tracker.states(), self._tracker.facts()
        await self._backend.apply(states, facts)
        await self._health.follow(states)


def make_backend(options: ProxyOptions, clock: Clock, chance: Chance) -> Backend:
    """The back end of a mode; ValueError for one that does not exist."""
    if options.mode == "iptables":
        return PacketRules(PacketFilter())
    if options.mode == "userspace":
        return Userspace(clock, chance, options.udp_idle_timeout)
    raise ValueError(f'unknown proxy mode "{options.mode}": must be one of iptables, userspace')
