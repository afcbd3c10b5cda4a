"""The types that expressions see of built-in objects, from the structure that `api.schema` knows. Pure.

The name of a definition goes in, an object type comes out; types that contain themselves do so here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pybernetes.api import schema
from pybernetes.api.schema import Node
from pybernetes.cel import types
from pybernetes.cel.schemas import escaped
from pybernetes.cel.types import ObjectType, Type

_SCALARS: Mapping[str, Type] = {
    "string": types.STRING,
    "quantity": types.STRING,
    "int32": types.INT,
    "int64": types.INT,
    "double": types.DOUBLE,
    "bool": types.BOOL,
    "bytes": types.BYTES,
    "time": types.TIMESTAMP,
    "micro_time": types.TIMESTAMP,
}


@cache
def object_type_of(definition: str) -> ObjectType:
    """The type of a definition such as `io.k8s.api.apps.v1.Deployment`."""
    known = schema.fields(definition)
    names = {called: name for name in known if (called := escaped(name)) is not None}
    return ObjectType("object", definition, (), _LazyFields(known, names), names)


class _LazyFields(dict[str, Type]):
    """The fields of a struct, whose types are made when they are asked for: structs may contain themselves."""

    def __init__(self, known: Mapping[str, Node], names: Mapping[str, str]) -> None:
        super().__init__()
        self._known, self._names = known, names

    def get(self, name: str, default: Type | None = None) -> Type | None:  # type: ignore[override]
        if name not in self._names:
            return default
        return _type_of(self._known[self._names[name]])


def _type_of(node: Node) -> Type:
    if node.type == "struct":
        return object_type_of(node.definition)
    if node.item is not None:
        inner = _type_of(node.item)
        return types.list_of(inner) if node.type == "list" else types.map_of(types.STRING, inner)
    return _SCALARS.get(node.type, types.DYN)
