"""`pyb proxy`: kube-proxy as a process, in the network namespace of its node."""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import Callable

from pybernetes.client import Client
from pybernetes.cluster.connection import add_kubeconfig, connected
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import notify_ready
from pybernetes.proxy.options import ProxyOptions
from pybernetes.proxy.proxy import Proxy
from pybernetes.reconcile import Informers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb proxy`."""
    add_kubeconfig(parser)
    parser.add_argument("--hostname-override", default=socket.gethostname())
    parser.add_argument("--node-ip", required=True)
    parser.add_argument("--cluster-cidr", default="")
    parser.add_argument("--proxy-mode", choices=("iptables", "userspace"), default="iptables")


async def run(arguments: argparse.Namespace) -> None:
    """Keeps the node's rules until cancelled."""
    settings = ProxyOptions(
        node_name=arguments.hostname_override,
        node_ip=arguments.node_ip,
        cluster_cidr=arguments.cluster_cidr,
        mode=arguments.proxy_mode,
    )
    async with connected(arguments.kubeconfig, "kube-proxy") as client:
        await run_proxy(settings, client, notify_ready)


async def run_proxy(settings: ProxyOptions, client: Client, ready: Callable[[], None]) -> None:
    """A proxy with informers of its own, until cancelled; `ready` is called once the first rules are written."""
    clock, chance = SystemClock(), Chance()
    informers = Informers(client, clock, chance)
    proxy = Proxy(settings, client, informers, clock, chance)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run(), name="informers")
        tasks.create_task(proxy.run(), name="proxy")
        await proxy.wait_synced()
        ready()
