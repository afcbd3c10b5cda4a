"""What cluster DNS knows: Services, the endpoints behind them and namespaces, indexed as questions need them.

API objects flow in (`zone` follows them), look-ups by lower-case name or address flow out to `answer`. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pybernetes.api.types.core_v1 import Service
from pybernetes.api.types.discovery_v1 import Endpoint, EndpointSlice

SERVICE_NAME = "kubernetes.io/service-name"
Key = tuple[str, str]  # namespace, name


@dataclass(frozen=True)
class Port:
    """A port's lower-case name and protocol, and its number; None where an endpoint has no port at all."""

    name: str
    protocol: str
    number: int | None


@dataclass(frozen=True)
class ServiceEntry:
    """A Service. A headless one has no addresses; `external_name` is that of type ExternalName."""

    namespace: str
    name: str
    addresses: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    external_name: str = ""


@dataclass(frozen=True)
class EndpointEntry:
    """A ready address behind a Service. `label` is its host name, or its address with dashes when it has none."""

    address: str
    label: str
    named: bool
    ports: tuple[Port, ...]


_NO_PORT = (Port("", "", None),)


def service_entry(service: Service) -> ServiceEntry:
    spec, metadata = service.spec, service.metadata
    addresses = spec.cluster_ips or [spec.cluster_ip or ""]
    external = spec.type == "ExternalName"
    return ServiceEntry(
        namespace=metadata.namespace or "",
        name=metadata.name or "",
        addresses=() if external else tuple(item for item in addresses if item and item != "None"),
        ports=tuple(
            Port((port.name or "").lower(), (port.protocol or "TCP").lower(), port.port) for port in spec.ports
        ),
        external_name=spec.external_name or "" if external else "",
    )


def endpoint_entries(item: EndpointSlice) -> tuple[EndpointEntry, ...]:
    """The addresses of a slice that clients may be told; those not ready count if the Service publishes them."""
    ports = tuple(Port((port.name or "").lower(), (port.protocol or "TCP").lower(), port.port) for port in item.ports)
    # The slice's writer says ready for a Service that publishes addresses which are not.
    ready = (endpoint for endpoint in item.endpoints if endpoint.conditions.ready is not False)
    return tuple(_entry(endpoint, address, ports or _NO_PORT) for endpoint in ready for address in endpoint.addresses)


def _entry(endpoint: Endpoint, address: str, ports: tuple[Port, ...]) -> EndpointEntry:
    label = endpoint.hostname or address.replace(".", "-").replace(":", "-")
    return EndpointEntry(address, label.lower(), bool(endpoint.hostname), ports)


class ZoneData:
    """Everything that answers are made of. `version` grows with each change."""

    def __init__(self, domain: str = "cluster.local") -> None:
        self.domain = domain.strip(".").lower()
        self.version = 0
        self._services: dict[Key, ServiceEntry] = {}
        self._slices: dict[Key, dict[str, tuple[EndpointEntry, ...]]] = {}
        self._namespaces: set[str] = set()
        self._by_address: dict[str, Key] = {}
        self._named: dict[str, dict[Key, str]] = {}

    def service(self, namespace: str, name: str) -> ServiceEntry | None:
        return self._services.get((namespace, name))

    def endpoints(self, namespace: str, name: str) -> Sequence[EndpointEntry]:
        """The endpoints of a Service, each address once."""
        slices = self._slices.get((namespace, name), {})
        return list(dict.fromkeys(entry for entries in slices.values() for entry in entries))

    def has_namespace(self, namespace: str) -> bool:
        return namespace in self._namespaces

    def service_at(self, address: str) -> ServiceEntry | None:
        """The Service with this address."""
        key = self._by_address.get(address)
        return self._services.get(key) if key is not None else None

    def endpoints_at(self, address: str) -> Iterable[tuple[Key, str]]:
        """(Service, host name) of the endpoints with this address that have a host name of their own."""
        return tuple(self._named.get(address, {}).items())

    def put_service(self, entry: ServiceEntry) -> None:
        self.remove_service(entry.namespace, entry.name)
        self._services[entry.namespace, entry.name] = entry
        for address in entry.addresses:
            self._by_address[address] = (entry.namespace, entry.name)

    def remove_service(self, namespace: str, name: str) -> None:
        self.version += 1
        old = self._services.pop((namespace, name), None)
        for address in old.addresses if old is not None else ():
            if self._by_address.get(address) == (namespace, name):
                del self._by_address[address]

    def put_slice(self, service: Key, name: str, entries: tuple[EndpointEntry, ...]) -> None:
        """Replaces what a slice says of a Service; no entries remove it."""
        self.version += 1
        slices = self._slices.setdefault(service, {})
        for entry in slices.pop(name, ()):
            self._named.get(entry.address, {}).pop(service, None)
            if not self._named.get(entry.address, True):
                del self._named[entry.address]
        if entries:
            slices[name] = entries
        for entry in entries:
            if entry.named:
                self._named.setdefault(entry.address, {})[service] = entry.label
        if not slices:
            del self._slices[service]

    def put_namespace(self, name: str) -> None:
        self.version += 1
        self._namespaces.add(name)

    def remove_namespace(self, name: str) -> None:
        self.version += 1
        self._namespaces.discard(name)
