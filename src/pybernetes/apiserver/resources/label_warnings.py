"""Texts for `Warning` headers about labels of nodes that have other names by now. Pure."""

from __future__ import annotations

from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.api.types.storage_v1 import CSIStorageCapacity, StorageClass

_SINCE_14 = 'deprecated since v1.14; use "{}" instead'
_SINCE_17 = 'deprecated since v1.17; use "{}" instead'
OLD_LABELS = {
    "beta.kubernetes.io/arch": _SINCE_14.format("kubernetes.io/arch"),
    "beta.kubernetes.io/os": _SINCE_14.format("kubernetes.io/os"),
    "beta.kubernetes.io/instance-type": _SINCE_17.format("node.kubernetes.io/instance-type"),
    "failure-domain.beta.kubernetes.io/region": _SINCE_17.format("topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": _SINCE_17.format("topology.kubernetes.io/zone"),
}


def warn_of_runtime_class(new: RuntimeClass, _old: RuntimeClass | None) -> list[str]:
    labels = new.scheduling.node_selector if new.scheduling is not None else {}
    return [f"scheduling.nodeSelector: {OLD_LABELS[key]}" for key in labels if key in OLD_LABELS]


def warn_of_storage_class(new: StorageClass, _old: StorageClass | None) -> list[str]:
    return [
        f"allowedTopologies[{index}].matchLabelExpressions[{number}].key: {OLD_LABELS[expression.key]}"
        for index, term in enumerate(new.allowed_topologies)
        for number, expression in enumerate(term.match_label_expressions)
        if expression.key in OLD_LABELS
    ]


def warn_of_capacity(new: CSIStorageCapacity, _old: CSIStorageCapacity | None) -> list[str]:
    selector = new.node_topology
    if selector is None:
        return []
    texts = [
        f"nodeTopology.matchExpressions[{index}].key: {expression.key} is {OLD_LABELS[expression.key]}"
        for index, expression in enumerate(selector.match_expressions)
        if expression.key in OLD_LABELS
    ]
    return texts + [
        f"nodeTopology.matchLabels.{key}: {OLD_LABELS[key]}" for key in selector.match_labels if key in OLD_LABELS
    ]
