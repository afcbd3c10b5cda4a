"""Which processes make a local cluster: the one place where their command lines are written.

`prepare` lays down what they need (once, before they start), `component_commands` says what runs where and in which
order, `node_ports` follows the NodePorts to be published on the host. Called by `local` and its supervisor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pybernetes.api.types.core_v1 import Service
from pybernetes.client import ClientConfig
from pybernetes.client.kubeconfig import Kubeconfig
from pybernetes.cluster import engine, pki
from pybernetes.cluster.connection import connected
from pybernetes.cluster.layout import Layout
from pybernetes.cluster.processes import ComponentCommand, Listen
from pybernetes.cluster.state import ClusterSpec
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import SystemClock
from pybernetes.reconcile import Informer

# Forked components start here; what they import should be preloaded, since only that is shared between them.
ENTRY = "pybernetes.cluster.forked:main"
PRELOAD: tuple[str, ...] = ()
# The port of the API server on its node's own address.
SECURE_PORT = 6443


async def prepare(spec: ClusterSpec, layout: Layout) -> None:
    """Certificates, kubeconfigs and folders of a cluster, made unless they are there."""
    layout.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    await asyncio.to_thread(_prepare_keys, spec, layout)


def _prepare_keys(spec: ClusterSpec, layout: Layout) -> None:
    keys = pki.Pki(layout.pki, SystemClock())
    keys.authority()
    keys.service_account_key()
    keys.certificate("apiserver", pki.apiserver(spec.kubernetes_address, [spec.control_plane.address]))
    keys.certificate("apiserver-kubelet-client", pki.APISERVER_KUBELET_CLIENT)
    inside = f"https://{spec.control_plane.address}:{SECURE_PORT}"
    components = {
        "scheduler": pki.SCHEDULER,
        "controller-manager": pki.CONTROLLER_MANAGER,
        "cloud-controller-manager": pki.CLOUD_CONTROLLER_MANAGER,
        "proxy": pki.PROXY,
        "addon-manager": pki.Subject("addon-manager", ("system:masters",)),
        **{f"kubelet-{node.name}": pki.kubelet(node.name, [node.address]) for node in spec.nodes},
    }
    for name, subject in components.items():
        _write_kubeconfig(spec, layout, name, keys.certificate(name, subject), inside)
    admin = keys.certificate("admin", pki.ADMIN)
    _write_kubeconfig(spec, layout, "admin", admin, f"https://127.0.0.1:{spec.api_port}")


def _write_kubeconfig(spec: ClusterSpec, layout: Layout, name: str, pair: pki.Pair, server: str) -> None:
    config = ClientConfig(
        server=server,
        certificate_authority=(layout.pki / "ca.crt").read_bytes(),
        client_certificate=pair.certificate.read_bytes(),
        client_key=pair.key.read_bytes(),
    )
    kubeconfig = Kubeconfig()
    kubeconfig.add(f"pybernetes-{spec.name}", config)
    kubeconfig.write(layout.kubeconfig(name))


def component_commands(spec: ClusterSpec, layout: Layout) -> list[ComponentCommand]:
    """Every process of the cluster."""
    master = spec.control_plane
    space = spec.namespace(master.name)
    cluster = ("--cluster-name", spec.name)
    apiserver = ComponentCommand(
        name="apiserver",
        node=master.name,
        argv=("apiserver", *_apiserver_flags(spec, layout)),
        namespace=space,
        stage=0,
        forked=True,
        listen=(Listen(None, "127.0.0.1", spec.api_port), Listen(space, master.address, SECURE_PORT)),
    )
    control_plane = ComponentCommand(
        name="control-plane",
        node=master.name,
        argv=("control-plane", *cluster),
        namespace=space,
        forked=True,
    )
    nodes = [
        ComponentCommand(
            name=f"node.{node.name}",
            node=node.name,
            argv=("node", *cluster, "--node", node.name),
            namespace=spec.namespace(node.name),
            forked=True,
        )
        for node in spec.nodes
    ]
    return [*engine_commands(spec, layout), apiserver, control_plane, *nodes]


def _apiserver_flags(spec: ClusterSpec, layout: Layout) -> tuple[str, ...]:
    keys = layout.pki
    flags = {
        "--data-dir": layout.store,
        "--advertise-address": spec.control_plane.address,
        "--secure-port": SECURE_PORT,
        "--service-cluster-ip-range": spec.service_cidr,
        "--tls-cert-file": keys / "apiserver.crt",
        "--tls-private-key-file": keys / "apiserver.key",
        "--client-ca-file": keys / "ca.crt",
        "--service-account-signing-key-file": keys / "sa.key",
        "--kubelet-client-certificate": keys / "apiserver-kubelet-client.crt",
        "--kubelet-client-key": keys / "apiserver-kubelet-client.key",
        "--kubelet-certificate-authority": keys / "ca.crt",
    }
    return tuple(word for name, value in flags.items() for word in (name, str(value)))


def engine_commands(spec: ClusterSpec, layout: Layout) -> list[ComponentCommand]:
    """A container engine for each node."""
    return [
        ComponentCommand(
            name=f"containerd.{node.name}",
            node=node.name,
            argv=engine.command(layout.node(node.name)),
            namespace=spec.namespace(node.name),
            stage=0,
            env=engine.ENVIRONMENT,
        )
        for node in spec.nodes
    ]


async def node_ports(spec: ClusterSpec, layout: Layout) -> AsyncIterator[frozenset[int]]:  # noqa: ARG001
    """The NodePorts of all services, anew at every change."""
    changed = asyncio.Event()
    async with connected(layout.kubeconfig("admin"), "pyb") as client, asyncio.TaskGroup() as tasks:
        services = Informer(client, Service, SystemClock(), Chance())
        services.on_change(lambda _old, _new: changed.set())
        running = tasks.create_task(services.run(), name="informer of services")
        try:
            known: frozenset[int] = frozenset()
            while True:
                ports = frozenset(
                    port.node_port for s in services.cache.list() for port in s.spec.ports if port.node_port
                )
                if ports != known:
                    known = ports
                    yield ports
                await changed.wait()
                changed.clear()
        finally:
            running.cancel()
