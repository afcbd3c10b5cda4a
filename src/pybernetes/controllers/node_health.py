"""What a node's conditions mean: when they become unknown, and which taints follow from them. Pure; `nodelifecycle`
acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from pybernetes.api import time as api_time
from pybernetes.api.types.core_v1 import Node, NodeCondition, Taint

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_TAINTS = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
_OURS = frozenset({*_TAINTS.values(), UNSCHEDULABLE})


def condition(node: Node, type_: str) -> NodeCondition | None:
    return next((item for item in node.status.conditions if item.type == type_), None)


def is_ready(node: Node) -> bool:
    found = condition(node, "Ready")
    return found is not None and found.status == "True"


def silenced(node: Node, now: datetime) -> list[NodeCondition]:
    """The conditions of a node that has not been heard of for too long: what the kubelet reports becomes Unknown."""
    stamp = api_time.format(now)
    result = [_unknown(item, stamp) if item.type in _WATCHED else item for item in node.status.conditions]
    present = {item.type for item in result}
    return result + [_never_updated(node, type_, stamp) for type_ in _WATCHED if type_ not in present]


def _never_updated(node: Node, type_: str, stamp: str) -> NodeCondition:
    return NodeCondition(
        type=type_,
        status="Unknown",
        reason="NodeStatusNeverUpdated",
        message="Kubelet never posted node status.",
        last_heartbeat_time=node.metadata.creation_timestamp,
        last_transition_time=stamp,
    )


def _unknown(item: NodeCondition, stamp: str) -> NodeCondition:
    if item.status == "Unknown":
        return item
    return msgspec.structs.replace(
        item,
        status="Unknown",
        reason="NodeStatusUnknown",
        message="Kubelet stopped posting node status.",
        last_transition_time=stamp,
    )


def wanted_taints(node: Node, evict: bool) -> set[tuple[str, str]]:
    """(key, effect) of the taints that the node's state calls for; `evict` is False while no node at all is ready."""
    keys = {_TAINTS[item.type, item.status] for item in node.status.conditions if (item.type, item.status) in _TAINTS}
    if node.spec.unschedulable:
        keys.add(UNSCHEDULABLE)
    wanted = {(key, "NoSchedule") for key in keys}
    if evict:
        wanted |= {(key, "NoExecute") for key in keys & {NOT_READY, UNREACHABLE}}
    return wanted


def new_taints(node: Node, wanted: Iterable[tuple[str, str]], now: datetime) -> list[Taint]:
    """The node's taints with ours made as wanted; taints of others and times of ours stay."""
    missing = set(wanted)
    result = []
    for taint in node.spec.taints:
        mine = taint.key in _OURS and (taint.effect == "NoSchedule" or taint.key in (NOT_READY, UNREACHABLE))
        if not mine:
            result.append(taint)
        elif (taint.key, taint.effect) in missing:
            missing.discard((taint.key, taint.effect))
            result.append(taint)
    stamp = api_time.format(now)
    added = sorted(missing, key=lambda item: (item[1] == "NoExecute", item[0]))
    return result + [Taint(key=key, effect=effect, time_added=stamp) for key, effect in added]


def fresh_heartbeat(old: Node | None, new: Node) -> bool:
    """The kubelet itself has written: a heartbeat is newer, or a condition is one that only it can give."""
    if old is None:
        return True
    return _heartbeats(old.status.conditions) != _heartbeats(new.status.conditions)


def _heartbeats(conditions: Sequence[NodeCondition]) -> dict[str, str | None]:
    return {item.type: item.last_heartbeat_time for item in conditions}
