"""Strategic merge patch: a merge patch that knows which lists merge by key, with directives in the patch.

Flow: the plain value of an object, a patch and the definition of the type go in; a new value comes out, the inputs
unchanged. `SchemaError` carries the text of upstream's answer. Directives: `$patch` (replace, delete), `$retainKeys`,
`$setElementOrder/LIST`, `$deleteFromPrimitiveList/LIST`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from operator import itemgetter
from typing import Any

from pybernetes.api import schema
from pybernetes.api.go_text import shown
from pybernetes.api.merge_patch import same
from pybernetes.api.objects import copy
from pybernetes.api.schema import Node

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder"
_DELETE = "$deleteFromPrimitiveList"
_MAP, _LIST = "map[string]interface {}", "[]interface {}"

Map = dict[str, Any]
Items = list[Any]


class SchemaError(ValueError):
    """A patch that does not fit the type, with the status that upstream answers: mostly that of no client error."""

    def __init__(self, text: str, code: int = 500) -> None:
        super().__init__(text)
        self.code = code


def apply(document: Map, patch: Map, definition: str) -> Map:
    """The patched document of a type such as `io.k8s.api.core.v1.Pod`; SchemaError when the patch cannot be merged."""
    return _merge_map(copy(document), copy(patch), schema.struct_node(definition))


def _merge_map(original: Map, patch: Map, node: Node) -> Map:
    """Merges `patch` into `original`, both of which are ours to change."""
    if _PATCH in patch:
        return _whole(patch)
    _retain(original, patch)
    for key in [key for key in patch if key.startswith(_ORDER)]:
        _merge_ordered(original, patch, key, node)
    for key, value in patch.items():
        deleting = key.startswith(_DELETE)
        name = _named(key, _DELETE) if deleting else key
        if value is None:
            original.pop(name, None)
        elif name not in original or _go_type(original[name]) != _go_type(value):
            if not deleting:
                _place(original, name, value)
        elif isinstance(value, dict):
            child = _child(node, name)
            original[name] = value if "replace" in child.strategies else _merge_map(original[name], value, child)
        elif isinstance(value, list):
            original[name] = _merged_list(original[name], value, _list_child(node, name), deleting)
        else:
            original[name] = value
    return original


def _whole(patch: Map) -> Map:
    directive = patch[_PATCH]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    if directive == "delete":
        return {}
    raise _bad_type(directive, patch)


def _bad_type(directive: Any, patch: Map) -> SchemaError:
    return SchemaError(f"unknown patch type: {shown(directive)} in map: {shown(patch)}")


def _bad_format(of: str) -> SchemaError:
    return SchemaError(f"invalid patch format of {of}", 400)


def _named(key: str, directive: str) -> str:
    """The list that a directive such as `$setElementOrder/LIST` is about."""
    begun, slash, name = key.partition("/")
    if begun != directive or not slash:
        raise _bad_format("primitive list" if directive == _DELETE else "setElementOrder list")
    return name


_GO_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string", dict: _MAP, list: _LIST}


def _go_type(value: Any) -> str:
    """The type of a JSON value as Go's reflection names it."""
    return _GO_TYPES.get(type(value), "%!s(<nil>)")


def _expected(go_type: str, value: Any) -> SchemaError:
    return SchemaError(f"expected a {go_type}, but received a {_go_type(value)}")


def _child(node: Node, name: str) -> Node:
    """What a struct's field holds. Nothing is known of what is below maps and free-form values."""
    if node.type not in ("struct", "any"):
        raise SchemaError(f"merging an object in json but data type is not struct, instead is: {_kind(node)}")
    found = schema.fields(node.definition).get(name) if node.type == "struct" else None
    if found is None:
        struct = node.definition.rpartition(".")[2]
        raise SchemaError(f'unable to find api field in struct {struct} for the json field "{name}"')
    return found


