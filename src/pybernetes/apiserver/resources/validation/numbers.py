"""Rules for numbers, quantities and percentages that many kinds share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pybernetes.api.names import qualified_name
from pybernetes.api.quantity import amount, compare, value
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.struct import IntOrString, Quantity
from pybernetes.api.whole_number import whole_number
from pybernetes.apiserver.resources.validation.texts import obeys

_NOT_NEGATIVE = "must be greater than or equal to 0"
_NOT_INTEGER = "must be an integer"
NOT_POSITIVE = "must be greater than zero"
_COUNTED_RESOURCES = frozenset(
    {"pods", "services", "resourcequotas", "replicationcontrollers", "secrets", "configmaps"}
    | {"persistentvolumeclaims", "services.nodeports", "services.loadbalancers"}
)
STANDARD_RESOURCES = _COUNTED_RESOURCES | frozenset(
    {"cpu", "memory", "ephemeral-storage", "storage", "requests.cpu", "requests.memory", "requests.storage"}
    | {"requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage"}
)
_CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
_percent = re.compile("[0-9]+%")
_NANO = 10**9
_PAGES = "hugepages-"


def not_negative(value: int | None, path: str) -> list[FieldError]:
    return [invalid(path, value, _NOT_NEGATIVE)] if value is not None and value < 0 else []


def int_or_percent(value: IntOrString | None, path: str) -> list[FieldError]:
    """A number of at least 0, or a percentage."""
    if isinstance(value, str):
        return [] if _percent.fullmatch(value) else [invalid(path, value, _PERCENT_TEXT)]
    return not_negative(value, path)


def at_most_all(value: IntOrString | None, path: str) -> list[FieldError]:
    """A percentage of at most 100."""
    if isinstance(value, str) and _percent.fullmatch(value) and _number(value[:-1]) > 100:
        return [invalid(path, value, "must not be greater than 100%")]
    return []


def in_range(value: int, low: int, high: int, path: str) -> list[FieldError]:
    return [] if low <= value <= high else [invalid(path, value, f"must be between {low} and {high}, inclusive")]


def is_zero(value: IntOrString | None) -> bool:
    """Zero, also as a percentage; text that is neither percentage nor number counts as nothing."""
    if not isinstance(value, str):
        return not value
    digits = value[:-1] if _percent.fullmatch(value) else value[value[:1] in ("+", "-") :]
    return not (digits.isascii() and digits.isdigit()) or not _number(digits)


def _number(digits: str) -> int:
    """A number of any length; all that are larger than the largest are that one."""
    found = whole_number(digits.lstrip("0") or "0")
    return 2**63 - 1 if found is None else found


def is_hugepages(name: str) -> bool:
    return name.startswith(_PAGES)


def is_native(name: str) -> bool:
    """Resources without a domain, or with Kubernetes' own."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Resources of a domain of their own, such as devices."""
    return not is_native(name) and not name.startswith("requests.") and not qualified_name(f"requests.{name}")


def _is_whole(name: str) -> bool:
    """Resources that are counted, not measured."""
    return name in _COUNTED_RESOURCES or is_extended(name)


def allows_overcommit(name: str) -> bool:
    return is_native(name) and not is_hugepages(name)


def not_negative_quantity(quantity: Quantity, path: str) -> list[FieldError]:
    return [invalid(path, quantity, _NOT_NEGATIVE)] if amount(quantity).nano < 0 else []


def positive_quantity(quantity: Quantity, path: str) -> list[FieldError]:
    return [invalid(path, quantity, NOT_POSITIVE)] if amount(quantity).nano <= 0 else []


def _whole(quantity: Quantity, path: str) -> list[FieldError]:
    """Extended resources and counts come in whole units."""
    return [invalid(path, quantity, _NOT_INTEGER)] if amount(quantity).nano % _NANO else []


def quantity_of(name: str, quantity: Quantity, path: str) -> list[FieldError]:
    """An amount of a resource: not negative, and whole where the resource is counted."""
    errors = not_negative_quantity(quantity, path)
    return errors + _whole(quantity, path) if _is_whole(name) else errors


def resource_name(name: str, path: str) -> list[FieldError]:
    """A resource of Kubernetes, or one with a domain."""
    errors = obeys(name, qualified_name, path)
    if errors or "/" in name or name in STANDARD_RESOURCES or is_hugepages(name.removeprefix("requests.")):
        return errors
    return [invalid(path, name, "must be a standard resource type or fully qualified")]


def container_resource_name(name: str, path: str) -> list[FieldError]:
    """What a container can ask for."""
    if name in _CONTAINER_RESOURCES:
        return []
    errors = resource_name(name, path)
    if "/" not in name:
        if not is_hugepages(name):
            errors.append(invalid(path, name, "must be a standard resource for containers"))
    elif not is_native(name) and not is_extended(name):
        errors.append(invalid(path, name, "doesn't follow extended resource name standard"))
    return errors


def pod_resource_name(name: str, path: str) -> list[FieldError]:
    """What a pod as a whole can ask for."""
    errors = resource_name(name, path)
    if not errors and name not in ("cpu", "memory") and not is_hugepages(name):
        errors.append(not_supported(path, name, ("cpu", "hugepages-", "memory")))
    return errors


def requirements(
    limits: Mapping[str, Quantity],
    requests: Mapping[str, Quantity],
    path: str,
    name_rule: Callable[[str, str], list[FieldError]] = container_resource_name,
) -> list[FieldError]:
    """Limits and requests: known names, sound amounts, no request above its limit."""
    errors: list[FieldError] = []
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, quantity in amounts.items():
            where = f"{path}.{kind}[{name}]"
            errors += name_rule(name, where)
            errors += quantity_of(name, quantity, where)
            if kind == "requests":
                errors += _within_limit(name, quantity, limits.get(name), path)
            if is_hugepages(name) and not _are_pages(name, quantity):
                errors.append(invalid(where, quantity, f"{quantity} is not positive integer multiple of {name}"))
    named = {*limits, *requests}
    if any(is_hugepages(name) for name in named) and named.isdisjoint(("cpu", "memory")):
        errors.append(forbidden_field(path, "HugePages require cpu or memory"))
    return errors


def _are_pages(name: str, quantity: Quantity) -> bool:
    """Whether an amount is so many pages of the size that the resource's name tells."""
    try:
        size = amount(name.removeprefix(_PAGES)).nano
    except ValueError:
        return False
    return size > 0 and size % _NANO == 0 and value(quantity) % (size // _NANO) == 0


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
