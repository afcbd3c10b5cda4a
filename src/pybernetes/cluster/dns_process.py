"""`pyb dns`: cluster DNS as a process, by a kubeconfig or as a pod by its service account."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from pybernetes.client import Client
from pybernetes.cluster.connection import add_kubeconfig, connected
from pybernetes.dns.dns import Dns
from pybernetes.dns.options import DnsOptions
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import notify_ready
from pybernetes.reconcile import Informers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb dns`."""
    default = DnsOptions()
    add_kubeconfig(parser)
    parser.add_argument("--cluster-domain", default=default.cluster_domain)
    parser.add_argument("--bind-address", default=default.bind_address)
    parser.add_argument("--port", type=int, default=default.port)
    parser.add_argument("--health-port", type=int, default=default.health_port, help="0: not served")
    parser.add_argument("--ready-port", type=int, default=default.ready_port, help="0: not served")
    parser.add_argument("--metrics-port", type=int, default=default.metrics_port, help="0: not served")
    parser.add_argument("--upstream", default="", help="resolvers of other names, comma-separated, instead of a file's")
    parser.add_argument("--resolv-conf", type=Path, default=default.resolv_conf, help="file that names resolvers")


async def run(arguments: argparse.Namespace) -> None:
    """Serves until cancelled."""
    settings = DnsOptions(
        cluster_domain=arguments.cluster_domain,
        bind_address=arguments.bind_address,
        port=arguments.port,
        health_port=arguments.health_port,
        ready_port=arguments.ready_port,
        metrics_port=arguments.metrics_port,
        upstreams=tuple(filter(None, arguments.upstream.split(","))),
        resolv_conf=arguments.resolv_conf,
    )
    async with connected(arguments.kubeconfig, "pybernetes-dns") as client:
        await run_dns(settings, client)


async def run_dns(settings: DnsOptions, client: Client) -> None:
    """A DNS server with informers of its own, until cancelled."""
    clock = SystemClock()
    informers = Informers(client, clock, Chance())
    dns = Dns(settings, client, informers, clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run(), name="informers")
        tasks.create_task(dns.run(), name="dns")
        await dns.wait_ready()
        notify_ready()
