"""What the repair finds out about Services and addresses."""

from __future__ import annotations

from ipaddress import ip_network

import msgspec

from pybernetes.api.types.core_v1 import Service
from pybernetes.apiserver.allocation.addresses import ip_address_of
from pybernetes.apiserver.allocation.findings import check_addresses, check_owner, check_ports
from pybernetes.apiserver.allocation.ranges import address_range

RANGES = [address_range(ip_network("10.96.0.0/16"))]


def service(name: str, *addresses: str, **spec) -> Service:
    spec = {"type": "ClusterIP", "clusterIP": addresses[0] if addresses else "", "clusterIPs": addresses, **spec}
    return msgspec.convert({"metadata": {"name": name, "namespace": "ns"}, "spec": spec}, Service)


def found(one: Service, *others: Service, address_of: Service | None = None, labels: dict | None = None):
    stored = ip_address_of(one.spec.cluster_ips[0], address_of) if address_of is not None else None
    if stored is not None and labels is not None:
        stored.metadata.labels = labels
    services = {(item.metadata.name, item.metadata.namespace): item for item in (one, *others)}
    findings = check_addresses(one, RANGES, lambda _name: stored, lambda name, space: services.get((name, space)))
    return [(finding.reason, finding.act) for finding in findings]


def test_a_service_and_its_address_agree():
    one = service("a", "10.96.0.5")
    assert found(one, address_of=one) == []
    assert found(service("a", "None")) == []


def test_missing_and_foreign_addresses_are_put_right():
    one, two = service("a", "10.96.0.5"), service("b", "10.96.0.5")
    assert found(one) == [("ClusterIPNotAllocated", "create")]
    assert found(one, address_of=two) == [("ClusterIPNotAllocated", "recreate")]
    assert found(one, two, address_of=two) == [("ClusterIPAlreadyAllocated", "")]
    assert found(one, address_of=one, labels={}) == [("", "recreate")]
    assert found(service("a", "10.1.1.1")) == [("ClusterIPOutOfRange", "")]


def test_an_address_without_service_has_leaked_after_a_while():
    one = service("a", "10.96.0.5")
    stored = ip_address_of("10.96.0.5", one)
    assert check_owner(stored, lambda _name, _space: one, 0) is None
    assert check_owner(stored, lambda _name, _space: None, 59) is None
    leaked = check_owner(stored, lambda _name, _space: None, 61)
    assert leaked is not None and (leaked.reason, leaked.act) == ("IPAddressNotAllocated", "remove")
    wrong = check_owner(stored, lambda _name, _space: service("a", "10.96.0.6"), 61)
    assert wrong is not None and wrong.reason == "IPAddressWrongReference"
    stored.metadata.labels = {}
    assert check_owner(stored, lambda _name, _space: None, 61) is None, "somebody else's"


def test_node_ports_twice_or_out_of_range_are_told():
    ports = [{"port": 80, "nodePort": 30001}]
    one, two = service("a", type="NodePort", ports=ports), service("b", type="NodePort", ports=ports)
    far = service("c", type="NodePort", ports=[{"port": 80, "nodePort": 80}])
    told = [(item.metadata.name, finding.reason) for item, finding in check_ports([one, two, far], 30000, 32767)]
    assert told == [("b", "PortAlreadyAllocated"), ("c", "PortOutOfRange")]
