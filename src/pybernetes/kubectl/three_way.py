"""What `apply` sends: the patch that takes an object from its live state to its manifest.

Flow: the manifest applied last, the manifest now and the live object go in; a patch comes out. What the last manifest
had and this one has not is deleted; what others have set stays. With a built-in type's definition it is a strategic
merge patch, else (lists as a whole) a JSON merge patch. Pure.
"""

from __future__ import annotations

from typing import Any

from pybernetes.api import schema
from pybernetes.api.merge_patch import same
from pybernetes.api.schema import Node

Map = dict[str, Any]
_ANY = Node("any")


def three_way(original: Map, modified: Map, current: Map, definition: str = "") -> Map:
    """The patch; empty when nothing is to be changed."""
    return _maps(original, modified, current, schema.struct_node(definition) if definition else _ANY)


def _child(node: Node, name: str) -> Node:
    if node.type == "struct" and node.definition:
        return schema.fields(node.definition).get(name, _ANY)
    return node.item or _ANY


def _maps(original: Map, modified: Map, current: Map, node: Node) -> Map:
    patch: Map = {}
    for key, value in modified.items():
        if value is None:
            if current.get(key) is not None:
                patch[key] = None
        elif key not in current:
            patch[key] = value
        else:
            patch |= _values(key, original.get(key), value, current[key], _child(node, key))
    patch |= {key: None for key in original if key not in modified and original[key] is not None}
    if patch and "retainKeys" in node.strategies:
        patch["$retainKeys"] = sorted(key for key, value in modified.items() if value is not None)
    return patch


def _values(key: str, original: Any, modified: Any, current: Any, node: Node) -> Map:
    """What the patch says of one field that the live object has."""
    if isinstance(modified, dict) and isinstance(current, dict) and "replace" not in node.strategies:
        inner = _maps(original if isinstance(original, dict) else {}, modified, current, node)
        return {key: inner} if inner else {}
    if isinstance(modified, list) and isinstance(current, list) and "merge" in node.strategies:
        before = original if isinstance(original, list) else []
        if node.merge_key:
            return _keyed_lists(key, before, modified, current, node)
        return _sets(key, before, modified, current)
    return {} if same(modified, current) else {key: modified}


def _keyed_lists(key: str, original: list[Any], modified: list[Any], current: list[Any], node: Node) -> Map:
    """Lists whose items are known by a key, such as containers by name."""
    by = node.merge_key
    assert node.item is not None
    item_node = Node(node.item.type, node.item.definition, node.item.item, strategies=_kept(node.strategies))
    live, last = _by_key(current, by), _by_key(original, by)
    items = []
    for item in modified:
        value = item.get(by)
        if value not in live:
            items.append(item)
        elif change := _maps(last.get(value, {}), item, live[value], item_node):
            items.append({**change, by: value})
    wanted = _by_key(modified, by)
    items += [{"$patch": "delete", by: value} for value in last if value not in wanted]
    if not items and _same_order(list(wanted), list(live)):
        return {}
    order = {f"$setElementOrder/{key}": [{by: value} for value in wanted]}
    return {**order, key: items} if items else order


def _kept(strategies: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(strategy for strategy in strategies if strategy == "retainKeys")


def _by_key(items: list[Any], by: str) -> dict[Any, Map]:
    return {item.get(by): item for item in items if isinstance(item, dict)}


def _same_order(wanted: list[Any], live: list[Any]) -> bool:
    return [value for value in wanted if value in live] == [value for value in live if value in wanted]


def _sets(key: str, original: list[Any], modified: list[Any], current: list[Any]) -> Map:
    """Lists of plain values that are merged, such as finalizers."""
    added = [value for value in modified if value not in current]
    gone = [value for value in original if value not in modified]
    if not added and not gone:
        return {}
    patch: Map = {f"$setElementOrder/{key}": modified}
    if added:
        patch[key] = added
    if gone:
        patch[f"$deleteFromPrimitiveList/{key}"] = gone
    return patch
