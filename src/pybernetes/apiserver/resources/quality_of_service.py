"""The quality-of-service class of a pod: a function of its requests and limits for cpu and memory."""

from __future__ import annotations

from pybernetes.api.quantity import compare
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import PodSpec, ResourceRequirements

_COUNTED = ("cpu", "memory")


def qos_class(spec: PodSpec) -> str:
    """`Guaranteed`, `Burstable` or `BestEffort`."""
    if spec.resources is not None:
        parts = [spec.resources]
    else:
        parts = [container.resources for container in (*spec.containers, *spec.init_containers)]
    if not any(_amount(part.requests, name) or _amount(part.limits, name) for part in parts for name in _COUNTED):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(part) for part in parts) else "Burstable"


def _is_guaranteed(part: ResourceRequirements) -> bool:
    for name in _COUNTED:
        limit = _amount(part.limits, name)
        request = _amount(part.requests, name)
        if limit is None or (request is not None and request != limit and compare(request, limit) != 0):
            return False
        if request is None:
            return False
    return True


def _amount(amounts: dict[str, Quantity], name: str) -> Quantity | None:
    """What is asked for; nothing and zero are the same."""
    amount = amounts.get(name)
    return None if amount == "0" else amount
