"""Which changes of the cluster can make a pod fit that a plug-in has turned away: what wakes which waiting pods."""

from __future__ import annotations

from enum import Enum, auto

from pybernetes.api.types.core_v1 import Node


class Change(Enum):
    """A kind of change."""

    NODE_ADDED = auto()
    NODE_TAINTS = auto()
    NODE_LABELS = auto()
    NODE_ALLOCATABLE = auto()
    POD_ARRIVED = auto()  # a pod is on a node, or has new labels
    POD_GONE = auto()  # a pod has left its node, or uses less
    VOLUMES = auto()  # a claim, volume or storage class


_NODE = frozenset({Change.NODE_ADDED})
_HELPFUL: dict[str, frozenset[Change]] = {
    "NodeUnschedulable": _NODE | {Change.NODE_TAINTS},
    "NodeName": _NODE,
    "TaintToleration": _NODE | {Change.NODE_TAINTS},
    "NodeAffinity": _NODE | {Change.NODE_LABELS},
    "NodePorts": _NODE | {Change.POD_GONE},
    "NodeResourcesFit": _NODE | {Change.NODE_ALLOCATABLE, Change.POD_GONE},
    "VolumeBinding": _NODE | {Change.NODE_LABELS, Change.VOLUMES},
    "PodTopologySpread": _NODE | {Change.NODE_LABELS, Change.NODE_TAINTS, Change.POD_ARRIVED, Change.POD_GONE},
    "InterPodAffinity": _NODE | {Change.NODE_LABELS, Change.POD_ARRIVED, Change.POD_GONE},
}


def helps(change: Change, plugins: frozenset[str]) -> bool:
    """Whether a pod turned away by these plug-ins should be tried again; with none named (no nodes), always."""
    return not plugins or any(change in _HELPFUL.get(plugin, frozenset()) for plugin in plugins)


def node_changes(old: Node, new: Node) -> set[Change]:
    """What of a node's change matters; heartbeats do not."""
    changes: set[Change] = set()
    if old.spec.taints != new.spec.taints or old.spec.unschedulable != new.spec.unschedulable:
        changes.add(Change.NODE_TAINTS)
    if old.metadata.labels != new.metadata.labels:
        changes.add(Change.NODE_LABELS)
    if old.status.allocatable != new.status.allocatable:
        changes.add(Change.NODE_ALLOCATABLE)
    return changes
