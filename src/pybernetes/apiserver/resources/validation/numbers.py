"""Rules for numbers, quantities and percentages that many kinds share."""

from __future__ import annotations

import re

from pybernetes.api.names import qualified_name
from pybernetes.api.quantity import amount, compare
from pybernetes.api.status import FieldError, invalid, required
from pybernetes.api.struct import IntOrString, Quantity

NOT_NEGATIVE = "must be greater than or equal to 0"
NOT_INTEGER = "must be an integer"
_STANDARD_RESOURCES = frozenset(
    {"cpu", "memory", "ephemeral-storage", "storage", "requests.cpu", "requests.memory", "requests.storage"}
    | {"requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "services"}
    | {"resourcequotas", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims"}
    | {"services.nodeports", "services.loadbalancers"}
)
_CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
_percent = re.compile("[0-9]+%")
_NANO = 10**9


def not_negative(value: int | None, path: str) -> list[FieldError]:
    return [invalid(path, value, NOT_NEGATIVE)] if value is not None and value < 0 else []


def int_or_percent(value: IntOrString | None, path: str) -> list[FieldError]:
    """A number of at least 0, or a percentage."""
    if isinstance(value, str):
        return [] if _percent.fullmatch(value) else [invalid(path, value, _PERCENT_TEXT)]
    return not_negative(value, path)


def at_most_all(value: IntOrString | None, path: str) -> list[FieldError]:
    """A percentage of at most 100."""
    if isinstance(value, str) and _percent.fullmatch(value) and int(value[:-1]) > 100:
        return [invalid(path, value, "must not be greater than 100%")]
    return []


def in_range(value: int, low: int, high: int) -> list[str]:
    """The complaint about a number outside of its range."""
    return [] if low <= value <= high else [f"must be between {low} and {high}, inclusive"]


def is_zero(value: IntOrString | None) -> bool:
    """Zero, also as a percentage."""
    if isinstance(value, str):
        return bool(_percent.fullmatch(value)) and int(value[:-1]) == 0
    return not value


def is_hugepages(name: str) -> bool:
    return name.startswith("hugepages-")


def is_native(name: str) -> bool:
    """Resources without a domain, or with Kubernetes' own."""
    return "/" not in name or name.partition("/")[0].endswith("kubernetes.io")


def is_extended(name: str) -> bool:
    return not is_native(name) and not name.startswith("requests.")


def allows_overcommit(name: str) -> bool:
    return is_native(name) and not is_hugepages(name)


def not_negative_quantity(quantity: Quantity, path: str) -> list[FieldError]:
    return [invalid(path, quantity, NOT_NEGATIVE)] if amount(quantity).nano < 0 else []


def whole(quantity: Quantity, path: str) -> list[FieldError]:
    """Extended resources and counts come in whole units."""
    return [invalid(path, quantity, NOT_INTEGER)] if amount(quantity).nano % _NANO else []


def resource_name(name: str, path: str) -> list[FieldError]:
    """A resource of Kubernetes, or one with a domain."""
    errors = [invalid(path, name, text) for text in qualified_name(name)]
    if not errors and "/" not in name and name not in _STANDARD_RESOURCES and not is_hugepages(name):
        errors.append(invalid(path, name, "must be a standard resource type or fully qualified"))
    return errors


def container_resource_name(name: str, path: str) -> list[FieldError]:
    """What a container can ask for."""
    if name in _CONTAINER_RESOURCES:
        return []
    errors = resource_name(name, path)
    if "/" not in name:
        if not is_hugepages(name):
            errors.append(invalid(path, name, "must be a standard resource for containers"))
    elif is_native(name):
        errors.append(invalid(path, name, "doesn't follow extended resource name standard"))
    return errors


def requirements(
    limits: dict[str, Quantity], requests: dict[str, Quantity], path: str, *, names: bool = True
) -> list[FieldError]:
    """Limits and requests of a container: known names, sound amounts, no request above its limit."""
    errors: list[FieldError] = []
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, quantity in amounts.items():
            where = f"{path}.{kind}[{name}]"
            if names:
                errors += container_resource_name(name, where)
            errors += not_negative_quantity(quantity, where)
            if is_extended(name):
                errors += whole(quantity, where)
            if kind == "requests":
                errors += _within_limit(name, quantity, limits.get(name), path)
    return errors


def _within_limit(name: str, request: Quantity, limit: Quantity | None, path: str) -> list[FieldError]:
    if limit is None:
        if not allows_overcommit(name):
            return [required(f"{path}.limits", "Limit must be set for non overcommitable resources")]
        return []
    if request == limit:
        return []
    order = compare(request, limit)
    if order != 0 and not allows_overcommit(name):
        return [invalid(f"{path}.requests", request, f"must be equal to {name} limit of {limit}")]
    if order > 0:
        return [invalid(f"{path}.requests", request, f"must be less than or equal to {name} limit of {limit}")]
    return []
