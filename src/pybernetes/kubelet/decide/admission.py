"""Whether a pod that is bound to this node may run here: what the scheduler could not know is checked again. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.api.quantity import milli
from pybernetes.api.sysctls import SAFE_SYSCTLS
from pybernetes.api.types.core_v1 import Node, Pod
from pybernetes.kubelet.decide.observed import Waiting

_Port = tuple[str, str, int]  # address of the node, protocol, port
_ALL = "0.0.0.0"


def refusal(pod: Pod, others: Iterable[Pod], node: Node) -> Waiting | None:
    """Why the pod cannot run; None when it can. A pod that has run here before is never refused."""
    if pod.status.start_time or pod.metadata.deletion_timestamp or pod.status.phase in ("Succeeded", "Failed"):
        return None
    if forbidden := _forbidden_sysctl(pod):
        return Waiting("SysctlForbidden", f"Pod was rejected: forbidden sysctl: {forbidden}")
    present = [other for other in others if other.status.phase not in ("Succeeded", "Failed")]
    allocatable = node.status.allocatable
    room = milli(allocatable.get("pods", 110)) // 1000
    if len(present) >= room:
        return _out_of("pods", 1, len(present), room)
    for name in ("cpu", "memory"):
        if name not in allocatable:
            continue
        asked = requested(pod, name)
        used = sum(requested(other, name) for other in present)
        if asked and asked + used > milli(allocatable[name]):
            divisor = 1 if name == "cpu" else 1000
            return _out_of(name, asked // divisor, used // divisor, milli(allocatable[name]) // divisor)
    taken = [port for other in present for port in _host_ports(other)]
    if any(_clash(port, other) for port in _host_ports(pod) for other in taken):
        text = "node(s) didn't have free ports for the requested pod ports"
        return Waiting("NodePorts", f"Pod was rejected: Predicate NodePorts failed: {text}")
    return None


def _host_ports(pod: Pod) -> list[_Port]:
    sidecars = [container for container in pod.spec.init_containers if container.restart_policy == "Always"]
    return [
        (port.host_ip or _ALL, port.protocol or "TCP", port.host_port)
        for container in (*pod.spec.containers, *sidecars)
        for port in container.ports
        if port.host_port
    ]


def _clash(one: _Port, other: _Port) -> bool:
    """The same port, on one address or with one of them on all addresses."""
    return one[1:] == other[1:] and (one[0] == other[0] or _ALL in (one[0], other[0]))


def _forbidden_sysctl(pod: Pod) -> str:
    """What is wrong with the first sysctl that may not be set: it has to be safe, and the pod's own."""
    context = pod.spec.security_context
    for sysctl in context.sysctls if context else ():
        name = sysctl.name.replace("/", ".")
        if name not in SAFE_SYSCTLS:
            return f'"{name}" not allowlisted'
        if pod.spec.host_network and name.startswith("net."):
            return f'"{name}" not allowed with host net enabled'
        if pod.spec.host_ipc and not name.startswith("net."):
            return f'"{name}" not allowed with host ipc enabled'
    return ""


def _out_of(name: str, asked: int, used: int, room: int) -> Waiting:
    text = f"Node didn't have enough resource: {name}, requested: {asked}, used: {used}, capacity: {room}"
    return Waiting(f"OutOf{name}", f"Pod was rejected: {text}")


def requested(pod: Pod, name: str) -> int:
    """Thousandths: the containers together, or the most demanding init container beside the sidecars before it."""
    if pod.spec.resources is not None and name in pod.spec.resources.requests:
        return milli(pod.spec.resources.requests[name])
    sidecars, peak = 0, 0
    for container in pod.spec.init_containers:
        amount = milli(container.resources.requests.get(name, 0))
        if container.restart_policy == "Always":
            sidecars += amount
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + amount)
    running = sidecars + sum(milli(container.resources.requests.get(name, 0)) for container in pod.spec.containers)
    overhead = milli(pod.spec.overhead.get(name, 0))
    return max(running, peak) + overhead
