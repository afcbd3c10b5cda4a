"""Quality of service and control-group values from a pod's requests and limits; pure."""

from __future__ import annotations

from pybernetes.api.quantity import milli, value
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import PodSpec, ResourceRequirements
from pybernetes.kubelet.runtime import LinuxResources

_COMPUTE = ("cpu", "memory")
MIN_SHARES, MAX_SHARES = 2, 262_144
MIN_QUOTA, PERIOD = 1000, 100_000


def qos_class(spec: PodSpec) -> str:
    """Guaranteed, Burstable or BestEffort, over all containers that are not ephemeral."""
    containers = [*spec.containers, *spec.init_containers]
    sets = [spec.resources] if spec.resources else [container.resources for container in containers]
    asked = any(_positive(each.requests, name) or _positive(each.limits, name) for each in sets for name in _COMPUTE)
    if not asked:
        return "BestEffort"
    guaranteed = all(_is_guaranteed(each) for each in sets)
    return "Guaranteed" if guaranteed else "Burstable"


def _positive(amounts: dict[str, Quantity], name: str) -> bool:
    return name in amounts and milli(amounts[name]) > 0


def _is_guaranteed(resources: ResourceRequirements) -> bool:
    for name in _COMPUTE:
        if not _positive(resources.limits, name):
            return False
        request = resources.requests.get(name, resources.limits[name])
        if milli(request) != milli(resources.limits[name]):
            return False
    return True


def linux_resources(resources: ResourceRequirements, qos: str, node_memory: int) -> LinuxResources:
    """Control-group values of one container on a node with `node_memory` bytes."""
    limits, requests = resources.limits, resources.requests
    cpu_limit = milli(limits["cpu"]) if "cpu" in limits else 0
    cpu_request = milli(requests["cpu"]) if "cpu" in requests else cpu_limit
    memory = value(limits["memory"]) if "memory" in limits else 0
    return LinuxResources(
        cpu_shares=cpu_shares(cpu_request),
        cpu_quota=max(cpu_limit * PERIOD // 1000, MIN_QUOTA) if cpu_limit else 0,
        cpu_period=PERIOD,
        memory_limit=memory,
        oom_score_adj=_oom_score(requests, limits, qos, node_memory),
    )


def cpu_shares(milli_cpu: int) -> int:
    return min(max(milli_cpu * 1024 // 1000, MIN_SHARES), MAX_SHARES)


def _oom_score(requests: dict[str, Quantity], limits: dict[str, Quantity], qos: str, node_memory: int) -> int:
    if qos == "Guaranteed":
        return -997
    if qos == "BestEffort" or not node_memory:
        return 1000
    asked = requests.get("memory", limits.get("memory", 0))
    score = 1000 - 1000 * value(asked) // node_memory
    return min(max(score, 3), 999)
