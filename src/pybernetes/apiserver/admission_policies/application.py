"""What the result of a mutation makes of an object: an apply configuration laid over it, or a JSON patch. Pure.

An object and the value of a policy's expression go in; a new object, defaulted, comes out, or PolicyError.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pybernetes.api import json_patch, strictness
from pybernetes.api.encoding import DecodeError, from_value
from pybernetes.api.kind import Kind
from pybernetes.api.objects import ApiObject, CustomObject, to_builtins
from pybernetes.api.schema import definition_of
from pybernetes.api.status import internal_error
from pybernetes.apiserver.admission_policies.evaluation import PolicyError
from pybernetes.apiserver.admission_policies.mutations import plain
from pybernetes.apiserver.custom.reading import from_document
from pybernetes.apiserver.field_management.checking import problems, summary
from pybernetes.apiserver.field_management.field_type import MAP, STRUCT, UNTYPED, FieldType
from pybernetes.apiserver.field_management.kind_types import type_of
from pybernetes.apiserver.field_management.merging import merged
from pybernetes.apiserver.resources.strategies import strategy_of

# The options of streams and proxies are no objects of the API, and so have no schema.
_UNDESCRIBED = frozenset(
    {"nodes/proxy", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy"}
)


def changed_object(obj: ApiObject, kind: Kind, patch_type: str, value: Any) -> ApiObject:
    """The object after one mutation; StatusError, whatever the policy's failurePolicy, for what no object can be."""
    document, wanted = to_builtins(obj), plain(value)
    is_patch = patch_type == "JSONPatch"
    try:
        changed = _patched(document, wanted) if is_patch else _applied(document, wanted, kind)
    except json_patch.TestFailed:
        return obj
    type_ = type(obj)
    try:
        if issubclass(type_, CustomObject):
            made: ApiObject = from_document(changed, type_, strict=False).object
        elif kind.resource in _UNDESCRIBED:
            made = msgspec.convert(changed, type_)
        else:
            made = from_value(changed, type_).object
            if is_patch and (lines := strictness.of_value(changed, definition_of(type_))):
                raise internal_error(f"strict decoding error: {', '.join(lines)}")
    except (DecodeError, msgspec.ValidationError) as error:
        raise internal_error(str(error)) if is_patch else PolicyError(str(error)) from error
    strategy_of(kind).default(made)
    return made


def _applied(document: dict[str, Any], wanted: Any, kind: Kind) -> dict[str, Any]:
    if not isinstance(wanted, dict):
        raise PolicyError("unexpected evaluation result type: an apply configuration is an object")
    if kind.resource in _UNDESCRIBED:
        detail = f"no corresponding type for {kind.group}/{kind.version}, Kind={kind.name}"
        raise PolicyError(f"error applying patch: failed to convert patch object to typed object: {detail}")
    type_ = type_of(kind)
    if found := problems(type_, wanted):
        raise PolicyError(f"error applying patch: failed to convert patch object to typed object: {summary(found)}")
    if whole := list(_replaced(type_, wanted, "")):
        detail = f"may not mutate atomic arrays, maps or structs: {', '.join(whole)}"
        raise PolicyError(f"error applying patch: invalid ApplyConfiguration: {detail}")
    result: dict[str, Any] = merged(type_, document, wanted)
    return result


def _replaced(type_: FieldType, value: Any, path: str) -> Iterator[str]:
    """The paths of what can only be had as a whole, so that laying something over it would take the rest away."""
    if isinstance(value, dict):
        if type_.leaf and type_.form in (STRUCT, MAP, UNTYPED):
            yield path
        for name, held in value.items():
            if name in type_.fields:
                yield from _replaced(type_.fields[name][1], held, f"{path}.{name}")
    elif isinstance(value, list) and type_.item is not None:
        if type_.leaf:
            yield path
        for index, item in enumerate(value):
            yield from _replaced(type_.item, item, f"{path}[{index}]")


def _patched(document: dict[str, Any], operations: Any) -> dict[str, Any]:
    changed: Any = document
    for operation in operations:
        try:
            changed = json_patch.apply(changed, [operation])
        except json_patch.TestFailed:
            raise
        except json_patch.PatchError as error:
            raise PolicyError(f"JSON Patch: {_problem(operation, error)}") from error
    if not isinstance(changed, dict):
        raise PolicyError("JSON Patch: the result is no object")
    return changed


def _problem(operation: dict[str, Any], error: json_patch.PatchError) -> str:
    """Why an operation failed, in the words of upstream's library for the usual reasons."""
    kind, path = operation.get("op"), str(operation.get("path"))
    text = str(error)
    if kind == "replace" and text.startswith("index "):
        return f"replace operation does not apply: doc is missing key: {path}: missing value"
    if text.startswith("missing container"):
        return f'{kind} operation does not apply: doc is missing path: "{path}": missing value'
    if text.startswith("nothing to remove"):
        key = path.rpartition("/")[2]
        return f"error in remove for path: '{path}': Unable to remove nonexistent key: {key}: missing value"
    return text
