"""`pyb status`: what runs where, with versions, addresses, health and sizes."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from pybernetes.api.status import StatusError
from pybernetes.api.types.core_v1 import Node
from pybernetes.client import Unreachable
from pybernetes.client.errors import ConfigError
from pybernetes.cluster import local
from pybernetes.cluster.connection import connected
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.local import ClusterStatus
from pybernetes.cluster.state import ClusterError

# Seconds in which an API server that is well has long answered.
_PATIENCE = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb status`."""
    parser.add_argument("--name", default="default", help="the cluster's name")


async def run(arguments: argparse.Namespace) -> int:
    """0 when the cluster runs and every process is ready."""
    try:
        found = await local.status(arguments.name)
    except ClusterError as error:
        print(f"pyb status: {error}", file=sys.stderr)
        return 1
    version, nodes = await _answers(arguments.name)
    for line in [*cluster_lines(found, version), "", *node_lines(found, nodes), "", *process_lines(found)]:
        print(line)
    healthy = (
        version
        and found.running
        and all(each.state == "ready" or each.node in found.stopped_nodes for each in found.processes)
    )
    return 0 if healthy else 1


async def _answers(name: str) -> tuple[str, list[Node]]:
    """The API server's version and nodes, as it tells them itself; nothing while it does not answer."""
    try:
        async with asyncio.timeout(_PATIENCE), connected(Layout(name).kubeconfig("admin"), "pyb") as client:
            version = str(json.loads((await client.raw("GET", "/version")).body)["gitVersion"])
            return version, list((await client.list(Node)).items)
    except (StatusError, Unreachable, ConfigError, TimeoutError):
        return "", []


def cluster_lines(found: ClusterStatus, version: str) -> list[str]:
    """What concerns the cluster as a whole; no `version` means that the API server does not answer. Pure."""
    spec = found.spec
    return [
        f"cluster {spec.name}: {state_of(found)}",
        f"versions: Kubernetes {version or '(no answer)'}, Pybernetes {metadata.version('pybernetes')}, "
        f"Python {platform.python_version()}",
        f"API server: https://127.0.0.1:{spec.api_port} (inside: https://{spec.control_plane.address}:6443)"
        f"{'' if version else ', does not answer'}",
        f"networks: nodes {spec.node_cidr}, pods {spec.pod_cidr}, services {spec.service_cidr}, "
        f"{'with' if spec.egress else 'no'} way out",
    ]


def state_of(found: ClusterStatus) -> str:
    """Whether the cluster runs, and what to do when it does so only in part. Pure."""
    if found.running:
        return "running"
    if not found.processes:
        return "not running; `pyb up` starts it on its data, `pyb down` removes it"
    return "its supervisor is gone, what is left is below; `pyb up` starts it anew on its data, `pyb down` removes it"


def node_lines(found: ClusterStatus, nodes: Sequence[Node]) -> list[str]:
    """A table of the nodes. Pure."""
    known = {node.metadata.name: node for node in nodes}
    rows = [("NODE", "STATE", "ADDRESS", "ON THE HOST", "POD CIDR", "VERSION", "RUNTIME")]
    for each in found.spec.nodes:
        node = known.get(each.name)
        state = "stopped" if each.name in found.stopped_nodes else readiness(node)
        info = node.status.node_info if node is not None else None
        rows.append(
            (
                each.name,
                state,
                each.address,
                each.host_address,
                (node.spec.pod_cidr or "") if node is not None else "",
                info.kubelet_version if info else "",
                info.container_runtime_version if info else "",
            )
        )
    return table(rows)


def readiness(node: Node | None) -> str:
    """A node's Ready condition as a word. Pure."""
    if node is None:
        return "unknown"
    ready = next((item.status for item in node.status.conditions if item.type == "Ready"), "Unknown")
    return "Ready" if ready == "True" else "NotReady"


def process_lines(found: ClusterStatus) -> list[str]:
    """A table of the processes, with the memory that each has to itself (proportional set size)."""
    rows = [("PROCESS", "NODE", "STATE", "PID", "RESTARTS", "MEMORY", "LOG")]
    total = 0
    for each in found.processes:
        size = proportional_size(each.pid)
        total += size
        memory = f"{size >> 20} MB" if size else ""
        rows.append((each.name, each.node, each.state, str(each.pid or ""), str(each.restarts), memory, each.log))
    return [*table(rows), f"{total >> 20} MB in all"]


def proportional_size(pid: int) -> int:
    """Bytes of memory of a process, shared pages shared out; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    match = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(match.group(1)) * 1024 if match else 0


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns, three spaces apart. Pure."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
