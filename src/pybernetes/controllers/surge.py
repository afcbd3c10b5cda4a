"""The arithmetic of a rolling update: how many pods may be too many, too few, and how much each ReplicaSet may grow
or shrink.

Pure functions of a Deployment and its ReplicaSets; `deployment_decision` calls them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pybernetes.api.struct import IntOrString
from pybernetes.api.types.apps_v1 import Deployment, ReplicaSet
from pybernetes.api.whole_number import whole_number

DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"


def scaled(value: IntOrString | None, total: int, round_up: bool) -> int:
    """A number, or a percentage such as "25%" of the total."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    part = int(value.removesuffix("%")) * total
    return -(-part // 100) if round_up else part // 100


def fenceposts(deployment: Deployment) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods; one of them is at least 1, or nothing could ever move."""
    rolling = deployment.spec.strategy.rolling_update
    if rolling is None:
        return 0, 1
    total = replicas_of(deployment)
    surge = scaled(rolling.max_surge, total, round_up=True)
    unavailable = scaled(rolling.max_unavailable, total, round_up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def is_rolling(deployment: Deployment) -> bool:
    return (deployment.spec.strategy.type or "RollingUpdate") == "RollingUpdate"


def max_surge(deployment: Deployment) -> int:
    return fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Deployment) -> int:
    total = replicas_of(deployment)
    return min(fenceposts(deployment)[1], total) if is_rolling(deployment) and total else 0


def replicas_of(workload: Deployment | ReplicaSet) -> int:
    """Desired replicas; absent means one."""
    return 1 if workload.spec.replicas is None else workload.spec.replicas


def total_replicas(replica_sets: Iterable[ReplicaSet]) -> int:
    return sum(replicas_of(item) for item in replica_sets)


def total_available(replica_sets: Iterable[ReplicaSet]) -> int:
    return sum(item.status.available_replicas or 0 for item in replica_sets)


def new_size(deployment: Deployment, replica_sets: Sequence[ReplicaSet], new: ReplicaSet | None) -> int:
    """How large the new ReplicaSet may be now."""
    desired = replicas_of(deployment)
    if not is_rolling(deployment):
        return desired
    current = replicas_of(new) if new is not None else 0
    room = desired + max_surge(deployment) - total_replicas(replica_sets)
    return current + min(room, desired - current) if room > 0 else current


def shrink_old(deployment: Deployment, old: Sequence[ReplicaSet], new: ReplicaSet) -> dict[str, int]:
    """Name -> new size of the old ReplicaSets that give way now: first their unhealthy pods, then healthy ones."""
    active = oldest_first(item for item in old if replicas_of(item) > 0)
    if not active:
        return {}
    least = replicas_of(deployment) - max_unavailable(deployment)
    new_unavailable = replicas_of(new) - (new.status.available_replicas or 0)
    spare = total_replicas([*active, new]) - least - new_unavailable
    if spare <= 0:
        return {}
    sizes = {item.metadata.name or "": replicas_of(item) for item in active}
    changed = _drop_unhealthy(active, sizes, spare)
    # Only pods that are available beyond the least number may go; unhealthy ones went above and did not count.
    healthy_spare = total_available([*active, new]) - least
    changed |= _drop_healthy(active, sizes, healthy_spare)
    return {name: sizes[name] for name in changed}


def _drop_unhealthy(active: Sequence[ReplicaSet], sizes: dict[str, int], spare: int) -> set[str]:
    changed = set()
    for item in active:
        name = item.metadata.name or ""
        count = min(spare, sizes[name] - (item.status.available_replicas or 0))
        if count > 0:
            sizes[name] -= count
            spare -= count
            changed.add(name)
    return changed


def _drop_healthy(active: Sequence[ReplicaSet], sizes: dict[str, int], spare: int) -> set[str]:
    changed = set()
    for item in active:
        name = item.metadata.name or ""
        count = min(spare, sizes[name])
        if count > 0:
            sizes[name] -= count
            spare -= count
            changed.add(name)
    return changed


def proportional(deployment: Deployment, active: Sequence[ReplicaSet]) -> dict[str, int]:
    """Name -> size when a Deployment is scaled in the middle of a roll-out: each ReplicaSet takes its share."""
    desired = replicas_of(deployment)
    allowed = desired + max_surge(deployment) if desired > 0 else 0
    to_add = allowed - total_replicas(active)
    ordered = _by_size(active, newest_wins=to_add > 0)
    sizes: dict[str, int] = {}
    added = 0
    for item in ordered:
        share = _share(deployment, item, to_add, added)
        sizes[item.metadata.name or ""] = replicas_of(item) + share
        added += share
    if ordered and to_add:
        first = ordered[0].metadata.name or ""
        sizes[first] = max(sizes[first] + to_add - added, 0)
    return sizes


def _by_size(active: Sequence[ReplicaSet], newest_wins: bool) -> list[ReplicaSet]:
    """Largest first; among equals the newest when growing, the oldest when shrinking."""
    ordered = oldest_first(active)
    if newest_wins:
        ordered.reverse()
    return sorted(ordered, key=lambda item: -replicas_of(item))


def _share(deployment: Deployment, item: ReplicaSet, to_add: int, added: int) -> int:
    current = replicas_of(item)
    if current == 0 or to_add in (0, added):
        return 0
    share = _fraction(deployment, item)
    left = to_add - added
    return min(share, left) if to_add > 0 else max(share, left)


def _fraction(deployment: Deployment, item: ReplicaSet) -> int:
    current = replicas_of(item)
    desired = replicas_of(deployment)
    if desired == 0:
        return -current
    before = annotated(item, MAX_REPLICAS) or deployment.status.replicas or current
    size = current * (desired + max_surge(deployment)) / before
    return math.floor(size + 0.5) - current


def annotated(item: ReplicaSet, name: str) -> int | None:
    """A number in an annotation; None when it is absent or no number."""
    return whole_number(item.metadata.annotations.get(name, ""))


def oldest_first(replica_sets: Iterable[ReplicaSet]) -> list[ReplicaSet]:
    return sorted(replica_sets, key=lambda item: (item.metadata.creation_timestamp or "", item.metadata.name or ""))
