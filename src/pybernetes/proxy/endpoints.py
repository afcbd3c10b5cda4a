"""Which endpoints a Service's port has, and which of them this node sends connections to.

EndpointSlices flow in; `rules` and `userspace` get tuples sorted by address, so that equal facts give equal rules.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pybernetes.api.types.discovery_v1 import Endpoint as ApiEndpoint
from pybernetes.api.types.discovery_v1 import EndpointSlice
from pybernetes.proxy.services import PortName, ProxiedPort

SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True, order=True)
class Endpoint:
    """One address and port behind a Service."""

    ip: str
    port: int
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    local: bool = False
    node_hints: frozenset[str] = frozenset()
    zone_hints: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


@dataclass(frozen=True)
class Choice:
    """Where connections may go. `anywhere`: some node has an endpoint, so that traffic is not to be rejected."""

    cluster: tuple[Endpoint, ...] = ()
    local: tuple[Endpoint, ...] = ()
    anywhere: bool = False

    @property
    def reachable(self) -> tuple[Endpoint, ...]:
        """Every endpoint that needs a chain on this node."""
        return tuple(sorted({*self.cluster, *self.local}))


def service_of(item: EndpointSlice) -> tuple[str, str]:
    """(namespace, name) of the Service that a slice belongs to."""
    return item.metadata.namespace or "", item.metadata.labels.get(SERVICE_NAME, "")


def endpoints_of(slices: Iterable[EndpointSlice], node_name: str) -> Mapping[PortName, tuple[Endpoint, ...]]:
    """The endpoints of each port that the slices name; an address that two slices list counts once."""
    found: dict[PortName, dict[tuple[str, int], Endpoint]] = {}
    for item in slices:
        namespace, service = service_of(item)
        if item.address_type != "IPv4":
            continue
        for port in item.ports:
            name = PortName(namespace, service, port.name or "", (port.protocol or "TCP").lower())
            listed = found.setdefault(name, {})
            for endpoint in item.endpoints:
                if not endpoint.addresses or not port.port:
                    continue
                made = _endpoint(endpoint, port.port, node_name)
                known = listed.get((made.ip, made.port))
                # While an address moves between slices, the one that says ready is the newer truth.
                if known is None or made.ready:
                    listed[made.ip, made.port] = made
    return {name: tuple(sorted(listed.values(), key=str)) for name, listed in found.items()}


def _endpoint(endpoint: ApiEndpoint, port: int, node_name: str) -> Endpoint:
    conditions, hints = endpoint.conditions, endpoint.hints
    ready = conditions.ready is not False
    return Endpoint(
        ip=endpoint.addresses[0],
        port=port,
        ready=ready,
        serving=ready if conditions.serving is None else conditions.serving,
        terminating=bool(conditions.terminating),
        local=bool(node_name) and endpoint.node_name == node_name,
        node_hints=frozenset(hint.name for hint in hints.for_nodes) if hints else frozenset(),
        zone_hints=frozenset(hint.name for hint in hints.for_zones) if hints else frozenset(),
    )


def choose(port: ProxiedPort, endpoints: Sequence[Endpoint], node_name: str, zone: str) -> Choice:
    """Ready endpoints by the port's policies; those that terminate but still serve when there is no ready one."""
    cluster: tuple[Endpoint, ...] = ()
    if port.uses_cluster_endpoints:
        ready = tuple(item for item in endpoints if item.ready)
        cluster = _near(ready, node_name, zone) or _draining(endpoints)
    if not port.uses_local_endpoints:
        return Choice(cluster, (), bool(cluster))
    anywhere = any(item.ready or (item.serving and item.terminating) for item in endpoints)
    here = [item for item in endpoints if item.local]
    return Choice(cluster, tuple(item for item in here if item.ready) or _draining(here), anywhere)


def _draining(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(item for item in endpoints if item.serving and item.terminating)


def _near(ready: tuple[Endpoint, ...], node_name: str, zone: str) -> tuple[Endpoint, ...]:
    """Topology hints count only when every ready endpoint has them and one is meant for this node or zone."""
    if ready and all(item.node_hints for item in ready):
        near = tuple(item for item in ready if node_name in item.node_hints)
        if near:
            return near
    if ready and all(item.zone_hints for item in ready):
        return tuple(item for item in ready if zone in item.zone_hints) or ready
    return ready