def _list_child(node: Node, name: str) -> Node:
    found = _child(node, name)
    if found.type != "list":
        raise SchemaError(f"expected slice or array type, but got: {_kind(node)}")
    return found


def _kind(node: Node) -> str:
    return {"list": "slice", "bytes": "slice", "double": "float64", "any": "struct"}.get(node.type, node.type)


def _place(original: Map, name: str, value: Any) -> None:
    """Takes a value that has nothing to merge with, without nulls and what `$patch` marks."""
    keep, bare = _bare(value)
    if keep:
        original[name] = bare
    else:
        original.pop(name, None)


def _bare(value: Any, *, nulls: bool = False) -> tuple[bool, Any]:
    if isinstance(value, dict):
        if _PATCH in value:
            return False, None
        kept = {key: _bare(item, nulls=nulls) for key, item in value.items() if nulls or item is not None}
        return True, {key: item for key, (keep, item) in kept.items() if keep}
    if isinstance(value, list):
        return True, [item for keep, item in (_bare(item, nulls=nulls) for item in value) if keep]
    return True, value


def _retain(original: Map, patch: Map) -> None:
    """Carries out `$retainKeys`: every other field of the original goes."""
    if _RETAIN not in patch:
        return
    keys = patch.pop(_RETAIN)
    if not isinstance(keys, list):
        raise _bad_format("retainKeys")
    for key, value in patch.items():
        if value is not None and key not in keys and not key.startswith((_ORDER, _DELETE)):
            raise _bad_format("retainKeys")
    for key in [key for key in original if key not in keys]:
        del original[key]


def _merged_list(original: Items, patch: Items, node: Node, deleting: bool) -> Items:
    if not deleting and "merge" not in node.strategies:
        return patch
    if not original and not patch:
        return original
    if _item_type(original, patch) != _MAP:
        if deleting:
            gone = set(map(_mark, patch))
            return [item for item in original if _mark(item) not in gone]
        return _ordered(_distinct(original + patch), patch, original, "")
    item_node, key = node.item or Node("any"), node.merge_key
    if not key:
        raise SchemaError(f"cannot merge lists without merge key for {_kind(item_node)}")
    original, patch = _carry_out_directives(original, patch, key)
    merged, places = list(original), _Places(original, key)
    for item in patch:
        position = places.find(_key_of(item, key))
        if position < 0:
            # Taken as it is: directives inside of it become fields that nobody knows.
            places.add(item, len(merged))
            merged.append(item)
        else:
            merged[position] = _merge_map(merged[position], dict(item), item_node)
    return _ordered(merged, patch, original, key)


def _item_type(*lists: Items) -> str:
    """The one type that the items of all lists have."""
    types = [_go_type(item) for items in lists for item in items]
    if not types:
        raise SchemaError("no elements in any of the given slices")
    if types[0] == _LIST:
        raise SchemaError("lists of lists are not supported", 422)
    if types.count(types[0]) != len(types):
        raise SchemaError(f"list element types are not identical: {shown(list(lists))}")
    return types[0]


def _distinct(items: Items) -> Items:
    return list({_mark(item): item for item in reversed(items)}.values())[::-1]


