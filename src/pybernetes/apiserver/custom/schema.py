"""What a structural schema does to plain JSON: unknown fields are pruned, missing ones get their defaults.

A decoded value (private to the caller, changed in place) and a schema (an OpenAPI v3 schema as plain JSON) go in; the
paths of what was unknown come out. Called by `rules` whenever an object comes from a client, the store or a conversion.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pybernetes.api.json_schema import (
    EMBEDDED,
    PRESERVE,
    TYPE_FIELDS,
    Schema,
    additional,
    child,
    items,
    joined,
    properties,
    takes_any_name,
)


def prune(value: Any, schema: Schema | None, path: str = "", unknown: list[str] | None = None) -> list[str]:
    """Takes out of `value` what the schema does not know; the paths of it."""
    unknown = [] if unknown is None else unknown
    if schema is not None and schema.get(PRESERVE):
        _prune_known(value, schema, path, unknown)
    elif isinstance(value, dict):
        _prune_fields(value, schema, path, unknown)
    elif isinstance(value, list):
        inner = items(schema) if schema is not None else None
        for index, item in enumerate(value):
            prune(item, inner, f"{path}[{index}]", unknown)
    return unknown


def _prune_fields(value: dict[str, Any], schema: Schema | None, path: str, unknown: list[str]) -> None:
    for name in list(value):
        if schema is not None:
            if schema.get(EMBEDDED) and name in TYPE_FIELDS:
                continue
            if name in properties(schema):
                prune(value[name], properties(schema)[name], joined(path, name), unknown)
                continue
            if takes_any_name(schema):
                prune(value[name], additional(schema), joined(path, name), unknown)
                continue
        unknown.append(joined(path, name))
        del value[name]


def _prune_known(value: Any, schema: Schema, path: str, unknown: list[str]) -> None:
    """Below an object that keeps unknown fields, those that are known are still pruned inside."""
    if isinstance(value, dict):
        for name, held in value.items():
            is_known = name in properties(schema) or takes_any_name(schema)
            if is_known and not (schema.get(EMBEDDED) and name in TYPE_FIELDS):
                prune(held, child(schema, name), joined(path, name), unknown)
    elif isinstance(value, list):
        inner = items(schema)
        for index, item in enumerate(value):
            if inner is not None:
                _prune_known(item, inner, f"{path}[{index}]", unknown)


def default(value: Any, schema: Schema | None) -> None:
    """Fills in the defaults of missing fields, and of nulls where null is not allowed."""
    if schema is None:
        return
    if isinstance(value, dict):
        for name, inner in properties(schema).items():
            if inner.get("default") is not None and (name not in value or _is_wrong_null(value[name], inner)):
                value[name] = msgspec.to_builtins(inner["default"])
        for name, held in value.items():
            within = child(schema, name)
            if within is not None and _is_wrong_null(held, within) and within.get("default") is not None:
                value[name] = msgspec.to_builtins(within["default"])
            default(value[name], within)
    elif isinstance(value, list):
        within = items(schema)
        for index, item in enumerate(value):
            if within is not None and _is_wrong_null(item, within) and within.get("default") is not None:
                value[index] = msgspec.to_builtins(within["default"])
            default(value[index], within)


def drop_nulls(value: Any, schema: Schema | None) -> None:
    """Takes out the nulls that neither may be nor have a default: to a client they mean absence."""
    if schema is None:
        return
    if isinstance(value, dict):
        for name in list(value):
            inner = child(schema, name)
            if inner is None:
                continue
            if _is_wrong_null(value[name], inner) and inner.get("default") is None:
                del value[name]
            else:
                drop_nulls(value[name], inner)
    elif isinstance(value, list):
        for item in value:
            drop_nulls(item, items(schema))


def _is_wrong_null(value: Any, schema: Schema) -> bool:
    return value is None and not schema.get("nullable")
