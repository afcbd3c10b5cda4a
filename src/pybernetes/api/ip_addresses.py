"""IP addresses and networks as texts: which forms are accepted, and upstream's words for those that are not.

A text comes in, complaints go out; none means that it is fine. What was accepted once upon a time but means different
addresses to different programs (`010.0.0.1`, `::ffff:10.0.0.1`) is refused.
"""

from __future__ import annotations

import ipaddress

from pybernetes.api.whole_number import whole_number


def ip_address(value: str) -> list[str]:
    """IPv4 or IPv6, canonical or not, but of one meaning to all programs."""
    found = _lenient_address(value)
    if found is None:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    if not _is_standard(value):
        return ["must not have leading 0s"]
    return ["must not be an IPv4-mapped IPv6 address"] if _is_mapped(found) else []


def address_warnings(value: str, path: str) -> list[str]:
    """What is said of an address that is no longer, or not well, written as it stands there; `path` leads to it."""
    found = _lenient_address(value)
    if found is None:
        return []
    if not _is_standard(value) or _is_mapped(found):
        meant = found.ipv4_mapped if found.version == 6 and found.ipv4_mapped is not None else found
        what = f'non-standard IP address "{value}" will be considered invalid in a future Kubernetes release'
        return [f'{path}: {what}: use "{meant}"']
    if found.version == 6 and str(found) != value:
        return [f'{path}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{found}")']
    return []


def network_warnings(value: str, path: str) -> list[str]:
    """The same of a network."""
    found = _lenient_interface(value)
    if found is None:
        return []
    texts: list[str] = []
    if found.ip != found.network.network_address:
        either = f'should be "{found.network}" or "{found.ip}/{found.max_prefixlen}"?'
        texts.append(f'{path}: CIDR value "{value}" is ambiguous in this context ({either})')
    if not _is_standard(value.partition("/")[0]) or _is_mapped(found.ip):
        what = f'non-standard CIDR value "{value}" will be considered invalid in a future Kubernetes release'
        texts.append(f'{path}: {what}: use "{found.network}"')
    if not texts and found.version == 6 and str(found) != value:
        return [f'{path}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{found}")']
    return texts


def is_ip_address(value: str) -> bool:
    """Whether a text would be taken for an address by lenient programs."""
    return _lenient_address(value) is not None


def cidr(value: str) -> list[str]:
    """The `address/bits` of a network, canonical or not, but of one meaning to all programs."""
    found = _lenient_interface(value)
    if found is None:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    address, _, bits = value.partition("/")
    if not _is_standard(address) or bits != str(int(bits)):
        return ["must not have leading 0s in IP or prefix length"]
    if _is_mapped(found.ip):
        return ["must not have an IPv4-mapped IPv6 address"]
    return [] if found.ip == found.network.network_address else ["must not have bits set beyond the prefix length"]


def is_cidr(value: str) -> bool:
    """Whether a text would be taken for a network by lenient programs."""
    return _lenient_interface(value) is not None


def canonical_cidr(value: str) -> list[str]:
    """A network in the one form that all programs write it in."""
    if errors := cidr(value):
        return errors
    canonical = str(ipaddress.ip_network(value))
    return [] if value == canonical else [f'must be in canonical form ("{canonical}")']


def interface_address(value: str) -> list[str]:
    """An address and the bits of its network, in canonical form."""
    found = _lenient_interface(value)
    if found is None:
        return ["must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"]
    return [] if value == str(found) else [f'must be in canonical form ("{found}")']


def _is_standard(address: str) -> bool:
    return address == _without_leading_zeros(address)


def _is_mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.version == 6 and address.ipv4_mapped is not None


def _without_leading_zeros(address: str) -> str:
    head, colon, dotted = address.rpartition(":")
    parts = dotted.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        return address
    return head + colon + ".".join(part.lstrip("0") or "0" for part in parts)


def _lenient_address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text means; zeros may lead the numbers of IPv4, no zone may follow."""
    try:
        return None if "%" in value else ipaddress.ip_address(_without_leading_zeros(value))
    except ValueError:
        return None


def _lenient_interface(value: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    address, _, bits = value.partition("/")
    found = _lenient_address(address)
    length = whole_number(bits)
    if found is None or length is None or length > found.max_prefixlen:
        return None
    return ipaddress.ip_interface((found, length))
