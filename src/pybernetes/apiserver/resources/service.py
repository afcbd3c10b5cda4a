"""The strategy of Services. Addresses, their families and node ports are given out by the allocator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pybernetes.api.objects import copy
from pybernetes.api.types.core_v1 import (
    ClientIPConfig,
    LoadBalancerStatus,
    Service,
    ServiceSpec,
    SessionAffinityConfig,
)
from pybernetes.apiserver.allocation.service_fields import (
    TRAFFIC_POLICIES,
    is_reached_from_outside,
    may_have_node_ports,
    wants_health_check,
    wants_node_ports,
)
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
    _drop_inner_policy(service.spec)
    same_addresses(service.spec)


def prepare_update(new: Service, old: Service) -> None:
    keep_status(new, old)
    _follow_address(new.spec, old.spec)
    _keep_allocations(new.spec, old.spec)
    _drop_foreign_fields(new.spec, old.spec)
    _drop_inner_policy(new.spec)
    same_addresses(new.spec)
    if new.spec.type != "LoadBalancer" and old.status.load_balancer.ingress:
        new.status = copy(old.status)
        new.status.load_balancer = LoadBalancerStatus()


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
    new.cluster_ip = new.cluster_ip or old.cluster_ip
    if new.cluster_ip == old.cluster_ip and not new.cluster_ips:
        new.cluster_ips = list(old.cluster_ips)
    if wants_node_ports(new) and wants_node_ports(old):
        _keep_node_ports(new, old)
    if wants_health_check(new) and wants_health_check(old) and not new.health_check_node_port:
        new.health_check_node_port = old.health_check_node_port


def _keep_node_ports(new: ServiceSpec, old: ServiceSpec) -> None:
    """A port is known by its name, whatever else of it has changed."""
    given = {port.name or "": port.node_port for port in old.ports}
    used = {port.node_port for port in new.ports}
    for port in new.ports:
        known = given.get(port.name or "")
        if not port.node_port and known not in used:
            port.node_port = known


def _drop_foreign_fields(new: ServiceSpec, old: ServiceSpec) -> None:
    """What means nothing any more goes away if it was not touched; validation refuses what was."""
    if new.type == "ExternalName" != old.type:
        if (new.cluster_ip, new.cluster_ips) == (old.cluster_ip, old.cluster_ips):
            new.cluster_ip, new.cluster_ips = None, []
        _drop_same(new, old, "ip_families", [])
        _drop_same(new, old, "ip_family_policy")
    if may_have_node_ports(old) and not may_have_node_ports(new) and _adds_no_node_port(new, old):
        for port in new.ports:
            port.node_port = None
    if wants_health_check(old) and not wants_health_check(new):
        _drop_same(new, old, "health_check_node_port")
    if old.type == "LoadBalancer" != new.type:
        _drop_same(new, old, "allocate_load_balancer_node_ports")
        _drop_same(new, old, "load_balancer_class")
    if is_reached_from_outside(old) and not is_reached_from_outside(new):
        _drop_same(new, old, "external_traffic_policy")


def _drop_same(new: ServiceSpec, old: ServiceSpec, name: str, nothing: Any = None) -> None:
    if getattr(new, name) == getattr(old, name):
        setattr(new, name, nothing)


def _adds_no_node_port(new: ServiceSpec, old: ServiceSpec) -> bool:
    return {port.node_port for port in new.ports} - {None} <= {port.node_port for port in old.ports}


def _drop_inner_policy(spec: ServiceSpec) -> None:
    """An external name has no endpoints to choose from, though clients send what was once a default."""
    if spec.type == "ExternalName" and spec.internal_traffic_policy in TRAFFIC_POLICIES:
        spec.internal_traffic_policy = None


def _fields(service: Service) -> Mapping[str, str]:
    return {"spec.clusterIP": service.spec.cluster_ip or "", "spec.type": service.spec.type or ""}


SERVICE = Strategy(
    default=default_service,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    prepare_status=only_status,
    fields=_fields,
    field_names=frozenset(_fields(Service())),
    creates_on_update=True,
    returns_deleted=True,
)
