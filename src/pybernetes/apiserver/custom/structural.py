"""Which schemas a CustomResourceDefinition may have: structural ones, in upstream's words. Pure.

A schema as plain JSON and its path go in, what is wrong with it comes out. Called by `definition_validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pybernetes.api.json_schema import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    PRESERVE,
    Schema,
    additional,
    items,
    properties,
)
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.apiserver.custom.expression_rules import expression_schema_errors, rule_errors
from pybernetes.apiserver.custom.formats import KNOWN
from pybernetes.apiserver.custom.patterns import PatternError, compiled
from pybernetes.apiserver.custom.schema import prune
from pybernetes.apiserver.custom.validation import validate

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("$ref", "definitions", "dependencies", "id", "patternProperties", "additionalItems")
_REQUIRED_AT = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_QUADRATIC = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
_OF_MAP = "x-kubernetes-list-type is map"
_KEY = "this property is in x-kubernetes-list-map-keys, so it"


def schema_errors(schema: Schema, path: str) -> list[FieldError]:
    """What is wrong with a version's schema; later questions are not asked about one that fails an earlier one."""
    errors = list(_root_errors(schema, path)) + list(_node_errors(schema, path))
    if any(error.type == "FieldValueForbidden" for error in errors):
        return errors
    shape = list(_structural_errors(schema, path, "root"))
    if errors or shape:
        return errors + shape
    return expression_schema_errors(schema, path) or list(_default_errors(schema, path))


def _parts(schema: Schema, path: str) -> Iterator[tuple[Schema, str, str]]:
    """The schemas inside of a schema, with their paths and levels."""
    inner = items(schema)
    if inner is not None:
        yield inner, f"{path}.items", "item"
    for name, held in properties(schema).items():
        yield held, f"{path}.properties[{name}]", "field"
    extra = additional(schema)
    if extra is not None:
        yield extra, f"{path}.additionalProperties", "field"


def _root_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    if schema.get("nullable"):
        yield forbidden_field(f"{path}.nullable", "nullable cannot be true at the root")
    type_ = schema.get("type")
    if type_ and type_ != "object":
        yield invalid(f"{path}.type", type_, "must be object at the root")
    metadata = properties(schema).get("metadata")
    allowed = {"name", "generateName"}
    if metadata is not None and (
        not set(metadata) <= {"type", "properties", "description"} or not set(properties(metadata)) <= allowed
    ):
        detail = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden_field(f"{path}.properties[metadata]", detail)


