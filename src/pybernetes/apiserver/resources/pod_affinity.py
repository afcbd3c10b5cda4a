"""Merges a pod's own label values into the selectors that name them by key (`matchLabelKeys`, `mismatchLabelKeys`)."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Pod, PodAffinityTerm
from pybernetes.api.types.meta_v1 import LabelSelector, LabelSelectorRequirement


def merge_label_keys(pod: Pod) -> None:
    """Runs once, on create: afterwards the selectors stand on their own."""
    affinity = pod.spec.affinity
    if affinity is not None:
        for side in (affinity.pod_affinity, affinity.pod_anti_affinity):
            if side is not None:
                for term in side.required_during_scheduling_ignored_during_execution:
                    _merge_term(term, pod.metadata.labels)
                for weighted in side.preferred_during_scheduling_ignored_during_execution:
                    _merge_term(weighted.pod_affinity_term, pod.metadata.labels)
    for constraint in pod.spec.topology_spread_constraints:
        if constraint.label_selector is not None and constraint.match_label_keys:
            _merge(constraint.label_selector, constraint.match_label_keys, "In", pod.metadata.labels)


def _merge_term(term: PodAffinityTerm, labels: dict[str, str]) -> None:
    if term.label_selector is not None:
        _merge(term.label_selector, term.match_label_keys, "In", labels)
        _merge(term.label_selector, term.mismatch_label_keys, "NotIn", labels)


def _merge(selector: LabelSelector, keys: list[str], operator: str, labels: dict[str, str]) -> None:
    for key in keys:
        if key in labels:
            requirement = LabelSelectorRequirement(key=key, operator=operator, values=[labels[key]])
            selector.match_expressions = [*selector.match_expressions, requirement]
