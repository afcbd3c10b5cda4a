"""What a pod needs in all: the sums that limits and quotas compare. Pure functions of a pod.

Init containers run one after another, so that the greatest counts; those that go on running (sidecars) add up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pybernetes.api.quantity import add, compare
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Container, Pod

Amounts = dict[str, Quantity]


def pod_requests(pod: Pod) -> Amounts:
    """The requests of the whole pod, its overhead included."""
    return _total(pod, lambda container: container.resources.requests)


def pod_limits(pod: Pod) -> Amounts:
    """The limits of the whole pod; overhead counts for what has a limit at all."""
    return _total(pod, lambda container: container.resources.limits)


def _total(pod: Pod, amounts: Callable[[Container], Mapping[str, Quantity]]) -> Amounts:
    total: Amounts = {}
    for container in pod.spec.containers:
        _add(total, amounts(container))
    running: Amounts = {}
    greatest: Amounts = {}
    for container in pod.spec.init_containers:
        if container.restart_policy == "Always":
            _add(running, amounts(container))
            _raise(greatest, running)
        else:
            here = dict(running)
            _add(here, amounts(container))
            _raise(greatest, here)
    _add(total, running)
    _raise(total, greatest)
    _add(total, {key: value for key, value in pod.spec.overhead.items() if key in total})
    return total


def _add(total: Amounts, more: Mapping[str, Quantity]) -> None:
    for key, value in more.items():
        total[key] = add(total[key], value) if key in total else value


def _raise(total: Amounts, floor: Mapping[str, Quantity]) -> None:
    for key, value in floor.items():
        if key not in total or compare(total[key], value) < 0:
            total[key] = value
