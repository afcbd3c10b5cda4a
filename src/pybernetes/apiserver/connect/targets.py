"""Which container, kubelet or address a request means: objects go in, a place or a `StatusError` comes out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from pybernetes.api.status import StatusError, bad_request, failure
from pybernetes.api.types.core_v1 import Node, ObjectReference, Pod, Service
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.api.whole_number import whole_number
from pybernetes.apiserver.connect.node_connection import Backend

_KUBELET_PORT = 10250
_ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")
SERVICE_NAME = "kubernetes.io/service-name"


def chosen_container(pod: Pod, name: str) -> str:
    """The container that is meant; with no name the only one there is."""
    spec, pod_name = pod.spec, pod.metadata.name
    names = [each.name for each in (*spec.init_containers, *spec.containers)]
    names += [each.name for each in spec.ephemeral_containers]
    if name:
        if name not in names:
            raise bad_request(f"container {name} is not valid for pod {pod_name}")
        return name
    if len(spec.containers) == 1:
        return spec.containers[0].name
    if not spec.containers:
        raise bad_request(f"a container name must be specified for pod {pod_name}")
    raise bad_request(f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]")


def kubelet_of(node: Node | None, name: str) -> Backend:
    """Where a node's kubelet listens."""
    if node is None:
        raise failure(404, "NotFound", f'nodes "{name}" not found')
    for wanted in _ADDRESS_TYPES:
        for address in node.status.addresses:
            if address.type == wanted and address.address:
                port = node.status.daemon_endpoints.kubelet_endpoint.port or _KUBELET_PORT
                return Backend("https", address.address, port, node=name)
    raise failure(500, "", f'no preferred addresses found; known addresses: [] of node "{name}"')


@dataclass(frozen=True, slots=True)
class ProxyName:
    """`[scheme:]name[:port]` as the name of a proxied object is written."""

    scheme: str
    name: str
    port: str


def proxy_name(text: str, noun: str) -> ProxyName:
    """The parts of a proxied name of a `noun`; 400 when it has other parts."""
    parts = text.split(":")
    if len(parts) == 1 and parts[0]:
        return ProxyName("", parts[0], "")
    if len(parts) == 2 and parts[0]:
        return ProxyName("", parts[0], parts[1])
    if len(parts) == 3 and parts[0] in ("", "http", "https") and parts[1]:
        return ProxyName(parts[0], parts[1], parts[2])
    raise bad_request(f'invalid {noun} request "{text}"')


def pod_backend(pod: Pod, asked: ProxyName) -> Backend:
    """A port of a pod; the first that its containers declare when none is named."""
    declared = (port.container_port for each in pod.spec.containers for port in each.ports)
    port = asked.port or str(next(declared, ""))
    address = pod.status.pod_ip or ""
    require_proxyable(address)
    scheme = asked.scheme or "http"
    return Backend(scheme, address, _port(port) if port else {"http": 80, "https": 443}[scheme])


def require_proxyable(address: str) -> None:
    """No way through the API server to its own machine."""
    if not _is_proxyable(address):
        raise bad_request("address not allowed")


def _is_proxyable(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    broadcast = ip == IPv4Address(0xFFFFFFFF)
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or broadcast)


def _port(text: str) -> int:
    number = whole_number(text)
    if number is None or not 0 < number < 65536:
        raise bad_request(f"invalid port {text}")
    return number


def service_backends(
    service: Service, slices: Iterable[EndpointSlice], asked: ProxyName, pod_of: Callable[[str], Pod | None]
) -> list[Backend]:
    """Every ready address behind a port of a service; 503 when there is none.

    Whoever writes slices must not choose where the API server connects to: only addresses of the service's own
    namespace's pods count. `pod_of` finds a pod of that namespace.
    """
    name = service.metadata.name or ""
    wanted = asked.port
    if wanted.isdecimal():
        named = [port.name or "" for port in service.spec.ports if str(port.port) == wanted]
        if not named:
            raise _unavailable(f'no service port {wanted} found for service "{name}"')
        wanted = named[0]
    scheme = asked.scheme or "http"
    found = [
        Backend(scheme, address, port.port)
        for each in slices
        if each.address_type != "FQDN"
        for port in each.ports
        if (port.name or "") == wanted and port.port
        for endpoint in each.endpoints
        if endpoint.conditions.ready is not False
        for address in endpoint.addresses[:1]
        if _is_address_of_pod(address, endpoint.target_ref, service.metadata.namespace, pod_of)
    ]
    if not found:
        raise _unavailable(f'no endpoints available for service "{asked.name}"')
    return found


def _is_address_of_pod(
    address: str, target: ObjectReference | None, namespace: str | None, pod_of: Callable[[str], Pod | None]
) -> bool:
    if target is None or not target.name or (target.namespace or "") != (namespace or ""):
        return False
    pod = pod_of(target.name)
    if pod is None or not _is_proxyable(address):
        return False
    return address in {pod.status.pod_ip, *(each.ip for each in pod.status.pod_ips)}


def _unavailable(message: str) -> StatusError:
    return failure(503, "ServiceUnavailable", message)
