"""The strategy of Services. Addresses, their families and node ports are given out by the allocator."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.types.core_v1 import ClientIPConfig, Service, ServiceSpec, SessionAffinityConfig
from pybernetes.apiserver.allocation.service_fields import is_reached_from_outside, wants_health_check, wants_node_ports
from pybernetes.apiserver.resources.prepare import clear_status, keep_status, only_status
from pybernetes.apiserver.resources.strategy import Strategy

_AFFINITY_SECONDS = 10800


def default_service(service: Service) -> None:
    """Fills a Service in place, but for what the allocator gives."""
    spec = service.spec
    spec.session_affinity = spec.session_affinity or "None"
    if spec.session_affinity == "None":
        spec.session_affinity_config = None
    elif spec.session_affinity == "ClientIP":
        config = spec.session_affinity_config or SessionAffinityConfig()
        config.client_ip = config.client_ip or ClientIPConfig()
        if config.client_ip.timeout_seconds is None:
            config.client_ip.timeout_seconds = _AFFINITY_SECONDS
        spec.session_affinity_config = config
    spec.type = spec.type or "ClusterIP"
    _default_ports(spec)
    _default_traffic(spec)
    if spec.type == "LoadBalancer":
        for ingress in service.status.load_balancer.ingress:
            if ingress.ip and ingress.ip_mode is None:
                ingress.ip_mode = "VIP"


def _default_ports(spec: ServiceSpec) -> None:
    for port in spec.ports:
        port.protocol = port.protocol or "TCP"
        if port.target_port in (None, 0, ""):
            port.target_port = port.port
        port.node_port = port.node_port or None


def _default_traffic(spec: ServiceSpec) -> None:
    if not spec.external_traffic_policy and is_reached_from_outside(spec):
        spec.external_traffic_policy = "Cluster"
    if not spec.internal_traffic_policy and spec.type in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec.internal_traffic_policy = "Cluster"
    if spec.type == "LoadBalancer" and spec.allocate_load_balancer_node_ports is None:
        spec.allocate_load_balancer_node_ports = True
    spec.publish_not_ready_addresses = spec.publish_not_ready_addresses or None


def prepare_create(service: Service) -> None:
    """A new Service has no load balancer yet."""
    clear_status(service)
    _drop_foreign_fields(service, None)
    same_addresses(service.spec)


def prepare_update(new: Service, old: Service) -> None:
    keep_status(new, old)
    _follow_address(new.spec, old.spec)
    _drop_foreign_fields(new, old)
    _keep_allocations(new.spec, old.spec)
    same_addresses(new.spec)


def same_addresses(spec: ServiceSpec) -> None:
    """`clusterIPs` follows `clusterIP`, the one field that older clients know."""
    if spec.cluster_ip and not spec.cluster_ips:
        spec.cluster_ips = [spec.cluster_ip]


def _follow_address(new: ServiceSpec, old: ServiceSpec) -> None:
    """A client that knows only `clusterIP` changes or clears the list by it."""
    if new.cluster_ip != old.cluster_ip and new.cluster_ips == old.cluster_ips:
        new.cluster_ips = [new.cluster_ip] if new.cluster_ip else []


def _keep_allocations(new: ServiceSpec, old: ServiceSpec) -> None:
    """What the server has given out stays when a client that does not know it leaves it out."""
    if new.type == "ExternalName" or old.type == "ExternalName":
        return
    if not new.cluster_ip and not new.cluster_ips:
        new.cluster_ip = old.cluster_ip
    if new.cluster_ip == old.cluster_ip and not new.cluster_ips:
        new.cluster_ips = list(old.cluster_ips)
    new.ip_families = new.ip_families or list(old.ip_families)
    new.ip_family_policy = new.ip_family_policy or old.ip_family_policy
    if wants_node_ports(new) and wants_node_ports(old):
        _keep_node_ports(new, old)
    if wants_health_check(new) and wants_health_check(old) and not new.health_check_node_port:
        new.health_check_node_port = old.health_check_node_port


def _keep_node_ports(new: ServiceSpec, old: ServiceSpec) -> None:
    given = {(port.protocol, port.port): port.node_port for port in old.ports}
    taken = {port.node_port for port in new.ports}
    for port in new.ports:
        known = given.get((port.protocol, port.port))
        if not port.node_port and known not in taken:
            port.node_port = known
            taken.add(known)


def _drop_foreign_fields(new: Service, old: Service | None) -> None:
    """After a change of type, what belonged to the old type and was not touched goes away."""
    if old is None or new.spec.type == old.spec.type:
        return
    spec, before = new.spec, old.spec
    if spec.type == "ExternalName" and before.type != "ExternalName":
        if spec.cluster_ip == before.cluster_ip:
            spec.cluster_ip = None
        if spec.cluster_ips == before.cluster_ips:
            spec.cluster_ips = []
        spec.ip_families, spec.ip_family_policy = [], None
        spec.internal_traffic_policy = None
    if wants_node_ports(before) and not wants_node_ports(spec):
        old_ports = {port.node_port for port in before.ports}
        for port in spec.ports:
            if port.node_port in old_ports:
                port.node_port = None
    if wants_health_check(before) and not wants_health_check(spec):
        spec.health_check_node_port = None
    if before.type == "LoadBalancer" and spec.type != "LoadBalancer":
        if spec.allocate_load_balancer_node_ports == before.allocate_load_balancer_node_ports:
            spec.allocate_load_balancer_node_ports = None
        if spec.load_balancer_class == before.load_balancer_class:
            spec.load_balancer_class = None
    if not is_reached_from_outside(spec) and spec.external_traffic_policy == before.external_traffic_policy:
        spec.external_traffic_policy = None


def fields(service: Service) -> Mapping[str, str]:
    return {"spec.clusterIP": service.spec.cluster_ip or "", "spec.type": service.spec.type or ""}


SERVICE = Strategy(
    default=default_service,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=only_status,
    fields=fields,
    field_names=frozenset(fields(Service())),
    creates_on_update=True,
    returns_deleted=True,
)
