"""Rows of the network's kinds: Services, Endpoints, EndpointSlices, Ingresses, NetworkPolicies, addresses. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pybernetes.api.types.core_v1 import Endpoints, LoadBalancerIngress, Service, ServicePort
from pybernetes.api.types.discovery_v1 import EndpointPort, EndpointSlice
from pybernetes.api.types.networking_v1 import (
    Ingress,
    IngressClass,
    IngressLoadBalancerIngress,
    IPAddress,
    NetworkPolicy,
    ServiceCIDR,
)
from pybernetes.apiserver.printing.cells import (
    NONE,
    UNSET,
    age,
    columns,
    name,
    shortened,
    shown_labels,
    shown_selector,
)

SERVICE_COLUMNS = columns("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "*Selector")
ENDPOINTS_COLUMNS = columns("Name", "Endpoints", "Age")
ENDPOINT_SLICE_COLUMNS = columns("Name", "AddressType", "Ports", "Endpoints", "Age")
INGRESS_COLUMNS = columns("Name", "Class", "Hosts", "Address", "Ports", "Age")
INGRESS_CLASS_COLUMNS = columns("Name", "Controller", "Parameters", "Age")
NETWORK_POLICY_COLUMNS = columns("Name", "Pod-Selector", "Age")
SERVICE_CIDR_COLUMNS = columns("Name", "CIDRs", "Age")
# Upstream defines two columns and writes three cells; clients show what they have a column for.
IP_ADDRESS_COLUMNS = columns("Name", "ParentRef")
_MOST_HOSTS = 3


def service_row(service: Service, now: datetime) -> list[Any]:
    """The cells of a Service."""
    spec = service.spec
    return [
        name(service),
        spec.type or "",
        spec.cluster_ips[0] if spec.cluster_ips else NONE,
        _external(service),
        ",".join(_port(port) for port in spec.ports) or NONE,
        age(service, now),
        shown_labels(spec.selector),
    ]


def _external(service: Service) -> str:
    spec = service.spec
    match spec.type:
        case "ClusterIP" | "NodePort":
            return ",".join(spec.external_ips) or NONE
        case "LoadBalancer":
            balanced = _balancers(service.status.load_balancer.ingress)
            return ",".join([*balanced, *spec.external_ips]) or "<pending>"
        case "ExternalName":
            return spec.external_name or ""
    return "<unknown>"


def _balancers(ingress: Sequence[LoadBalancerIngress | IngressLoadBalancerIngress]) -> list[str]:
    return sorted({text for item in ingress if (text := item.ip or item.hostname)})


def _port(port: ServicePort) -> str:
    if port.node_port:
        return f"{port.port}:{port.node_port}/{port.protocol}"
    return f"{port.port}/{port.protocol}"


def endpoints_row(endpoints: Endpoints, now: datetime) -> list[Any]:
    """The cells of Endpoints."""
    listed: list[str] = []
    for subset in endpoints.subsets:
        ips = [address.ip for address in subset.addresses]
        if not subset.ports:
            listed += ips
        for port in subset.ports:
            listed += [f"[{ip}]:{port.port}" if ":" in ip else f"{ip}:{port.port}" for ip in ips]
    return [name(endpoints), shortened(listed) if endpoints.subsets else NONE, age(endpoints, now)]


def endpoint_slice_row(piece: EndpointSlice, now: datetime) -> list[Any]:
    """The cells of an EndpointSlice."""
    addresses = [address for endpoint in piece.endpoints for address in endpoint.addresses]
    return [
        name(piece),
        piece.address_type,
        shortened([_slice_port(port) for port in piece.ports]) or UNSET,
        shortened(addresses) or UNSET,
        age(piece, now),
    ]


def _slice_port(port: EndpointPort) -> str:
    if port.port is not None:
        return str(port.port)
    return port.name if port.name is not None else "*"


def ingress_row(ingress: Ingress, now: datetime) -> list[Any]:
    """The cells of an Ingress."""
    spec = ingress.spec
    return [
        name(ingress),
        NONE if spec.ingress_class_name is None else spec.ingress_class_name,
        _hosts([rule.host or "" for rule in spec.rules]),
        ",".join(_balancers(ingress.status.load_balancer.ingress)),
        "80, 443" if spec.tls else "80",
        age(ingress, now),
    ]


def _hosts(hosts: Sequence[str]) -> str:
    """Upstream counts the rules without a host among those that are left out."""
    named = [host for host in hosts if host]
    if len(named) < _MOST_HOSTS:
        return ",".join(named) or "*"
    third = [index for index, host in enumerate(hosts) if host][_MOST_HOSTS - 1]
    text = ",".join(named[:_MOST_HOSTS])
    return f"{text} + {len(hosts) - _MOST_HOSTS} more..." if len(hosts) > third + 1 else text


def ingress_class_row(kind: IngressClass, now: datetime) -> list[Any]:
    """The cells of an IngressClass."""
    parameters = kind.spec.parameters
    shown = NONE
    if parameters is not None:
        group = f".{parameters.api_group}" if parameters.api_group is not None else ""
        shown = f"{parameters.kind}{group}/{parameters.name}"
    return [name(kind), kind.spec.controller or "", shown, age(kind, now)]


def network_policy_row(policy: NetworkPolicy, now: datetime) -> list[Any]:
    """The cells of a NetworkPolicy."""
    return [name(policy), shown_selector(policy.spec.pod_selector), age(policy, now)]


def service_cidr_row(cidr: ServiceCIDR, now: datetime) -> list[Any]:
    """The cells of a ServiceCIDR."""
    return [name(cidr), ",".join(cidr.spec.cidrs), age(cidr, now)]


def ip_address_row(address: IPAddress, now: datetime) -> list[Any]:
    """The cells of an IPAddress."""
    parent = address.spec.parent_ref
    shown = NONE
    if parent is not None:
        resource = f"{parent.resource}.{parent.group}" if parent.group else parent.resource
        shown = "/".join(part for part in (resource, parent.namespace, parent.name) if part)
    return [name(address), shown, age(address, now)]
