"""Rules for Services. What depends on allocation (ranges, taken ports) is the allocator's to refuse."""

from __future__ import annotations

import ipaddress

from pybernetes.api.ip_addresses import cidr, ip_address, is_ip_address
from pybernetes.api.names import dns1123_label, dns1123_subdomain, port_number, qualified_name
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import LoadBalancerIngress, Service, ServiceSpec
from pybernetes.apiserver.allocation.service_fields import (
    TRAFFIC_POLICIES,
    is_reached_from_outside,
    wants_health_check,
)
from pybernetes.apiserver.resources.validation.lists import each, repeated
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, validate_labels
from pybernetes.apiserver.resources.validation.ports import PROTOCOLS, named_port
from pybernetes.apiserver.resources.validation.service_addresses import validate_address_change, validate_addresses
from pybernetes.apiserver.resources.validation.texts import (
    empty_or_obeys,
    none_or_obeys,
    none_or_one_of,
    obeys,
    one_of,
    required_one_of,
    required_text,
)

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
_TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"
_LOOPBACK = "may not be in the loopback range (127.0.0.0/8, ::1/128)"


def validate_create(service: Service) -> list[FieldError]:
    """All complaints about a Service that has been defaulted."""
    spec = service.spec
    errors = _validate_annotations(service)
    errors += _validate_type(spec)
    errors += _validate_ports(spec)
    errors += validate_labels(spec.selector, "spec.selector") if spec.selector else []
    errors += _validate_affinity(spec)
    if spec.type != "ExternalName":
        errors += validate_addresses(spec)
    errors += _validate_external(spec)
    errors += one_of(spec.type, _TYPES, "spec.type")
    errors += _validate_node_ports(spec)
    errors += _validate_load_balancer(service)
    return errors + _validate_traffic(spec)


def _validate_annotations(service: Service) -> list[FieldError]:
    annotations = service.metadata.annotations
    mode, hints = annotations.get(_TOPOLOGY_MODE), annotations.get(_TOPOLOGY_HINTS)
    if mode is None or hints is None or mode == hints:
        return []
    detail = f"must match annotations[{_TOPOLOGY_HINTS}] when both are specified"
    return [invalid(f"metadata.annotations[{_TOPOLOGY_MODE}]", mode, detail)]


def _is_headless(spec: ServiceSpec) -> bool:
    return spec.cluster_ips == ["None"]


