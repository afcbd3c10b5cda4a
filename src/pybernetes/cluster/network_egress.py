"""The way out for pods: a link from the fabric to the host's own namespace, masqueraded on both sides.

`node_rules`, `fabric_rules` and `host_rules` are pure (`iptables-restore` lines); `create` and `remove` carry them out.
Whatever is meant for the cluster's own prefixes is dropped on this way. Not used at all with `--no-egress`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pybernetes.cluster.layout import Layout
from pybernetes.cluster.network import NetworkRecord, ip_batch, other_records, read_record, write_record
from pybernetes.cluster.state import ClusterSpec
from pybernetes.environment.namespace import command_in
from pybernetes.environment.process import CommandFailed, run

UPLINK = "uplink"
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def host_link(spec: ClusterSpec) -> str:
    return f"pyb-out{spec.index}"


def link_addresses(spec: ClusterSpec) -> tuple[str, str]:
    """The host's and the fabric's end of the link; link-local, so that nothing else routes it."""
    return f"169.254.{spec.index}.1", f"169.254.{spec.index}.2"


def chain(spec: ClusterSpec) -> str:
    return f"PYB-{spec.name.upper()}"


def node_rules(spec: ClusterSpec) -> list[str]:
    """What a pod sends beyond the cluster leaves under the node's address; within the cluster it keeps its own."""
    inside = [f"-A {chain(spec)} -d {cidr} -j RETURN" for cidr in spec.cluster_cidrs]
    return [
        "*nat",
        f":{chain(spec)} - [0:0]",
        f"-A POSTROUTING -s {spec.pod_cidr} -o eth0 -j {chain(spec)}",
        *inside,
        f"-A {chain(spec)} -j MASQUERADE",
        "COMMIT",
    ]


def fabric_rules(spec: ClusterSpec) -> list[str]:
    drops = [f"-A FORWARD -o {UPLINK} -d {cidr} -j DROP" for cidr in spec.cluster_cidrs]
    return ["*nat", f"-A POSTROUTING -o {UPLINK} -j MASQUERADE", "COMMIT", "*filter", *drops, "COMMIT"]


def host_rules(spec: ClusterSpec) -> list[str]:
    """Chains that carry the cluster's name, so that removing them removes all that was added."""
    name, link = chain(spec), host_link(spec)
    return [
        "*nat",
        f":{name} - [0:0]",
        f"-A {name} -s {link_addresses(spec)[1]} ! -o {link} -j MASQUERADE",
        f"-I POSTROUTING -j {name}",
        "COMMIT",
        "*filter",
        f":{name} - [0:0]",
        *(f"-A {name} -i {link} -d {cidr} -j DROP" for cidr in spec.cluster_cidrs),
        f"-A {name} -i {link} -j ACCEPT",
        f"-A {name} -o {link} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        f"-A {name} -o {link} -j DROP",
        f"-I FORWARD -j {name}",
        "COMMIT",
    ]


async def create(spec: ClusterSpec, layout: Layout) -> None:
    """Opens the way out; the network must exist. Raises CommandFailed."""
    record = read_record(layout.network_record) or NetworkRecord()
    record.egress = True
    record.forwarding_was = await asyncio.to_thread(_FORWARDING.read_text)
    write_record(layout.network_record, record)
    host, fabric = link_addresses(spec)
    link = host_link(spec)
    await ip_batch(
        [
            f"link add {link} type veth peer name {UPLINK} netns {spec.fabric}",
            f"addr add {host}/30 dev {link}",
            f"link set {link} up",
        ]
    )
    up = [f"addr add {fabric}/30 dev {UPLINK}", f"link set {UPLINK} up", f"route add default via {host}"]
    await ip_batch(up, spec.fabric)
    await _restore(host_rules(spec))
    opened = (open_node(spec, node.name) for node in spec.nodes)
    await asyncio.gather(_restore(fabric_rules(spec), spec.fabric), *opened)
    await asyncio.to_thread(_FORWARDING.write_text, "1")


async def open_node(spec: ClusterSpec, node: str) -> None:
    """Gives a node the rules under which its pods reach the outside."""
    await _restore(node_rules(spec), spec.namespace(node))


async def remove(spec: ClusterSpec, layout: Layout) -> None:
    """Closes the way out, if it was ever opened; forwarding goes back to what it was when no other cluster needs it."""
    record = read_record(layout.network_record)
    if record is None or not record.egress:
        return
    name = chain(spec)
    for table, parent in (("nat", "POSTROUTING"), ("filter", "FORWARD")):
        for words in (["-D", parent, "-j", name], ["-F", name], ["-X", name]):
            await _quietly(["iptables", "-w", "-t", table, *words])
    await _quietly(["ip", "link", "del", host_link(spec)])
    if record.forwarding_was.strip() == "0":
        heirs = [(path, other) for path, other in other_records(layout).items() if other.egress]
        for path, other in heirs[:1]:
            other.forwarding_was = record.forwarding_was
            write_record(path, other)
        if not heirs:
            await asyncio.to_thread(_FORWARDING.write_text, "0")
    record.egress = False
    write_record(layout.network_record, record)


async def _restore(lines: Sequence[str], inside: str | None = None) -> None:
    await run(command_in(inside, ["iptables-restore", "-w", "--noflush"]), stdin="\n".join(lines) + "\n")


async def _quietly(argv: Sequence[str]) -> None:
    try:
        await run(argv)
    except CommandFailed:
        return
