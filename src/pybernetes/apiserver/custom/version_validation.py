"""What one version of a CustomResourceDefinition must obey besides its name, in upstream's order and words. Pure.

Upstream checks its internal form, in which what all versions have in common stands at the top of the spec; so do the
paths of errors: `spec.validation` for a schema that all versions share, `spec.versions[1].schema` for one of several.
Called by `definition_validation`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from pybernetes.api.json_schema import Schema
from pybernetes.api.objects import to_builtins
from pybernetes.api.status import FieldError, duplicate, invalid, required
from pybernetes.api.types.apiextensions_v1 import (
    CustomResourceColumnDefinition,
    CustomResourceDefinitionSpec,
    CustomResourceDefinitionVersion,
)
from pybernetes.apiserver.custom.demands import Demands
from pybernetes.apiserver.custom.rule_paths import PathProblem, located
from pybernetes.apiserver.custom.schema_validation import schema_errors

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_SELECTABLE_TYPES = ("string", "boolean", "integer")
_SELECTABLE_MAX = 8
_NOT_SELECTABLE = (
    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
)
_DEPRECATION_MAX = 256
_NOT_SIMPLE = "must be a simple json path starting with ."


def own_errors(spec: CustomResourceDefinitionSpec, demands: Demands) -> Iterator[list[FieldError]]:
    """For each version, what is wrong with what it does not share with all others."""
    own = [aspect for aspect in _ASPECTS if not _is_shared(spec, aspect.value)]
    for index, version in enumerate(spec.versions):
        path = f"spec.versions[{index}]"
        problems = _warning_problems(version)
        errors = [invalid(f"{path}.deprecationWarning", version.deprecation_warning, problem) for problem in problems]
        for aspect in own:
            errors += aspect.errors(version, f"{path}.{aspect.own}", demands)
        yield errors


def shared_errors(spec: CustomResourceDefinitionSpec, demands: Demands) -> Iterator[FieldError]:
    """What is wrong with what all versions have in common."""
    for aspect in _ASPECTS:
        if spec.versions and _is_shared(spec, aspect.value):
            yield from aspect.errors(spec.versions[0], f"spec.{aspect.shared}", demands)


def schema_of(version: CustomResourceDefinitionVersion) -> Schema | None:
    """A version's schema as plain JSON."""
    schema = version.schema.open_apiv3_schema if version.schema is not None else None
    return to_builtins(schema) if schema is not None else None


def _warning_problems(version: CustomResourceDefinitionVersion) -> Iterator[str]:
    text = version.deprecation_warning
    if text is None:
        return
    if not version.deprecated:
        yield "can only be set for deprecated versions"
        return
    if len(text.encode()) > _DEPRECATION_MAX:
        yield f"must be <= {_DEPRECATION_MAX} characters long"
    if not text:
        yield "must not be an empty string"
    found = next((index for index, letter in enumerate(text) if not _is_printable(letter)), None)
    if found is not None:
        where = f"non-printable character found at index {len(text[:found].encode())}"
        yield f"must only contain printable UTF-8 characters; {where}"


def _is_printable(letter: str) -> bool:
    """As Go has it: letters, marks, numbers, punctuation, symbols, and of all spaces the plain one."""
    return letter == " " or unicodedata.category(letter)[0] in "LMNPS"


class _Aspect:
    """A part of versions that is checked at the top of the spec when all versions share it."""

    def __init__(
        self,
        shared: str,
        own: str,
        value: Callable[[CustomResourceDefinitionVersion], Any],
        errors: Callable[[CustomResourceDefinitionVersion, str, Demands], Iterator[FieldError]],
    ) -> None:
        self.shared, self.own, self.value, self.errors = shared, own, value, errors


def _is_shared(spec: CustomResourceDefinitionSpec, value: Callable[[CustomResourceDefinitionVersion], Any]) -> bool:
    values = [value(version) for version in spec.versions]
    return all(other == values[0] for other in values)


