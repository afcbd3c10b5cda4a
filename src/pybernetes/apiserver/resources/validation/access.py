"""Rules for roles and their bindings, leases and API services."""

from __future__ import annotations

from pybernetes.api.names import dns1035_label, dns1123_subdomain, path_segment_name
from pybernetes.api.status import FieldError, invalid, not_supported, required
from pybernetes.api.types.apiregistration_v1 import APIService
from pybernetes.api.types.coordination_v1 import Lease
from pybernetes.api.types.rbac_v1 import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject
from pybernetes.apiserver.resources.access import RBAC_GROUP
from pybernetes.apiserver.resources.validation.numbers import not_negative
from pybernetes.apiserver.resources.validation.selectors import validate_selector
from pybernetes.apiserver.resources.validation.texts import empty_or_obeys, obeys, one_of, required_text


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


def validate_lease(lease: Lease) -> list[FieldError]:
    spec = lease.spec
    errors: list[FieldError] = []
    if spec.lease_duration_seconds is not None and spec.lease_duration_seconds <= 0:
        errors.append(invalid("spec.leaseDurationSeconds", spec.lease_duration_seconds, "must be greater than 0"))
    return errors + not_negative(spec.lease_transitions, "spec.leaseTransitions")


def validate_api_service(service: APIService) -> list[FieldError]:
    spec = service.spec
    group, version = spec.group or "", spec.version or ""
    errors: list[FieldError] = []
    expected = f"{version}.{group}"
    if service.metadata.name != expected:
        detail = f'must be `spec.version+"."+spec.group`: "{expected}"'
        errors.append(invalid("metadata.name", service.metadata.name, detail))
    if not group:
        if version != "v1":
            detail = "only v1 may have an empty group and it better be legacy kube"
            errors.append(required("spec.group", detail))
    else:
        errors += obeys(group, dns1123_subdomain, "spec.group")
    errors += obeys(version, dns1035_label, "spec.version")
    if not 0 < spec.group_priority_minimum <= 20000:
        detail = "must be positive and less than 20000"
        errors.append(invalid("spec.groupPriorityMinimum", spec.group_priority_minimum, detail))
    if not 0 < spec.version_priority <= 1000:
        detail = "must be positive and less than 1000"
        errors.append(invalid("spec.versionPriority", spec.version_priority, detail))
    if spec.service is not None:
        given = (("namespace", spec.service.namespace), ("name", spec.service.name))
        errors += [required(f"spec.service.{name}") for name, value in given if not value]
        if spec.insecure_skip_tls_verify and spec.ca_bundle:
            detail = "may not be true if caBundle is present"
            errors.append(invalid("spec.insecureSkipTLSVerify", True, detail))
    return errors
