"""What controllers ask of a pod: is it active, ready, available, and which of several is the first to go.

Pure functions of pods and the time; called by every controller that owns pods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pybernetes.api import time as api_time
from pybernetes.api.types.core_v1 import Pod, PodCondition, PodStatus

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}


def is_active(pod: Pod) -> bool:
    """Neither finished nor going away."""
    return pod.status.phase not in ("Succeeded", "Failed") and pod.metadata.deletion_timestamp is None


def is_terminating(pod: Pod) -> bool:
    """Going away but not finished: counted in `terminatingReplicas`."""
    return pod.status.phase not in ("Succeeded", "Failed") and pod.metadata.deletion_timestamp is not None


def is_finished(pod: Pod) -> bool:
    return pod.status.phase in ("Succeeded", "Failed")


def condition(status: PodStatus, type_: str) -> PodCondition | None:
    """The condition of that type, if the pod has it."""
    return next((item for item in status.conditions if item.type == type_), None)


def is_ready(pod: Pod) -> bool:
    found = condition(pod.status, "Ready")
    return found is not None and found.status == "True"


def ready_since(pod: Pod) -> datetime | None:
    """When the Ready condition last became what it is; None when that is unknown."""
    found = condition(pod.status, "Ready")
    if found is None or found.status != "True" or not found.last_transition_time:
        return None
    return api_time.parse(found.last_transition_time)


def is_available(pod: Pod, min_ready_seconds: int, now: datetime) -> bool:
    """Ready for at least that long."""
    if not is_ready(pod):
        return False
    if min_ready_seconds == 0:
        return True
    since = ready_since(pod)
    return since is not None and (now - since).total_seconds() >= min_ready_seconds


def seconds_until_available(pods: Iterable[Pod], min_ready_seconds: int, now: datetime) -> float | None:
    """How long until the next ready pod has been ready long enough; None when there is none to wait for."""
    waits = []
    for pod in pods:
        since = ready_since(pod)
        if since is None or not is_active(pod):
            continue
        left = min_ready_seconds - (now - since).total_seconds()
        if left > 0:
            waits.append(left)
    return min(waits, default=None)


def restarts(pod: Pod) -> int:
    return sum(status.restart_count for status in pod.status.container_statuses)


def deletion_cost(pod: Pod) -> int:
    text = pod.metadata.annotations.get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _age_bucket(since: datetime | None, now: datetime) -> float:
    """Upstream compares ages by their order of magnitude, so that pods of about the same age rank equal."""
    if since is None:
        return -math.inf
    seconds = (now - since).total_seconds()
    return math.floor(math.log2(seconds)) if seconds >= 1 else -1.0


def first_to_go(pods: Sequence[Pod], related: Iterable[Pod], now: datetime) -> list[Pod]:
    """All pods, the one to delete first in front; `related` are the active pods of the same owner, for spreading."""
    crowd: dict[str, int] = {}
    for pod in related:
        if pod.spec.node_name and is_active(pod):
            crowd[pod.spec.node_name] = crowd.get(pod.spec.node_name, 0) + 1
    return sorted(pods, key=lambda pod: _deletion_rank(pod, crowd, now))


def _deletion_rank(pod: Pod, crowd: Mapping[str, int], now: datetime) -> tuple[float | str, ...]:
    node = pod.spec.node_name or ""
    created = api_time.parse(pod.metadata.creation_timestamp) if pod.metadata.creation_timestamp else None
    ready = is_ready(pod)
    return (
        1 if node else 0,
        _PHASE_ORDER.get(pod.status.phase or "Pending", 0),
        1 if ready else 0,
        deletion_cost(pod),
        -crowd.get(node, 0),
        _age_bucket(ready_since(pod), now) if ready else 0,
        -restarts(pod),
        _age_bucket(created, now),
        pod.metadata.uid or "",
    )
