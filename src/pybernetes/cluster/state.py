"""What a local cluster is (`ClusterSpec`), the files that remember it, and the lock that keeps it one.

`new_spec` is pure: names, addresses and ports follow from the name, the wishes and what other clusters and the host
already use. `read_spec` / `write_spec` keep it; the supervisor holds `ClusterLock` while the cluster runs.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path

import msgspec

from pybernetes.cluster.layout import Layout
from pybernetes.environment.process import Identity
from pybernetes.environment.refusal import Refused

POD_CIDR = "10.244.0.0/16"
SERVICE_CIDR = "10.96.0.0/16"
API_PORT = 6443
CONTROL_PLANE = "control-plane"
_NAME = re.compile(r"[a-z][a-z0-9]{0,19}")


class ClusterError(Refused):
    """Something that the user can put right; the message says what and how."""


class Node(msgspec.Struct, frozen=True):
    """One node: its name, its address in the cluster, and the loopback address at which the host reaches its ports."""

    name: str
    address: str
    host_address: str
    control_plane: bool = False


class ClusterSpec(msgspec.Struct, frozen=True):
    """Everything that is decided about a cluster before anything is made. `index` counts this host's from 1."""

    name: str
    index: int
    nodes: tuple[Node, ...]
    node_cidr: str
    pod_cidr: str = POD_CIDR
    service_cidr: str = SERVICE_CIDR
    api_port: int = API_PORT
    egress: bool = True

    @property
    def fabric(self) -> str:
        """The namespace with the bridge that connects the nodes."""
        return f"pyb-{self.name}"

    def namespace(self, node: str) -> str:
        return f"pyb-{self.name}-{node}"

    @property
    def gateway(self) -> str:
        """The fabric's own address on the bridge, the last usable one of the node network."""
        return str(IPv4Network(self.node_cidr)[-2])

    @property
    def kubernetes_address(self) -> str:
        """The ClusterIP of the Service `kubernetes`, the first address of the service range."""
        return str(IPv4Network(self.service_cidr)[1])

    @property
    def dns_address(self) -> str:
        """The ClusterIP of cluster DNS, the tenth address of the service range, as kubeadm chooses it."""
        return str(IPv4Network(self.service_cidr)[10])

    @property
    def namespaces(self) -> tuple[str, ...]:
        return (self.fabric, *(self.namespace(node.name) for node in self.nodes))

    @property
    def cluster_cidrs(self) -> tuple[str, ...]:
        """What must never leave this machine."""
        return (self.node_cidr, self.pod_cidr, self.service_cidr)

    @property
    def control_plane(self) -> Node:
        return next(node for node in self.nodes if node.control_plane)

    def node(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes)
        raise ClusterError(f'cluster "{self.name}" has no node "{name}"; its nodes are {known}')


@dataclass(frozen=True)
class Wishes:
    """What the user may choose."""

    workers: int = 6
    egress: bool = True
    pod_cidr: str = POD_CIDR
    service_cidr: str = SERVICE_CIDR


def new_spec(
    name: str, wishes: Wishes, others: Collection[ClusterSpec], host_prefixes: Iterable[str], api_port: int
) -> ClusterSpec:
    """Decides a new cluster's names and addresses beside the `others`. Raises ClusterError for a bad wish."""
    check_name(name)
    if not 0 <= wishes.workers <= 200:
        raise ClusterError("a cluster has 0 to 200 workers")
    index = min(set(range(1, 250)) - {other.index for other in others})
    taken = [ip_network(prefix) for prefix in host_prefixes]
    taken += [ip_network(other.node_cidr) for other in others]
    taken += [ip_network(wishes.pod_cidr), ip_network(wishes.service_cidr)]
    network = _free_network(index, taken)
    names = [CONTROL_PLANE, *(f"worker-{number}" for number in range(1, wishes.workers + 1))]
    nodes = tuple(
        Node(node, str(network[number]), f"127.0.{index}.{number}", node == CONTROL_PLANE)
        for number, node in enumerate(names, 1)
    )
    return ClusterSpec(name, index, nodes, str(network), wishes.pod_cidr, wishes.service_cidr, api_port, wishes.egress)


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ClusterError(f'"{name}" cannot be a cluster\'s name: up to 20 of a-z and 0-9, a letter first')


