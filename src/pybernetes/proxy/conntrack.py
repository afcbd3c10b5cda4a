"""Which connection-tracking entries lie after a change: UDP has no end, so old flows would go on to a dead endpoint.

Pure: the ports and endpoints before and after in, arguments of `conntrack -D` out. `kernel` runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pybernetes.proxy.services import PortName, ProxiedPort


@dataclass(frozen=True)
class Routed:
    """A port and the endpoints (`ip:port`) that its connections go to."""

    port: ProxiedPort
    endpoints: frozenset[str]


def stale_flows(before: Mapping[PortName, Routed], after: Mapping[PortName, Routed]) -> tuple[tuple[str, ...], ...]:
    """Arguments of `conntrack -D`, one tuple for each kind of flow that must not live on; sorted."""
    found: set[tuple[str, ...]] = set()
    for name, old in before.items():
        if name.protocol != "udp":
            continue
        new = after.get(name)
        gone = old.endpoints - (new.endpoints if new is not None else frozenset())
        for endpoint in gone:
            found.update((*where, "--dst-nat", endpoint.partition(":")[0]) for where in _ways(old.port))
    for name, new in after.items():
        known = before.get(name)
        # Flows that began when there was no endpoint were tracked untranslated, and would stay so.
        if name.protocol == "udp" and new.endpoints and not (known is not None and known.endpoints):
            found.update(_ways(new.port))
    return tuple(sorted(found))


def _ways(port: ProxiedPort) -> list[tuple[str, ...]]:
    """How a flow to the port is recognised: by each of its addresses, and by its node port."""
    addresses = (port.cluster_ip, *port.external_ips, *port.load_balancer_ips)
    ways: list[tuple[str, ...]] = [
        ("-p", "udp", "--orig-dst", address, "--orig-port-dst", str(port.port)) for address in addresses
    ]
    if port.node_port:
        ways.append(("-p", "udp", "--orig-port-dst", str(port.node_port)))
    return ways
