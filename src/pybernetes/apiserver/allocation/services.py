"""Gives Services their ClusterIP, node ports and health-check port.

A new Service, and the stored one on an update, come in from the write path before validation; the fields are filled in
place. What validation will refuse anyway is left alone here. Sets of what is taken are kept in memory and read from the
stored Services when first needed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network

from pybernetes.api.kinds import kind_of
from pybernetes.api.objects import ApiObject
from pybernetes.api.status import FieldError, internal_error, invalid, invalid_object
from pybernetes.api.types.core_v1 import Service, ServicePort, ServiceSpec
from pybernetes.apiserver.allocation.pool import Owner, Pool, PoolError
from pybernetes.apiserver.reader import Reader
from pybernetes.environment.chance import Chance

_HEADLESS = "None"
# The Service of the API server itself has the first address, whether it is stored already or not.
_KUBERNETES = Owner("default/kubernetes", "")


class ServiceAllocator:
    """The pools of a cluster: the ClusterIPs of `service_cidr` and the node ports of `node_port_range`."""

    def __init__(
        self, service_cidr: IPv4Network | IPv6Network, node_port_range: range, chance: Chance, reader: Reader
    ) -> None:
        self._network = service_cidr
        self._reader = reader
        self._chance = chance
        # Neither the network's own address nor the broadcast address.
        first, last = int(self._network[1]), int(self._network[-2])
        size = self._network.num_addresses
        self._addresses = Pool(first, last, first + min(max(16, size // 16), 256), self._shows_address)
        low, high = node_port_range[0], node_port_range[-1]
        self._ports = Pool(low, high, low + min(max(16, len(node_port_range) // 32), 128), self._shows_port)
        self._port_range = f"{low}-{high}"
        self._loaded = False

    def reserve(self, new: ApiObject, old: ApiObject | None) -> Callable[[], None]:
        """Fills in `new` and returns what undoes it; StatusError 422 when a wanted number cannot be had."""
        if not isinstance(new, Service):
            return _nothing
        self._load()
        before = old if isinstance(old, Service) else None
        if before is not None:
            self._settle(before)
        taking = _Taking(self, new, before)
        try:
            taking.fill()
        except BaseException:
            taking.undo()
            raise
        return taking.undo

    def release(self, obj: ApiObject) -> None:
        """Takes back what a deleted Service had."""
        if not isinstance(obj, Service):
            return
        uid = obj.metadata.uid or ""
        for address in cluster_addresses(obj.spec):
            self._addresses.give_back(int(ipaddress.ip_address(address)), uid)
        for port in node_ports(obj.spec):
            self._ports.give_back(port, uid)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for service in self._reader.list(Service):
            owner = _owner(service)
            for address in cluster_addresses(service.spec):
                self._addresses.adopt(int(ipaddress.ip_address(address)), owner)
            for port in node_ports(service.spec):
                self._ports.adopt(port, owner)
        self._addresses.adopt(self._addresses.low, _KUBERNETES)

    def _settle(self, stored: Service) -> None:
        for address in cluster_addresses(stored.spec):
            self._addresses.settle(int(ipaddress.ip_address(address)))
        for port in node_ports(stored.spec):
            self._ports.settle(port)

    def _stored(self, owner: Owner) -> Service | None:
        namespace, _, name = owner.key.partition("/")
        return self._reader.get(Service, name, namespace)

    def _shows_address(self, owner: Owner, number: int) -> bool:
        stored = self._stored(owner)
        if stored is None:
            return owner == _KUBERNETES
        return any(int(ipaddress.ip_address(address)) == number for address in cluster_addresses(stored.spec))

    def _shows_port(self, owner: Owner, number: int) -> bool:
        stored = self._stored(owner)
        return stored is not None and number in node_ports(stored.spec)

    def take_address(self, address: str, owner: Owner) -> int:
        """Gives out one address; PoolError in upstream's words."""
        parsed = ipaddress.ip_address(address)
        number = int(parsed)
        if parsed.version != self._network.version or not self._addresses.low <= number <= self._addresses.high:
            detail = f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {self._network}"
            raise PoolError(f"failed to allocate IP {address}: {detail}")
        if owner.key == _KUBERNETES.key:
            self._addresses.give_back(number, _KUBERNETES.uid)
        try:
            self._addresses.take(number, owner)
        except PoolError as error:
            raise PoolError(f"failed to allocate IP {address}: provided IP is already allocated") from error
        return number

    def draw_address(self, owner: Owner) -> str:
        """Any free address."""
        return str(ipaddress.ip_address(self._addresses.draw(owner, self._chance)))

    def take_port(self, port: int, owner: Owner) -> None:
        """Gives out one node port; PoolError in upstream's words."""
        if not self._ports.low <= port <= self._ports.high:
            raise PoolError(f"provided port is not in the valid range. The range of valid ports is {self._port_range}")
        try:
            self._ports.take(port, owner)
        except PoolError as error:
            raise PoolError("provided port is already allocated") from error

    def draw_port(self, owner: Owner) -> int:
        """Any free node port."""
        return self._ports.draw(owner, self._chance)

    def give_back(self, addresses: list[int], ports: list[int], uid: str) -> None:
        """Undoes what was given out for a write that failed."""
        for address in addresses:
            self._addresses.give_back(address, uid)
        for port in ports:
            self._ports.give_back(port, uid)


