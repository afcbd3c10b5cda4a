"""The structure of every built-in type: what a field holds and how its lists and maps merge.

Flow: `schema/definitions.json` (written by `scripts/generate_api.py`) goes in, read at the first question; `Node`s come
out, one per field. Decoding, strategic merge, server-side apply and OpenAPI ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_PACKAGES = {
    "meta_v1": _META,
    "version": "io.k8s.apimachinery.pkg.version.",
    "apiextensions_v1": _EXTENSIONS,
    "apiregistration_v1": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.",
}
_SCALARS = {
    _META + "Time": "time",
    _META + "MicroTime": "micro_time",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int_or_string",
}
_GO_SCALARS = {
    "string": "string",
    "int32": "int32",
    "int64": "int64",
    "double": "float64",
    "bool": "bool",
    "bytes": "[]uint8",
    "time": "v1.Time",
    "micro_time": "v1.MicroTime",
    "quantity": "resource.Quantity",
    "int_or_string": "intstr.IntOrString",
    "any": "interface {}",
}


@dataclass(frozen=True, slots=True)
class Node:
    """What one field (or list item, or map value) holds.

    `type` is one of struct, list, map, string, int32, int64, double, bool, bytes, time, micro_time, quantity,
    int_or_string, any. `any` is free-form: neither pruned nor looked into, but for those of SCHEMA_UNIONS.
    """

    type: str
    definition: str = ""
    item: Node | None = None
    merge_key: str = ""
    strategies: tuple[str, ...] = ()
    list_type: str = ""
    list_map_keys: tuple[str, ...] = ()
    map_type: str = ""

    @property
    def go_type(self) -> str:
        """The type as Go's JSON errors name it, such as `[]v1.Container`."""
        if self.type == "struct":
            return ".".join(self.definition.rsplit(".", 2)[1:])
        if self.item is not None:
            return ("[]" if self.type == "list" else "map[string]") + self.item.go_type
        return _GO_SCALARS[self.type]


@cache
def definitions() -> dict[str, Any]:
    """All definitions by full name, in JSON schema with the `x-kubernetes-*` words."""
    text = (resources.files("pybernetes.api") / "schema" / "definitions.json").read_bytes()
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def definition_of(type_: type) -> str:
    """The full name of a struct's definition, such as `io.k8s.api.core.v1.Pod`; KeyError when it has none."""
    found = _OF_TYPE.get(type_)
    if found is None:
        found = _OF_TYPE[type_] = _definition_of(type_)
    return found


_OF_TYPE: dict[type, str] = {}


def _definition_of(type_: type) -> str:
    module = type_.__module__.rpartition(".")[2]
    package = _PACKAGES.get(module) or "io.k8s.api." + module.replace("_", ".") + "."
    name = package + type_.__name__
    if name not in definitions():
        raise KeyError(name)
    return name


@cache
def fields(definition: str) -> Mapping[str, Node]:
    """The fields of a definition by wire name."""
    return {name: _node(raw) for name, raw in definitions()[definition].get("properties", {}).items()}


def struct_node(definition: str) -> Node:
    """The node of a whole object."""
    return Node("struct", definition)


def merge_key(definition: str, field: str) -> str:
    """The key by which strategic merge matches the items of a list; empty when there is none."""
    node = fields(definition).get(field)
    return node.merge_key if node else ""


def list_type(definition: str, field: str) -> str:
    """`atomic`, `set`, `map` or empty (which means atomic) for a list field."""
    node = fields(definition).get(field)
    return node.list_type if node else ""


@cache
def required(definition: str) -> frozenset[str]:
    """The wire names of the fields that the schema requires."""
    return frozenset(definitions()[definition].get("required", ()))


def _node(raw: Mapping[str, Any]) -> Node:
    words: dict[str, Any] = {
        "merge_key": raw.get("x-kubernetes-patch-merge-key", ""),
        "strategies": tuple(raw.get("x-kubernetes-patch-strategy", "").split(",")) if raw.get(_STRATEGY) else (),
        "list_type": raw.get("x-kubernetes-list-type", ""),
        "list_map_keys": tuple(raw.get("x-kubernetes-list-map-keys", ())),
        "map_type": raw.get("x-kubernetes-map-type", ""),
    }
    if reference := raw.get("$ref"):
        return _referenced(reference, words)
    kind = raw.get("type")
    if kind == "array":
        return Node("list", item=_node(raw["items"]), **words)
    if kind == "object" and "additionalProperties" in raw:
        return Node("map", item=_node(raw["additionalProperties"]), **words)
    if kind == "string":
        return Node("bytes" if raw.get("format") == "byte" else "string")
    if kind == "integer":
        return Node("int32" if raw.get("format") == "int32" else "int64")
    return Node({"boolean": "bool", "number": "double"}.get(kind or "", "any"))


_STRATEGY = "x-kubernetes-patch-strategy"


def _referenced(definition: str, words: dict[str, Any]) -> Node:
    if definition in _SCALARS:
        return Node(_SCALARS[definition])
    target = definitions()[definition]
    if "properties" not in target:
        # Structs without fields (SleepAction's siblings such as `CSIVolume...` have some) are free-form words here.
        return Node("any", definition) if definition in _FREE_FORM else Node("struct", definition, **words)
    if not words["map_type"]:
        words["map_type"] = target.get("x-kubernetes-map-type", "")
    return Node("struct", definition, **words)


# A JSON schema where a list of them, a truth value or a list of names may stand as well.
SCHEMA_UNIONS = frozenset(_EXTENSIONS + "JSONSchemaPropsOr" + other for other in ("Array", "Bool", "StringArray"))
JSON_SCHEMA = _EXTENSIONS + "JSONSchemaProps"
_FREE_FORM = {
    _EXTENSIONS + "JSON",
    _EXTENSIONS + "JSONSchemaPropsOrArray",
    _EXTENSIONS + "JSONSchemaPropsOrBool",
    _EXTENSIONS + "JSONSchemaPropsOrStringArray",
    _EXTENSIONS + "CustomResourceSubresourceStatus",
    _META + "FieldsV1",
    _META + "Patch",
    "io.k8s.apimachinery.pkg.runtime.RawExtension",
}
