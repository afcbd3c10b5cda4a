"""`pyb apiserver`: the API server and its store as one process.

Flags (`apiserver_flags`) go in; a process that serves HTTPS until SIGTERM comes out. What is not given is made below
`--data-dir`: a certificate authority, a serving certificate, the key of service-account tokens.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import socket
import ssl
import sys

from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.connect.kubelet_connection import KubeletConnection, client_tls
from pybernetes.apiserver.shutdown import shut_down
from pybernetes.apiserver.sockets.connection import Patience
from pybernetes.apiserver.sockets.server import Server, tls_context
from pybernetes.cluster import heap
from pybernetes.cluster.apiserver_flags import Files, add_arguments, options, require_sense, shutdown_times
from pybernetes.cluster.pki import Pki, apiserver
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock, SystemClock
from pybernetes.environment.process import inherited_listeners, notify_ready
from pybernetes.environment.refusal import refusing
from pybernetes.store.embedded import EmbeddedStore

__all__ = ["add_arguments", "run"]
_SWITCH_SECONDS = 0.0005


def files(arguments: argparse.Namespace, clock: Clock) -> Files:
    """The files that the flags name; what they leave out is made below the data folder."""
    pki = Pki(arguments.data_dir / "pki", clock)
    range_ = arguments.service_cluster_ip_range[0]
    certificate, key = arguments.tls_cert_file, arguments.tls_private_key_file
    if certificate is None or key is None:
        addresses = [a for a in (arguments.bind_address, arguments.advertise_address) if a and a != "0.0.0.0"]
        pair = pki.certificate("apiserver", apiserver(str(range_[1]), addresses))
        certificate, key = pair.certificate, pair.key
    client_ca = arguments.client_ca_file or pki.authority().certificate
    signing = arguments.service_account_signing_key_file or pki.service_account_key()
    return Files(certificate, key, client_ca, signing)


def listeners(arguments: argparse.Namespace) -> list[socket.socket]:
    """The sockets to serve on: those that were inherited, else one at the address of the flags."""
    if inherited := inherited_listeners():
        return inherited
    address = (arguments.bind_address, arguments.secure_port)
    with refusing(f"cannot listen on {address[0]}:{address[1]} (see --bind-address and --secure-port)"):
        return [socket.create_server(address, backlog=1024)]


def _tune() -> None:
    """What Python's and the C library's defaults make slow here."""
    # Every client is a descriptor, and the usual soft limit is for programs that use select().
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # The store's writer thread has the disk to wait for, and then must not wait for Python's lock as well.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Nearly all garbage here goes without the cycle collector, which would look at every stored object for the rest.
    gc.set_threshold(50_000, 50, 100)
    heap.keep_what_is_large()


async def _work(api: ApiServer) -> None:
    """What the process does on its own, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(api.run(), name="apiserver")
        tasks.create_task(heap.give_back(), name="heap")


async def run(arguments: argparse.Namespace) -> None:
    """Serves until cancelled, and then goes down as `shutdown` says."""
    require_sense(arguments)
    _tune()
    clock, chance = SystemClock(), Chance()
    with refusing("--data-dir"):
        arguments.data_dir.mkdir(parents=True, exist_ok=True)
        used = files(arguments, clock)
    with refusing("--tls-cert-file, --tls-private-key-file and --client-ca-file"):
        tls: ssl.SSLContext = tls_context(str(used.certificate), str(used.key), str(used.client_ca))
    wanted = options(arguments, used)
    with refusing("--kubelet-client-certificate, --kubelet-client-key and --kubelet-certificate-authority"):
        kubelets = client_tls(
            arguments.kubelet_client_certificate,
            arguments.kubelet_client_key,
            arguments.kubelet_certificate_authority,
        )
    sockets = listeners(arguments)
    nodes = KubeletConnection(kubelets)
    store = await EmbeddedStore.open(arguments.data_dir / "store.db", clock)
    try:
        api = await ApiServer.start(wanted, store, clock, chance, nodes)
        gc.freeze()
        server = Server(api.handle, tls, Patience(body=wanted.request_timeout))
        api.metrics.tls_handshake_errors = server.handshake_errors
        for listener in sockets:
            await server.listen(listener)
        notify_ready()
        # What the server does on its own goes on until no request needs it any more.
        working = asyncio.ensure_future(_work(api))
        try:
            await asyncio.shield(working)
        finally:
            await shut_down(api, server, shutdown_times(arguments))
            working.cancel()
    finally:
        await nodes.close()
        await asyncio.shield(store.close())
