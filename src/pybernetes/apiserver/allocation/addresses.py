"""The addresses that are given out, each an IPAddress object of its name: whoever makes the object has the address.

Services ask for an address of their own or for any; the object is stored before the Service is, and goes with it. Since
the store makes a name only once, no address is given twice, whoever asks and wherever a crash happens.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from pybernetes.api.kinds import kind_of
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.meta_v1 import DeleteOptions, ObjectMeta
from pybernetes.api.types.networking_v1 import IPAddress, IPAddressSpec, ParentReference, ServiceCIDR
from pybernetes.apiserver.allocation.pool import PoolError, RefusedError
from pybernetes.apiserver.allocation.ranges import AddressRange, family_of, ranges_of, ready_ranges
from pybernetes.apiserver.deletion import Deletion
from pybernetes.apiserver.field_management.tracking import Updates
from pybernetes.apiserver.intents import Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer

_log = logging.getLogger(__name__)
MANAGED_BY = "ipaddress.kubernetes.io/managed-by"
FAMILY = "ipaddress.kubernetes.io/ip-family"
ALLOCATOR = "ipallocator.k8s.io"
_KIND = kind_of(IPAddress)


class Addresses:
    """The IPAddress objects of Services, and the ranges that new ones come from."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._deletion = Deletion(writer)
        self._collection = writer.registry.collection(_KIND)
        self._cidrs = writer.registry.collection(kind_of(ServiceCIDR))
        self._ready: tuple[AddressRange, ...] | None = None
        self._cidrs.listen(self._forget)

    def _forget(self, _changes: object) -> None:
        self._ready = None

    @property
    def ready(self) -> tuple[AddressRange, ...]:
        """The ranges that addresses are given out from."""
        if self._ready is None:
            self._ready = ready_ranges(self._writer.registry.list(ServiceCIDR))
        return self._ready

    @property
    def known(self) -> tuple[AddressRange, ...]:
        """All ranges, those that are going too."""
        return ranges_of(self._writer.registry.list(ServiceCIDR))

    def of_family(self, family: str) -> Sequence[AddressRange]:
        return [found for found in self.ready if found.family == family]

    async def take(self, address: str, service: Service) -> None:
        """Gives out one address; PoolError in upstream's words."""
        parsed = ipaddress.ip_address(address)
        if not any(parsed in found for found in self.ready):
            raise PoolError("the provided network does not match the current range")
        if not await self._create(str(parsed), service):
            raise PoolError("provided IP is already allocated")

    async def draw(self, family: str, service: Service) -> str:
        """Gives out any free address of a family; PoolError when there is none."""
        for found in self.of_family(family):
            for address in found.candidates(self._below):
                name = str(address)
                if self._collection.get("", name) is None and await self._create(name, service):
                    return name
        raise PoolError("range is full")

    def try_take(self, address: str) -> None:
        """What `take` would do, as far as upstream's dry run looks: it does not ask who has the address."""
        parsed = ipaddress.ip_address(address)
        ranges = self.of_family(family_of(parsed))
        if not ranges:
            raise PoolError("allocator not ready")
        if not any(parsed in found for found in ranges):
            valid = f"The range of valid IPs is {ranges[0].network}"
            raise PoolError(f"the provided IP ({address}) is not in the valid range. {valid}")

    def try_draw(self, family: str) -> str:
        """An address that stands for any, since a dry run looks for none."""
        ranges = self.of_family(family)
        if not ranges:
            raise PoolError("allocator not ready")
        return str(ranges[0].network.network_address)

    async def give_back(self, address: str, service: Service) -> None:
        """Removes the object of an address if it is (still) the Service's; what fails is left to the repair."""
        entry = self._collection.get("", str(ipaddress.ip_address(address)))
        if entry is None or not isinstance(entry.object, IPAddress) or not refers_to(entry.object, service):
            return
        await self.remove(entry.name)

    async def remove(self, name: str) -> None:
        """Deletes an IPAddress; a failure is logged."""
        try:
            await self._deletion.delete(Intent(_KIND, ITSELF, name=name), DeleteOptions())
        except StatusError as error:
            if error.code != 404:
                _log.warning("IPAddress %s is not released: %s", name, error)

    async def create(self, name: str, service: Service) -> None:
        """Makes the object of an address that a Service has already; 409 when there is one."""
        tracker = Updates(_KIND, "kube-apiserver")
        await self._writer.create(Intent(_KIND, ITSELF, name=name, tracker=tracker), ip_address_of(name, service))

    async def _create(self, name: str, service: Service) -> bool:
        try:
            await self.create(name, service)
        except StatusError as error:
            if error.reason == "AlreadyExists":
                return False
            raise RefusedError(str(error)) from error
        return True

    def _below(self, count: int) -> int:
        return min(int(self._writer.chance.uniform(0, count)), count - 1)


def ip_address_of(name: str, service: Service) -> IPAddress:
    """The object that says that a Service has an address."""
    labels = {FAMILY: family_of(ipaddress.ip_address(name)), MANAGED_BY: ALLOCATOR}
    meta = service.metadata
    parent = ParentReference(resource="services", namespace=meta.namespace, name=meta.name or "")
    return IPAddress(metadata=ObjectMeta(name=name, labels=labels), spec=IPAddressSpec(parent_ref=parent))


def refers_to(address: IPAddress, service: Service) -> bool:
    """Whether an address is a Service's."""
    parent = address.spec.parent_ref
    if parent is None or parent.group or parent.resource != "services":
        return False
    return (parent.namespace, parent.name) == (service.metadata.namespace, service.metadata.name)
