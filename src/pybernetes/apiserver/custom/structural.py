"""What makes a schema structural: it says of every value what it is, outside of alternatives. Pure.

A schema as plain JSON and its path go in; what keeps it from being structural comes out, in upstream's words and sorted
as upstream sorts them. Called by `schema_validation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pybernetes.api.json_schema import (
    EMBEDDED,
    INT_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    PRESERVE,
    VALIDATIONS,
    Schema,
    additional,
    items,
    properties,
)
from pybernetes.api.patterns import PatternError, compiled
from pybernetes.api.status import FieldError, forbidden_field, invalid, required
from pybernetes.api.turn import spend

# What a structural schema has no place for; upstream calls `$schema` by its Go name.
_UNSUPPORTED = {
    "id": "id",
    "$schema": "schema",
    "$ref": "$ref",
    "patternProperties": "patternProperties",
    "dependencies": "dependencies",
    "additionalItems": "additionalItems",
    "definitions": "definitions",
}
_REQUIRED_AT = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
# What looking at one part takes, as turns reckon.
_EACH = 60
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
# What alternatives must not say, and how their being empty is called.
_OUTSIDE = {
    "type": "empty",
    "title": "empty",
    "description": "empty",
    "default": "undefined",
    "additionalProperties": "undefined",
    "externalDocs": "undefined",
    "nullable": "false",
    PRESERVE: "false",
    EMBEDDED: "false",
    INT_OR_STRING: "false",
    LIST_KEYS: "empty",
    LIST_TYPE: "undefined",
    MAP_TYPE: "undefined",
    VALIDATIONS: "empty",
}
_ONLY_EMBEDDED = f"must be object if {EMBEDDED} is true"
_ONLY_NAMES = "must not specify anything other than name and generateName, but metadata is implicitly specified"


def structural_errors(schema: Schema, path: str) -> list[FieldError]:
    """What keeps a whole schema from being structural."""
    found = [*_invariant_errors(schema, path, "root"), *_missing_parts(schema, schema, path, path)]
    return sorted(found, key=str)


def unsupported(schema: Schema) -> str:
    """Why a schema cannot be looked at for being structural; empty for one that can."""
    for name, shown in _UNSUPPORTED.items():
        if schema.get(name) or (name == "additionalItems" and schema.get(name) is not None):
            return f"OpenAPIV3Schema '{shown}' is not supported"
    if schema.get(PRESERVE) is False:
        return f"internal error: '{PRESERVE}' must be true or undefined"
    if isinstance(schema.get("items"), list):
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    inside = [option for option, _path in _options(schema)] + [part for part, _path, _level in parts(schema, "")]
    return next((why for inner in inside if (why := unsupported(inner))), "")


def parts(schema: Schema, path: str) -> Iterator[tuple[Schema, str, str]]:
    """The schemas inside of a schema, with their paths and levels."""
    inner = items(schema)
    if inner is not None:
        yield inner, f"{path}.items", "item"
    for name, held in properties(schema).items():
        yield held, f"{path}.properties[{name}]", "field"
    extra = additional(schema)
    if extra is not None:
        yield extra, f"{path}.additionalProperties", "field"


def _options(schema: Schema, path: str = "") -> Iterator[tuple[Schema, str]]:
    """The alternatives of a schema, with their paths."""
    for name in _JUNCTORS:
        for index, option in enumerate(schema.get(name) or ()):
            yield option, f"{path}.{name}[{index}]"
    if isinstance(schema.get("not"), dict):
        yield schema["not"], f"{path}.not"


def _invariant_errors(schema: Schema, path: str, level: str) -> Iterator[FieldError]:
    spend(_EACH)
    type_ = schema.get("type") or ""
    if type_ == "array" and items(schema) is None:
        yield required(f"{path}.items", "must be specified")
    for inner, place, below in parts(schema, path):
        yield from _invariant_errors(inner, place, below)
    if schema.get("additionalProperties") is not None and level == "root":
        yield forbidden_field(f"{path}.additionalProperties", "must not be used at the root")
    if schema.get(INT_OR_STRING):
        for name in (PRESERVE, EMBEDDED):
            if schema.get(name):
                yield invalid(f"{path}.{name}", True, f"must be false if {INT_OR_STRING} is true")
    first: Sequence[Schema] = schema.get("allOf") or ({},)
    yield from _value_errors(schema, path, _is_int_or_string(schema), _is_int_or_string(first[0]))
    if level == "root" and type_ not in ("", "object"):
        yield invalid(f"{path}.type", type_, "must be object at the root")
    if schema.get(EMBEDDED):
        yield from _embedded_errors(schema, path)
    elif not type_ and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        yield required(f"{path}.type", _REQUIRED_AT[level])
    if level == "root" or schema.get(EMBEDDED):
        yield from _header_errors(schema, path, level == "root")


def _embedded_errors(schema: Schema, path: str) -> Iterator[FieldError]:
    type_ = schema.get("type") or ""
    if not type_:
        yield required(f"{path}.type", _ONLY_EMBEDDED)
    elif type_ != "object":
        yield invalid(f"{path}.type", type_, _ONLY_EMBEDDED)
    if schema.get("additionalProperties") is not None:
        yield forbidden_field(f"{path}.additionalProperties", f"must not be used if {EMBEDDED} is set")
    if not schema.get(PRESERVE) and not properties(schema):
        yield required(f"{path}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}")


def _header_errors(schema: Schema, path: str, is_root: bool) -> Iterator[FieldError]:
    """What objects have without their schema saying so can be narrowed, not changed."""
    for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        held = properties(schema).get(name)
        if held is not None and held.get("type") != wanted:
            yield invalid(f"{path}.properties[{name}].type", held.get("type") or "", f"must be {wanted}")
    metadata = properties(schema).get("metadata")
    if is_root and metadata is not None:
        said = {name for name, held in metadata.items() if held not in (None, "", False, [], {})}
        # A default is forbidden elsewhere.
        names = set(properties(metadata)) - {"name", "generateName"}
        if said - {"type", "properties", "default"} or names:
            yield forbidden_field(f"{path}.properties[metadata]", _ONLY_NAMES)


def _value_errors(schema: Schema, path: str, skip_any_of: bool, skip_first: bool) -> Iterator[FieldError]:
    """What is wrong with the alternatives and the pattern of a schema.

    `skip_any_of` says that its `anyOf` may name types, `skip_first` that the one within its first `allOf` may.
    """
    pattern = schema.get("pattern")
    if pattern and (problem := _pattern_problem(pattern)):
        yield invalid(f"{path}.pattern", pattern, problem)
    for option, place in _options(schema, path):
        if not (skip_any_of and place.startswith(f"{path}.anyOf[")):
            yield from _alternative_errors(option, place, skip_first and place == f"{path}.allOf[0]")


def _is_int_or_string(schema: Schema) -> bool:
    """The one pattern in which alternatives name types: an integer or a string."""
    return bool(schema.get("anyOf") == _INT_OR_STRING)


def _alternative_errors(schema: Schema, path: str, skip_any_of: bool = False) -> Iterator[FieldError]:
    """Alternatives narrow values; what a value is, is said outside of them."""
    spend(_EACH)
    yield from _value_errors(schema, path, skip_any_of, False)
    for name, empty in _OUTSIDE.items():
        held = schema.get(name)
        if held or (empty == "undefined" and held is not None):
            yield forbidden_field(f"{path}.{name}", f"must be {empty} to be structural")
    inner = items(schema)
    if inner is not None:
        yield from _alternative_errors(inner, f"{path}.items")
    for name, held in properties(schema).items():
        yield from _alternative_errors(held, f"{path}.properties[{name}]")
    if "metadata" in properties(schema):
        yield forbidden_field(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _pattern_problem(pattern: str) -> str:
    try:
        compiled(pattern)
    except PatternError as error:
        return f"must be a valid regular expression, but isn't: error parsing regexp: {error}"
    return ""


def _missing_parts(option: Schema, schema: Schema, path: str, option_path: str) -> Iterator[FieldError]:
    """What alternatives of the root speak of without the schema itself having it."""
    for inner, place in _options(option, option_path):
        yield from _missing_in_alternative(inner, schema, path, place)


def _missing_in_alternative(option: Schema, schema: Schema, path: str, option_path: str) -> Iterator[FieldError]:
    yield from _missing_parts(option, schema, path, option_path)
    here = {place: held for held, place, _level in parts(schema, path)}
    for held, place, _level in parts({**option, "additionalProperties": None}, option_path):
        own = path + place.removeprefix(option_path)
        if own not in here:
            yield required(own, f"because it is defined in {place}")
        else:
            yield from _missing_in_alternative(held, here[own], own, place)
