"""Rules for label selectors, node selectors and tolerations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pybernetes.api.names import dns1123_subdomain, label_value
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.types.core_v1 import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Toleration
from pybernetes.api.types.meta_v1 import LabelSelector, LabelSelectorRequirement
from pybernetes.apiserver.resources.validation.lists import each
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, label_key, validate_labels
from pybernetes.apiserver.resources.validation.texts import each_obeys, none_or_one_of, obeys

_NOT_AN_OPERATOR = "not a valid selector operator"
_NEEDS_VALUES = "must be specified when `operator` is 'In' or 'NotIn'"
_NO_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def shown_selector(selector: LabelSelector | None) -> Any:
    """A selector as a message shows it."""
    if selector is None:
        return None
    shown: dict[str, Any] = {}
    if selector.match_labels:
        shown["matchLabels"] = dict(sorted(selector.match_labels.items()))
    if selector.match_expressions:
        shown["matchExpressions"] = [_shown_requirement(each) for each in selector.match_expressions]
    return shown


def _shown_requirement(requirement: LabelSelectorRequirement) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": requirement.key, "operator": requirement.operator}
    if requirement.values:
        shown["values"] = requirement.values
    return shown


def validate_selector(selector: LabelSelector | None, path: str) -> list[FieldError]:
    """The rules for a label selector; none at all is fine."""
    if selector is None:
        return []
    errors = validate_labels(selector.match_labels, f"{path}.matchLabels")
    return errors + each(selector.match_expressions, _validate_requirement, f"{path}.matchExpressions")


def _validate_requirement(requirement: LabelSelectorRequirement, path: str) -> list[FieldError]:
    errors = _validate_values(requirement.operator, requirement.values, path)
    errors += obeys(requirement.key, label_key, f"{path}.key")
    return errors + each_obeys(requirement.values, label_value, f"{path}.values")


def _validate_values(operator: str, values: Sequence[str], path: str) -> list[FieldError]:
    """Whether there are values is the operator's to say."""
    if operator in ("In", "NotIn"):
        return [] if values else [required(f"{path}.values", _NEEDS_VALUES)]
    if operator in ("Exists", "DoesNotExist"):
        return [forbidden_field(f"{path}.values", _NO_VALUES)] if values else []
    return [invalid(f"{path}.operator", operator, _NOT_AN_OPERATOR)]


def same_selector(new: LabelSelector | None, old: LabelSelector | None, path: str) -> list[FieldError]:
    """Complains when a selector has changed."""
    return [] if new == old else [invalid(path, shown_selector(new), IMMUTABLE)]


def finds(selector: LabelSelector | None, labels: Mapping[str, str], path: str) -> list[FieldError]:
    """Complains when the pods of a template, which has the labels at the path, would not be found."""
    if matches(selector, labels):
        return []
    return [invalid(path, shown_labels(labels), "`selector` does not match template `labels`")]


def shown_labels(labels: Mapping[str, str]) -> dict[str, str] | None:
    return dict(sorted(labels.items())) or None


def matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector; no selector matches nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in selector.match_labels.items()):
        return False
    return all(_satisfies(requirement, labels) for requirement in selector.match_expressions)


def _satisfies(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    if requirement.operator == "In":
        return value in requirement.values
    if requirement.operator == "NotIn":
        return value not in requirement.values
    return (value is not None) == (requirement.operator == "Exists")


def validate_node_selector(selector: NodeSelector, path: str) -> list[FieldError]:
    """At least one term, each of sound requirements."""
    if not selector.node_selector_terms:
        return [required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")]
    errors: list[FieldError] = []
    for index, term in enumerate(selector.node_selector_terms):
        errors += validate_node_selector_term(term, f"{path}.nodeSelectorTerms[{index}]", any_values=False)
    return errors


def validate_node_selector_term(term: NodeSelectorTerm, path: str, *, any_values: bool = True) -> list[FieldError]:
    """`any_values` lets values pass that no label can have, as in preferences."""
    errors: list[FieldError] = []
    for index, requirement in enumerate(term.match_expressions):
        where = f"{path}.matchExpressions[{index}]"
        errors += _validate_node_requirement(requirement, where)
        if not any_values:
            errors += each_obeys(requirement.values, label_value, f"{where}.values")
    return errors + each(term.match_fields, _validate_field_requirement, f"{path}.matchFields")


def _validate_node_requirement(requirement: NodeSelectorRequirement, path: str) -> list[FieldError]:
    if requirement.operator not in ("Gt", "Lt"):
        errors = _validate_values(requirement.operator, requirement.values, path)
    elif len(requirement.values) != 1:
        errors = [required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")]
    else:
        errors = []
    return errors + obeys(requirement.key, label_key, f"{path}.key")


def _validate_field_requirement(requirement: NodeSelectorRequirement, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if requirement.operator not in ("In", "NotIn"):
        errors.append(invalid(f"{path}.operator", requirement.operator, _NOT_AN_OPERATOR))
    elif len(requirement.values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        errors.append(required(f"{path}.values", detail))
    if requirement.key != "metadata.name":
        errors.append(invalid(f"{path}.key", requirement.key, "not a valid field selector key"))
        return errors
    return errors + each_obeys(requirement.values, dns1123_subdomain, f"{path}.values")


def shown_node_selector(selector: NodeSelector | None) -> Any:
    """A selector of nodes as a message shows it: in the words of Go's internal type."""
    return None if selector is None else {"NodeSelectorTerms": shown_terms(selector.node_selector_terms)}


def shown_terms(terms: Sequence[NodeSelectorTerm]) -> list[Any] | None:
    return [shown_term(term) for term in terms] or None


def shown_term(term: NodeSelectorTerm) -> dict[str, Any]:
    return {
        "MatchExpressions": _shown_node_requirements(term.match_expressions),
        "MatchFields": _shown_node_requirements(term.match_fields),
    }


def _shown_node_requirements(requirements: Sequence[NodeSelectorRequirement]) -> list[Any] | None:
    return [
        {"Key": each.key, "Operator": each.operator, "Values": each.values or None} for each in requirements
    ] or None


def identity_of(toleration: Toleration) -> tuple[str, str, str, str]:
    """What tells a toleration from others: key, operator, value and effect."""
    return toleration.key or "", toleration.operator or "", toleration.value or "", toleration.effect or ""


def validate_tolerations(tolerations: Sequence[Toleration], path: str) -> list[FieldError]:
    return each(tolerations, _validate_toleration, path)


def _validate_toleration(toleration: Toleration, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if toleration.key:
        errors += obeys(toleration.key, label_key, f"{path}.key")
    elif toleration.operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        errors.append(invalid(f"{path}.operator", toleration.operator or "", detail))
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        errors.append(invalid(f"{path}.effect", toleration.effect or "", detail))
    if toleration.operator in (None, "", "Equal"):
        if texts := label_value(toleration.value or ""):
            errors.append(invalid(f"{path}.operator", toleration.value, ";".join(texts)))
    elif toleration.operator == "Exists":
        if toleration.value:
            detail = "value must be empty when `operator` is 'Exists'"
            errors.append(invalid(f"{path}.operator", toleration.value, detail))
    else:
        errors.append(not_supported(f"{path}.operator", toleration.operator, ("Equal", "Exists")))
    return errors + none_or_one_of(toleration.effect or None, _EFFECTS, f"{path}.effect")
