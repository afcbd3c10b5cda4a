"""The back end of `--proxy-mode=iptables`: keeps the kernel's rules equal to what `rules` decides.

`States` flow in; text for `PacketFilter` flows out, only the difference to what was written last. `Proxy` calls it.
"""

from __future__ import annotations

from pybernetes.environment.process import CommandFailed
from pybernetes.proxy.conntrack import Routed, stale_flows
from pybernetes.proxy.endpoints import choose
from pybernetes.proxy.iptables import Present, applied, difference
from pybernetes.proxy.kernel import PacketFilter
from pybernetes.proxy.rules import NodeFacts, ServiceRules, combine, service_rules
from pybernetes.proxy.services import PortName
from pybernetes.proxy.state import PortState, States


class PacketRules:
    """One node's rules. They stay when the process ends, so that a restart of it disturbs nobody."""

    def __init__(self, packet_filter: PacketFilter) -> None:
        self._filter = packet_filter
        self._present: Present | None = None
        self._facts: NodeFacts | None = None
        self._decided: dict[PortName, tuple[PortState, ServiceRules]] = {}
        self._udp: dict[PortName, Routed] = {}

    async def apply(self, states: States, facts: NodeFacts) -> None:
        """Brings the kernel to these states, from wherever it is."""
        if facts != self._facts:
            self._facts, self._decided = facts, {}
        self._decided = {name: self._decide(state, facts) for name, state in states.items()}
        wanted = combine(rules for _, rules in self._decided.values())
        if self._present is None:
            self._present = await self._filter.observe()
        text = difference(self._present, wanted)
        if text:
            try:
                await self._filter.restore(text)
            except CommandFailed:
                # Nobody knows what is there now.
                self._present = None
                raise
        self._present = applied(wanted)
        await self._forget(states, facts)

    async def close(self) -> None:
        """The rules stay."""

    def _decide(self, state: PortState, facts: NodeFacts) -> tuple[PortState, ServiceRules]:
        known = self._decided.get(state.port.name)
        if known is not None and known[0] is state:
            return known
        return state, service_rules(state.port, state.endpoints, facts)

    async def _forget(self, states: States, facts: NodeFacts) -> None:
        udp = {name: _routed(state, facts) for name, state in states.items() if name.protocol == "udp"}
        flows = stale_flows(self._udp, udp)
        self._udp = udp
        if flows:
            await self._filter.forget(flows)


def _routed(state: PortState, facts: NodeFacts) -> Routed:
    choice = choose(state.port, state.endpoints, facts.node_name, facts.zone)
    return Routed(state.port, frozenset(str(item) for item in choice.reachable))
