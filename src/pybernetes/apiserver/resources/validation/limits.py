"""Rules for LimitRanges."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pybernetes.api.names import qualified_name
from pybernetes.api.quantity import amount, compare
from pybernetes.api.status import FieldError, duplicate, forbidden_field, invalid, required
from pybernetes.api.struct import Quantity
from pybernetes.api.types.core_v1 import LimitRange, LimitRangeItem
from pybernetes.apiserver.resources.validation.lists import repeated
from pybernetes.apiserver.resources.validation.numbers import (
    allows_overcommit,
    container_resource_name,
    resource_name,
)
from pybernetes.apiserver.resources.validation.texts import obeys

_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")


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
