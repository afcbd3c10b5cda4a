"""Rules for affinity and for spreading over topologies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pybernetes.api.names import dns1123_label
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.api.types.core_v1 import (
    Affinity,
    NodeAffinity,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    TopologySpreadConstraint,
)
from pybernetes.api.types.meta_v1 import LabelSelector
from pybernetes.apiserver.resources.validation.lists import each
from pybernetes.apiserver.resources.validation.metadata import label_key
from pybernetes.apiserver.resources.validation.selectors import (
    validate_node_selector,
    validate_node_selector_term,
    validate_selector,
)
from pybernetes.apiserver.resources.validation.texts import each_obeys, none_or_one_of, obeys, one_of

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT_TEXT = "must be in the range 1-100"


def validate_affinity(affinity: Affinity | None, path: str) -> list[FieldError]:
    if affinity is None:
        return []
    errors: list[FieldError] = []
    if affinity.node_affinity is not None:
        errors += _validate_nodes(affinity.node_affinity, f"{path}.nodeAffinity")
    for name, pods in (("podAffinity", affinity.pod_affinity), ("podAntiAffinity", affinity.pod_anti_affinity)):
        if pods is not None:
            errors += _validate_pods(pods, f"{path}.{name}")
    return errors


def _validate_nodes(affinity: NodeAffinity, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    needed = affinity.required_during_scheduling_ignored_during_execution
    if needed is not None:
        errors += validate_node_selector(needed, f"{path}.{_REQUIRED}")
    for index, term in enumerate(affinity.preferred_during_scheduling_ignored_during_execution):
        where = f"{path}.{_PREFERRED}[{index}]"
        errors += _weight(term.weight, where)
        errors += validate_node_selector_term(term.preference, f"{where}.preference")
    return errors


def _validate_pods(affinity: PodAffinity | PodAntiAffinity, path: str) -> list[FieldError]:
    errors = each(affinity.required_during_scheduling_ignored_during_execution, _validate_term, f"{path}.{_REQUIRED}")
    for index, weighted in enumerate(affinity.preferred_during_scheduling_ignored_during_execution):
        where = f"{path}.{_PREFERRED}[{index}]"
        errors += _weight(weighted.weight, where)
        errors += _validate_term(weighted.pod_affinity_term, f"{where}.podAffinityTerm")
    return errors


def _weight(weight: int, path: str) -> list[FieldError]:
    return [] if 1 <= weight <= 100 else [invalid(f"{path}.weight", weight, _WEIGHT_TEXT)]


def _validate_term(term: PodAffinityTerm, path: str) -> list[FieldError]:
    errors = validate_selector(term.label_selector, f"{path}.labelSelector")
    errors += validate_selector(term.namespace_selector, f"{path}.namespaceSelector")
    for name in term.namespaces:
        errors += obeys(name, dns1123_label, f"{path}.namespace")
    match, mismatch = term.match_label_keys, term.mismatch_label_keys
    if match or mismatch:
        errors += _validate_label_keys(match, mismatch, term.label_selector, path)
    if not term.topology_key:
        errors.append(required(f"{path}.topologyKey", "can not be empty"))
    return errors + obeys(term.topology_key, label_key, f"{path}.topologyKey")


def _validate_label_keys(
    match: Sequence[str], mismatch: Sequence[str], selector: LabelSelector | None, path: str
) -> list[FieldError]:
    """Keys whose values are the pod's own: labels' names, and none that the selector names besides."""
    errors: list[FieldError] = []
    for name, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        where = f"{path}.{name}"
        if keys and selector is None:
            errors.append(forbidden_field(where, "must not be specified when labelSelector is not set"))
        elif keys:
            errors += each_obeys(keys, label_key, where)
    if selector is not None:
        # What the keys stand for is in the selector's expressions by now; a second time is the client's own.
        seen = set(selector.match_labels)
        places = {key: index for index, key in enumerate(match)}
        for expression in selector.match_expressions:
            if expression.key in places and expression.key in seen:
                where = f"{path}[{places[expression.key]}]"
                errors.append(invalid(where, expression.key, "exists in both matchLabelKeys and labelSelector"))
            seen.add(expression.key)
    for index, key in enumerate(match):
        if key in mismatch:
            where = f"{path}.matchLabelKeys[{index}]"
            errors.append(invalid(where, key, "exists in both matchLabelKeys and mismatchLabelKeys"))
    return errors


def validate_spreading(constraints: Sequence[TopologySpreadConstraint], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    left = Counter((constraint.topology_key, constraint.when_unsatisfiable) for constraint in constraints)
    for index, constraint in enumerate(constraints):
        where = f"{path}[{index}]"
        if constraint.max_skew <= 0:
            errors.append(invalid(f"{where}.maxSkew", constraint.max_skew, "must be greater than zero"))
        if not constraint.topology_key:
            errors.append(required(f"{where}.topologyKey", "can not be empty"))
        choices = ("DoNotSchedule", "ScheduleAnyway")
        errors += one_of(constraint.when_unsatisfiable, choices, f"{where}.whenUnsatisfiable")
        pair = (constraint.topology_key, constraint.when_unsatisfiable)
        left[pair] -= 1
        if left[pair]:
            text = f"{{{constraint.topology_key}, {constraint.when_unsatisfiable}}}"
            errors.append(duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", text))
        errors += _validate_min_domains(constraint, f"{where}.minDomains")
        for name, policy in (
            ("nodeAffinityPolicy", constraint.node_affinity_policy),
            ("nodeTaintsPolicy", constraint.node_taints_policy),
        ):
            errors += none_or_one_of(policy, ("Honor", "Ignore"), f"{where}.{name}")
        if constraint.match_label_keys:
            errors += _validate_label_keys(constraint.match_label_keys, (), constraint.label_selector, where)
        errors += validate_selector(constraint.label_selector, f"{where}.labelSelector")
    return errors


def _validate_min_domains(constraint: TopologySpreadConstraint, path: str) -> list[FieldError]:
    count = constraint.min_domains
    if count is None:
        return []
    errors: list[FieldError] = []
    if count <= 0:
        errors.append(invalid(path, count, "must be greater than zero"))
    if constraint.when_unsatisfiable != "DoNotSchedule":
        given = constraint.when_unsatisfiable
        detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {given}"
        errors.append(invalid(path, count, detail))
    return errors
