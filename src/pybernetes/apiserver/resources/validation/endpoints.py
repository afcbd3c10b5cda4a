"""Rules for Endpoints, EndpointSlices and Events."""

from __future__ import annotations

import ipaddress
from typing import Any

from pybernetes.api.names import dns1123_label, dns1123_subdomain, ip_address, port_number, qualified_name
from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types import core_v1, events_v1
from pybernetes.api.types.core_v1 import EndpointAddress, Endpoints, ObjectReference
from pybernetes.api.types.discovery_v1 import EndpointPort, EndpointSlice
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.service import validate_outside_address

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_NO_NAMESPACE = "does not match event.namespace"


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
    return errors


def _validate_address(address: EndpointAddress, path: str) -> list[FieldError]:
    problems = ip_address(address.ip)
    errors = [invalid(f"{path}.ip", address.ip, text) for text in problems]
    if address.hostname:
        errors += [invalid(f"{path}.hostname", address.hostname, text) for text in dns1123_label(address.hostname)]
    if address.node_name:
        errors += [invalid(f"{path}.nodeName", address.node_name, t) for t in dns1123_subdomain(address.node_name)]
    return errors if problems else errors + validate_outside_address(address.ip, f"{path}.ip")


def validate_slice(endpoint_slice: EndpointSlice) -> list[FieldError]:
    errors: list[FieldError] = []
    kind = endpoint_slice.address_type
    if not kind:
        errors.append(required("addressType"))
    elif kind not in _ADDRESS_TYPES:
        errors.append(not_supported("addressType", kind, _ADDRESS_TYPES))
    errors += _validate_slice_ports(endpoint_slice.ports)
    for index, endpoint in enumerate(endpoint_slice.endpoints):
        path = f"endpoints[{index}]"
        if not endpoint.addresses:
            errors.append(required(f"{path}.addresses", "must contain at least 1 address"))
        for number, address in enumerate(endpoint.addresses):
            errors += _validate_slice_address(address, kind, f"{path}.addresses", number)
        for name, value in (("nodeName", endpoint.node_name),):
            errors += [invalid(f"{path}.{name}", value, text) for text in dns1123_subdomain(value or "a")]
        if endpoint.hostname is not None:
            texts = dns1123_label(endpoint.hostname)
            errors += [invalid(f"{path}.hostname", endpoint.hostname, text) for text in texts]
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
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        path = f"ports[{index}]"
        name = port.name or ""
        if name:
            errors += [invalid(f"{path}.name", name, text) for text in dns1123_label(name)]
        if name in names:
            errors.append(duplicate(f"{path}.name", name))
        names.add(name)
        if port.protocol not in _PROTOCOLS:
            errors.append(not_supported(f"{path}.protocol", port.protocol, _PROTOCOLS))
        if port.app_protocol is not None:
            texts = qualified_name(port.app_protocol)
            errors += [invalid(f"{path}.appProtocol", port.app_protocol, text) for text in texts]
    return errors


def validate_slice_update(new: EndpointSlice, old: EndpointSlice) -> list[FieldError]:
    return validate_slice(new) + immutable(new.address_type, old.address_type, "addressType")


def _validate_namespace(event: Any, regarding: ObjectReference, path: str) -> list[FieldError]:
    """Events lie beside what they are about; those about cluster-wide objects in `default`."""
    namespace = event.metadata.namespace or ""
    given = regarding.namespace or ""
    if given == namespace or (not given and namespace in ("default", "kube-system")):
        return []
    return [invalid(f"{path}.namespace", given, _NO_NAMESPACE)]


def validate_core_event(event: core_v1.Event) -> list[FieldError]:
    errors = _validate_namespace(event, event.involved_object, "involvedObject")
    if event.event_time is None:
        return errors
    controller = event.reporting_component or ""
    if not controller:
        errors.append(required("reportingComponent"))
    errors += [invalid("reportingComponent", controller, text) for text in qualified_name(controller)]
    for name, value in (
        ("reportingInstance", event.reporting_instance),
        ("action", event.action),
        ("reason", event.reason),
    ):
        if not value:
            errors.append(required(name))
    return errors


def validate_event(event: events_v1.Event) -> list[FieldError]:
    errors = _validate_namespace(event, event.regarding, "regarding")
    if not event.event_time:
        errors.append(required("eventTime"))
    controller = event.reporting_controller or ""
    if not controller:
        errors.append(required("reportingController"))
    errors += [invalid("reportingController", controller, text) for text in qualified_name(controller)]
    for name, value in (
        ("reportingInstance", event.reporting_instance),
        ("action", event.action),
        ("reason", event.reason),
    ):
        if not value:
            errors.append(required(name))
    if event.type not in ("Normal", "Warning"):
        errors.append(invalid("type", event.type or "", "has invalid value: "))
    return errors
