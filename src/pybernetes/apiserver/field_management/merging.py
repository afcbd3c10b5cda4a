"""Laying an applied document over a stored one, and taking fields out of a document. Pure.

Both walk plain JSON values along a `FieldType`; what they return may share parts with what they were given.
"""

from __future__ import annotations

from typing import Any

from pybernetes.apiserver.field_management.comparison import element_of, indexed
from pybernetes.apiserver.field_management.field_type import KEYED, MAP, SET, STRUCT, UNTYPED, FieldType
from pybernetes.apiserver.field_management.fieldset import LEAF, SELF, Fields, is_member

_MAPS = (STRUCT, MAP, UNTYPED)


def merged(type_: FieldType, live: Any, applied: Any) -> Any:
    """The live value with the applied one laid over it: leaves are replaced, granular maps and lists are joined."""
    if type_.leaf or not (live or applied):
        return applied
    if type_.form in _MAPS and isinstance(live, dict | None) and isinstance(applied, dict | None):
        return _merged_map(type_, live or {}, applied or {})
    if type_.form in (KEYED, SET) and isinstance(live, list | None) and isinstance(applied, list | None):
        return _merged_list(type_, live or [], applied or [])
    return applied


def _merged_map(type_: FieldType, live: dict[str, Any], applied: dict[str, Any]) -> dict[str, Any]:
    result = dict(live)
    for name, value in applied.items():
        found = type_.field(name)
        result[name] = merged(found[1], live[name], value) if name in live and found is not None else value
    return result


def _merged_list(type_: FieldType, live: list[Any], applied: list[Any]) -> list[Any]:
    """Live items keep their places; applied ones keep their order among themselves, new ones come where they stand."""
    assert type_.item is not None
    item_type = type_.item
    elements = [element_of(type_, item) for item in applied]
    theirs = dict(zip(elements, applied, strict=True))
    mine = indexed(type_, live)
    kept = [(element, item) for item in live if (element := _element(type_, item)) is not None]
    shared = [element for element in elements if element in mine]
    result: list[Any] = []
    done: set[str] = set()

    def take(element: str) -> None:
        before = mine.get(element, ())
        done.add(element)
        # Items that shared a key give way to the one that is applied.
        result.append(merged(item_type, before[0], theirs[element]) if len(before) == 1 else theirs[element])

    left = right = 0
    while left < len(kept) or right < len(elements):
        if left < len(kept):
            element, item = kept[left]
            if element not in theirs:
                result.append(item)
                left += 1
                continue
            if right < len(elements) and element == elements[right]:
                take(element)
                left, right = left + 1, right + 1
                continue
            awaited = next((name for name in shared if name not in done), element)
            if right < len(elements) and element != awaited:
                left += 1
                continue
            left += element in done
        if right < len(elements):
            take(elements[right])
            right += 1
    return result


def _element(type_: FieldType, item: Any) -> str | None:
    try:
        return element_of(type_, item)
    except ValueError:
        return None


def without(type_: FieldType, value: Any, fields: Fields) -> Any:
    """The value with the paths of `fields` taken out; None when that leaves nothing of a map or list."""
    if type_.form in _MAPS and isinstance(value, dict) and not type_.leaf:
        return _map_without(type_, value, fields) or None
    if type_.form in (KEYED, SET) and isinstance(value, list):
        return _list_without(type_, value, fields) or None
    return None if isinstance(value, dict | list) else value


def _map_without(type_: FieldType, value: dict[str, Any], fields: Fields) -> dict[str, Any]:
    result = {}
    for name, held in value.items():
        found = type_.field(name)
        part = fields.get(found[0] if found is not None else "f:" + name)
        if part is None:
            result[name] = held
        elif not is_member(part):
            result[name] = without(found[1], held, part) if found is not None else held
    return result


def _list_without(type_: FieldType, value: list[Any], fields: Fields) -> list[Any]:
    assert type_.item is not None
    result = []
    for item in value:
        part = fields.get(_element(type_, item) or "")
        if part is None:
            result.append(item)
        elif not is_member(part):
            result.append(without(type_.item, item, part))
    return result


def with_named_parents(type_: FieldType | None, fields: Fields) -> Fields:
    """The set with the declared fields that lead to its members as members of their own."""
    result: Fields = {}
    for element, node in fields.items():
        if element == SELF or not node:
            result[element] = node
            continue
        held, named = _below(type_, element)
        below = with_named_parents(held, node)
        result[element] = {SELF: LEAF, **below} if named else below
    return result


def _below(type_: FieldType | None, element: str) -> tuple[FieldType | None, bool]:
    """What a path element leads to, and whether it names a declared field."""
    if type_ is None:
        return None, False
    if element.startswith("f:"):
        found = type_.fields.get(element[2:])
        return (found[1], True) if found is not None else (type_.item, False)
    return type_.item, False
