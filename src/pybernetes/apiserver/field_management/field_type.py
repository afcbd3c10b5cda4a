"""What a field may hold, as ownership sees it: which parts are owned one by one, and which only as a whole.

Flow: `api.schema` nodes (built-in kinds) or a structural schema (custom resources) go in; `FieldType`s come out,
compiled once and shared. Comparing, merging, pruning and checking documents walk along them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pybernetes.api import schema
from pybernetes.api.objects import ApiObject

SCALAR, STRUCT, MAP, LIST, KEYED, SET, UNTYPED = "scalar", "struct", "map", "list", "keyed", "set", "untyped"


_NO_KEYS: tuple[tuple[str, Any], ...] = ()


class FieldType:
    """One node. `leaf`: owned as a whole. `form` is one of the words above; LIST is always a leaf."""

    __slots__ = ("definition", "fields", "form", "item", "keys", "leaf", "mixed", "scalar", "single_key")

    def __init__(self, form: str, scalar: str = "", *, leaf: bool = False) -> None:
        self.form = form
        # numeric, string, boolean or untyped.
        self.scalar = scalar
        self.leaf = leaf or form in (SCALAR, LIST)
        # By wire name: the path element (`f:name`) and what the field holds.
        self.fields: dict[str, tuple[str, FieldType]] = {}
        # What list items and map values (and undeclared fields of an open struct) hold.
        self.item: FieldType | None = None
        # The keys of the items of a keyed list, sorted, with what stands for a missing one (None: nothing does).
        self.keys: tuple[tuple[str, Any], ...] = _NO_KEYS
        # How the path element of an item begins when one key tells the items apart.
        self.single_key = ""
        # A type of custom resources where a truth value may take the place of a number, which Python has for equal.
        self.mixed = scalar == "untyped" or form == UNTYPED
        self.definition = ""

    def field(self, name: str) -> tuple[str, FieldType] | None:
        """The path element and the type of a struct's field or a map's value; None when it may have no such."""
        found = self.fields.get(name)
        if found is not None:
            return found
        return ("f:" + name, self.item) if self.item is not None else None


def _list_keys(type_: FieldType, defaults: Mapping[str, Any]) -> None:
    type_.keys = tuple(sorted(defaults.items()))
    if len(type_.keys) == 1:
        type_.single_key = f'k:{{"{type_.keys[0][0]}":'


def _untyped() -> tuple[FieldType, FieldType]:
    granular, atomic = FieldType(UNTYPED), FieldType(UNTYPED, leaf=True)
    granular.item, atomic.item = granular, atomic
    return granular, atomic


# Free-form values: maps are owned key by key in the one, everything as a whole in the other.
UNTYPED_MAPS, UNTYPED_WHOLE = _untyped()

_SCALARS = {
    "string": "string",
    "bytes": "string",
    "int32": "numeric",
    "int64": "numeric",
    "double": "numeric",
    "bool": "boolean",
    "time": "untyped",
    "micro_time": "untyped",
    "quantity": "untyped",
    "int_or_string": "untyped",
}
_ZERO = {"string": "", "int32": 0, "int64": 0, "bool": False, "quantity": None}
_SCALAR_TYPES = {word: FieldType(SCALAR, word) for word in set(_SCALARS.values())}
# Optional keys of list maps that the schema gives a default.
_KEY_DEFAULTS = {"protocol": "TCP"}
_STRUCTS: dict[tuple[str, bool], FieldType] = {}


@cache
def of_type(type_: type[ApiObject]) -> FieldType:
    """The type of a built-in kind's objects."""
    return _struct(schema.definition_of(type_), False)


def _struct(definition: str, leaf: bool) -> FieldType:
    known = _STRUCTS.get((definition, leaf))
    if known is not None:
        return known
    made = _STRUCTS[definition, leaf] = FieldType(STRUCT, leaf=leaf)
    made.definition = definition
    for name, node in schema.fields(definition).items():
        made.fields[name] = ("f:" + name, _of_node(node))
    return made


