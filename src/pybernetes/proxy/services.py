"""What kube-proxy reads out of a Service: one `ProxiedPort` for each of its ports, all of it plain values.

Services of the API flow in; `rules` and `userspace` read what comes out. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from pybernetes.api.types.core_v1 import Service, ServicePort

# A Service with one of these labels is somebody else's work, or nobody's.
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
HEADLESS_LABEL = "service.kubernetes.io/headless"
DEFAULT_AFFINITY_SECONDS = 10800


@dataclass(frozen=True, order=True)
class PortName:
    """Which port of which Service; the protocol is lower-case."""

    namespace: str
    service: str
    port: str
    protocol: str = "tcp"

    def __str__(self) -> str:
        """As comments and chain hashes have it: `namespace/name:port`, without the colon when the port has no name."""
        return f"{self.namespace}/{self.service}" + (f":{self.port}" if self.port else "")


@dataclass(frozen=True)
class ProxiedPort:
    """One port of a Service. Addresses are IPv4 text; `affinity_seconds` is 0 without ClientIP affinity."""

    name: PortName
    cluster_ip: str
    port: int
    node_port: int = 0
    external_ips: tuple[str, ...] = ()
    load_balancer_ips: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()
    affinity_seconds: int = 0
    internal_local: bool = False
    external_local: bool = False
    health_check_node_port: int = 0

    @property
    def externally_accessible(self) -> bool:
        return bool(self.node_port or self.load_balancer_ips or self.external_ips)

    @property
    def uses_cluster_endpoints(self) -> bool:
        # With a local external policy, pods of this node still get the short way to any endpoint.
        return not self.internal_local or self.externally_accessible

    @property
    def uses_local_endpoints(self) -> bool:
        return self.internal_local or (self.external_local and self.externally_accessible)


def is_proxied(service: Service) -> bool:
    """Whether the Service has a virtual IP that this proxy looks after."""
    spec = service.spec
    if spec.type == "ExternalName" or not spec.cluster_ip or spec.cluster_ip == "None":
        return False
    return PROXY_NAME_LABEL not in service.metadata.labels


def proxied_ports(service: Service) -> tuple[ProxiedPort, ...]:
    """The ports of a Service, none for one without an IPv4 address of its own."""
    address = next((item for item in (service.spec.cluster_ip or "", *service.spec.cluster_ips) if is_ipv4(item)), "")
    if not is_proxied(service) or not address:
        return ()
    return tuple(_proxied(service, port, address) for port in service.spec.ports)


def is_ipv4(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv4Address)
    except ValueError:
        return False


def _proxied(service: Service, port: ServicePort, cluster_ip: str) -> ProxiedPort:
    spec, metadata = service.spec, service.metadata
    protocol = (port.protocol or "TCP").lower()
    return ProxiedPort(
        name=PortName(metadata.namespace or "", metadata.name or "", port.name or "", protocol),
        cluster_ip=cluster_ip,
        port=port.port,
        node_port=port.node_port or 0,
        external_ips=tuple(item for item in spec.external_ips if is_ipv4(item)),
        load_balancer_ips=_load_balancer_ips(service),
        source_ranges=_source_ranges(service),
        affinity_seconds=_affinity_seconds(service),
        internal_local=spec.internal_traffic_policy == "Local",
        external_local=spec.external_traffic_policy == "Local",
        health_check_node_port=spec.health_check_node_port or 0,
    )


def _load_balancer_ips(service: Service) -> tuple[str, ...]:
    """Addresses whose packets reach nodes unchanged; those of a proxying balancer (ipMode Proxy) do not."""
    if service.spec.type != "LoadBalancer":
        return ()
    ingress = service.status.load_balancer.ingress
    return tuple(item.ip for item in ingress if item.ip and item.ip_mode != "Proxy" and is_ipv4(item.ip))


def _source_ranges(service: Service) -> tuple[str, ...]:
    ranges = (item.strip() for item in service.spec.load_balancer_source_ranges)
    return tuple(item for item in ranges if is_ipv4(item.partition("/")[0]))


def _affinity_seconds(service: Service) -> int:
    if service.spec.session_affinity != "ClientIP":
        return 0
    config = service.spec.session_affinity_config
    seconds = config.client_ip.timeout_seconds if config is not None and config.client_ip is not None else None
    return seconds or DEFAULT_AFFINITY_SECONDS
