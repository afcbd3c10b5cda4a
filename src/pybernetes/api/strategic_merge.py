"""Strategic merge patch: a merge patch that knows which lists merge by key, with directives in the patch.

Flow: the plain value of an object, a patch and the definition of the type go in; a new value comes out, the inputs
unchanged. `SchemaError` carries the text of upstream's 500. Directives: `$patch` (replace, delete), `$retainKeys`,
`$setElementOrder/LIST`, `$deleteFromPrimitiveList/LIST`.
"""

from __future__ import annotations

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
_ANY = Node("any")

Map = dict[str, Any]
Items = list[Any]


class SchemaError(ValueError):
    """A patch that does not fit the type; the message is that of upstream's 500."""


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
        deleting = key.startswith(_DELETE + "/")
        name = key.removeprefix(_DELETE + "/")
        if value is None:
            original.pop(name, None)
        elif name not in original or _sort(original[name]) != _sort(value):
            if not deleting:
                _place(original, name, value)
        else:
            original[name] = _merged(original[name], value, _child(node, name), deleting)
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


def _sort(value: Any) -> type | None:
    """The type as Go's reflection sees a JSON value; only maps and lists matter."""
    return type(value) if isinstance(value, dict | list) else None


def _child(node: Node, name: str) -> Node:
    if node.type == "struct":
        return schema.fields(node.definition).get(name, _ANY)
    return node.item or _ANY


def _place(original: Map, name: str, value: Any) -> None:
    """Takes a value that has nothing to merge with, without its directives and nulls."""
    keep, bare = _bare(value)
    if keep:
        original[name] = bare
    else:
        original.pop(name, None)


def _bare(value: Any) -> tuple[bool, Any]:
    if isinstance(value, dict):
        if _PATCH in value:
            return False, None
        kept = {key: _bare(item) for key, item in value.items() if item is not None and not _is_directive(key)}
        return True, {key: item for key, (keep, item) in kept.items() if keep}
    if isinstance(value, list):
        return True, [item for keep, item in map(_bare, value) if keep]
    return True, value


def _is_directive(key: str) -> bool:
    return key == _RETAIN or key.startswith((_ORDER + "/", _DELETE + "/"))


def _merged(original: Any, patch: Any, node: Node, deleting: bool) -> Any:
    """Two values of the same sort."""
    strategies = [strategy for strategy in node.strategies if strategy != "retainKeys"]
    if isinstance(original, dict):
        return patch if "replace" in strategies else _merge_map(original, patch, node)
    if isinstance(original, list):
        return _merge_list(original, patch, node, deleting) if deleting or "merge" in strategies else patch
    return patch


def _retain(original: Map, patch: Map) -> None:
    """Carries out `$retainKeys`: every other field of the original goes."""
    if _RETAIN not in patch:
        return
    keys = patch.pop(_RETAIN)
    if not isinstance(keys, list):
        raise SchemaError("invalid patch format of retainKeys")
    for key, value in patch.items():
        if value is not None and key not in keys and not _is_directive(key):
            raise SchemaError("invalid patch format of retainKeys")
    for key in [key for key in original if key not in keys]:
        del original[key]


def _merge_list(original: Items, patch: Items, node: Node, deleting: bool) -> Items:
    if not original and not patch:
        return original
    if not any(isinstance(item, dict) for item in original + patch):
        if deleting:
            return [item for item in original if not _holds(patch, item)]
        merged = _distinct(original + patch)
        return _ordered(merged, patch, original, "")
    key = node.merge_key
    if not key:
        raise SchemaError(f"cannot merge lists without merge key for {node.go_type}")
    original, patch = _carry_out_directives(original, patch, key)
    before = list(original)
    merged = list(original)
    for item in patch:
        position = _find(merged, item, key)
        if position < 0:
            merged.append(_bare(item)[1])
        else:
            merged[position] = _merge_map(merged[position], dict(item), node.item or _ANY)
    return _ordered(merged, patch, before, key)


def _distinct(items: Items) -> Items:
    result: Items = []
    for item in items:
        if not _holds(result, item):
            result.append(item)
    return result


def _holds(items: Items, wanted: Any) -> bool:
    return any(same(item, wanted) for item in items)


def _key_of(item: Any, key: str) -> Any:
    if not isinstance(item, dict) or key not in item:
        raise SchemaError(f"map: {shown(item)} does not contain declared merge key: {key}")
    return item[key]


def _find(items: Items, wanted: Any, key: str) -> int:
    """The position of the item with the same merge key (or the same scalar), or -1."""
    value = _key_of(wanted, key) if key else wanted
    for position, item in enumerate(items):
        if same(_key_of(item, key) if key else item, value):
            return position
    return -1


def _carry_out_directives(original: Items, patch: Items, key: str) -> tuple[Items, Items]:
    """Deletes and replaces as the patch's items say; the rest of the patch is left to merge."""
    plain: Items = []
    replace = False
    for item in patch:
        if not isinstance(item, dict) or _PATCH not in item:
            plain.append(item)
        elif item[_PATCH] == "delete":
            value = _key_of(item, key)
            original = [held for held in original if not same(_key_of(held, key), value)]
        elif item[_PATCH] == "replace":
            replace = True
        elif item[_PATCH] == "merge":
            raise SchemaError("merging lists cannot yet be specified in the patch")
        else:
            raise _bad_type(item[_PATCH], item)
    return (plain, []) if replace else (original, plain)


def _merge_ordered(original: Map, patch: Map, directive: str, node: Node) -> None:
    """Merges the list that a `$setElementOrder/LIST` names and puts it in that order."""
    order = patch.pop(directive)
    name = directive.removeprefix(_ORDER + "/")
    held, given = original.get(name), patch.pop(name, None)
    if not isinstance(order, list) or not isinstance(held, list | None) or not isinstance(given, list | None):
        raise SchemaError("expected a list, but received a different type")
    child = _child(node, name)
    _check_order(given or [], order, child.merge_key)
    if held is None and given is None:
        return
    if given is None:
        merged: Items = held or []
    elif held is None:
        merged = _bare(given)[1]
    else:
        merged = _merged(list(held), given, child, deleting=False)
    original[name] = _ordered(merged, order, held or [], child.merge_key)


def _check_order(patch: Items, order: Items, key: str) -> None:
    """The patch's items must come in the order that the directive gives."""
    remaining = iter(order)
    for item in patch:
        if key and isinstance(item, dict) and item.get(_PATCH) == "delete":
            continue
        wanted = _key_of(item, key) if key else item
        if not any(same(_key_of(other, key) if key else other, wanted) for other in remaining):
            raise SchemaError(
                f"The order in patch list:\n{shown(patch)}\n doesn't match {_ORDER} list:\n{shown(order)}\n"
            )


def _ordered(merged: Items, wanted: Items, server: Items, key: str) -> Items:
    """Items named in `wanted` in that order, the others woven in as they stood in `server`."""
    named = [item for item in merged if _find(wanted, item, key) >= 0]
    others = [item for item in merged if _find(wanted, item, key) < 0]
    named = _sorted(named, wanted, key)
    others = _sorted(others, server, key)
    result: Items = []
    while named and others:
        first, second = _find(server, others[0], key), _find(server, named[0], key)
        result.append(others.pop(0) if 0 <= first < second else named.pop(0))
    return result + named + others


def _sorted(items: Items, order: Items, key: str) -> Items:
    positions: list[tuple[int, Any]] = [(_find(order, item, key), item) for item in items]
    return [item for _, item in sorted(positions, key=itemgetter(0))]
