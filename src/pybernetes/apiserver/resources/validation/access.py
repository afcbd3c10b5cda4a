"""Rules for roles and their bindings."""

from __future__ import annotations

from pybernetes.api.names import dns1123_subdomain, path_segment_name
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject
from pybernetes.apiserver.resources.access import RBAC_GROUP
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.apiserver.resources.validation.texts import empty_or_obeys, one_of, required_text


def _validate_rules(rules: list[PolicyRule], *, namespaced: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, rule in enumerate(rules):
        path = f"rules[{index}]"
        if not rule.verbs:
            errors.append(required(f"{path}.verbs", "verbs must contain at least one value"))
        if rule.non_resource_urls:
            errors += _validate_urls(rule, path, namespaced=namespaced)
            continue
        if not rule.api_groups:
            errors.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.resources:
            errors.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    return errors


def _validate_urls(rule: PolicyRule, path: str, *, namespaced: bool) -> list[FieldError]:
    where, urls = f"{path}.nonResourceURLs", rule.non_resource_urls
    errors: list[FieldError] = []
    if namespaced:
        errors.append(invalid(where, urls, "namespaced rules cannot apply to non-resource URLs"))
    if rule.api_groups or rule.resources or rule.resource_names:
        errors.append(invalid(where, urls, "rules cannot apply to both regular resources and non-resource URLs"))
    return errors


def validate_role(role: Role) -> list[FieldError]:
    return _validate_rules(role.rules, namespaced=True)


def validate_cluster_role(role: ClusterRole) -> list[FieldError]:
    errors = _validate_rules(role.rules, namespaced=False)
    if role.aggregation_rule is None:
        return errors
    path = "aggregationRule.clusterRoleSelectors"
    if not role.aggregation_rule.cluster_role_selectors:
        detail = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        errors.append(required(path, detail))
    for index, selector in enumerate(role.aggregation_rule.cluster_role_selectors):
        problems = validate_selector(selector, f"{path}[{index}]")
        errors += problems
        if problems:
            errors.append(invalid(f"{path}[{index}]", None, "invalid label selector."))
    return errors


def validate_binding(binding: RoleBinding | ClusterRoleBinding) -> list[FieldError]:
    errors: list[FieldError] = []
    ref = binding.role_ref
    errors += one_of(ref.api_group, (RBAC_GROUP,), "roleRef.apiGroup")
    kinds = ("Role", "ClusterRole") if isinstance(binding, RoleBinding) else ("ClusterRole",)
    errors += one_of(ref.kind, kinds, "roleRef.kind")
    errors += required_text(ref.name, path_segment_name, "roleRef.name")
    for index, subject in enumerate(binding.subjects):
        namespaced = isinstance(binding, RoleBinding)
        errors += _validate_subject(subject, f"subjects[{index}]", namespaced=namespaced)
    return errors


def _validate_subject(subject: Subject, path: str, *, namespaced: bool) -> list[FieldError]:
    errors = [] if subject.name else [required(f"{path}.name")]
    if subject.kind == "ServiceAccount":
        errors += empty_or_obeys(subject.name, dns1123_subdomain, f"{path}.name")
        if subject.api_group:
            errors.append(not_supported(f"{path}.apiGroup", subject.api_group, ("",)))
        if not namespaced and not subject.namespace:
            errors.append(required(f"{path}.namespace"))
    elif subject.kind in ("User", "Group"):
        errors += one_of(subject.api_group, (RBAC_GROUP,), f"{path}.apiGroup")
    else:
        errors.append(not_supported(f"{path}.kind", subject.kind, ("ServiceAccount", "User", "Group")))
    return errors


def validate_binding_update(
    new: RoleBinding | ClusterRoleBinding, old: RoleBinding | ClusterRoleBinding
) -> list[FieldError]:
    errors = validate_binding(new)
    if new.role_ref != old.role_ref:
        ref = new.role_ref
        shown = {"APIGroup": ref.api_group, "Kind": ref.kind, "Name": ref.name}
        errors.append(invalid("roleRef", shown, "cannot change roleRef"))
    return errors
