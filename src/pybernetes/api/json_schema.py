"""The parts of a structural OpenAPI v3 schema, as plain JSON: the words that Kubernetes adds, and what is inside. Pure.

A schema goes in; the schemas of its fields, values or items come out. Called by who walks custom resources' schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
LIST_TYPE, LIST_KEYS, MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
VALIDATIONS = "x-kubernetes-validations"
# What every object has without its schema saying so.
TYPE_FIELDS = ("apiVersion", "kind", "metadata")
_NOTHING: Schema = {}


def properties(schema: Schema) -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = schema.get("properties") or _NOTHING
    return found


def additional(schema: Schema) -> Schema | None:
    """The schema of a map's values; None where there is none (or `true`, which says nothing about them)."""
    found = schema.get("additionalProperties")
    return found if isinstance(found, Mapping) else None


def takes_any_name(schema: Schema) -> bool:
    found = schema.get("additionalProperties")
    return found is not None and found is not False


def child(schema: Schema, name: str) -> Schema | None:
    """The schema of one field of an object or one value of a map."""
    found = properties(schema).get(name)
    return found if found is not None else additional(schema)


def items(schema: Schema) -> Schema | None:
    found = schema.get("items")
    return found if isinstance(found, Mapping) else None


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
