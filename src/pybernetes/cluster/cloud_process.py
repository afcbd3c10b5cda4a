"""`pyb cloud-controller-manager`: the cloud controllers as a process, on the `local` provider."""

from __future__ import annotations

import argparse

from pybernetes.client import Client
from pybernetes.cloud.local import LocalProvider
from pybernetes.cloud.main import make_context, run_cloud_controllers
from pybernetes.cluster.connection import add_kubeconfig, connected
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.routes import RouteTable
from pybernetes.cluster.state import ClusterError, ClusterSpec, read_spec
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import notify_ready


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb cloud-controller-manager`."""
    add_kubeconfig(parser)
    parser.add_argument("--cloud-provider", choices=("local",), default="local")
    parser.add_argument("--cluster-name", default="default", help="the local cluster whose nodes are the instances")


async def run(arguments: argparse.Namespace) -> None:
    """Controls until cancelled."""
    spec = read_spec(Layout(arguments.cluster_name))
    if spec is None:
        raise ClusterError(f'there is no cluster "{arguments.cluster_name}"; `pyb up` makes one')
    async with connected(arguments.kubeconfig, "cloud-controller-manager") as client:
        notify_ready()
        await run_cloud(client, spec)


async def run_cloud(client: Client, spec: ClusterSpec) -> None:
    """The cloud controllers for a local cluster, until cancelled."""
    provider = LocalProvider(RouteTable(spec))
    await run_cloud_controllers(make_context(client, SystemClock(), Chance(), provider, spec.pod_cidr))
