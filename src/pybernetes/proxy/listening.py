"""What the userspace proxy is to listen on, and which endpoint a connection gets. Pure values and one small state.

`States` flow in, `Listening` values flow out; `userspace` opens sockets for them and asks a `Balancer` each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pybernetes.proxy.endpoints import Endpoint, choose
from pybernetes.proxy.rules import NodeFacts
from pybernetes.proxy.services import PortName
from pybernetes.proxy.state import States

ANY = "0.0.0.0"


@dataclass(frozen=True, order=True)
class Listening:
    """A socket: protocol, address and port."""

    protocol: str
    address: str
    port: int


@dataclass(frozen=True)
class Target:
    """What is behind a socket."""

    name: PortName
    endpoints: tuple[Endpoint, ...]
    affinity_seconds: int = 0


def listenings(states: States, facts: NodeFacts) -> Mapping[Listening, Target]:
    """The sockets of all ports. One without endpoints has none, so that the kernel itself refuses connections."""
    found: dict[Listening, Target] = {}
    for name, state in states.items():
        port = state.port
        choice = choose(port, state.endpoints, facts.node_name, facts.zone)
        inside = choice.local if port.internal_local else choice.cluster
        outside = choice.local if port.external_local else choice.cluster
        if inside:
            found[Listening(name.protocol, port.cluster_ip, port.port)] = Target(name, inside, port.affinity_seconds)
        if outside:
            target = Target(name, outside, port.affinity_seconds)
            for address in (*port.external_ips, *port.load_balancer_ips):
                found[Listening(name.protocol, address, port.port)] = target
            if port.node_port:
                found[Listening(name.protocol, ANY, port.node_port)] = target
    return found


def service_addresses(wanted: Mapping[Listening, Target]) -> frozenset[str]:
    """The addresses that the node must have for these sockets."""
    return frozenset(item.address for item in wanted if item.address != ANY)


@dataclass
class Balancer:
    """Hands out endpoints in turn; with affinity, a client gets the one that it had, for as long as it keeps coming."""

    _turns: dict[PortName, int] = field(default_factory=dict)
    _last: dict[tuple[PortName, str], tuple[Endpoint, float]] = field(default_factory=dict)

    def pick(self, target: Target, client: str, now: float) -> Endpoint | None:
        """An endpoint for a client's address at `now` (monotonic seconds); None when there is none."""
        endpoints: Sequence[Endpoint] = target.endpoints
        if not endpoints:
            return None
        if target.affinity_seconds:
            known = self._last.get((target.name, client))
            if known is not None and known[0] in endpoints and now - known[1] <= target.affinity_seconds:
                self._last[target.name, client] = (known[0], now)
                return known[0]
        turn = self._turns.get(target.name, 0)
        self._turns[target.name] = turn + 1
        chosen = endpoints[turn % len(endpoints)]
        if target.affinity_seconds:
            self._last[target.name, client] = (chosen, now)
        return chosen

    def keep(self, names: frozenset[PortName]) -> None:
        """Forgets about ports that are gone."""
        self._turns = {name: turn for name, turn in self._turns.items() if name in names}
        self._last = {key: value for key, value in self._last.items() if key[0] in names}
