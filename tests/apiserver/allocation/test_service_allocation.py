"""Services in, addresses and ports filled in."""

from __future__ import annotations

import ipaddress

import msgspec
import pytest

from pybernetes.api.objects import copy
from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Service
from pybernetes.apiserver.allocation.services import ServiceAllocator
from pybernetes.environment.chance import Chance

NETWORK = ipaddress.ip_network("10.96.0.0/16")
PORTS = range(30000, 32768)


@pytest.fixture
def allocator(reader):
    return ServiceAllocator(NETWORK, PORTS, Chance(1), reader)


def service(name: str = "s", **spec) -> Service:
    spec.setdefault("ports", [{"port": 80, "protocol": "TCP"}])
    spec.setdefault("type", "ClusterIP")
    meta = {"name": name, "namespace": "ns", "uid": f"uid-{name}"}
    return msgspec.convert({"metadata": meta, "spec": spec}, Service)


def stored(allocator, reader, obj: Service) -> Service:
    allocator.reserve(obj, None)
    reader.objects.append(obj)
    return obj


def refusal(allocator, new: Service, old: Service | None = None) -> str:
    with pytest.raises(StatusError) as error:
        allocator.reserve(new, old)
    assert error.value.code == 422
    return str(error.value)


def test_every_service_gets_an_address_of_its_own(allocator, reader):
    made = [stored(allocator, reader, service(f"s{number}")) for number in range(300)]
    addresses = {obj.spec.cluster_ip for obj in made}
    assert len(addresses) == 300
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network("10.96.0.0/16") for address in addresses)
    assert all(obj.spec.cluster_ips == [obj.spec.cluster_ip] for obj in made)
    assert made[0].spec.ip_families == ["IPv4"]
    assert made[0].spec.ports[0].node_port is None


def test_a_wanted_address_is_given_once(allocator, reader):
    stored(allocator, reader, service("dns", clusterIP="10.96.0.10"))
    assert refusal(allocator, service("x", clusterIP="10.96.0.10")) == (
        'Service "x" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: '
        "failed to allocate IP 10.96.0.10: provided IP is already allocated"
    )
    assert refusal(allocator, service("x", clusterIP="10.1.1.1")) == (
        'Service "x" is invalid: spec.clusterIPs: Invalid value: ["10.1.1.1"]: failed to allocate IP 10.1.1.1: '
        "the provided IP (10.1.1.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16"
    )


def test_the_first_address_is_kept_for_the_api_server(allocator):
    assert "already allocated" in refusal(allocator, service("x", clusterIP="10.96.0.1"))
    own = service("kubernetes", clusterIP="10.96.0.1")
    own.metadata.namespace = "default"
    allocator.reserve(own, None)
    assert own.spec.cluster_ip == "10.96.0.1"


def test_what_fails_or_goes_is_given_back(allocator, reader):
    allocator.reserve(service("a", clusterIP="10.96.0.10"), None)()
    obj = stored(allocator, reader, service("b", clusterIP="10.96.0.10"))
    reader.objects.remove(obj)
    allocator.release(obj)
    allocator.reserve(service("c", clusterIP="10.96.0.10"), None)


def test_a_late_release_does_not_take_from_the_next_owner(allocator, reader):
    first = stored(allocator, reader, service("a", clusterIP="10.96.0.10"))
    allocator.reserve(copy(first), first)
    reader.objects.remove(first)
    second = service("a", clusterIP="10.96.0.10")
    second.metadata.uid = "uid-second"
    stored(allocator, reader, second)
    allocator.release(first)
    assert "already allocated" in refusal(allocator, service("x", clusterIP="10.96.0.10"))


def test_headless_services_have_none(allocator):
    with_selector = service(clusterIP="None", selector={"a": "b"})
    allocator.reserve(with_selector, None)
    assert with_selector.spec.cluster_ips == ["None"]
    assert with_selector.spec.ip_families == ["IPv4"]
    without = service("t", clusterIP="None")
    allocator.reserve(without, None)
    assert (without.spec.ip_family_policy, without.spec.ip_families) == ("RequireDualStack", ["IPv4", "IPv6"])


