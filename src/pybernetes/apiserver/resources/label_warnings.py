"""Texts for `Warning` headers about labels of nodes that have other names by now, for kinds that are no pods. Pure."""

from __future__ import annotations

from pybernetes.api.types.node_v1 import RuntimeClass
from pybernetes.api.types.storage_v1 import CSIStorageCapacity, StorageClass
from pybernetes.apiserver.resources.pod_warnings import OLD_LABELS


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
