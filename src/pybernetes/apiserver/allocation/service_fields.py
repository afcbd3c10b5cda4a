"""What a Service has, and what it wants, from the pools of a cluster. Pure."""

from __future__ import annotations

import ipaddress

from pybernetes.api.types.core_v1 import ServiceSpec

TRAFFIC_POLICIES = ("Cluster", "Local")
_HEADLESS = "None"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def cluster_addresses(spec: ServiceSpec) -> set[str]:
    """The ClusterIPs that a Service has; none for headless ones and for ExternalName."""
    if spec.type == "ExternalName":
        return set()
    listed = spec.cluster_ips or ([spec.cluster_ip] if spec.cluster_ip else [])
    return {address for address in listed if address != _HEADLESS and _is_address(address)}


def node_ports(spec: ServiceSpec) -> set[int]:
    """The node ports that a Service has, its health-check port included."""
    found = {port.node_port for port in spec.ports if port.node_port}
    return found | ({spec.health_check_node_port} if spec.health_check_node_port else set())


def may_have_node_ports(spec: ServiceSpec) -> bool:
    """Whether the ports of a Service can have node ports at all."""
    return spec.type in ("NodePort", "LoadBalancer")


def wants_node_ports(spec: ServiceSpec) -> bool:
    """Whether every port of a Service gets a node port."""
    return spec.type == "NodePort" or (
        spec.type == "LoadBalancer" and spec.allocate_load_balancer_node_ports is not False
    )


def wants_health_check(spec: ServiceSpec) -> bool:
    """Whether load balancers ask a node by a port of its own if it has endpoints of this Service."""
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"


def is_reached_from_outside(spec: ServiceSpec) -> bool:
    """Whether an externalTrafficPolicy means anything."""
    return spec.type in ("NodePort", "LoadBalancer") or (spec.type == "ClusterIP" and bool(spec.external_ips))
