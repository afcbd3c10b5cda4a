"""A node of a local cluster: kubelet and kube-proxy in one process, which lives in the node's network namespace."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial

from pybernetes.api.types.core_v1 import Taint
from pybernetes.cluster import engine
from pybernetes.cluster.connection import connected
from pybernetes.cluster.kubelet_process import run_kubelet
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.marking import CONTROL_PLANE_ROLE
from pybernetes.cluster.proxy_process import run_proxy
from pybernetes.cluster.state import ClusterSpec, Node, read_spec
from pybernetes.environment.process import notify_ready
from pybernetes.kubelet.options import KubeletOptions, ServerFiles
from pybernetes.proxy.options import ProxyOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this process, which only `pyb up` starts."""
    parser.add_argument("--cluster-name", required=True)
    parser.add_argument("--node", required=True)
    parser.add_argument("--proxy-mode", default="iptables")


async def run(arguments: argparse.Namespace) -> None:
    """Runs the node until cancelled."""
    layout = Layout(arguments.cluster_name)
    spec = read_spec(layout)
    assert spec is not None
    node = spec.node(arguments.node)
    folders = layout.node(node.name)
    proxy = ProxyOptions(
        node_name=node.name, node_ip=node.address, cluster_cidr=spec.pod_cidr, mode=arguments.proxy_mode
    )
    write_network = partial(engine.write_cni_config, folders, spec.name, node.name)
    async with (
        connected(layout.kubeconfig(f"kubelet-{node.name}"), "kubelet") as kubelet_client,
        connected(layout.kubeconfig("proxy"), "kube-proxy") as proxy_client,
        asyncio.TaskGroup() as tasks,
    ):
        endpoint = f"unix://{folders.containerd_socket}"
        settings = kubelet_options(spec, node, layout)
        kubelet_ready, proxy_ready = asyncio.Event(), asyncio.Event()
        kubelet = run_kubelet(settings, kubelet_client, endpoint, kubelet_ready.set, write_network)
        tasks.create_task(kubelet, name="kubelet")
        tasks.create_task(run_proxy(proxy, proxy_client, proxy_ready.set), name="proxy")
        await kubelet_ready.wait()
        await proxy_ready.wait()
        notify_ready()


def kubelet_options(spec: ClusterSpec, node: Node, layout: Layout) -> KubeletOptions:
    """The options of a node's kubelet. Pure."""
    taints = (Taint(key=CONTROL_PLANE_ROLE, effect="NoSchedule"),) if node.control_plane else ()
    folders = layout.node(node.name)
    name = f"kubelet-{node.name}"
    return KubeletOptions(
        node_name=node.name,
        node_ip=node.address,
        root_dir=folders.kubelet,
        log_dir=folders.pod_logs,
        # In memory only: tokens and secrets never reach a disk.
        secret_dir=folders.run / "secrets",
        # Without a way out there is no registry to ask; the images are those that are there.
        offline=not spec.egress,
        cluster_dns=(spec.dns_address,),
        cgroup_parent=layout.cgroup(node.name),
        listen_address=node.address,
        register_with_taints=taints,
        server=ServerFiles(layout.pki / f"{name}.crt", layout.pki / f"{name}.key", layout.pki / "ca.crt"),
    )
