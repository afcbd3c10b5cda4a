"""The Node object as the kubelet registers it, and its status, from facts about machine and runtime; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pybernetes.api.quantity import canonical, from_value
from pybernetes.api.types.core_v1 import (
    ContainerImage,
    DaemonEndpoint,
    Node,
    NodeAddress,
    NodeCondition,
    NodeDaemonEndpoints,
    NodeRuntimeHandler,
    NodeSpec,
    NodeStatus,
    NodeSystemInfo,
    Taint,
)
from pybernetes.api.types.meta_v1 import ObjectMeta
from pybernetes.kubelet.options import KUBELET_VERSION, KubeletOptions
from pybernetes.kubelet.runtime import Image, RuntimeVersion

MOST_IMAGES = 50


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine is; bytes."""

    cpus: int = 4
    memory: int = 8 << 30
    storage: int = 100 << 30
    kernel: str = "simulated"
    os_image: str = "Simulated"
    architecture: str = "amd64"
    machine_id: str = ""
    system_uuid: str = ""
    boot_id: str = ""


@dataclass(frozen=True, slots=True)
class Pressure:
    """Which of the node's means are running out."""

    memory: bool = False
    disk: bool = False
    pid: bool = False


@dataclass(frozen=True)
class NodeFacts:
    """All that a node's status is made from, but time."""

    machine: Machine
    runtime: RuntimeVersion
    problems: tuple[str, ...] = ()
    pressure: Pressure = Pressure()
    images: tuple[Image, ...] = ()


def new_node(options: KubeletOptions, facts: NodeFacts, now: str) -> Node:
    """The Node to register."""
    taints = list(options.register_with_taints)
    annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
    if options.external_cloud_provider:
        taints.append(Taint(key="node.cloudprovider.kubernetes.io/uninitialized", value="true", effect="NoSchedule"))
        annotations["alpha.kubernetes.io/provided-node-ip"] = options.node_ip
    return Node(
        metadata=ObjectMeta(
            name=options.node_name, labels=node_labels(options, facts.machine), annotations=annotations
        ),
        spec=NodeSpec(taints=taints, provider_id=options.provider_id or None),
        status=node_status(options, facts, NodeStatus(), now),
    )


def node_labels(options: KubeletOptions, machine: Machine) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": options.hostname or options.node_name,
        "kubernetes.io/os": "linux",
        **options.labels,
    }


def node_status(options: KubeletOptions, facts: NodeFacts, old: NodeStatus, now: str) -> NodeStatus:
    """The status to have at the API server; `old` keeps transition times and what others own."""
    # Extended resources are told of by whoever patches the capacity; all of them are allocatable.
    capacity = {**old.capacity, **node_capacity(options, facts.machine)}
    addresses = [
        NodeAddress(type="InternalIP", address=options.node_ip),
        NodeAddress(type="Hostname", address=options.hostname or options.node_name),
    ]
    if options.external_cloud_provider and old.addresses:
        addresses = old.addresses
    return NodeStatus(
        addresses=addresses,
        capacity=dict(capacity),
        allocatable=dict(capacity),
        conditions=_conditions(facts, old.conditions, now),
        daemon_endpoints=NodeDaemonEndpoints(kubelet_endpoint=DaemonEndpoint(port=options.port)),
        node_info=_system_info(facts),
        images=_images(facts.images),
        runtime_handlers=[NodeRuntimeHandler(name="")],
        volumes_attached=old.volumes_attached,
        volumes_in_use=old.volumes_in_use,
        phase=old.phase,
    )


def node_capacity(options: KubeletOptions, machine: Machine) -> dict[str, str | int | float]:
    return {
        "cpu": canonical(options.cpu) if options.cpu else str(machine.cpus),
        "ephemeral-storage": canonical(options.ephemeral_storage)
        if options.ephemeral_storage
        else f"{machine.storage // 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": canonical(options.memory) if options.memory else f"{machine.memory // 1024}Ki",
        "pods": from_value(options.max_pods),
    }


def _system_info(facts: NodeFacts) -> NodeSystemInfo:
    machine = facts.machine
    return NodeSystemInfo(
        architecture=machine.architecture,
        boot_id=machine.boot_id,
        container_runtime_version=f"{facts.runtime.name}://{facts.runtime.version}",
        kernel_version=machine.kernel,
        kubelet_version=KUBELET_VERSION,
        machine_id=machine.machine_id,
        operating_system="linux",
        os_image=machine.os_image,
        system_uuid=machine.system_uuid,
    )


def _conditions(facts: NodeFacts, old: Sequence[NodeCondition], now: str) -> list[NodeCondition]:
    pressure = facts.pressure
    ready = not facts.problems
    message = "kubelet is posting ready status" if ready else ", ".join(facts.problems)
    own = [
        _condition("MemoryPressure", pressure.memory, _MEMORY[pressure.memory]),
        _condition("DiskPressure", pressure.disk, _DISK[pressure.disk]),
        _condition("PIDPressure", pressure.pid, _PID[pressure.pid]),
        _condition("Ready", ready, ("KubeletReady" if ready else "KubeletNotReady", message)),
    ]
    before = {condition.type: condition for condition in old}
    for condition in own:
        known = before.get(condition.type)
        condition.last_heartbeat_time = now
        kept = known is not None and known.status == condition.status
        condition.last_transition_time = known.last_transition_time if known is not None and kept else now
    names = {condition.type for condition in own}
    return [*(condition for condition in old if condition.type not in names), *own]


_MEMORY = (
    ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
)
_DISK = (
    ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("KubeletHasDiskPressure", "kubelet has disk pressure"),
)
_PID = (
    ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
)


def _condition(type_: str, holds: bool, words: tuple[str, str]) -> NodeCondition:
    return NodeCondition(type=type_, status="True" if holds else "False", reason=words[0], message=words[1])


def _images(images: Sequence[Image]) -> list[ContainerImage]:
    """The largest images first, as upstream reports them."""
    shown = sorted(images, key=lambda image: (-image.size, image.id))[:MOST_IMAGES]
    return [ContainerImage(names=[*image.digests, *image.tags], size_bytes=image.size) for image in shown]


def same_but_for_heartbeats(one: NodeStatus, other: NodeStatus) -> bool:
    """Whether two statuses tell the same; heartbeats are told by the Lease."""
    return _without_heartbeats(one) == _without_heartbeats(other)


def _without_heartbeats(status: NodeStatus) -> tuple[object, ...]:
    conditions = tuple(
        (each.type, each.status, each.reason, each.message)
        for each in sorted(status.conditions, key=lambda condition: condition.type)
    )
    addresses = tuple((each.type, each.address) for each in status.addresses)
    rest = (status.capacity, status.allocatable, status.node_info, status.images, status.daemon_endpoints)
    return conditions, addresses, rest