def test_external_names_have_nothing(allocator):
    obj = service(type="ExternalName", externalName="a.b", ports=[])
    allocator.reserve(obj, None)
    assert (obj.spec.cluster_ip, obj.spec.cluster_ips) == (None, [])


def test_node_ports_are_drawn_or_taken(allocator, reader):
    drawn = stored(allocator, reader, service("a", type="NodePort"))
    assert 30000 <= (drawn.spec.ports[0].node_port or 0) <= 32767
    stored(allocator, reader, service("b", type="NodePort", ports=[{"port": 80, "nodePort": 32600}]))
    assert refusal(allocator, service("c", type="NodePort", ports=[{"port": 80, "nodePort": 32600}])) == (
        'Service "c" is invalid: spec.ports[0].nodePort: Invalid value: 32600: provided port is already allocated'
    )
    assert refusal(allocator, service("c", type="NodePort", ports=[{"port": 80, "nodePort": 80}])) == (
        'Service "c" is invalid: spec.ports[0].nodePort: Invalid value: 80: '
        "provided port is not in the valid range. The range of valid ports is 30000-32767"
    )


def test_two_protocols_share_a_node_port_and_equal_ones_do_not(allocator):
    both = service(
        type="NodePort",
        ports=[{"name": "t", "port": 53, "protocol": "TCP"}, {"name": "u", "port": 53, "protocol": "UDP"}],
    )
    allocator.reserve(both, None)
    assert both.spec.ports[0].node_port == both.spec.ports[1].node_port
    twice = [{"name": "a", "port": 80, "nodePort": 30005}, {"name": "b", "port": 81, "nodePort": 30005}]
    assert refusal(allocator, service("x", type="NodePort", ports=twice)) == (
        'Service "x" is invalid: spec.ports[1].nodePort: Invalid value: 30005: provided port is already allocated'
    )
    allocator.reserve(service("y", type="NodePort", ports=twice[:1]), None)


def test_changes_of_type(allocator, reader):
    old = stored(allocator, reader, service("a"))
    new = copy(old)
    new.spec.type = "NodePort"
    undo = allocator.reserve(new, old)
    port = new.spec.ports[0].node_port
    assert port and new.spec.cluster_ip == old.spec.cluster_ip
    undo()
    allocator.reserve(service("b", type="NodePort", ports=[{"port": 80, "nodePort": port}]), None)


def test_a_port_that_a_service_no_longer_shows_is_free(allocator, reader):
    old = stored(allocator, reader, service("a", type="NodePort", ports=[{"port": 80, "nodePort": 30001}]))
    new = copy(old)
    new.spec.type = "ClusterIP"
    new.spec.ports[0].node_port = None
    allocator.reserve(new, old)
    other = service("b", type="NodePort", ports=[{"port": 80, "nodePort": 30001}])
    assert "already allocated" in refusal(allocator, copy(other)), "not stored yet"
    reader.objects[reader.objects.index(old)] = new
    allocator.reserve(other, None)


def test_stored_services_are_known_after_a_restart(reader):
    reader.objects.append(service("a", clusterIP="10.96.0.10", clusterIPs=["10.96.0.10"]))
    allocator = ServiceAllocator(NETWORK, PORTS, Chance(2), reader)
    assert "already allocated" in refusal(allocator, service("x", clusterIP="10.96.0.10"))


def test_a_full_range_says_so(reader):
    allocator = ServiceAllocator(ipaddress.ip_network("10.96.0.0/29"), PORTS, Chance(3), reader)
    for number in range(5):
        stored(allocator, reader, service(f"s{number}"))
    with pytest.raises(StatusError, match="failed to allocate a serviceIP: range is full"):
        allocator.reserve(service("more"), None)


def test_a_cluster_of_one_family_says_so(allocator):
    assert refusal(allocator, service("x", ipFamilies=["IPv6"])) == (
        'Service "x" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'
    )


def test_local_load_balancers_get_a_health_check_port(allocator):
    obj = service(type="LoadBalancer", externalTrafficPolicy="Local")
    allocator.reserve(obj, None)
    assert obj.spec.health_check_node_port not in (None, obj.spec.ports[0].node_port)
