"""What is wrong between Services and what they were given, and what is to be done about it: upstream's repair. Pure.

A Service with its addresses, or an IPAddress, comes in with what is stored of the other side; findings come out, each
an event to tell and an act to carry out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.networking_v1 import IPAddress
from pybernetes.apiserver.allocation.addresses import ALLOCATOR, FAMILY, MANAGED_BY, refers_to
from pybernetes.apiserver.allocation.ranges import AddressRange, family_of
from pybernetes.apiserver.allocation.service_fields import cluster_addresses, node_ports

Act = Literal["create", "recreate", "remove", ""]
FindService = Callable[[str, str], Service | None]
# A Service may still be on its way into the store for so long after its address was made.
GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """An event about an object (an empty reason tells nothing), and what to do with the IPAddress of that name."""

    reason: str
    action: str
    message: str
    act: Act = ""
    address: str = ""


def check_addresses(
    service: Service,
    ranges: Collection[AddressRange],
    find: Callable[[str], IPAddress | None],
    find_service: FindService,
) -> list[Finding]:
    """What is wrong with the addresses of a Service."""
    findings = []
    for text in sorted(cluster_addresses(service.spec)):
        address = ipaddress.ip_address(text)
        shown = f"[{family_of(address)}]: {address}"
        if not any(address in found for found in ranges):
            message = f"Cluster IP {shown} is not within any configured Service CIDR; please recreate service"
            findings.append(Finding("ClusterIPOutOfRange", "ClusterIPAllocation", message))
        elif (stored := find(str(address))) is None:
            message = f"Cluster IP {shown} is not allocated; repairing"
            findings.append(Finding("ClusterIPNotAllocated", "ClusterIPAllocation", message, "create", str(address)))
        elif finding := _check_reference(service, stored, find_service):
            findings.append(finding)
    return findings


def _check_reference(service: Service, stored: IPAddress, find_service: FindService) -> Finding | None:
    address, meta = stored.metadata.name or "", service.metadata
    family = family_of(ipaddress.ip_address(address))
    if not refers_to(stored, service):
        parent = stored.spec.parent_ref
        is_service = parent is not None and not parent.group and parent.resource == "services"
        other = find_service(parent.name, parent.namespace or "") if parent is not None and is_service else None
        if other is None:
            message = (
                f"the ClusterIP [{family}]: {address} for Service {meta.namespace}/{meta.name} has a wrong reference; "
                "repairing"
            )
            return Finding("ClusterIPNotAllocated", "ClusterIPAllocation", message, "recreate", address)
        if address in other.spec.cluster_ips:
            message = f"Cluster IP [{family}]:{address} was assigned to multiple services; please recreate service"
            return Finding("ClusterIPAlreadyAllocated", "ClusterIPAllocation", message)
    labels = stored.metadata.labels
    if labels.get(FAMILY) != family or labels.get(MANAGED_BY) != ALLOCATOR:
        return Finding("", "", "", "recreate", address)
    return None


def check_owner(stored: IPAddress, find_service: FindService, age: float) -> Finding | None:
    """What is wrong with an address that the allocator made; `age` in seconds."""
    if stored.metadata.labels.get(MANAGED_BY) != ALLOCATOR:
        return None
    name, parent = stored.metadata.name or "", stored.spec.parent_ref
    action = "IPAddressAllocation"
    if parent is None or parent.group or parent.resource != "services":
        message = f"IPAddress {name} appears to have been modified, not referencing a Service: cleaning up"
        return Finding("IPAddressNotAllocated", action, message, "remove", name)
    where = f"IPAddress: {name} for Service {parent.namespace}/{parent.name}"
    service = find_service(parent.name, parent.namespace or "")
    if service is None:
        if age <= GRACE_SECONDS:
            return None
        message = f"{where} appears to have leaked: cleaning up"
        return Finding("IPAddressNotAllocated", action, message, "remove", name)
    # An update that adds an address has it before the Service shows it.
    if name in service.spec.cluster_ips or age <= GRACE_SECONDS:
        return None
    message = f"{where} has a wrong reference; cleaning up"
    return Finding("IPAddressWrongReference", action, message, "remove", name)


def check_ports(services: Iterable[Service], low: int, high: int) -> list[tuple[Service, Finding]]:
    """What is wrong with node ports of all Services, taken together."""
    findings = []
    owners: dict[int, Service] = {}
    for service in services:
        for port in sorted(node_ports(service.spec)):
            if not low <= port <= high:
                message = f"Port {port} is not within the port range {low}-{high}; please recreate service"
                findings.append((service, Finding("PortOutOfRange", "", message)))
            elif owners.setdefault(port, service) is not service:
                message = f"Port {port} was assigned to multiple services; please recreate service"
                findings.append((service, Finding("PortAlreadyAllocated", "", message)))
    return findings
