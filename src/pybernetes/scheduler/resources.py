"""What a pod asks of a node, as integers: CPU in thousandths, everything else in whole units (bytes, devices).

A pod goes in, `Request` comes out; `PodInfo` keeps it, so that no quantity is parsed while nodes are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pybernetes.api import quantity
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import Container, Pod

# What a container that asks for nothing is taken to use when nodes are scored: upstream's figures.
ASSUMED = {"cpu": 100, "memory": 200 * 1024 * 1024}
_NOTHING: Mapping[str, int] = {}
_POD_LEVEL = ("cpu", "memory")


class Request(NamedTuple):
    """An amount of each resource."""

    cpu: int = 0
    memory: int = 0
    ephemeral: int = 0
    scalars: tuple[tuple[str, int], ...] = ()  # extended resources and huge pages, sorted by name
    # The same as scoring sees it: containers that ask for nothing count with `ASSUMED`.
    scored_cpu: int = 0
    scored_memory: int = 0


def amounts(resources: Mapping[str, Quantity]) -> dict[str, int]:
    """A resource list as integers."""
    return {
        name: quantity.milli(amount) if name == "cpu" else quantity.value(amount) for name, amount in resources.items()
    }


def request_of(pod: Pod) -> Request:
    """What the pod needs: its containers together, or its greediest moment of initialising, and its overhead."""
    asked, scored = _total(pod, _NOTHING), _total(pod, ASSUMED)
    cpu, memory = asked.pop("cpu", 0), asked.pop("memory", 0)
    ephemeral = asked.pop("ephemeral-storage", 0)
    scalars = tuple(sorted((name, amount) for name, amount in asked.items() if amount > 0))
    return Request(cpu, memory, ephemeral, scalars, scored["cpu"], scored["memory"])


def _total(pod: Pod, missing: Mapping[str, int]) -> dict[str, int]:
    spec = pod.spec
    total: dict[str, int] = dict.fromkeys(missing, 0)
    for container in spec.containers:
        _add(total, _container(container, missing))
    if spec.init_containers:
        total = _with_init(total, spec.init_containers, missing)
    if spec.resources is not None:
        for name, amount in amounts(spec.resources.requests).items():
            if name in _POD_LEVEL or name.startswith("hugepages-"):
                total[name] = amount
    _add(total, amounts(spec.overhead))
    return total


def _with_init(total: dict[str, int], init: list[Container], missing: Mapping[str, int]) -> dict[str, int]:
    """Init containers run one by one beside the sidecars started before them; sidecars stay."""
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in init:
        asked = _container(container, missing)
        if container.restart_policy == "Always":
            _add(total, asked)
            _add(sidecars, asked)
            asked = {}
        moment = dict(sidecars)
        _add(moment, asked)
        for name, amount in moment.items():
            peak[name] = max(peak.get(name, 0), amount)
    return {name: max(total.get(name, 0), peak.get(name, 0)) for name in {**total, **peak}}


def _container(container: Container, missing: Mapping[str, int]) -> dict[str, int]:
    return {**missing, **amounts(container.resources.requests)}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount
