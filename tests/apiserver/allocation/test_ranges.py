"""ServiceCIDRs in, ranges out."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import msgspec

from pybernetes.api.types.networking_v1 import ServiceCIDR
from pybernetes.apiserver.allocation.ranges import address_range, ready_ranges


def cidr(name: str, *networks: str, created: str = "2026-01-01T00:00:00Z", **more) -> ServiceCIDR:
    meta = {"name": name, "creationTimestamp": created, **more.pop("metadata", {})}
    return msgspec.convert({"metadata": meta, "spec": {"cidrs": networks}, **more}, ServiceCIDR)


def ready(status: str) -> dict:
    condition = {"type": "Ready", "status": status, "reason": "", "message": ""}
    condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    return {"conditions": [condition]}


def shown(*cidrs: ServiceCIDR) -> list[str]:
    return [str(found.network) for found in ready_ranges(cidrs)]


def test_networks_keep_their_ends_and_a_static_part():
    found = address_range(ip_network("10.96.0.0/16"))
    assert [str(ip_address(n)) for n in (found.first, found.dynamic, found.last)] == [
        "10.96.0.1",
        "10.96.1.1",
        "10.96.255.254",
    ]
    small = address_range(ip_network("10.0.0.0/28"))
    assert (small.first, small.last - small.first) == (small.dynamic, 13)
    six = address_range(ip_network("fd00::/120"))
    assert (str(ip_address(six.dynamic)), str(ip_address(six.last))) == ("fd00::11", "fd00::ff")


def test_every_address_is_a_candidate_once_the_dynamic_ones_first():
    found = address_range(ip_network("10.0.0.0/27"))
    names = [str(address) for address in found.candidates(lambda count: count // 2)]
    assert len(names) == len(set(names)) == 30
    assert {int(name.rpartition(".")[2]) for name in names[:14]} == set(range(17, 31))
    assert names[0] == "10.0.0.24"


def test_ranges_are_those_that_are_ready():
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    cidrs = (
        cidr("b", "10.2.0.0/24", "fd00::/112", created="2026-01-02T00:00:00Z"),
        cidr("a", "10.1.0.0/24", status=ready("True")),
        cidr("c", "10.3.0.0/24", status=ready("False")),
        cidr("d", "10.4.0.0/24", metadata=going),
        cidr("e", "10.3.0.0/24", "fd00::/48"),
    )
    assert shown(*cidrs) == ["10.1.0.0/24", "10.3.0.0/24", "10.2.0.0/24", "fd00::/112"]