def _validation_errors(version: CustomResourceDefinitionVersion, path: str, demands: Demands) -> Iterator[FieldError]:
    schema = schema_of(version)
    if schema is not None:
        has_status = version.subresources is not None and version.subresources.status is not None
        yield from schema_errors(schema, f"{path}.openAPIV3Schema", has_status=has_status, demands=demands)


def _scale_errors(version: CustomResourceDefinitionVersion, path: str, _demands: Demands) -> Iterator[FieldError]:
    scale = version.subresources.scale if version.subresources is not None else None
    if scale is None:
        return
    path = f"{path}.scale"
    for field, value, root in (
        ("specReplicasPath", scale.spec_replicas_path, ".spec"),
        ("statusReplicasPath", scale.status_replicas_path, ".status"),
    ):
        if not value:
            yield required(f"{path}.{field}")
        elif not value.startswith("."):
            yield invalid(f"{path}.{field}", value, _NOT_SIMPLE)
        elif not value.startswith(f"{root}."):
            yield invalid(f"{path}.{field}", value, f"should be a json path under {root}")
    selector = scale.label_selector_path
    if not selector:
        return
    if not selector.startswith("."):
        yield invalid(f"{path}.labelSelectorPath", selector, _NOT_SIMPLE)
    elif not selector.startswith((".spec.", ".status.")):
        yield invalid(f"{path}.labelSelectorPath", selector, "should be a json path under either .spec or .status")


def _columns_errors(version: CustomResourceDefinitionVersion, path: str, _demands: Demands) -> Iterator[FieldError]:
    for index, column in enumerate(version.additional_printer_columns):
        yield from _column_errors(column, f"{path}[{index}]")


def _column_errors(column: CustomResourceColumnDefinition, path: str) -> Iterator[FieldError]:
    if not column.name:
        yield required(f"{path}.name")
    if not column.type:
        yield required(f"{path}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
    elif column.type not in _COLUMN_TYPES:
        yield invalid(f"{path}.type", column.type, f"must be one of {','.join(_COLUMN_TYPES)}")
    if column.format and column.format not in _COLUMN_FORMATS:
        yield invalid(f"{path}.format", column.format, f"must be one of {','.join(_COLUMN_FORMATS)}")
    if not column.json_path:
        yield required(f"{path}.JSONPath")
    elif not column.json_path.startswith("."):
        yield invalid(f"{path}.JSONPath", column.json_path, _NOT_SIMPLE)


def _selectable_errors(version: CustomResourceDefinitionVersion, path: str, _demands: Demands) -> Iterator[FieldError]:
    seen: set[tuple[str, ...]] = set()
    schema = schema_of(version) or {}
    for index, field in enumerate(version.selectable_fields):
        place = f"{path}[{index}].jsonPath"
        if not field.json_path:
            yield required(place)
            continue
        try:
            names, found = located(field.json_path, schema, brackets=False)
        except PathProblem as problem:
            yield invalid(place, field.json_path, f"is an invalid path: {problem}")
            continue
        if names[0] == "metadata":
            yield invalid(place, field.json_path, "must not point to fields in metadata")
        if found.get("type") not in _SELECTABLE_TYPES:
            yield invalid(place, field.json_path, _NOT_SELECTABLE)
        if tuple(names) in seen:
            yield duplicate(place, field.json_path)
        seen.add(tuple(names))
    if len(seen) > _SELECTABLE_MAX:
        yield FieldError("FieldValueTooMany", path, f"must have at most {_SELECTABLE_MAX} items", len(seen))


_ASPECTS = (
    _Aspect("validation", "schema", schema_of, _validation_errors),
    _Aspect("subresources", "subresources", lambda version: version.subresources, _scale_errors),
    _Aspect(
        "additionalPrinterColumns",
        "additionalPrinterColumns",
        lambda version: version.additional_printer_columns,
        _columns_errors,
    ),
    _Aspect("selectableFields", "selectableFields", lambda version: version.selectable_fields, _selectable_errors),
)
