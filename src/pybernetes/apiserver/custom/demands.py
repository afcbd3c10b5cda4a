"""What is asked of a CustomResourceDefinition: of an update not what its predecessor lacked already. Pure.

The `Demands` that a definition's validation is called with, and the walk that finds what is lacked. Rules that came
with a newer version of Kubernetes do not lock up what an older one had accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pybernetes.api.json_schema import Schema, additional, items, properties

TYPES = ("array", "boolean", "integer", "number", "object", "string")
REVIEW_VERSIONS = ("v1", "v1beta1")


class Demands(NamedTuple):
    """Which rules hold; a new definition obeys them all, but for the certificates of its webhook."""

    known_types: bool = True
    pruned_defaults: bool = True
    atomic_sets: bool = True
    map_keys: bool = True
    review_version: bool = True
    valid_certificates: bool = False


ALL = Demands()


def walk(schema: Schema) -> Iterator[Schema]:
    """A schema and all schemas inside of it, alternatives too."""
    yield schema
    inner = [items(schema), additional(schema), schema.get("not"), *properties(schema).values()]
    for junctor in ("allOf", "anyOf", "oneOf"):
        inner += schema.get(junctor) or ()
    for held in inner:
        if held is not None:
            yield from walk(held)


def has_unknown_type(schemas: Iterable[Schema]) -> bool:
    return any(part.get("type") and part["type"] not in TYPES for schema in schemas for part in walk(schema))
