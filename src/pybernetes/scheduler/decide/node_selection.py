"""Node selectors, compiled: `nodeSelector`, required and preferred node affinity, and the node affinity of volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pybernetes.api.labels import EQUALS, Requirement
from pybernetes.api.types.core_v1 import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod
from pybernetes.scheduler.node_info import NodeInfo

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}
NODE_NAME_FIELD = "metadata.name"


@dataclass(frozen=True)
class Term:
    """All requirements must hold; a term without any matches nothing."""

    labels: tuple[Requirement, ...]
    fields: tuple[Requirement, ...]

    def matches(self, node: NodeInfo) -> bool:
        if not self.labels and not self.fields:
            return False
        if self.fields:
            field = {NODE_NAME_FIELD: node.name}
            if not all(requirement.matches(field) for requirement in self.fields):
                return False
        labels = node.labels
        return all(requirement.matches(labels) for requirement in self.labels)

    @property
    def names(self) -> frozenset[str] | None:
        """The node names that the term allows; None if it does not name nodes."""
        found: frozenset[str] | None = None
        for requirement in self.fields:
            if requirement.key == NODE_NAME_FIELD and requirement.operator == "in":
                found = requirement.values if found is None else found & requirement.values
        return found


@dataclass(frozen=True)
class RequiredNodes:
    """Equal labels, and one of the terms if there are any (`terms` is None when no affinity is given)."""

    equals: Mapping[str, str]
    terms: tuple[Term, ...] | None

    def matches(self, node: NodeInfo) -> bool:
        labels = node.labels
        for key, value in self.equals.items():
            if labels.get(key) != value:
                return False
        return self.terms is None or any(term.matches(node) for term in self.terms)

    @property
    def everywhere(self) -> bool:
        """Whether no node is excluded."""
        return not self.equals and self.terms is None


def term(selector: NodeSelectorTerm) -> Term:
    return Term(
        tuple(_requirement(item) for item in selector.match_expressions),
        tuple(_requirement(item) for item in selector.match_fields),
    )


def terms(selector: NodeSelector) -> tuple[Term, ...]:
    return tuple(term(item) for item in selector.node_selector_terms)


def required(pod: Pod) -> RequiredNodes:
    """What the pod demands of its node's labels and name."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    selector = affinity.required_during_scheduling_ignored_during_execution if affinity is not None else None
    return RequiredNodes(pod.spec.node_selector, terms(selector) if selector is not None else None)


def _requirement(item: NodeSelectorRequirement) -> Requirement:
    return Requirement(item.key, _OPERATORS.get(item.operator, EQUALS), frozenset(item.values))
