"""Rules for lists and maps as wholes: how many items they may have, and that none stands there twice.

A list with too many items is not read any further, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence, Sized
from typing import TypeVar

from pybernetes.api.status import FieldError, duplicate, invalid

_Item = TypeVar("_Item")


def _too_many(path: str, count: int, most: int) -> FieldError:
    return FieldError("FieldValueTooMany", path, f"must have at most {most} items", count)


def at_most(items: Sized, most: int, path: str) -> list[FieldError]:
    return [_too_many(path, len(items), most)] if len(items) > most else []


def each(items: Iterable[_Item], rule: Callable[[_Item, str], list[FieldError]], path: str) -> list[FieldError]:
    """What the rule says of each item, which it gets with the item's own path."""
    return [error for index, item in enumerate(items) for error in rule(item, f"{path}[{index}]")]


def few(
    items: Sequence[_Item], most: int, rule: Callable[[_Item, str], list[FieldError]], path: str
) -> list[FieldError]:
    return at_most(items, most, path) or each(items, rule, path)


def star_alone(values: Sequence[str], what: str, path: str) -> list[FieldError]:
    """The star stands for all, and so for itself."""
    if "*" in values and len(values) > 1:
        return [invalid(path, list(values), f"if '*' is present, must not specify other {what}")]
    return []


def repeated(keys: Iterable[Hashable]) -> frozenset[int]:
    """The positions of the keys that have stood before."""
    held = list(keys)
    if len(set(held)) == len(held):
        return frozenset()
    first: dict[Hashable, int] = {}
    return frozenset(index for index, key in enumerate(held) if first.setdefault(key, index) != index)


def no_twins(keys: Iterable[Hashable], path: str, below: str = "") -> list[FieldError]:
    """Complains of keys that have stood before; `below` leads from the item to its key."""
    held = list(keys)
    return [duplicate(f"{path}[{index}]{below}", held[index]) for index in sorted(repeated(held))]
