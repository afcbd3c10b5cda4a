"""The Service `kubernetes`, through which pods reach the API server, and the endpoints behind it.

The ClusterIP and the address and port that the server advertises go in; Service, Endpoints and EndpointSlice come out.
"""

from __future__ import annotations

import ipaddress

from pybernetes.api.objects import ApiObject
from pybernetes.api.types import discovery_v1
from pybernetes.api.types.core_v1 import (
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    Service,
    ServicePort,
    ServiceSpec,
)
from pybernetes.api.types.meta_v1 import ObjectMeta


def kubernetes_service(cluster_ip: str, advertise_address: str, port: int) -> list[ApiObject]:
    """The three objects, as the API server keeps them in `default`; no endpoints when nobody else could reach them."""
    ports = [ServicePort(name="https", protocol="TCP", port=443, target_port=port)]
    spec = ServiceSpec(
        type="ClusterIP",
        cluster_ip=cluster_ip,
        cluster_ips=[cluster_ip],
        ports=ports,
        session_affinity="None",
        ip_families=["IPv6" if ":" in cluster_ip else "IPv4"],
        ip_family_policy="SingleStack",
        internal_traffic_policy="Cluster",
    )
    service = Service(metadata=_meta({"component": "apiserver", "provider": "kubernetes"}), spec=spec)
    return [service, *_endpoints(advertise_address, port)]


def withdrawn(advertise_address: str, port: int) -> list[ApiObject]:
    """The endpoints without the server, for when it goes."""
    found = _endpoints(advertise_address, port)
    for obj in found:
        if isinstance(obj, Endpoints):
            obj.subsets = []
        elif isinstance(obj, discovery_v1.EndpointSlice):
            obj.endpoints = []
    return found


def _endpoints(advertise_address: str, port: int) -> list[ApiObject]:
    if ipaddress.ip_address(advertise_address).is_loopback:
        return []
    subset = EndpointSubset(
        addresses=[EndpointAddress(ip=advertise_address)],
        ports=[EndpointPort(name="https", port=port, protocol="TCP")],
    )
    endpoints = Endpoints(metadata=_meta({"endpointslice.kubernetes.io/skip-mirror": "true"}), subsets=[subset])
    endpoint = discovery_v1.Endpoint(
        addresses=[advertise_address], conditions=discovery_v1.EndpointConditions(ready=True)
    )
    endpoint_slice = discovery_v1.EndpointSlice(
        metadata=_meta({"kubernetes.io/service-name": "kubernetes"}),
        address_type="IPv6" if ":" in advertise_address else "IPv4",
        endpoints=[endpoint],
        ports=[discovery_v1.EndpointPort(name="https", protocol="TCP", port=port)],
    )
    return [endpoints, endpoint_slice]


def _meta(labels: dict[str, str]) -> ObjectMeta:
    return ObjectMeta(name="kubernetes", namespace="default", labels=labels)