def _node_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    """What no schema may say, whatever it is part of."""
    for name in _UNSUPPORTED:
        if name in schema:
            yield forbidden_field(f"{path}.{name}", f"{name} is not supported")
    if schema.get("uniqueItems"):
        yield forbidden_field(f"{path}.uniqueItems", _QUADRATIC)
    if properties(schema) and schema.get("additionalProperties") not in (None, False):
        detail = "additionalProperties and properties are mutual exclusive"
        yield forbidden_field(f"{path}.additionalProperties", detail)
    elif schema.get("additionalProperties") is False:
        yield forbidden_field(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    for inner, place, _level in _parts(schema, path):
        yield from _node_errors(inner, place)
    yield from _type_errors(schema, path)
    yield from _list_errors(schema, path)
    yield from _pattern_errors(schema, path)
    yield from rule_errors(schema, path)


def _type_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    type_ = schema.get("type")
    if type_ == "null":
        yield forbidden_field(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    elif type_ and type_ not in _TYPES:
        yield not_supported(f"{path}.type", type_, _TYPES)
    if isinstance(schema.get("items"), list):
        yield forbidden_field(f"{path}.items", "items must be a schema object and not an array")
    elif type_ == "array" and items(schema) is None:
        yield required(f"{path}.items", "must be specified")
    if schema.get(PRESERVE) is False:
        yield invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    kind = schema.get(MAP_TYPE)
    if kind is not None:
        if type_ != "object":
            yield invalid(f"{path}.type", type_ or "", f"must be object if {MAP_TYPE} is specified")
        if kind not in ("atomic", "granular"):
            yield not_supported(f"{path}.{MAP_TYPE}", kind, ("atomic", "granular"))


def _pattern_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    pattern = schema.get("pattern")
    if not pattern:
        return
    try:
        compiled(pattern)
    except PatternError as error:
        detail = f"must be a valid regular expression, but isn't: error parsing regexp: {error}"
        yield invalid(f"{path}.pattern", pattern, detail)


def _list_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    kind, keys, type_ = schema.get(LIST_TYPE), schema.get(LIST_KEYS) or [], schema.get("type")
    if kind is not None:
        if not type_:
            yield required(f"{path}.type", f"must be array if {LIST_TYPE} is specified")
        elif type_ != "array":
            yield invalid(f"{path}.type", type_, f"must be array if {LIST_TYPE} is specified")
        if kind not in ("atomic", "set", "map"):
            yield not_supported(f"{path}.{LIST_TYPE}", kind, ("atomic", "map", "set"))
    if keys and kind != "map":
        if kind is None:
            yield required(f"{path}.{LIST_TYPE}", f"must be map if {LIST_KEYS} is non-empty")
        else:
            yield invalid(f"{path}.{LIST_TYPE}", kind, f"must be map if {LIST_KEYS} is non-empty")
    if kind == "map":
        yield from _map_errors(schema, keys, path)
    elif kind == "set":
        yield from _set_errors(items(schema), path)


def _map_errors(schema: Schema, keys: list[str], path: str) -> Iterator[FieldError]:
    """A list that is a map has items with keys that are always there."""
    if not keys:
        yield required(f"{path}.{LIST_KEYS}", f"must not be empty if {_OF_MAP}")
    inner = items(schema)
    if inner is None:
        yield required(f"{path}.items", f"must have a schema if {_OF_MAP}")
        return
    if inner.get("type") != "object":
        yield invalid(f"{path}.items.type", inner.get("type") or "", f"must be object if parent array's {_OF_MAP}")
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield invalid(f"{path}.{LIST_KEYS}", keys, "must not contain duplicate entries")
        held = properties(inner).get(key)
        place = f"{path}.items.properties[{key}]"
        if held is None:
            yield invalid(f"{path}.{LIST_KEYS}[{index}]", key, "entries must all be names of item properties")
        elif held.get("type") in ("array", "object"):
            yield invalid(f"{place}.type", held["type"], f"must be a scalar type if parent array's {_OF_MAP}")
    for key in dict.fromkeys(keys):
        held = properties(inner).get(key)
        place = f"{path}.items.properties[{key}]"
        if held is None:
            continue
        if held.get("default") is None and key not in (inner.get("required") or ()):
            yield required(f"{place}.default", f"{_KEY} must have a default or be a required property")
        if held.get("nullable"):
            yield forbidden_field(f"{place}.nullable", f"{_KEY} cannot be nullable")


def _set_errors(inner: Schema | None, path: str) -> Iterator[FieldError]:
    if inner is None:
        return
    if inner.get("nullable"):
        yield forbidden_field(f"{path}.items.nullable", f"cannot be nullable when {LIST_TYPE} is set")
    detail = f"must be atomic as item of a list with {LIST_TYPE}=set"
    if inner.get("type") == "object" and inner.get(MAP_TYPE) != "atomic":
        yield invalid(f"{path}.items.{MAP_TYPE}", inner.get(MAP_TYPE), detail)
    if inner.get("type") == "array" and inner.get(LIST_TYPE) not in (None, "atomic"):
        yield invalid(f"{path}.items.{LIST_TYPE}", inner.get(LIST_TYPE), detail)


def _structural_errors(schema: Schema, path: str, level: str) -> Iterator[FieldError]:
    """What keeps a schema from being structural: a part without a type, a type inside of an alternative."""
    for inner, place, below in _parts(schema, path):
        yield from _structural_errors(inner, place, below)
    for name in _JUNCTORS:
        for index, option in enumerate(schema.get(name) or ()):
            yield from _alternative_errors(option, f"{path}.{name}[{index}]", bool(schema.get(INT_OR_STRING)))
    if isinstance(schema.get("not"), dict):
        yield from _alternative_errors(schema["not"], f"{path}.not", False)
    type_ = schema.get("type")
    if not type_ and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        yield required(f"{path}.type", _REQUIRED_AT[level])
    if schema.get(INT_OR_STRING) and type_:
        yield forbidden_field(f"{path}.type", f"must be empty if {INT_OR_STRING} is true")
    if schema.get(EMBEDDED):
        yield from _embedded_errors(schema, path)
    elif schema.get(PRESERVE) and type_ and type_ != "object":
        yield invalid(f"{path}.type", type_, f"must be object if {PRESERVE} is true")


def _embedded_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    type_ = schema.get("type")
    if not type_:
        yield required(f"{path}.type", f"must be object if {EMBEDDED} is true")
    elif type_ != "object":
        yield invalid(f"{path}.type", type_, f"must be object if {EMBEDDED} is true")
    if not schema.get(PRESERVE) and not properties(schema):
        yield required(f"{path}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}")


def _alternative_errors(schema: Schema, path: str, int_or_string: bool) -> Iterator[FieldError]:
    """Alternatives narrow values; what a value is, is said outside of them."""
    if schema.get("type") and not int_or_string:
        yield forbidden_field(f"{path}.type", "must be empty to be structural")
    for name in ("title", "description"):
        if schema.get(name):
            yield forbidden_field(f"{path}.{name}", "must be empty to be structural")
    for name in ("default", "additionalProperties"):
        if schema.get(name) is not None:
            yield forbidden_field(f"{path}.{name}", "must be undefined to be structural")
    for name in ("nullable", PRESERVE, EMBEDDED, INT_OR_STRING):
        if schema.get(name):
            yield forbidden_field(f"{path}.{name}", "must be false to be structural")
    for inner, place, _level in _parts(schema, path):
        yield from _alternative_errors(inner, place, False)


def _default_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    """Defaults obey the schema that they are part of."""
    held = schema.get("default")
    if held is not None:
        copied: Any = msgspec.to_builtins(held)
        if prune(copied, schema):
            yield invalid(f"{path}.default", held, "must not have unknown fields")
        yield from validate(held, {**schema, "default": None}, root=f"{path}.default")
    for inner, place, _level in _parts(schema, path):
        yield from _default_errors(inner, place)


def unknown_formats(schema: Schema) -> Iterator[str]:
    """The formats that mean nothing here, for a warning."""
    name, type_ = schema.get("format"), schema.get("type")
    if name and type_ in KNOWN and name.replace("-", "") not in {known.replace("-", "") for known in KNOWN[type_]}:
        yield name
    for inner, _path, _level in _parts(schema, ""):
        yield from unknown_formats(inner)
