"""Rules for ResourceQuotas: what can be limited, and for which pods, by scopes or by a selector of scopes."""

from __future__ import annotations

from collections.abc import Mapping

from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import ResourceQuota, ResourceQuotaSpec
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE
from pybernetes.apiserver.resources.validation.numbers import (
    STANDARD_RESOURCES,
    is_hugepages,
    quantity_of,
    resource_name,
)

_SCOPES = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
)
_CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_POD_COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_POD_SCOPES = frozenset(_SCOPES) - {"BestEffort", "VolumeAttributesClass"}
_WITHOUT_VALUES = _POD_SCOPES - {"PriorityClass"} | {"BestEffort"}
_ONLY_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def validate_quota(quota: ResourceQuota) -> list[FieldError]:
    spec = quota.spec
    return _quota_amounts(spec.hard, "spec.hard") + _validate_scopes(spec) + _validate_scope_selector(spec)


def validate_quota_status(new: ResourceQuota, _old: ResourceQuota) -> list[FieldError]:
    return _quota_amounts(new.status.hard, "status.hard") + _quota_amounts(new.status.used, "status.used")


def _quota_amounts(amounts: Mapping[str, Quantity], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, quantity in amounts.items():
        where = f"{path}[{name}]"
        errors += resource_name(name, where)
        if "/" not in name and not _is_standard(name):
            errors.append(invalid(where, name, "must be a standard resource for quota"))
        errors += quantity_of(name, quantity, where)
    return errors


def _is_standard(name: str) -> bool:
    """Whether a quota of Kubernetes' own can limit a resource."""
    known = name in STANDARD_RESOURCES and name != "storage"
    return known or is_hugepages(name.removeprefix("requests."))


def _validate_scopes(spec: ResourceQuotaSpec) -> list[FieldError]:
    if not spec.scopes:
        return []
    errors: list[FieldError] = []
    path = "spec.scopes"
    for scope in spec.scopes:
        if scope not in _SCOPES:
            errors.append(invalid(path, spec.scopes, "unsupported scope"))
        errors += [
            invalid(path, spec.scopes, "unsupported scope applied to resource")
            for name in sorted(spec.hard)
            if _is_standard(name) and not _applies(scope, name)
        ]
    return errors + _conflicts(set(spec.scopes), spec.scopes, path)


def _conflicts(scopes: set[str], shown: list[str] | None, path: str) -> list[FieldError]:
    return [invalid(path, shown, "conflicting scopes") for pair in _CONFLICTS if pair <= scopes]


def _applies(scope: str, name: str) -> bool:
    """Whether a scope says anything about a resource; of unknown scopes no more is said."""
    if scope == "VolumeAttributesClass":
        return name in ("persistentvolumeclaims", "requests.storage")
    if scope == "BestEffort":
        return name == "pods"
    return scope not in _POD_SCOPES or name == "pods" or name in _POD_COMPUTE


def _validate_scope_selector(spec: ResourceQuotaSpec) -> list[FieldError]:
    if spec.scope_selector is None:
        return []
    errors: list[FieldError] = []
    path = "spec.scopeSelector.matchExpressions"
    expressions = spec.scope_selector.match_expressions
    shown = [
        {"ScopeName": each.scope_name, "Operator": each.operator, "Values": each.values or None} for each in expressions
    ]
    for requirement in expressions:
        scope = requirement.scope_name
        if scope not in _SCOPES:
            errors.append(invalid(f"{path}.scopeName", scope, "unsupported scope"))
        errors += [
            invalid(path, {"MatchExpressions": shown}, "unsupported scope applied to resource")
            for name in sorted(spec.hard)
            if _is_standard(name) and not _applies(scope, name)
        ]
        if scope in _WITHOUT_VALUES and requirement.operator != "Exists":
            errors.append(invalid(f"{path}.operator", requirement.operator, _ONLY_EXISTS))
        errors += _validate_operator(requirement.operator, requirement.values, path)
    return errors + _conflicts({each.scope_name for each in expressions}, spec.scopes or None, path)


def _validate_operator(operator: str, values: list[str], path: str) -> list[FieldError]:
    if operator in ("In", "NotIn"):
        if values:
            return []
        detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        return [required(f"{path}.values", detail)]
    if operator not in ("Exists", "DoesNotExist"):
        return [invalid(f"{path}.operator", operator, "not a valid selector operator")]
    if not values:
        return []
    detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
    return [invalid(f"{path}.values", values, detail)]


def validate_quota_update(new: ResourceQuota, old: ResourceQuota) -> list[FieldError]:
    errors = validate_quota(new)
    if set(new.spec.scopes) != set(old.spec.scopes):
        errors.append(invalid("spec.scopes", new.spec.scopes, IMMUTABLE))
    return errors
