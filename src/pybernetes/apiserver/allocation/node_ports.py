"""The node ports of Services: each given out once, from a pool in memory that is read from the stored Services.

A write of a Service comes in; its ports without a node port, and its health-check port, are filled in. A dry run takes
nothing and shows ports that nobody could have, as upstream's does.
"""

from __future__ import annotations

from pybernetes.api.kinds import kind_of
from pybernetes.api.status import failure, internal_error, invalid, invalid_object
from pybernetes.api.types.core_v1 import Service, ServiceSpec
from pybernetes.apiserver.allocation.pool import Owner, Pool, PoolError
from pybernetes.apiserver.allocation.ranges import static_size
from pybernetes.apiserver.allocation.service_fields import (
    may_have_node_ports,
    node_ports,
    wants_health_check,
    wants_node_ports,
)
from pybernetes.apiserver.reader import Reader
from pybernetes.environment.chance import Chance

_STATIC_STEP, _STATIC_MAX = 32, 128
# The port before the first one that a dry run shows.
_DRY_RUN_BASE = 32768


class NodePorts:
    """The node ports of a cluster, from `port_range`."""

    def __init__(self, port_range: range, chance: Chance, reader: Reader) -> None:
        self._reader = reader
        self._chance = chance
        low, high = port_range[0], port_range[-1]
        self._pool = Pool(low, high, low + static_size(len(port_range), _STATIC_STEP, _STATIC_MAX), self._shows)
        self.low, self.high = low, high
        self._loaded = False

    def __contains__(self, port: int) -> bool:
        """Whether a port lies in the range."""
        return self.low <= port <= self.high

    def taking(self, service: Service, old: Service | None, dry_run: bool) -> PortTaking:
        """What one write of a Service takes; nothing before `fill`."""
        if not self._loaded and may_have_node_ports(service.spec):
            self._load()
        if old is not None:
            for port in node_ports(old.spec):
                self._pool.settle(port)
        return PortTaking(self, service, old, dry_run)

    def _load(self) -> None:
        self._loaded = True
        for service in self._reader.list(Service):
            for port in node_ports(service.spec):
                self._pool.adopt(port, _owner(service))

    def _shows(self, owner: Owner, number: int) -> bool:
        namespace, _, name = owner.key.partition("/")
        stored = self._reader.get(Service, name, namespace)
        return stored is not None and number in node_ports(stored.spec)

    def take(self, port: int, service: Service) -> None:
        """Gives out one node port; PoolError in upstream's words."""
        if port not in self:
            valid = f"The range of valid ports is {self.low}-{self.high}"
            raise PoolError(f"provided port is not in the valid range. {valid}")
        self._pool.take(port, _owner(service))

    def is_taken(self, port: int) -> bool:
        return self._pool.is_taken(port)

    def draw(self, service: Service) -> int:
        """Gives out any free node port; PoolError when there is none."""
        return self._pool.draw(_owner(service), self._chance)

    def give_back(self, port: int, service: Service) -> None:
        """Takes a port back, unless it is another's by now."""
        self._pool.give_back(port, service.metadata.uid or "")

    def sweep(self) -> None:
        """Frees what was given out for writes that never came; called once in a while."""
        self._pool.sweep()

    def release(self, service: Service) -> None:
        """Takes back what a deleted Service had."""
        for port in node_ports(service.spec):
            self.give_back(port, service)


class PortTaking:
    """The node ports of one write of a Service."""

    def __init__(self, ports: NodePorts, service: Service, old: Service | None, dry_run: bool) -> None:
        self._ports = ports
        self._service = service
        self._spec = service.spec
        self._old = old.spec if old is not None else None
        self._dry_run = dry_run
        self._taken: list[int] = []

    def fill(self) -> None:
        """Fills in the Service; StatusError 422 when a port that it asks for cannot be had."""
        if may_have_node_ports(self._spec):
            # Only then the others, so that chance does not draw what the Service asks for itself.
            if self._old is None:
                self._draw_others(self._take_new())
            else:
                self._take_more(self._old)
                self._draw_others(None)
        if wants_health_check(self._spec) and not (self._old is not None and wants_health_check(self._old)):
            self._fill_health_check()

    def revert(self) -> None:
        """Gives back what was taken for a write that failed."""
        if not self._dry_run:
            for port in self._taken:
                self._ports.give_back(port, self._service)

    def _take(self, port: int) -> None:
        if not self._dry_run:
            self._ports.take(port, self._service)
        elif port in self._taken or self._ports.is_taken(port):
            raise PoolError("provided port is already allocated")
        self._taken.append(port)

    def _draw(self) -> int:
        port = max(self._taken, default=_DRY_RUN_BASE) + 1 if self._dry_run else self._ports.draw(self._service)
        self._taken.append(port)
        return port

    def _take_new(self) -> dict[int, int]:
        """Takes what a new Service asks for, and tells the node port of each port: other protocols of it share it."""
        shared: dict[int, int] = {}
        for position, port in enumerate(self._spec.ports):
            if port.node_port and shared.get(port.port) != port.node_port:
                self._take_wanted(position, port.node_port)
                shared.setdefault(port.port, port.node_port)
        return shared

    def _take_more(self, old: ServiceSpec) -> None:
        """Takes what a Service asks for that it has not."""
        held = {port.node_port for port in old.ports}
        seen: set[tuple[str | None, int]] = set()
        for position, port in enumerate(self._spec.ports):
            number = port.node_port or 0
            if not number:
                continue
            if number not in held and number not in self._taken:
                self._take_wanted(position, number)
            if (port.protocol, number) in seen:
                raise failure(500, "", f"duplicate nodePort: {{{port.protocol} {number}}}")
            seen.add((port.protocol, number))

    def _take_wanted(self, position: int, number: int) -> None:
        try:
            self._take(number)
        except PoolError as error:
            problem = invalid(f"spec.ports[{position}].nodePort", number, str(error))
            raise invalid_object(kind_of(Service), self._service.metadata.name or "", [problem]) from error

    def _draw_others(self, shared: dict[int, int] | None) -> None:
        """Draws for ports without a node port; `shared` are the node ports that may serve a second protocol, too."""
        for port in self._spec.ports:
            if port.node_port or not wants_node_ports(self._spec):
                continue
            number = shared.get(port.port) if shared is not None else None
            port.node_port = number or self._draw_any()
            if shared is not None:
                shared[port.port] = port.node_port

    def _draw_any(self) -> int:
        try:
            return self._draw()
        except PoolError as error:
            raise internal_error(f"failed to allocate a nodePort: {error}") from error

    def _fill_health_check(self) -> None:
        wanted = self._spec.health_check_node_port
        try:
            if wanted:
                self._take(wanted)
            else:
                self._spec.health_check_node_port = self._draw()
        except PoolError as error:
            what = f"requested HealthCheck NodePort {wanted}" if wanted else "a HealthCheck NodePort 0"
            raise internal_error(f"failed to allocate {what}: {error}") from error


def _owner(service: Service) -> Owner:
    meta = service.metadata
    return Owner(f"{meta.namespace or ''}/{meta.name or ''}", meta.uid or "")
