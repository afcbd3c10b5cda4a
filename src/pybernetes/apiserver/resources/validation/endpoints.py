"""Rules for Endpoints and EndpointSlices."""

from __future__ import annotations

import ipaddress

from pybernetes.api.ip_addresses import ip_address, is_ip_address
from pybernetes.api.names import dns1123_label, dns1123_subdomain, label_value, port_number, qualified_name
from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types.core_v1 import EndpointAddress, Endpoints
from pybernetes.api.types.discovery_v1 import Endpoint, EndpointHints, EndpointPort, EndpointSlice
from pybernetes.apiserver.resources.validation.lists import at_most, no_twins
from pybernetes.apiserver.resources.validation.metadata import immutable, validate_labels
from pybernetes.apiserver.resources.validation.service import validate_outside_address

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_MOST_ENDPOINTS = 1000
_MOST_ADDRESSES = 100
_MOST_PORTS = 20_000
_MOST_LABELS = 16
_MOST_HINTS = 8
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")


def validate_endpoints(endpoints: Endpoints) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, subset in enumerate(endpoints.subsets):
        path = f"subsets[{index}]"
        if not subset.addresses and not subset.not_ready_addresses:
            errors.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
        for name, addresses in (("addresses", subset.addresses), ("notReadyAddresses", subset.not_ready_addresses)):
            for number, address in enumerate(addresses):
                errors += _validate_address(address, f"{path}.{name}[{number}]")
        for number, port in enumerate(subset.ports):
            where = f"{path}.ports[{number}]"
            if len(subset.ports) > 1 and not port.name:
                errors.append(required(f"{where}.name"))
            elif port.name:
                errors += [invalid(f"{where}.name", port.name, text) for text in dns1123_label(port.name)]
            errors += [invalid(f"{where}.port", port.port, text) for text in port_number(port.port)]
            if port.protocol not in _PROTOCOLS:
                errors.append(not_supported(f"{where}.protocol", port.protocol, _PROTOCOLS))
            if port.app_protocol is not None:
                texts = qualified_name(port.app_protocol)
                errors += [invalid(f"{where}.appProtocol", port.app_protocol, text) for text in texts]
    return errors


def _validate_address(address: EndpointAddress, path: str) -> list[FieldError]:
    problems = ip_address(address.ip)
    errors = [invalid(f"{path}.ip", address.ip, text) for text in problems]
    if address.hostname:
        errors += [invalid(f"{path}.hostname", address.hostname, text) for text in dns1123_label(address.hostname)]
    if address.node_name is not None:
        errors += [invalid(f"{path}.nodeName", address.node_name, t) for t in dns1123_subdomain(address.node_name)]
    if not is_ip_address(address.ip):
        return [*errors, invalid(f"{path}.ip", address.ip, "must be a valid IP address")]
    return errors if problems else errors + validate_outside_address(address.ip, f"{path}.ip")


def validate_slice(endpoint_slice: EndpointSlice) -> list[FieldError]:
    errors: list[FieldError] = []
    kind = endpoint_slice.address_type
    if not kind:
        errors.append(required("addressType"))
    elif kind not in _ADDRESS_TYPES:
        errors.append(not_supported("addressType", kind, _ADDRESS_TYPES))
    errors += _validate_slice_ports(endpoint_slice.ports)
    if surplus := at_most(endpoint_slice.endpoints, _MOST_ENDPOINTS, "endpoints"):
        return errors + surplus
    for index, endpoint in enumerate(endpoint_slice.endpoints):
        errors += _validate_endpoint(endpoint, kind, f"endpoints[{index}]")
    return errors


def _validate_endpoint(endpoint: Endpoint, kind: str, path: str) -> list[FieldError]:
    errors = at_most(endpoint.addresses, _MOST_ADDRESSES, f"{path}.addresses")
    if not endpoint.addresses:
        errors.append(required(f"{path}.addresses", "must contain at least 1 address"))
    for number, address in enumerate(endpoint.addresses):
        errors += _validate_slice_address(address, kind, f"{path}.addresses", number)
    if (node := endpoint.node_name) is not None:
        errors += [invalid(f"{path}.nodeName", node, text) for text in dns1123_subdomain(node)]
    topology = endpoint.deprecated_topology
    errors += at_most(topology, _MOST_LABELS, f"{path}.deprecatedTopology")
    errors += validate_labels(topology, f"{path}.deprecatedTopology")
    if (host := endpoint.hostname) is not None:
        errors += [invalid(f"{path}.hostname", host, text) for text in dns1123_label(host)]
    return errors + (_validate_hints(endpoint.hints, f"{path}.hints") if endpoint.hints is not None else [])


def _validate_hints(hints: EndpointHints, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field, given, rule in (
        ("forZones", hints.for_zones, label_value),
        ("forNodes", hints.for_nodes, dns1123_subdomain),
    ):
        where, names = f"{path}.{field}", [hint.name for hint in given]
        if surplus := at_most(names, _MOST_HINTS, where):
            errors += surplus
            continue
        twins = no_twins(names, where, ".name")
        for index, name in enumerate(names):
            place = f"{where}[{index}].name"
            errors += [twin for twin in twins if twin.field == place]
            errors += [invalid(place, name, text) for text in rule(name)]
    return errors


def _validate_slice_address(address: str, kind: str, path: str, number: int) -> list[FieldError]:
    where = f"{path}[{number}]"
    if kind == "FQDN":
        return [invalid(where, address, text) for text in dns1123_subdomain(address)]
    problems = ip_address(address)
    if problems:
        return [invalid(where, address, text) for text in problems]
    version = ipaddress.ip_address(address).version
    if kind in ("IPv4", "IPv6") and f"IPv{version}" != kind:
        article = "an"
        return [invalid(path, address, f"must be {article} {kind} address")]
    return validate_outside_address(address, where)


def _validate_slice_ports(ports: list[EndpointPort]) -> list[FieldError]:
    errors = at_most(ports, _MOST_PORTS, "ports")
    if errors:
        return errors
    names: set[str] = set()
    for index, port in enumerate(ports):
        path = f"ports[{index}]"
        name = port.name or ""
        if name:
            errors += [invalid(f"{path}.name", name, text) for text in dns1123_label(name)]
        if name in names:
            errors.append(duplicate(f"{path}.name", name))
        names.add(name)
        if port.protocol is None:
            errors.append(required(f"{path}.protocol"))
        elif port.protocol not in _PROTOCOLS:
            errors.append(not_supported(f"{path}.protocol", port.protocol, _PROTOCOLS))
        if port.app_protocol is not None:
            texts = qualified_name(port.app_protocol)
            errors += [invalid(f"{path}.appProtocol", port.app_protocol, text) for text in texts]
    return errors


def validate_slice_update(new: EndpointSlice, old: EndpointSlice) -> list[FieldError]:
    return validate_slice(new) + immutable(new.address_type, old.address_type, "addressType")
