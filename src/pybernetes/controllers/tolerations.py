"""Which taints a pod tolerates, and for how long. Pure; the eviction and the DaemonSet controller call it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pybernetes.api import time as api_time
from pybernetes.api.types.core_v1 import Taint, Toleration


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """An empty key with Exists tolerates everything, an empty effect every effect."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and (toleration.value or "") == (taint.value or "")


def untolerated(taints: Iterable[Taint], tolerations: Sequence[Toleration], effects: frozenset[str]) -> Taint | None:
    """The first taint of one of the effects that nothing tolerates."""
    relevant = (taint for taint in taints if taint.effect in effects)
    return next((taint for taint in relevant if not any(tolerates(item, taint) for item in tolerations)), None)


def seconds_to_eviction(
    taints: Sequence[Taint], tolerations: Sequence[Toleration], running_since: datetime, now: datetime
) -> float | None:
    """How long the pod may still stay under the NoExecute taints; 0 or less: it must go; None: it may stay for ever.

    The time runs from when the taint was added, so that a restart of the controller does not start it anew.
    """
    evicting = [taint for taint in taints if taint.effect == "NoExecute"]
    left: float | None = None
    for taint in evicting:
        used = [item for item in tolerations if tolerates(item, taint)]
        if not used:
            return 0.0
        limits = [item.toleration_seconds for item in used if item.toleration_seconds is not None]
        if not limits:
            continue
        added = api_time.parse(taint.time_added) if taint.time_added else running_since
        remaining = max(min(limits), 0) - (now - max(added, running_since)).total_seconds()
        left = remaining if left is None else min(left, remaining)
    return left