def _mark(value: Any) -> Hashable:
    """Equal for values that are the `same`: lists may be long, so that nothing in them is searched item by item."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, dict):
        return (dict, frozenset((key, _mark(held)) for key, held in value.items()))
    if isinstance(value, list):
        return (list, *map(_mark, value))
    held: Hashable = value
    return held


def _key_of(item: Any, key: str) -> Any:
    if not isinstance(item, dict):
        raise _expected(_MAP, item)
    if key not in item:
        raise SchemaError(f"map: {shown(item)} does not contain declared merge key: {key}")
    return item[key]


class _Places:
    """Where in a list the first item with a merge key (or, where there is none, the item itself) stands."""

    def __init__(self, items: Items, key: str) -> None:
        self._key = key
        self._places: dict[Hashable, int] = {}
        self._odd = -1
        for position, item in enumerate(items):
            if key and not isinstance(item, dict):
                self._odd = position
                break
            self.add(item, position)

    def add(self, item: Any, position: int) -> None:
        if not self._key:
            self._places.setdefault(_mark(item), position)
        elif self._key in item:
            self._places.setdefault(_mark(item[self._key]), position)

    def find(self, value: Any) -> int:
        """The position, or -1; SchemaError where an item that has no keys stands before it."""
        position = self._places.get(_mark(value), -1)
        if position < 0 <= self._odd:
            raise SchemaError(f"value for key {self._odd} is not a map")
        return position


def _carry_out_directives(original: Items, patch: Items, key: str) -> tuple[Items, Items]:
    """Deletes and replaces as the patch's items say; the rest of the patch is left to merge."""
    plain: Items = []
    gone: set[Hashable] = set()
    replace = False
    for item in patch:
        if _PATCH not in item:
            plain.append(item)
        elif item[_PATCH] == "delete":
            gone.add(_mark(_key_of(item, key)))
        elif item[_PATCH] == "replace":
            replace = True
        elif item[_PATCH] == "merge":
            raise SchemaError("merging lists cannot yet be specified in the patch")
        else:
            raise _bad_type(item[_PATCH], item)
    if replace:
        return plain, []
    return [held for held in original if key not in held or _mark(held[key]) not in gone], plain


def _merge_ordered(original: Map, patch: Map, directive: str, node: Node) -> None:
    """Merges the list that a `$setElementOrder/LIST` names and puts it in that order."""
    order = _list(patch.pop(directive))
    name = _named(directive, _ORDER)
    held, given = _list(original.get(name, [])), _list(patch.get(name, []))
    child = _list_child(node, name)
    _check_order(given, order, child.merge_key)
    if name not in patch:
        if name not in original:
            return
        merged = held
    elif name not in original:
        merged = _bare(given, nulls=True)[1]
    else:
        merged = _merged_list(list(held), given, child, deleting=False)
    if child.merge_key:
        for item in merged + order + held:
            _key_of(item, child.merge_key)
    _item_type(held, given)
    patch.pop(name, None)
    original[name] = _ordered(merged, order, held, child.merge_key)


def _list(value: Any) -> Items:
    if not isinstance(value, list):
        raise _expected(_LIST, value)
    return value


def _check_order(patch: Items, order: Items, key: str) -> None:
    """The patch's items must come in the order that the directive gives."""
    if not order:
        return
    if key and (strange := [item for item in patch if not isinstance(item, dict)]):
        raise _expected(_MAP, strange[0])
    position = 0
    for item in [item for item in patch if not (key and item.get(_PATCH) == "delete")]:
        found = isinstance(item, dict) and _PATCH in item and position < len(order)
        while not found and position < len(order):
            other = order[position]
            found = same(_key_of(item, key), _key_of(other, key)) if key else same(item, other)
            position += 1
        if not found:
            raise SchemaError(
                f"The order in patch list:\n{shown(patch)}\n doesn't match {_ORDER} list:\n{shown(order)}\n"
            )


def _ordered(merged: Items, wanted: Items, server: Items, key: str) -> Items:
    """Items named in `wanted` in that order, the others woven in as they stood in `server`."""
    orders = _Places(wanted, key), _Places(server, key)

    def place(which: int, item: Any) -> int:
        return orders[which].find(_key_of(item, key) if key else item)

    named = [(position, item) for item in merged if (position := place(0, item)) >= 0]
    others = [(place(1, item), item) for item in merged if place(0, item) < 0]
    left = deque(item for _, item in sorted(named, key=itemgetter(0)))
    right = deque(sorted(others, key=itemgetter(0)))
    result: Items = []
    while left and right:
        position, item = right[0]
        if 0 <= position < place(1, left[0]):
            result.append(item)
            right.popleft()
        else:
            result.append(left.popleft())
    return [*result, *left, *(item for _, item in right)]
