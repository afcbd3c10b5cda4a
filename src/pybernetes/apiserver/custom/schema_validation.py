"""Which schemas a CustomResourceDefinition may have, in upstream's words. Pure.

A schema as plain JSON and its path go in, what is wrong with it comes out: that it is not structural, that its defaults
break it, what no schema may say, what is wrong with its rules. Called by `definition_validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pybernetes.api.json_schema import EMBEDDED, MAP_TYPE, PRESERVE, TYPE_FIELDS, Schema, additional, items, properties
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.api.turn import spend
from pybernetes.apiserver.custom.default_validation import default_errors
from pybernetes.apiserver.custom.demands import ALL, TYPES, Demands
from pybernetes.apiserver.custom.expression_rules import expression_schema_errors, rule_errors
from pybernetes.apiserver.custom.formats import is_known
from pybernetes.apiserver.custom.list_schemas import list_errors
from pybernetes.apiserver.custom.structural import structural_errors, unsupported

# What looking at one part takes, as turns reckon.
_EACH = 80
_UNSUPPORTED = ("id", "patternProperties", "definitions", "dependencies", "$ref")
_QUADRATIC = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
_AT_ROOT = (
    *("Description", "Type", "Format", "Title", "Maximum", "ExclusiveMaximum", "Minimum", "ExclusiveMinimum"),
    *("MaxLength", "MinLength", "Pattern", "MaxItems", "MinItems", "UniqueItems", "MultipleOf", "Required", "Items"),
    *("Properties", "ExternalDocs", "Example", "XPreserveUnknownFields", "XValidations"),
)


def schema_errors(schema: Schema, path: str, *, has_status: bool = False, demands: Demands = ALL) -> list[FieldError]:
    """What is wrong with a version's schema; later questions are not asked about one that fails an earlier one."""
    errors = list(_root_errors(schema, path, has_status))
    obstacle = unsupported(schema)
    shape = [] if obstacle else structural_errors(schema, path) or list(default_errors(schema, path, demands))
    errors += shape
    errors += _node_errors(schema, path, demands, _Place(is_root=True))
    if errors:
        return errors
    return [invalid(path, "", obstacle)] if obstacle else expression_schema_errors(schema, path)


class _Place(NamedTuple):
    """Where in a schema a part stands: whether in what all objects have, and why it may have no default there."""

    is_root: bool = False
    in_header: bool = False
    no_default: str = ""


def _root_errors(schema: Schema, path: str, has_status: bool) -> Iterator[FieldError]:
    """What may not stand at the top; where the status is validated for itself, nothing that would be lost then."""
    if has_status and schema.get("type") not in (None, "", "object"):
        detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield invalid(f"{path}.type", schema["type"], detail)
    elif has_status and any(held and _go_name(name) not in _AT_ROOT for name, held in schema.items()):
        allowed = f"only [{' '.join(_AT_ROOT)}] fields are allowed at the root of the schema"
        yield invalid(path, schema, f"{allowed} if the status subresource is enabled")
    if schema.get("nullable"):
        yield forbidden_field(f"{path}.nullable", "nullable cannot be true at the root")


def _go_name(name: str) -> str:
    """A field of a schema as upstream's internal form calls it."""
    words = name.removeprefix("x-kubernetes-").split("-")
    head = "X" if name.startswith("x-") else ""
    return head + "".join(word[:1].upper() + word[1:] for word in words)


def _node_errors(schema: Schema, path: str, demands: Demands, place: _Place) -> Iterator[FieldError]:
    """What no schema may say, whatever it is part of."""
    spend(_EACH)
    yield from _own_errors(schema, path, demands, place)
    for inner, where, below in _inside(schema, path, place):
        yield from _node_errors(inner, where, demands, below)
    if schema.get(PRESERVE) is False:
        yield invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    kind, type_ = schema.get(MAP_TYPE), schema.get("type")
    if kind is not None and type_ != "object":
        detail = f"must be object if {MAP_TYPE} is specified"
        yield invalid(f"{path}.type", type_, detail) if type_ else required(f"{path}.type", detail)
    if kind not in (None, "atomic", "granular"):
        yield not_supported(f"{path}.{MAP_TYPE}", kind, ("atomic", "granular"))
    yield from list_errors(schema, path, demands)
    yield from rule_errors(schema, path)


def _own_errors(schema: Schema, path: str, demands: Demands, place: _Place) -> Iterator[FieldError]:
    type_ = schema.get("type")
    if demands.known_types and type_ and type_ not in TYPES:
        yield not_supported(f"{path}.type", type_, TYPES)
    if schema.get("default") is not None and place.no_default:
        yield forbidden_field(f"{path}.default", f"must not be set {place.no_default}")
    for name in _UNSUPPORTED:
        if schema.get(name):
            yield forbidden_field(f"{path}.{name}", f"{name} is not supported")
    if schema.get("additionalItems") is not None:
        yield forbidden_field(f"{path}.additionalItems", "additionalItems is not supported")
    if type_ == "null":
        yield forbidden_field(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield forbidden_field(f"{path}.items", "items must be a schema object and not an array")
    if place.in_header and schema.get(EMBEDDED):
        yield forbidden_field(f"{path}.{EMBEDDED}", "must not be used inside of resource meta")
    if schema.get("uniqueItems"):
        yield forbidden_field(f"{path}.uniqueItems", _QUADRATIC)
    if properties(schema) and schema.get("additionalProperties") not in (None, True):
        detail = "additionalProperties and properties are mutual exclusive"
        yield forbidden_field(f"{path}.additionalProperties", detail)


def _inside(schema: Schema, path: str, place: _Place) -> Iterator[tuple[Schema, str, _Place]]:
    """All schemas inside of a schema, with their paths."""
    here = place._replace(is_root=False)
    extra = additional(schema)
    if extra is not None:
        why = "inside additionalProperties applying to object metadata" if place.in_header else place.no_default
        yield extra, f"{path}.additionalProperties", here._replace(no_default=why)
    for name, held in properties(schema).items():
        below = here
        if name in TYPE_FIELDS and (place.is_root or schema.get(EMBEDDED)):
            why = f"in top-level {name}" if place.is_root else place.no_default
            below = _Place(in_header=True, no_default=why)
        yield held, f"{path}.properties[{name}]", below
    if isinstance(schema.get("not"), dict):
        yield schema["not"], f"{path}.not", here
    for junctor in ("allOf", "oneOf", "anyOf"):
        for index, option in enumerate(schema.get(junctor) or ()):
            yield option, f"{path}.{junctor}[{index}]", here
    inner = items(schema)
    if inner is not None:
        yield inner, f"{path}.items", here


def unknown_formats(schema: Schema) -> Iterator[str]:
    """The formats that mean nothing here, for a warning."""
    if schema.get("format") and not is_known(schema):
        yield schema["format"]
    for inner, _path, _place in _inside(schema, "", _Place()):
        yield from unknown_formats(inner)