def _validate_type(spec: ServiceSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    if not spec.ports and not _is_headless(spec) and spec.type != "ExternalName":
        errors.append(required("spec.ports"))
    if spec.type == "ExternalName":
        errors += validate_addresses(spec)
        name = (spec.external_name or "").removesuffix(".")
        errors += required_text(name, dns1123_subdomain, "spec.externalName")
    elif spec.type in ("LoadBalancer", "NodePort") and _is_headless(spec):
        detail = f"may not be set to 'None' for {spec.type} services"
        errors.append(invalid("spec.clusterIPs[0]", "None", detail))
    return errors


def _validate_ports(spec: ServiceSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated(port.name for port in spec.ports)
    for index, port in enumerate(spec.ports):
        path = f"spec.ports[{index}]"
        if port.name or len(spec.ports) > 1:
            errors += required_text(port.name, dns1123_label, f"{path}.name")
        if port.name and index in again:
            errors.append(duplicate(f"{path}.name", port.name))
        errors += obeys(port.port, port_number, f"{path}.port")
        errors += required_one_of(port.protocol, PROTOCOLS, f"{path}.protocol")
        errors += named_port(port.target_port, f"{path}.targetPort")
        errors += none_or_obeys(port.app_protocol, qualified_name, f"{path}.appProtocol")
    return errors


def _validate_node_ports(spec: ServiceSpec) -> list[FieldError]:
    """What ports may not have, and what no two of them may have alike."""
    errors: list[FieldError] = []
    if spec.type == "ClusterIP":
        detail = "may not be used when `type` is 'ClusterIP'"
        paths = [f"spec.ports[{index}].nodePort" for index, port in enumerate(spec.ports) if port.node_port]
        errors += [forbidden_field(path, detail) for path in paths]
    node_ports = [(port.protocol, port.node_port) for port in spec.ports]
    for index in sorted(repeated(node_ports)):
        if number := node_ports[index][1]:
            errors.append(duplicate(f"spec.ports[{index}].nodePort", number))
    ports = [(port.protocol, port.port) for port in spec.ports]
    for index in sorted(repeated(ports)):
        protocol, number = ports[index]
        shown = {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number, "TargetPort": 0, "NodePort": 0}
        errors.append(duplicate(f"spec.ports[{index}]", shown))
    return errors


def _validate_affinity(spec: ServiceSpec) -> list[FieldError]:
    if spec.session_affinity not in ("ClientIP", "None"):
        return [not_supported("spec.sessionAffinity", spec.session_affinity, ("ClientIP", "None"))]
    path = "spec.sessionAffinityConfig"
    config = spec.session_affinity_config
    if spec.session_affinity == "ClientIP":
        if config is None or config.client_ip is None or config.client_ip.timeout_seconds is None:
            return [required(f"{path}.clientIP.timeoutSeconds", "when session affinity type is ClientIP")]
        seconds = config.client_ip.timeout_seconds
        if not 0 < seconds <= 86400:
            detail = "must be greater than 0 and less than 86400"
            return [invalid(f"{path}.clientIP.timeoutSeconds", seconds, detail)]
    elif config is not None:
        return [forbidden_field(path, "must not be set when session affinity is None")]
    return []


def _validate_external(spec: ServiceSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, address in enumerate(spec.external_ips):
        path = f"spec.externalIPs[{index}]"
        problems = ip_address(address)
        errors += [invalid(path, address, text) for text in problems]
        if not problems:
            errors += validate_outside_address(address, path)
    return errors


def validate_outside_address(address: str, path: str) -> list[FieldError]:
    """An address that can lie outside of the machine that uses it."""
    parsed = ipaddress.ip_address(address)
    errors: list[FieldError] = []
    if parsed.is_unspecified:
        errors.append(invalid(path, address, f"may not be unspecified ({address})"))
    if parsed.is_loopback:
        errors.append(invalid(path, address, _LOOPBACK))
    if parsed.is_link_local:
        errors.append(invalid(path, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
    if _is_near_multicast(parsed.packed):
        detail = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        errors.append(invalid(path, address, detail))
    return errors


def _is_near_multicast(packed: bytes) -> bool:
    """224.0.0.0/24, or IPv6 multicast of the scope of a link, whatever its flags."""
    return packed.startswith(b"\xe0\x00\x00") if len(packed) == 4 else packed[0] == 0xFF and packed[1] & 0x0F == 2


def _validate_load_balancer(service: Service) -> list[FieldError]:
    spec = service.spec
    errors = _validate_source_ranges(service)
    is_one = spec.type == "LoadBalancer"
    if spec.allocate_load_balancer_node_ports is not None and not is_one:
        errors.append(forbidden_field("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER))
    if is_one and spec.allocate_load_balancer_node_ports is None:
        errors.append(required("allocateLoadBalancerNodePorts"))
    if spec.load_balancer_class is not None:
        if not is_one:
            errors.append(forbidden_field("spec.loadBalancerClass", _ONLY_LOAD_BALANCER))
        else:
            errors += obeys(spec.load_balancer_class, qualified_name, "spec.loadBalancerClass")
    return errors


def _validate_source_ranges(service: Service) -> list[FieldError]:
    """From where a load balancer is reached; the annotation of old counts where the field says nothing."""
    spec = service.spec
    annotated = service.metadata.annotations.get(_SOURCE_RANGES)
    if not spec.load_balancer_source_ranges and annotated is None:
        return []
    listed = bool(spec.load_balancer_source_ranges)
    path = "spec.LoadBalancerSourceRanges" if listed else f"metadata.annotations[{_SOURCE_RANGES}]"
    errors: list[FieldError] = []
    if spec.type != "LoadBalancer":
        errors.append(forbidden_field(path, _ONLY_LOAD_BALANCER))
    texts = spec.load_balancer_source_ranges if listed else [each for each in [(annotated or "").strip()] if each]
    ranges = texts if listed else [part for text in texts for part in text.split(",")]
    for index, text in enumerate(ranges):
        where = f"{path}[{index}]" if listed else path
        errors += obeys(text.strip(), cidr, where)
    return errors


def _validate_traffic(spec: ServiceSpec) -> list[FieldError]:
    errors: list[FieldError] = []
    policy = spec.external_traffic_policy
    if policy and not is_reached_from_outside(spec):
        detail = "may only be set for externally-accessible services"
        errors.append(invalid("spec.externalTrafficPolicy", policy, detail))
    elif policy and policy not in TRAFFIC_POLICIES:
        errors.append(not_supported("spec.externalTrafficPolicy", policy, TRAFFIC_POLICIES))
    port = spec.health_check_node_port
    if port and not wants_health_check(spec):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(invalid("spec.healthCheckNodePort", port, detail))
    elif port:
        errors += obeys(port, port_number, "spec.healthCheckNodePort")
    internal = spec.internal_traffic_policy
    if internal:
        errors += one_of(internal, TRAFFIC_POLICIES, "spec.internalTrafficPolicy")
    return errors + none_or_one_of(spec.traffic_distribution, _DISTRIBUTIONS, "spec.trafficDistribution")


def validate_update(new: Service, old: Service) -> list[FieldError]:
    """Addresses once given stay while the type stays one that has them."""
    errors = validate_address_change(new.spec, old.spec)
    balanced = new.spec.type == old.spec.type == "LoadBalancer"
    if balanced and new.spec.load_balancer_class != old.spec.load_balancer_class:
        detail = "may not change once set"
        errors.append(invalid("spec.loadBalancerClass", new.spec.load_balancer_class, detail))
    health = wants_health_check(new.spec) and wants_health_check(old.spec)
    if health and new.spec.health_check_node_port != old.spec.health_check_node_port:
        errors.append(forbidden_field("spec.healthCheckNodePort", IMMUTABLE))
    return errors + validate_create(new)


def validate_status(new: Service, old: Service) -> list[FieldError]:
    """What a load balancer reports of itself."""
    ingress = new.status.load_balancer.ingress
    path = "status.loadBalancer.ingress"
    if ingress == old.status.load_balancer.ingress:
        return []
    if ingress and new.spec.type != "LoadBalancer":
        return [forbidden_field(path, "may only be used when `spec.type` is 'LoadBalancer'")]
    return each(ingress, _validate_ingress, path)


def _validate_ingress(ingress: LoadBalancerIngress, path: str) -> list[FieldError]:
    errors = empty_or_obeys(ingress.ip, ip_address, f"{path}.ip")
    if ingress.ip_mode is None:
        if ingress.ip:
            errors.append(required(f"{path}.ipMode", "must be specified when `ip` is set"))
    elif not ingress.ip:
        errors.append(forbidden_field(f"{path}.ipMode", "may not be specified when `ip` is not set"))
    elif ingress.ip_mode not in ("Proxy", "VIP"):
        errors.append(not_supported(f"{path}.ipMode", ingress.ip_mode, ("Proxy", "VIP")))
    name = ingress.hostname
    if name:
        errors += obeys(name, dns1123_subdomain, f"{path}.hostname")
        if is_ip_address(name):
            errors.append(invalid(f"{path}.hostname", name, "must be a DNS name, not an IP address"))
    return errors