class _Taking:
    """One reservation: fills a Service and remembers what it has newly taken."""

    def __init__(self, pools: ServiceAllocator, service: Service, old: Service | None) -> None:
        self._pools = pools
        self._service = service
        self._spec = service.spec
        self._owner = _owner(service)
        self._held = set(cluster_addresses(old.spec)) if old else set()
        self._held_ports = node_ports(old.spec) if old else set()
        self._addresses: list[int] = []
        self._ports: list[int] = []

    def undo(self) -> None:
        self._pools.give_back(self._addresses, self._ports, self._owner.uid)

    def fill(self) -> None:
        if self._spec.type == "ExternalName":
            return
        self._fill_families()
        self._fill_address()
        if wants_node_ports(self._spec):
            self._fill_ports()
        if wants_health_check(self._spec):
            self._fill_health_check()

    def _refuse(self, *errors: FieldError) -> None:
        raise invalid_object(kind_of(Service), self._service.metadata.name or "", errors)

    def _fill_families(self) -> None:
        """A cluster has one family; only a headless Service without selector may speak of both."""
        spec = self._spec
        if _is_headless(spec) and not spec.selector:
            spec.ip_family_policy = spec.ip_family_policy or ("SingleStack" if spec.ip_families else "RequireDualStack")
            both = ["IPv4", "IPv6"] if spec.ip_family_policy != "SingleStack" else ["IPv4"]
            spec.ip_families = spec.ip_families or both
            return
        errors = []
        if spec.ip_family_policy == "RequireDualStack":
            detail = "this cluster is not configured for dual-stack services"
            errors.append(invalid("spec.ipFamilyPolicy", "RequireDualStack", detail))
        for position, family in enumerate(spec.ip_families):
            if family == "IPv6" and not cluster_addresses(spec) & self._held:
                errors.append(invalid(f"spec.ipFamilies[{position}]", family, "not configured on this cluster"))
        if errors:
            self._refuse(*errors)
        spec.ip_family_policy = spec.ip_family_policy or "SingleStack"
        spec.ip_families = spec.ip_families or ["IPv4"]

    def _fill_address(self) -> None:
        spec = self._spec
        wanted = spec.cluster_ips or ([spec.cluster_ip] if spec.cluster_ip else [])
        if wanted and spec.cluster_ip and wanted[0] != spec.cluster_ip:
            return
        if not wanted:
            try:
                drawn = self._pools.draw_address(self._owner)
            except PoolError as error:
                raise internal_error(f"failed to allocate a serviceIP: {error}") from error
            self._addresses.append(int(ipaddress.ip_address(drawn)))
            spec.cluster_ip, spec.cluster_ips = drawn, [drawn]
            return
        spec.cluster_ip, spec.cluster_ips = wanted[0], list(wanted)
        for address in wanted:
            if address != _HEADLESS and address not in self._held and _is_address(address):
                try:
                    self._addresses.append(self._pools.take_address(address, self._owner))
                except PoolError as error:
                    self._refuse(invalid("spec.clusterIPs", wanted, str(error)))

    def _fill_ports(self) -> None:
        own: dict[int, set[str]] = {}
        for position, port in enumerate(self._spec.ports):
            if port.node_port:
                self._take_port(position, port, own)
        # Only then the others, so that chance does not draw what the Service asks for itself.
        for port in self._spec.ports:
            if not port.node_port:
                self._draw_port(port, own)

    def _take_port(self, position: int, port: ServicePort, own: dict[int, set[str]]) -> None:
        number, protocol = port.node_port or 0, port.protocol or "TCP"
        path = f"spec.ports[{position}].nodePort"
        if protocol in own.get(number, ()):
            self._refuse(invalid(path, number, "provided port is already allocated"))
        if number not in own and number not in self._held_ports:
            try:
                self._pools.take_port(number, self._owner)
            except PoolError as error:
                self._refuse(invalid(path, number, str(error)))
            self._ports.append(number)
        own.setdefault(number, set()).add(protocol)

    def _draw_port(self, port: ServicePort, own: dict[int, set[str]]) -> None:
        """The same port of another protocol shares its node port, as DNS over TCP and UDP does."""
        protocol = port.protocol or "TCP"
        for other in self._spec.ports:
            if other.node_port and other.port == port.port and protocol not in own.get(other.node_port, ()):
                port.node_port = other.node_port
                own[other.node_port].add(protocol)
                return
        try:
            port.node_port = self._pools.draw_port(self._owner)
        except PoolError as error:
            raise internal_error(f"failed to allocate a nodePort: {error}") from error
        self._ports.append(port.node_port)
        own[port.node_port] = {protocol}

    def _fill_health_check(self) -> None:
        spec = self._spec
        wanted = spec.health_check_node_port
        if wanted and (wanted in self._held_ports or wanted in self._ports):
            return
        try:
            if wanted:
                self._pools.take_port(wanted, self._owner)
            else:
                spec.health_check_node_port = self._pools.draw_port(self._owner)
        except PoolError as error:
            what = f"requested HealthCheck NodePort {wanted}" if wanted else "a HealthCheck NodePort"
            raise internal_error(f"failed to allocate {what}: {error}") from error
        self._ports.append(spec.health_check_node_port or 0)


