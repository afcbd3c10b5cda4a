"""`pyb kubelet`: a node's kubelet as a process, with upstream's flag names."""

from __future__ import annotations

import argparse
import asyncio
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from pybernetes.api.types.core_v1 import Taint
from pybernetes.client import Client
from pybernetes.cluster.connection import add_kubeconfig, connected
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.environment.process import notify_ready
from pybernetes.environment.refusal import refusing
from pybernetes.kubelet.assembly import node_kubelet
from pybernetes.kubelet.cri.runtime import CriRuntime
from pybernetes.kubelet.options import KubeletOptions, ServerFiles
from pybernetes.kubelet.server import KubeletServer
from pybernetes.reconcile import EventRecorder

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
CONTAINERD = "unix:///run/containerd/containerd.sock"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb kubelet`."""
    add_kubeconfig(parser)
    parser.add_argument("--hostname-override", default=socket.gethostname())
    parser.add_argument("--node-ip", type=address, required=True)
    parser.add_argument("--root-dir", type=Path, default=Path("/var/lib/kubelet"))
    parser.add_argument("--container-runtime-endpoint", default=CONTAINERD)
    parser.add_argument("--cluster-dns", default="10.96.0.10", help="comma-separated addresses")
    parser.add_argument("--cluster-domain", default="cluster.local")
    parser.add_argument("--max-pods", type=int, default=110)
    parser.add_argument("--cgroup-root", default="")
    parser.add_argument("--port", type=int, default=10250)
    parser.add_argument("--node-labels", type=labels, default={}, help="key=value,key=value")
    parser.add_argument("--register-with-taints", type=taints, default=(), help="key=value:effect,...")
    parser.add_argument("--tls-cert-file", type=Path)
    parser.add_argument("--tls-private-key-file", type=Path)
    parser.add_argument("--client-ca-file", type=Path)


def address(text: str) -> str:
    """An IP address as a flag writes it. Pure."""
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def labels(text: str) -> dict[str, str]:
    """Labels as a flag writes them. Pure."""
    return dict(item.partition("=")[::2] for item in text.split(",") if item)


def taints(text: str) -> tuple[Taint, ...]:
    """Taints as a flag writes them, `key=value:effect`. Pure."""
    found = []
    for item in filter(None, text.split(",")):
        name, _, effect = item.partition(":")
        key, _, value = name.partition("=")
        if not key or effect not in EFFECTS:
            raise argparse.ArgumentTypeError(f'"{item}" is no taint: key=value:effect, one of {", ".join(EFFECTS)}')
        found.append(Taint(key=key, value=value or None, effect=effect))
    return tuple(found)


def options(arguments: argparse.Namespace) -> KubeletOptions:
    """The kubelet's options from the flags."""
    server = None
    if arguments.tls_cert_file and arguments.tls_private_key_file and arguments.client_ca_file:
        server = ServerFiles(arguments.tls_cert_file, arguments.tls_private_key_file, arguments.client_ca_file)
        with refusing("--tls-cert-file, --tls-private-key-file and --client-ca-file"):
            trial = ssl.create_default_context(cafile=str(arguments.client_ca_file))
            trial.load_cert_chain(arguments.tls_cert_file, arguments.tls_private_key_file)
    return KubeletOptions(
        node_name=arguments.hostname_override,
        node_ip=arguments.node_ip,
        root_dir=arguments.root_dir,
        cluster_dns=tuple(filter(None, arguments.cluster_dns.split(","))),
        cluster_domain=arguments.cluster_domain,
        max_pods=arguments.max_pods,
        cgroup_parent=arguments.cgroup_root,
        port=arguments.port,
        labels=arguments.node_labels,
        register_with_taints=arguments.register_with_taints,
        server=server,
    )


async def run(arguments: argparse.Namespace) -> None:
    """Runs the node until cancelled."""
    settings = options(arguments)
    async with connected(arguments.kubeconfig, "kubelet") as client:
        await run_kubelet(settings, client, arguments.container_runtime_endpoint, notify_ready)


async def run_kubelet(
    settings: KubeletOptions,
    client: Client,
    endpoint: str,
    ready: Callable[[], None],
    on_pod_cidr: Callable[[str], None] | None = None,
) -> None:
    """A kubelet with its server and recorder on a CRI endpoint, until cancelled."""
    clock, chance = SystemClock(), Chance()
    runtime = CriRuntime(endpoint.removeprefix("unix://"))
    recorder = EventRecorder(client, clock, "kubelet", settings.node_name)
    kubelet = node_kubelet(
        settings, client, runtime, clock=clock, chance=chance, recorder=recorder, on_pod_cidr=on_pod_cidr
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(recorder.run(), name="events")
            tasks.create_task(kubelet.run(), name="kubelet")
            if settings.server is not None:
                tasks.create_task(KubeletServer(kubelet).run(), name="server")
            ready()
    finally:
        await runtime.close()
