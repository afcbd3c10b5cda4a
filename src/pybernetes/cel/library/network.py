"""IP addresses and ranges. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, ClassVar

from pybernetes.cel.declarations import Library
from pybernetes.cel.types import opaque
from pybernetes.cel.values import EvaluationError, Opaque

LIBRARY = Library()
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Ip(Opaque):
    """An address."""

    type_name: ClassVar[str] = "net.IP"
    address: _Address

    @property
    def size(self) -> int:  # type: ignore[override]
        return len(self.address.packed)


@dataclass(frozen=True, slots=True)
class Cidr(Opaque):
    """A range; `address` may have bits beyond the prefix."""

    type_name: ClassVar[str] = "net.CIDR"
    address: _Address
    prefix: int

    @property
    def size(self) -> int:  # type: ignore[override]
        return -(-self.prefix // 8)

    @property
    def network(self) -> _Network:
        return ipaddress.ip_network(
            (int(self.address) if self.address.version == 4 else self.address.packed, self.prefix), strict=False
        )


LIBRARY.type_name(Ip.type_name, opaque(Ip.type_name))
LIBRARY.type_name(Cidr.type_name, opaque(Cidr.type_name))


def _address(text: str) -> _Address:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise EvaluationError(
            f'IP Address "{text}" parse error during conversion from string: ParseAddr("{text}"): unable to parse IP'
        ) from None
    return _checked(found, text)


def _checked(found: _Address, text: str) -> _Address:
    if found.version == 6 and (found.scope_id or found.ipv4_mapped is not None):
        raise EvaluationError(
            f'IPv4-mapped IPv6 address "{text}" is not allowed'
            if not found.scope_id
            else f'IP address "{text}" with zone value is not allowed'
        )
    return found


@LIBRARY.function("ip(string) -> net.IP")
def ip(text: str) -> Ip:
    return Ip(_address(text))


@LIBRARY.function("isIP(string) -> bool")
def is_ip(text: str) -> bool:
    return _is_good(ip, text)


def _is_good(read: Any, text: str) -> bool:
    try:
        read(text)
    except EvaluationError:
        return False
    return True


@LIBRARY.function("ip.isCanonical(string) -> bool")
def is_canonical(text: str) -> bool:
    return str(_address(text)) == text


@LIBRARY.function("string(net.IP) -> string")
def ip_text(held: Ip) -> str:
    return str(held.address)


@LIBRARY.function("net.IP.family() -> int")
def family(held: Ip) -> int:
    return held.address.version


@LIBRARY.function("net.IP.isUnspecified() -> bool")
def is_unspecified(held: Ip) -> bool:
    return held.address.is_unspecified


@LIBRARY.function("net.IP.isLoopback() -> bool")
def is_loopback(held: Ip) -> bool:
    return held.address.is_loopback


@LIBRARY.function("net.IP.isLinkLocalMulticast() -> bool")
def is_link_local_multicast(held: Ip) -> bool:
    scope = ipaddress.ip_network("224.0.0.0/24" if held.address.version == 4 else "ff02::/16")
    return held.address in scope


@LIBRARY.function("net.IP.isLinkLocalUnicast() -> bool")
def is_link_local_unicast(held: Ip) -> bool:
    return held.address.is_link_local


@LIBRARY.function("net.IP.isGlobalUnicast() -> bool")
def is_global_unicast(held: Ip) -> bool:
    address = held.address
    everyone = address.version == 4 and int(address) == 2**32 - 1
    return not (
        address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local or everyone
    )


@LIBRARY.function("cidr(string) -> net.CIDR")
def cidr(text: str) -> Cidr:
    address, slash, prefix = text.rpartition("/")
    try:
        found = ipaddress.ip_address(address) if slash else None
    except ValueError:
        raise _no_prefix(text, f'ParseAddr("{address}"): unable to parse IP') from None
    if found is None:
        raise _no_prefix(text, "no '/'")
    if found.version == 6 and found.scope_id:
        raise _no_prefix(text, "IPv6 zones cannot be present in a prefix")
    if not prefix.isascii() or not prefix.isdigit() or (len(prefix) > 1 and prefix[0] == "0"):
        raise _no_prefix(text, f'bad bits after slash: "{prefix}"')
    if len(prefix) > 3 or int(prefix) > found.max_prefixlen:
        raise _no_prefix(text, "prefix length out of range")
    return Cidr(_checked(found, address), int(prefix))


def _no_prefix(text: str, problem: str) -> EvaluationError:
    # Upstream says it twice.
    where = "network address parse error during conversion from string: "
    return EvaluationError(f'{where}{where}netip.ParsePrefix("{text}"): {problem}')


@LIBRARY.function("isCIDR(string) -> bool")
def is_cidr(text: str) -> bool:
    return _is_good(cidr, text)


@LIBRARY.function("string(net.CIDR) -> string")
def cidr_text(held: Cidr) -> str:
    return f"{held.address}/{held.prefix}"


@LIBRARY.function("net.CIDR.containsIP(net.IP) -> bool", "net.CIDR.containsIP(string) -> bool")
def contains_ip(held: Cidr, other: Any) -> bool:
    address = other.address if isinstance(other, Ip) else _address(other)
    return address.version == held.address.version and address in held.network


@LIBRARY.function("net.CIDR.containsCIDR(net.CIDR) -> bool", "net.CIDR.containsCIDR(string) -> bool")
def contains_cidr(held: Cidr, other: Any) -> bool:
    inner = other if isinstance(other, Cidr) else cidr(other)
    same = inner.address.version == held.address.version
    return same and inner.prefix >= held.prefix and inner.address in held.network


@LIBRARY.function("net.CIDR.ip() -> net.IP")
def cidr_ip(held: Cidr) -> Ip:
    return Ip(held.address)


@LIBRARY.function("net.CIDR.masked() -> net.CIDR")
def masked(held: Cidr) -> Cidr:
    return Cidr(held.network.network_address, held.prefix)


@LIBRARY.function("net.CIDR.prefixLength() -> int")
def prefix_length(held: Cidr) -> int:
    return held.prefix
