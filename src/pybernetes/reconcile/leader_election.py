"""Leader election: of several equal processes one works, the holder of a Lease; the others wait for it to fail.

`LeaderElector.run(lead)` runs the work while this process leads, and raises `LostLeadership` when it no longer does:
the process should end then, as it cannot know what its tasks were about to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from pybernetes.api import time
from pybernetes.api.status import StatusError
from pybernetes.api.types.coordination_v1 import Lease, LeaseSpec
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.client import Client, Unreachable
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock

log = logging.getLogger(__name__)

JITTER = 1.2  # a waiting process looks again after the retry period times 1 to 1 + this
RELEASE_PATIENCE = 2.0


class LostLeadership(Exception):
    """This process led and could not renew its Lease in time."""


@dataclass(frozen=True)
class Terms:
    """The times of an election, in seconds."""

    lease: float = 15.0  # others may take a Lease that has not changed for so long
    renew: float = 10.0  # the leader gives up after so long without a renewal
    retry: float = 2.0


@dataclass(frozen=True)
class Sighting:
    """A Lease's spec and when (monotonic seconds) this process first saw it so; clocks of processes need not agree."""

    spec: LeaseSpec
    at: float


def next_spec(current: LeaseSpec | None, identity: str, moment: str, duration: int) -> LeaseSpec:
    """The Lease as this process writes it: acquired anew, or renewed when it is its own."""
    if current is not None and current.holder_identity == identity:
        return msgspec.structs.replace(current, renew_time=moment, lease_duration_seconds=duration)
    transitions = 0 if current is None else (current.lease_transitions or 0) + 1
    return LeaseSpec(
        holder_identity=identity,
        lease_duration_seconds=duration,
        acquire_time=moment,
        renew_time=moment,
        lease_transitions=transitions,
    )


def may_take(seen: Sighting, identity: str, now: float, lease: float) -> bool:
    """Whether the Lease is ours, nobody's, or its holder has been silent for too long."""
    holder = seen.spec.holder_identity
    return not holder or holder == identity or now >= seen.at + (seen.spec.lease_duration_seconds or lease)


class LeaderElector:
    """One process's part in the election for one Lease."""

    def __init__(
        self, client: Client, clock: Clock, chance: Chance, lease_name: str, identity: str, terms: Terms | None = None
    ) -> None:
        self.leading = False
        self.namespace = "kube-system"
        self._client = client
        self._clock = clock
        self._chance = chance
        self._lease_name = lease_name
        self._identity = identity
        self._terms = terms or Terms()
        self._seen: Sighting | None = None
        self._lease: Lease | None = None

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Waits for leadership and runs `lead` under it. The Lease is released when `lead` returns or is cancelled."""
        await self._win()
        log.info("%s leads %s", self._identity, self._lease_name)
        self.leading = True
        try:
            async with asyncio.TaskGroup() as tasks:
                renewal = tasks.create_task(self._renew(), name=f"renew {self._lease_name}")
                await lead()
                renewal.cancel()
        except BaseExceptionGroup as group:
            lost, others = group.split(LostLeadership)
            if lost is not None and others is None:
                raise LostLeadership(f"lost the lease {self._lease_name}") from None
            raise
        finally:
            self.leading = False
            await self._release()

    async def _win(self) -> None:
        while True:
            if await self._try():
                return
            await asyncio.sleep(self._terms.retry * self._chance.uniform(1.0, 1.0 + JITTER))

    async def _renew(self) -> None:
        """Renews until it cannot, which is raised as `LostLeadership`."""
        while True:
            await asyncio.sleep(self._terms.retry)
            try:
                async with asyncio.timeout(self._terms.renew):
                    await self._renew_once()
            except TimeoutError:
                raise LostLeadership from None

    async def _renew_once(self) -> None:
        while True:
            if await self._try():
                return
            if self._held_by_other():
                raise LostLeadership
            await asyncio.sleep(self._terms.retry)

    async def _try(self) -> bool:
        """Acquires or renews; False when another holds the Lease or the API server would not."""
        try:
            return await self._acquire_or_renew()
        except (Unreachable, StatusError) as error:
            log.info("lease %s: %s", self._lease_name, error)
            self._lease = None
            return False

    async def _acquire_or_renew(self) -> bool:
        moment, duration = time.format_micro(self._clock.now()), int(self._terms.lease)
        # What this process wrote itself need not be read again: a conflict would tell of a change.
        lease = self._lease if self.leading and self._lease else await self._read()
        if lease is None:
            metadata = ObjectMeta(name=self._lease_name, namespace=self.namespace)
            spec = next_spec(None, self._identity, moment, duration)
            self._note(await self._client.create(Lease(metadata=metadata, spec=spec)))
            return True
        seen = self._note(lease)
        if not may_take(seen, self._identity, self._clock.monotonic(), self._terms.lease):
            return False
        spec = next_spec(lease.spec, self._identity, moment, duration)
        self._note(await self._client.update(msgspec.structs.replace(lease, spec=spec)))
        return True

    async def _read(self) -> Lease | None:
        try:
            return await self._client.get(Lease, self._lease_name, self.namespace)
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    def _note(self, lease: Lease) -> Sighting:
        self._lease = lease
        if self._seen is None or self._seen.spec != lease.spec:
            self._seen = Sighting(lease.spec, self._clock.monotonic())
        return self._seen

    def _held_by_other(self) -> bool:
        return self._seen is not None and self._seen.spec.holder_identity not in (self._identity, "", None)

    async def _release(self) -> None:
        """Lets the next one take over at once. Best effort: a Lease that stays runs out by itself."""
        lease = self._lease
        if lease is None or lease.spec.holder_identity != self._identity:
            return
        spec = msgspec.structs.replace(lease.spec, holder_identity="", lease_duration_seconds=1)
        with suppress(Unreachable, StatusError, TimeoutError):
            async with asyncio.timeout(RELEASE_PATIENCE):
                await self._client.update(msgspec.structs.replace(lease, spec=spec))
