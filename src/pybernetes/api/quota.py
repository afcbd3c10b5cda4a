"""What an object counts for in a ResourceQuota, and which quotas an object falls under. Pure functions of values.

The admission plug-in asks before a write, the quota controller after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.pod_amounts import pod_limits, pod_requests
from pybernetes.api.quantity import add, compare, sub
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import (
    PersistentVolumeClaim,
    Pod,
    ResourceQuota,
    ScopedResourceSelectorRequirement,
    Service,
)

Amounts = dict[str, Quantity]
# Resources of the core group that are counted under their plain name as well as under `count/<name>`.
_PLAIN_COUNTS = frozenset(
    {"pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas"}
)
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_CLASS_SUFFIX = ".storageclass.storage.k8s.io/"


def usage(obj: ApiObject, kind: Kind) -> Amounts:
    """What one object counts for, by the names that quotas use."""
    counted: Amounts = {f"count/{kind.group_resource}": 1}
    if isinstance(obj, Pod):
        # What has ended uses nothing any more but its place in the store.
        return counted if obj.status.phase in ("Succeeded", "Failed") else counted | _pod_usage(obj)
    if not kind.group and kind.resource in _PLAIN_COUNTS:
        counted[kind.resource] = 1
    if isinstance(obj, Service):
        counted |= _service_usage(obj)
    if isinstance(obj, PersistentVolumeClaim):
        counted |= _claim_usage(obj)
    return counted


def _pod_usage(pod: Pod) -> Amounts:
    counted: Amounts = {"pods": 1}
    for key, value in pod_requests(pod).items():
        counted[f"requests.{key}"] = value
        if key in _COMPUTE or key.startswith("hugepages-"):
            counted[key] = value
    for key, value in pod_limits(pod).items():
        if key in _COMPUTE:
            counted[f"limits.{key}"] = value
    return counted


def _service_usage(service: Service) -> Amounts:
    spec = service.spec
    if spec.type == "NodePort":
        return {"services.nodeports": len(spec.ports)}
    if spec.type == "LoadBalancer":
        ports = 0 if spec.allocate_load_balancer_node_ports is False else len(spec.ports)
        return {"services.loadbalancers": 1, "services.nodeports": ports}
    return {}


def _claim_usage(claim: PersistentVolumeClaim) -> Amounts:
    counted: Amounts = {}
    storage = claim.spec.resources.requests.get("storage")
    if storage is not None:
        counted["requests.storage"] = storage
    if claim.spec.storage_class_name:
        prefix = claim.spec.storage_class_name + _CLASS_SUFFIX
        counted[prefix + "persistentvolumeclaims"] = 1
        if storage is not None:
            counted[prefix + "requests.storage"] = storage
    return counted


def is_relevant(quota: ResourceQuota, obj: ApiObject) -> bool:
    """Whether a quota is about the object: all its scopes hold. Scopes are about pods only."""
    scopes = list(_scopes(quota))
    return not scopes or (isinstance(obj, Pod) and all(_holds(scope, obj) for scope in scopes))


def _scopes(quota: ResourceQuota) -> Iterator[ScopedResourceSelectorRequirement]:
    for scope in quota.spec.scopes:
        yield ScopedResourceSelectorRequirement(scope_name=scope, operator="Exists")
    if quota.spec.scope_selector is not None:
        yield from quota.spec.scope_selector.match_expressions


def _holds(scope: ScopedResourceSelectorRequirement, pod: Pod) -> bool:
    match scope.scope_name:
        case "Terminating":
            return pod.spec.active_deadline_seconds is not None
        case "NotTerminating":
            return pod.spec.active_deadline_seconds is None
        case "BestEffort":
            return _is_best_effort(pod)
        case "NotBestEffort":
            return not _is_best_effort(pod)
        case "PriorityClass":
            return _selects(scope, pod.spec.priority_class_name or "")
        case "CrossNamespacePodAffinity":
            return _crosses_namespaces(pod)
    return False


def _is_best_effort(pod: Pod) -> bool:
    containers = (*pod.spec.containers, *pod.spec.init_containers)
    return not any(
        key in _COMPUTE[:2]
        for container in containers
        for key in (*container.resources.requests, *container.resources.limits)
    )


def _selects(scope: ScopedResourceSelectorRequirement, value: str) -> bool:
    match scope.operator:
        case "In":
            return value in scope.values
        case "NotIn":
            return value not in scope.values
        case "DoesNotExist":
            return not value
    return bool(value)


def _crosses_namespaces(pod: Pod) -> bool:
    affinity = pod.spec.affinity
    if affinity is None:
        return False
    for part in (affinity.pod_affinity, affinity.pod_anti_affinity):
        if part is None:
            continue
        weighted = part.preferred_during_scheduling_ignored_during_execution
        terms = [
            *part.required_during_scheduling_ignored_during_execution,
            *(item.pod_affinity_term for item in weighted),
        ]
        if any(term.namespaces or term.namespace_selector is not None for term in terms):
            return True
    return False


def missing(pod: Pod, hard: Mapping[str, Quantity]) -> str:
    """What containers must say because a quota limits it: `limits.memory for: c; requests.cpu for: c`, or nothing."""
    lacking: dict[str, set[str]] = {}
    for key in hard:
        for container in (*pod.spec.containers, *pod.spec.init_containers):
            given = _given(key)
            if given is not None:
                side, resource = given
                amounts = container.resources.limits if side == "limits" else container.resources.requests
                if resource not in amounts:
                    lacking.setdefault(key, set()).add(container.name)
    return "; ".join(f"{key} for: {','.join(sorted(names))}" for key, names in sorted(lacking.items()))


def _given(key: str) -> tuple[str, str] | None:
    side, _dot, resource = key.partition(".")
    if side in ("requests", "limits") and resource in _COMPUTE:
        return side, resource
    return ("requests", key) if key in _COMPUTE else None


def total(amounts: Mapping[str, Quantity], more: Mapping[str, Quantity]) -> Amounts:
    """The sum by name."""
    summed = dict(amounts)
    for key, value in more.items():
        summed[key] = add(summed[key], value) if key in summed else value
    return summed


def growth(new: Mapping[str, Quantity], old: Mapping[str, Quantity]) -> Amounts:
    """By how much the new amounts exceed the old ones, where they do."""
    return {
        key: sub(value, old[key]) if key in old else value
        for key, value in new.items()
        if compare(value, old.get(key, 0)) > 0
    }


def counts_for(quota: ResourceQuota, obj: ApiObject, kind: Kind) -> Amounts:
    """What an object adds to a quota's `used`, of the names that the quota limits."""
    if not is_relevant(quota, obj):
        return {}
    return {key: value for key, value in usage(obj, kind).items() if key in quota.spec.hard}


def may_count(kind: Kind, hard: Mapping[str, Quantity]) -> bool:
    """Whether objects of a kind can matter to a quota with these limits."""
    if kind.type in (Pod, Service, PersistentVolumeClaim) or f"count/{kind.group_resource}" in hard:
        return True
    return not kind.group and kind.resource in _PLAIN_COUNTS and kind.resource in hard


def same_amounts(one: Mapping[str, Quantity], other: Mapping[str, Quantity]) -> bool:
    """Whether two lists of amounts say the same, however they are written."""
    return one.keys() == other.keys() and all(compare(value, other[key]) == 0 for key, value in one.items())