def _nothing() -> None:
    return None


def _owner(service: Service) -> Owner:
    meta = service.metadata
    return Owner(f"{meta.namespace or ''}/{meta.name or ''}", meta.uid or "")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_headless(spec: ServiceSpec) -> bool:
    return spec.cluster_ip == _HEADLESS or spec.cluster_ips[:1] == [_HEADLESS]


def cluster_addresses(spec: ServiceSpec) -> set[str]:
    """The ClusterIPs that a Service has; none for headless ones and for ExternalName."""
    if spec.type == "ExternalName":
        return set()
    listed = spec.cluster_ips or ([spec.cluster_ip] if spec.cluster_ip else [])
    return {address for address in listed if address != _HEADLESS and _is_address(address)}


def node_ports(spec: ServiceSpec) -> set[int]:
    """The node ports that a Service has, its health-check port included."""
    found = {port.node_port for port in spec.ports if port.node_port}
    return found | ({spec.health_check_node_port} if spec.health_check_node_port else set())


def wants_node_ports(spec: ServiceSpec) -> bool:
    """Whether every port of a Service gets a node port."""
    return spec.type == "NodePort" or (
        spec.type == "LoadBalancer" and spec.allocate_load_balancer_node_ports is not False
    )


def wants_health_check(spec: ServiceSpec) -> bool:
    """Whether load balancers ask a node by a port of its own if it has endpoints of this Service."""
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"
