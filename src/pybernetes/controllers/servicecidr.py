"""The ServiceCIDR controller: ranges are ready, and stay as long as Services have addresses that no other range holds.

`orphans` is the pure part: IPAddresses are named as their address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from pybernetes.api import time as api_time
from pybernetes.api.status import StatusError
from pybernetes.api.types.meta_v1 import Condition, ObjectMeta
from pybernetes.api.types.networking_v1 import IPAddress, ServiceCIDR
from pybernetes.controllers.context import ControllerContext
from pybernetes.controllers.keyed import KeyedController

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
_IN_USE = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
_MANAGED_BY, _ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"
_READY = "Kubernetes Service CIDR is ready"
# A deletion waits so long for allocations that were under way, as upstream.
_GRACE_SECONDS = 10.0
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def orphans(cidr: ServiceCIDR, others: Iterable[ServiceCIDR], addresses: Iterable[str]) -> list[str]:
    """The addresses of a range that would be in no range without it; none where others hold all of it."""
    own = [ipaddress.ip_network(text) for text in cidr.spec.cidrs]
    rest = [
        ipaddress.ip_network(text)
        for other in others
        if other.metadata.uid != cidr.metadata.uid and other.metadata.deletion_timestamp is None
        for text in other.spec.cidrs
    ]
    if all(any(_holds(wider, network) for wider in rest) for network in own):
        return []
    return [
        str(address)
        for address in map(ipaddress.ip_address, addresses)
        if any(address in network for network in own) and not any(address in network for network in rest)
    ]


def _holds(wider: _Network, network: _Network) -> bool:
    return (
        wider.version == network.version and wider.prefixlen <= network.prefixlen and network.network_address in wider
    )


class ServiceCIDRController(KeyedController):
    """`service-cidr-controller`."""

    name = "service-cidr-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self._cidrs = self.watch_own(ServiceCIDR)
        self._addresses = self.informer(IPAddress)
        self._cidrs.on_change(self._look_at_going)
        self._addresses.on_change(self._address_changed)

    def _look_at_going(self, old: ServiceCIDR | None, new: ServiceCIDR | None) -> None:
        for cidr in self._cidrs.cache.list():
            if cidr.metadata.deletion_timestamp is not None:
                self.enqueue(cidr)

    def _address_changed(self, old: IPAddress | None, new: IPAddress | None) -> None:
        if new is None:
            self._look_at_going(None, None)

    async def reconcile(self, key: str) -> float | None:
        cidr = self._cidrs.cache.get("", key)
        if cidr is None:
            return None
        if cidr.metadata.deletion_timestamp is not None:
            return await self._let_go(cidr)
        if FINALIZER not in cidr.metadata.finalizers:
            cidr = await self._set_finalizers(cidr, [*cidr.metadata.finalizers, FINALIZER])
        await self._tell(cidr, Condition(type="Ready", status="True", message=_READY))
        return None

    async def _let_go(self, cidr: ServiceCIDR) -> float | None:
        if FINALIZER not in cidr.metadata.finalizers:
            return None
        addresses = self._addresses.cache.list()
        names = [item.metadata.name or "" for item in addresses if item.metadata.labels.get(_MANAGED_BY) == _ALLOCATOR]
        if orphans(cidr, self._cidrs.cache.list(), names):
            await self._tell(cidr, Condition(type="Ready", status="False", reason="Terminating", message=_IN_USE))
            return None
        asked = api_time.parse(cidr.metadata.deletion_timestamp or "")
        left = _GRACE_SECONDS - (self.clock.now() - asked).total_seconds()
        if left > 0:
            return left
        await self._set_finalizers(cidr, [item for item in cidr.metadata.finalizers if item != FINALIZER])
        return None

    async def _set_finalizers(self, cidr: ServiceCIDR, finalizers: list[str]) -> ServiceCIDR:
        metadata = {"finalizers": finalizers or None, "resourceVersion": cidr.metadata.resource_version}
        return await self.client.patch(ServiceCIDR, cidr.metadata.name or "", None, {"metadata": metadata})

    async def _tell(self, cidr: ServiceCIDR, condition: Condition) -> None:
        old = next((item for item in cidr.status.conditions if item.type == condition.type), None)
        told = (condition.status, condition.reason, condition.message)
        if old is not None and (old.status, old.reason or None, old.message) == told:
            return
        condition.last_transition_time = api_time.format(self.clock.now())
        applied = ServiceCIDR(metadata=ObjectMeta(name=cidr.metadata.name))
        applied.status.conditions = [condition]
        try:
            await self.client.apply(applied, self.name, "status")
        except StatusError as error:
            if error.code != 404:
                raise
