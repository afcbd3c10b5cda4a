"""`describe service`: its addresses, ports and the endpoints behind each."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.api.types.core_v1 import Service, ServicePort
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.kubectl.describe.writing import Writing, write_annotations, write_map
from pybernetes.kubectl.printing import shown_map

SHOWN_ENDPOINTS = 3


def describe_service(writing: Writing, service: Service, slices: Sequence[EndpointSlice]) -> None:
    """All but the events."""
    metadata, spec = service.metadata, service.spec
    writing.pair("Name", metadata.name)
    writing.pair("Namespace", metadata.namespace)
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    writing.pair("Selector", shown_map(spec.selector))
    writing.pair("Type", spec.type or "")
    if spec.ip_family_policy:
        writing.pair("IP Family Policy", spec.ip_family_policy)
    if spec.ip_families:
        writing.pair("IP Families", ",".join(spec.ip_families))
    writing.pair("IP", spec.cluster_ip or "")
    if spec.cluster_ips:
        writing.pair("IPs", ",".join(spec.cluster_ips))
    if spec.external_ips:
        writing.pair("External IPs", ",".join(spec.external_ips))
    if spec.load_balancer_ip:
        writing.pair("Desired LoadBalancer IP", spec.load_balancer_ip)
    if spec.external_name:
        writing.pair("External Name", spec.external_name)
    if ingress := service.status.load_balancer.ingress:
        addresses = ", ".join(item.ip or item.hostname or "" for item in ingress)
        writing.pair("LoadBalancer Ingress", addresses)
    for port in spec.ports:
        _write_port(writing, port, slices)
    writing.pair("Session Affinity", spec.session_affinity or "")
    if spec.external_traffic_policy:
        writing.pair("External Traffic Policy", spec.external_traffic_policy)
    if spec.internal_traffic_policy:
        writing.pair("Internal Traffic Policy", spec.internal_traffic_policy)
    if spec.health_check_node_port:
        writing.pair("HealthCheck NodePort", spec.health_check_node_port)
    if spec.load_balancer_source_ranges:
        writing.pair("LoadBalancer Source Ranges", ",".join(spec.load_balancer_source_ranges))


def _write_port(writing: Writing, port: ServicePort, slices: Sequence[EndpointSlice]) -> None:
    name = port.name or "<unset>"
    writing.line(f"Port:\t{name}\t{port.port}/{port.protocol}")
    writing.line(f"TargetPort:\t{port.target_port}/{port.protocol}")
    if port.node_port:
        writing.line(f"NodePort:\t{name}\t{port.node_port}/{port.protocol}")
    writing.pair("Endpoints", endpoints_text(slices, port.name or ""))


def endpoints_text(slices: Sequence[EndpointSlice], port_name: str) -> str:
    """The ready addresses behind a port, the first three by name."""
    found = []
    for item in slices:
        ports = [port.port for port in item.ports if (port.name or "") == port_name]
        ready = [endpoint for endpoint in item.endpoints if _is_ready(endpoint.conditions)]
        found += [f"{_host(address)}:{port}" for port in ports for endpoint in ready for address in endpoint.addresses]
    more = f" + {len(found) - SHOWN_ENDPOINTS} more..." if len(found) > SHOWN_ENDPOINTS else ""
    return ",".join(found[:SHOWN_ENDPOINTS]) + more


def _is_ready(conditions: object) -> bool:
    return getattr(conditions, "ready", None) is not False


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
