"""What an object counts for in a ResourceQuota, and which quotas an object falls under. Pure functions of values.

The admission plug-in asks before a write, the quota controller after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject
from pybernetes.api.pod_amounts import asks_as_a_whole, pod_limits, pod_requests
from pybernetes.api.quantity import add, compare, sub, value
from pybernetes.api.struct import Quantity
from pybernetes.api.time import parse as parse_time
from pybernetes.api.types.core_v1 import (
    PersistentVolumeClaim,
    Pod,
    ResourceQuota,
    ResourceRequirements,
    ScopedResourceSelectorRequirement,
    Service,
)
from pybernetes.api.types.resource_v1 import DeviceSubRequest, ExactDeviceRequest, ResourceClaim

Amounts = dict[str, Quantity]
# Resources of the core group that are counted under their plain name as well as under `count/<name>`.
_PLAIN_COUNTS = frozenset(
    {"pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas"}
)
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
# What containers must ask for where a quota limits it; kept as it is, since for other resources nobody expects it.
_MUST_BE_SAID = ("cpu", "memory")
_CLASS_SUFFIX = ".storageclass.storage.k8s.io/"
_DEVICES_SUFFIX = ".deviceclass.resource.k8s.io/devices"
# A request for all devices that match counts as for the most that one can get.
_DEVICES_MAX = 32


def usage(obj: ApiObject, kind: Kind, now: datetime) -> Amounts:
    """What one object counts for, by the names that quotas use."""
    counted: Amounts = {f"count/{kind.group_resource}": 1}
    if isinstance(obj, Pod):
        # What has ended uses nothing any more but its place in the store.
        return counted | _pod_usage(obj) if _is_living(obj, now) else counted
    if not kind.group and kind.resource in _PLAIN_COUNTS:
        counted[kind.resource] = 1
    if isinstance(obj, Service):
        counted |= _service_usage(obj)
    if isinstance(obj, PersistentVolumeClaim):
        counted |= _claim_usage(obj)
    if isinstance(obj, ResourceClaim):
        counted |= _device_usage(obj)
    return counted


def _is_living(pod: Pod, now: datetime) -> bool:
    """Neither at its end nor deleted so long ago that its node, lost perhaps, ought to have ended it."""
    if pod.status.phase in ("Succeeded", "Failed"):
        return False
    deleted, grace = pod.metadata.deletion_timestamp, pod.metadata.deletion_grace_period_seconds
    return deleted is None or grace is None or now <= parse_time(deleted) + timedelta(seconds=grace)


def _pod_usage(pod: Pod) -> Amounts:
    counted: Amounts = {"pods": 1}
    for key, amount in pod_requests(pod, held=True).items():
        counted[f"requests.{key}"] = amount
        if key in _COMPUTE or key.startswith("hugepages-"):
            counted[key] = amount
    for key, amount in pod_limits(pod, held=True).items():
        if key in _COMPUTE:
            counted[f"limits.{key}"] = amount
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
    storage = _storage(claim)
    if storage is not None:
        counted["requests.storage"] = storage
    annotated = claim.metadata.annotations.get("volume.beta.kubernetes.io/storage-class")
    if name := claim.spec.storage_class_name if annotated is None else annotated:
        prefix = name + _CLASS_SUFFIX
        counted[prefix + "persistentvolumeclaims"] = 1
        if storage is not None:
            counted[prefix + "requests.storage"] = storage
    return counted


def _storage(claim: PersistentVolumeClaim) -> Quantity | None:
    """What is asked for, or what an expansion has come to already, in whole bytes."""
    asked = claim.spec.resources.requests.get("storage")
    allocated = claim.status.allocated_resources.get("storage", 0)
    if asked is not None and compare(allocated, asked) > 0:
        asked = allocated
    return asked if asked is None or compare(value(asked), asked) == 0 else str(value(asked))


def _device_usage(claim: ResourceClaim) -> Amounts:
    counted: Amounts = {}
    for request in claim.spec.devices.requests:
        if request.first_available:
            # One of them will be taken: of each class, the greatest counts.
            greatest: Amounts = {}
            for name, count in map(_devices, request.first_available):
                greatest[name] = max(count, int(greatest.get(name, 0)))
            counted = total(counted, greatest)
        elif request.exactly is not None:
            counted = total(counted, dict([_devices(request.exactly)]))
    return counted


def _devices(request: ExactDeviceRequest | DeviceSubRequest) -> tuple[str, int]:
    counts = {"ExactCount": request.count or 0, "All": _DEVICES_MAX}
    return request.device_class_name + _DEVICES_SUFFIX, counts.get(request.allocation_mode or "", 0)


def is_relevant(quota: ResourceQuota, obj: ApiObject) -> bool:
    """Whether a quota is about the object: all its scopes hold. Scopes are about pods, and one about claims."""
    return all(_holds(scope, obj) for scope in _scopes(quota))


def _scopes(quota: ResourceQuota) -> Iterator[ScopedResourceSelectorRequirement]:
    for scope in quota.spec.scopes:
        yield ScopedResourceSelectorRequirement(scope_name=scope, operator="Exists")
    if quota.spec.scope_selector is not None:
        yield from quota.spec.scope_selector.match_expressions


def _holds(scope: ScopedResourceSelectorRequirement, obj: ApiObject) -> bool:
    if isinstance(obj, PersistentVolumeClaim):
        return scope.scope_name == "VolumeAttributesClass" and _selects(scope, _attribute_classes(obj))
    return isinstance(obj, Pod) and _holds_for_pod(scope, obj)


def _holds_for_pod(scope: ScopedResourceSelectorRequirement, pod: Pod) -> bool:
    match scope.scope_name:
        case "Terminating":
            return is_terminating(pod)
        case "NotTerminating":
            return not is_terminating(pod)
        case "BestEffort":
            return _is_best_effort(pod)
        case "NotBestEffort":
            return not _is_best_effort(pod)
        case "PriorityClass":
            return _selects(scope, [name] if (name := pod.spec.priority_class_name) else [])
        case "CrossNamespacePodAffinity":
            return _crosses_namespaces(pod)
    return False


def is_terminating(pod: Pod) -> bool:
    """Whether the pod ends by itself, as the scope of that name means it."""
    return pod.spec.active_deadline_seconds is not None


def _attribute_classes(claim: PersistentVolumeClaim) -> list[str]:
    """What a claim has of such classes, had or is to have."""
    modifying = claim.status.modify_volume_status
    names = (
        claim.spec.volume_attributes_class_name,
        claim.status.current_volume_attributes_class_name,
        modifying.target_volume_attributes_class_name if modifying is not None else None,
    )
    return [name for name in names if name]


def _is_best_effort(pod: Pod) -> bool:
    if pod.spec.resources is not None:
        parts: Sequence[ResourceRequirements] = [pod.spec.resources]
    else:
        parts = [container.resources for container in (*pod.spec.containers, *pod.spec.init_containers)]
    return not any(
        compare(amount, 0) > 0
        for part in parts
        for side in (part.requests, part.limits)
        for key, amount in side.items()
        if key in ("cpu", "memory")
    )


def _selects(scope: ScopedResourceSelectorRequirement, values: Sequence[str]) -> bool:
    match scope.operator:
        case "In":
            return any(given in scope.values for given in values)
        case "NotIn":
            return not values or any(given not in scope.values for given in values)
        case "DoesNotExist":
            return not values
    return bool(values)


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
    if asks_as_a_whole(pod):
        return ""
    for key in hard:
        side, dot, resource = key.partition(".") if "." in key else ("requests", "", key)
        if resource not in _MUST_BE_SAID or side not in ("requests", "limits"):
            continue
        for container in (*pod.spec.containers, *pod.spec.init_containers):
            if resource not in getattr(container.resources, side):
                lacking.setdefault(key, set()).add(container.name)
    return "; ".join(f"{key} for: {','.join(sorted(names))}" for key, names in sorted(lacking.items()))


def total(amounts: Mapping[str, Quantity], more: Mapping[str, Quantity]) -> Amounts:
    """The sum by name."""
    summed = dict(amounts)
    for key, amount in more.items():
        summed[key] = add(summed[key], amount) if key in summed else amount
    return summed


def growth(new: Mapping[str, Quantity], old: Mapping[str, Quantity]) -> Amounts:
    """By how much the new amounts exceed the old ones, where they do."""
    return {
        key: sub(amount, old[key]) if key in old else amount
        for key, amount in new.items()
        if compare(amount, old.get(key, 0)) > 0
    }


def counts_for(quota: ResourceQuota, obj: ApiObject, kind: Kind, now: datetime) -> Amounts:
    """What an object adds to a quota's `used`, of the names that the quota limits."""
    if not is_relevant(quota, obj):
        return {}
    return {key: amount for key, amount in usage(obj, kind, now).items() if key in quota.spec.hard}


def may_count(kind: Kind, hard: Mapping[str, Quantity]) -> bool:
    """Whether objects of a kind can matter to a quota with these limits."""
    if kind.type in (Pod, Service, PersistentVolumeClaim, ResourceClaim) or f"count/{kind.group_resource}" in hard:
        return True
    return not kind.group and kind.resource in _PLAIN_COUNTS and kind.resource in hard


def same_amounts(one: Mapping[str, Quantity], other: Mapping[str, Quantity]) -> bool:
    """Whether two lists of amounts say the same, however they are written."""
    return one.keys() == other.keys() and all(compare(amount, other[key]) == 0 for key, amount in one.items())
