"""`pyb up`: starts a local cluster and says how to use it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from pybernetes.cluster import local, system_packages
from pybernetes.cluster.connection import connected
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.node_readiness import wait_nodes_ready
from pybernetes.cluster.state import ClusterError, ClusterSpec, Wishes, check_name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb up`."""
    parser.add_argument("--name", default="default", help="the cluster's name")
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--no-egress", action="store_true", help="give the pods no way out of the cluster")


async def run(arguments: argparse.Namespace) -> int:
    """Returns when every node is ready to take pods; 1 with a message when that cannot be."""
    try:
        check_name(arguments.name)
        await system_packages.install_packages(print)
        await bring_up(arguments.name, Wishes(workers=arguments.workers, egress=not arguments.no_egress), print)
    except ClusterError as error:
        print(f"pyb up: {error}", file=sys.stderr)
        return 1
    kubeconfig = Layout(arguments.name).kubeconfig("admin")
    print(f'cluster "{arguments.name}" is up; to use it:\n    export KUBECONFIG={kubeconfig}\n    kubectl get nodes')
    return 0


async def bring_up(name: str, wishes: Wishes, say: Callable[[str], None]) -> ClusterSpec:
    """Starts a cluster and waits until its nodes take pods. Raises ClusterError."""
    spec = await local.up(name, wishes, say)
    say(f"waiting until {len(spec.nodes)} nodes are Ready")
    async with connected(Layout(name).kubeconfig("admin"), "pyb") as client:
        try:
            await wait_nodes_ready(client, [node.name for node in spec.nodes])
        except ClusterError as error:
            option = "" if name == "default" else f" --name {name}"
            raise ClusterError(
                f"{error}; the cluster is left running, its logs are in {Layout(name).logs}; "
                f"see `pyb status{option}`, or remove it with `pyb down{option}`"
            ) from error
    return spec
