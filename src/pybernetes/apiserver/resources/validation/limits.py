"""Rules for LimitRanges, ResourceQuotas and PriorityClasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pybernetes.api.names import qualified_name
from pybernetes.api.quantity import amount, compare
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec
from pybernetes.api.types.scheduling_v1 import PriorityClass
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.metadata import IMMUTABLE, immutable
from pybernetes.apiserver.resources.validation.numbers import (
    STANDARD_RESOURCES,
    allows_overcommit,
    container_resource_name,
    is_hugepages,
    quantity_of,
    resource_name,
)
from pybernetes.apiserver.resources.validation.texts import none_or_one_of, obeys

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
_POD_COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_POD_SCOPES = frozenset(_SCOPES) - {"BestEffort", "VolumeAttributesClass"}
_WITHOUT_VALUES = _POD_SCOPES - {"PriorityClass"} | {"BestEffort"}
_ONLY_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_USER_PRIORITY_MAX = 1_000_000_000
_SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


def validate_limit_range(limit_range: LimitRange) -> list[FieldError]:
    errors: list[FieldError] = []
    again = repeated(item.type for item in limit_range.spec.limits)
    for index, item in enumerate(limit_range.spec.limits):
        path = f"spec.limits[{index}]"
        errors += _validate_limit_type(item.type, f"{path}.type")
        if index in again:
            errors.append(duplicate(f"{path}.type", item.type))
        errors += _validate_item(item, path)
    return errors


def _validate_limit_type(name: str, path: str) -> list[FieldError]:
    errors = obeys(name, qualified_name, path)
    if not errors and name not in _LIMIT_TYPES and "/" not in name:
        errors.append(invalid(path, name, "must be a standard limit type or fully qualified"))
    return errors


def _validate_item(item: LimitRangeItem, path: str) -> list[FieldError]:
    rule = container_resource_name if item.type in ("Pod", "Container") else resource_name
    errors = _names(item.max, rule, f"{path}.max") + _names(item.min, rule, f"{path}.min")
    for name, amounts in (("default", item.default), ("defaultRequest", item.default_request)):
        if item.type != "Pod":
            errors += _names(amounts, rule, f"{path}.{name}")
        elif amounts:
            errors.append(forbidden_field(f"{path}.{name}", "may not be specified when `type` is 'Pod'"))
    if item.type == "PersistentVolumeClaim" and "storage" not in item.min and "storage" not in item.max:
        detail = "either minimum or maximum storage value is required, but neither was provided"
        errors.append(required(f"{path}.limits", detail))
    errors += _names(item.max_limit_request_ratio, rule, f"{path}.maxLimitRequestRatio")
    names = dict.fromkeys((*item.max, *item.min, *item.default, *item.default_request, *item.max_limit_request_ratio))
    for name in names:
        errors += _validate_amounts(item, name, path)
    return errors


def _names(
    amounts: Mapping[str, Quantity], rule: Callable[[str, str], list[FieldError]], path: str
) -> list[FieldError]:
    return [error for name in amounts for error in rule(name, f"{path}[{name}]")]


def _validate_amounts(item: LimitRangeItem, name: str, path: str) -> list[FieldError]:
    low, high = item.min.get(name), item.max.get(name)
    pod = item.type == "Pod"
    request, limit = (None, None) if pod else (item.default_request.get(name), item.default.get(name))
    ratio = item.max_limit_request_ratio.get(name)
    where = f"{path}.{{}}[{name}]"
    errors: list[FieldError] = []

    def complain(field: str, value: Quantity | None, detail: str) -> None:
        errors.append(invalid(where.format(field), value, detail))

    # The field of the complaint, the value that it shows, and the two that are in the wrong order.
    for field, shown, less, what, more, than in (
        ("min", low, low, "min", high, "max"),
        ("defaultRequest", request, low, "min", request, "default request"),
        ("defaultRequest", request, request, "default request", high, "max"),
        ("defaultRequest", request, request, "default request", limit, "default limit"),
        ("default", low, low, "min", limit, "default"),
        ("default", high, limit, "default", high, "max"),
    ):
        if less is not None and more is not None and compare(less, more) > 0:
            complain(field, shown, f"{what} value {less} is greater than {than} value {more}")
    if ratio is not None and compare(ratio, 1) < 0:
        complain("maxLimitRequestRatio", ratio, f"ratio {ratio} is less than 1")
    if ratio is not None and low is not None and high is not None and amount(low).nano > 0:
        most = amount(high).nano / amount(low).nano
        if amount(ratio).nano / 10**9 > most:
            complain("maxLimitRequestRatio", ratio, f"ratio {ratio} is greater than max/min = {most:f}")
    if not allows_overcommit(name) and limit is not None and request is not None and compare(limit, request):
        detail = f"default value {limit} must equal to defaultRequest value {request} in {name}"
        complain("defaultRequest", request, detail)
    return errors


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
    return errors + none_or_one_of(priority.preemption_policy, ("PreemptLowerPriority", "Never"), "preemptionPolicy")


def validate_priority_class_update(new: PriorityClass, old: PriorityClass) -> list[FieldError]:
    errors: list[FieldError] = []
    if new.value != old.value:
        errors.append(forbidden_field("value", "may not be changed in an update."))
    return errors + immutable(new.preemption_policy, old.preemption_policy, "preemptionPolicy")
