"""Which tracked flows end with a change."""

from __future__ import annotations

from pybernetes.proxy.conntrack import Routed, stale_flows
from pybernetes.proxy.services import PortName, ProxiedPort

DNS = PortName("kube-system", "kube-dns", "dns", "udp")
PORT = ProxiedPort(DNS, "10.96.0.10", 53, node_port=30053)


def routed(*endpoints: str) -> dict[PortName, Routed]:
    return {DNS: Routed(PORT, frozenset(endpoints))}


def test_flows_to_an_endpoint_that_is_gone_are_deleted() -> None:
    assert stale_flows(routed("10.244.0.2:53", "10.244.0.3:53"), routed("10.244.0.3:53")) == (
        ("-p", "udp", "--orig-dst", "10.96.0.10", "--orig-port-dst", "53", "--dst-nat", "10.244.0.2"),
        ("-p", "udp", "--orig-port-dst", "30053", "--dst-nat", "10.244.0.2"),
    )


def test_flows_from_before_the_first_endpoint_are_deleted() -> None:
    assert stale_flows(routed(), routed("10.244.0.3:53")) == (
        ("-p", "udp", "--orig-dst", "10.96.0.10", "--orig-port-dst", "53"),
        ("-p", "udp", "--orig-port-dst", "30053"),
    )


def test_tcp_and_what_stays_are_left_alone() -> None:
    tcp = PortName("default", "web", "")
    known = {tcp: Routed(ProxiedPort(tcp, "10.96.0.20", 80), frozenset({"10.244.0.9:80"}))}
    assert stale_flows(known, {}) == ()
    assert stale_flows(routed("10.244.0.3:53"), routed("10.244.0.3:53")) == ()