def _free_network(index: int, taken: Collection[object]) -> IPv4Network:
    candidates = [f"192.168.{100 + index % 100}.0/24", *(f"192.168.{n}.0/24" for n in range(100, 255))]
    candidates += [f"172.{m}.{n}.0/24" for m in range(20, 32) for n in range(0, 255, 5)]
    for candidate in candidates:
        network = IPv4Network(candidate)
        if not any(isinstance(other, IPv4Network) and network.overlaps(other) for other in taken):
            return network
    raise ClusterError(
        "no free network for the nodes: this host has routes for all of 192.168.0.0/16 and 172.16.0.0/12"
    )


def read_spec(layout: Layout) -> ClusterSpec | None:
    """The cluster as it was made, or None when there is none of that name."""
    try:
        return msgspec.json.decode(layout.spec.read_bytes(), type=ClusterSpec)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ClusterError(f"{layout.spec} does not describe a cluster ({error}); remove it to start anew") from error


def write_spec(layout: Layout, spec: ClusterSpec) -> None:
    layout.data.mkdir(parents=True, exist_ok=True, mode=0o711)
    write_whole(layout.spec, msgspec.json.format(msgspec.json.encode(spec), indent=1))


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Writes a file so that a reader sees the old or the new one, never half of it."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(data)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    fresh.chmod(mode)
    fresh.replace(path)


def other_specs(layout: Layout) -> list[ClusterSpec]:
    """The clusters of this host besides the layout's own."""
    found = []
    for path in sorted((layout.data_base / "clusters").glob("*/cluster.json")):
        if path.parent.name != layout.name:
            spec = read_spec(Layout(path.parent.name, layout.data_base, layout.run_base))
            found += [spec] if spec else []
    return found


@contextmanager
def planning(layout: Layout) -> Iterator[None]:
    """One cluster of this host is planned at a time."""
    layout.run_base.mkdir(parents=True, exist_ok=True)
    with (layout.run_base / ".planning").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class ClusterLock:
    """At most one cluster of a name runs: an flock that lives as long as any process holds the descriptor."""

    def __init__(self, layout: Layout) -> None:
        layout.run_base.mkdir(parents=True, exist_ok=True)
        self._name = layout.name
        self._path = layout.lock
        self.fd = self._open()

    def acquire(self) -> None:
        """Raises ClusterError when the cluster is running or somebody is just starting or removing it."""
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.close()
                raise ClusterError(
                    f'cluster "{self._name}" is already running, or is just being started or removed; '
                    "see `pyb status`, or remove it with `pyb down`"
                ) from None
            if self._is_named():
                return
            # Whoever held it has removed the file: somebody else may lock a new one of that name.
            self.close()
            self.fd = self._open()

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _is_named(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self.fd))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


def record_process(layout: Layout, name: str, identity: Identity) -> None:
    layout.process_records.mkdir(parents=True, exist_ok=True)
    (layout.process_records / name).write_text(f"{identity.pid} {identity.started}\n")


def forget_process(layout: Layout, name: str) -> None:
    (layout.process_records / name).unlink(missing_ok=True)


def recorded_processes(layout: Layout) -> dict[str, Identity]:
    """Every process that was started for the cluster, alive or not. Unreadable records are passed over."""
    found: dict[str, Identity] = {}
    if not layout.process_records.is_dir():
        return found
    for path in sorted(layout.process_records.iterdir()):
        try:
            fields = path.read_text().split()
        except FileNotFoundError:
            # Forgotten since the folder was read: the process has ended.
            continue
        if len(fields) == 2 and all(field.isdigit() for field in fields):
            found[path.name] = Identity(int(fields[0]), int(fields[1]))
    return found
