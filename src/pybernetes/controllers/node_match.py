"""Whether a pod may run on a node as far as its own wishes go: node name, node selector and required node affinity.
Pure.
"""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec


def wants(spec: PodSpec, node: Node) -> bool:
    """Taints are another matter: see `tolerations`."""
    if spec.node_name and spec.node_name != node.metadata.name:
        return False
    if not spec.node_selector.items() <= node.metadata.labels.items():
        return False
    affinity = spec.affinity.node_affinity if spec.affinity is not None else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity is not None else None
    return required is None or matches(required, node)


def matches(selector: NodeSelector, node: Node) -> bool:
    """Any term will do; a term without requirements matches nothing."""
    return any(_term(term, node) for term in selector.node_selector_terms)


def _term(term: NodeSelectorTerm, node: Node) -> bool:
    if not term.match_expressions and not term.match_fields:
        return False
    fields = {"metadata.name": node.metadata.name or ""}
    return all(_holds(item, node.metadata.labels) for item in term.match_expressions) and all(
        _holds(item, fields) for item in term.match_fields
    )


def _holds(item: NodeSelectorRequirement, labels: dict[str, str]) -> bool:
    value = labels.get(item.key)
    match item.operator:
        case "In":
            return value in item.values
        case "NotIn":
            return value not in item.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(item, value)
    return False


def _compares(item: NodeSelectorRequirement, value: str | None) -> bool:
    try:
        have, limit = int(value or ""), int(item.values[0])
    except (ValueError, IndexError):
        return False
    return have > limit if item.operator == "Gt" else have < limit
