"""`describe node`: addresses, conditions, capacity, system information, the pods on it and what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pybernetes.api import quantity
from pybernetes.api.quantity import QuantityLike
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.api.types.core_v1 import Container, Event, Node, Pod
from pybernetes.kubectl.describe.writing import Writing, moment, write_annotations, write_events, write_map
from pybernetes.kubectl.durations import age

ROLE = "node-role.kubernetes.io/"
_STANDARD = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True)
class NodeFacts:
    """What is known of a node besides the object itself."""

    lease: Lease | None = None
    pods: Sequence[Pod] = field(default_factory=list)
    events: Sequence[Event] = field(default_factory=list)


def describe_node(writing: Writing, node: Node, facts: NodeFacts, now: datetime) -> None:
    """The whole description."""
    _write_head(writing, node)
    _write_lease(writing, facts.lease)
    _write_conditions(writing, node)
    writing.line("Addresses:")
    for address in node.status.addresses:
        writing.pair(address.type, address.address, 1)
    for title, amounts in (("Capacity", node.status.capacity), ("Allocatable", node.status.allocatable)):
        writing.line(f"{title}:")
        for name in sorted(amounts):
            writing.pair(name, quantity.canonical(amounts[name]), 1)
    _write_system(writing, node)
    if node.spec.pod_cidr:
        writing.pair("PodCIDR", node.spec.pod_cidr)
    if node.spec.pod_cidrs:
        writing.pair("PodCIDRs", ",".join(node.spec.pod_cidrs))
    if node.spec.provider_id:
        writing.pair("ProviderID", node.spec.provider_id)
    _write_pods(writing, node, facts.pods, now)
    write_events(writing, facts.events, now)


def roles(labels: Mapping[str, str]) -> str:
    """The roles that labels give a node."""
    found = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE) and key != ROLE}
    found |= {value for key, value in labels.items() if key == "kubernetes.io/role" and value}
    return ",".join(sorted(found)) or "<none>"


def _write_head(writing: Writing, node: Node) -> None:
    metadata = node.metadata
    writing.pair("Name", metadata.name)
    writing.pair("Roles", roles(metadata.labels))
    write_map(writing, "Labels", metadata.labels)
    write_annotations(writing, metadata.annotations)
    writing.pair("CreationTimestamp", moment(metadata.creation_timestamp))
    taints = [
        f"{taint.key}{f'={taint.value}' if taint.value else ''}:{taint.effect}"
        for taint in sorted(node.spec.taints, key=lambda item: item.key)
    ] or ["<none>"]
    writing.pair("Taints", taints[0])
    for taint in taints[1:]:
        writing.line(f"\t{taint}")
    writing.pair("Unschedulable", "true" if node.spec.unschedulable else "false")


def _write_lease(writing: Writing, lease: Lease | None) -> None:
    if lease is None:
        writing.line("Lease:")
        for name in ("HolderIdentity", "AcquireTime", "RenewTime"):
            writing.pair(name, "<unset>", 1)
        return
    spec = lease.spec
    writing.line("Lease:")
    writing.pair("HolderIdentity", spec.holder_identity or "<unset>", 1)
    writing.pair("AcquireTime", moment(spec.acquire_time) if spec.acquire_time else "<unset>", 1)
    writing.pair("RenewTime", moment(spec.renew_time) if spec.renew_time else "<unset>", 1)


def _write_conditions(writing: Writing, node: Node) -> None:
    if not node.status.conditions:
        return
    writing.line("Conditions:")
    writing.line("Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage", 1)
    writing.line("----\t------\t-----------------\t------------------\t------\t-------", 1)
    for item in node.status.conditions:
        times = f"{moment(item.last_heartbeat_time)} \t{moment(item.last_transition_time)} "
        writing.line(f"{item.type} \t{item.status} \t{times}\t{item.reason or ''} \t{item.message or ''}", 1)


def _write_system(writing: Writing, node: Node) -> None:
    info = node.status.node_info
    writing.line("System Info:")
    for name, value in (
        ("Machine ID", info.machine_id),
        ("System UUID", info.system_uuid),
        ("Boot ID", info.boot_id),
        ("Kernel Version", info.kernel_version),
        ("OS Image", info.os_image),
        ("Operating System", info.operating_system),
        ("Architecture", info.architecture),
        ("Container Runtime Version", info.container_runtime_version),
        ("Kubelet Version", info.kubelet_version),
        ("Kube-Proxy Version", info.kube_proxy_version),
    ):
        writing.pair(name, value, 1)


Amounts = dict[str, str]


def _summed(many: Iterable[Mapping[str, QuantityLike]]) -> Amounts:
    total: Amounts = {}
    for amounts in many:
        for name, value in amounts.items():
            total[name] = quantity.add(total[name], value) if name in total else quantity.canonical(value)
    return total


def _largest(first: Amounts, second: Mapping[str, QuantityLike]) -> Amounts:
    result = dict(first)
    for name, value in second.items():
        if name not in result or quantity.compare(value, result[name]) > 0:
            result[name] = quantity.canonical(value)
    return result


def pod_amounts(pod: Pod, read: Callable[[Container], Mapping[str, QuantityLike]]) -> Amounts:
    """What a pod asks for (or is limited to) in all: containers together, or the largest step of its start."""
    sidecars = [item for item in pod.spec.init_containers if item.restart_policy == "Always"]
    total = _summed(read(item) for item in (*pod.spec.containers, *sidecars))
    running: Amounts = {}
    for item in pod.spec.init_containers:
        step = _summed((running, read(item)))
        total = _largest(total, step)
        if item.restart_policy == "Always":
            running = step
    return _summed((total, pod.spec.overhead))


def requests(pod: Pod) -> Amounts:
    return pod_amounts(pod, lambda item: item.resources.requests)


def limits(pod: Pod) -> Amounts:
    return pod_amounts(pod, lambda item: item.resources.limits)


def share(amount: QuantityLike, whole: QuantityLike) -> int:
    """Per cent, cut off; 0 of nothing."""
    total = quantity.parse(whole)
    return int(quantity.parse(amount) * 100 / total) if total else 0


def _write_pods(writing: Writing, node: Node, pods: Sequence[Pod], now: datetime) -> None:
    living = [pod for pod in pods if pod.status.phase not in ("Succeeded", "Failed")]
    living.sort(key=lambda pod: (pod.metadata.namespace or "", pod.metadata.name or ""))
    whole = node.status.allocatable or node.status.capacity

    def shown(amounts: Amounts, name: str) -> str:
        amount = amounts.get(name, "0")
        return f"{amount} ({share(amount, whole.get(name, '0'))}%)"

    writing.line(f"Non-terminated Pods:\t({len(living)} in total)")
    writing.line("Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge", 1)
    writing.line("---------\t----\t\t------------\t----------\t---------------\t-------------\t---", 1)
    for pod in living:
        wants, may = requests(pod), limits(pod)
        cells = [shown(wants, "cpu"), shown(may, "cpu"), shown(wants, "memory"), shown(may, "memory")]
        place = f"{pod.metadata.namespace}\t{pod.metadata.name}\t"
        writing.line("\t".join([place, *cells, age(pod.metadata.creation_timestamp, now)]), 1)
    wanted, allowed = _summed(map(requests, living)), _summed(map(limits, living))
    writing.line("Allocated resources:")
    writing.line("(Total limits may be over 100 percent, i.e., overcommitted.)", 1)
    writing.line("Resource\tRequests\tLimits", 1)
    writing.line("--------\t--------\t------", 1)
    for name in (*_STANDARD, *sorted(set(whole) - {*_STANDARD, "pods"})):
        if name in _STANDARD or name.startswith("hugepages-"):
            writing.line(f"{name}\t{shown(wanted, name)}\t{shown(allowed, name)}", 1)
        else:
            writing.line(f"{name}\t{wanted.get(name, '0')}\t{allowed.get(name, '0')}", 1)
