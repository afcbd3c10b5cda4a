"""Values of a pod's fields and resources, as environment variables and files of the downward API show them. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from pybernetes.api.quantity import parse
from pybernetes.api.types.core_v1 import Pod, ResourceFieldSelector
from pybernetes.kubelet.decide.observed import AnyContainer

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")


@dataclass(frozen=True, slots=True)
class Place:
    """What only the node knows of a pod."""

    pod_ips: tuple[str, ...] = ()
    host_ip: str = ""
    allocatable_cpu: int = 0  # thousandths of a CPU
    allocatable_memory: int = 0  # bytes
    allocatable_storage: int = 0


def pod_field(pod: Pod, path: str, place: Place) -> str:
    """The text of a field reference; ValueError for a path that is none."""
    meta = pod.metadata
    match = _SUBSCRIPT.fullmatch(path)
    if match:
        values = meta.labels if match.group(1) == "labels" else meta.annotations
        return values.get(match.group(2), "")
    ips = place.pod_ips or tuple(each.ip for each in pod.status.pod_ips)
    simple = {
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
        "metadata.labels": format_map(meta.labels),
        "metadata.annotations": format_map(meta.annotations),
        "spec.nodeName": pod.spec.node_name,
        "spec.serviceAccountName": pod.spec.service_account_name,
        "status.hostIP": place.host_ip,
        "status.hostIPs": place.host_ip,
        "status.podIP": ips[0] if ips else "",
        "status.podIPs": ",".join(ips),
    }
    if path not in simple:
        raise ValueError(f"unsupported fieldPath: {path}")
    return simple[path] or ""


def format_map(values: dict[str, str]) -> str:
    """`key="value"` lines in order of the keys."""
    return "\n".join(f"{name}={json.dumps(values[name], ensure_ascii=False)}" for name in sorted(values))


def resource_field(container: AnyContainer, selector: ResourceFieldSelector, place: Place) -> str:
    """A request or limit as a whole number of the divisor, rounded up; the node's means where there is no limit."""
    sort, _, name = selector.resource.partition(".")
    if sort not in ("limits", "requests") or not name:
        raise ValueError(f"unsupported container resource : {selector.resource}")
    amounts = container.resources.limits if sort == "limits" else container.resources.requests
    amount = parse(amounts[name]) if name in amounts else _default(sort, name, place)
    divisor = parse(selector.divisor) if selector.divisor else Fraction(1)
    return str(ceil(amount / (divisor or Fraction(1))))


def _default(sort: str, name: str, place: Place) -> Fraction:
    if sort == "requests":
        return Fraction(0)
    amounts = {
        "cpu": Fraction(place.allocatable_cpu, 1000),
        "memory": Fraction(place.allocatable_memory),
        "ephemeral-storage": Fraction(place.allocatable_storage),
    }
    return amounts.get(name, Fraction(0))