def _of_node(node: schema.Node) -> FieldType:
    if node.type == "struct":
        return _struct(node.definition, node.map_type == "atomic")
    if node.type == "map":
        made = FieldType(MAP, leaf=node.map_type == "atomic")
        made.item = _item(node)
        return made
    if node.type == "list":
        return _of_list(node)
    if node.type == "any":
        return UNTYPED_WHOLE
    return _SCALAR_TYPES[_SCALARS[node.type]]


def _item(node: schema.Node) -> FieldType:
    return _of_node(node.item) if node.item is not None else UNTYPED_WHOLE


def _of_list(node: schema.Node) -> FieldType:
    if node.list_type == "set":
        made = FieldType(SET)
    elif node.list_type == "map" and node.item is not None and node.item.type == "struct":
        made = FieldType(KEYED)
        definition = node.item.definition
        fields, needed = schema.fields(definition), schema.required(definition)
        _list_keys(made, {key: _key_default(key, fields[key].type, key in needed) for key in node.list_map_keys})
    else:
        made = FieldType(LIST)
    made.item = _item(node)
    return made


def _key_default(key: str, type_: str, needed: bool) -> Any:
    # Go writes a required key even where it is empty, so that the schema gives it the zero value as default.
    return _ZERO.get(type_) if needed or key == "name" else _KEY_DEFAULTS.get(key)


_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_KEEPS, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_JSON_SCALARS = {"string": "string", "integer": "numeric", "number": "numeric", "boolean": "boolean"}


def of_json_schema(document: Mapping[str, Any] | None) -> FieldType:
    """The type of a custom resource's objects; `document` is its structural schema, None where it has none."""
    document = document or {_KEEPS: True}
    return _of_json_object({**document, _EMBEDDED: True}, keeps=document.get(_KEEPS) is True)


def _of_json(document: Mapping[str, Any], keeps: bool) -> FieldType:
    """The type of a part; `keeps`: a part around it keeps unknown fields, and so do all objects below that one."""
    keeps = keeps or document.get(_KEEPS) is True
    word = document.get("type")
    if word == "array":
        return _of_json_list(document, keeps)
    if word == "object":
        return _of_json_object(document, keeps)
    return _SCALAR_TYPES[_JSON_SCALARS[word]] if word in _JSON_SCALARS else UNTYPED_MAPS


def _of_json_object(document: Mapping[str, Any], keeps: bool) -> FieldType:
    properties, values = document.get("properties") or {}, document.get("additionalProperties")
    leaf = document.get("x-kubernetes-map-type") == "atomic"
    made = FieldType(MAP, leaf=leaf)
    for name, value in properties.items():
        made.fields[name] = ("f:" + name, _of_json(value, keeps))
    if document.get(_EMBEDDED):
        text = _SCALAR_TYPES["string"]
        made.fields |= {"apiVersion": ("f:apiVersion", text), "kind": ("f:kind", text)}
        made.fields["metadata"] = ("f:metadata", _struct(_META, False))
    if made.fields:
        made.form = STRUCT
    if isinstance(values, Mapping):
        made.item = _of_json(values, keeps)
    elif values is True or (values is None and (keeps or not made.fields)):
        made.item = UNTYPED_MAPS
    return _with_mixed(made)


def _with_mixed(made: FieldType) -> FieldType:
    made.mixed = any(held.mixed for _element, held in made.fields.values()) or bool(made.item and made.item.mixed)
    return made


def _of_json_list(document: Mapping[str, Any], keeps: bool) -> FieldType:
    items = document.get("items") or {}
    word = document.get("x-kubernetes-list-type")
    made = FieldType({"set": SET, "map": KEYED}.get(word or "", LIST))
    if made.form == KEYED:
        properties = items.get("properties") or {}
        keys = document.get("x-kubernetes-list-map-keys") or ()
        _list_keys(made, {key: (properties.get(key) or {}).get("default") for key in keys})
    made.item = _of_json(items, keeps) if items else UNTYPED_WHOLE
    return _with_mixed(made)
