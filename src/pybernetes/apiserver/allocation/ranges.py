"""The ranges that ClusterIPs come from: ServiceCIDR objects in, ranges of addresses out. Pure.

A range is ready as long as one of the ServiceCIDRs that name it is ready and not being deleted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from pybernetes.api.types.networking_v1 import ServiceCIDR

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# A part of every range is left to those who ask for an address by name: a sixteenth of it, within these bounds.
_STATIC_MIN, _STATIC_MAX, _STATIC_STEP = 16, 256, 16
# Upstream refuses wider ranges.
_IPV6_PREFIX_MIN = 64


@dataclass(frozen=True, slots=True)
class AddressRange:
    """A network without its own and its broadcast address, as numbers; those from `dynamic` on are drawn first."""

    network: Network
    first: int
    dynamic: int
    last: int

    def __contains__(self, address: Address) -> bool:
        return address.version == self.network.version and self.first <= int(address) <= self.last

    @property
    def family(self) -> str:
        return family_of(self.network)

    def candidates(self, chance: Callable[[int], int]) -> Iterator[Address]:
        """Every address once: the dynamic part from a place of chance on, then the other. `chance(n)` is below n."""
        address = IPv4Address if self.network.version == 4 else IPv6Address
        for low, high in ((self.dynamic, self.last), (self.first, self.dynamic - 1)):
            if low > high:
                continue
            start = low + chance(high - low + 1)
            for number in range(start, high + 1):
                yield address(number)
            for number in range(low, start):
                yield address(number)


def family_of(what: Address | Network) -> str:
    """`IPv4` or `IPv6`, as Services spell it."""
    return f"IPv{what.version}"


def static_size(size: int, step: int, most: int) -> int:
    """How many numbers at the low end of a range of `size` are not drawn while there are others."""
    return 0 if size <= _STATIC_MIN else min(max(_STATIC_MIN, size // step), most)


def address_range(network: Network) -> AddressRange:
    """The range of a network's addresses that Services may have."""
    first = int(network.network_address) + 1
    last = int(network.broadcast_address) - (1 if network.version == 4 else 0)
    static = static_size(network.num_addresses, _STATIC_STEP, _STATIC_MAX)
    return AddressRange(network, first, first + static, last)


def is_ready(cidr: ServiceCIDR) -> bool:
    """Whether addresses may be taken from it; without a word of its controller they may."""
    if cidr.metadata.deletion_timestamp is not None:
        return False
    return all(condition.status == "True" for condition in cidr.status.conditions if condition.type == "Ready")


def ranges_of(cidrs: Iterable[ServiceCIDR]) -> tuple[AddressRange, ...]:
    """The distinct ranges of ServiceCIDRs, the oldest first."""
    found: dict[Network, AddressRange] = {}
    for cidr in sorted(cidrs, key=lambda cidr: (cidr.metadata.creation_timestamp or "", cidr.metadata.name or "")):
        for text in cidr.spec.cidrs:
            network = ipaddress.ip_network(text, strict=False)
            if network.version == 4 or network.prefixlen >= _IPV6_PREFIX_MIN:
                found.setdefault(network, address_range(network))
    return tuple(found.values())


def ready_ranges(cidrs: Iterable[ServiceCIDR]) -> tuple[AddressRange, ...]:
    """The ranges that addresses are given out from."""
    return ranges_of(filter(is_ready, cidrs))
