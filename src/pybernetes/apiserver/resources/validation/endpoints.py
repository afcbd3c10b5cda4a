"""Rules for Endpoints and EndpointSlices."""

from __future__ import annotations

import ipaddress

from pybernetes.api.ip_addresses import ip_address, is_ip_address
from pybernetes.api.names import dns1123_label, dns1123_subdomain, label_value, port_number, qualified_name
from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types.core_v1 import EndpointAddress, Endpoints
from pybernetes.api.types.discovery_v1 import Endpoint, EndpointHints, EndpointPort, EndpointSlice
from pybernetes.apiserver.resources.validation.lists import at_most, each, repeated
from pybernetes.apiserver.resources.validation.metadata import immutable, validate_labels
from pybernetes.apiserver.resources.validation.ports import PROTOCOLS
from pybernetes.apiserver.resources.validation.service import validate_outside_address
from pybernetes.apiserver.resources.validation.texts import (
    empty_or_obeys,
    none_or_obeys,
    obeys,
    one_of,
    required_one_of,
    required_text,
)

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
            errors += each(addresses, _validate_address, f"{path}.{name}")
        for number, port in enumerate(subset.ports):
            where = f"{path}.ports[{number}]"
            if port.name or len(subset.ports) > 1:
                errors += required_text(port.name, dns1123_label, f"{where}.name")
            errors += obeys(port.port, port_number, f"{where}.port")
            errors += one_of(port.protocol, PROTOCOLS, f"{where}.protocol")
            errors += none_or_obeys(port.app_protocol, qualified_name, f"{where}.appProtocol")
    return errors


def _validate_address(address: EndpointAddress, path: str) -> list[FieldError]:
    problems = ip_address(address.ip)
    errors = [invalid(f"{path}.ip", address.ip, text) for text in problems]
    errors += empty_or_obeys(address.hostname, dns1123_label, f"{path}.hostname")
    errors += none_or_obeys(address.node_name, dns1123_subdomain, f"{path}.nodeName")
    if not is_ip_address(address.ip):
        return [*errors, invalid(f"{path}.ip", address.ip, "must be a valid IP address")]
    return errors if problems else errors + validate_outside_address(address.ip, f"{path}.ip")


def validate_slice(endpoint_slice: EndpointSlice) -> list[FieldError]:
    errors: list[FieldError] = []
    kind = endpoint_slice.address_type
    errors += required_one_of(kind, _ADDRESS_TYPES, "addressType")
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
        errors += obeys(node, dns1123_subdomain, f"{path}.nodeName")
    topology = endpoint.deprecated_topology
    errors += at_most(topology, _MOST_LABELS, f"{path}.deprecatedTopology")
    errors += validate_labels(topology, f"{path}.deprecatedTopology")
    if (host := endpoint.hostname) is not None:
        errors += obeys(host, dns1123_label, f"{path}.hostname")
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
        again = repeated(names)
        for index, name in enumerate(names):
            place = f"{where}[{index}].name"
            if index in again:
                errors.append(duplicate(place, name))
            errors += obeys(name, rule, place)
    return errors


def _validate_slice_address(address: str, kind: str, path: str, number: int) -> list[FieldError]:
    where = f"{path}[{number}]"
    if kind == "FQDN":
        return obeys(address, dns1123_subdomain, where)
    problems = ip_address(address)
    if problems:
        return [invalid(where, address, text) for text in problems]
    version = ipaddress.ip_address(address).version
    if kind in ("IPv4", "IPv6") and f"IPv{version}" != kind:
        return [invalid(path, address, f"must be an {kind} address")]
    return validate_outside_address(address, where)


def _validate_slice_ports(ports: list[EndpointPort]) -> list[FieldError]:
    if surplus := at_most(ports, _MOST_PORTS, "ports"):
        return surplus
    errors: list[FieldError] = []
    again = repeated(port.name or "" for port in ports)
    for index, port in enumerate(ports):
        path = f"ports[{index}]"
        errors += empty_or_obeys(port.name, dns1123_label, f"{path}.name")
        if index in again:
            errors.append(duplicate(f"{path}.name", port.name or ""))
        if port.protocol is None:
            errors.append(required(f"{path}.protocol"))
        elif port.protocol not in PROTOCOLS:
            errors.append(not_supported(f"{path}.protocol", port.protocol, PROTOCOLS))
        errors += none_or_obeys(port.app_protocol, qualified_name, f"{path}.appProtocol")
    return errors


def validate_slice_update(new: EndpointSlice, old: EndpointSlice) -> list[FieldError]:
    return validate_slice(new) + immutable(new.address_type, old.address_type, "addressType")
