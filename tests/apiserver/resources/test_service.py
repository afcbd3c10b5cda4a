"""What the server makes of an update of a Service before it is validated: what it keeps, and what it lets go."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.api.objects import copy, from_builtins, to_builtins
from pybernetes.api.types.core_v1 import Service
from pybernetes.apiserver.resources.service import default_service, prepare_create, prepare_update

BALANCED = {"type": "LoadBalancer", "clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"]}
LOCAL = {**BALANCED, "externalTrafficPolicy": "Local", "healthCheckNodePort": 30100}


def service(spec: dict[str, Any], status: dict[str, Any] | None = None) -> Service:
    made = from_builtins({"metadata": {"name": "s"}, "spec": spec, "status": status or {}}, Service)
    default_service(made)
    return made


def updated(old: dict[str, Any], new: dict[str, Any], status: dict[str, Any] | None = None) -> Service:
    before, after = service(old, status), service(new)
    unchanged = copy(before)
    prepare_update(after, before)
    assert before == unchanged
    return after


def ports(*given: tuple[str, int, int | None]) -> list[dict[str, Any]]:
    return [{"name": name, "port": port, "nodePort": node_port} for name, port, node_port in given]


NODE_PORTS = [
    # A port is known by its name, whatever its number has become.
    ([("p", 80, 30001), ("q", 81, 30002)], [("q", 8081, None), ("p", 80, None)], [30002, 30001]),
    ([("", 80, 30001)], [("p", 80, None)], [None]),
    ([("p", 80, 30001)], [("p", 80, None), ("q", 81, 30001)], [None, 30001]),
]


@pytest.mark.parametrize(("old", "new", "expected"), NODE_PORTS)
def test_node_ports_stay_with_the_names_of_ports(old, new, expected) -> None:
    after = updated({"type": "NodePort", "ports": ports(*old)}, {"type": "NodePort", "ports": ports(*new)})
    assert [port.node_port for port in after.spec.ports] == expected


def test_a_balancer_without_node_ports_can_drop_them() -> None:
    spec = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}
    after = updated({**spec, "ports": ports(("p", 80, 30001))}, {**spec, "ports": ports(("p", 80, None))})
    assert after.spec.ports[0].node_port is None


LEFT_BEHIND: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (LOCAL, {"externalTrafficPolicy": "Cluster"}, {"healthCheckNodePort": None}),
    (LOCAL, {"externalTrafficPolicy": "Cluster", "healthCheckNodePort": 30101}, {"healthCheckNodePort": 30101}),
    (LOCAL, {"type": "ClusterIP"}, {"externalTrafficPolicy": None, "allocateLoadBalancerNodePorts": None}),
    (LOCAL, {"type": "ClusterIP", "allocateLoadBalancerNodePorts": False}, {"allocateLoadBalancerNodePorts": False}),
    (
        {"type": "ClusterIP", "externalIPs": ["1.2.3.4"], "externalTrafficPolicy": "Local"},
        {"externalIPs": []},
        {"externalTrafficPolicy": None},
    ),
    (
        {**BALANCED, "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"},
        {"type": "ExternalName", "ipFamilies": ["IPv6"]},
        {"clusterIP": None, "clusterIPs": None, "ipFamilies": ["IPv6"], "ipFamilyPolicy": None},
    ),
    (
        BALANCED,
        {"type": "ExternalName", "clusterIPs": ["10.0.0.9", "fd00::1"]},
        {"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9", "fd00::1"], "internalTrafficPolicy": None},
    ),
]


@pytest.mark.parametrize(("old", "change", "expected"), LEFT_BEHIND)
def test_only_what_was_not_touched_goes_with_the_type(old, change, expected) -> None:
    spec = to_builtins(updated(old, to_builtins(service(old))["spec"] | change))["spec"]
    assert {name: spec.get(name) for name in expected} == expected


@pytest.mark.parametrize(("changed", "expected"), [([30001, 30002], [None, None]), ([30001, 30009], [30001, 30009])])
def test_node_ports_go_with_the_type_all_or_none(changed, expected) -> None:
    old = {"type": "NodePort", "ports": ports(("p", 80, 30001), ("q", 81, 30002))}
    new = {"type": "ClusterIP", "ports": ports(*zip("pq", (80, 81), changed, strict=True))}
    assert [port.node_port for port in updated(old, new).spec.ports] == expected


def test_the_status_of_a_balancer_goes_with_the_type() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}
    assert updated(BALANCED, BALANCED, status).status.load_balancer.ingress
    assert updated(BALANCED, {**BALANCED, "type": "NodePort"}, status).status.load_balancer.ingress == []


def test_an_external_name_has_no_inner_policy() -> None:
    for policy, kept in (("Local", None), ("Bogus", "Bogus")):
        made = service({"type": "ExternalName", "externalName": "a.b", "internalTrafficPolicy": policy})
        prepare_create(made)
        assert made.spec.internal_traffic_policy == kept


ADDRESSES = [
    # old clusterIP and list; new ones; what they become
    ("10.0.0.1", ["10.0.0.1"], None, [], "10.0.0.1", ["10.0.0.1"]),
    ("10.0.0.1", ["10.0.0.1", "fd00::1"], "10.0.0.1", [], "10.0.0.1", ["10.0.0.1", "fd00::1"]),
    ("10.0.0.1", ["10.0.0.1"], "10.0.0.2", ["10.0.0.1"], "10.0.0.2", ["10.0.0.2"]),
    ("10.0.0.1", ["10.0.0.1"], "None", ["10.0.0.1"], "None", ["None"]),
    ("10.0.0.1", ["10.0.0.1"], None, ["10.0.0.2"], "10.0.0.1", ["10.0.0.2"]),
    ("None", ["None"], None, [], "None", ["None"]),
]


@pytest.mark.parametrize(("old_one", "old_all", "new_one", "new_all", "one", "all_"), ADDRESSES)
def test_both_fields_of_addresses_are_one_thing(old_one, old_all, new_one, new_all, one, all_) -> None:
    after = updated({"clusterIP": old_one, "clusterIPs": old_all}, {"clusterIP": new_one, "clusterIPs": new_all})
    assert (after.spec.cluster_ip, after.spec.cluster_ips) == (one, all_)
