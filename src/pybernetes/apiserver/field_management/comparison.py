"""Which fields differ between two documents of one type, and which fields a document sets. Pure.

Documents are plain JSON values; the answers are sets of field paths. Equal parts are skipped at the speed of `==`, so
that the cost grows with the change and not with the object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pybernetes.api.merge_patch import same
from pybernetes.apiserver.field_management.field_type import KEYED, MAP, SET, STRUCT, UNTYPED, FieldType
from pybernetes.apiserver.field_management.fieldset import LEAF, SELF, Fields, key_element, value_element

_encode = msgspec.json.encode


@dataclass(slots=True)
class Comparison:
    """`changed`: fields that are new or hold another value; `removed`: fields that are gone."""

    changed: Fields = field(default_factory=dict)
    removed: Fields = field(default_factory=dict)


def compare(type_: FieldType, old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """What became of `old`."""
    result = Comparison()
    _compare_map(type_, old, new, result)
    return result


def element_of(type_: FieldType, item: Any) -> str:
    """The path element of an item of a keyed list or set; ValueError with upstream's text when it can have none."""
    if type_.form == SET:
        if isinstance(item, dict):
            raise ValueError("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise ValueError("not supported: associative list with lists as elements")
        return value_element(item)
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise ValueError(f"associative list with keys may not have {what}")
    if type_.single_key:
        [(name, default)] = type_.keys
        if (value := item.get(name, default)) is not None:
            return f"{type_.single_key}{_encode(value).decode()}}}"
    pairs = {name: item.get(name, default) for name, default in type_.keys}
    pairs = {name: value for name, value in pairs.items() if value is not None or name in item}
    if not pairs:
        names = " ".join(f'"{name}"' for name, _default in type_.keys)
        raise ValueError(
            f"associative list with keys has an element that omits all key fields [{names}] "
            "(and doesn't have default values for any key fields)"
        )
    return key_element(pairs)


def indexed(type_: FieldType, items: Sequence[Any]) -> dict[str, list[Any]]:
    """The items by path element; more than one where a key occurs twice. Items that can have no key are left out."""
    result: dict[str, list[Any]] = {}
    for item in items:
        try:
            element = element_of(type_, item)
        except ValueError:
            continue
        result.setdefault(element, []).append(item)
    return result


def entirely(type_: FieldType, value: Any) -> Fields:
    """The paths of a value that appears, or goes, as a whole."""
    if type_.leaf or not value:
        return LEAF
    if isinstance(value, dict):
        if type_.form not in (STRUCT, MAP, UNTYPED):
            return LEAF
        result: Fields = {SELF: LEAF}
        fields, item = type_.fields, type_.item
        for name, held in value.items():
            found = fields.get(name)
            if found is not None:
                element, held_type = found
                result[element] = LEAF if held_type.leaf or not held else entirely(held_type, held)
            elif item is not None:
                result["f:" + name] = LEAF if item.leaf or not held else entirely(item, held)
        return result
    if isinstance(value, list) and type_.form in (KEYED, SET) and type_.item is not None:
        result = {SELF: LEAF}
        for element, held_items in indexed(type_, value).items():
            result[element] = LEAF if len(held_items) > 1 else entirely(type_.item, held_items[0])
        return result
    return LEAF


def _compare(type_: FieldType, old: Any, new: Any, result: Comparison, element: str) -> None:
    """Compares two values, both present and not equal, and adds what differs under `element`."""
    if type_.leaf or not (old or new):
        result.changed[element] = LEAF
        return
    below = Comparison()
    if _are(dict, old, new) and type_.form in (STRUCT, MAP, UNTYPED):
        _compare_map(type_, old or {}, new or {}, below)
    elif _are(list, old, new) and type_.form in (KEYED, SET):
        _compare_items(type_, old or [], new or [], below)
    else:
        _compare_sorts(type_, old, new, result, element)
        return
    if below.changed:
        result.changed[element] = below.changed
    if below.removed:
        result.removed[element] = below.removed


def _compare_sorts(type_: FieldType, old: Any, new: Any, result: Comparison, element: str) -> None:
    """A value that becomes one of another sort; where that is allowed, what is below a map comes or goes with it."""
    free = type_.form == UNTYPED
    result.changed[element] = entirely(type_, new) if free else LEAF
    if free and isinstance(old, dict) and old:
        result.removed[element] = {key: node for key, node in entirely(type_, old).items() if key != SELF}


def _are(kind: type, old: Any, new: Any) -> bool:
    return (old is None or isinstance(old, kind)) and (new is None or isinstance(new, kind))


def _compare_map(type_: FieldType, old: dict[str, Any], new: dict[str, Any], result: Comparison) -> None:
    for name, value in new.items():
        if name in old:
            before = old[name]
            if before != value or (type_.mixed and not same(before, value)):
                found = type_.field(name)
                if found is not None:
                    _compare(found[1], before, value, result, found[0])
        elif (found := type_.field(name)) is not None:
            result.changed[found[0]] = entirely(found[1], value)
    for name, value in old.items():
        if name not in new and (found := type_.field(name)) is not None:
            result.removed[found[0]] = entirely(found[1], value)


def _compare_items(type_: FieldType, old: list[Any], new: list[Any], result: Comparison) -> None:
    before, after = indexed(type_, old), indexed(type_, new)
    item = type_.item
    assert item is not None
    for element in {**before, **after}:
        had, has = before.get(element, []), after.get(element, [])
        if len(had) > 1 or len(has) > 1:
            _compare_duplicates(item, had, has, result, element)
        elif not had:
            result.changed[element] = entirely(item, has[0])
        elif not has:
            result.removed[element] = entirely(item, had[0])
        elif had[0] != has[0] or (item.mixed and not same(had[0], has[0])):
            _compare(item, had[0], has[0], result, element)


def _compare_duplicates(
    item: FieldType, had: Sequence[Any], has: Sequence[Any], result: Comparison, element: str
) -> None:
    """Items that share a key are owned as one; nothing below them is."""
    if len(had) > 1 and len(has) > 1:
        if not same(list(had), list(has)):
            result.changed[element] = LEAF
    elif len(had) > 1:
        result.removed[element] = LEAF
        if has:
            result.changed[element] = entirely(item, has[0])
    else:
        result.changed[element] = LEAF
        if had:
            result.removed[element] = entirely(item, had[0])


def settings(type_: FieldType, document: dict[str, Any]) -> Fields:
    """The paths that a document sets: what its applier owns."""
    result: Fields = {}
    for name, value in document.items():
        found = type_.field(name)
        if found is None:
            continue
        element, held = found
        node = _settings(held, value)
        if value is None or value == {} or name not in type_.fields:
            node = LEAF if not node else {SELF: LEAF, **node}
        if node is not None:
            result[element] = node
    return result


def _settings(type_: FieldType, value: Any) -> Fields | None:
    """None when the value sets nothing."""
    if type_.leaf:
        return LEAF
    if isinstance(value, dict):
        return settings(type_, value) or None
    if isinstance(value, list):
        if type_.form == UNTYPED:
            return LEAF
        return _item_settings(type_, value) or None
    return LEAF if type_.form == UNTYPED and value is not None else None


def _item_settings(type_: FieldType, value: list[Any]) -> Fields:
    result: Fields = {}
    assert type_.item is not None
    for element, items in indexed(type_, value).items():
        node = None if len(items) > 1 else _settings(type_.item, items[0])
        result[element] = {SELF: LEAF, **node} if node else LEAF
    return result
