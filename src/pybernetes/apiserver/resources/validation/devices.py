"""Rules for what all kinds of resource.k8s.io speak of: pools, attributes, selectors, parameters, taints.

Callers are the rules for claims, allocations and slices.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from typing import Any

from pybernetes.api.names import dns1123_subdomain, label_value, regex_error
from pybernetes.api.status import FieldError, duplicate, invalid, not_supported, required
from pybernetes.api.types.resource_v1 import (
    AllocatedDeviceStatus,
    DeviceRequestAllocationResult,
    DeviceSelector,
    DeviceTaint,
    DeviceToleration,
    OpaqueDeviceConfiguration,
)
from pybernetes.apiserver.resources.validation.device_expressions import expression_errors
from pybernetes.apiserver.resources.validation.lists import at_most, few, no_twins, repeated
from pybernetes.apiserver.resources.validation.metadata import label_key
from pybernetes.apiserver.resources.validation.texts import each_obeys, no_longer, none_or_one_of, obeys, too_long
from pybernetes.apiserver.resources.validation.volume_sources import validate_driver_name

_PARAMETERS_LIMIT = 10 * 1024
_POOL_LIMIT = 253
_EXPRESSION_LIMIT = 10 * 1024
_IDENTIFIER_LIMIT = 32
_MOST_SELECTORS = 32
_MOST_CONDITIONS = 4
_EFFECTS = ("NoExecute", "NoSchedule", "None")
_OMITTED_DATA = "<value omitted>"
_NOT_NORMAL = (
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` "
    "with lowercase hexadecimal characters"
)
_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_NOT_IDENTIFIER = regex_error(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'",
    _IDENTIFIER,
    "my_name",
    "MY_NAME",
    "MyName",
)
_identifier = re.compile(_IDENTIFIER)


def identity(device: AllocatedDeviceStatus | DeviceRequestAllocationResult) -> str:
    """What tells a device, or a share of one, from all others."""
    name = f"{device.driver}/{device.pool}/{device.device}"
    return f"{name}/{device.share_id}" if device.share_id else name


def shortened(key: str, most: int) -> str:
    """A key as paths show it: without its middle when it is too long."""
    if len(key) <= most:
        return key
    kept = most - 3
    return f"{key[: (kept + 1) // 2]}...{key[len(key) - kept // 2 :]}"


def pool_name(name: str, path: str) -> list[FieldError]:
    """Subdomains with slashes between them."""
    if not name:
        return [required(path)]
    parts = (error for part in name.split("/") for error in obeys(part, dns1123_subdomain, path))
    return [*no_longer(name, _POOL_LIMIT, path), *parts]


def share_id(uid: str | None, path: str) -> list[FieldError]:
    if uid is None:
        return []
    try:
        parsed = str(uuid.UUID(uid))
    except ValueError:
        return [invalid(path, uid, f"error validating uid: invalid UUID length: {len(uid)}")]
    return [] if parsed == uid else [invalid(path, uid, _NOT_NORMAL)]


def attribute_name(name: str, path: str) -> list[FieldError]:
    """An identifier as in C, perhaps in a domain."""
    domain, slash, identifier = name.partition("/")
    if not slash:
        return _validate_identifier(name, path)
    if "/" in identifier:
        return []
    errors = validate_driver_name(domain, path) if domain else [invalid(path, "", "the domain must not be empty")]
    if not identifier:
        return [*errors, invalid(path, "", "the name must not be empty")]
    return errors + _validate_identifier(identifier, path)


def full_attribute_name(name: str, path: str) -> list[FieldError]:
    errors = attribute_name(name, path)
    if "/" not in name:
        detail = "a fully qualified name must be a domain and a name separated by a slash"
        errors.append(invalid(path, name, detail))
    return errors


def _validate_identifier(name: str, path: str) -> list[FieldError]:
    errors = no_longer(name, _IDENTIFIER_LIMIT, path)
    return errors if _identifier.fullmatch(name) else [*errors, invalid(path, name, _NOT_IDENTIFIER)]


def validate_selectors(selectors: Sequence[DeviceSelector], path: str) -> list[FieldError]:
    return few(selectors, _MOST_SELECTORS, _validate_selector, path)


def _validate_selector(selector: DeviceSelector, path: str) -> list[FieldError]:
    if selector.cel is None:
        return [required(f"{path}.cel")]
    if len(selector.cel.expression.encode()) > _EXPRESSION_LIMIT:
        return [too_long(f"{path}.cel.expression", _EXPRESSION_LIMIT)]
    return expression_errors(selector.cel.expression, f"{path}.cel.expression")


def validate_configuration(opaque: OpaqueDeviceConfiguration | None, path: str) -> list[FieldError]:
    if opaque is None:
        return [required(f"{path}.opaque")]
    errors = validate_driver_name(opaque.driver, f"{path}.opaque.driver")
    return errors + validate_data(opaque.parameters, f"{path}.opaque.parameters")


def validate_data(data: Any, path: str) -> list[FieldError]:
    """A JSON object, with what only its driver understands."""
    if data is None:
        return [required(path)]
    if len(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()) > _PARAMETERS_LIMIT:
        return [too_long(path, _PARAMETERS_LIMIT)]
    return [] if isinstance(data, dict) else [invalid(path, _OMITTED_DATA, "must be a valid JSON object")]


def validate_taint(taint: DeviceTaint, path: str) -> list[FieldError]:
    errors = _key(taint.key, path)
    errors += _label_value(taint.value or "", path)
    if not taint.effect:
        return [*errors, required(f"{path}.effect")]
    return errors + _effect(taint.effect, path)


def validate_toleration(toleration: DeviceToleration, path: str) -> list[FieldError]:
    errors = _key(toleration.key, path) if toleration.key else []
    operator, value = toleration.operator, toleration.value or ""
    if operator == "Exists":
        if value:
            errors.append(invalid(f"{path}.value", value, "must be empty for operator `Exists`"))
    elif operator == "Equal":
        errors += _label_value(value, path)
    elif not operator:
        errors.append(required(f"{path}.operator"))
    else:
        errors.append(not_supported(f"{path}.operator", operator, ("Equal", "Exists")))
    return errors + _effect(toleration.effect or "", path)


def _key(key: str, path: str) -> list[FieldError]:
    return obeys(key, label_key, f"{path}.key")


def _label_value(value: str, path: str) -> list[FieldError]:
    return obeys(value, label_value, f"{path}.value")


def _effect(effect: str, path: str) -> list[FieldError]:
    return none_or_one_of(effect or None, _EFFECTS, f"{path}.effect")


def validate_binding(conditions: Sequence[str], failures: Sequence[str], path: str) -> list[FieldError]:
    """What binding waits for, and what ends the waiting: both are named or neither, and they differ."""
    first, second = f"{path}.bindingConditions", f"{path}.bindingFailureConditions"
    errors: list[FieldError] = []
    for names, where in ((conditions, first), (failures, second)):
        errors += at_most(names, _MOST_CONDITIONS, where) or each_obeys(names, label_key, where)
    errors += no_twins(conditions, first)
    again, known = repeated(failures), set(conditions)
    for index, name in enumerate(failures):
        where = f"{second}[{index}]"
        if index in again:
            errors.append(duplicate(where, name))
        if name in known:
            detail = "bindingFailureConditions must not overlap with bindingConditions"
            errors.append(invalid(where, name, detail))
    if failures and not conditions:
        errors.append(invalid(first, None, "bindingConditions are required to use bindingFailureConditions"))
    if conditions and not failures:
        errors.append(invalid(second, None, "bindingFailureConditions are required to use bindingConditions"))
    return errors
