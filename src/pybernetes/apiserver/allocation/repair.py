"""Keeps Services and what they were given in step: after a crash, after an upgrade, and after somebody's meddling.

`run_once` looks at everything; `run` does so at upstream's interval, and at once at what has changed. What is found is
told by events and put right: missing IPAddress objects are made, leaked ones removed.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from itertools import takewhile

from pybernetes.api import time
from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.networking_v1 import IPAddress
from pybernetes.apiserver.allocation.addresses import Addresses
from pybernetes.apiserver.allocation.events import ServerEvents
from pybernetes.apiserver.allocation.findings import (
    GRACE_SECONDS,
    Finding,
    check_addresses,
    check_owner,
    check_ports,
)
from pybernetes.apiserver.allocation.node_ports import NodePorts
from pybernetes.apiserver.collection import Change
from pybernetes.apiserver.writer import Writer

_log = logging.getLogger(__name__)
_INTERVAL_SECONDS = 180.0
_Key = tuple[str, str]


class AllocationRepair:
    """Looks after the ClusterIPs and node ports of one server."""

    def __init__(self, writer: Writer, addresses: Addresses, ports: NodePorts) -> None:
        self._writer = writer
        self._reader = writer.registry
        self._addresses = addresses
        self._ports = ports
        self._services: dict[_Key, None] = {}
        # IPAddresses to look at, and when, the next one first: those that were just made wait for their Service.
        self._due: dict[str, float] = {}
        self._woken = asyncio.Event()
        self._events = ServerEvents(writer, "ipallocator-repair-controller")
        self._port_events = ServerEvents(writer, "portallocator-repair-controller")

    async def run(self) -> None:
        """Repairs until cancelled."""
        ends = [
            self._reader.collection(kind_of(Service)).listen(self._services_changed),
            self._reader.collection(kind_of(IPAddress)).listen(self._addresses_changed),
        ]
        try:
            while True:
                await self.run_once()
                whole = self._writer.clock.monotonic() + _INTERVAL_SECONDS
                while (left := whole - self._writer.clock.monotonic()) > 0:
                    await self._wait(left)
                    await self._look_at_changes()
        finally:
            for end in ends:
                end()

    async def run_once(self) -> None:
        """Looks at every Service and every IPAddress."""
        for service in list(self._reader.list(Service)):
            await self._check_service(service)
        for address in list(self._reader.list(IPAddress)):
            await self._check_owner(address)
        services = list(self._reader.list(Service))
        for service, finding in check_ports(services, self._ports.low, self._ports.high):
            await self._port_events.tell(service, finding.reason, finding.message)
        self._ports.sweep()

    def _services_changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.new is not None:
                self._services[change.new.namespace, change.new.name] = None
        self._woken.set()

    def _addresses_changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.new is not None:
                self._due.pop(change.new.name, None)
                self._due[change.new.name] = self._writer.clock.monotonic() + GRACE_SECONDS + 1
            elif change.old is not None:
                self._due.pop(change.old.name, None)
                self._services |= dict.fromkeys(_parents(change.old.object))
                self._woken.set()

    async def _wait(self, seconds: float) -> None:
        """Until something has changed, or an address is due, or the time is up."""
        until = next(iter(self._due.values()), math.inf) - self._writer.clock.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(seconds, until))):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _look_at_changes(self) -> None:
        services, self._services = self._services, {}
        for namespace, name in services:
            if (service := self._reader.get(Service, name, namespace)) is not None:
                await self._check_service(service)
        now = self._writer.clock.monotonic()
        for name, _due in list(takewhile(lambda item: item[1] <= now, self._due.items())):
            self._due.pop(name, None)
            if (address := self._reader.get(IPAddress, name)) is not None:
                await self._check_owner(address)

    async def _check_service(self, service: Service) -> None:
        ranges = self._addresses.known
        for finding in check_addresses(service, ranges, self._find_address, self._find_service):
            if self._is_gone(service):
                return
            await self._tell(service, finding)
            await self._act(finding, service)

    def _find_address(self, name: str) -> IPAddress | None:
        return self._reader.get(IPAddress, name)

    def _find_service(self, name: str, namespace: str) -> Service | None:
        return self._reader.get(Service, name, namespace)

    def _is_gone(self, service: Service) -> bool:
        """Whether a Service went while others were looked at: its addresses are nobody's to make any more."""
        meta = service.metadata
        found = self._find_service(meta.name or "", meta.namespace or "")
        return found is None or found.metadata.uid != meta.uid

    async def _check_owner(self, address: IPAddress) -> None:
        made = time.parse(address.metadata.creation_timestamp or "")
        age = (self._writer.clock.now() - made).total_seconds()
        finding = check_owner(address, self._find_service, age)
        if finding is not None:
            await self._tell(address, finding)
            await self._addresses.remove(finding.address)

    async def _tell(self, obj: ApiObject, finding: Finding) -> None:
        if finding.reason:
            await self._events.tell(obj, finding.reason, finding.message, finding.action)

    async def _act(self, finding: Finding, service: Service) -> None:
        if finding.act == "recreate":
            await self._addresses.remove(finding.address)
        if finding.act in ("create", "recreate"):
            try:
                await self._addresses.create(finding.address, service)
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    _log.warning("IPAddress %s is not made: %s", finding.address, error)


def _parents(obj: ApiObject) -> list[_Key]:
    parent = obj.spec.parent_ref if isinstance(obj, IPAddress) else None
    return [(parent.namespace or "", parent.name)] if parent is not None else []
