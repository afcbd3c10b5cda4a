"""A node and the sums over the pods on it, kept up to date by adding and removing pods.

The snapshot owns these; decisions read them. `free_*` may be negative when a node was given more than it has.
"""

from __future__ import annotations

from typing import NamedTuple

from pybernetes.api.types.core_v1 import Node
from pybernetes.scheduler.pod_info import HostPort, PodInfo
from pybernetes.scheduler.resources import amounts

ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
ANY_ADDRESS = "0.0.0.0"


class TaintKey(NamedTuple):
    """A taint without its time."""

    key: str
    value: str
    effect: str


class NodeInfo:
    """`node` is None while only pods that name it are known."""

    __slots__ = (
        "cpu",
        "ephemeral",
        "free_cpu",
        "free_ephemeral",
        "free_memory",
        "free_pods",
        "free_scalars",
        "images",
        "labels",
        "memory",
        "name",
        "node",
        "pods",
        "pods_allowed",
        "ports",
        "scalars",
        "scored_cpu",
        "scored_memory",
        "soft_taints",
        "taints",
        "unschedulable",
        "zone",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.node: Node | None = None
        self.pods: dict[str, PodInfo] = {}
        self.labels: dict[str, str] = {}
        self.zone = ""
        self.taints: tuple[TaintKey, ...] = ()  # NoSchedule and NoExecute
        self.soft_taints: tuple[TaintKey, ...] = ()  # PreferNoSchedule
        self.unschedulable = False
        self.images: dict[str, int] = {}
        self.cpu = self.memory = self.ephemeral = self.pods_allowed = 0
        self.scalars: dict[str, int] = {}
        self.free_cpu = self.free_memory = self.free_ephemeral = self.free_pods = 0
        self.free_scalars: dict[str, int] = {}
        # Requests as scoring sees them.
        self.scored_cpu = self.scored_memory = 0
        self.ports: dict[tuple[str, int], list[str]] = {}

    def set_node(self, node: Node | None) -> None:
        """Takes over what the node says of itself; None when it is gone but pods still name it."""
        self.node = node
        node = node or Node()
        self.labels = node.metadata.labels
        self.zone = f"{self.labels.get(REGION, '')}\0{self.labels.get(ZONE, '')}"
        self.unschedulable = bool(node.spec.unschedulable)
        taints = [TaintKey(taint.key, taint.value or "", taint.effect) for taint in node.spec.taints]
        self.taints = tuple(taint for taint in taints if taint.effect in ("NoSchedule", "NoExecute"))
        self.soft_taints = tuple(taint for taint in taints if taint.effect == "PreferNoSchedule")
        self.images = {name: image.size_bytes or 0 for image in node.status.images for name in image.names}
        self._set_allocatable(amounts(node.status.allocatable))

    def _set_allocatable(self, found: dict[str, int]) -> None:
        cpu, memory = found.pop("cpu", 0), found.pop("memory", 0)
        ephemeral, pods = found.pop("ephemeral-storage", 0), found.pop("pods", 0)
        self.free_cpu += cpu - self.cpu
        self.free_memory += memory - self.memory
        self.free_ephemeral += ephemeral - self.ephemeral
        self.free_pods += pods - self.pods_allowed
        for name in {*found, *self.scalars}:
            more = found.get(name, 0) - self.scalars.get(name, 0)
            self.free_scalars[name] = self.free_scalars.get(name, 0) + more
        self.cpu, self.memory, self.ephemeral, self.pods_allowed = cpu, memory, ephemeral, pods
        self.scalars = found

    def add_pod(self, info: PodInfo) -> None:
        """Counts a pod; its uid must be new here."""
        self.pods[info.uid] = info
        self._count(info, 1)
        for port in info.ports:
            self.ports.setdefault((port.protocol, port.port), []).append(port.ip)

    def remove_pod(self, uid: str) -> PodInfo | None:
        """The pod that was counted under this uid and is no longer."""
        info = self.pods.pop(uid, None)
        if info is None:
            return None
        self._count(info, -1)
        for port in info.ports:
            addresses = self.ports[port.protocol, port.port]
            addresses.remove(port.ip)
            if not addresses:
                del self.ports[port.protocol, port.port]
        return info

    def _count(self, info: PodInfo, sign: int) -> None:
        request = info.request
        self.free_cpu -= sign * request.cpu
        self.free_memory -= sign * request.memory
        self.free_ephemeral -= sign * request.ephemeral
        self.free_pods -= sign
        self.scored_cpu += sign * request.scored_cpu
        self.scored_memory += sign * request.scored_memory
        for name, amount in request.scalars:
            self.free_scalars[name] = self.free_scalars.get(name, 0) - sign * amount

    def port_taken(self, wanted: HostPort) -> bool:
        """Whether a pod here has the port, on the same address or on all."""
        addresses = self.ports.get((wanted.protocol, wanted.port))
        if not addresses:
            return False
        return wanted.ip == ANY_ADDRESS or ANY_ADDRESS in addresses or wanted.ip in addresses
