"""Rules for LimitRanges, ResourceQuotas and PriorityClasses."""

from __future__ import annotations

from pybernetes.api.quantity import compare
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, not_supported, required
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.apiserver.resources.validation.metadata import immutable
from pybernetes.apiserver.resources.validation.numbers import (
    is_extended,
    is_hugepages,
    not_negative_quantity,
    resource_name,
    whole,
)

_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_SCOPES: tuple[str, ...] = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
)
_SCOPES += ("VolumeAttributesClass",)
_CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_COUNTS = frozenset(
    {"pods", "services", "resourcequotas", "replicationcontrollers", "secrets", "configmaps"}
    | {"persistentvolumeclaims", "services.nodeports", "services.loadbalancers"}
)
_COMPUTE = frozenset(
    {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage"}
    | {"limits.cpu", "limits.memory", "limits.ephemeral-storage", "requests.storage"}
)
_USER_PRIORITY_MAX = 1_000_000_000
_SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def validate_limit_range(limit_range: LimitRange) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, item in enumerate(limit_range.spec.limits):
        path = f"spec.limits[{index}]"
        if item.type not in _LIMIT_TYPES and "/" not in item.type:
            errors.append(invalid(f"{path}.type", item.type, "must be a standard limit type or fully qualified"))
        if item.type in seen:
            errors.append(duplicate(f"{path}.type", item.type))
        seen.add(item.type)
        errors += _validate_item(item, path)
    return errors


def _validate_item(item: LimitRangeItem, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if item.type == "Pod":
        for name, amounts in (("default", item.default), ("defaultRequest", item.default_request)):
            if amounts:
                errors.append(forbidden_field(f"{path}.{name}", "may not be specified when `type` is 'Pod'"))
    if item.type == "PersistentVolumeClaim" and "storage" not in item.min and "storage" not in item.max:
        detail = "either minimum or maximum storage value is required, but neither was provided"
        errors.append(required(f"{path}.limits", detail))
    names = dict.fromkeys((*item.max, *item.min, *item.default, *item.default_request, *item.max_limit_request_ratio))
    for name in names:
        errors += _validate_amounts(item, name, path)
    return errors


def _exceeds(first: Quantity | None, second: Quantity | None) -> bool:
    return first is not None and second is not None and compare(first, second) > 0


def _validate_amounts(item: LimitRangeItem, name: str, path: str) -> list[FieldError]:
    low, high = item.min.get(name), item.max.get(name)
    request, limit = item.default_request.get(name), item.default.get(name)
    ratio = item.max_limit_request_ratio.get(name)
    where = f"{path}.{{}}[{name}]"
    errors: list[FieldError] = []

    def complain(field: str, value: Quantity | None, detail: str) -> None:
        errors.append(invalid(where.format(field), value, detail))

    if _exceeds(low, high):
        complain("min", low, f"min value {low} is greater than max value {high}")
    if _exceeds(low, request):
        complain("defaultRequest", request, f"min value {low} is greater than default request value {request}")
    if _exceeds(request, high):
        complain("defaultRequest", request, f"default request value {request} is greater than max value {high}")
    if _exceeds(request, limit):
        detail = f"default request value {request} is greater than default limit value {limit}"
        complain("defaultRequest", request, detail)
    if _exceeds(low, limit):
        complain("default", low, f"min value {low} is greater than default value {limit}")
    if _exceeds(limit, high):
        complain("default", high, f"default value {limit} is greater than max value {high}")
    if ratio is not None and compare(ratio, 1) < 0:
        complain("maxLimitRequestRatio", ratio, f"ratio {ratio} is less than 1")
    return errors


def validate_quota(quota: ResourceQuota) -> list[FieldError]:
    spec = quota.spec
    errors: list[FieldError] = []
    for name, quantity in spec.hard.items():
        path = f"spec.hard[{name}]"
        errors += _quota_resource(name, path)
        errors += not_negative_quantity(quantity, path)
        if name in _COUNTS or name.startswith("count/") or is_extended(name):
            errors += whole(quantity, path)
    return errors + _validate_scopes(spec) + _validate_scope_selector(spec)


def _quota_resource(name: str, path: str) -> list[FieldError]:
    if name in _COUNTS or name in _COMPUTE:
        return []
    errors = resource_name(name, path)
    plain = name.removeprefix("requests.")
    if "/" not in name and not is_hugepages(plain):
        errors.append(invalid(path, name, "must be a standard resource for quota"))
    return errors


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
            for name in spec.hard
            if scope in _SCOPES and not _applies(scope, name)
        ]
    if any(pair <= set(spec.scopes) for pair in _CONFLICTS):
        errors.append(invalid(path, spec.scopes, "conflicting scopes"))
    return errors


def _applies(scope: str, name: str) -> bool:
    """Whether a scope of pods says anything about a resource."""
    if scope == "BestEffort":
        return name == "pods"
    if scope == "VolumeAttributesClass":
        return name == "persistentvolumeclaims" or name == "requests.storage"
    return name in _COMPUTE or name == "pods" or is_extended(name) or is_hugepages(name.removeprefix("requests."))


def _validate_scope_selector(spec: ResourceQuotaSpec) -> list[FieldError]:
    if spec.scope_selector is None:
        return []
    errors: list[FieldError] = []
    path = "spec.scopeSelector.matchExpressions"
    for requirement in spec.scope_selector.match_expressions:
        if requirement.scope_name not in _SCOPES:
            errors.append(invalid(f"{path}.scopeName", requirement.scope_name, "unsupported scope"))
        if requirement.operator in ("In", "NotIn"):
            if not requirement.values:
                detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                errors.append(required(f"{path}.values", detail))
        elif requirement.operator in ("Exists", "DoesNotExist"):
            if requirement.values:
                detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                errors.append(invalid(f"{path}.values", requirement.values, detail))
        else:
            errors.append(invalid(f"{path}.operator", requirement.operator, "not a valid selector operator"))
    return errors


def validate_quota_update(new: ResourceQuota, old: ResourceQuota) -> list[FieldError]:
    errors = validate_quota(new)
    if sorted(new.spec.scopes) != sorted(old.spec.scopes):
        errors.append(invalid("spec.scopes", new.spec.scopes, "field is immutable"))
    return errors


def validate_priority_class(priority: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    name, value = priority.metadata.name or "", priority.value or 0
    if name.startswith("system-"):
        known = _SYSTEM_CLASSES.get(name)
        if known is None or known != value:
            why = (
                f"{name} is not a known system priority class"
                if known is None
                else f"value of {name} PriorityClass must be {known}"
            )
            detail = f"priority class names with 'system-' prefix are reserved for system use only. error: {why}"
            errors.append(forbidden_field("metadata.name", detail))
    elif value > _USER_PRIORITY_MAX:
        detail = f"maximum allowed value of a user defined priority is {_USER_PRIORITY_MAX}"
        errors.append(forbidden_field("value", detail))
    if priority.preemption_policy not in (None, "PreemptLowerPriority", "Never"):
        choices = ("PreemptLowerPriority", "Never")
        errors.append(not_supported("preemptionPolicy", priority.preemption_policy, choices))
    return errors


def validate_priority_class_update(new: PriorityClass, old: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    if new.value != old.value:
        errors.append(forbidden_field("value", "may not be changed in an update."))
    return errors + immutable(new.preemption_policy, old.preemption_policy, "preemptionPolicy")
