"""The network of a local cluster: a namespace with a bridge (the fabric), and a namespace per node on it.

`plan` turns a `ClusterSpec` into `ip -batch` lines (pure); `create` and `remove` carry them out. Nothing of the cluster
is routed in the host's own namespace: there the cluster's prefixes are black holes. The way out is `network_egress`.
Called by `local`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path

import msgspec

from pybernetes.cluster.layout import Layout
from pybernetes.cluster.state import ClusterSpec, write_whole
from pybernetes.environment import namespace
from pybernetes.environment.process import CommandFailed, run

BRIDGE = "pyb0"
ROUTE_PROTOCOL = 201
_NODE_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/route_localnet": "1",
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
}
_FABRIC_SYSCTLS = {**_NODE_SYSCTLS, "net/bridge/bridge-nf-call-iptables": "0", "net/ipv4/conf/all/route_localnet": "0"}


@dataclass(frozen=True)
class NetworkPlan:
    """`ip -batch` lines: those of the host's namespace first, then those of each namespace in the order given."""

    host: tuple[str, ...]
    inside: dict[str, tuple[str, ...]]


class NetworkRecord(msgspec.Struct):
    """What was changed in the host's own namespace, so that exactly that is undone."""

    blackholes: list[str] = []
    egress: bool = False
    forwarding_was: str = ""


def plan(spec: ClusterSpec) -> NetworkPlan:
    """The lines that make the whole network of `spec`."""
    prefix = IPv4Network(spec.node_cidr).prefixlen
    fabric = [
        "link set lo up",
        f"link add {BRIDGE} type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
        f"addr add {spec.gateway}/{prefix} dev {BRIDGE}",
        f"link set {BRIDGE} up",
        *(f"route add unreachable {cidr}" for cidr in (spec.pod_cidr, spec.service_cidr)),
    ]
    inside: dict[str, tuple[str, ...]] = {}
    for number, node in enumerate(spec.nodes, 1):
        there = spec.namespace(node.name)
        fabric.append(f"link add port{number} type veth peer name eth0 netns {there}")
        fabric.append(f"link set port{number} master {BRIDGE} up")
        inside[there] = (
            "link set lo up",
            f"addr add {node.address}/{prefix} dev eth0",
            "link set eth0 up",
            *_ways_out(spec),
        )
    host = tuple(f"netns add {name}" for name in spec.namespaces)
    return NetworkPlan(host, {spec.fabric: tuple(fabric), **inside})


def _ways_out(spec: ClusterSpec) -> tuple[str, ...]:
    """A node's routes beyond its neighbours. With no way out, whatever is not the cluster's fails at once instead of
    by a timeout: looking for an image in a registry that cannot be reached, say."""
    if spec.egress:
        return (f"route add default via {spec.gateway}",)
    # Addresses of Services must have a route, or a node's own packets would never come to the rules that rewrite them.
    inside = (spec.service_cidr, spec.pod_cidr)
    return (*(f"route add {cidr} via {spec.gateway}" for cidr in inside), "route add unreachable default")


def blackholes(wanted: Iterable[str], routes: Iterable[str]) -> list[str]:
    """Which of the `wanted` prefixes the host may throw away: those that none of its own `routes` overlaps."""
    real = [ip_network(route) for route in routes]
    return [
        prefix
        for prefix in wanted
        if not any(isinstance(other, IPv4Network) and IPv4Network(prefix).overlaps(other) for other in real)
    ]


async def ip_batch(lines: Sequence[str], inside: str | None = None, force: bool = False) -> None:
    """Runs `ip` commands in one process. With `force` a line that fails does not keep the others from running."""
    if not lines:
        return
    argv = ["ip", *(["-netns", inside] if inside else []), *(["-force"] if force else []), "-batch", "-"]
    try:
        await run(argv, stdin="\n".join(lines) + "\n")
    except CommandFailed:
        if not force:
            raise


async def host_routes() -> list[str]:
    """The prefixes of the host's own routes, our black holes and the default route left out."""
    listed = json.loads(await run(["ip", "-4", "-j", "-N", "route", "show"]) or "[]")
    ours = str(ROUTE_PROTOCOL)
    return [row["dst"] for row in listed if row["dst"] != "default" and str(row.get("protocol")) != ours]


async def create(spec: ClusterSpec, layout: Layout) -> None:
    """Makes the network; what is left of an earlier one must have been removed. Raises CommandFailed."""
    record = NetworkRecord(blackholes=blackholes(spec.cluster_cidrs, await host_routes()))
    write_record(layout.network_record, record)
    made = plan(spec)
    await ip_batch([f"route replace blackhole {prefix} proto {ROUTE_PROTOCOL}" for prefix in record.blackholes])
    await ip_batch(made.host)
    for name in spec.namespaces:
        write_sysctls(name, _FABRIC_SYSCTLS if name == spec.fabric else _NODE_SYSCTLS)
    await ip_batch(made.inside[spec.fabric], spec.fabric)
    await asyncio.gather(*(ip_batch(lines, name) for name, lines in made.inside.items() if name != spec.fabric))


def write_sysctls(name: str, values: dict[str, str]) -> None:
    """/proc/sys/net shows the namespace of the thread that opens it."""
    with namespace.in_namespace(name):
        for key, value in values.items():
            path = Path("/proc/sys") / key
            if path.exists():
                path.write_text(value)


async def remove(spec: ClusterSpec, layout: Layout) -> None:
    """Takes away the namespaces and the black holes that no other cluster needs. Nothing there is no error."""
    await ip_batch([f"netns del {name}" for name in spec.namespaces if namespace.exists(name)], force=True)
    record = read_record(layout.network_record)
    if record is not None:
        needed = {prefix for other in other_records(layout).values() for prefix in other.blackholes}
        gone = [prefix for prefix in record.blackholes if prefix not in needed]
        await ip_batch([f"route del blackhole {prefix} proto {ROUTE_PROTOCOL}" for prefix in gone], force=True)
        layout.network_record.unlink(missing_ok=True)


async def set_cable(spec: ClusterSpec, node: str, plugged: bool) -> None:
    """Plugs a node's cable in or out at the fabric's end, which leaves the node's own addresses and routes alone."""
    number = [each.name for each in spec.nodes].index(node) + 1
    await ip_batch([f"link set port{number} {'up' if plugged else 'down'}"], spec.fabric)


async def forget_pods(spec: ClusterSpec, node: str) -> None:
    """Brings a node's namespace back to how it was before it had pods: no pod bridge, no packet rules."""
    there = spec.namespace(node)
    await ip_batch(["link del cni0"], there, force=True)
    empty = "".join(f"*{table}\nCOMMIT\n" for table in ("nat", "filter", "mangle", "raw"))
    await run(namespace.command_in(there, ["iptables-restore", "-w"]), stdin=empty)


def read_record(path: Path) -> NetworkRecord | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=NetworkRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_record(path: Path, record: NetworkRecord) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(record))


def other_records(layout: Layout) -> dict[Path, NetworkRecord]:
    """What the other clusters of this host changed, by the file that says so."""
    paths = [path for path in sorted(layout.run_base.glob("*.network.json")) if path != layout.network_record]
    return {path: record for path in paths if (record := read_record(path)) is not None}
