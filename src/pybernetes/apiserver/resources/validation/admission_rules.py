"""Rules for the rules of webhooks and policies: which operations on which resources they are about. Pure."""

from __future__ import annotations

from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.admissionregistration_v1 import NamedRuleWithOperations, RuleWithOperations

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")


def validate_rule(rule: RuleWithOperations | NamedRuleWithOperations, path: str) -> list[FieldError]:
    """The rules for one of them."""
    errors: list[FieldError] = []
    if not rule.operations:
        errors.append(required(f"{path}.operations"))
    if "*" in rule.operations and len(rule.operations) > 1:
        detail = "if '*' is present, must not specify other operations"
        errors.append(invalid(f"{path}.operations", rule.operations, detail))
    for index, operation in enumerate(rule.operations):
        if operation not in _OPERATIONS:
            errors.append(not_supported(f"{path}.operations[{index}]", operation, _OPERATIONS))
    for name, values, what in (
        ("apiGroups", rule.api_groups, "API groups"),
        ("apiVersions", rule.api_versions, "API versions"),
    ):
        if not values:
            errors.append(required(f"{path}.{name}"))
        if "*" in values and len(values) > 1:
            errors.append(invalid(f"{path}.{name}", values, f"if '*' is present, must not specify other {what}"))
    if not rule.resources:
        errors.append(required(f"{path}.resources"))
    if "*/*" in rule.resources and len(rule.resources) > 1:
        detail = "if '*/*' is present, must not specify other resources"
        errors.append(invalid(f"{path}.resources", rule.resources, detail))
    if rule.scope not in (None, "*", "Cluster", "Namespaced"):
        errors.append(not_supported(f"{path}.scope", rule.scope, ("*", "Cluster", "Namespaced")))
    return errors
