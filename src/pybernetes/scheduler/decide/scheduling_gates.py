"""SchedulingGates: a pod with gates is not looked at until somebody takes them away."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Pod

NAME = "SchedulingGates"


def gated(pod: Pod) -> bool:
    """Whether the pod must wait."""
    return bool(pod.spec.scheduling_gates)
