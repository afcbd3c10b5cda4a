"""Which lists a schema may declare to be sets or maps, in upstream's words. Pure; called by `schema_validation`."""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.api.json_schema import LIST_KEYS, LIST_TYPE, MAP_TYPE, Schema, items, properties
from pybernetes.api.status import FieldError, forbidden_field, invalid, not_supported, required
from pybernetes.apiserver.custom.demands import Demands

_OF_MAP = "x-kubernetes-list-type is map"
_KEY = "this property is in x-kubernetes-list-map-keys, so it"


def list_errors(schema: Schema, path: str, demands: Demands) -> Iterator[FieldError]:
    """What is wrong with what a schema says of lists."""
    kind, keys, type_ = schema.get(LIST_TYPE), schema.get(LIST_KEYS) or [], schema.get("type")
    if kind is not None and type_ != "array":
        detail = f"must be array if {LIST_TYPE} is specified"
        yield invalid(f"{path}.type", type_, detail) if type_ else required(f"{path}.type", detail)
    elif kind == "set" and demands.atomic_sets:
        yield from set_errors(schema, path)
    if kind not in (None, "atomic", "set", "map"):
        yield not_supported(f"{path}.{LIST_TYPE}", kind, ("atomic", "set", "map"))
    if keys and kind != "map":
        detail = f"must be map if {LIST_KEYS} is non-empty"
        place = f"{path}.{LIST_TYPE}"
        yield required(place, detail) if kind is None else invalid(place, kind, detail)
    if kind == "map":
        yield from _map_errors(schema, keys, path)
    if demands.map_keys:
        yield from key_errors(schema, path)


def set_errors(schema: Schema, path: str = "") -> Iterator[FieldError]:
    """The items of a set are compared as a whole."""
    inner = items(schema) if schema.get(LIST_TYPE) == "set" else None
    if inner is None:
        return
    detail = f"must be atomic as item of a list with {LIST_TYPE}=set"
    kind = inner.get(LIST_TYPE)
    if inner.get("type") == "object" and inner.get(MAP_TYPE) != "atomic":
        # Upstream shows the other of the two.
        yield invalid(f"{path}.items.{MAP_TYPE}", kind, detail)
    if inner.get("type") == "array" and kind not in (None, "atomic"):
        yield invalid(f"{path}.items.{LIST_TYPE}", kind, detail)


def _map_errors(schema: Schema, keys: list[str], path: str) -> Iterator[FieldError]:
    """A list that is a map has objects with the keys."""
    if not keys:
        yield required(f"{path}.{LIST_KEYS}", f"must not be empty if {_OF_MAP}")
    inner = items(schema)
    if schema.get("items") is None:
        yield required(f"{path}.items", f"must have a schema if {_OF_MAP}")
    elif inner is None:
        yield invalid(f"{path}.items", schema["items"], f"must only have a single schema if {_OF_MAP}")
    elif inner.get("type") != "object":
        yield invalid(f"{path}.items.type", inner.get("type") or "", f"must be object if parent array's {_OF_MAP}")
    else:
        seen: set[str] = set()
        for key in keys:
            held = properties(inner).get(key)
            if held is None:
                yield invalid(f"{path}.{LIST_KEYS}", keys, "entries must all be names of item properties")
            elif held.get("type") in ("array", "object"):
                detail = f"must be a scalar type if parent array's {_OF_MAP}"
                yield invalid(f"{path}.items.properties[{key}].type", "object", detail)
            if key in seen:
                yield invalid(f"{path}.{LIST_KEYS}", keys, "must not contain duplicate entries")
            seen.add(key)


def key_errors(schema: Schema, path: str = "") -> Iterator[FieldError]:
    """Neither the items of sets and maps nor the keys of maps may be missing or null."""
    inner, kind = items(schema), schema.get(LIST_TYPE)
    if inner is None or kind not in ("set", "map"):
        return
    if inner.get("nullable"):
        yield forbidden_field(f"{path}.items.nullable", f"cannot be nullable when {LIST_TYPE} is {kind}")
    for key in (schema.get(LIST_KEYS) or ()) if kind == "map" else ():
        held = properties(inner).get(key)
        place = f"{path}.items.properties[{key}]"
        if held is None:
            continue
        if held.get("default") is None and key not in (inner.get("required") or ()):
            yield required(f"{place}.default", f"{_KEY} must have a default or be a required property")
        if held.get("nullable"):
            yield forbidden_field(f"{place}.nullable", f"{_KEY} cannot be nullable")
