"""`pyb apiserver`: the API server and its store as one process, with upstream's flag names.

Flags go in; a process that serves HTTPS until SIGTERM comes out. What is not given is made below `--data-dir`: a
certificate authority, a serving certificate, the key of service-account tokens, an admin's kubeconfig.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import resource
import socket
import ssl
import sys
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from pybernetes.apiserver.apiserver import ApiServer
from pybernetes.apiserver.connect.kubelet_connection import KubeletConnection, client_tls
from pybernetes.apiserver.options import SERVICE_ACCOUNT_ISSUER, ApiServerOptions
from pybernetes.apiserver.request import UserInfo
from pybernetes.apiserver.server import Server, tls_context
from pybernetes.apiserver.stages.authorization import MODES
from pybernetes.apiserver.stages.static_tokens import parse_token_file
from pybernetes.cluster.pki import Pki, apiserver
from pybernetes.cluster.refusal import Refused, refusing
from pybernetes.environment.chance import Chance
from pybernetes.environment.clock import Clock, SystemClock
from pybernetes.environment.process import inherited_listeners, notify_ready
from pybernetes.store.embedded import EmbeddedStore

_SWITCH_SECONDS = 0.0005
# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pyb apiserver`."""
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the store and of generated keys")
    parser.add_argument("--secure-port", type=_port, default=6443)
    parser.add_argument("--bind-address", default="127.0.0.1")
    parser.add_argument("--advertise-address", default="")
    parser.add_argument("--tls-cert-file", type=Path)
    parser.add_argument("--tls-private-key-file", type=Path)
    parser.add_argument("--client-ca-file", type=Path)
    parser.add_argument("--token-auth-file", type=Path, help='lines of token,user,uid,"group1,group2"')
    parser.add_argument("--anonymous-auth", choices=("true", "false"), default="true")
    parser.add_argument("--authorization-mode", default="Node,RBAC")
    parser.add_argument("--enable-admission-plugins", default="NodeRestriction")
    parser.add_argument(
        "--service-cluster-ip-range",
        type=_networks,
        default=(IPv4Network("10.96.0.0/16"),),
        help="one range of ClusterIPs, or two of different families, divided by a comma",
    )
    parser.add_argument("--service-node-port-range", type=_ports, default=range(30000, 32768))
    parser.add_argument("--service-account-signing-key-file", type=Path)
    parser.add_argument("--service-account-issuer", default=SERVICE_ACCOUNT_ISSUER)
    parser.add_argument("--kubelet-client-certificate", type=Path)
    parser.add_argument("--kubelet-client-key", type=Path)
    parser.add_argument("--kubelet-certificate-authority", type=Path)


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        networks = tuple(ip_network(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if len(networks) > 2 or len({network.version for network in networks}) < len(networks):
        raise argparse.ArgumentTypeError(f'"{text}" is neither one range nor two of different families')
    return networks


def _ports(text: str) -> range:
    first, dash, last = text.partition("-")
    if not dash or _port(first) > _port(last):
        raise argparse.ArgumentTypeError(f'"{text}" is no range of ports, such as 30000-32767')
    return range(int(first), int(last) + 1)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f'"{text}" is no port: it must be between 0 and 65535')
    return int(text)


@dataclass(frozen=True)
class Files:
    """The keys and certificates that a server runs with."""

    certificate: Path
    key: Path
    client_ca: Path
    service_account_key: Path


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


def options(arguments: argparse.Namespace, used: Files) -> ApiServerOptions:
    """The server's options from its flags and files."""
    tokens: dict[str, UserInfo] = {}
    if arguments.token_auth_file is not None:
        with refusing("--token-auth-file"):
            tokens = parse_token_file(arguments.token_auth_file.read_text())
    modes = tuple(arguments.authorization_mode.split(","))
    if unknown := [mode for mode in modes if mode not in MODES]:
        raise Refused(f"--authorization-mode: {unknown[0]!r} is none of {', '.join(MODES)}")
    with refusing("--service-account-signing-key-file"):
        service_account_key = used.service_account_key.read_bytes()
        serialization.load_pem_private_key(service_account_key, None)
    with refusing("--client-ca-file"):
        client_ca = used.client_ca.read_text()
    return ApiServerOptions(
        service_account_key=service_account_key,
        service_cluster_ip_range=arguments.service_cluster_ip_range[0],
        secondary_service_cluster_ip_range=next(iter(arguments.service_cluster_ip_range[1:]), None),
        service_node_port_range=arguments.service_node_port_range,
        service_account_issuer=arguments.service_account_issuer,
        authorization_modes=modes,
        anonymous=arguments.anonymous_auth == "true",
        advertise_address=arguments.advertise_address or arguments.bind_address,
        secure_port=arguments.secure_port,
        client_ca=client_ca,
        tokens=tokens,
        enable_admission=tuple(filter(None, arguments.enable_admission_plugins.split(","))),
    )


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
    # Lists and watch events are large and short-lived: given back to the kernel after each use, their memory would cost
    # a page fault per 4 kB with every answer. Other C libraries than glibc have no such setting.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 8 * 1024 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 64 * 1024 * 1024)


async def run(arguments: argparse.Namespace) -> None:
    """Serves until cancelled."""
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
        server = Server(api.handle, tls)
        for listener in sockets:
            await server.listen(listener)
        notify_ready()
        try:
            await api.run()
        finally:
            api.close()
            await server.stop()
    finally:
        await nodes.close()
        await asyncio.shield(store.close())
