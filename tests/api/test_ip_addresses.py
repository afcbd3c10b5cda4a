"""Which forms of addresses and networks are accepted, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pybernetes.api import ip_addresses as ips

NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
NO_INTERFACE = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"
CASES: list[tuple[Callable[[str], list[str]], str, str]] = [
    (ips.ip_address, "10.0.0.1", ""),
    (ips.ip_address, "FE80:0:0::1", ""),
    (ips.ip_address, "", NO_ADDRESS),
    (ips.ip_address, "10.0.0.256", NO_ADDRESS),
    (ips.ip_address, "10.0.0.1/8", NO_ADDRESS),
    (ips.ip_address, "fe80::1%eth0", NO_ADDRESS),
    (ips.ip_address, "010.0.0.1", "must not have leading 0s"),
    (ips.ip_address, "::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"),
    (ips.cidr, "10.0.0.0/8", ""),
    (ips.cidr, "2001:DB8::/64", ""),
    (ips.cidr, "10.0.0.1", NO_CIDR),
    (ips.cidr, "10.0.0.0/33", NO_CIDR),
    (ips.cidr, "10.0.0.0/" + "1" * 5000, NO_CIDR),
    (ips.cidr, "10.0.0.0/255.0.0.0", NO_CIDR),
    (ips.cidr, "10.0.0.0/08", "must not have leading 0s in IP or prefix length"),
    (ips.cidr, "10.00.0.0/8", "must not have leading 0s in IP or prefix length"),
    (ips.cidr, "::ffff:10.0.0.0/104", "must not have an IPv4-mapped IPv6 address"),
    (ips.cidr, "10.0.0.1/8", "must not have bits set beyond the prefix length"),
    (ips.canonical_cidr, "2001:db8::/64", ""),
    (ips.canonical_cidr, "2001:DB8::/64", 'must be in canonical form ("2001:db8::/64")'),
    (ips.interface_address, "10.9.8.7/24", ""),
    (ips.interface_address, "10.9.8.7", NO_INTERFACE),
    (ips.interface_address, "10.9.8.07/24", 'must be in canonical form ("10.9.8.7/24")'),
]


@pytest.mark.parametrize(("rule", "text", "expected"), CASES)
def test_forms(rule: Callable[[str], list[str]], text: str, expected: str) -> None:
    assert rule(text) == ([expected] if expected else [])


def test_what_lenient_programs_take_for_an_address() -> None:
    assert [text for text in ("010.0.0.1", "::ffff:1.2.3.4", "1.2.3", "a.b") if ips.is_ip_address(text)] == [
        "010.0.0.1",
        "::ffff:1.2.3.4",
    ]
    assert ips.is_cidr("10.0.0.1/08") and not ips.is_cidr("10.0.0.1")
