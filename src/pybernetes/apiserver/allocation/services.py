"""Gives Services their families, ClusterIPs, node ports and health-check port.

A new Service, and the stored one on an update, come in from the write path before validation; the fields are filled in
place, and a reservation goes back, which is committed once the Service is stored and reverted if it is not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import FieldError, StatusError, internal_error, invalid, invalid_object
from pybernetes.api.types.core_v1 import Endpoints, Service
from pybernetes.api.types.meta_v1 import DeleteOptions
from pybernetes.apiserver.allocation.addresses import Addresses
from pybernetes.apiserver.allocation.families import fill_families, is_headless, keeps_its_stacks
from pybernetes.apiserver.allocation.node_ports import NodePorts, PortTaking
from pybernetes.apiserver.allocation.pool import PoolError, RefusedError
from pybernetes.apiserver.allocation.reservation import NO_RESERVATION, Reservation
from pybernetes.apiserver.allocation.service_fields import cluster_addresses
from pybernetes.apiserver.deletion import Deletion
from pybernetes.apiserver.intents import Intent
from pybernetes.apiserver.request import ITSELF
from pybernetes.apiserver.writer import Writer

_log = logging.getLogger(__name__)


class ServiceAllocator:
    """What Services get from the pools of a cluster; `families` are those it is configured for, the default first."""

    def __init__(self, writer: Writer, addresses: Addresses, ports: NodePorts, families: Sequence[str]) -> None:
        self._writer = writer
        self._addresses = addresses
        self._ports = ports
        self._families = families

    async def reserve(self, new: ApiObject, old: ApiObject | None, dry_run: bool) -> Reservation:
        """Fills in `new`; StatusError 422 when a wanted address or port cannot be had. A dry run takes nothing."""
        if not isinstance(new, Service):
            return NO_RESERVATION
        before = old if isinstance(old, Service) else None
        if new.spec.type != "ExternalName":
            _refuse(new, fill_families(new, before, self._families))
        taking = _AddressTaking(self._addresses, new, before, dry_run)
        ports = self._ports.taking(new, before, dry_run)
        reservation = _Reservation(taking, ports)
        try:
            if new.spec.type != "ExternalName":
                await taking.fill()
                ports.fill()
        except Exception:
            await reservation.revert()
            raise
        return reservation

    async def release(self, obj: ApiObject) -> None:
        """Takes back what a deleted Service had; its Endpoints go with it, lest a new one of its name find them."""
        if isinstance(obj, Service):
            await self._remove_endpoints(obj)
            for address in sorted(cluster_addresses(obj.spec)):
                await self._addresses.give_back(address, obj)
            self._ports.release(obj)

    async def _remove_endpoints(self, service: Service) -> None:
        meta, kind = service.metadata, kind_of(Endpoints)
        intent = Intent(kind, ITSELF, namespace=meta.namespace or "", name=meta.name or "", is_admitted=True)
        if self._writer.registry.collection(kind).get(intent.namespace, intent.name) is None:
            return
        try:
            await Deletion(self._writer).delete(intent, DeleteOptions())
        except StatusError as error:
            if error.code != 404:
                _log.warning("Endpoints %s/%s are not removed: %s", intent.namespace, intent.name, error)


class _Reservation:
    def __init__(self, addresses: _AddressTaking, ports: PortTaking) -> None:
        self._addresses = addresses
        self._ports = ports

    async def commit(self) -> None:
        await self._addresses.commit()

    async def revert(self) -> None:
        self._ports.revert()
        await self._addresses.revert()


class _AddressTaking:
    """The addresses of one write of a Service: what it newly takes, and what it lets go."""

    def __init__(self, addresses: Addresses, service: Service, old: Service | None, dry_run: bool) -> None:
        self._addresses = addresses
        self._service = service
        self._old = old
        self._dry_run = dry_run
        self._taken: list[str] = []

    async def fill(self) -> None:
        spec = self._service.spec
        before = self._old.spec if self._old is not None and self._old.spec.type != "ExternalName" else None
        if keeps_its_stacks(spec, before):
            return
        if is_headless(spec):
            return
        # Addresses do not change; there can only be more of them, or fewer.
        held = len(before.cluster_ips) if before is not None else 0
        addresses = list(spec.cluster_ips)
        for index in range(held, len(spec.ip_families)):
            wanted = addresses[index] if index < len(addresses) else ""
            found = await self._take(wanted) if wanted else await self._draw(spec.ip_families[index])
            addresses[index : index + 1] = [found]
        spec.cluster_ip, spec.cluster_ips = (spec.cluster_ip or addresses[0]), addresses

    async def _take(self, address: str) -> str:
        try:
            if self._dry_run:
                self._addresses.try_take(address)
            else:
                await self._addresses.take(address, self._service)
                self._taken.append(address)
        except PoolError as error:
            detail = f"failed to allocate IP {address}: {error}"
            _refuse(self._service, [invalid("spec.clusterIPs", self._service.spec.cluster_ips, detail)])
        return address

    async def _draw(self, family: str) -> str:
        try:
            if self._dry_run:
                return self._addresses.try_draw(family)
            address = await self._addresses.draw(family, self._service)
        except RefusedError as error:
            # A Service without a name, which no address can say that it belongs to.
            shown = [*self._service.spec.cluster_ips, ""]
            refused = invalid("spec.clusterIPs", shown, f"failed to allocate IP: {error}")
            raise invalid_object(kind_of(Service), self._service.metadata.name or "", [refused]) from error
        except PoolError as error:
            raise internal_error(f"failed to allocate a serviceIP: {error}") from error
        self._taken.append(address)
        return address

    async def commit(self) -> None:
        """Lets go of what the Service no longer shows."""
        if self._old is None or self._dry_run:
            return
        for address in sorted(cluster_addresses(self._old.spec) - cluster_addresses(self._service.spec)):
            await self._addresses.give_back(address, self._old)

    async def revert(self) -> None:
        for address in self._taken:
            await self._addresses.give_back(address, self._service)


def _refuse(service: Service, errors: Sequence[FieldError]) -> None:
    if errors:
        raise invalid_object(kind_of(Service), service.metadata.name or "", list(errors))
