"""What a pod needs in all: the sums that limits and quotas compare. Pure functions of a pod.

Init containers run one after another, so that the greatest counts; those that go on running (sidecars) add up. What
is said of the pod as a whole counts instead of what its containers say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from pybernetes.api.quantity import add, compare
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Container, Pod

Amounts = dict[str, Quantity]
_Side = Literal["requests", "limits"]


def pod_requests(pod: Pod, *, held: bool = False, overhead: bool = True) -> Amounts:
    """The requests of the whole pod. With `held`, what a resize has not given back yet counts as well."""
    found = _total(pod, "requests", held)
    if overhead:
        _add(found, pod.spec.overhead)
    return found


def pod_limits(pod: Pod, *, held: bool = False, overhead: bool = True) -> Amounts:
    """The limits of the whole pod; overhead counts for what has a limit at all."""
    found = _total(pod, "limits", held)
    if overhead:
        _add(found, {key: value for key, value in pod.spec.overhead.items() if key in found})
    return found


def is_of_the_pod(name: str) -> bool:
    """Whether a resource can be asked for by a pod as a whole."""
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def asks_as_a_whole(pod: Pod) -> bool:
    """Whether a pod says as a whole what it needs."""
    whole = pod.spec.resources
    return whole is not None and any(is_of_the_pod(name) for name in (*whole.requests, *whole.limits))


def _total(pod: Pod, side: _Side, held: bool) -> Amounts:
    total = _of_containers(pod, _held(pod, side) if held else lambda container: getattr(container.resources, side))
    whole: Amounts = getattr(pod.spec.resources, side) if pod.spec.resources is not None else {}
    return total | {key: value for key, value in whole.items() if is_of_the_pod(key)}


def _held(pod: Pod, side: _Side) -> Callable[[Container], Amounts]:
    """What containers have or ask for, whichever is more; of a resize that cannot be, what they have."""
    statuses = (*pod.status.container_statuses, *pod.status.init_container_statuses)
    having = {status.name: status for status in statuses if status.resources is not None}
    is_refused = any(c.type == "PodResizePending" and c.reason == "Infeasible" for c in pod.status.conditions)

    def amounts(container: Container) -> Amounts:
        asked: Amounts = getattr(container.resources, side)
        status = having.get(container.name)
        if status is None:
            return asked
        most: Amounts = {} if is_refused else dict(asked)
        _raise(most, getattr(status.resources, side))
        _raise(most, status.allocated_resources if side == "requests" else {})
        return most

    return amounts


def _of_containers(pod: Pod, amounts: Callable[[Container], Mapping[str, Quantity]]) -> Amounts:
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
    return total


def _add(total: Amounts, more: Mapping[str, Quantity]) -> None:
    for key, value in more.items():
        total[key] = add(total[key], value) if key in total else value


def _raise(total: Amounts, floor: Mapping[str, Quantity]) -> None:
    for key, value in floor.items():
        if key not in total or compare(total[key], value) < 0:
            total[key] = value
